//! The real process, and how it ends.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, Client, PASSWORD};

const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// `troupe serve`, killed when a test ends before it.
struct Process {
    child: Child,
    base: String,
}

impl Process {
    /// Starts on the store in `folder`, and returns when it serves.
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_troupe"))
            .arg("serve")
            .current_dir(folder)
            .env("TROUPE_SERVER__ADDRESS", "127.0.0.1")
            .env("TROUPE_SERVER__PORT", "0")
            .env("TROUPE_SERVER__DRAIN_TIMEOUT_S", DRAIN_WITHIN.as_secs().to_string())
            .env("TROUPE_DEMO__PASSWORD", PASSWORD)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut welcome = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut welcome).unwrap();
        std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        let base = welcome.trim().strip_prefix("Troupe is ready at ").expect("it starts").to_owned();
        Self { child, base }
    }

    async fn client(&self) -> Client {
        Client::of(&self.base).signed_in("demo@troupe.local").await
    }

    /// Asks it to end, and waits for that.
    fn terminate(&mut self, within: Duration) -> ExitStatus {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(asked.elapsed() < within, "it goes on for more than {within:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already when a test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Counts 3,322³ rows: what a thread does for hours, and nobody can stop.
fn endless() -> Value {
    let query = "SELECT COUNT(*) AS n FROM in1 AS a CROSS JOIN in1 AS b CROSS JOIN in1 AS c";
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
    let mut process = Process::start(folder.path());
    let ann = process.client().await;
    let workflow = ann.workflow("Endless").await;
    let diagram = format!("/api/v1/workflows/{workflow}/diagram");
    ann.request(Method::PUT, &diagram).json(&endless()).send().await.unwrap().body_of(StatusCode::OK).await;
    let runs = format!("/api/v1/workflows/{workflow}/runs");
    let run = ann.post(&runs, &json!({})).await.body_of(StatusCode::ACCEPTED).await;
    let run = run["id"].as_str().unwrap();
    loop {
        let run = ann.get(&format!("/api/v1/runs/{run}")).await.body_of(StatusCode::OK).await;
        let counting = run["nodes"].as_array().unwrap().iter().find(|node| node["node_id"] == "count");
        if counting.is_some_and(|node| node["status"] == "running") {
            break;
        }
        assert!(["new", "running"].contains(&run["status"].as_str().unwrap()), "{run}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let note = json!({ "nodes": { "late": { "data": { "label": "acknowledged", "nodeType": "limit" } } } });
    ann.patch(&diagram, &note).await.body_of(StatusCode::OK).await;

    assert!(process.terminate(DRAIN_WITHIN + Duration::from_secs(2)).success());

    let again = Process::start(folder.path());
    let diagram = again.client().await.get(&diagram).await.body_of(StatusCode::OK).await;
    assert!(diagram["nodes"].as_array().unwrap().iter().any(|node| node["id"] == "late"), "{diagram}");
}
