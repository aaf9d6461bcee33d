//! The description of the API, and the page that shows it.

use std::path::Path;

use reqwest::StatusCode;

use crate::app::{Answer, TestApp};

/// [API-1] The web client's types are generated from this file.
#[test]
fn the_web_knows_this_api() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/openapi.json");
    let kept = std::fs::read_to_string(path).unwrap();
    let current = troupe::docs::openapi_json().unwrap();
    assert!(kept == current, "web/openapi.json is not this API's: run `troupe openapi > web/openapi.json`");
}

/// [API-1] OpenAPI 3.1, whose references all lead somewhere.
#[tokio::test]
async fn the_description_is_whole() {
    let app = TestApp::start().await;
    let description = app.anonymous().get("/api/openapi.json").await.body_of(StatusCode::OK).await;
    assert_eq!(description["openapi"], "3.1.0");
    let text = description.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let target = reference.split('"').next().unwrap();
        let pointer = target.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{target}");
    }
    app.stop().await;
}

/// [API-1] The page needs no inline script.
#[tokio::test]
async fn the_page_is_served() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let page = client.get("/api/docs/").await.text().await.unwrap();
    assert!(page.contains("swagger-ui"), "{page}");
    for script in page.split("<script").skip(1) {
        assert!(script.trim_start().starts_with("src="), "{script}");
    }
    let initializer = client.get("/api/docs/swagger-initializer.js").await.text().await.unwrap();
    assert!(initializer.contains("/api/openapi.json"), "{initializer}");
    app.stop().await;
}
