//! What is told of a broken file, and what does not leave with a good one.

use serde_json::json;
use troupe_model::workflow_file::{FORMAT_VERSION, LEFT_OUT};

use super::{
    secret_text::{names_a_secret, without_secrets},
    *,
};
use crate::registry::Registry;

fn told(file: &Value) -> Vec<(String, String, String)> {
    let told = |error: FieldError| (error.pointer, error.detail, error.solution.unwrap());
    read(file).unwrap_err().into_iter().map(told).collect()
}

/// [CANVAS-8] Every mistake of shape is told at once: where, what, and what to do.
#[test]
fn every_mistake_of_shape_is_told() {
    let file = json!({
        "format_version": "one", "name": 7, "colour": "red", "tags": ["a", 2],
        "diagram": {
            "nodes": [
                { "id": 1, "data": { "nodeType": "limit", "config": [] } },
                { "id": "b", "position": { "x": "left" } },
                "c",
            ],
            "edges": [{ "id": "e", "source": "b" }],
        },
    });
    let mut told = told(&file);
    told.sort();
    let expected = [
        ("/colour", "`colour` is unknown here", "remove it, or check its spelling"),
        ("/diagram/edges/0/target", "`target` is missing", "fill in `target`"),
        ("/diagram/nodes/0/data/config", "[] is not an object", "give an object"),
        ("/diagram/nodes/0/id", "1 is not a text", "give a text"),
        ("/diagram/nodes/1/data", "`data` is missing", "fill in `data`"),
        ("/diagram/nodes/1/position/x", "\"left\" is not a number", "give a number"),
        ("/diagram/nodes/1/position/y", "`y` is missing", "fill in `y`"),
        ("/diagram/nodes/2", "\"c\" is not an object", "give an object"),
        ("/format_version", "\"one\" is not a whole number", "give a whole number"),
        ("/name", "7 is not a text", "give a text"),
        ("/tags/1", "2 is not a text", "give a text"),
    ];
    let expected = expected.map(|(at, what, fix)| (at.to_owned(), what.to_owned(), fix.to_owned()));
    assert_eq!(told, expected);
}

#[test]
fn what_a_schema_cannot_say_is_told_as_well() {
    assert_eq!(told(&json!([])).len(), 1);
    let file = json!({ "format_version": 9_000_000_000_u64, "name": "x", "diagram": {} });
    assert_eq!(told(&file).len(), 1);
    let many: Vec<Value> = (0..ERRORS_MAX * 2).map(Value::from).collect();
    assert_eq!(read_diagram(&json!({ "nodes": many })).unwrap_err().len(), ERRORS_MAX);
}

/// React Flow writes more than is read.
#[test]
fn a_good_file_is_read() {
    let node = json!({ "id": "a", "selected": true, "measured": { "width": 1 }, "data": { "nodeType": "limit" } });
    let file = json!({ "format_version": 1, "name": "x", "diagram": { "nodes": [node], "viewport": null } });
    assert_eq!(told(&file)[0].0, "/diagram/viewport");
    let mut good = file;
    good["diagram"].as_object_mut().unwrap().remove("viewport");
    assert_eq!(read(&good).unwrap().diagram.nodes[0].id, "a");
    assert_eq!(read(&serde_json::to_value(read(&good).unwrap()).unwrap()).unwrap(), read(&good).unwrap());
}

fn exported(parameters: Value, nodes: Value) -> WorkflowFile {
    let file = json!({
        "format_version": FORMAT_VERSION, "name": "x", "parameters": parameters, "diagram": { "nodes": nodes },
    });
    let mut file = read(&file).unwrap();
    leave_out_secrets(&mut file, &Registry::standard());
    file
}

fn request(config: Value) -> Value {
    json!([{ "id": "call", "data": { "nodeType": "http_request", "config": config } }])
}

