//! The web app, embedded in the binary. Paths that are no file and no API get its `index.html`: it routes itself.

use axum::{
    body::Body,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Dist;

const INDEX: &str = "index.html";
/// Vite names what is in here by its content.
const HASHED_FOLDER: &str = "assets/";
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Troupe</title>\
    <body style=\"font-family:system-ui;max-width:40rem;margin:4rem auto\"><h1>Troupe is running</h1>\
    <p>The web app was not built into this binary. Build it with <code>make web</code> (or <code>cd web &amp;&amp; \
    npm ci &amp;&amp; npm run build</code>), then build the server again.</p>\
    <p>The API is here: <a href=\"/api/docs/\">/api/docs</a>.</p></body></html>";

/// The fallback of the whole router.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if !matches!(method, Method::GET | Method::HEAD) || belongs_to_the_api(path) {
        return StatusCode::NOT_FOUND.into_response();
    }
    if let Some(file) = Dist::get(path) {
        return respond(path, file, &headers);
    }
    if !wants_html(&headers) || path.starts_with(HASHED_FOLDER) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match Dist::get(INDEX) {
        Some(index) => respond(INDEX, index, &headers),
        None => Html(NOT_BUILT).into_response(),
    }
}

fn belongs_to_the_api(path: &str) -> bool {
    ["api", "health", "metrics", "ws", "collab"].contains(&path.split('/').next().unwrap_or_default())
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_none_or(|accept| accept.contains("text/html") || accept.contains("*/*"))
}

fn respond(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let hash: String = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{hash}\"");
    let cache = if path.starts_with(HASHED_FOLDER) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == etag.as_bytes());
    let validators = [(header::ETAG, etag), (header::CACHE_CONTROL, cache.to_owned())];
    if known {
        return (StatusCode::NOT_MODIFIED, validators).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, file.metadata.mimetype().to_owned())];
    (validators, content_type, Body::from(file.data.into_owned())).into_response()
}
