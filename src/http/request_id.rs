//! `x-request-id`: taken from the request when it is sane, made otherwise, and always answered.

use std::fmt;

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use uuid::Uuid;

pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LENGTH_MAX: usize = 64;

#[derive(Clone, Debug)]
pub struct RequestId(HeaderValue);

impl RequestId {
    fn of(request: &Request) -> Self {
        let given = request.headers().get(HEADER).filter(|value| is_sane(value.as_bytes()));
        Self(given.cloned().unwrap_or_else(Self::fresh))
    }

    fn fresh() -> HeaderValue {
        HeaderValue::from_str(&Uuid::now_v7().to_string()).expect("a UUID is a header value")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

pub async fn layer(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(&request);
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(HEADER, id.0);
    response
}

fn is_sane(value: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    !value.is_empty() && value.len() <= LENGTH_MAX && value.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_sane_ids() {
        assert!(is_sane(b"trace-1_2.3"));
        assert!(!is_sane(b""));
        assert!(!is_sane(b"a b"));
        assert!(!is_sane(&[b'a'; LENGTH_MAX + 1]));
    }
}
