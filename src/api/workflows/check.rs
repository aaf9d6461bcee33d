//! Whether a diagram from outside is one at all. Everything that is wrong is told at once [CANVAS-8].
//!
//! What is merely not ready to run (a missing config, a cycle) is no reason to refuse: diagnostics tell it.

use std::collections::HashSet;

use troupe_model::{Diagram, FieldError};

use crate::problem::Problem;

const NODES_MAX: usize = 10_000;
const EDGES_MAX: usize = 50_000;
const ID_CHARS_MAX: usize = 200;
const ERRORS_MAX: usize = 100;

/// `pointer` is where the diagram is in the request's body.
pub fn check(diagram: &Diagram, pointer: &str) -> Result<(), Problem> {
    let errors = errors(diagram, pointer);
    if errors.is_empty() { Ok(()) } else { Err(refusal(errors)) }
}

pub fn refusal(errors: Vec<FieldError>) -> Problem {
    let detail = match &errors[..] {
        [one] => one.detail.clone(),
        all => format!("the workflow has {} problems", all.len()),
    };
    let shown = errors.into_iter().take(ERRORS_MAX);
    shown.fold(Problem::invalid("invalid_diagram", detail), |problem, error| problem.field(error.pointer, error.detail))
}

pub fn errors(diagram: &Diagram, pointer: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wrong = |place: String, detail: String| {
        errors.push(FieldError { pointer: format!("{pointer}{place}"), detail });
    };
    for (what, count, max) in [("nodes", diagram.nodes.len(), NODES_MAX), ("edges", diagram.edges.len(), EDGES_MAX)] {
        if count > max {
            wrong(format!("/{what}"), format!("a diagram has up to {max} {what}, here are {count}"));
        }
    }
    let mut nodes = HashSet::new();
    for (at, node) in diagram.nodes.iter().enumerate() {
        if let Some(detail) = bad_id(&node.id, "node", !nodes.insert(node.id.as_str())) {
            wrong(format!("/nodes/{at}/id"), detail);
        }
        if !(node.position.x.is_finite() && node.position.y.is_finite()) {
            wrong(format!("/nodes/{at}/position"), "a position is two finite numbers".to_owned());
        }
    }
    let mut edges = HashSet::new();
    for (at, edge) in diagram.edges.iter().enumerate() {
        if let Some(detail) = bad_id(&edge.id, "edge", !edges.insert(edge.id.as_str())) {
            wrong(format!("/edges/{at}/id"), detail);
        }
        for (end, node) in [("source", &edge.source), ("target", &edge.target)] {
            if !nodes.contains(node.as_str()) {
                wrong(format!("/edges/{at}/{end}"), format!("there is no node `{node}`"));
            }
        }
    }
    errors
}

fn bad_id(id: &str, what: &str, taken: bool) -> Option<String> {
    let chars = id.chars().count();
    if chars == 0 || chars > ID_CHARS_MAX {
        return Some(format!("an id has 1 to {ID_CHARS_MAX} characters, this one has {chars}"));
    }
    taken.then(|| format!("there are two {what}s `{id}`"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// [CANVAS-8] Every problem at once, each with its place.
    #[test]
    fn tells_every_problem_at_once() {
        let node = |id: &str| json!({ "id": id, "data": { "nodeType": "limit" } });
        let diagram: Diagram = serde_json::from_value(json!({
            "nodes": [node("a"), node("a"), node("")],
            "edges": [{ "id": "e", "source": "a", "target": "z" }],
        }))
        .unwrap();
        let errors = errors(&diagram, "/file/diagram");
        let places: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(places, ["/file/diagram/nodes/1/id", "/file/diagram/nodes/2/id", "/file/diagram/edges/0/target"]);
    }
}
