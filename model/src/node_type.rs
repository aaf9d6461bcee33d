//! What a node type tells of itself: the palette, the config form and the checks come from this [NODE-1].

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeTypeSpec {
    /// `snake_case`, stable for ever.
    pub id: String,
    /// One of: Triggers, AI, Applications, Connectors, Filters, Transforms, Flow, Human, Outputs.
    pub category: String,
    pub name: String,
    /// One sentence.
    pub description: String,
    /// The name of a lucide icon.
    pub icon: String,
    /// `#rrggbb`.
    pub color: String,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    /// JSON Schema of `config`. UI hints are under `x-ui`:
    /// `{"widget": "column" | "columns" | "code" | "expression" | "textarea" | "secret", "language": "sql" | …,
    /// "port": "<input port whose columns are offered>"}`. A field with widget `code` is shared text on the canvas.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub config_schema: Value,
    /// The config that a freshly dropped node starts with.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub config_defaults: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Port {
    pub name: String,
    pub label: String,
    pub kind: PortKind,
    /// An input that may be left unconnected.
    #[serde(default)]
    pub optional: bool,
    /// An input that accepts more than one edge.
    #[serde(default)]
    pub many: bool,
}

/// What may flow through a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PortKind {
    /// A table.
    Frame,
    /// A JSON value.
    Json,
    /// Anything, the signal of a trigger included.
    Any,
}

impl Port {
    pub fn new(name: &str, label: &str, kind: PortKind) -> Self {
        Self { name: name.to_owned(), label: label.to_owned(), kind, optional: false, many: false }
    }

    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    #[must_use]
    pub fn many(mut self) -> Self {
        self.many = true;
        self
    }
}
