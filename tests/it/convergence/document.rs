//! One person's document, in Rust's or JavaScript's Yjs, and the edits that both know.

use std::collections::BTreeMap;

use rand::{RngExt, rngs::StdRng};
use serde::Serialize;
use serde_json::{Value, json};
use yrs::{StateVector, updates::decoder::Decode};

use super::{rust::Rust, yjs::Yjs};

pub const ROOTS: [&str; 5] = ["meta", "nodes", "edges", "notes", "threads"];
const NODES: u32 = 5;

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Edit {
    Add { id: String, text: String },
    Remove { id: String },
    Move { id: String, x: u32, y: u32 },
    Set { id: String, key: String, value: Value },
    Unset { id: String, key: String },
    Connect { from: String, to: String },
    Insert { id: String, at: u32, text: String },
    Delete { id: String, at: u32, length: u32 },
    Undo,
    Redo,
}

impl Edit {
    pub fn random(random: &mut StdRng) -> Self {
        let mut node = || format!("n{}", random.random_range(0..NODES));
        let (id, to) = (node(), node());
        let at = random.random_range(0..1_000);
        match random.random_range(0..20) {
            0..3 => Self::Add { id, text: "select 😀".to_owned() },
            3 => Self::Remove { id },
            4 | 5 => Self::Move { id, x: at, y: random.random_range(0..1_000) },
            6 | 7 => Self::Set { id, key: format!("k{}", at % 3), value: json!({ "n": [at, "x", null] }) },
            8 => Self::Unset { id, key: format!("k{}", at % 3) },
            9 | 10 => Self::Connect { from: id, to },
            11..15 => Self::Insert { id, at, text: ["a", "😀", "\n", "é, "][at as usize % 4].to_owned() },
            15 | 16 => Self::Delete { id, at, length: random.random_range(1..4) },
            17 | 18 => Self::Undo,
            _ => Self::Redo,
        }
    }
}

/// All that a peer of the protocol asks of its document.
pub enum Document {
    Rust(Rust),
    Yjs(Yjs),
}

impl Document {
    /// The updates that the edit made.
    pub async fn edit(&mut self, edit: &Edit) -> Vec<Vec<u8>> {
        match self {
            Self::Rust(document) => document.edit(edit).into_iter().collect(),
            Self::Yjs(document) => document.edit(edit).await,
        }
    }

    pub async fn apply(&mut self, update: &[u8]) {
        match self {
            Self::Rust(document) => document.apply(update),
            Self::Yjs(document) => document.apply(update).await,
        }
    }

    pub async fn state_vector(&mut self) -> Vec<u8> {
        match self {
            Self::Rust(document) => document.state_vector(),
            Self::Yjs(document) => document.state_vector().await,
        }
    }

    pub async fn diff(&mut self, since: &[u8]) -> Vec<u8> {
        match self {
            Self::Rust(document) => document.diff(since),
            Self::Yjs(document) => document.diff(since).await,
        }
    }

    pub async fn json(&mut self) -> Value {
        let json = match self {
            Self::Rust(document) => document.json(),
            Self::Yjs(document) => document.json().await,
        };
        plain(&json)
    }

    pub async fn clocks(&mut self) -> BTreeMap<u64, u32> {
        clocks(&self.state_vector().await)
    }
}

pub fn clocks(state_vector: &[u8]) -> BTreeMap<u64, u32> {
    let state_vector = StateVector::decode_v1(state_vector).unwrap();
    state_vector.iter().map(|(client, clock)| (client.get(), *clock)).collect()
}

/// JavaScript has one kind of number.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}
