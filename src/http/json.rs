//! JSON bodies: sized, shallow, known fields only; what is wrong is said with a pointer to it.

use axum::{
    body::{Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::BytesMut;
use futures::StreamExt;
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, interval};
use troupe_actors::{FREE_BYTES_MAX, Lent, Loan, task};
use troupe_model::problem::escaped;

use super::lent::{self, Borrowed};
use crate::{app::App, problem::Problem};

/// A body of at most `limits.body_bytes_max`.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A body that carries a diagram: at most `limits.diagram_body_bytes_max`.
#[derive(Debug)]
pub struct DiagramJson<T>(pub T);

/// An answer that may be large: it may take milliseconds to write it, and its memory is lent until it is read.
#[derive(Debug)]
pub struct LargeJson<T>(pub Lent<T>);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        read(request, app.config().limits.body_bytes_max, app).await.map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<App> for DiagramJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        read(request, app.config().limits.diagram_body_bytes_max, app).await.map(Self)
    }
}

/// A body that may be left out.
#[derive(Debug)]
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<App> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        Json::from_request(request, app).await.map(|Json(body)| Self(body))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: Serialize> IntoResponse for LargeJson<T> {
    fn into_response(self) -> Response {
        let Lent { value, loan } = self.0;
        let mut response = task::long(|| Json(value).into_response());
        let borrowed = Borrowed::default();
        loan.into_iter().for_each(|loan| borrowed.keep(loan));
        response.extensions_mut().insert(borrowed);
        response
    }
}

/// What is larger may take milliseconds to read.
const LARGE_BODY_BYTES_MIN: usize = 64 << 10;

async fn read<T: DeserializeOwned>(request: Request, bytes_max: usize, app: &App) -> Result<T, Problem> {
    if !is_json(&request) {
        let (status, detail) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is not said to be JSON");
        return Err(Problem::new(status, "unsupported_media_type", "Unsupported media type", detail)
            .solution("send JSON, with `Content-Type: application/json`"));
    }
    let body = bounded(request, bytes_max, app).await?;
    let limits = &app.config().limits;
    let read = || {
        check_shape(&body, limits.json_depth_max, limits.json_values_max)?;
        parse(&body)
    };
    if body.len() < LARGE_BODY_BYTES_MIN { read() } else { task::long(read) }
}

/// What is not small is borrowed for before it is read; nobody lends to strangers.
async fn bounded(request: Request, bytes_max: usize, app: &App) -> Result<Bytes, Problem> {
    let lender = lent::lender(app, &request);
    let bytes_max = if lender.is_some() { bytes_max } else { bytes_max.min(FREE_BYTES_MAX) };
    let hint = request.body().size_hint();
    if hint.lower() > bytes_max as u64 {
        return Err(too_large(bytes_max));
    }
    let declared = hint.exact().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(bytes_max);
    let borrowed = request.extensions().get::<Borrowed>().cloned().unwrap_or_default();
    let mut chunks = request.into_body().into_data_stream();
    let (mut body, mut loan) = (BytesMut::new(), None::<Loan>);
    let (mut began, mut look) = (Instant::now(), interval(lent::LOOK_EVERY));
    loop {
        let chunk = tokio::select! {
            chunk = chunks.next() => chunk,
            _ = look.tick() => match &loan {
                Some(loan) if loan.is_too_slow(body.len(), began.elapsed()) => return Err(too_slow()),
                _ => continue,
            },
        };
        let Some(chunk) = chunk.transpose().map_err(|_| broken())? else { break };
        let bytes = body.len() + chunk.len();
        if bytes > bytes_max {
            return Err(too_large(bytes_max));
        }
        if bytes > FREE_BYTES_MAX
            && loan.is_none()
            && let Some(lender) = &lender
        {
            loan = Some(lender.clone().lend(declared).await);
            began = Instant::now();
            body.reserve(declared.saturating_sub(body.len()));
        }
        body.extend_from_slice(&chunk);
    }
    loan.into_iter().for_each(|loan| borrowed.keep(loan));
    Ok(body.freeze())
}

