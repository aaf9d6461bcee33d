//! Every error leaves as RFC 9457 problem details [API-2].
//!
//! Handlers fail with a [`Problem`]; [`render`], a layer around the whole router, writes it with what only the
//! edge knows (instance, request id, time), and gives a problem to bare errors of the framework as well.
//! A cause of a 5xx is logged, never told.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use troupe_model::{Clock, FieldError, Timestamp};

use crate::http::request_id::RequestId;

mod causes;

pub const CONTENT_TYPE: &str = "application/problem+json";

/// A failed request. Wraps the content; the edge adds the rest.
#[derive(Clone, Debug)]
pub struct Problem {
    content: Box<troupe_model::Problem>,
    retry_after_s: Option<u64>,
}

/// The body of every error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// What happened this time.
    detail: String,
    /// The path that was asked for.
    instance: String,
    /// Stable and machine-readable, such as `not_found`.
    code: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    solution: Option<String>,
    /// Whether the same request may succeed later.
    retryable: bool,
    timestamp: Timestamp,
    request_id: String,
    /// What is wrong with which field of the request's body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &str, title: &str, detail: impl Into<String>) -> Self {
        troupe_model::Problem::new(status.as_u16(), code, title, detail).into()
    }

    /// Nothing that the caller may see has that id.
    pub fn not_found(what: &str) -> Self {
        let detail = format!("there is no such {what}, or you may not see it");
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
    }

    pub fn unauthenticated(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Not signed in", detail)
            .solution("sign in, and send the access token as `Authorization: Bearer …`")
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    pub fn bad_request(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, "Bad request", detail)
    }

    /// The request was understood and is wrong.
    pub fn invalid(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, "Invalid request", detail)
    }

    /// One field of the request's body is wrong.
    pub fn invalid_field(pointer: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let told = if pointer.is_empty() { detail.clone() } else { format!("`{pointer}`: {detail}") };
        Self::invalid("invalid_field", told).field(pointer, detail).solution("look at /api/docs for what it may be")
    }

    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, "Conflict", detail)
    }

    pub fn too_many(detail: impl Into<String>, retry_after_s: u64) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests", detail)
            .solution(format!("wait {retry_after_s} seconds"));
        problem.content.retryable = true;
        problem.retry_after_s = Some(retry_after_s);
        problem
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Unavailable", detail)
            .solution("try again in a moment");
        problem.content.retryable = true;
        problem.retry_after_s = Some(1);
        problem
    }

    /// Memory that others have in use.
    pub fn no_room(detail: impl Into<String>) -> Self {
        Self::unavailable(detail).solution("close large workflows that nobody needs to have open, and try again")
    }

    pub fn storage_full(detail: impl Into<String>) -> Self {
        let status = StatusCode::INSUFFICIENT_STORAGE;
        let mut problem = Self::new(status, "storage_full", "No room", detail).solution(
            "ask whoever runs this server to make room on the database's disk; reading goes on, and open canvases \
             keep their edits and save them by themselves when there is room",
        );
        problem.content.retryable = true;
        problem
    }

    /// Logs `cause` and tells nothing of it.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        let causes: Vec<String> =
            std::iter::successors(cause.source(), |cause| cause.source()).map(ToString::to_string).collect();
        tracing::error!(error = %cause, ?causes, "request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal error",
            "something went wrong on our side; it has been logged",
        )
        .solution("try again; if it happens again, report the request id")
    }

    #[must_use]
    pub fn solution(mut self, solution: impl Into<String>) -> Self {
        self.content.solution = Some(solution.into());
        self
    }

    #[must_use]
    pub fn detailed(mut self, detail: impl Into<String>) -> Self {
        self.content.detail = detail.into();
        self
    }

    #[must_use]
    pub fn field(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.content.errors.push(FieldError::new(pointer, detail));
        self
    }

    #[must_use]
    pub fn fields(mut self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        self.content.errors.extend(errors);
        self
    }

    pub fn code(&self) -> &str {
        &self.content.code
    }

    pub fn detail(&self) -> &str {
        &self.content.detail
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.content.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What a bare error status of the framework means.
    fn of_status(status: StatusCode) -> Self {
        let (code, detail, solution) = match status {
            StatusCode::NOT_FOUND => {
                ("no_such_route", "there is nothing at this path", "look at /api/docs for what there is")
            }
            StatusCode::METHOD_NOT_ALLOWED => (
                "method_not_allowed",
                "this path does not support that method",
                "use one of those that the `Allow` header names",
            ),
            StatusCode::REQUEST_TIMEOUT => {
                ("timeout", "the request took too long and was given up", "ask for less at once, or try again later")
            }
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("body_too_large", "the request's body is larger than the limit", "send less at once")
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "unsupported_media_type",
                "that content type is not understood",
                "look at /api/docs for what this path takes: JSON, in most cases, as `application/json`",
            ),
            status if status.is_server_error() => (
                "internal",
                "something went wrong on our side",
                "try again; if it happens again, report the request id",
            ),
            _ => ("bad_request", "the request was not understood", "look at /api/docs for what this path takes"),
        };
        Self::new(status, code, status.canonical_reason().unwrap_or("Error"), detail).solution(solution)
    }

    fn body(&self, instance: String, request_id: String, timestamp: Timestamp) -> ProblemBody {
        let content = (*self.content).clone();
        ProblemBody {
            kind: format!("urn:troupe:problem:{}", content.code),
            title: content.title,
            status: content.status,
            detail: content.detail,
            instance,
            code: content.code,
            solution: content.solution,
            retryable: content.retryable,
            timestamp,
            request_id,
            errors: content.errors,
        }
    }
}

impl From<troupe_model::Problem> for Problem {
    fn from(content: troupe_model::Problem) -> Self {
        Self { content: Box::new(content), retry_after_s: None }
    }
}

/// Carries the problem to [`render`].
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The layer that writes every error.
pub async fn render(State(clock): State<Arc<dyn Clock>>, request: Request, next: Next) -> Response {
    let instance = request.uri().path().to_owned();
    let request_id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let problem = match response.extensions().get::<Problem>() {
        Some(problem) => problem.clone(),
        None if response.headers().contains_key(header::CONTENT_TYPE) && !is_plain(&response) => return response,
        None => Problem::of_status(status),
    };
    let (mut parts, _) = response.into_parts();
    let body = serde_json::to_vec(&problem.body(instance, request_id, clock.now())).unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = problem.retry_after_s {
        parts.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        parts.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    Response::from_parts(parts, Body::from(Bytes::from(body)))
}

/// The framework's own errors are plain text.
fn is_plain(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| value.starts_with("text/plain"))
}
