//! Which elements a change touched [CANVAS-7].

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Serialize;
use troupe_crdt::{Applied, Canvas, Touched};
use troupe_model::{Diagram, ElementKind, Position, Touch};
use yrs::{Map, MapPrelim, Text, TextPrelim};

use crate::{
    edit::{diagram, normal},
    world::{Client, inner, text},
};

type Touches = BTreeMap<(ElementKind, String), Touch>;

fn touches(touched: Vec<Touched>) -> Touches {
    let count = touched.len();
    let touches: Touches =
        touched.into_iter().map(|touched| ((touched.kind, touched.id.to_string()), touched.touch)).collect();
    assert_eq!(touches.len(), count, "an element is told once a change");
    touches
}

fn node(id: &str, touch: Touch) -> Touches {
    [((ElementKind::Node, id.to_owned()), touch)].into()
}

/// What two diagrams differ in.
fn difference(before: &Diagram, after: &Diagram) -> Touches {
    fn by_id<'a, T: Serialize>(
        items: impl IntoIterator<Item = (&'a String, T)>,
    ) -> BTreeMap<String, serde_json::Value> {
        items.into_iter().map(|(id, item)| (id.clone(), serde_json::to_value(item).unwrap())).collect()
    }
    let parts = |diagram: &Diagram| {
        [
            (ElementKind::Node, by_id(diagram.nodes.iter().map(|node| (&node.id, node)))),
            (ElementKind::Edge, by_id(diagram.edges.iter().map(|edge| (&edge.id, edge)))),
            (ElementKind::Note, by_id(&diagram.notes)),
        ]
    };
    let mut touches = Touches::new();
    for ((kind, before), (_, after)) in parts(before).into_iter().zip(parts(after)) {
        for (id, old) in &before {
            let touch = match after.get(id) {
                None => Touch::Removed,
                Some(new) if new == old => continue,
                Some(new) => {
                    let mut placed = old.clone();
                    if kind == ElementKind::Node {
                        placed["position"] = new["position"].clone();
                    }
                    if placed == *new { Touch::Moved } else { Touch::Changed }
                }
            };
            touches.insert((kind, id.clone()), touch);
        }
        for id in after.keys().filter(|id| !before.contains_key(*id)) {
            touches.insert((kind, id.clone()), Touch::Added);
        }
    }
    touches
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// [CANVAS-7] An edit touches exactly what it changes: here, at a peer that applies it, and when it is read again
    /// from the log.
    #[test]
    fn an_edit_touches_what_it_changes(targets in proptest::collection::vec(diagram(), 2..5)) {
        let (mut canvas, mut peer) = (Canvas::new(), Canvas::new());
        canvas.note_touched();
        peer.note_touched();
        let (mut log, mut expected) = (Vec::new(), Vec::new());
        let mut before = Diagram::default();
        for target in &targets {
            let after = normal(target);
            let difference = difference(&before, &after);
            let update = canvas.edit(target);
            prop_assert_eq!(touches(canvas.take_touched()), difference.clone());
            if let Some(update) = update {
                prop_assert_eq!(peer.apply(&update).unwrap(), Applied::Integrated);
                prop_assert_eq!(touches(peer.take_touched()), difference.clone());
                log.push(update);
                expected.push(difference);
            }
            before = after;
        }
        let split = log.len() / 2;
        let snapshot = Canvas::open(None, &log[..split]).unwrap().snapshot().unwrap();
        let mut replayed = Vec::new();
        let mut reopened =
            Canvas::open_noting(Some(&snapshot.bytes), &log[split..], |_, touched| replayed.push(touches(touched)))
                .unwrap();
        prop_assert_eq!(&replayed[..], &expected[split..]);
        prop_assert_eq!(reopened.project(), canvas.project());
        prop_assert_eq!(reopened.state_vector(), canvas.state_vector());
        reopened.edit(&Diagram::default());
        prop_assert_eq!(touches(reopened.take_touched()), difference(&before, &Diagram::default()));
    }
}

/// [CANVAS-7] What a client does deep inside a node, several things in one transaction, and its undo.
#[test]
fn a_change_deep_inside_touches_its_node() {
    let mut canvas = Canvas::new();
    canvas.note_touched();
    let ann = Client::new(1);
    let mut does = |update: Vec<u8>| {
        assert_eq!(canvas.apply(&update).unwrap(), Applied::Integrated);
        touches(canvas.take_touched())
    };
    assert_eq!(does(ann.add_node("n1")), node("n1", Touch::Added));
    assert_eq!(does(ann.set_label("n1", "Flights")), node("n1", Touch::Changed));
    let config = ["nodes", "n1", "data", "config"];
    let write = ann.edit(|txn| {
        inner(txn, &config).unwrap().insert(txn, "sql", TextPrelim::new("select 1"));
    });
    assert_eq!(does(write), node("n1", Touch::Changed));
    let typed = ann.edit(|txn| text(txn, &config, "sql").unwrap().insert(txn, 8, "2"));
    assert_eq!(does(typed), node("n1", Touch::Changed));
    let drag = |x: i32| {
        ann.edit(|txn| {
            inner(txn, &["nodes", "n1"]).unwrap().insert(txn, "position", yrs::any!({ "x": x, "y": 0 }));
        })
    };
    assert_eq!(does(drag(5)), node("n1", Touch::Moved));
    assert_eq!(does(ann.set_label("n1", "Flüge")), node("n1", Touch::Changed));
    // An element is known anew when its map is.
    let again = ann.edit(|txn| {
        inner(txn, &["nodes"]).unwrap().insert(txn, "n1", MapPrelim::from([("type", "custom-node")]));
    });
    assert_eq!(does(again), node("n1", Touch::Changed));
    assert_eq!(does(drag(6)), node("n1", Touch::Moved));
    let gone = ann.edit(|txn| {
        inner(txn, &["nodes"]).unwrap().remove(txn, "n1");
    });
    assert_eq!(does(gone), node("n1", Touch::Removed));
    assert_eq!(does(ann.add_node("n1")), node("n1", Touch::Added));
    let elsewhere = ann.edit(|txn| {
        inner(txn, &["meta"]).unwrap().insert(txn, "viewport", yrs::any!({ "x": 1 }));
    });
    assert_eq!(does(elsewhere), Touches::new());
}

/// [CANVAS-7] Who does not ask, pays nothing; a canvas that was not asked holds nothing back.
#[test]
fn nothing_is_noted_unasked() {
    let mut canvas = Canvas::new();
    let position = Position { x: 1.0, y: 2.0 };
    canvas.apply(&Client::new(1).add_node("n1")).unwrap();
    assert_eq!(canvas.project().nodes[0].position, position);
    assert_eq!(canvas.take_touched(), []);
}
