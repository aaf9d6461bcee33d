//! What the checks of nodes found, kept from one analysis to the next [CANVAS-4]: a node is checked again only when what
//! it is checked with has changed, or may have (files).

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde_json::{Map, Value};
use troupe_model::Node;

use crate::node::{CheckContext, Checked};

#[derive(Debug, Default)]
pub(super) struct Checks {
    /// Of the analysis before this one.
    former: HashMap<String, Known>,
    current: HashMap<String, Known>,
    /// Of the names of the workflow's parameters.
    parameters: u64,
}

#[derive(Debug)]
struct Known {
    /// Of what the node was checked with.
    fingerprint: u64,
    checked: Checked,
}

impl Checks {
    /// A new analysis: what it does not ask for is forgotten with the next one.
    pub fn begin(&mut self, parameters: &Map<String, Value>) {
        self.former = std::mem::take(&mut self.current);
        let mut hasher = DefaultHasher::new();
        parameters.keys().for_each(|name| name.hash(&mut hasher));
        self.parameters = hasher.finish();
    }

    /// `None`: the node is not known, and was not checked now.
    pub fn of(
        &mut self,
        node: &Node,
        ctx: &CheckContext<'_>,
        check: impl FnOnce(&CheckContext<'_>) -> Option<Checked>,
    ) -> Option<Checked> {
        let fingerprint = self.fingerprint(node, ctx);
        let known = self.former.remove(&node.id).filter(|known| known.fingerprint == fingerprint);
        let known = match known {
            Some(known) => known,
            None => Known { fingerprint, checked: check(ctx)? },
        };
        let checked = known.checked.clone();
        if !ctx.looked_at_files() {
            self.current.insert(node.id.clone(), known);
        }
        Some(checked)
    }

    fn fingerprint(&self, node: &Node, ctx: &CheckContext<'_>) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&node.data.node_type, ctx.config, ctx.inputs, self.parameters).hash(&mut hasher);
        hasher.finish()
    }
}
