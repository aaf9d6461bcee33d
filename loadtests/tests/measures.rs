//! The load tests' program against a real server: short, and only what does not depend on the machine's speed.

use std::{fs, process::Command};

use serde_json::Value;

/// Runs one scenario against Troupe and gives back what it measured.
fn measure(arguments: &[&str]) -> Value {
    let json = tempfile::NamedTempFile::new().expect("a temporary file");
    let output = Command::new(env!("CARGO_BIN_EXE_troupe-loadtests"))
        .args(arguments)
        .args(["--servers", "troupe", "--json"])
        .arg(json.path())
        .output()
        .expect("it is built");
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?} failed\n{out}\n{error}");
    let line = fs::read_to_string(json.path()).expect("it was written");
    serde_json::from_str::<Value>(&line).expect("one line of JSON")["metrics"].take()
}

/// [PERF-1] Every edit reaches everybody else, and a newcomer sees the last ones.
#[test]
fn fan_out_loses_nothing() {
    let metrics = measure(&["fan-out", "--documents", "2", "--editors", "4", "--rate", "10", "--seconds", "2"]);
    assert_eq!((&metrics["lost"], &metrics["documents that differ"]), (&0.0.into(), &0.0.into()), "{metrics}");
    let deliveries_a_second = metrics["deliveries/s"].as_f64().expect("it was measured");
    assert!((100.0..300.0).contains(&deliveries_a_second), "{metrics}");
    assert!(metrics["durable p50 ms"].as_f64().is_some_and(|time| time > 0.0), "{metrics}");
}

/// [PERF-5] Observers miss no edit, and see where every cursor ends.
#[test]
fn observers_miss_nothing() {
    let metrics = measure(&["observers", "--observers", "20", "--editors", "2", "--seconds", "2"]);
    let missing = (&metrics["edits lost"], &metrics["last cursors missing"]);
    assert_eq!(missing, (&0.0.into(), &0.0.into()), "{metrics}");
    assert!(metrics["cursor moves delivered/s"].as_f64().is_some_and(|rate| rate > 0.0), "{metrics}");
}

/// [REL-6] A reader that stalled has everything in the end.
#[test]
fn stalled_readers_catch_up() {
    let metrics = measure(&["slow-readers", "--documents", "1", "--editors", "2", "--rate", "20", "--seconds", "2"]);
    assert_eq!(metrics["lost"], 0.0, "{metrics}");
}
