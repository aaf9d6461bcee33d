//! Against a small service on this machine.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::RawQuery,
    http::{HeaderMap, StatusCode, header},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};
use troupe_model::{NodeFailure, Payload, RunEventKind};

use crate::{
    egress::Egress,
    testing::{Bench, failure, outputs},
};

async fn service() -> (SocketAddr, JoinSet<()>) {
    let many = || async { Json((0..5_000).map(|n| json!({"id": n, "name": format!("item {n}")})).collect::<Vec<_>>()) };
    let echo = |headers: HeaderMap, RawQuery(query): RawQuery, body: String| async move {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Json(json!({
            "type": header("content-type"), "key": header("idempotency-key"), "mine": header("x-mine"),
            "query": query, "body": body,
        }))
    };
    let app = Router::new()
        .route("/items", get(|| async { Json(json!([{"id": 1}, {"id": 2}])) }))
        .route("/many", get(many))
        .route("/text", get(|| async { "hello" }))
        .route("/binary", get(|| async { ([(header::CONTENT_TYPE, "image/png")], vec![0xff_u8, 0xfe]) }))
        .route("/liar", get(|| async { ([(header::CONTENT_TYPE, "application/json")], "<html>") }))
        .route("/gone", get(|| async { (StatusCode::GONE, "it went away") }))
        .route("/busy", get(|| async { StatusCode::SERVICE_UNAVAILABLE }))
        .route("/echo", post(echo))
        .route("/slow", get(|| async { tokio::time::sleep(Duration::from_secs(30)).await }));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, tasks)
}

async fn ask(bench: &Bench, config: Value) -> RunEventKind {
    bench.execute("http_request", config, Vec::new()).await
}

async fn answer(bench: &Bench, config: Value) -> Payload {
    outputs(ask(bench, config).await).remove(0).payload
}

async fn refusal(bench: &Bench, config: Value) -> NodeFailure {
    failure(ask(bench, config).await)
}

#[tokio::test]
async fn a_json_answer_becomes_the_output() {
    let (at, _service) = service().await;
    let payload = answer(&Bench::new(), json!({"url": format!("http://{at}/items")})).await;
    assert_eq!(payload, Payload::Json { value: json!([{"id": 1}, {"id": 2}]) });
}

/// [RUN-11] JSON above the inline limit becomes a table.
#[tokio::test]
async fn a_large_list_of_items_becomes_a_table() {
    let (at, _service) = service().await;
    let payload = answer(&Bench::new(), json!({"url": format!("http://{at}/many")})).await;
    let Payload::Frame { rows, schema, .. } = payload else { panic!("a frame") };
    assert_eq!((rows, schema.columns.len()), (5_000, 2));
}

#[tokio::test]
async fn another_answer_is_given_with_status_and_headers() {
    let (at, _service) = service().await;
    let Payload::Json { value } = answer(&Bench::new(), json!({"url": format!("http://{at}/text")})).await else {
        panic!("JSON")
    };
    assert_eq!((&value["status"], &value["body"]), (&json!(200), &json!("hello")));
    assert!(value["headers"]["content-type"].as_str().unwrap().starts_with("text/plain"));
}

/// [RUN-3] A request that changes something carries the run's stable key.
#[tokio::test]
async fn what_is_configured_is_sent() {
    let (at, _service) = service().await;
    let config = json!({
        "method": "POST", "url": format!("http://{at}/echo?a=1"), "query": {"b": "x y"}, "headers": {"X-Mine": "yes"},
        "body": "{\"n\": 1}",
    });
    let Payload::Json { value } = answer(&Bench::new(), config).await else { panic!("JSON") };
    let expected = json!({
        "type": "application/json", "key": "run/tested", "mine": "yes", "query": "a=1&b=x+y", "body": "{\"n\": 1}",
    });
    assert_eq!(value, expected);
}

/// [NODE-2] Each failure says what it is, and whether to try again.
#[tokio::test]
async fn failures_are_specific() {
    let (at, _service) = service().await;
    let bench = Bench::new();
    let url = |path: &str| json!({"url": format!("http://{at}{path}?token=secret"), "timeout_ms": 300});
    for (path, code, retryable) in [
        ("/gone", "bad_status", false),
        ("/busy", "bad_status", true),
        ("/liar", "invalid_json", false),
        ("/binary", "unsupported_response", false),
        ("/slow", "request_timeout", true),
    ] {
        let failure = refusal(&bench, url(path)).await;
        assert_eq!((failure.code.as_str(), failure.retryable), (code, retryable), "{path}");
        assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
    }
    let gone = refusal(&bench, url("/gone")).await;
    assert!(gone.message.contains("410") && gone.reason.unwrap().contains("it went away"));
    assert_eq!(refusal(&bench, json!({"url": "http://127.0.0.1:1/"})).await.code, "unreachable");
    let mut guarded = Bench::new();
    guarded.egress = Egress::new(false).unwrap();
    assert_eq!(refusal(&guarded, url("/items")).await.code, "address_blocked");
}

#[tokio::test]
async fn an_expected_status_is_a_success() {
    let (at, _service) = service().await;
    let payload = answer(&Bench::new(), json!({"url": format!("http://{at}/gone"), "expect_status": 410})).await;
    assert!(matches!(payload, Payload::Json { value } if value["status"] == 410));
}

/// [RUN-9] A request in flight is given up at once.
#[tokio::test]
async fn a_request_in_flight_is_canceled() {
    let (at, _service) = service().await;
    let bench = Bench::new();
    let config = json!({"url": format!("http://{at}/slow")});
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        bench.cancel.cancel();
    };
    let (report, ()) = tokio::join!(ask(&bench, config), cancel);
    assert!(matches!(report, RunEventKind::NodeCanceled { .. }), "{report:?}");
}

#[test]
fn what_can_be_known_is_told_at_design_time() {
    let bench = Bench::new();
    let finding = |config: Value| {
        let found = bench.check("http_request", &config, None).findings.remove(0);
        (found.code, found.field.unwrap())
    };
    assert_eq!(finding(json!({"url": "example.org"})), ("invalid_url", "/url".to_owned()));
    assert_eq!(finding(json!({"url": "file:///etc/passwd"})), ("invalid_url", "/url".to_owned()));
    let header = json!({"url": "http://example.org", "headers": {"a/b": "x"}});
    assert_eq!(finding(header), ("invalid_header", "/headers/a~1b".to_owned()));
    assert!(bench.check("http_request", &json!({"url": "https://example.org"}), None).findings.is_empty());
}
