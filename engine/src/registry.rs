//! All node types by id [NODE-1]. What they are is told in `nodes.rs`.

use std::{collections::BTreeMap, fmt, sync::Arc};

use troupe_model::NodeTypeSpec;

use crate::{config_schema::Validator, node::NodeType, nodes};

/// The node types that this server knows. A cheap clone.
#[derive(Clone)]
pub struct Registry(Arc<Types>);

struct Types {
    by_id: BTreeMap<String, Arc<Registered>>,
    /// In the order of the palette.
    specs: Vec<NodeTypeSpec>,
}

/// A node type and the compiled schema of its config.
pub struct Registered {
    node_type: Arc<dyn NodeType>,
    validator: Validator,
}

impl Registry {
    /// Every node type of `nodes.rs`.
    pub fn standard() -> Self {
        Self::of(nodes::all())
    }

    /// A registry of these types. Tests bring their own.
    ///
    /// # Panics
    /// When two types have one id, or a config schema is not a JSON Schema: both are mistakes in the code.
    pub fn of(types: impl IntoIterator<Item = Arc<dyn NodeType>>) -> Self {
        let mut by_id = BTreeMap::new();
        let mut specs = Vec::new();
        for node_type in types {
            let spec = node_type.spec().clone();
            let validator = Validator::new(&spec.config_schema)
                .unwrap_or_else(|error| panic!("config schema of node type `{}`: {error}", spec.id));
            let known = by_id.insert(spec.id.clone(), Arc::new(Registered { node_type, validator }));
            assert!(known.is_none(), "two node types are called `{}`", spec.id);
            specs.push(spec);
        }
        Self(Arc::new(Types { by_id, specs }))
    }

    pub fn get(&self, id: &str) -> Option<&Arc<Registered>> {
        self.0.by_id.get(id)
    }

    /// In the order of the palette.
    pub fn specs(&self) -> &[NodeTypeSpec] {
        &self.0.specs
    }
}

impl Registered {
    pub fn spec(&self) -> &NodeTypeSpec {
        self.node_type.spec()
    }

    pub fn node_type(&self) -> &Arc<dyn NodeType> {
        &self.node_type
    }

    pub(crate) fn validator(&self) -> &Validator {
        &self.validator
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.by_id.keys()).finish()
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registered").field(&self.spec().id).finish()
    }
}
