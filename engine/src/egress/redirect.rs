//! What a redirect asks for next (RFC 9110, section 15.4).

use reqwest::{
    Method, StatusCode, Url,
    header::{self, HeaderMap, HeaderName},
};

use super::{EgressError, Request};

/// Headers that another site may see; all others may hold what it must not know.
const HARMLESS: [HeaderName; 4] = [header::ACCEPT, header::ACCEPT_LANGUAGE, header::CONTENT_TYPE, header::USER_AGENT];

/// `None`: this is the answer.
pub(super) fn next(request: &Request, status: StatusCode, headers: &HeaderMap) -> Result<Option<Request>, EgressError> {
    let Some(location) = headers.get(header::LOCATION).filter(|_| leads_on(status)) else { return Ok(None) };
    let invalid = |reason: &str| EgressError::InvalidUrl(format!("the redirect leads nowhere: {reason}"));
    let location = location.to_str().map_err(|error| invalid(&error.to_string()))?;
    let url = request.url.join(location).map_err(|error| invalid(&error.to_string()))?;
    let mut next = Request { url, ..request.clone() };
    let becomes_get = match status {
        StatusCode::SEE_OTHER => next.method != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => next.method == Method::POST,
        _ => false,
    };
    if becomes_get {
        next.method = Method::GET;
        next.body = None;
        next.headers.remove(header::CONTENT_TYPE);
    }
    if !same_origin(&next.url, &request.url) {
        next.headers = harmless(&next.headers);
    }
    Ok(Some(next))
}

fn leads_on(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host_str() == b.host_str() && a.port_or_known_default() == b.port_or_known_default()
}

fn harmless(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| HARMLESS.contains(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}
