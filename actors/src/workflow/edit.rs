//! Edits that come as diagrams: REST, import, restore. Each becomes one minimal edit of the live document, seen at
//! once by all editors [SYNC-14, CANVAS-2], and is answered when it is durable.

use std::collections::HashSet;

use ractor::{ActorProcessingErr, RpcReplyPort};
use serde_json::{Map, Value};
use thiserror::Error;
use troupe_model::{Diagram, UserId};

use super::{WorkflowState, answer};

/// What an edit asks for.
#[derive(Clone, Debug)]
pub enum DiagramEdit {
    /// The diagram shall be this one.
    Replace(Diagram),
    /// A JSON merge patch (RFC 7396) over `{"nodes": {id: node}, "edges": {id: edge}}`; `null` removes.
    Merge(Value),
}

/// The diagram after an edit, and its revision.
#[derive(Clone, Debug)]
pub struct Edited {
    pub diagram: Diagram,
    pub revision: i64,
}

#[derive(Clone, Debug, Error)]
pub enum EditError {
    #[error("the diagram has changed: its revision is {current}")]
    Stale { current: i64 },
    #[error("{message}")]
    Invalid { pointer: String, message: String },
    #[error("the canvas would take more than the {max} bytes allowed")]
    TooLarge { max: usize },
}

#[derive(Debug)]
pub(super) struct AwaitingCommit {
    seq: i64,
    edited: Edited,
    reply: RpcReplyPort<Result<Edited, EditError>>,
}

impl WorkflowState {
    pub(super) fn edit(
        &mut self,
        edit: &DiagramEdit,
        if_match: Option<i64>,
        by: UserId,
        reply: RpcReplyPort<Result<Edited, EditError>>,
    ) -> Result<(), ActorProcessingErr> {
        if if_match.is_some_and(|revision| revision != self.seq) {
            answer(reply, Err(EditError::Stale { current: self.seq }));
            return Ok(());
        }
        let current = self.canvas.project();
        let target = match edit {
            DiagramEdit::Replace(diagram) => Ok(diagram.clone()),
            DiagramEdit::Merge(patch) => merged(&current, patch),
        };
        match target.and_then(|target| self.make_room(&current, target)) {
            Err(error) => {
                answer(reply, Err(error));
                return Ok(());
            }
            Ok(target) => {
                if let Some(update) = self.canvas.edit(&target) {
                    self.integrated(update, None, Some(by))?;
                }
            }
        }
        let edited = Edited { diagram: self.canvas.project(), revision: self.seq };
        self.awaiting_commit.push(AwaitingCommit { seq: self.seq, edited, reply });
        self.answer_committed();
        Ok(())
    }

    /// A canvas that is full can still be emptied.
    fn make_room(&mut self, current: &Diagram, target: Diagram) -> Result<Diagram, EditError> {
        let max = self.context.limits.canvas.document_bytes_max;
        let asked = json_bytes(&target);
        if self.canvas.size_bytes() + asked > max {
            let grown = asked.saturating_sub(json_bytes(current));
            if grown > 0 && self.canvas.measure() + grown > max {
                return Err(EditError::TooLarge { max });
            }
        }
        Ok(target)
    }

    pub(super) fn answer_committed(&mut self) {
        let durable = self.durable_seq;
        for done in self.awaiting_commit.extract_if(.., |waiting| waiting.seq <= durable) {
            answer(done.reply, Ok(done.edited));
        }
    }
}

fn json_bytes(diagram: &Diagram) -> usize {
    serde_json::to_vec(diagram).map_or(usize::MAX, |json| json.len())
}