/// [CANVAS-8] [SEC-2] Headers, parameters, addresses and bodies go out without their secrets, and the file says where.
#[test]
fn secrets_stay_at_home() {
    let config = json!({
        "url": "https://ann:hunter2@api.example.org/items?page=2&api_key=hunter3",
        "headers": { "Authorization": "Bearer hunter4", "X-Api-Key": "hunter5", "Accept": "text/csv" },
        "query": { "key": "hunter6", "limit": "10" },
        "body": r#"{"user": "ann", "password": "hunter7", "sort_key": "delay"}"#,
        "timeout_ms": 1000,
        "unknown": { "clientSecret": "hunter8", "max_tokens": 5, "kept": true },
    });
    let file = exported(json!({ "db_password": "hunter9", "token": 10, "origin": "JFK" }), request(config));
    let text = serde_json::to_string(&file).unwrap();
    assert!(!text.contains("hunter"), "{text}");
    let config = &file.diagram.nodes[0].data.config;
    assert_eq!(config["url"], "https://ann:{{secret}}@api.example.org/items?page=2&api_key={{secret}}");
    assert_eq!(config["headers"], json!({ "Authorization": LEFT_OUT, "X-Api-Key": LEFT_OUT, "Accept": "text/csv" }));
    assert_eq!(config["query"], json!({ "key": LEFT_OUT, "limit": "10" }));
    assert_eq!(config["body"], r#"{"user": "ann", "password": "{{secret}}", "sort_key": "delay"}"#);
    assert_eq!(config["unknown"], json!({ "clientSecret": LEFT_OUT, "max_tokens": 5, "kept": true }));
    assert_eq!(Value::from(file.parameters), json!({ "db_password": LEFT_OUT, "token": 10, "origin": "JFK" }));
    let mut places = file.left_out.clone();
    places.sort();
    let at = |place: &str| format!("/diagram/nodes/0/data/config/{place}");
    let expected = ["body", "headers/Authorization", "headers/X-Api-Key", "query/key", "unknown/clientSecret", "url"];
    assert_eq!(places[..6], expected.map(at));
    assert_eq!(places[6..], ["/parameters/db_password"]);
}

/// [CANVAS-8] What was left out once is left out again: a copy exports as the same file.
#[test]
fn an_export_of_an_import_is_the_same() {
    let config =
        json!({ "url": "https://a:b@c.org?sig=d", "headers": { "Cookie": "e", "note": "Bearer 0123456789abcdef" } });
    let mut file = exported(json!({ "token": "f" }), request(config));
    let first = file.clone();
    leave_out_secrets(&mut file, &Registry::standard());
    assert_eq!(file, first);
    assert_eq!(first.left_out.len(), 4);
}

/// A column may be called `password`: that is no secret.
#[test]
fn what_a_schema_describes_is_no_secret_by_name() {
    let nodes = json!([
        { "id": "read", "data": { "nodeType": "read_file", "config": {
            "path": "users.csv", "types": { "password": "text", "token": "integer" } } } },
        { "id": "keep", "data": { "nodeType": "filter", "config": { "expression": "token = 'a' AND password <> ''" } } },
    ]);
    let file = exported(json!({}), nodes.clone());
    assert_eq!(file.left_out, Vec::<String>::new());
    let kept: Vec<_> = file.diagram.nodes.iter().map(|node| Value::from(node.data.config.clone())).collect();
    assert_eq!(kept, [nodes[0]["data"]["config"].clone(), nodes[1]["data"]["config"].clone()]);
}

/// [NODE-1] A field that its schema marks as secret is left out, wherever it is.
#[test]
fn marked_fields_are_left_out() {
    let secret = json!({ "type": "string", "x-ui": { "widget": "secret" } });
    let account = json!({ "type": "object", "properties": { "user": { "type": "string" }, "phrase": secret } });
    let schema = json!({ "type": "object", "properties": {
        "phrase": secret, "maybe": { "anyOf": [account, { "type": "null" }] },
        "all": { "type": "array", "items": account },
    } });
    let account = json!({ "user": "ann", "phrase": "open sesame" });
    let mut config = json!({ "phrase": "open sesame", "maybe": account, "all": [account, account] });
    let places = left_out::in_config(config.as_object_mut().unwrap(), &schema);
    assert_eq!(places, ["/phrase", "/maybe/phrase", "/all/0/phrase", "/all/1/phrase"]);
    assert!(!config.to_string().contains("sesame"), "{config}");
}

#[test]
fn names_tell_secrets() {
    for name in [
        "Authorization",
        "x-api-key",
        "X-API-Key",
        "apiKey",
        "APIKEY",
        "DB_PASSWORD",
        "clientSecret",
        "client_secret",
        "access.token",
        "accesstoken",
        "Set-Cookie",
        "aws_secret_access_key",
        "X-Auth-Token",
        "sig",
    ] {
        assert!(names_a_secret(name), "{name}");
    }
    for name in ["key", "sort_key", "max_tokens", "tokens", "password_column", "Content-Type", "Accept", "author", ""] {
        assert!(!names_a_secret(name), "{name}");
    }
}

#[test]
fn texts_tell_secrets() {
    for (text, without) in [
        ("postgres://ann:hunter2@db/flights", "postgres://ann:*@db/flights"),
        ("see https://0123abc@sentry.example.org/7", "see https://*@sentry.example.org/7"),
        ("client_id=a&client_secret=b&x=c", "client_id=a&client_secret=*&x=c"),
        ("curl -H 'Authorization: Bearer abcdefghijklmnop'", "curl -H 'Authorization: Bearer *'"),
        ("Basic YW5uOmh1bnRlcjI=", "Basic *"),
        ("set key to sk-proj-0123456789abcdefghij.", "set key to *."),
        ("ghp_0123456789abcdefghij0123456789", "*"),
        ("AKIAIOSFODNN7EXAMPLE and more", "* and more"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "*"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n", "*\n"),
    ] {
        assert_eq!(without_secrets(text, "*").as_deref(), Some(without));
    }
    for text in [
        "a bearer of news",
        "Basic understanding of flights",
        "https://example.org/@ann?page=2&sort_key=a",
        "token = 'a' AND password <> ''",
        "{\"key\": \"carrier\"}",
        "git@github.com:a/b.git",
        "http://a.org:80/x@y",
    ] {
        assert_eq!(without_secrets(text, "*"), None, "{text}");
    }
}

/// [REL-12] Many mistakes below a long name: their places are not repeated, each as long as the name.
#[test]
fn many_mistakes_below_a_long_name_cost_little() {
    let started = std::time::Instant::now();
    let file = json!({
        "format_version": 1, "name": "x", "diagram": {}, "dependencies": { "n".repeat(200_000): vec![7; 100_000] },
    });
    let told = told(&file);
    assert_eq!((told.len(), told[0].0.as_str()), (1, "/dependencies"));
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
}
