//! A diagram as it would come back from the canvas.

use std::collections::BTreeMap;

use troupe_model::{Diagram, Node, NodeData, Position, Viewport};

use crate::canvas::{content, project};

/// Sorted, each id once (the last wins), no dangling edges or parents, finite numbers, plain JSON.
pub(super) fn diagram(diagram: &Diagram) -> Diagram {
    let nodes: BTreeMap<&str, Node> = diagram.nodes.iter().map(|node| (node.id.as_str(), self::node(node))).collect();
    let mut nodes: Vec<Node> = nodes.into_values().collect();
    let edges: BTreeMap<&str, _> = diagram.edges.iter().map(|edge| (edge.id.as_str(), edge.clone())).collect();
    let mut edges = edges.into_values().collect();
    project::drop_dangling(&mut nodes, &mut edges);
    let notes = diagram.notes.iter().map(|(id, note)| (id.clone(), content::normal(note))).collect();
    Diagram { nodes, edges, viewport: viewport(diagram.viewport), notes }
}

fn node(node: &Node) -> Node {
    Node {
        id: node.id.clone(),
        kind: node.kind.clone(),
        position: Position { x: finite(node.position.x), y: finite(node.position.y) },
        data: NodeData { config: content::normal_object(&node.data.config, 0), ..node.data.clone() },
        parent_id: node.parent_id.clone(),
        width: node.width.filter(|width| width.is_finite()),
        height: node.height.filter(|height| height.is_finite()),
    }
}

fn viewport(viewport: Viewport) -> Viewport {
    let Viewport { x, y, zoom } = viewport;
    if x.is_finite() && y.is_finite() && zoom.is_finite() && zoom > 0.0 { viewport } else { Viewport::default() }
}

fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}
