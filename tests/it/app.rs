//! A server in this process, on a free port and a store of its own, and clients for it.

use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use troupe::{
    config::{Config, Secret},
    server::Server,
};

pub const PASSWORD: &str = "correct horse battery";
const METRICS_TOKEN: &str = "only-for-whoever-watches-the-server";

pub struct TestApp {
    server: Option<Server>,
    /// With the port that it has.
    pub config: Config,
    pub base: String,
    /// The store's folder: removed with the app.
    data_folder: TempDir,
}

/// A person, signed in.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    pub token: Option<String>,
    pub session: Value,
    /// The refresh cookie, for those who signed in.
    cookie: Option<String>,
}

impl TestApp {
    /// Without the demo tenant.
    pub async fn start() -> Self {
        Self::with(|config| config.demo.enabled = false).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = Config::defaults().unwrap();
        config.data_dir = data.path().to_owned();
        config.server.address = [127, 0, 0, 1].into();
        config.server.port = 0;
        config.auth.login_attempts_per_minute_per_account = 1_000;
        config.auth.login_attempts_per_minute_per_account_everywhere = 1_000;
        config.auth.login_attempts_per_minute_per_address = 1_000;
        config.demo.password = Some(Secret::from(PASSWORD.to_owned()));
        config.metrics.token = Some(Secret::from(METRICS_TOKEN.to_owned()));
        change(&mut config);
        let server = Server::start(config.clone()).await.unwrap();
        let base = format!("http://{}", server.address());
        config.server.port = server.address().port();
        Self { server: Some(server), config, base, data_folder: data }
    }

    pub fn anonymous(&self) -> Client {
        Client::of(&self.base)
    }

    pub async fn metrics(&self) -> String {
        let client = Client { token: Some(METRICS_TOKEN.to_owned()), ..self.anonymous() };
        let response = client.get("/metrics").await;
        assert_eq!(response.status(), reqwest::StatusCode::OK);
        response.text().await.unwrap()
    }

    /// Registers a tenant and signs in as its owner.
    pub async fn tenant(&self, name: &str) -> Client {
        let mut client = self.anonymous();
        let body = json!({
            "email": format!("{name}@example.com"), "password": PASSWORD, "name": name, "tenant_name": name,
        });
        client.session = client.post("/api/v1/auth/register", &body).await.body_of(StatusCode::CREATED).await;
        client.token = client.session["access_token"].as_str().map(ToOwned::to_owned);
        client
    }

    /// Signs in anew.
    pub async fn sign_in(&self, email: &str) -> Client {
        self.anonymous().signed_in(email).await
    }

    /// Adds a person to an owner's tenant, and signs in as them.
    pub async fn person(&self, owner: &Client, name: &str, role: &str) -> Client {
        let email = format!("{name}@example.com");
        owner
            .create("/api/v1/users", json!({ "email": email, "password": PASSWORD, "name": name, "role": role }))
            .await;
        self.sign_in(&email).await
    }

    /// Stops and starts again, with the same store, at the same address.
    pub async fn restart(&mut self) {
        self.server.take().unwrap().stop().await.unwrap();
        self.server = Some(Server::start(self.config.clone()).await.unwrap());
    }

    pub async fn stop(self) {
        drop(self.stop_and_keep().await);
    }

    /// The store's folder stays while what is returned does.
    pub async fn stop_and_keep(mut self) -> TempDir {
        self.server.take().unwrap().stop().await.unwrap();
        self.data_folder
    }

    pub fn ws(&self) -> String {
        self.base.replace("http://", "ws://")
    }
}

impl Client {
    /// Of the server there, signed out.
    pub fn of(base: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, base: base.to_owned(), token: None, session: Value::Null, cookie: None }
    }

    pub async fn signed_in(mut self, email: &str) -> Self {
        let credentials = json!({ "email": email, "password": PASSWORD });
        let response = self.post("/api/v1/auth/login", &credentials).await;
        self.cookie = response.cookie("troupe_refresh").split(';').next().map(ToOwned::to_owned);
        self.session = response.body_of(StatusCode::OK).await;
        self.token = self.session["access_token"].as_str().map(ToOwned::to_owned);
        self
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(Method::POST, path).json(body).send().await.unwrap()
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Response {
        self.request(Method::PATCH, path).json(body).send().await.unwrap()
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.request(Method::DELETE, path).send().await.unwrap()
    }

    pub async fn sign_out(&self) {
        let request = self.request(Method::POST, "/api/v1/auth/logout");
        let answer = request.header(header::COOKIE, self.cookie.as_deref().unwrap()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    }

    /// Their own path among the people of the tenant.
    pub fn path(&self) -> String {
        format!("/api/v1/users/{}", self.session["user"]["id"].as_str().unwrap())
    }

    /// Gives somebody another role.
    pub async fn make(&self, person: &Self, role: &str) {
        self.patch(&person.path(), &json!({ "role": role })).await.body_of(StatusCode::OK).await;
    }

    /// Creates something and gives its id.
    pub async fn create(&self, path: &str, body: Value) -> String {
        let created = self.post(path, &body).await.body_of(StatusCode::CREATED).await;
        created["id"].as_str().unwrap().to_owned()
    }

    pub async fn workflow(&self, name: &str) -> String {
        let workspace = self.create("/api/v1/workspaces", json!({ "name": "W" })).await;
        self.create("/api/v1/workflows", json!({ "workspace_id": workspace, "name": name })).await
    }

    pub async fn ticket(&self, body: Value) -> String {
        let ticket = self.post("/api/v1/auth/tickets", &body).await.body_of(StatusCode::OK).await;
        ticket["ticket"].as_str().unwrap().to_owned()
    }
}

/// What tests ask of an answer.
pub trait Answer: Sized {
    async fn body_of(self, expected: StatusCode) -> Value;

    /// The answer is a problem with this status and code; gives its body.
    async fn problem(self, status: u16, code: &str) -> Value;

    /// What sets the cookie of that name, with its attributes.
    fn cookie(&self, name: &str) -> &str;
}

impl Answer for Response {
    async fn body_of(self, expected: StatusCode) -> Value {
        let (status, url) = (self.status(), self.url().clone());
        let text = self.text().await.unwrap();
        assert_eq!(status, expected, "{url}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{url}: {error}: {text}"))
    }

    async fn problem(self, status: u16, code: &str) -> Value {
        let content_type = self.headers().get(header::CONTENT_TYPE).cloned();
        let id = self.headers().get("x-request-id").unwrap().to_str().unwrap().to_owned();
        let path = self.url().path().to_owned();
        let body = self.body_of(StatusCode::from_u16(status).unwrap()).await;
        assert_eq!(content_type.unwrap(), "application/problem+json", "{path}");
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["status"], status);
        assert_eq!(body["instance"], path);
        assert_eq!(body["request_id"], id);
        for text in ["type", "title", "detail"] {
            assert!(body[text].as_str().is_some_and(|text| !text.is_empty()), "{text}: {body}");
        }
        assert!(body["timestamp"].is_u64() && body["retryable"].is_boolean(), "{body}");
        body
    }
    fn cookie(&self, name: &str) -> &str {
        let mut cookies = self.headers().get_all(header::SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
        cookies.find(|cookie| cookie.starts_with(&format!("{name}="))).unwrap()
    }
}
