//! What somebody sees of a canvas, by the document or by REST: the same values from both.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{book::Thing, canvas::BOARD};

#[derive(Debug, Default, PartialEq)]
pub struct View {
    labels: BTreeMap<String, String>,
    edges: BTreeSet<String>,
    text: String,
}

impl View {
    /// The root maps of a document, as JSON.
    pub fn of_document(roots: &Value) -> Self {
        let entries = |root: &str| roots[root].as_object().into_iter().flatten();
        let text = &roots["nodes"][BOARD]["data"]["config"]["query"];
        Self {
            labels: entries("nodes").map(|(id, node)| (id.clone(), label(node))).collect(),
            edges: entries("edges").map(|(id, _)| id.clone()).collect(),
            text: text.as_str().unwrap_or_default().to_owned(),
        }
    }

    /// The projection.
    pub fn of_diagram(diagram: &Value) -> Self {
        let items = |name: &str| diagram[name].as_array().into_iter().flatten();
        let id = |item: &Value| item["id"].as_str().unwrap_or_default().to_owned();
        let board = items("nodes").find(|node| node["id"] == BOARD);
        let text = board.and_then(|board| board["data"]["config"]["query"].as_str());
        Self {
            labels: items("nodes").map(|node| (id(node), label(node))).collect(),
            edges: items("edges").map(id).collect(),
            text: text.unwrap_or_default().to_owned(),
        }
    }

    pub fn value(&self, thing: &Thing) -> Option<String> {
        match thing {
            Thing::Node(id) => self.labels.get(id).cloned(),
            Thing::Edge(id) => self.edges.contains(id).then(String::new),
            // How often, so that one that is there twice is seen.
            Thing::Word(word) => match self.text.matches(word.as_str()).count() {
                0 => None,
                1 => Some(String::new()),
                times => Some(times.to_string()),
            },
        }
    }
}

fn label(node: &Value) -> String {
    node["data"]["label"].as_str().unwrap_or_default().to_owned()
}
