//! What a response means to the node.

use reqwest::{StatusCode, header::CONTENT_TYPE};
use serde_json::{Map, Value, json};
use troupe_model::NodeFailure;

use crate::egress::Response;

/// How much of an unwelcome body is shown.
const SHOWN_CHARS: usize = 500;

/// Errors: `bad_status`.
pub(super) fn expect(response: &Response, status: Option<u16>, asked: &str) -> Result<(), NodeFailure> {
    let welcome = match status {
        Some(expected) => response.status.as_u16() == expected,
        None => response.status.is_success(),
    };
    if welcome {
        return Ok(());
    }
    let failure = NodeFailure::new("bad_status", format!("{asked} answered {}", response.status))
        .reason(match start(&response.body) {
            body if body.is_empty() => "the response has no body".to_owned(),
            body => body,
        })
        .solution("check the request; the reason shows the start of the answer");
    Err(if may_pass(response.status) { failure.retryable() } else { failure })
}

/// Errors: `invalid_json`, `unsupported_response`.
pub(super) fn read(response: Response) -> Result<Value, NodeFailure> {
    let media_type = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if is_json(media_type) && !response.body.is_empty() {
        return serde_json::from_slice(&response.body).map_err(|error| {
            NodeFailure::new("invalid_json", "the service says that it sent JSON, but it did not")
                .reason(format!("{error}; the answer starts with: {}", start(&response.body)))
                .solution("check the URL, and the service")
        });
    }
    let body = String::from_utf8(response.body).map_err(|_| {
        NodeFailure::new("unsupported_response", "the answer is neither JSON nor text")
            .reason(format!("its type is `{media_type}`"))
            .solution("request JSON or text")
    })?;
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Map<_, _> =
        response.headers.iter().map(|(name, value)| (name.to_string(), Value::String(text(value)))).collect();
    Ok(json!({"status": response.status.as_u16(), "headers": headers, "body": body}))
}

/// `application/json`, and what is JSON by its suffix, such as `application/geo+json`.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}

/// Whether the service may answer better later.
fn may_pass(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) || status.is_server_error()
}

fn start(body: &[u8]) -> String {
    // A character has at most four bytes.
    let bytes = &body[..body.len().min(SHOWN_CHARS * 4)];
    String::from_utf8_lossy(bytes).chars().take(SHOWN_CHARS).collect()
}
