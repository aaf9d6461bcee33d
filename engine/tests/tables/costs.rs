//! What hostile workflows cost at design time [REL-12]. Every check is cheap, or refused with what to do. The bounds of
//! time are for a debug build on a busy machine; what these cost without limits is minutes, or all memory.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use troupe_engine::{Analysis, Analyst, Fuel, Registry, files::Files};
use troupe_model::{Column, ColumnType, Diagram, Schema};

use crate::world::World;

const MOMENT: Duration = Duration::from_secs(3);

fn table(columns: usize) -> Option<Schema> {
    let column = |i| Column { name: format!("col{i}"), column_type: ColumnType::Integer };
    Some(Schema { columns: (0..columns).map(column).collect() })
}

/// The code of what a check finds, within a moment.
fn found(node_type: &str, config: Value, inputs: &[(&str, Option<Schema>)]) -> Option<&'static str> {
    let started = Instant::now();
    let checked = World::new().check(node_type, config, inputs);
    assert!(started.elapsed() < MOMENT, "{:?}", started.elapsed());
    let size = checked.findings.iter().map(|finding| format!("{finding:?}").len()).sum::<usize>();
    assert!(size < 4_000, "a message of {size} bytes");
    checked.findings.first().map(|finding| finding.code)
}

fn sql(query: String) -> Option<&'static str> {
    found("sql", json!({ "query": query }), &[("in", table(10))])
}

fn filter(expression: String) -> Option<&'static str> {
    found("filter", json!({ "expression": expression }), &[("in", table(10))])
}

/// [REL-12] Two names of 100 kB: they are neither compared nor repeated.
#[test]
fn long_names_are_neither_compared_nor_repeated() {
    let nodes = json!([
        { "id": "d", "data": { "nodeType": "sql", "config": { "query": format!("SELECT 1 AS {}", "a".repeat(90_000)) } } },
        { "id": "s", "data": { "nodeType": "select", "config": { "columns": [{ "column": "b".repeat(100_000) }] } } },
        { "id": "t", "data": { "nodeType": "select".repeat(20_000), "config": {} } },
    ]);
    let edges = json!([
        { "id": "e", "source": "d", "target": "s", "targetHandle": "in".repeat(50_000) },
        { "id": "f", "source": "d", "target": "nobody".repeat(20_000) },
    ]);
    let started = Instant::now();
    let analysis = analysed(json!({ "nodes": nodes, "edges": edges }));
    assert!(started.elapsed() < MOMENT, "{:?}", started.elapsed());
    let told = serde_json::to_string(&analysis.diagnostics).unwrap();
    assert!(told.contains("unknown_node_type") && told.contains("unknown_port") && told.len() < 10_000, "{told}");
    let two =
        [("in", Some(Schema { columns: vec![Column { name: "a".repeat(100_000), column_type: ColumnType::Null }] }))];
    assert_eq!(
        found("select", json!({ "columns": [{ "column": "b".repeat(100_000) }] }), &two),
        Some("unknown_column")
    );
}

fn analysed(diagram: Value) -> Analysis {
    let diagram: Diagram = serde_json::from_value(diagram).unwrap();
    Analyst::new(Registry::standard(), Files::new("/nowhere")).analyse(&diagram, &Map::new(), &Fuel::unlimited())
}

/// [REL-12] A `WITH` table that reads the one before it twice doubles what is planned, and its columns.
#[test]
fn what_doubles_again_and_again_is_refused() {
    let doubling = |one: &str| {
        let table = |i: usize| {
            let before = if i == 0 { "input".to_owned() } else { format!("c{}", i - 1) };
            format!("c{i} AS ({})", one.replace("it", &before))
        };
        format!("WITH {} SELECT * FROM c39", (0..40).map(table).collect::<Vec<_>>().join(", "))
    };
    assert_eq!(sql(doubling("SELECT col0 FROM it UNION ALL SELECT col0 FROM it")), Some("invalid_sql"));
    assert_eq!(sql(doubling("SELECT a.*, b.* FROM it AS a CROSS JOIN it AS b")), Some("too_many_columns"));
    assert_eq!(sql(doubling("SELECT col0, (SELECT MAX(col0) FROM it) AS col1 FROM it")), Some("invalid_sql"));
    assert_eq!(sql(doubling("SELECT * FROM it")), None, "one after the other is no doubling");

    let cross = |i: usize| {
        json!({ "id": format!("j{i}"), "data": {
        "nodeType": "join", "config": { "how": "cross", "suffix": format!("_{i}") } } })
    };
    let wire = |i: usize, port: &str| {
        let before = if i == 0 { "start".to_owned() } else { format!("j{}", i - 1) };
        json!({ "id": format!("{port}{i}"), "source": before, "target": format!("j{i}"), "targetHandle": port })
    };
    let started = Instant::now();
    let read = json!({ "id": "start", "data": { "nodeType": "read_file", "config": { "path": "wide.csv" } } });
    let diagram = json!({
        "nodes": std::iter::once(read).chain((0..40).map(cross)).collect::<Vec<_>>(),
        "edges": (0..40).flat_map(|i| [wire(i, "left"), wire(i, "right")]).collect::<Vec<_>>(),
    });
    let world = World::new();
    world.file("wide.csv", "a,b\n1,2\n");
    let diagram: Diagram = serde_json::from_value(diagram).unwrap();
    let mut analyst = Analyst::new(Registry::standard(), world.files().clone());
    let analysis = analyst.analyse(&diagram, &Map::new(), &Fuel::unlimited());
    assert_eq!(analysis.diagnostics[0].code, "too_many_columns", "{:?}", analysis.diagnostics);
    assert!(started.elapsed() < 3 * MOMENT, "{:?}", started.elapsed());
}