fn too_large(bytes_max: usize) -> Problem {
    let detail = format!("the body may have {bytes_max} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "Body too large", detail)
        .solution("send less at once")
}

fn broken() -> Problem {
    Problem::bad_request("broken_body", "the body broke off").solution("send the request again")
}

fn too_slow() -> Problem {
    let detail = "the body comes too slowly, and others wait for the memory that it takes";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", "Request Timeout", detail)
        .solution("send the request again, by a faster line or later")
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // What is derived for an object's fields takes them as a list, too, in their order.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::invalid_field("", "expected an object, found a list"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        if inner.is_data() { wrong(&pointer, &inner) } else { malformed(&pointer, &inner) }
    })?;
    deserializer.end().map_err(|error| malformed("", &error))?;
    Ok(parsed)
}

fn wrong(pointer: &str, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    // The pointer says where; the position in the text would only confuse.
    let detail = text.rsplit_once(" at line ").map_or(text.as_str(), |(detail, _)| detail);
    Problem::invalid_field(pointer, detail)
}

fn malformed(pointer: &str, error: &serde_json::Error) -> Problem {
    let detail = format!("the body is not JSON: {error}");
    Problem::invalid("malformed_json", detail.clone()).field(pointer, detail)
}

/// Refuses nesting before a recursive parser meets it, and more values than memory should be filled with.
fn check_shape(body: &[u8], depth_max: usize, values_max: usize) -> Result<(), Problem> {
    let (mut depth, mut values, mut in_string, mut escaped) = (0_usize, 1_usize, false, false);
    for byte in body {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                values += 1;
            }
            (false, b',') => values += 1,
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > depth_max {
            let detail = format!("the body is nested more than {depth_max} levels deep");
            return Err(Problem::invalid("json_too_deep", detail).solution("flatten it"));
        }
        if values > values_max {
            let detail = format!("the body holds more than {values_max} values");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "Body too large", detail)
                .solution("send less at once"));
        }
    }
    Ok(())
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", escaped(key)),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

fn is_json(request: &Request) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "only its parsing is tested")]
        names: Vec<String>,
    }

    fn error(body: &str) -> String {
        parse::<Body>(body.as_bytes()).unwrap_err().detail().to_owned()
    }

    /// [API-2] What is wrong is said with a pointer to it.
    #[test]
    fn points_at_what_is_wrong() {
        assert!(error(r#"{"names":["a",1]}"#).starts_with("`/names/1`: invalid type: integer `1`"));
        assert!(error(r#"{"names":[],"x":1}"#).contains("unknown field `x`"));
        assert!(error(r#"{"names":["#).contains("not JSON"));
        assert!(error(r#"{"names":[]} tail"#).contains("not JSON"));
    }

    /// [SEC-1] Depth is limited; brackets inside strings do not count.
    #[test]
    fn limits_depth() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(check_shape(deep(64).as_bytes(), 64, 100).is_ok());
        assert_eq!(check_shape(deep(65).as_bytes(), 64, 100).unwrap_err().code(), "json_too_deep");
        let quoted = format!("[\"{}\\\"{}\"]", "[".repeat(100), "{".repeat(100));
        assert!(check_shape(quoted.as_bytes(), 64, 100).is_ok());
    }

    /// [SEC-1] So is the number of values, however few bytes they are; commas inside strings do not count.
    #[test]
    fn limits_values() {
        let list = |values: usize| format!("[{}]", vec!["0"; values].join(","));
        assert!(check_shape(list(99).as_bytes(), 64, 101).is_ok());
        let refused = check_shape(list(101).as_bytes(), 64, 101).unwrap_err();
        assert_eq!((refused.status(), refused.code()), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));
        assert!(check_shape(format!("[\"{}\"]", ",".repeat(1_000)).as_bytes(), 64, 101).is_ok());
    }
}
