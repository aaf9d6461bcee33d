//! The revision of a diagram as an `ETag`, and edits that hold only for the one that was seen [API-3].

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::problem::Problem;

pub fn etag(revision: i64) -> (header::HeaderName, HeaderValue) {
    let tag = HeaderValue::from_str(&format!("\"{revision}\"")).expect("a quoted number is a header value");
    (header::ETAG, tag)
}

/// `None`: whatever the revision is.
pub fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(header) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let tag = header.to_str().unwrap_or_default().trim();
    if tag == "*" {
        return Ok(None);
    }
    let revision = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    revision.map(Some).ok_or_else(|| {
        Problem::bad_request("invalid_if_match", "`If-Match` is not a tag that this server gives out")
            .solution("send the `ETag` of the answer that you have seen, with its quotes, or `*`")
    })
}

/// The same, where it must be said: `*` is whatever the revision is.
pub fn required_if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    if headers.contains_key(header::IF_MATCH) {
        return if_match(headers);
    }
    let (code, title) = ("if_match_required", "Precondition required");
    Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, code, title, "this needs the header `If-Match`")
        .solution("send the ETag of the changes that you have seen, or `*`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(tag: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(tag))])
    }

    /// [API-3] `If-Match` is a revision or `*`; anything else is told.
    #[test]
    fn reads_if_match() {
        let parse = |tag| if_match(&headers(tag));
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        assert_eq!(parse("*").unwrap(), None);
        assert_eq!(parse("\"12\"").unwrap(), Some(12));
        assert_eq!(parse("12").unwrap_err().code(), "invalid_if_match");
        assert_eq!(parse("\"x\"").unwrap_err().code(), "invalid_if_match");
        assert_eq!(required_if_match(&HeaderMap::new()).unwrap_err().code(), "if_match_required");
        assert_eq!(required_if_match(&headers("*")).unwrap(), None);
        assert_eq!(required_if_match(&headers("\"7\"")).unwrap(), Some(7));
    }
}
