//! Healing, done once by the owner and not by every client [CANVAS-9].

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;
use troupe_model::{Edge, Node};
use yrs::{Any, In, Map, MapPrelim, MapRef, Out, TransactionMut, WriteTxn};

use super::{
    Canvas, EDGES, NODES, content,
    edit::{new_edge, new_node},
    project::{self, as_map, entries},
};

impl Canvas {
    /// Heals what no reader can show, and removes edges whose node is gone. Returns the V1 update that everyone needs: the
    /// changes, and what a failed update left behind, if one did.
    pub fn repair(&mut self) -> Option<Vec<u8>> {
        let changes = self.change(|txn| {
            heal(txn, NODES, |node: &Node| new_node(node));
            heal(txn, EDGES, |edge: &Edge| new_edge(edge));
            heal_nodes(txn);
            remove_dangling(txn);
        });
        match self.stray_since.take() {
            Some(before) => self.encode_since(&before),
            None => changes,
        }
    }
}

/// An element that is a plain object, and says all that one has to say, becomes a map; any other that is no map goes.
fn heal<T: DeserializeOwned>(txn: &mut TransactionMut<'_>, root: &str, written: impl Fn(&T) -> MapPrelim) {
    let wrong: Vec<_> = entries(txn, root).into_iter().filter(|(_, out)| as_map(out.clone()).is_none()).collect();
    let map = txn.get_or_insert_map(root);
    for (id, out) in wrong {
        let mut element = content::to_json(txn, out);
        if let Value::Object(object) = &mut element {
            object.insert("id".to_owned(), id.as_str().into());
        }
        match serde_json::from_value(element) {
            Ok(element) => drop(map.insert(txn, id, written(&element))),
            Err(_) => drop(map.remove(txn, &id)),
        }
    }
}

/// `data` and `config` are maps, so that two people can write into them.
fn heal_nodes(txn: &mut TransactionMut<'_>) {
    let nodes: Vec<MapRef> = entries(txn, NODES).into_iter().filter_map(|(_, out)| as_map(out)).collect();
    for node in nodes {
        heal_map(txn, &node, "data");
        if let Some(data) = node.get(txn, "data").and_then(as_map) {
            heal_map(txn, &data, "config");
        }
    }
}

/// A plain object under the key becomes a map of the same entries; what is neither goes.
fn heal_map(txn: &mut TransactionMut<'_>, holder: &MapRef, key: &str) {
    match holder.get(txn, key) {
        None | Some(Out::YMap(_)) => {}
        Some(Out::Any(Any::Map(entries))) => {
            let map: MapPrelim = entries.iter().map(|(key, value)| (key.as_str(), In::Any(value.clone()))).collect();
            holder.insert(txn, key, map);
        }
        Some(_) => drop(holder.remove(txn, key)),
    }
}

fn remove_dangling(txn: &mut TransactionMut<'_>) {
    let nodes: BTreeSet<String> = entries(txn, NODES).into_iter().map(|(id, _)| id).collect();
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
}
