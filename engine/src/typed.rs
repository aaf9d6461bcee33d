//! The comfortable way to write a node type: its config is a Rust struct, from which the JSON Schema, the defaults
//! and the parsing follow. Every file in `nodes/` implements [`TypedNode`]; the rest of the engine sees [`NodeType`].

use std::future::Future;

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use troupe_model::{NodeFailure, NodeTypeSpec, Port};

use crate::{
    config_schema,
    node::{CheckContext, Checked, Finding, NodeType, Outcome, RunContext},
};

/// A node type with a typed config. See [`NodeType`] for what `check` and `run` may do.
///
/// Of the config struct: doc comments become descriptions, `#[serde(default)]` the defaults of a fresh node, field
/// names (or `#[schemars(title = "…")]`) the labels, and
/// `#[schemars(extend("x-ui" = {"widget": "code", "language": "sql"}))]` a hint for the form.
pub trait TypedNode: Send + Sync + 'static {
    type Config: DeserializeOwned + JsonSchema + Send;

    fn describe(&self) -> Description;

    fn check(&self, config: &Self::Config, ctx: &CheckContext<'_>) -> Checked;

    fn run(&self, config: Self::Config, ctx: RunContext) -> impl Future<Output = Result<Outcome, NodeFailure>> + Send;
}

/// What the palette shows of a node type, and its ports.
#[derive(Debug)]
pub struct Description(NodeTypeSpec);

/// Where the palette shows a node type [NODE-3].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    Triggers,
    Connectors,
    Filters,
    Transforms,
    Flow,
    Outputs,
}

/// Makes a [`NodeType`] of a [`TypedNode`].
#[derive(Debug)]
pub(crate) struct Typed<N> {
    node: N,
    spec: NodeTypeSpec,
}

impl Description {
    pub fn new(id: &str, category: Category, name: &str) -> Self {
        Self(NodeTypeSpec {
            id: id.to_owned(),
            category: category.name().to_owned(),
            name: name.to_owned(),
            description: String::new(),
            icon: String::new(),
            color: String::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            config_schema: Value::Null,
            config_defaults: Value::Null,
        })
    }

    /// One sentence for people.
    #[must_use]
    pub fn about(mut self, description: &str) -> Self {
        self.0.description = description.to_owned();
        self
    }

    /// The name of a lucide icon, and a colour as `#rrggbb`.
    #[must_use]
    pub fn look(mut self, icon: &str, color: &str) -> Self {
        self.0.icon = icon.to_owned();
        self.0.color = color.to_owned();
        self
    }

    #[must_use]
    pub fn input(mut self, port: Port) -> Self {
        self.0.inputs.push(port);
        self
    }

    #[must_use]
    pub fn output(mut self, port: Port) -> Self {
        self.0.outputs.push(port);
        self
    }
}

impl Category {
    const fn name(self) -> &'static str {
        match self {
            Self::Triggers => "Triggers",
            Self::Connectors => "Connectors",
            Self::Filters => "Filters",
            Self::Transforms => "Transforms",
            Self::Flow => "Flow",
            Self::Outputs => "Outputs",
        }
    }
}

impl<N: TypedNode> Typed<N> {
    pub(crate) fn new(node: N) -> Self {
        let Description(mut spec) = node.describe();
        spec.config_schema = config_schema::of::<N::Config>();
        spec.config_defaults = config_schema::defaults(&spec.config_schema);
        Self { node, spec }
    }
}

impl<N: TypedNode> NodeType for Typed<N> {
    fn spec(&self) -> &NodeTypeSpec {
        &self.spec
    }

    fn check(&self, ctx: &CheckContext<'_>) -> Checked {
        match parse::<N::Config>(ctx.config) {
            Ok(config) => self.node.check(&config, ctx),
            Err(error) => Checked {
                findings: vec![Finding::error("invalid_config", "", format!("the settings cannot be read: {error}"))],
                ..Checked::default()
            },
        }
    }

    fn run(&self, ctx: RunContext) -> BoxFuture<'_, Result<Outcome, NodeFailure>> {
        Box::pin(async move {
            let config = parse::<N::Config>(&ctx.config).map_err(|error| {
                NodeFailure::new("invalid_config", format!("the settings cannot be read: {error}"))
                    .solution("open the node and complete its settings")
            })?;
            self.node.run(config, ctx).await
        })
    }
}

fn parse<C: DeserializeOwned>(config: &Map<String, Value>) -> Result<C, serde_json::Error> {
    C::deserialize(config)
}