/// [REL-12] Where the parser tries one reading after another, and where Polars repeats what it is given, each level of
/// nesting doubles the work.
#[test]
fn nesting_that_multiplies_is_refused() {
    let nested = |start: &str, end: &str| format!("{}col0{} = 1", start.repeat(40), end.repeat(40));
    for (start, end) in [
        ("POSITION(", " IN 1)"),
        ("POSITION(", " IN"),
        ("CAST(", " 1 AS INT)"),
        ("NOT(", " 1)"),
        ("a[", "]"),
        ("a[", " 1]"),
        ("{a:", " 1}"),
        ("NULLIF(", ", 1)"),
        ("(", " BETWEEN 0 AND 1)"),
        ("LEFT('a', ", ")"),
        ("SUBSTR('a', ", ")"),
        ("SUM(", ")"),
        ("(CASE WHEN ", " THEN 1 END)"),
    ] {
        assert!(filter(nested(start, end)).is_some(), "{start}");
        assert!(sql(format!("SELECT {} FROM input", nested(start, end))).is_some(), "{start}");
    }
    assert_eq!(filter(format!("{}'a'{} = 'a'", "REPLACE(".repeat(30), ", 'x', 'y')".repeat(30))), None);
    assert_eq!(filter(vec!["col0 = 1"; 200].join(" OR ")), None);
    assert_eq!(filter(format!("{} > 1", vec!["col0"; 90].join(" + "))), None);
    let case: String = (0..90).map(|n| format!("WHEN col0 = {n} THEN {n} ")).collect();
    assert_eq!(filter(format!("CASE {case} END > 1")), None);
    assert_eq!(filter(format!("CASE {} END > 1", case.repeat(10))), Some("invalid_expression"));
    assert_eq!(filter(format!("{} = 'a'", vec!["'xxxxxxxxxxxxx'"; 2_000].join(" || "))), Some("invalid_expression"));
}

/// [REL-12] What stands for all columns, many times.
#[test]
fn more_columns_than_a_table_may_have_are_refused() {
    let wide = [("in", table(5_000))];
    let all = |times: usize| json!({ "query": format!("SELECT {} FROM input", vec!["*"; times].join(", ")) });
    assert_eq!(found("sql", all(1), &wide), None);
    assert_eq!(found("sql", all(30_000), &wide), Some("too_many_columns"));
    let columns = vec!["COLUMNS('*')"; 5_000].join(", ");
    assert_eq!(
        found("filter", json!({ "expression": format!("COALESCE({columns}) > 1") }), &wide),
        Some("too_many_columns")
    );
    let twice = [("left", table(6_000)), ("right", table(6_000))];
    assert_eq!(found("join", json!({ "how": "cross" }), &twice), Some("too_many_columns"));
    let renamed: Vec<_> = (0..20_000).map(|i| json!({ "column": "col0", "rename": format!("c{i}") })).collect();
    assert_eq!(found("select", json!({ "columns": renamed }), &wide), Some("too_many_columns"));
    let world = World::new();
    world.file("wide.csv", format!("{}\n", ",".repeat(1 << 20)));
    assert_eq!(world.finding("read_file", json!({ "path": "wide.csv" }), &[]).code, "too_many_columns");
}

/// [REL-12] Texts that nothing bounds but memory, of constants: a filter's check computes over no rows.
#[test]
fn constants_are_not_grown_at_design_time() {
    assert_eq!(filter("LPAD('', 40000000000, 'x') = 'x'".to_owned()), None);
    let mut text = "'aaaaaaaaaa'".to_owned();
    for _ in 0..20 {
        text = format!("REPLACE({text}, 'a', 'aaaaaaaaaa')");
    }
    assert_eq!(filter(format!("{text} = 'a'")), None);
    assert_eq!(filter("LPAD('a', 3, 'x') > 3".to_owned()), Some("type_mismatch"), "types are compared all the same");
}

/// [REL-12] A long name over many values: their places are not written out, each a megabyte long.
#[test]
fn many_places_below_a_long_name_cost_little() {
    let name = "n".repeat(500_000);
    let started = Instant::now();
    let config = json!({ name: vec!["{{secret}}"; 100_000] });
    let analysis = analysed(json!({ "nodes": [{ "id": "a", "data": { "nodeType": "limit", "config": config } }] }));
    assert!(started.elapsed() < MOMENT, "{:?}", started.elapsed());
    assert!(serde_json::to_string(&analysis.diagnostics).unwrap().len() < 20_000);
}
