//! Canvas → diagram [CANVAS-2]. Total: whatever a client wrote, junk is dropped or takes its default.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map as Object, Value};
use troupe_model::{
    Diagram, Edge, Node, NodeData, Position, Viewport,
    diagram::{EDGE_TYPE, NODE_TYPE},
};
use yrs::{Any, Map, MapRef, Out, ReadTxn, Transact};

use super::{Canvas, EDGES, META, NODES, NOTES, content};

impl Canvas {
    /// The diagram, sorted by id. An edge whose node is gone is not in it [CANVAS-9].
    pub fn project(&self) -> Diagram {
        diagram(&self.doc.transact())
    }

    /// The name that the clients show, if one was written.
    pub fn name(&self) -> Option<String> {
        let txn = self.doc.transact();
        let name = string(&txn, &txn.get_map(META)?, "name")?;
        (!name.is_empty()).then_some(name)
    }
}

pub(super) fn diagram(txn: &impl ReadTxn) -> Diagram {
    let mut nodes: Vec<Node> =
        entries(txn, NODES).into_iter().filter_map(|(id, out)| Some(node(txn, id, &as_map(out)?))).collect();
    nodes.sort_by(|a, b| a.id.cmp(&b.id));
    let mut edges: Vec<Edge> =
        entries(txn, EDGES).into_iter().filter_map(|(id, out)| edge(txn, id, &as_map(out)?)).collect();
    edges.sort_by(|a, b| a.id.cmp(&b.id));
    drop_dangling(&mut nodes, &mut edges);
    let notes: BTreeMap<String, Value> =
        entries(txn, NOTES).into_iter().map(|(id, out)| (id, content::to_json(txn, &out))).collect();
    let viewport = txn.get_map(META).and_then(|meta| viewport(meta.get(txn, "viewport")?)).unwrap_or_default();
    Diagram { nodes, edges, viewport, notes }
}

/// Edges need both their nodes, and a child its parent.
pub(super) fn drop_dangling(nodes: &mut [Node], edges: &mut Vec<Edge>) {
    let ids: BTreeSet<String> = nodes.iter().map(|node| node.id.clone()).collect();
    edges.retain(|edge| ids.contains(&edge.source) && ids.contains(&edge.target));
    for node in nodes {
        node.parent_id = node.parent_id.take().filter(|parent| ids.contains(parent));
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

pub(super) fn node(txn: &impl ReadTxn, id: String, map: &MapRef) -> Node {
    Node {
        id,
        kind: string(txn, map, "type").unwrap_or_else(|| NODE_TYPE.to_owned()),
        position: map.get(txn, "position").map(position).unwrap_or_default(),
        data: map.get(txn, "data").and_then(as_map).map(|data| node_data(txn, &data)).unwrap_or_default(),
        parent_id: string(txn, map, "parentId"),
        width: number(map.get(txn, "width")),
        height: number(map.get(txn, "height")),
    }
}

fn node_data(txn: &impl ReadTxn, map: &MapRef) -> NodeData {
    NodeData {
        label: string(txn, map, "label").unwrap_or_default(),
        node_type: string(txn, map, "nodeType").unwrap_or_default(),
        connector_type: string(txn, map, "connectorType"),
        config: map.get(txn, "config").map(|out| config(txn, &out)).unwrap_or_default(),
        disabled: matches!(map.get(txn, "disabled"), Some(Out::Any(Any::Bool(true)))),
        notes: string(txn, map, "notes"),
    }
}

/// A map, shared or plain.
fn config(txn: &impl ReadTxn, out: &Out) -> Object<String, Value> {
    match out {
        Out::YMap(map) => content::object(txn, map),
        Out::Any(any @ Any::Map(_)) => match content::any_to_json(any) {
            Value::Object(object) => object,
            _ => Object::new(),
        },
        _ => Object::new(),
    }
}

pub(super) fn edge(txn: &impl ReadTxn, id: String, map: &MapRef) -> Option<Edge> {
    Some(Edge {
        id,
        kind: string(txn, map, "type").unwrap_or_else(|| EDGE_TYPE.to_owned()),
        source: string(txn, map, "source")?,
        target: string(txn, map, "target")?,
        source_handle: string(txn, map, "sourceHandle"),
        target_handle: string(txn, map, "targetHandle"),
    })
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
fn string(txn: &impl ReadTxn, map: &MapRef, key: &str) -> Option<String> {
    match map.get(txn, key)? {
        out @ (Out::Any(Any::String(_)) | Out::YText(_)) => match content::to_json(txn, &out) {
            Value::String(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn number(out: Option<Out>) -> Option<f64> {
    match out? {
        Out::Any(any) => finite(&any),
        _ => None,
    }
}

fn finite(any: &Any) -> Option<f64> {
    content::any_to_json(any).as_f64()
}
