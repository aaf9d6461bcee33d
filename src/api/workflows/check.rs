//! Whether a diagram from outside is one at all. Everything that is wrong is told at once [CANVAS-8].
//!
//! What is merely not ready to run (a missing config, a cycle) is no reason to refuse: diagnostics tell it.

use std::collections::HashSet;

use serde_json::Value;
use troupe_engine::workflow_file;
use troupe_model::{
    Diagram, FieldError,
    diagram::{EDGES_MAX, ID_CHARS_MAX, NODES_MAX},
};

use crate::problem::Problem;

const ERRORS_MAX: usize = workflow_file::ERRORS_MAX;

/// The diagram that a request's body is.
pub fn diagram(body: &Value) -> Result<Diagram, Problem> {
    let mut errors = errors(body, "");
    if body.is_object() && body.get("nodes").is_none() {
        // An empty diagram is a lot to ask for by leaving something out.
        errors.push(FieldError::new("/nodes", "`nodes` is missing").solution("send all nodes: the others are removed"));
    }
    match workflow_file::read_diagram(body) {
        Ok(diagram) if errors.is_empty() => Ok(diagram),
        shaped => Err(refusal(shaped.err().into_iter().flatten().chain(errors).collect())),
    }
}

pub fn refusal(errors: Vec<FieldError>) -> Problem {
    let detail = match &errors[..] {
        [one] => one.detail.clone(),
        all if all.len() > ERRORS_MAX => format!("the workflow has many problems; these are {ERRORS_MAX} of them"),
        all => format!("the workflow has {} problems", all.len()),
    };
    Problem::invalid("invalid_diagram", detail).fields(errors.into_iter().take(ERRORS_MAX))
}

/// What is wrong with ids and references. Parts that have not the shape of theirs are passed over; `pointer` is where
/// the diagram is in the request's body.
pub fn errors(diagram: &Value, pointer: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wrong = |place: String, detail: String, solution: &str| {
        errors.push(FieldError::new(format!("{pointer}{place}"), detail).solution(solution));
    };
    let (all_nodes, all_edges) = (items(diagram, "nodes"), items(diagram, "edges"));
    for (what, count, max) in [("nodes", all_nodes.len(), NODES_MAX), ("edges", all_edges.len(), EDGES_MAX)] {
        if count > max {
            let detail = format!("a diagram has up to {max} {what}, here are {count}");
            wrong(format!("/{what}"), detail, "make several workflows of it");
        }
    }
    let mut nodes = HashSet::new();
    for (at, id) in ids(all_nodes) {
        if let Some((detail, solution)) = bad_id(id, "node", !nodes.insert(id)) {
            wrong(format!("/nodes/{at}/id"), detail, solution);
        }
    }
    let mut edges = HashSet::new();
    for (at, id) in ids(all_edges) {
        if let Some((detail, solution)) = bad_id(id, "edge", !edges.insert(id)) {
            wrong(format!("/edges/{at}/id"), detail, solution);
        }
    }
    for (at, edge) in all_edges.iter().enumerate() {
        for end in ["source", "target"] {
            if let Some(node) = edge[end].as_str().filter(|node| !nodes.contains(node)) {
                let detail = format!("there is no node `{node}`");
                wrong(format!("/edges/{at}/{end}"), detail, "remove the edge, or name a node of the diagram");
            }
        }
    }
    errors
}

fn items<'a>(diagram: &'a Value, what: &str) -> &'a [Value] {
    diagram[what].as_array().map_or(&[], Vec::as_slice)
}

fn ids(items: &[Value]) -> impl Iterator<Item = (usize, &str)> {
    items.iter().enumerate().filter_map(|(at, item)| Some((at, item["id"].as_str()?)))
}

/// What is wrong with an id, and what to do about it.
fn bad_id(id: &str, what: &str, taken: bool) -> Option<(String, &'static str)> {
    let chars = id.chars().count();
    if chars == 0 || chars > ID_CHARS_MAX {
        let detail = format!("an id has 1 to {ID_CHARS_MAX} characters, this one has {chars}");
        return Some((detail, "give it another id"));
    }
    taken.then(|| (format!("there are two {what}s `{id}`"), "give one of them another id"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// [CANVAS-8] Every problem at once, each with its place.
    #[test]
    fn tells_every_problem_at_once() {
        let node = |id: &str| json!({ "id": id, "data": { "nodeType": "limit" } });
        let body = json!({
            "nodes": [node("a"), node("a"), node(""), { "id": "b" }, { "id": 7 }, 8],
            "edges": [{ "id": "e", "source": "a", "target": "z" }, { "id": "e", "source": "b", "target": "a" }, {}],
        });
        let errors = errors(&body, "/file/diagram");
        let places: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        let expected = ["nodes/1/id", "nodes/2/id", "edges/1/id", "edges/0/target"];
        assert_eq!(places, expected.map(|place| format!("/file/diagram/{place}")));
        assert!(errors.iter().all(|error| error.solution.is_some()));
        let refused = diagram(&body).unwrap_err();
        // Those, and of shape: two nodes without data, one with a number as id, one that is none, an edge without all.
        assert_eq!(refused.detail(), "the workflow has 11 problems");
    }
}
