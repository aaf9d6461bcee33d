//! Edits that come as diagrams: REST, import, restore. Each becomes one minimal edit of the live document, seen at
//! once by all editors [SYNC-14, CANVAS-2], and is answered when it is durable.

use std::collections::HashSet;

use ractor::ActorProcessingErr;
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;
use troupe_engine::workflow_file;
use troupe_model::{
    Diagram, Edge, FieldError, Node, UserId,
    diagram::{EDGES_MAX, ID_CHARS_MAX, NODES_MAX},
    problem::escaped,
};

use super::{ChangeReply, WorkflowState};

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
    #[error("{}", .0.detail)]
    Invalid(FieldError),
    #[error("the canvas would take more than the {max} bytes allowed")]
    TooLarge { max: usize },
    #[error("open canvases take as much memory as they may: this one can grow when others are closed")]
    NoRoom,
    #[error("the canvas would hold more than the {max} items allowed")]
    TooMany { max: usize },
}

#[derive(Debug)]
pub(super) struct AwaitingCommit {
    seq: i64,
    edited: Edited,
    reply: ChangeReply<Result<Edited, EditError>>,
}

impl WorkflowState {
    pub(super) fn edit(
        &mut self,
        edit: &DiagramEdit,
        if_match: Option<i64>,
        by: Option<UserId>,
        reply: ChangeReply<Result<Edited, EditError>>,
    ) -> Result<(), ActorProcessingErr> {
        if if_match.is_some_and(|revision| revision != self.seq) {
            reply.answer(Err(EditError::Stale { current: self.seq }));
            return Ok(());
        }
        let current = self.canvas.project();
        let target = match edit {
            DiagramEdit::Replace(diagram) => Ok(diagram.clone()),
            DiagramEdit::Merge(patch) => merged(&current, patch),
        };
        match target.and_then(|target| self.make_room(&current, target)) {
            Err(error) => {
                reply.answer(Err(error));
                return Ok(());
            }
            Ok(target) => {
                if let Some(update) = self.canvas.edit(&target) {
                    reply.begin();
                    self.integrated(update, None, by)?;
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
        if target == *current {
            return Ok(target);
        }
        self.room_for(current, &target)
            .or_else(|_| {
                self.canvas.measure();
                self.room_for(current, &target)
            })
            .inspect_err(|_| self.found_full())?;
        Ok(target)
    }

    /// As far as the canvas is measured. What is written anew takes room, and what it replaces leaves something behind.
    fn room_for(&self, current: &Diagram, target: &Diagram) -> Result<(), EditError> {
        if !self.footprint.may_change(json_bytes(target).saturating_sub(json_bytes(current))) {
            return Err(EditError::NoRoom);
        }
        let troupe_crdt::Limits { document_bytes_max, document_items_max, document_values_max, .. } =
            self.context.limits.canvas;
        let canvas = &self.canvas;
        let (asked, held) = (troupe_crdt::weight(target), troupe_crdt::weight(current));
        let grows_by = asked.saturating_sub(held);
        for (is, max) in [(canvas.items(), document_items_max), (canvas.values(), document_values_max)] {
            if (grows_by > 0 && is + grows_by > max) || is + asked > 2 * max {
                return Err(EditError::TooMany { max });
            }
        }
        if canvas.size_bytes() + json_bytes(target) > document_bytes_max {
            let (asked, held) = (json_bytes(target), json_bytes(current));
            if asked >= held && canvas.size_bytes() + (asked - held) > document_bytes_max {
                return Err(EditError::TooLarge { max: document_bytes_max });
            }
        }
        Ok(())
    }

    pub(super) fn answer_committed(&mut self) {
        let durable = self.durable_seq;
        for done in self.awaiting_commit.extract_if(.., |waiting| waiting.seq <= durable) {
            done.reply.answer(Ok(done.edited));
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
        return Err(invalid(format!("/{unknown}"), "only `nodes` and `edges` can be patched"));
    }
    let mut result = diagram.clone();
    if let Some(patch) = patch.get("nodes") {
        let nodes =
            List { name: "nodes", max: NODES_MAX, id_of: |node: &Node| &node.id, read: workflow_file::read_node };
        result.nodes = nodes.merged(&diagram.nodes, patch)?;
    }
    if let Some(patch) = patch.get("edges") {
        let edges =
            List { name: "edges", max: EDGES_MAX, id_of: |edge: &Edge| &edge.id, read: workflow_file::read_edge };
        result.edges = edges.merged(&diagram.edges, patch)?;
        let nodes: HashSet<&str> = result.nodes.iter().map(|node| node.id.as_str()).collect();
        for edge in result.edges.iter().filter(|edge| patch.get(&edge.id).is_some()) {
            for (end, node) in [("source", &edge.source), ("target", &edge.target)] {
                if !nodes.contains(node.as_str()) {
                    let place = format!("/edges/{}/{end}", escaped(&edge.id));
                    return Err(invalid(place, format!("there is no node `{node}`")));
                }
            }
        }
    }
    Ok(result)
}

/// How the nodes, or the edges, of a diagram are patched.
struct List<T> {
    name: &'static str,
    max: usize,
    id_of: fn(&T) -> &String,
    read: fn(&Value) -> Result<T, Vec<FieldError>>,
}

impl<T: Clone + Serialize> List<T> {
    fn merged(&self, items: &[T], patch: &Value) -> Result<Vec<T>, EditError> {
        let Self { name, max, id_of, .. } = self;
        let Value::Object(patch) = patch else {
            return Err(invalid(format!("/{name}"), "expected an object keyed by id"));
        };
        let mut result: Vec<T> = items.iter().filter(|item| !patch.contains_key(id_of(item))).cloned().collect();
        for (id, change) in patch.iter().filter(|(_, change)| !change.is_null()) {
            let old = items.iter().find(|item| id_of(item) == id);
            result.push(self.merged_item(id, old, change)?);
        }
        if result.len() > (*max).max(items.len()) {
            let detail = format!("a diagram has up to {max} {name}, these would be {}", result.len());
            return Err(invalid(format!("/{name}"), detail));
        }
        Ok(result)
    }

    fn merged_item(&self, id: &str, old: Option<&T>, change: &Value) -> Result<T, EditError> {
        let pointer = format!("/{}/{}", self.name, escaped(id));
        if !change.is_object() {
            return Err(invalid(pointer, "expected an object, or null to remove it"));
        }
        let chars = id.chars().count();
        if old.is_none() && !(1..=ID_CHARS_MAX).contains(&chars) {
            let detail = format!("an id has 1 to {ID_CHARS_MAX} characters, this one has {chars}");
            return Err(invalid(pointer, detail));
        }
        let old = old.map(serde_json::to_value).transpose();
        let mut value = old.map_err(|error| invalid(&pointer, error.to_string()))?.unwrap_or_else(|| json!({}));
        merge(&mut value, change);
        value["id"] = id.into();
        (self.read)(&value).map_err(|errors| match errors.into_iter().next() {
            Some(first) => EditError::Invalid(FieldError { pointer: format!("{pointer}{}", first.pointer), ..first }),
            None => invalid(pointer, "it has not the shape of what it shall be"),
        })
    }
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
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

fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> EditError {
    EditError::Invalid(FieldError::new(pointer, detail))
}

#[cfg(test)]
mod tests {
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
        let too_long = format!("/nodes/{}", "x".repeat(201));
        for (patch, place) in [
            (json!([]), ""),
            (json!({ "viewport": {} }), "/viewport"),
            (json!({ "nodes": [] }), "/nodes"),
            (json!({ "nodes": { "n": { "data": 7 } } }), "/nodes/n/data"),
            (json!({ "nodes": { "n": { "data": ["label", "sql"] } } }), "/nodes/n/data"),
            (json!({ "nodes": { "a": { "data": { "nodeType": null } } } }), "/nodes/a/data/nodeType"),
            (json!({ "nodes": { "a/b": 7 } }), "/nodes/a~1b"),
            (json!({ "nodes": { "a": ["a"] } }), "/nodes/a"),
            (json!({ "nodes": { "": { "data": { "nodeType": "limit" } } } }), "/nodes/"),
            (json!({ "nodes": { "x".repeat(201): { "data": { "nodeType": "limit" } } } }), &too_long),
            (json!({ "edges": { "f": { "source": "nobody", "target": "a" } } }), "/edges/f/source"),
            (json!({ "nodes": { "b": null }, "edges": { "e": { "label": "x" } } }), "/edges/e/target"),
        ] {
            match merged(&diagram(), &patch) {
                Err(EditError::Invalid(error)) => assert_eq!(error.pointer, place),
                other => panic!("{other:?}"),
            }
        }
    }
}
