//! `http_request`: one request to a service, and its answer as items [NODE-34].
//!
//! A JSON answer is put out as it is (a list of objects can go on as a table); any other as `{status, headers, body}`.

mod answer;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use reqwest::{
    Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::spawn_blocking;
use troupe_model::{NodeFailure, Output, Port, PortKind};

use crate::{
    egress::Request,
    node::{CheckContext, Checked, Finding, Outcome, RunContext},
    typed::{Category, Description, TypedNode},
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    #[serde(default)]
    method: Method,
    /// Where to send the request, such as `https://api.example.org/items`.
    #[schemars(title = "URL", length(min = 1, max = 8_000))]
    url: String,
    /// Parameters that are added to the URL.
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// What to send. Sent as JSON if it is JSON and no `Content-Type` says otherwise.
    #[serde(default)]
    #[schemars(extend("x-ui" = {"widget": "code", "language": "json"}))]
    body: String,
    /// For the whole exchange, redirects included.
    #[schemars(title = "Timeout (ms)", range(min = 1, max = 600_000))]
    #[serde(default = "half_a_minute")]
    timeout_ms: u64,
    /// The status that counts as success. Left out: any from 200 to 299.
    #[schemars(range(min = 100, max = 599))]
    expect_status: Option<u16>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    #[default]
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Head,
}

fn half_a_minute() -> u64 {
    30_000
}

#[derive(Debug)]
pub struct HttpRequest;

impl TypedNode for HttpRequest {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("http_request", Category::Connectors, "HTTP request")
            .about("Sends a request to a web service and gives its answer.")
            .look("globe", "#2563eb")
            .input(Port::new("in", "After", PortKind::Any).optional())
            .output(Port::new("out", "Response", PortKind::Json))
    }

    fn check(&self, config: &Config, _ctx: &CheckContext<'_>) -> Checked {
        let url = config.full_url().map_err(|reason| Finding::error("invalid_url", "/url", reason));
        let headers = config.header_map("").map_err(|(name, reason)| {
            let pointer = name.replace('~', "~0").replace('/', "~1");
            Finding::error("invalid_header", format!("/headers/{pointer}"), reason)
        });
        Checked { findings: url.err().into_iter().chain(headers.err()).collect(), ..Checked::default() }
    }

    async fn run(&self, config: Config, ctx: RunContext) -> Result<Outcome, NodeFailure> {
        let request = config.request(&ctx.idempotency_key)?;
        let asked = format!("{} {}", request.method, shown(&request.url));
        let exchange = ctx.cancel.run_until_cancelled(ctx.egress.send(request));
        let response = exchange.await.ok_or_else(|| NodeFailure::new("canceled", "the request was canceled"))??;
        ctx.log.info(format!("{asked} answered {} with {} bytes", response.status, response.body.len()));
        ctx.progress.bytes(response.body.len() as u64);
        answer::expect(&response, config.expect_status, &asked)?;
        let (payloads, node) = (ctx.payloads, ctx.node);
        let keep = spawn_blocking(move || payloads.json(&node, "out", answer::read(response)?)).await;
        let payload = keep.map_err(|error| {
            NodeFailure::new("response_not_kept", "the response was not read to its end").reason(error.to_string())
        })??;
        Ok(Outcome::Completed(vec![Output { port: "out".to_owned(), payload }]))
    }
}

impl Config {
    fn request(&self, idempotency_key: &str) -> Result<Request, NodeFailure> {
        let invalid = |code, reason| NodeFailure::new(code, reason).solution("correct the settings of the node");
        Ok(Request {
            method: self.method.into(),
            url: self.full_url().map_err(|reason| invalid("invalid_url", reason))?,
            headers: self.header_map(idempotency_key).map_err(|(_, reason)| invalid("invalid_header", reason))?,
            body: (!self.body.is_empty()).then(|| self.body.clone()),
            timeout: Duration::from_millis(self.timeout_ms),
        })
    }

    /// Errors: what is wrong, in words.
    fn full_url(&self) -> Result<Url, String> {
        let mut url = Url::parse(&self.url).map_err(|error| format!("`{}` is not a URL: {error}", self.url))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("a URL starts with http:// or https://, not with {}:", url.scheme()));
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }

    /// Errors: the name of the header, and what is wrong with it.
    fn header_map(&self, idempotency_key: &str) -> Result<HeaderMap, (String, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let invalid = |what: &str| (name.clone(), format!("header `{name}` has {what} that HTTP does not allow"));
            let parsed = HeaderName::try_from(name).map_err(|_| invalid("a name"))?;
            let value = HeaderValue::try_from(value).map_err(|_| invalid("a value"))?;
            headers.try_append(parsed, value).map_err(|_| (name.clone(), "there are too many headers".to_owned()))?;
        }
        if !self.body.is_empty() && serde_json::from_str::<Value>(&self.body).is_ok() {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        // A service that knows the header does its work once, however often a run is resumed [RUN-3].
        if self.method.changes_something()
            && let Ok(key) = HeaderValue::try_from(idempotency_key)
        {
            headers.entry("idempotency-key").or_insert(key);
        }
        Ok(headers)
    }
}

impl Method {
    const fn changes_something(self) -> bool {
        !matches!(self, Self::Get | Self::Head)
    }
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
            Method::Head => Self::HEAD,
        }
    }
}

/// A URL without what may be secret in it: user, password, query.
fn shown(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}
