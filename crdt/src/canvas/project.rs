//! Canvas → diagram [CANVAS-2]. Total: whatever a client wrote, junk is dropped or takes its default.

use std::collections::BTreeMap;

use serde_json::{Map as Object, Value};
use troupe_model::{
    Diagram, Edge, Node, NodeData, Position, Viewport,
    diagram::{EDGE_TYPE, NODE_TYPE},
};
use yrs::{Any, GetString, Map, MapRef, Out, ReadTxn, Transact};

use super::{Canvas, EDGES, META, NODES, NOTES, content};

impl Canvas {
    /// The diagram, sorted by id. An edge whose node is gone is not in it [CANVAS-9].
    pub fn project(&self) -> Diagram {
        diagram(&self.doc.transact())
    }

    /// The same without what people write beside the nodes, which can be much.
    pub fn project_graph(&self) -> Diagram {
        graph(&self.doc.transact())
    }
}

pub(super) fn diagram(txn: &impl ReadTxn) -> Diagram {
    let notes: BTreeMap<String, Value> =
        entries(txn, NOTES).into_iter().map(|(id, out)| (id, content::to_json(txn, out))).collect();
    let viewport = txn.get_map(META).and_then(|meta| viewport(meta.get(txn, "viewport")?)).unwrap_or_default();
    Diagram { viewport, notes, ..graph(txn) }
}

fn graph(txn: &impl ReadTxn) -> Diagram {
    let mut nodes: Vec<Node> =
        entries(txn, NODES).into_iter().filter_map(|(id, out)| Some(node(txn, id, &as_map(out)?))).collect();
    nodes.sort_by(|a, b| a.id.cmp(&b.id));
    let mut edges: Vec<Edge> =
        entries(txn, EDGES).into_iter().filter_map(|(id, out)| edge(txn, id, &as_map(out)?)).collect();
    edges.sort_by(|a, b| a.id.cmp(&b.id));
    drop_dangling(&mut nodes, &mut edges);
    Diagram { nodes, edges, ..Diagram::default() }
}

/// Edges need both their nodes, and a child its parent. `nodes` are sorted by id.
pub(super) fn drop_dangling(nodes: &mut [Node], edges: &mut Vec<Edge>) {
    let index_of = |nodes: &[Node], id: &str| nodes.binary_search_by(|node| node.id.as_str().cmp(id)).ok();
    edges.retain(|edge| index_of(nodes, &edge.source).is_some() && index_of(nodes, &edge.target).is_some());
    for child in 0..nodes.len() {
        if let Some(parent) = nodes[child].parent_id.take() {
            nodes[child].parent_id = index_of(nodes, &parent).map(|_| parent);
        }
    }
}

pub(super) fn entries(txn: &impl ReadTxn, root: &str) -> Vec<(String, Out)> {
    let Some(map) = txn.get_map(root) else { return Vec::new() };
    map.iter(txn).map(|(id, out)| (id.to_owned(), out)).collect()
}

pub(super) fn as_map(out: Out) -> Option<MapRef> {
    match out {
        Out::YMap(map) => Some(map),
        _ => None,
    }
}

// Maps are walked and not asked key by key: a canvas of thousands of nodes is projected after every edit.

pub(super) fn node(txn: &impl ReadTxn, id: String, map: &MapRef) -> Node {
    let mut node = Node {
        id,
        kind: NODE_TYPE.to_owned(),
        position: Position::default(),
        data: NodeData::default(),
        parent_id: None,
        width: None,
        height: None,
    };
    for (key, out) in map.iter(txn) {
        match key {
            "type" => node.kind = string(txn, out).unwrap_or(node.kind),
            "position" => node.position = position(out),
            "data" => node.data = as_map(out).map(|data| node_data(txn, &data)).unwrap_or_default(),
            "parentId" => node.parent_id = string(txn, out),
            "width" => node.width = number(out),
            "height" => node.height = number(out),
            _ => {}
        }
    }
    node
}

fn node_data(txn: &impl ReadTxn, map: &MapRef) -> NodeData {
    let mut data = NodeData::default();
    for (key, out) in map.iter(txn) {
        match key {
            "label" => data.label = string(txn, out).unwrap_or_default(),
            "nodeType" => data.node_type = string(txn, out).unwrap_or_default(),
            "connectorType" => data.connector_type = string(txn, out),
            "config" => data.config = config(txn, out),
            "disabled" => data.disabled = matches!(out, Out::Any(Any::Bool(true))),
            "notes" => data.notes = string(txn, out),
            _ => {}
        }
    }
    data
}

/// A map, shared or plain.
fn config(txn: &impl ReadTxn, out: Out) -> Object<String, Value> {
    match content::to_json(txn, out) {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

/// Nothing without both ends.
pub(super) fn edge(txn: &impl ReadTxn, id: String, map: &MapRef) -> Option<Edge> {
    let (mut kind, mut source, mut target, mut source_handle, mut target_handle) = (None, None, None, None, None);
    for (key, out) in map.iter(txn) {
        match key {
            "type" => kind = string(txn, out),
            "source" => source = string(txn, out),
            "target" => target = string(txn, out),
            "sourceHandle" => source_handle = string(txn, out),
            "targetHandle" => target_handle = string(txn, out),
            _ => {}
        }
    }
    let kind = kind.unwrap_or_else(|| EDGE_TYPE.to_owned());
    Some(Edge { id, kind, source: source?, target: target?, source_handle, target_handle })
}

fn position(out: Out) -> Position {
    let Out::Any(Any::Map(map)) = out else { return Position::default() };
    let axis = |name: &str| map.get(name).and_then(finite).unwrap_or_default();
    Position { x: axis("x"), y: axis("y") }
}

fn viewport(out: Out) -> Option<Viewport> {
    let Out::Any(Any::Map(map)) = out else { return None };
    let axis = |name: &str| map.get(name).and_then(finite);
    Some(Viewport { x: axis("x")?, y: axis("y")?, zoom: axis("zoom").filter(|zoom| *zoom > 0.0)? })
}

/// A text, shared or plain.
fn string(txn: &impl ReadTxn, out: Out) -> Option<String> {
    match out {
        Out::Any(Any::String(text)) => Some(text.to_string()),
        Out::YText(text) => Some(text.get_string(txn)),
        _ => None,
    }
}

fn number(out: Out) -> Option<f64> {
    match out {
        Out::Any(any) => finite(&any),
        _ => None,
    }
}

fn finite(any: &Any) -> Option<f64> {
    content::any_to_json(any).as_f64()
}
