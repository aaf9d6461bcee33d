//! The commands that need no server: what they print, and how they exit.

use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with `data.csv` and `flow.wflow.json`.
fn folder(nodes: Value, edges: Value) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data.csv"), "city,people\nParis,2\nRome,3\nOslo,1\n").unwrap();
    let file = json!({
        "format_version": 1, "name": "flow", "parameters": { "most": 2 },
        "diagram": { "nodes": nodes, "edges": edges },
    });
    std::fs::write(folder.path().join("flow.wflow.json"), file.to_string()).unwrap();
    folder
}

fn node(id: &str, node_type: &str, config: Value) -> Value {
    json!({ "id": id, "data": { "label": id, "nodeType": node_type, "config": config } })
}

fn edge(source: &str, target: &str) -> Value {
    json!({ "id": format!("{source}-{target}"), "source": source, "target": target })
}

fn troupe(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_troupe")).args(args).current_dir(folder.path()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn good() -> TempDir {
    let nodes = json!([
        node("read", "read_file", json!({ "path": "data.csv" })),
        node("big", "filter", json!({ "expression": "people > 1" })),
    ]);
    folder(nodes, json!([edge("read", "big")]))
}

/// `--json` prints one object: statuses, rows, and the rows of what nothing consumes.
#[test]
fn a_run_prints_one_object() {
    let output = troupe(&good(), &["run", "--json", "flow.wflow.json", "--param", "most=1"]);
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(output.status.success(), "{report}");
    assert_eq!(report["status"], "success");
    assert_eq!((&report["nodes"]["big"]["status"], &report["nodes"]["big"]["rows"]), (&json!("completed"), &json!(2)));
    let outputs = report["outputs"].as_object().unwrap();
    assert_eq!(outputs.keys().collect::<Vec<_>>(), ["big"]);
    assert_eq!(outputs["big"]["items"], json!([{ "city": "Paris", "people": 2 }, { "city": "Rome", "people": 3 }]));
    assert_eq!(outputs["big"]["schema"][1], json!({ "name": "people", "type": "integer" }));
}

/// A run that fails exits with 1, and says which node failed and why.
#[test]
fn a_failed_run_fails() {
    let nodes = json!([node("read", "read_file", json!({ "path": "nowhere.csv" }))]);
    let folder = folder(nodes, json!([]));
    let output = troupe(&folder, &["run", "--json", "flow.wflow.json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["nodes"]["read"]["failure"]["code"], "file_not_found");
    let table = troupe(&folder, &["run", "flow.wflow.json"]);
    assert_eq!(table.status.code(), Some(1));
    assert!(stdout(&table).contains("there is no file `nowhere.csv`"), "{}", stdout(&table));
    let parameter = troupe(&good(), &["run", "flow.wflow.json", "--param", "least=1"]);
    assert_eq!(parameter.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&parameter.stderr).contains("no parameter `least`"));
}

/// [CANVAS-8] All problems at once; the exit code says whether it would run.
#[test]
fn validation_tells_every_problem() {
    assert!(troupe(&good(), &["validate", "flow.wflow.json"]).status.success());
    let nodes = json!([
        node("read", "read_file", json!({ "path": "nowhere.csv" })),
        node("a", "limit", json!({ "rows": 1 })),
        node("b", "limit", json!({ "rows": 1 })),
        node("odd", "teleport", json!({})),
    ]);
    let output = troupe(&folder(nodes, json!([edge("a", "b"), edge("b", "a")])), &["validate", "flow.wflow.json"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    for problem in ["nowhere.csv", "cycle", "teleport"] {
        assert!(text.contains(problem), "{problem}: {text}");
    }
}

/// [CANVAS-8] What is no workflow file is told with the places, all at once.
#[test]
fn a_bad_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (content, reason) in [
        (r#"{"format_version":1,"name":"x","diagram":{"nodes":[{"id":1}]}}"#, "/diagram/nodes/0/id: 1 is not a text"),
        (
            r#"{"format_version":1,"name":"x","diagram":{"nodes":[{"id":1}]}}"#,
            "/diagram/nodes/0/data: `data` is missing",
        ),
        (r#"{"format_version":1"#, "is not a JSON file"),
        (r#"{"format_version":9,"name":"x","diagram":{}}"#, "format version 9"),
        (r#"{"format_version":1,"name":"x","colour":"red","diagram":{}}"#, "/colour: `colour` is unknown here"),
    ] {
        std::fs::write(folder.path().join("flow.wflow.json"), content).unwrap();
        let output = troupe(&folder, &["validate", "flow.wflow.json"]);
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(reason), "{reason}: {text}");
    }
}

/// [OPS-2] The effective configuration is printed, secrets masked; an unknown key is refused.
#[test]
fn the_configuration_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("troupe.toml"), "[demo]\npassword = \"sesame\"").unwrap();
    let output = troupe(&folder, &["config", "--port", "9"]);
    let text = stdout(&output);
    assert!(text.contains("port = 9") && text.contains("password = \"***\"") && !text.contains("sesame"), "{text}");
    std::fs::write(folder.path().join("troupe.toml"), "[demo]\npasword = \"sesame\"").unwrap();
    let output = troupe(&folder, &["config"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("demo.pasword") && text.contains("troupe.toml"), "{text}");
}
