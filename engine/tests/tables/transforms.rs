//! What each transform does, and what it says at design time.

use serde_json::{Value, json};
use troupe_model::{Payload, Schema};

use crate::world::{World, schema};

const FLIGHTS: &str = "carrier,flight,delay,day\nAA,1,10,2013-01-01\nUA,2,,2013-01-02\nAA,3,-5,2013-01-03\n";

fn names(schema: &Schema) -> Vec<String> {
    schema.columns.iter().map(|column| format!("{} {}", column.name, column.column_type)).collect()
}

fn column(rows: &[Value], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row[name].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn filter_keeps_rows_where_the_condition_is_true() {
    let world = World::new();
    let table = world.table(FLIGHTS).await;
    let kept = world.run("filter", json!({ "expression": "delay > -10 AND carrier = 'AA'" }), &[("in", &table)]).await;
    assert_eq!(column(&world.rows(&kept.unwrap()), "flight"), [1, 3]);
    let missing = world.run("filter", json!({ "expression": "delay IS NULL" }), &[("in", &table)]).await;
    assert_eq!(column(&world.rows(&missing.unwrap()), "flight"), [2]);
    let later = world.run("filter", json!({ "expression": "day >= DATE '2013-01-02'" }), &[("in", &table)]).await;
    assert_eq!(column(&world.rows(&later.unwrap()), "flight"), [2, 3]);
    let longer = world.run("filter", json!({ "expression": "delay > AVG(delay)" }), &[("in", &table)]).await;
    assert_eq!(column(&world.rows(&longer.unwrap()), "flight"), [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn select_orders_and_renames() {
    let world = World::new();
    let table = world.table(FLIGHTS).await;
    let config = json!({ "columns": [{ "column": "delay", "rename": "minutes" }, { "column": "carrier" }] });
    let selected = world.run("select", config, &[("in", &table)]).await.unwrap();
    assert_eq!(names(&schema(&selected).unwrap()), ["minutes integer", "carrier string"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn derive_may_use_the_columns_before() {
    let world = World::new();
    let table = world.table(FLIGHTS).await;
    let config = json!({ "columns": [
        { "name": "hours", "expression": "delay / 60.0" },
        { "name": "late", "expression": "hours > 0" },
        { "name": "carrier", "expression": "LOWER(carrier)" },
    ] });
    let rows = world.rows(&world.run("derive", config, &[("in", &table)]).await.unwrap());
    assert_eq!(column(&rows, "late"), [json!(true), json!(null), json!(false)]);
    assert_eq!(column(&rows, "carrier"), ["aa", "ua", "aa"]);
}

/// [NODE-11] Failures become null and are told, or fail the node with column, value and count.
#[tokio::test(flavor = "multi_thread")]
async fn cast_counts_what_it_cannot_convert() {
    let world = World::new();
    let table = world.table("id,n,at,ok\na,1,31.12.2013,yes\nb,x,01.01.2014,no\nc,y,soon,1\n").await;
    let change = |on_error: &str| json!({ "columns": [{ "column": "n", "type": "integer", "on_error": on_error }] });
    let lenient = world.run("cast", change("null"), &[("in", &table)]).await.unwrap();
    assert_eq!(column(&world.rows(&lenient), "n"), [json!(1), json!(null), json!(null)]);
    let told = "`n` could not become integer in 2 rows, such as ";
    assert!(world.log()[0].starts_with(told) && world.log()[0].ends_with(": null instead"), "{:?}", world.log());
    let failure = world.run("cast", change("fail"), &[("in", &table)]).await.unwrap_err();
    assert_eq!(failure.code, "conversion_failed");
    assert!(failure.message.starts_with(told), "{}", failure.message);
    let config = json!({ "columns": [
        { "column": "at", "type": "date", "on_error": "null", "format": "%d.%m.%Y" },
        { "column": "ok", "type": "boolean" },
        { "column": "id", "type": "string" },
    ] });
    let rows = world.rows(&world.run("cast", config, &[("in", &table)]).await.unwrap());
    assert_eq!(column(&rows, "at"), [json!("2013-12-31"), json!("2014-01-01"), json!(null)]);
    assert_eq!(column(&rows, "ok"), [true, false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cast_says_at_design_time_what_is_impossible() {
    let world = World::new();
    let table = world.table(FLIGHTS).await;
    let config = json!({ "columns": [{ "column": "day", "type": "boolean" }] });
    let finding = world.finding("cast", config, &[("in", schema(&table))]);
    assert_eq!((finding.code, finding.field.as_deref()), ("type_mismatch", Some("/columns/0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_of_every_kind() {
    let world = World::new();
    let left = world.table("k,a\n1,x\n2,y\n3,z\n").await;
    let right = world.table("k,a\n2,p\n3,q\n4,r\n").await;
    let rows = async |how: &str| {
        let config = json!({ "how": how, "left_on": ["k"], "right_on": ["k"] });
        let joined = world.run("join", config, &[("left", &left), ("right", &right)]).await.unwrap();
        world.rows(&joined)
    };
    assert_eq!(rows("inner").await, [json!({"k":2,"a":"y","a_right":"p"}), json!({"k":3,"a":"z","a_right":"q"})]);
    assert_eq!(column(&rows("left").await, "a_right"), [json!(null), json!("p"), json!("q")]);
    assert_eq!(column(&rows("right").await, "k"), [2, 3, 4]);
    assert_eq!(column(&rows("full").await, "k"), [1, 2, 3, 4]);
    assert_eq!(rows("semi").await, [json!({"k":2,"a":"y"}), json!({"k":3,"a":"z"})]);
    assert_eq!(rows("anti").await, [json!({"k":1,"a":"x"})]);
    let cross = world.run("join", json!({ "how": "cross" }), &[("left", &left), ("right", &right)]).await.unwrap();
    assert_eq!(cross.rows(), 9);
}

/// A mismatch of keys is known before the run [CANVAS-5].
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_different_types_are_a_finding() {
    let world = World::new();
    let numbers = world.table("k\n1\n").await;
    let texts = world.table("k\na\n").await;
    let config = json!({ "left_on": ["k"], "right_on": ["k"] });
    let finding = world.finding("join", config.clone(), &[("left", schema(&numbers)), ("right", schema(&texts))]);
    assert_eq!((finding.code, finding.field.as_deref()), ("type_mismatch", Some("/right_on/0")));
    assert_eq!(finding.message, "the keys cannot be compared: `k` is integer, `k` is string");
    let failure = world.run("join", config, &[("left", &numbers), ("right", &texts)]).await.unwrap_err();
    assert_eq!((failure.code.as_str(), &failure.message), ("type_mismatch", &finding.message));
}

#[tokio::test(flavor = "multi_thread")]
async fn aggregate_knows_its_functions() {
    let world = World::new();
    let table = world.table(FLIGHTS).await;
    let of = |function: &str| json!({ "function": function, "column": "delay" });
    let functions = ["count_values", "sum", "mean", "min", "max", "median", "std", "first", "last", "n_unique"];
    let all: Vec<_> = functions.into_iter().map(of).chain([json!({ "function": "count" })]).collect();
    let config = json!({ "group_by": ["carrier"], "aggregations": all });
    let rows = world.rows(&world.run("aggregate", config, &[("in", &table)]).await.unwrap());
    let expected = json!({ "carrier": "AA", "count_values_delay": 2, "sum_delay": 5, "mean_delay": 2.5, "min_delay": -5,
        "max_delay": 10, "median_delay": 2.5, "std_delay": 112.5_f64.sqrt(), "first_delay": 10, "last_delay": -5,
        "n_unique_delay": 2, "count": 2 });
    assert_eq!(rows[0], expected);
    assert_eq!(
        (&rows[1]["count"], &rows[1]["count_values_delay"], &rows[1]["mean_delay"]),
        (&json!(1), &json!(0), &json!(null))
    );
    let whole = json!({ "aggregations": [{ "function": "count", "name": "n" }] });
    assert_eq!(world.rows(&world.run("aggregate", whole, &[("in", &table)]).await.unwrap()), [json!({ "n": 3 })]);
    let finding = world.finding(
        "aggregate",
        json!({ "aggregations": [{ "function": "mean", "column": "carrier" }] }),
        &[("in", schema(&table))],
    );
    assert_eq!((finding.code, finding.field.as_deref()), ("type_mismatch", Some("/aggregations/0/column")));
}

#[tokio::test(flavor = "multi_thread")]
async fn sort_and_limit() {
    let world = World::new();
    let table = world.table(FLIGHTS).await;
    let by = |nulls_last: bool| json!({ "by": [{ "column": "delay", "descending": true, "nulls_last": nulls_last }] });
    let sorted = world.run("sort", by(true), &[("in", &table)]).await.unwrap();
    assert_eq!(column(&world.rows(&sorted), "flight"), [1, 3, 2]);
    let sorted = world.run("sort", by(false), &[("in", &table)]).await.unwrap();
    assert_eq!(column(&world.rows(&sorted), "flight"), [2, 1, 3]);
    let limited = world.run("limit", json!({ "rows": 1, "offset": 1 }), &[("in", &table)]).await.unwrap();
    assert_eq!(column(&world.rows(&limited), "flight"), [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn union_is_strict_or_by_name() {
    let world = World::new();
    let (a, b, c) =
        (world.table("x,y\n1,a\n").await, world.table("y,x\nb,2.5\n").await, world.table("x,z\n3,c\n").await);
    let both = world.run("union", json!({}), &[("in", &a), ("in", &b)]).await.unwrap();
    assert_eq!(world.rows(&both), [json!({"x":1.0,"y":"a"}), json!({"x":2.5,"y":"b"})]);
    let failure = world.run("union", json!({}), &[("in", &a), ("in", &c)]).await.unwrap_err();
    assert_eq!(failure.message, "table 1 has a column `y` that table 2 does not have");
    let all = world.run("union", json!({ "mode": "by_name" }), &[("in", &a), ("in", &c)]).await.unwrap();
    assert_eq!(world.rows(&all)[1], json!({"x":3,"y":null,"z":"c"}));
    let texts = world.table("x\nnone\n").await;
    let finding = world.finding("union", json!({ "mode": "by_name" }), &[("in", schema(&a)), ("in", schema(&texts))]);
    assert_eq!(finding.message, "`x` is integer in table 1 and string in table 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_joins_its_named_inputs() {
    let world = World::new();
    let flights = world.table(FLIGHTS).await;
    let airlines = world.table("code,name\nAA,American\nUA,United\n").await;
    let query = "WITH late AS (SELECT * FROM in1 WHERE delay IS NOT NULL) \
                 SELECT a.name, COUNT(*) AS n FROM late AS l JOIN in2 AS a ON l.carrier = a.code GROUP BY a.name";
    let result = world.run("sql", json!({ "query": query }), &[("in", &flights), ("in", &airlines)]).await.unwrap();
    assert_eq!(world.rows(&result), [json!({ "name": "American", "n": 2 })]);
}

/// An input of JSON is a table when it is a list of objects.
#[tokio::test(flavor = "multi_thread")]
async fn json_items_are_a_table() {
    let world = World::new();
    let items = Payload::Json { value: json!([{ "a": 1, "b": "x" }, { "a": 2.5 }]) };
    let kept = world.execute("filter", json!({ "expression": "a > 2" }), &[("in", &items)]).await.unwrap();
    let troupe_engine::node::Outcome::Completed(outputs) = kept else { panic!("waits") };
    assert_eq!(world.rows(&outputs[0].payload), [json!({ "a": 2.5, "b": null })]);
    let text = Payload::Json { value: json!("text") };
    let failure = world.execute("filter", json!({ "expression": "a > 2" }), &[("in", &text)]).await.unwrap_err();
    assert_eq!(failure.code, "not_a_table");
}
