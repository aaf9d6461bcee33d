//! Ids that a canvas holds and no file may: its clients write what they like.

use std::collections::{HashMap, HashSet};

use troupe_model::{Diagram, diagram::ID_CHARS_MAX};

/// Gives another id to what has none that a file may have: so whoever exports a workflow can import it.
pub fn make_portable(diagram: &mut Diagram) {
    let mut taken: HashSet<String> = diagram.nodes.iter().map(|node| node.id.clone()).collect();
    let mut renamed = HashMap::new();
    for node in &mut diagram.nodes {
        if let Some(id) = other_id(&node.id, "node", &mut taken) {
            renamed.insert(std::mem::replace(&mut node.id, id.clone()), id);
        }
    }
    let follow = |id: &mut String| {
        if let Some(other) = renamed.get(id) {
            id.clone_from(other);
        }
    };
    diagram.nodes.iter_mut().filter_map(|node| node.parent_id.as_mut()).for_each(follow);
    diagram.edges.iter_mut().flat_map(|edge| [&mut edge.source, &mut edge.target]).for_each(follow);
    let mut taken: HashSet<String> = diagram.edges.iter().map(|edge| edge.id.clone()).collect();
    for edge in &mut diagram.edges {
        if let Some(id) = other_id(&edge.id, "edge", &mut taken) {
            edge.id = id;
        }
    }
}

fn other_id(id: &str, kind: &str, taken: &mut HashSet<String>) -> Option<String> {
    if (1..=ID_CHARS_MAX).contains(&id.chars().count()) {
        return None;
    }
    let other = (1..).map(|number| format!("{kind}-{number}")).find(|other| !taken.contains(other))?;
    taken.insert(other.clone());
    Some(other)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn made_portable(diagram: &Value) -> Value {
        let mut diagram = serde_json::from_value(diagram.clone()).unwrap();
        make_portable(&mut diagram);
        let ids = |items: Vec<Value>, keys: &[&str]| -> Vec<Vec<Value>> {
            items.iter().map(|item| keys.iter().map(|key| item[key].clone()).collect()).collect()
        };
        let list = |items: Value| items.as_array().unwrap().clone();
        json!({
            "nodes": ids(list(json!(diagram.nodes)), &["id", "parentId"]),
            "edges": ids(list(json!(diagram.edges)), &["id", "source", "target"]),
        })
    }

    /// [CANVAS-8] Ids that a file may not have are replaced wherever they are named; the others stay.
    #[test]
    fn odd_ids_are_replaced() {
        let long = "é".repeat(ID_CHARS_MAX + 1);
        let node = |id: &str| json!({ "id": id, "parentId": "", "data": { "nodeType": "limit" } });
        let edge = |id: &str, source: &str, target: &str| json!({ "id": id, "source": source, "target": target });
        let diagram = json!({
            "nodes": [node(""), node("node-1"), node(&long), node(&"é".repeat(ID_CHARS_MAX))],
            "edges": [edge("", "", &long), edge("f", "node-1", "")],
        });
        let expected = json!({
            "nodes": [["node-2", "node-2"], ["node-1", "node-2"], ["node-3", "node-2"],
                ["é".repeat(ID_CHARS_MAX), "node-2"]],
            "edges": [["edge-1", "node-2", "node-3"], ["f", "node-1", "node-2"]],
        });
        assert_eq!(made_portable(&diagram), expected);
    }
}
