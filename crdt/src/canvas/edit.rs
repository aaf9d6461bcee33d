//! Diagram → canvas as a minimal edit [CANVAS-2]: what is equal is not touched, shared text stays shared text.

mod normal;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map as Object, Value};
use troupe_model::{Diagram, Edge, Node, NodeData, Position, Viewport};
use yrs::{Any, In, Map, MapPrelim, MapRef, Out, ReadTxn, Transact, TransactionMut, WriteTxn};

use super::{
    Canvas, EDGES, META, NODES, NOTES, content,
    project::{self, as_map, entries},
    text,
};
use crate::guard;

impl Canvas {
    /// Makes the canvas show `target`, as it can be shown: sorted, each id once, without dangling edges. Returns the
    /// V1 update that did it, or nothing when it is shown already.
    pub fn edit(&mut self, target: &Diagram) -> Option<Vec<u8>> {
        let target = normal::diagram(target);
        self.change(|txn| {
            let current = project::diagram(txn);
            if current != target {
                write(txn, &current, &target);
            }
        })
    }

    /// Runs a local transaction; returns its V1 update if it changed anything.
    pub(super) fn change(&mut self, work: impl FnOnce(&mut TransactionMut<'_>)) -> Option<Vec<u8>> {
        let update = {
            let mut txn = self.doc.transact_mut();
            work(&mut txn);
            txn.has_changes().then(|| txn.encode_update_v1())
        }?;
        self.note_own(&update);
        self.refresh_clocks();
        Some(update)
    }
}

impl Canvas {
    /// Where the items of a local transaction stand. What cannot be told now is asked later.
    fn note_own(&mut self, update: &[u8]) {
        let Ok(sketch) = guard::sketch(update) else { return };
        self.types.note(&sketch, |client| self.clock(client));
        self.size.grow(&sketch, update.len());
        let Some(order) = guard::order(&sketch, |client| self.clock(client)) else { return };
        if let Ok(places) = self.check_places(&sketch, &order) {
            self.note_places(&sketch, &order, &places);
        }
    }
}

/// How many items and JSON values a diagram is written with, about.
pub fn weight(diagram: &Diagram) -> usize {
    /// The entries that each node has, and each edge.
    const NODE: usize = 10;
    const EDGE: usize = 6;
    let configs = diagram.nodes.iter().flat_map(|node| node.data.config.values());
    let values: usize = configs.chain(diagram.notes.values()).map(content::values).sum();
    values + NODE * diagram.nodes.len() + EDGE * diagram.edges.len()
}

fn write(txn: &mut TransactionMut<'_>, current: &Diagram, target: &Diagram) {
    if current.viewport != target.viewport {
        let meta = txn.get_or_insert_map(META);
        meta.insert(txn, "viewport", viewport(&target.viewport));
    }
    write_nodes(txn, &target.nodes);
    write_edges(txn, &target.edges);
    let notes = txn.get_or_insert_map(NOTES);
    let object = |notes: &BTreeMap<String, Value>| notes.clone().into_iter().collect();
    merge(txn, &notes, &object(&current.notes), &object(&target.notes));
}

/// Compares with what is written, dangling references included: the target may bring their node back.
fn write_nodes(txn: &mut TransactionMut<'_>, target: &[Node]) {
    let nodes = txn.get_or_insert_map(NODES);
    let mut written = written(txn, NODES);
    for node in target {
        match written.remove(&node.id) {
            Some(map) => {
                let current = project::node(txn, node.id.clone(), &map);
                write_node(txn, &map, &current, node);
            }
            None => {
                nodes.insert(txn, node.id.as_str(), new_node(node));
            }
        }
    }
    for id in written.keys() {
        nodes.remove(txn, id);
    }
}

fn write_edges(txn: &mut TransactionMut<'_>, target: &[Edge]) {
    let edges = txn.get_or_insert_map(EDGES);
    let mut written = written(txn, EDGES);
    for edge in target {
        let current = written
            .remove(&edge.id)
            .and_then(|map| project::edge(txn, edge.id.clone(), &map).map(|current| (map, current)));
        match current {
            Some((map, current)) => write_edge(txn, &map, &current, edge),
            None => {
                edges.insert(txn, edge.id.as_str(), new_edge(edge));
            }
        }
    }
    for id in written.keys() {
        edges.remove(txn, id);
    }
}

fn written(txn: &impl ReadTxn, root: &str) -> BTreeMap<String, MapRef> {
    entries(txn, root).into_iter().filter_map(|(id, out)| Some((id, as_map(out)?))).collect()
}

fn write_node(txn: &mut TransactionMut<'_>, map: &MapRef, current: &Node, target: &Node) {
    if current.kind != target.kind {
        write_text(txn, map, "type", Some(&target.kind));
    }
    if current.position != target.position {
        map.insert(txn, "position", position(&target.position));
    }
    if current.parent_id != target.parent_id {
        write_text(txn, map, "parentId", target.parent_id.as_deref());
    }
    for (key, current, target) in [("width", current.width, target.width), ("height", current.height, target.height)] {
        if current != target {
            write_plain(txn, map, key, target.map(number));
        }
    }
    if current.data != target.data {
        match map.get(txn, "data").and_then(as_map) {
            Some(data) => write_data(txn, &data, &current.data, &target.data),
            None => {
                map.insert(txn, "data", new_data(&target.data));
            }
        }
    }
}

fn write_data(txn: &mut TransactionMut<'_>, map: &MapRef, current: &NodeData, target: &NodeData) {
    if current.label != target.label {
        write_text(txn, map, "label", Some(&target.label));
    }
    if current.node_type != target.node_type {
        write_text(txn, map, "nodeType", Some(&target.node_type));
    }
    if current.connector_type != target.connector_type {
        write_text(txn, map, "connectorType", target.connector_type.as_deref());
    }
    if current.notes != target.notes {
        write_text(txn, map, "notes", target.notes.as_deref());
    }
    if current.disabled != target.disabled {
        write_plain(txn, map, "disabled", target.disabled.then_some(Any::Bool(true)));
    }
    if current.config != target.config {
        match map.get(txn, "config").and_then(as_map) {
            Some(config) => merge(txn, &config, &current.config, &target.config),
            None => {
                map.insert(txn, "config", content::to_map(&target.config));
            }
        }
    }
}

fn write_edge(txn: &mut TransactionMut<'_>, map: &MapRef, current: &Edge, target: &Edge) {
    let fields = [
        ("type", Some(&current.kind), Some(&target.kind)),
        ("source", Some(&current.source), Some(&target.source)),
        ("target", Some(&current.target), Some(&target.target)),
        ("sourceHandle", current.source_handle.as_ref(), target.source_handle.as_ref()),
        ("targetHandle", current.target_handle.as_ref(), target.target_handle.as_ref()),
    ];
    for (key, current, target) in fields {
        if current != target {
            write_text(txn, map, key, target.map(String::as_str));
        }
    }
}

/// Makes a shared map say `target`, entry by entry; `current` is what it says now.
fn merge(txn: &mut TransactionMut<'_>, map: &MapRef, current: &Object<String, Value>, target: &Object<String, Value>) {
    for key in current.keys().filter(|key| !target.contains_key(*key)) {
        map.remove(txn, key);
    }
    for (key, value) in target.iter().filter(|(key, value)| current.get(*key) != Some(value)) {
        match (map.get(txn, key), value) {
            (Some(Out::YText(shared)), Value::String(text)) if text::rewrite(txn, &shared, text) => {}
            (Some(Out::YMap(inner)), Value::Object(target)) => {
                let current = content::object(txn, &inner);
                merge(txn, &inner, &current, target);
            }
            _ => {
                map.insert(txn, key.as_str(), content::to_entry(value));
            }
        }
    }
}

fn write_text(txn: &mut TransactionMut<'_>, map: &MapRef, key: &str, target: Option<&str>) {
    match (map.get(txn, key), target) {
        (Some(Out::YText(shared)), Some(target)) if text::rewrite(txn, &shared, target) => {}
        (_, target) => write_plain(txn, map, key, target.map(Any::from)),
    }
}

fn write_plain(txn: &mut TransactionMut<'_>, map: &MapRef, key: &str, target: Option<Any>) {
    match target {
        Some(value) => {
            map.insert(txn, key, value);
        }
        None => {
            map.remove(txn, key);
        }
    }
}

pub(super) fn new_node(node: &Node) -> MapPrelim {
    let mut entries = vec![
        ("type", plain(node.kind.as_str())),
        ("position", In::Any(position(&node.position))),
        ("data", In::from(new_data(&node.data))),
    ];
    entries.extend(node.parent_id.as_deref().map(|parent| ("parentId", plain(parent))));
    entries.extend(node.width.map(|width| ("width", In::Any(number(width)))));
    entries.extend(node.height.map(|height| ("height", In::Any(number(height)))));
    entries.into_iter().collect()
}

fn new_data(data: &NodeData) -> MapPrelim {
    let mut entries = vec![
        ("label", plain(data.label.as_str())),
        ("nodeType", plain(data.node_type.as_str())),
        ("config", In::from(content::to_map(&data.config))),
    ];
    entries.extend(data.connector_type.as_deref().map(|connector| ("connectorType", plain(connector))));
    entries.extend(data.notes.as_deref().map(|notes| ("notes", plain(notes))));
    entries.extend(data.disabled.then(|| ("disabled", In::Any(Any::Bool(true)))));
    entries.into_iter().collect()
}

pub(super) fn new_edge(edge: &Edge) -> MapPrelim {
    let mut entries = vec![
        ("type", plain(edge.kind.as_str())),
        ("source", plain(edge.source.as_str())),
        ("target", plain(edge.target.as_str())),
    ];
    entries.extend(edge.source_handle.as_deref().map(|handle| ("sourceHandle", plain(handle))));
    entries.extend(edge.target_handle.as_deref().map(|handle| ("targetHandle", plain(handle))));
    entries.into_iter().collect()
}

fn plain(text: &str) -> In {
    In::Any(Any::from(text))
}

fn number(number: f64) -> Any {
    content::to_any(&content::float(number))
}

/// ONE value: two keys would double the tombstones of every drag.
fn position(position: &Position) -> Any {
    numbers([("x", position.x), ("y", position.y)])
}

fn viewport(viewport: &Viewport) -> Any {
    numbers([("x", viewport.x), ("y", viewport.y), ("zoom", viewport.zoom)])
}

fn numbers<const N: usize>(entries: [(&str, f64); N]) -> Any {
    Any::Map(Arc::new(entries.into_iter().map(|(key, value)| (key.to_owned(), number(value))).collect()))
}
