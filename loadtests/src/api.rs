//! The REST side of a tenant of our own, at a server of our own. Through faults: a server that is away is asked again.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method, StatusCode, Url};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// How long one request may take.
const REQUEST_WITHIN: Duration = Duration::from_secs(40);
/// How long a server may be away before a program gives up.
const SERVED_WITHIN: Duration = Duration::from_secs(120);
const ASK_EVERY: Duration = Duration::from_millis(50);
const PASSWORD: &str = "a password for load and fault tests";

/// A signed-in owner, at one server.
#[derive(Clone)]
pub struct Api {
    http: Client,
    server: Url,
    token: String,
    pub tenant: String,
}

/// What a server answered.
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Api {
    /// Registers a tenant. A program starts its servers itself, so nobody else's data is in the way.
    pub async fn register(server: &Url) -> Result<Self> {
        let mut api = Self { http: client()?, server: server.clone(), token: String::new(), tenant: String::new() };
        let email = "load@example.com";
        let body = json!({ "email": email, "password": PASSWORD, "name": "Load", "tenant_name": "Load test" });
        let session = api.create("auth/register", body).await?;
        api.token = text(&session, "/access_token")?;
        api.tenant = text(&api.get("auth/me").await?, "/tenant/id")?;
        Ok(api)
    }

    /// The same owner at another server on the same store.
    pub fn at(&self, server: &Url) -> Self {
        Self { server: server.clone(), ..self.clone() }
    }

    /// A colleague of this role, signed in.
    pub async fn colleague(&self, role: &str, number: usize) -> Result<Self> {
        let email = format!("{role}-{number}@example.com");
        let person = json!({ "email": email, "password": PASSWORD, "name": role, "role": role });
        self.create("users", person).await?;
        let session = self.create("auth/login", json!({ "email": email, "password": PASSWORD })).await?;
        Ok(Self { token: text(&session, "/access_token")?, ..self.clone() })
    }

    /// A line of a request's head.
    pub fn authorization(&self) -> String {
        format!("Authorization: Bearer {}\r\n", self.token)
    }

    pub fn address(&self) -> Result<SocketAddr> {
        let found = self.server.socket_addrs(|| None)?.first().copied();
        found.with_context(|| format!("{} has no address", self.server))
    }

    pub async fn workspace(&self) -> Result<String> {
        text(&self.create("workspaces", json!({ "name": "Load test" })).await?, "/id")
    }

    pub async fn workflow(&self, workspace: &str, name: &str) -> Result<String> {
        text(&self.create("workflows", json!({ "workspace_id": workspace, "name": name })).await?, "/id")
    }

    /// The address of a canvas' socket, with a one-use ticket. Asked once.
    pub async fn collab_url(&self, workflow: &str) -> Result<String> {
        let body = json!({ "purpose": "collab", "workflow_id": workflow });
        let answer = self.ask(Method::POST, "auth/tickets", Some(&body)).await?;
        ensure!(answer.status.is_success(), "no ticket: {} {}", answer.status, answer.body);
        let ticket = text(&answer.body, "/ticket")?;
        Ok(format!("ws://{}/collab/{workflow}?ack=1&ticket={ticket}", self.server.authority()))
    }

    /// The projection of a canvas.
    pub async fn diagram(&self, workflow: &str) -> Result<Value> {
        self.get(&format!("workflows/{workflow}/diagram")).await
    }

    /// Reads, however often it takes.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let deadline = Instant::now() + SERVED_WITHIN;
        loop {
            let failure = match self.ask(Method::GET, path, None).await {
                Ok(Answer { status, body }) if status.is_success() => return Ok(body),
                Ok(Answer { status, body }) if !status.is_server_error() => bail!("{path}: {status} {body}"),
                Ok(Answer { status, body }) => format!("{status} {body}"),
                Err(error) => format!("{error:#}"),
            };
            ensure!(Instant::now() < deadline, "{path} was not served within {SERVED_WITHIN:?}: {failure}");
            sleep(ASK_EVERY).await;
        }
    }

    /// All pages of a list.
    pub async fn list(&self, path: &str, page_parameter: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut page = path.to_owned();
        loop {
            let mut answer = self.get(&page).await?;
            let Value::Array(more) = answer["items"].take() else { bail!("{page}: not a list: {answer}") };
            items.extend(more);
            let joint = if path.contains('?') { '&' } else { '?' };
            match &answer["next_cursor"] {
                Value::String(next) => page = format!("{path}{joint}{page_parameter}={next}"),
                _ => return Ok(items),
            }
        }
    }

    /// Creates something on a server that is well.
    pub async fn create(&self, path: &str, body: Value) -> Result<Value> {
        let Answer { status, body } = self.ask(Method::POST, path, Some(&body)).await?;
        ensure!(status.is_success(), "{path}: {status} {body}");
        Ok(body)
    }

    /// Reads once, and does not look at what comes.
    pub async fn skim(&self, path: &str) -> Result<StatusCode> {
        let url = self.server.join(&format!("/api/v1/{path}"))?;
        let mut response = self.http.get(url).bearer_auth(&self.token).send().await?;
        while response.chunk().await?.is_some() {}
        Ok(response.status())
    }

    /// Asks once.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let url = self.server.join(&format!("/api/v1/{path}"))?;
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.with_context(|| format!("{} cannot be reached", self.server))?;
        let (status, text) = (response.status(), response.text().await?);
        Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) })
    }
}

fn client() -> Result<Client> {
    // A connection is not kept: the server may be another process by the next request.
    Ok(Client::builder().timeout(REQUEST_WITHIN).pool_max_idle_per_host(0).no_proxy().build()?)
}

pub fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("the answer has no `{pointer}`: {value}"))?.to_owned())
}
