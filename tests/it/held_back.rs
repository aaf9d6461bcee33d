//! [REL-12] A canvas that takes more than a server has is tried in a process of its own, and held back.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use troupe_store::{DatabaseConfig, Store, canvas::trouble};
use uuid::Uuid;

use crate::{
    app::Answer,
    process::{DRAIN_WITHIN, Process},
};

const LARGE: usize = 4 << 20;
const LIMIT: &str = "16777216";

/// [REL-12] Through all doors: who reads it is told why, who edits is refused, and everybody else is served. With a process
/// that may take more, somebody has it tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_canvas_that_takes_too_much_is_held_back() {
    let folder = tempfile::tempdir().unwrap();
    let within = DRAIN_WITHIN + Duration::from_secs(2);
    let mut process = Process::start(folder.path(), &[]);
    let ann = process.client().await;
    let (workflow, other) = (ann.workflow("Large").await, ann.workflow("Other").await);
    let path = format!("/api/v1/workflows/{workflow}");
    let nodes = json!({ "nodes": { "a": { "data": { "label": "x".repeat(LARGE), "nodeType": "limit" } } } });
    ann.patch(&format!("{path}/diagram"), &nodes).await.body_of(StatusCode::OK).await;
    let tenant = ann.session["tenant"]["id"].as_str().unwrap().parse().unwrap();
    assert!(process.terminate(within).success());

    // As if a process had ended while it opened the canvas.
    let store = Store::open(DatabaseConfig::sqlite(folder.path().join("data/troupe.db"))).await.unwrap();
    let mut tx = store.begin_system().await.unwrap();
    trouble::begin(&mut tx, tenant, workflow.parse().unwrap(), Uuid::now_v7()).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;

    let mut process = Process::start(folder.path(), &[("LIMITS__EXAMINATION_BYTES_MAX", LIMIT)]);
    let ann = process.client().await;
    let problem = ann.get(&format!("{path}/diagram")).await.body_of(StatusCode::LOCKED).await;
    assert_eq!(problem["code"], "canvas_held_back");
    assert!(problem["detail"].as_str().unwrap().ends_with("it took more than 16 MiB of memory"), "{problem}");
    let held_back = "/api/v1/workflows/held-back";
    let listed = ann.get(held_back).await.body_of(StatusCode::OK).await;
    assert_eq!((&listed["items"][0]["workflow_id"], &listed["items"][0]["name"]), (&json!(workflow), &json!("Large")));
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["next_cursor"]), (1, &Value::Null));
    let nodes = json!({ "nodes": { "b": null } });
    ann.patch(&format!("{path}/diagram"), &nodes).await.body_of(StatusCode::LOCKED).await;
    ann.get(&format!("/api/v1/workflows/{other}/diagram")).await.body_of(StatusCode::OK).await;
    assert!(process.terminate(within).success());

    let process = Process::start(folder.path(), &[]);
    let ann = process.client().await;
    ann.get(&format!("{path}/export")).await.body_of(StatusCode::LOCKED).await;
    let tried = ann.request(Method::POST, &format!("{path}/try-again")).send().await.unwrap();
    assert_eq!(tried.status(), StatusCode::NO_CONTENT);
    let listed = ann.get("/api/v1/workflows/held-back").await.body_of(StatusCode::OK).await;
    assert_eq!(listed["items"], json!([]));
    let diagram = ann.get(&format!("{path}/diagram")).await.body_of(StatusCode::OK).await;
    assert_eq!(diagram["nodes"][0]["data"]["label"].as_str().unwrap().len(), LARGE);
}
