//! The real process, and how it ends.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    app::Answer,
    process::{DRAIN_WITHIN, Process},
};

/// Looks at 3,322 × 3,322 × 300 rows: what threads do for hours, and nobody can stop.
fn endless() -> Value {
    let query = "SELECT SUM(LENGTH(a.tailnum || b.tailnum || c.tailnum)) AS n \
        FROM in1 AS a CROSS JOIN in1 AS b CROSS JOIN (SELECT * FROM in1 LIMIT 300) AS c";
    json!({
        "nodes": [
            { "id": "planes", "data": { "nodeType": "read_file", "config": { "path": "planes.csv" } } },
            { "id": "tail", "data": { "nodeType": "select", "config": { "columns": [{ "column": "tailnum" }] } } },
            { "id": "count", "data": { "nodeType": "sql", "config": { "query": query } } },
        ],
        "edges": [
            { "id": "a", "source": "planes", "target": "tail" }, { "id": "b", "source": "tail", "target": "count" },
        ],
    })
}

/// [OPS-5] A server ends in time whatever works, and what it acknowledged is there afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn work_that_cannot_be_stopped_does_not_keep_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path(), &[]);
    let ann = process.client().await;
    let workflow = ann.workflow("Endless").await;
    let diagram = format!("/api/v1/workflows/{workflow}/diagram");
    ann.request(Method::PUT, &diagram).json(&endless()).send().await.unwrap().body_of(StatusCode::OK).await;
    let runs = format!("/api/v1/workflows/{workflow}/runs");
    let run = ann.post(&runs, &json!({})).await.body_of(StatusCode::ACCEPTED).await;
    let run = run["id"].as_str().unwrap();
    loop {
        let counting = ann.get(&format!("/api/v1/runs/{run}/nodes/count")).await.body_of(StatusCode::OK).await;
        if counting["status"] == "running" {
            break;
        }
        let run = ann.get(&format!("/api/v1/runs/{run}")).await.body_of(StatusCode::OK).await;
        assert!(["new", "running"].contains(&run["status"].as_str().unwrap()), "{run}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let note = json!({ "nodes": { "late": { "data": { "label": "acknowledged", "nodeType": "limit" } } } });
    ann.patch(&diagram, &note).await.body_of(StatusCode::OK).await;

    assert!(process.terminate(DRAIN_WITHIN + Duration::from_secs(2)).success());

    let again = Process::start(folder.path(), &[]);
    let diagram = again.client().await.get(&diagram).await.body_of(StatusCode::OK).await;
    assert!(diagram["nodes"].as_array().unwrap().iter().any(|node| node["id"] == "late"), "{diagram}");
}
