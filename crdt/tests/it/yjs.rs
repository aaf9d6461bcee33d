//! Golden vectors of JavaScript Yjs (`fixtures/generate.mjs`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use troupe_crdt::{Applied, Canvas};

use crate::world::joiner;

#[derive(Deserialize)]
struct Vector {
    name: String,
    updates: Vec<String>,
    whole: String,
    json: Value,
    state_vector: BTreeMap<u64, u32>,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../fixtures/yjs.json")).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// JavaScript has one kind of number.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => serde_json::json!(number.as_f64().unwrap()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}

fn assert_agrees(canvas: &Canvas, vector: &Vector) {
    let client = joiner(canvas);
    assert_eq!(plain(&client.json()), plain(&vector.json), "{}", vector.name);
    assert_eq!(client.clocks(), vector.state_vector, "{}", vector.name);
}

/// Formats are refused today; old canvases may hold them.
const RICH: &str = "rich text and arrays of a foreign client";

fn open(updates: &[Vec<u8>]) -> Canvas {
    Canvas::open(None, updates).unwrap()
}

/// [SYNC-1] What Yjs clients write, one update after the other, gives the JSON that Yjs shows.
#[test]
fn yjs_updates_give_what_yjs_shows() {
    for vector in vectors() {
        let updates: Vec<Vec<u8>> = vector.updates.iter().map(|update| bytes(update)).collect();
        let mut canvas = if vector.name == RICH { open(&updates) } else { Canvas::new() };
        for update in &updates {
            // Two people may have deleted the same.
            assert_ne!(canvas.apply(update).unwrap(), Applied::Pending, "{}", vector.name);
        }
        assert_agrees(&canvas, &vector);
    }
}

/// [SYNC-5] So does the whole document at once, and our encoding of it read back.
#[test]
fn yjs_documents_survive_our_snapshots() {
    for vector in vectors() {
        let whole = bytes(&vector.whole);
        let mut canvas = if vector.name == RICH { open(std::slice::from_ref(&whole)) } else { Canvas::new() };
        let applied = canvas.apply(&whole).unwrap();
        assert!(vector.name == RICH || applied == Applied::Integrated, "{}", vector.name);
        assert_agrees(&canvas, &vector);
        let snapshot = canvas.snapshot().unwrap();
        assert_agrees(&Canvas::open(Some(&snapshot.bytes), [] as [&[u8]; 0]).unwrap(), &vector);
    }
}

/// [CANVAS-2] The projection of what Yjs wrote is the diagram.
#[test]
fn yjs_documents_project() {
    let vectors = vectors();
    let mut canvas = Canvas::new();
    canvas.apply(&bytes(&vectors[0].whole)).unwrap();
    let expected = serde_json::json!({
        "nodes": [
            { "id": "a", "type": "custom-node", "position": { "x": 10.0, "y": 20.5 }, "data": {
                "label": "a", "nodeType": "sql", "config": {
                    "path": "flights.csv", "infer_rows": 1000, "null_values": ["NA", null],
                    "deep": { "a": [1, { "b": true }] } } } },
            { "id": "b", "type": "custom-node", "position": { "x": 10.0, "y": 20.5 },
                "data": { "label": "b", "nodeType": "sql", "config": {} } },
        ],
        "edges": [{ "id": "a-b", "type": "custom-edge", "source": "a", "target": "b", "targetHandle": "in" }],
        "viewport": { "x": -5.0, "y": 2.5, "zoom": 0.75 },
        "notes": { "n1": { "text": "look", "x": 1 } },
    });
    assert_eq!(serde_json::to_value(canvas.project()).unwrap(), expected);
}
