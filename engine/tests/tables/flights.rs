//! The known answers of the three example workflows.

use serde_json::{Value, json};
use troupe_model::{ColumnType, Payload};

use crate::world::World;

async fn flights(world: &World) -> Payload {
    let config = json!({ "path": "flights.csv.gz", "null_values": ["NA"] });
    world.run("read_file", config, &[]).await.unwrap()
}

fn near(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - expected).abs() < 0.000_05)
}

#[tokio::test(flavor = "multi_thread")]
async fn carrier_punctuality() {
    let world = World::of_flights();
    let flights = flights(&world).await;
    assert_eq!(flights.rows(), 336_776);
    let airlines = world.run("read_file", json!({ "path": "airlines.csv" }), &[]).await.unwrap();
    let join = json!({ "how": "inner", "left_on": ["carrier"], "right_on": ["carrier"] });
    let joined = world.run("join", join, &[("left", &flights), ("right", &airlines)]).await.unwrap();
    let aggregate = json!({ "group_by": ["name"], "aggregations": [
        { "function": "mean", "column": "arr_delay", "name": "mean_arr_delay" },
        { "function": "count", "name": "flights" },
        { "function": "count_values", "column": "arr_delay", "name": "flights_with_delay" },
    ] });
    let means = world.run("aggregate", aggregate, &[("in", &joined)]).await.unwrap();
    let sort = json!({ "by": [{ "column": "mean_arr_delay", "descending": true }] });
    let rows = world.rows(&world.run("sort", sort, &[("in", &means)]).await.unwrap());

    assert_eq!(rows.len(), 16);
    let (first, last) = (&rows[0], &rows[15]);
    assert_eq!(
        (&first["name"], &first["flights"], &first["flights_with_delay"]),
        (&json!("Frontier Airlines Inc."), &json!(685), &json!(681))
    );
    assert!(near(&first["mean_arr_delay"], 21.9207), "{first}");
    assert_eq!(
        (&last["name"], &last["flights"], &last["flights_with_delay"]),
        (&json!("Alaska Airlines Inc."), &json!(714), &json!(709))
    );
    assert!(near(&last["mean_arr_delay"], -9.9309), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn weather_and_delays() {
    let world = World::of_flights();
    let flights = flights(&world).await;
    let config = json!({ "path": "weather.csv.gz", "null_values": ["NA"] });
    let weather = world.run("read_file", config, &[]).await.unwrap();
    let Payload::Frame { schema, .. } = &weather else { panic!("not a frame") };
    assert_eq!(schema.column("time_hour").unwrap().column_type, ColumnType::Datetime);
    let join = json!({ "how": "inner", "left_on": ["origin", "time_hour"], "right_on": ["origin", "time_hour"] });
    let joined = world.run("join", join, &[("left", &flights), ("right", &weather)]).await.unwrap();
    assert_eq!(joined.rows(), 335_220);
    let derive = json!({ "columns": [
        { "name": "low_visibility", "expression": "visib <= 2" },
        { "name": "cancelled", "expression": "dep_delay IS NULL" },
    ] });
    let marked = world.run("derive", derive, &[("in", &joined)]).await.unwrap();
    let aggregate = json!({ "group_by": ["low_visibility"], "aggregations": [
        { "function": "mean", "column": "dep_delay", "name": "mean_dep_delay" },
        { "function": "sum", "column": "cancelled", "name": "cancelled" },
        { "function": "count", "name": "flights" },
    ] });
    let groups = world.run("aggregate", aggregate, &[("in", &marked)]).await.unwrap();
    let sort = json!({ "by": [{ "column": "low_visibility", "descending": true }] });
    let rows = world.rows(&world.run("sort", sort, &[("in", &groups)]).await.unwrap());

    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0]["low_visibility"], &rows[0]["cancelled"], &rows[0]["flights"]),
        (&json!(true), &json!(974), &json!(10_704))
    );
    assert!(near(&rows[0]["mean_dep_delay"], 27.9835), "{}", rows[0]);
    assert_eq!((&rows[1]["cancelled"], &rows[1]["flights"]), (&json!(7_253), &json!(324_516)));
    assert!(near(&rows[1]["mean_dep_delay"], 12.1647), "{}", rows[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn busiest_routes() {
    let world = World::of_flights();
    let flights = flights(&world).await;
    let query = "SELECT origin, dest, COUNT(*) AS flights, AVG(air_time) AS mean_air_time \
                 FROM input GROUP BY origin, dest ORDER BY flights DESC";
    let routes = world.run("sql", json!({ "query": query }), &[("in", &flights)]).await.unwrap();
    let rows = world.rows(&world.run("limit", json!({ "rows": 5 }), &[("in", &routes)]).await.unwrap());

    let counts: Vec<_> =
        rows.iter().map(|row| (row["origin"].as_str(), row["dest"].as_str(), row["flights"].as_i64())).collect();
    let route = |origin, dest, flights| (Some(origin), Some(dest), Some(flights));
    assert_eq!(
        counts,
        [
            route("JFK", "LAX", 11_262),
            route("LGA", "ATL", 10_263),
            route("LGA", "ORD", 8_857),
            route("JFK", "SFO", 8_204),
            route("LGA", "CLT", 6_168),
        ]
    );
    assert!(near(&rows[0]["mean_air_time"], 329.1511), "{}", rows[0]);
}

/// [CANVAS-5] Checks come with every edit: they read only the head of a file.
#[test]
fn the_schema_of_a_large_packed_file_is_known_at_once() {
    let world = World::of_flights();
    let started = std::time::Instant::now();
    let checked = world.check("read_file", json!({ "path": "flights.csv.gz", "null_values": ["NA"] }), &[]);
    let first = started.elapsed();
    let schema = checked.outputs["out"].clone().unwrap();
    assert_eq!(schema.columns.len(), 19);
    assert_eq!(schema.column("dep_delay").unwrap().column_type, ColumnType::Integer);
    assert_eq!(schema.column("time_hour").unwrap().column_type, ColumnType::Datetime);
    println!("first check: {first:?}");
    assert!(first.as_millis() < 2_000, "{first:?}");
}
