//! Data folders that releases left behind, `tests/archives/*.tar.gz`: what is stored stays readable, and is carried on.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::app::{Answer, Client, TestApp};

const WITHIN: Duration = Duration::from_secs(15);
const EMAIL: &str = "ann@example.com";
/// It is on when the folder is left behind, and ends when it is opened.
const DELAY_MS: u64 = 5_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/archives")
}

/// Reads a table, then the rest of these.
fn diagram(then: &[(&str, Value)]) -> Value {
    let node = |id: &str, config: &Value| json!({ "id": id, "data": { "nodeType": id, "config": config } });
    let mut nodes = vec![node("read_file", &json!({ "path": "people.csv" }))];
    let mut edges = Vec::new();
    for (id, config) in then {
        edges.push(json!({ "id": format!("to-{id}"), "source": nodes.last().unwrap()["id"], "target": id }));
        nodes.push(node(id, config));
    }
    json!({ "nodes": nodes, "edges": edges, "notes": { "n": { "text": "Ünïcode, \u{1f980}" } } })
}

async fn workflow(ann: &Client, name: &str, diagram: &Value) -> String {
    let id = ann.workflow(name).await;
    let path = format!("/api/v1/workflows/{id}/diagram");
    ann.request(Method::PUT, &path).json(diagram).send().await.unwrap().body_of(StatusCode::OK).await;
    id
}

async fn run(ann: &Client, workflow: &str) -> String {
    ann.post(&format!("/api/v1/workflows/{workflow}/runs"), &json!({})).await.body_of(StatusCode::ACCEPTED).await["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Waits until what is at a path has this status.
async fn until(ann: &Client, path: &str, status: &str) {
    let reached = async {
        while ann.get(path).await.body_of(StatusCode::OK).await["status"] != status {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(WITHIN, reached).await.unwrap_or_else(|_| panic!("{path} does not become {status}"));
}

/// What is to be read of a folder, whatever opens it.
async fn contents(ann: &Client, workflow: &str, done: &str) -> Value {
    let mut contents = json!({});
    for path in [
        format!("/api/v1/workflows/{workflow}/diagram"),
        format!("/api/v1/workflows/{workflow}/versions"),
        format!("/api/v1/workflows/{workflow}/versions/1"),
        format!("/api/v1/runs/{done}"),
        format!("/api/v1/runs/{done}/diagram"),
        format!("/api/v1/runs/{done}/events"),
        format!("/api/v1/runs/{done}/logs"),
        format!("/api/v1/runs/{done}/nodes"),
        format!("/api/v1/runs/{done}/nodes/limit/output"),
    ] {
        contents[&path] = ann.get(&path).await.body_of(StatusCode::OK).await;
    }
    contents
}

/// Leaves a folder behind, as this release does. Made once for each release, and then kept.
#[tokio::test]
#[ignore = "makes tests/archives/{version}.tar.gz"]
async fn make() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let files = app.config.files_root().join(ann.session["tenant"]["id"].as_str().unwrap());
    fs::create_dir_all(&files).unwrap();
    fs::write(files.join("people.csv"), "name,age\nAnn,41\nBob,\n").unwrap();
    let limit = ("limit", json!({ "rows": 1 }));
    let kept = workflow(&ann, "Kept", &diagram(std::slice::from_ref(&limit))).await;
    let done = run(&ann, &kept).await;
    until(&ann, &format!("/api/v1/runs/{done}"), "success").await;
    let publish = ann.request(Method::POST, &format!("/api/v1/workflows/{kept}/versions"));
    let publish = publish.header("if-match", "*").json(&json!({ "note": "The first" })).send().await.unwrap();
    publish.body_of(StatusCode::CREATED).await;
    let label = json!({ "nodes": { "limit": { "data": { "label": "After the first version" } } } });
    ann.patch(&format!("/api/v1/workflows/{kept}/diagram"), &label).await.body_of(StatusCode::OK).await;
    let slow = workflow(&ann, "Slow", &diagram(&[("delay", json!({ "duration_ms": DELAY_MS })), limit])).await;
    let waiting = run(&ann, &slow).await;
    until(&ann, &format!("/api/v1/runs/{waiting}/nodes/delay"), "waiting_input").await;
    let expected = json!({
        "workflow": kept, "done": done, "waiting": waiting, "contents": contents(&ann, &kept, &done).await,
    });
    let data = app.config.data_dir.clone();
    let (_folder, release) = (app.stop_and_keep().await, env!("CARGO_PKG_VERSION"));
    fs::create_dir_all(folder()).unwrap();
    fs::write(folder().join(format!("{release}.json")), serde_json::to_string_pretty(&expected).unwrap()).unwrap();
    let archive = File::create(folder().join(format!("{release}.tar.gz"))).unwrap();
    let mut archive = tar::Builder::new(GzEncoder::new(archive, Compression::best()));
    archive.append_dir_all(".", data).unwrap();
    archive.into_inner().unwrap().finish().unwrap();
}

/// [OPS-3] The folder of every release opens: what is in it reads as it did, is edited, and its runs are carried on.
#[tokio::test]
async fn folders_of_all_releases_open() {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let archives: Vec<_> = entries.filter(|path| path.extension().is_some_and(|extension| extension == "gz")).collect();
    assert!(!archives.is_empty());
    for archive in archives {
        opens(&archive).await;
    }
}

async fn opens(archive: &Path) {
    let expected = archive.with_extension("").with_extension("json");
    let expected: Value = serde_json::from_str(&fs::read_to_string(expected).unwrap()).unwrap();
    let data = tempfile::tempdir().unwrap();
    tar::Archive::new(GzDecoder::new(File::open(archive).unwrap())).unpack(data.path()).unwrap();
    let app = TestApp::with(|config| {
        config.demo.enabled = false;
        config.data_dir = data.path().to_owned();
    })
    .await;
    let text = |key: &str| expected[key].as_str().unwrap().to_owned();
    let (workflow, done, waiting) = (text("workflow"), text("done"), text("waiting"));
    let ann = app.sign_in(EMAIL).await;
    // Later releases may tell more.
    let told = contents(&ann, &workflow, &done).await;
    assert!(tells(&told, &expected["contents"]), "{archive:?}: {told:#} instead of {:#}", expected["contents"]);
    until(&ann, &format!("/api/v1/runs/{waiting}"), "success").await;
    let note = json!({ "nodes": { "limit": { "data": { "label": "Edited by a later release" } } } });
    let path = format!("/api/v1/workflows/{workflow}/diagram");
    let edited = ann.patch(&path, &note).await.body_of(StatusCode::OK).await;
    assert_eq!(edited["nodes"].as_array().unwrap().len(), 2);
    until(&ann, &format!("/api/v1/runs/{}", run(&ann, &workflow).await), "success").await;
    app.stop().await;
}

/// Whether all of `wanted` is there.
fn tells(told: &Value, wanted: &Value) -> bool {
    match (told, wanted) {
        (Value::Object(told), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| told.get(key).is_some_and(|told| tells(told, wanted)))
        }
        (Value::Array(told), Value::Array(wanted)) => {
            told.len() == wanted.len() && told.iter().zip(wanted).all(|(told, wanted)| tells(told, wanted))
        }
        (told, wanted) => told == wanted,
    }
}
