//! Mistakes, and what people are told of them [NODE-2].

use serde_json::{Value, json};

use crate::world::{World, schema};

const TABLE: &str = "carrier,delay\nAA,1\n";

/// The code, message and solution of reading a file that holds `content`.
async fn read(name: &str, content: &[u8], config: Value) -> (String, String, String) {
    let world = World::new();
    world.file(name, content);
    let mut whole = json!({ "path": name });
    whole.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    let failure = world.run("read_file", whole, &[]).await.unwrap_err();
    assert!(world.payload_files().is_empty(), "{:?}", world.payload_files());
    (failure.code, failure.message, failure.solution.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_named_at_design_time_and_in_the_run() {
    let world = World::new();
    let finding = world.finding("read_file", json!({ "path": "no.csv" }), &[]);
    assert_eq!((finding.code, finding.field.as_deref()), ("file_not_found", Some("/path")));
    let failure = world.run("read_file", json!({ "path": "no.csv" }), &[]).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.message.as_str()), ("file_not_found", "there is no file `no.csv`"));
    let outside = world.run("read_file", json!({ "path": "../secret.csv" }), &[]).await.unwrap_err();
    assert_eq!(outside.code, "invalid_path");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_what_they_say() {
    assert_eq!(read("a.csv", b"", json!({})).await.0, "empty_file");
    assert_eq!(read("a.csv.gz", b"not gzip", json!({})).await.0, "invalid_gzip");
    assert_eq!(read("a.csv.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0], json!({})).await.0, "invalid_gzip");
    assert_eq!(read("a.parquet", b"PAR1 no", json!({})).await.0, "invalid_parquet");
    assert_eq!(read("a.dat", b"a,b\n1,2\n", json!({})).await.0, "unknown_format");
    assert_eq!(read("a.csv", b"a,b\n1,2,3\n", json!({})).await.0, "ragged_rows");
    assert_eq!(read("a.csv", b"a\n\xff\xfe\n", json!({})).await.0, "invalid_encoding");
    let (code, message, fix) = read("a.csv", b"abc\n1\n", json!({ "types": { "abd": "integer" } })).await;
    assert_eq!(
        (code.as_str(), message.as_str(), fix.as_str()),
        ("unknown_column", "there is no column `abd`", "did you mean `abc`?")
    );
}

/// A value that does not fit the inferred type names column and value, and how to go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_type_mismatch_far_down_the_file() {
    let (code, message, fix) = read("a.csv", b"n,m\n1,2\n2,3\nmany,4\n", json!({ "infer_rows": 2 })).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("type_mismatch", "column `n` is integer, but the file has `many` in it")
    );
    assert!(fix.contains("`types`") && fix.contains("`infer_rows`"), "{fix}");
    let (code, message, _) = read("a.csv", b"at\n2013-01-01\nsoon\nlater\n", json!({ "infer_rows": 1 })).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("conversion_failed", "`at` could not become date in 2 rows, such as `soon`")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_bad_json_lines() {
    let (code, message, _) = read("a.ndjson", b"{\"a\": 1}\n{\"a\": \n", json!({})).await;
    assert_eq!(code, "invalid_json", "{message}");
}

/// [CANVAS-5] A column that does not exist is a diagnostic with what was probably meant, and fails a run the same way.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_columns_are_found_everywhere() {
    let world = World::new();
    let table = world.table(TABLE).await;
    let cases = [
        ("filter", json!({ "expression": "dealy > 1" }), "/expression"),
        ("select", json!({ "columns": [{ "column": "dealy" }] }), "/columns/0/column"),
        ("derive", json!({ "columns": [{ "name": "x", "expression": "dealy + 1" }] }), "/columns/0/expression"),
        ("cast", json!({ "columns": [{ "column": "dealy", "type": "string" }] }), "/columns/0/column"),
        ("aggregate", json!({ "group_by": ["dealy"], "aggregations": [{ "function": "count" }] }), "/group_by/0"),
        ("aggregate", json!({ "aggregations": [{ "function": "sum", "column": "dealy" }] }), "/aggregations/0/column"),
        ("sort", json!({ "by": [{ "column": "dealy" }] }), "/by/0/column"),
        ("sql", json!({ "query": "SELECT dealy FROM input" }), "/query"),
    ];
    for (node_type, config, field) in cases {
        let finding = world.finding(node_type, config.clone(), &[("in", schema(&table))]);
        assert_eq!((finding.code, finding.field.as_deref()), ("unknown_column", Some(field)), "{node_type}");
        assert_eq!(finding.message, "there is no column `dealy`", "{node_type}");
        assert_eq!(finding.fix.as_deref(), Some("did you mean `delay`?"), "{node_type}");
        let failure = world.run(node_type, config, &[("in", &table)]).await.unwrap_err();
        assert_eq!((failure.code, failure.message), (finding.code.to_owned(), finding.message));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_that_cannot_be() {
    let world = World::new();
    let table = world.table(TABLE).await;
    let cases = [
        ("delay >", "invalid_expression"),
        ("delay > 1 WHERE", "invalid_expression"),
        ("NO_SUCH_FUNCTION(delay)", "invalid_expression"),
        ("delay + 1", "not_a_condition"),
        ("delay IN (SELECT column_1 FROM read_csv('/etc/passwd'))", "invalid_expression"),
    ];
    for (expression, code) in cases {
        let finding = world.finding("filter", json!({ "expression": expression }), &[("in", schema(&table))]);
        assert_eq!((finding.code, finding.field.as_deref()), (code, Some("/expression")), "{expression}: {finding:?}");
    }
    let finding = world.finding("filter", json!({ "expression": "delay >" }), &[("in", schema(&table))]);
    assert!(finding.message.contains("line") || finding.message.contains("EOF"), "{}", finding.message);
}

/// [CANVAS-4] Text compared with a number is told while editing, and in the same words by a run.
#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_of_different_types_is_a_finding() {
    let world = World::new();
    let table = world.table(TABLE).await;
    for expression in ["carrier > 1", "delay = 'late'"] {
        let config = json!({ "expression": expression });
        let finding = world.finding("filter", config.clone(), &[("in", schema(&table))]);
        assert_eq!((finding.code, finding.field.as_deref()), ("type_mismatch", Some("/expression")), "{finding:?}");
        let failure = world.run("filter", config, &[("in", &table)]).await.unwrap_err();
        assert_eq!(failure.code, "type_mismatch", "{failure:?}");
        assert!(failure.solution.unwrap().contains("CAST"));
    }
}

/// [SEC-1] Polars' table functions read any file of the server: they are refused wherever they stand.
#[tokio::test(flavor = "multi_thread")]
async fn sql_reads_nothing_but_its_inputs() {
    let world = World::new();
    world.file("secret.csv", "a\n1\n");
    let secret = world.path("secret.csv").display().to_string();
    let table = world.table(TABLE).await;
    let read = format!("read_csv('{secret}')");
    let queries = [
        format!("SELECT * FROM {read}"),
        format!("SELECT * FROM input WHERE delay IN (SELECT a FROM {read})"),
        format!("WITH x AS (SELECT * FROM {read}) SELECT * FROM x"),
        format!("SELECT * FROM input JOIN {read} AS s ON s.a = input.delay"),
        format!("SELECT * FROM input UNION ALL SELECT a, a FROM {read}"),
        format!("SELECT (SELECT a FROM {read}) FROM input"),
        format!("SELECT * FROM (SELECT * FROM {read}) AS s"),
        format!("SELECT * FROM (input JOIN READ_CSV('{secret}') AS s ON s.a = input.delay)"),
        format!("SELECT delay FROM input ORDER BY (SELECT a FROM {read})"),
        format!("CREATE TABLE t AS SELECT * FROM {read}"),
        format!("EXPLAIN SELECT * FROM {read}"),
        format!("SELECT * FROM \"{secret}\""),
        "DROP TABLE input".to_owned(),
        "DELETE FROM input".to_owned(),
        "SHOW TABLES".to_owned(),
        "SELECT 1; SELECT 2".to_owned(),
        String::new(),
    ];
    for query in queries {
        let finding = world.finding("sql", json!({ "query": query }), &[("in", schema(&table))]);
        assert!(["invalid_sql", "unknown_table"].contains(&finding.code), "{query}: {finding:?}");
        let failure = world.run("sql", json!({ "query": query }), &[("in", &table)]).await.unwrap_err();
        assert_eq!(failure.code, finding.code, "{query}");
    }
}

/// [SEC-1] Polars recurses over what is chained: a long text is computed or refused, and overflows no stack.
#[tokio::test(flavor = "multi_thread")]
async fn long_chains_overflow_no_stack() {
    let world = World::new();
    let table = world.table(TABLE).await;
    let or = |more: usize| format!("delay = 1{}", " OR delay = 1".repeat(more));
    let computed = world.run("filter", json!({ "expression": or(200) }), &[("in", &table)]).await;
    assert!(computed.is_ok(), "{computed:?}");
    let expressions =
        [or(7_000), format!("1{} > 0", "+1".repeat(40_000)), format!("delay{}", " IS NULL".repeat(10_000))];
    for expression in expressions {
        let finding = world.finding("filter", json!({ "expression": expression }), &[("in", schema(&table))]);
        assert_eq!(finding.code, "invalid_expression");
        assert!(finding.message.starts_with("more than "), "{}", finding.message);
        let failure = world.run("filter", json!({ "expression": expression }), &[("in", &table)]).await.unwrap_err();
        assert_eq!(failure.message, finding.message);
    }
    let links: String = (1..500).map(|i| format!(", c{i} AS (SELECT * FROM c{})", i - 1)).collect();
    let queries = [
        format!("SELECT 1{} AS n FROM input", "+1".repeat(40_000)),
        format!("SELECT delay FROM input{}", " UNION ALL SELECT delay FROM input".repeat(2_500)),
        format!("SELECT 1 AS n{}", " UNION ALL SELECT 1".repeat(4_000)),
        format!("WITH c0 AS (SELECT * FROM input){links} SELECT * FROM c499"),
    ];
    for query in queries {
        let finding = world.finding("sql", json!({ "query": query }), &[("in", schema(&table))]);
        assert_eq!((finding.code, finding.field.as_deref()), ("invalid_sql", Some("/query")), "{}", finding.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_table_and_a_syntax_error() {
    let world = World::new();
    let table = world.table(TABLE).await;
    let finding = world.finding("sql", json!({ "query": "SELECT * FROM inptu" }), &[("in", schema(&table))]);
    assert_eq!((finding.code, finding.fix.as_deref()), ("unknown_table", Some("did you mean `input`?")));
    let finding = world.finding("sql", json!({ "query": "SELECT *\nFORM input" }), &[("in", schema(&table))]);
    assert_eq!(finding.code, "invalid_sql");
    assert!(finding.message.contains("line 2, column"), "{}", finding.message);
}

/// Whatever is typed, a check answers; it does not panic.
#[tokio::test(flavor = "multi_thread")]
async fn checks_survive_odd_expressions() {
    let world = World::new();
    let table = world.table("a,b,c,d\n1,x,2013-01-01T00:00:00Z,1.5\n").await;
    let odd = [
        "*",
        "a.b",
        "a[0]",
        "ARRAY[a, d]",
        "SUM(a) OVER (PARTITION BY b)",
        "CAST(b AS DATE)",
        "c > '2013-01-01'",
        "INTERVAL '1 day'",
        "c + INTERVAL '1 day'",
        "EXTRACT(year FROM c)",
        "b LIKE '%'",
        "b ~ '['",
        "a BETWEEN 1 AND b",
        "STRUCT(a)",
        "((((a))))",
        "CASE WHEN a THEN b ELSE d END",
        "COLUMNS('.*')",
        "UNNEST(a)",
        "-b",
        "NOT a",
        "a || b",
        "SUBSTR(b, -1)",
        "1/0",
        "COALESCE(a, b)",
        "DATE_PART('nothing', c)",
        "STRFTIME(c, '%')",
        "ROUND(a, -1)",
        "REPEAT(b, 5)",
        "'",
        "\"",
        "a -- b",
        "/*",
    ];
    for expression in odd {
        for (node_type, config) in [
            ("filter", json!({ "expression": expression })),
            ("derive", json!({ "columns": [{ "name": "x", "expression": expression }] })),
            ("sql", json!({ "query": format!("SELECT {expression} FROM input") })),
        ] {
            let checked = world.check(node_type, config.clone(), &[("in", schema(&table))]);
            assert_eq!(checked.findings.is_empty(), checked.outputs.contains_key("out"), "{expression}");
            if let Ok(payload) = world.execute(node_type, config, &[("in", &table)]).await {
                let troupe_engine::node::Outcome::Completed(outputs) = payload else { panic!("waits") };
                let checked = checked.outputs.get("out").map(|schema| schema.as_deref().cloned());
                assert_eq!(checked, Some(schema(&outputs[0].payload)), "{node_type} {expression}");
            }
        }
    }
}