/// The diagram with a merge patch applied to its nodes and edges by id.
fn merged(diagram: &Diagram, patch: &Value) -> Result<Diagram, EditError> {
    let Value::Object(patch) = patch else {
        return Err(invalid("", "a patch is an object with `nodes`, `edges` or both"));
    };
    if let Some(unknown) = patch.keys().find(|key| !matches!(key.as_str(), "nodes" | "edges")) {
        return Err(invalid(&format!("/{unknown}"), "only `nodes` and `edges` can be patched"));
    }
    let mut result = diagram.clone();
    if let Some(patch) = patch.get("nodes") {
        result.nodes = merged_list("nodes", &diagram.nodes, |node| &node.id, patch)?;
    }
    if let Some(patch) = patch.get("edges") {
        result.edges = merged_list("edges", &diagram.edges, |edge| &edge.id, patch)?;
        let nodes: HashSet<&str> = result.nodes.iter().map(|node| node.id.as_str()).collect();
        for edge in result.edges.iter().filter(|edge| patch.get(&edge.id).is_some()) {
            for (end, node) in [("source", &edge.source), ("target", &edge.target)] {
                if !nodes.contains(node.as_str()) {
                    return Err(invalid(&format!("/edges/{}/{end}", edge.id), &format!("there is no node `{node}`")));
                }
            }
        }
    }
    Ok(result)
}

fn merged_list<T: Clone + serde::Serialize + serde::de::DeserializeOwned>(
    name: &str,
    items: &[T],
    id_of: impl Fn(&T) -> &String,
    patch: &Value,
) -> Result<Vec<T>, EditError> {
    let Value::Object(patch) = patch else {
        return Err(invalid(&format!("/{name}"), "expected an object keyed by id"));
    };
    let mut result: Vec<T> = items.iter().filter(|item| !patch.contains_key(id_of(item))).cloned().collect();
    for (id, change) in patch.iter().filter(|(_, change)| !change.is_null()) {
        let pointer = format!("/{name}/{id}");
        let old = items.iter().find(|item| id_of(item) == id);
        let mut value = match old {
            Some(item) => serde_json::to_value(item).map_err(|error| invalid(&pointer, &error.to_string()))?,
            None => Value::Object(Map::new()),
        };
        merge(&mut value, change);
        value["id"] = id.clone().into();
        result.push(serde_json::from_value(value).map_err(|error| invalid(&pointer, &error.to_string()))?);
    }
    Ok(result)
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (key, change) in patch {
            if change.is_null() {
                target.remove(key);
            } else {
                merge(target.entry(key.clone()).or_insert(Value::Null), change);
            }
        }
    }
}

fn invalid(pointer: &str, message: &str) -> EditError {
    EditError::Invalid { pointer: pointer.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn diagram() -> Diagram {
        serde_json::from_value(json!({
            "nodes": [
                { "id": "a", "data": { "nodeType": "read_file", "config": { "path": "x.csv", "format": "csv" } } },
                { "id": "b", "data": { "nodeType": "limit" } },
            ],
            "edges": [{ "id": "e", "source": "a", "target": "b" }],
        }))
        .unwrap()
    }

    /// [SYNC-14] A patch changes what it names and nothing else; `null` removes.
    #[test]
    fn a_patch_changes_what_it_names() {
        let patch = json!({
            "nodes": { "a": { "data": { "config": { "path": "y.csv", "format": null } } } },
            "edges": { "e": null, "f": { "source": "b", "target": "a" } },
        });
        let result = merged(&diagram(), &patch).unwrap();
        let node = result.node("a").unwrap();
        assert_eq!(Value::Object(node.data.config.clone()), json!({ "path": "y.csv" }));
        assert_eq!(node.data.node_type, "read_file");
        assert_eq!(result.edges.iter().map(|edge| edge.id.as_str()).collect::<Vec<_>>(), ["f"]);
        assert!(result.node("b").is_some());
    }

    /// [SYNC-14] A patch that makes no diagram says where it fails.
    #[test]
    fn a_bad_patch_names_the_place() {
        for (patch, place) in [
            (json!([]), ""),
            (json!({ "viewport": {} }), "/viewport"),
            (json!({ "nodes": [] }), "/nodes"),
            (json!({ "nodes": { "n": { "data": 7 } } }), "/nodes/n"),
            (json!({ "edges": { "f": { "source": "nobody", "target": "a" } } }), "/edges/f/source"),
            (json!({ "nodes": { "b": null }, "edges": { "e": { "label": "x" } } }), "/edges/e/target"),
        ] {
            match merged(&diagram(), &patch) {
                Err(EditError::Invalid { pointer, .. }) => assert_eq!(pointer, place),
                other => panic!("{other:?}"),
            }
        }
    }
}
