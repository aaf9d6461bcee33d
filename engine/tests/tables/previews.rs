//! Payloads as frames on disk, and their previews as JSON.

use serde_json::{Value, json};
use troupe_engine::preview::{first_row, preview};
use troupe_model::{ColumnType, Payload};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_type_has_its_json() {
    let world = World::new();
    let table = world.table("n,clock,at\n1,12:30:00,2013-01-31T12:30:00.5Z\n").await;
    let query = "SELECT 9007199254740993 AS large, 42 AS small, 0.5 AS half, 1.0 / 0.0 AS infinite, 'ö' AS text, \
                 n = 1 AS truth, CAST('2013-01-31' AS DATE) AS day, at, \
                 clock, CAST(1.5 AS DECIMAL(10, 2)) AS price, NULL AS nothing FROM input";
    let rows = world.rows(&world.run("sql", json!({ "query": query }), &[("in", &table)]).await.unwrap());
    let expected = json!({ "large": "9007199254740993", "small": 42, "half": 0.5, "infinite": null, "text": "ö",
        "truth": true, "day": "2013-01-31", "at": "2013-01-31T12:30:00.500", "clock": "12:30:00", "price": "1.50",
        "nothing": null });
    assert_eq!(rows, [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_a_window() {
    let world = World::new();
    let lines: String = (0..5_000).map(|n| format!("{n}\n")).collect();
    let table = world.table(&format!("n\n{lines}")).await;
    let window = preview(&world.payloads, &table, 4_990, 100).unwrap();
    assert_eq!((window.kind, window.rows, window.items.len()), ("frame", 5_000, 10));
    assert_eq!(window.items[0], json!({ "n": 4_990 }));
    assert_eq!(preview(&world.payloads, &table, 0, u64::MAX).unwrap().items.len(), 1_000);
    assert!(preview(&world.payloads, &table, u64::MAX, 1).unwrap().items.is_empty());
    assert_eq!(first_row(&world.payloads, &table).unwrap(), Some(json!({ "n": 0 })));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_inline_or_a_frame_or_too_large() {
    let world = World::new();
    let small = world.payloads.json("n", "out", json!([{ "a": 1 }])).unwrap();
    assert_eq!(small, Payload::Json { value: json!([{ "a": 1 }]) });
    let shown = preview(&world.payloads, &small, 0, 10).unwrap();
    assert_eq!(
        (shown.kind, shown.schema.columns[0].column_type, shown.items),
        ("json", ColumnType::Integer, vec![json!({ "a": 1 })])
    );
    let items: Vec<Value> = (0..10_000).map(|n| json!({ "n": n, "nested": { "list": [n] } })).collect();
    let large = world.payloads.json("n", "out", json!(items)).unwrap();
    assert!(matches!(large, Payload::Frame { rows: 10_000, .. }), "{large:?}");
    assert_eq!(preview(&world.payloads, &large, 7, 1).unwrap().items, [json!({ "n": 7, "nested": { "list": [7] } })]);
    let failure = world.payloads.json("n", "out", json!("x".repeat(100_000))).unwrap_err();
    assert_eq!(failure.code, "output_too_large");
    let scalar = preview(&world.payloads, &Payload::Json { value: json!(3) }, 0, 10).unwrap();
    assert_eq!((scalar.value, scalar.items), (Some(json!(3)), vec![]));
}

/// Names come from users: they are never paths.
#[tokio::test(flavor = "multi_thread")]
async fn payload_files_stay_in_their_folder() {
    let world = World::new();
    let items: Vec<Value> = (0..10_000).map(|n| json!({ "n": n })).collect();
    let long = "x".repeat(1_000);
    for node in ["../../etc/passwd", "a/b", "..", "ü", "", &long] {
        let payload = world.payloads.json(node, "out/../..", json!(items)).unwrap();
        assert_eq!(first_row(&world.payloads, &payload).unwrap(), Some(json!({ "n": 0 })), "{node}");
    }
    assert_eq!(world.payload_files().len(), 6);
    for object in ["../x", "/etc/passwd", "..", "a/b", "", "missing.arrow"] {
        let forged = Payload::Frame { object: object.to_owned(), rows: 1, bytes: 1, schema: Default::default() };
        assert_eq!(first_row(&world.payloads, &forged).unwrap_err().code, "payload_missing", "{object}");
    }
}
