//! The examples give the answers that are known of their data, through `troupe run`.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

#[test]
fn carrier_punctuality() {
    let airlines = result_of("carrier-punctuality", "latest-first", 16);
    let row = |name: &str, mean: f64, flights: u64, delayed: u64| json!({ "name": name, "mean_arr_delay": mean, "flights": flights, "flights_with_delay": delayed });
    assert_eq!(airlines[0], row("Frontier Airlines Inc.", 21.9207, 685, 681));
    assert_eq!(airlines[15], row("Alaska Airlines Inc.", -9.9309, 714, 709));
}

#[test]
fn weather_and_delays() {
    let report = run("weather-and-delays");
    assert_eq!(report["nodes"]["with-weather"]["rows"], 335_220);
    let row = |name: &str, mean: f64, flights: u64, cancelled: u64| json!({ "visibility": name, "mean_dep_delay": mean, "flights": flights, "departed": flights - cancelled, "cancelled": cancelled });
    assert_eq!(
        rows(&report, "worst-first"),
        [row("up to 2 miles", 27.9835, 10_704, 974), row("over 2 miles", 12.1647, 324_516, 7_253)]
    );
}

#[test]
fn busiest_routes() {
    let routes = result_of("busiest-routes", "top-ten", 10);
    assert_eq!(
        routes[0],
        json!({ "origin": "JFK", "dest": "LAX", "dest_name": "Los Angeles Intl", "flights": 11_262, "mean_air_time": 329.1511 })
    );
    let found: Vec<_> = routes.iter().take(5).map(|row| (&row["origin"], &row["dest"], &row["flights"])).collect();
    let known = [
        ("JFK", "LAX", 11_262),
        ("LGA", "ATL", 10_263),
        ("LGA", "ORD", 8_857),
        ("JFK", "SFO", 8_204),
        ("LGA", "CLT", 6_168),
    ];
    assert!(
        found.iter().zip(known).all(|(found, known)| *found.0 == known.0 && *found.1 == known.1 && *found.2 == known.2),
        "{found:?}"
    );
}

fn result_of(example: &str, node: &str, count: usize) -> Vec<Value> {
    let rows = rows(&run(example), node);
    assert_eq!(rows.len(), count);
    rows
}

/// The rows of one result, decimals rounded as the known answers are.
fn rows(report: &Value, node: &str) -> Vec<Value> {
    let mut rows = report["outputs"][node]["items"].as_array().unwrap().clone();
    for value in rows.iter_mut().flat_map(|row| row.as_object_mut().unwrap().values_mut()) {
        if let Some(number) = value.as_f64().filter(|_| value.is_f64()) {
            *value = json!((number * 1e4).round() / 1e4);
        }
    }
    rows
}

fn run(example: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/nycflights13");
    let output = Command::new(env!("CARGO_BIN_EXE_troupe"))
        .args(["run", "--json"])
        .arg(folder.join(format!("{example}.wflow.json")))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}
