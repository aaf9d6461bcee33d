//! A tenant of its own for each load test, so that nobody's work is in the way.

use std::net::IpAddr;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::{Value, json};
use troupe_model::TenantId;

pub struct Account {
    http: Client,
    server: Url,
    token: String,
}

impl Account {
    /// Registers a fresh tenant.
    pub async fn register(server: &Url) -> Result<Self> {
        ensure!(is_loopback(server), "{server} is not this machine");
        let mut account = Self { http: Client::new(), server: server.clone(), token: String::new() };
        let id = TenantId::generate();
        let (email, password) = (format!("{id}@example.com"), id.to_string());
        let registration = json!({ "email": email, "password": password, "name": "Load", "tenant_name": "Load test" });
        account.send(Method::POST, "auth/register", registration).await?;
        let login = json!({ "email": email, "password": password });
        let session = account.send(Method::POST, "auth/login", login).await?;
        account.token = text(&session, "access_token")?;
        Ok(account)
    }

    /// Opens new connections from now on: the server was restarted.
    pub fn reconnect(&mut self) {
        self.http = Client::new();
    }

    /// For an `Authorization` header.
    pub fn token(&self) -> &str {
        &self.token
    }

    pub async fn create_workspace(&self) -> Result<String> {
        text(&self.send(Method::POST, "workspaces", json!({ "name": "Load test" })).await?, "id")
    }

    pub async fn create_workflow(&self, workspace: &str, name: &str) -> Result<String> {
        let body = json!({ "workspace_id": workspace, "name": name });
        text(&self.send(Method::POST, "workflows", body).await?, "id")
    }

    /// Reads something; the path is without `/api/v1/`.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.answer(path, self.request(Method::GET, path)?).await
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        self.answer(path, self.request(method, path)?.json(&body)).await
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder> {
        let url = self.server.join(&format!("/api/v1/{path}"))?;
        Ok(self.http.request(method, url).bearer_auth(&self.token))
    }

    async fn answer(&self, path: &str, request: RequestBuilder) -> Result<Value> {
        let response = request.send().await.with_context(|| format!("{} cannot be reached", self.server))?;
        let (status, text) = (response.status(), response.text().await?);
        ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn text(value: &Value, key: &str) -> Result<String> {
    Ok(value[key].as_str().with_context(|| format!("the answer has no `{key}`: {value}"))?.to_owned())
}
