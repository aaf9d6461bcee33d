//! Healing, done once by the owner and not by every client [CANVAS-9].

use std::collections::BTreeSet;

use yrs::{Map, WriteTxn};

use super::{
    Canvas, EDGES, NODES,
    project::{self, as_map, entries},
};

impl Canvas {
    /// Removes edges whose node is gone. Returns the V1 update that everyone needs: the removals, and what a failed
    /// update left behind, if one did.
    pub fn repair(&mut self) -> Option<Vec<u8>> {
        let removals = self.change(|txn| {
            let nodes: BTreeSet<String> = entries(txn, NODES)
                .into_iter()
                .filter(|(_, out)| as_map(out.clone()).is_some())
                .map(|(id, _)| id)
                .collect();
            let dangling: Vec<String> = entries(txn, EDGES)
                .into_iter()
                .filter_map(|(id, out)| project::edge(txn, id, &as_map(out)?))
                .filter(|edge| !nodes.contains(&edge.source) || !nodes.contains(&edge.target))
                .map(|edge| edge.id)
                .collect();
            let edges = txn.get_or_insert_map(EDGES);
            for id in dangling {
                edges.remove(txn, &id);
            }
        });
        match self.stray_since.take() {
            Some(before) => self.encode_since(&before),
            None => removals,
        }
    }
}
