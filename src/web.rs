//! The web app, embedded in the binary. Paths that are no file and no API get its `index.html`: it routes itself.
//!
//! The build has written the compressed forms of a file beside it (`web/compressed.ts`). Nothing is compressed for a
//! request: what everybody may ask for must cost next to nothing.

mod coding;

use std::borrow::Cow;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use coding::Coding;
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
    if let Some(file) = File::find(path) {
        return file.respond(&headers);
    }
    if !wants_html(&headers) || path.starts_with(HASHED_FOLDER) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match File::find(INDEX) {
        Some(index) => index.respond(&headers),
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

/// A file in all its forms, the one as it is among them.
struct File {
    forms: Vec<Form>,
    content_type: String,
    cache_control: &'static str,
}

struct Form {
    coding: Coding,
    bytes: Bytes,
    /// Each form has its own: they differ in every byte.
    etag: String,
}

impl File {
    fn find(path: &str) -> Option<Self> {
        // A compressed form is no file of its own.
        if Coding::COMPRESSED.iter().any(|coding| path.ends_with(coding.suffix())) {
            return None;
        }
        let plain = Dist::get(path)?;
        let content_type = plain.metadata.mimetype().to_owned();
        let compressed = Coding::COMPRESSED
            .into_iter()
            .filter_map(|coding| Some(Form::new(coding, Dist::get(&format!("{path}{}", coding.suffix()))?)));
        Some(Self {
            forms: [Form::new(Coding::Identity, plain)].into_iter().chain(compressed).collect(),
            content_type,
            cache_control: if path.starts_with(HASHED_FOLDER) {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            },
        })
    }

    fn respond(self, headers: &HeaderMap) -> Response {
        let coding = coding::best(headers, self.forms.iter().map(|form| form.coding));
        let varies = (self.forms.len() > 1).then_some([(header::VARY, "accept-encoding")]);
        let Some(form) = self.forms.into_iter().find(|form| form.coding == coding) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let about = ([(header::CACHE_CONTROL, self.cache_control)], [(header::ETAG, form.etag.as_str())], varies);
        if is_known(headers, &form.etag) {
            return (StatusCode::NOT_MODIFIED, about, ()).into_response();
        }
        // Said of a file as it is as well where it would be compressed otherwise, on its way out.
        let is_said = coding != Coding::Identity || headers.contains_key(header::ACCEPT_ENCODING);
        let encoding = is_said.then_some([(header::CONTENT_ENCODING, coding.name())]);
        (about, encoding, [(header::CONTENT_TYPE, self.content_type)], Body::from(form.bytes)).into_response()
    }
}

impl Form {
    fn new(coding: Coding, file: EmbeddedFile) -> Self {
        let hash: String = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let bytes = match file.data {
            Cow::Borrowed(data) => Bytes::from_static(data),
            Cow::Owned(data) => Bytes::from(data),
        };
        Self { coding, bytes, etag: format!("\"{hash}\"") }
    }
}

/// Whether the client has this form already: tags are compared weakly, as `If-None-Match` wants.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
    tags.flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(forms: &[(Coding, &'static str)]) -> File {
        let form = |&(coding, text): &(Coding, &'static str)| Form {
            coding,
            bytes: Bytes::from_static(text.as_bytes()),
            etag: format!("\"{text}\""),
        };
        File {
            forms: forms.iter().map(form).collect(),
            content_type: "text/javascript".to_owned(),
            cache_control: "no-cache",
        }
    }

    fn script() -> File {
        file(&[(Coding::Identity, "plain"), (Coding::Gzip, "zipped"), (Coding::Brotli, "small")])
    }

    fn asked(headers: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    async fn text(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn said<'a>(response: &'a Response, name: &header::HeaderName) -> Option<&'a str> {
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn a_file_is_sent_in_the_form_that_its_client_takes() {
        for (accept, encoding, expected) in
            [("gzip, br", "br", "small"), ("gzip", "gzip", "zipped"), ("zstd", "identity", "plain")]
        {
            let response = script().respond(&asked(&[(header::ACCEPT_ENCODING, accept)]));
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(said(&response, &header::CONTENT_ENCODING), Some(encoding));
            assert_eq!(said(&response, &header::VARY), Some("accept-encoding"));
            assert_eq!(said(&response, &header::CONTENT_TYPE), Some("text/javascript"));
            assert_eq!(said(&response, &header::ETAG), Some(format!("\"{expected}\"").as_str()));
            assert_eq!(text(response).await, expected);
        }
        let response = script().respond(&HeaderMap::new());
        assert_eq!(said(&response, &header::CONTENT_ENCODING), None);
        assert_eq!(said(&response, &header::VARY), Some("accept-encoding"));
        assert_eq!(text(response).await, "plain");
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_compressed_is_sent_as_it_is() {
        let font = file(&[(Coding::Identity, "plain")]).respond(&asked(&[(header::ACCEPT_ENCODING, "br")]));
        assert_eq!(said(&font, &header::CONTENT_ENCODING), Some("identity"));
        assert_eq!(said(&font, &header::VARY), None);
        assert_eq!(text(font).await, "plain");
    }

    #[tokio::test]
    async fn what_the_client_has_is_not_sent_again() {
        for (tags, status) in [
            ("\"small\"", 304),
            ("W/\"small\"", 304),
            ("\"other\", \"small\"", 304),
            ("\"other\",W/\"small\" ", 304),
            ("*", 304),
            ("\"other\"", 200),
            // It has another form.
            ("\"plain\", \"zipped\"", 200),
            ("small", 200),
        ] {
            let headers = asked(&[(header::ACCEPT_ENCODING, "br"), (header::IF_NONE_MATCH, tags)]);
            let response = script().respond(&headers);
            assert_eq!(response.status().as_u16(), status, "{tags}");
            assert_eq!(said(&response, &header::ETAG), Some("\"small\""));
            assert_eq!(said(&response, &header::VARY), Some("accept-encoding"));
            assert_eq!(said(&response, &header::CACHE_CONTROL), Some("no-cache"));
            assert_eq!(text(response).await.is_empty(), status == 304, "{tags}");
        }
    }

    #[test]
    fn a_compressed_form_is_no_file_of_its_own() {
        for path in ["index.html.br", "index.html.gz"] {
            assert!(File::find(path).is_none());
        }
    }
}
