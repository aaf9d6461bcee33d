//! Errors say what is wrong, in one shape; limits hold; every answer has its headers.

use reqwest::{Method, StatusCode, header};
use serde_json::json;

use crate::app::{Answer, TestApp};

/// [API-2] What the router itself refuses has the same shape as what handlers refuse, and says what to do.
#[tokio::test]
async fn the_router_speaks_problems_too() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let put = ann.request(Method::PUT, "/api/v1/workspaces").send().await.unwrap();
    let plain = ann.request(Method::POST, "/api/v1/workspaces").body("name=x").send().await.unwrap();
    for problem in [
        ann.get("/api/v1/nowhere").await.problem(404, "no_such_route").await,
        ann.get("/api/v1/workspaces/not-a-uuid").await.problem(400, "malformed_id").await,
        ann.get("/api/v1/workspaces?limit=x").await.problem(400, "malformed_query").await,
        put.problem(405, "method_not_allowed").await,
        plain.problem(415, "unsupported_media_type").await,
    ] {
        assert!(problem["solution"].is_string(), "{problem}");
    }
    app.stop().await;
}

/// [API-2] A wrong body is told with a pointer to what is wrong.
#[tokio::test]
async fn wrong_bodies_are_pointed_at() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    for (body, code, pointer) in [
        (r#"{"name": "#, "malformed_json", ""),
        (r#"{"name": 7}"#, "invalid_field", "/name"),
        (r#"{"name": "x", "colour": "red"}"#, "invalid_field", "/colour"),
        (r#"{}"#, "invalid_field", ""),
    ] {
        let request = ann.request(Method::POST, "/api/v1/workspaces").header(header::CONTENT_TYPE, "application/json");
        let problem = request.body(body).send().await.unwrap().problem(422, code).await;
        assert!(problem["errors"][0]["pointer"].as_str().unwrap().starts_with(pointer), "{problem}");
    }
    app.stop().await;
}

/// [SEC-1] JSON 200 levels deep, a name of 1 MB, a body over the limit: each a clear refusal that harms nothing.
#[tokio::test]
async fn limits_are_named() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let deep = format!("{{\"name\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let request = ann.request(Method::POST, "/api/v1/workspaces").header(header::CONTENT_TYPE, "application/json");
    let problem = request.body(deep).send().await.unwrap().problem(422, "json_too_deep").await;
    assert!(problem["detail"].as_str().unwrap().contains("64 levels"), "{problem}");

    let problem = ann.post("/api/v1/workspaces", &json!({ "name": "x".repeat(1_000_000) })).await;
    let problem = problem.problem(422, "invalid_field").await;
    assert_eq!(problem["errors"][0]["pointer"], "/name");
    assert!(problem["detail"].as_str().unwrap().contains("1 to 200 characters"), "{problem}");

    let problem = ann.post("/api/v1/workspaces", &json!({ "name": "x".repeat(3_000_000) })).await;
    let problem = problem.problem(413, "body_too_large").await;
    assert!(problem["detail"].as_str().unwrap().contains("2097152"), "{problem}");

    ann.create("/api/v1/workspaces", json!({ "name": "still fine" })).await;
    app.stop().await;
}

/// [SEC-1] Security headers and a request id are on every answer; a sane id of the client's is kept.
#[tokio::test]
async fn every_answer_has_its_headers() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    for path in ["/", "/api/v1/auth/me", "/api/openapi.json", "/health/live", "/nowhere.png"] {
        let response = client.request(Method::GET, path).header("x-request-id", "trace-7").send().await.unwrap();
        let headers = response.headers();
        assert_eq!(headers["x-request-id"], "trace-7", "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        let csp = headers["content-security-policy"].to_str().unwrap();
        assert!(csp.contains("script-src 'self';") && csp.contains("frame-ancestors 'none'"), "{path}: {csp}");
        assert!(!headers.contains_key("access-control-allow-origin"), "{path}");
    }
    let strange = client.request(Method::GET, "/").header("x-request-id", "a b").send().await.unwrap();
    assert_ne!(strange.headers()["x-request-id"], "a b");
    app.stop().await;
}

/// The web app routes itself: its pages get `index.html`, missing files and API paths do not.
#[tokio::test]
async fn pages_are_the_web_apps() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    for (path, accept, status) in [
        ("/", "text/html", 200),
        ("/workflows/7", "text/html,*/*", 200),
        ("/workflows/7", "application/json", 404),
        ("/assets/missing.js", "*/*", 404),
        ("/api/missing", "text/html", 404),
    ] {
        let response = client.request(Method::GET, path).header(header::ACCEPT, accept).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path} {accept}");
        let expected = if status == 200 { "text/html" } else { "application/problem+json" };
        assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with(expected), "{path} {accept}");
    }
    client.post("/workflows/7", &json!({})).await.problem(404, "no_such_route").await;
    app.stop().await;
}

/// [SEC-1] Other origins may call only when they are listed.
#[tokio::test]
async fn cors_is_by_list() {
    let app = TestApp::with(|config| config.cors.origins = vec!["https://app.example.com".to_owned()]).await;
    let allowed = async |origin: &str| {
        let request = app.anonymous().request(Method::OPTIONS, "/api/v1/workspaces");
        let request = request.header(header::ORIGIN, origin).header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        request.send().await.unwrap().headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned()
    };
    assert_eq!(allowed("https://app.example.com").await.unwrap(), "https://app.example.com");
    assert_eq!(allowed("https://evil.example.com").await, None);
    app.stop().await;
}

/// [OPS-4] Alive, ready with its checks, metrics; details for owners.
#[tokio::test]
async fn health_is_told() {
    let app = TestApp::start().await;
    let (ann, client) = (app.tenant("ann").await, app.anonymous());
    assert_eq!(client.get("/health/live").await.status(), StatusCode::OK);
    let ready = client.get("/health/ready").await.body_of(StatusCode::OK).await;
    let names: Vec<_> =
        ready["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!((ready["status"].as_str().unwrap(), names), ("ready", vec!["database", "disk", "durability", "actors"]));
    let detailed = ann.get("/health/detailed").await.body_of(StatusCode::OK).await;
    assert_eq!(detailed["database"], "sqlite");
    for client in [&ann, &client] {
        client.get("/metrics").await.problem(401, "unauthenticated").await;
    }
    client.request(Method::from_bytes(b"BREW-1").unwrap(), "/health/live").send().await.unwrap();
    let metrics = app.metrics().await;
    assert!(metrics.contains("http_request_duration_seconds"), "{metrics}");
    assert!(!metrics.contains("BREW") && metrics.contains("method=\"other\""), "{metrics}");
    app.stop().await;
}

/// [RUN-24] A run that cannot start says why, with the place.
#[tokio::test]
async fn an_invalid_workflow_does_not_start() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let diagram = json!({ "nodes": [{ "id": "n", "data": { "nodeType": "teleport" } }] });
    let path = format!("/api/v1/workflows/{workflow}");
    ann.request(Method::PUT, &format!("{path}/diagram"))
        .json(&diagram)
        .send()
        .await
        .unwrap()
        .body_of(StatusCode::OK)
        .await;
    let problem = ann.post(&format!("{path}/runs"), &json!({})).await.problem(422, "workflow_invalid").await;
    assert!(problem["errors"][0]["pointer"].as_str().unwrap().starts_with("/diagram/nodes/n"), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("teleport"), "{problem}");
    let unknown = json!({ "parameters": { "x": 1 } });
    ann.post(&format!("{path}/runs"), &unknown).await.problem(422, "invalid_field").await;
    app.stop().await;
}
