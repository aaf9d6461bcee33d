//! Diagrams as JSON: read, checked, written onto a canvas, and healed there.

use std::hint::black_box;

use serde_json::{Map, Value, json};
use troupe_crdt::Canvas;
use troupe_engine::workflow_file;
use troupe_fuzz::grammar::{Content, update};
use troupe_model::Diagram;

use crate::{
    families,
    measure::{Input, State, Step},
};

families! {
    nodes: 250,
    edges: 500,
    config_of_many_keys: 5_000,
    config_of_many_values: 20_000,
    deep_config: 20,
    long_texts: 100_000,
    notes: 5_000,
    wrong_nodes: 250,
    unknown_fields: 2_000,
    elements_to_heal: 2_000,
}

fn node(id: &str, config: Value) -> Value {
    let data = json!({ "label": id, "nodeType": "limit", "config": config });
    json!({ "id": id, "type": "custom-node", "position": { "x": 1, "y": 2 }, "data": data })
}

fn edge(number: usize) -> Value {
    json!({ "id": format!("e{number}"), "type": "custom-edge", "source": "a", "target": "b" })
}

fn diagram(nodes: Vec<Value>, edges: Vec<Value>, notes: Value) -> Value {
    json!({ "nodes": nodes, "edges": edges, "viewport": { "x": 0, "y": 0, "zoom": 1 }, "notes": notes })
}

fn values(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Object(object) => object.values().map(values).sum(),
        _ => 0,
    }
}

fn posted(diagram: Value) -> Input {
    let text = diagram.to_string();
    let shown = workflow_file::read_diagram(&diagram).ok();
    let items = shown.as_ref().map_or(0, |shown| {
        let mut canvas = Canvas::new();
        canvas.edit(shown);
        canvas.items()
    });
    let (bytes, values) = (text.len(), values(&diagram));
    let empty = Diagram::default();
    let mut steps: Vec<Step> = vec![(
        "read",
        Box::new(move |_| {
            let value: Value = serde_json::from_str(&text).unwrap();
            drop(black_box(workflow_file::read_diagram(&value)));
        }),
    )];
    if let Some(shown) = shown {
        let again = shown.clone();
        steps.extend([
            (
                "write",
                Box::new(move |state: &mut State| {
                    let mut canvas = Canvas::new();
                    black_box(canvas.edit(&shown));
                    *state = Some(canvas);
                }) as Box<dyn FnOnce(&mut State)>,
            ),
            ("same", Box::new(move |state| drop(black_box(state.as_mut().unwrap().edit(&again))))),
            ("repair", Box::new(|state| drop(black_box(state.as_mut().unwrap().repair())))),
            ("empty", Box::new(move |state| drop(black_box(state.as_mut().unwrap().edit(&empty))))),
        ]);
    }
    Input { bytes, items, values, steps, ..Input::default() }
}

fn one_node(config: Value) -> Input {
    posted(diagram(vec![node("a", config)], vec![], json!({})))
}

fn nodes(size: usize) -> Input {
    posted(diagram((0..size).map(|number| node(&format!("n{number}"), json!({ "n": 1 }))).collect(), vec![], json!({})))
}

fn edges(size: usize) -> Input {
    let nodes = vec![node("a", json!({})), node("b", json!({}))];
    posted(diagram(nodes, (0..size).map(edge).collect(), json!({})))
}

fn object(size: usize) -> Value {
    Value::Object((0..size).map(|key| (format!("k{key}"), Value::from(1))).collect::<Map<_, _>>())
}

fn config_of_many_keys(size: usize) -> Input {
    one_node(object(size))
}

fn config_of_many_values(size: usize) -> Input {
    one_node(json!({ "list": vec![1; size] }))
}

fn deep_config(size: usize) -> Input {
    one_node(json!({ "deep": (0..size).fold(json!(1), |inner, _| json!([inner])) }))
}

fn long_texts(size: usize) -> Input {
    let text = "a\n".repeat(size / 2);
    posted(diagram(vec![node("a", json!({ "query": text }))], vec![], json!({ "n": text })))
}

fn notes(size: usize) -> Input {
    posted(diagram(vec![], vec![], object(size)))
}

fn wrong_nodes(size: usize) -> Input {
    posted(diagram((0..size).map(|_| json!({ "id": 1, "data": [] })).collect(), vec![], json!({})))
}

fn unknown_fields(size: usize) -> Input {
    posted(object(size))
}

/// Plain values where elements should be.
fn elements_to_heal(size: usize) -> Input {
    let element = |number: usize| {
        let key: &'static str = Box::leak(format!("n{number}").into_boxed_str());
        let root = if number.is_multiple_of(2) { "nodes" } else { "edges" };
        troupe_fuzz::grammar::Item {
            content: Content::Plain(7),
            ..troupe_fuzz::grammar::Item::new(troupe_fuzz::grammar::Parent::Root(root), Some(key))
        }
    };
    let update = update(&[(5, 0, (0..size).map(element).collect())], &[]);
    let mut canvas = Canvas::new();
    canvas.apply(&update).unwrap();
    let steps: Vec<Step> = vec![(
        "repair",
        Box::new(move |state| {
            let mut canvas = canvas;
            assert!(black_box(canvas.repair()).is_some());
            *state = Some(canvas);
        }),
    )];
    Input { bytes: update.len(), items: size, steps, ..Input::default() }
}
