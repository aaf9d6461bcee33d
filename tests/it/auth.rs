//! Signing up, in, on and out.

use reqwest::{Method, Response, StatusCode, header};
use serde_json::json;

use crate::app::{Answer, Client, PASSWORD, TestApp};

/// The refresh cookie of an answer, as `name=value`.
fn cookie(response: &Response) -> String {
    let header = response.cookie("troupe_refresh");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/auth"] {
        assert!(header.contains(attribute), "{header}");
    }
    header.split(';').next().unwrap().to_owned()
}

async fn login(client: &Client, email: &str, password: &str) -> Response {
    client.post("/api/v1/auth/login", &json!({ "email": email, "password": password })).await
}

async fn refresh(client: &Client, cookie: &str) -> Response {
    client.request(Method::POST, "/api/v1/auth/refresh").header(header::COOKIE, cookie).send().await.unwrap()
}

/// [AUTH-1] Registration makes a tenant with an owner, who can sign in, whatever the case of the address.
#[tokio::test]
async fn registers_and_signs_in() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    assert_eq!(ann.session["token_type"], "Bearer");
    assert_eq!(ann.session["expires_in"], 900);
    assert_eq!(ann.session["user"]["role"], "owner");
    assert_eq!(ann.session["tenant"]["name"], "ann");
    let session = login(&app.anonymous(), "ANN@example.com ", PASSWORD).await.body_of(StatusCode::OK).await;
    assert_eq!(session["user"], ann.session["user"]);
    let me = ann.get("/api/v1/auth/me").await.body_of(StatusCode::OK).await;
    assert_eq!(me, json!({ "user": session["user"], "tenant": session["tenant"] }));
    app.stop().await;
}

/// [AUTH-1] An email address is one user on the whole server.
#[tokio::test]
async fn an_address_registers_once() {
    let app = TestApp::start().await;
    app.tenant("ann").await;
    let body = json!({ "email": "Ann@Example.com", "password": PASSWORD, "name": "x", "tenant_name": "x" });
    app.anonymous().post("/api/v1/auth/register", &body).await.problem(409, "email_taken").await;
    app.stop().await;
}

#[tokio::test]
async fn weak_registrations_name_their_field() {
    let app = TestApp::start().await;
    let weak = ["short", "password", "        ", "12345678", "qwertyuiop", "annabelle@example.com"];
    let passwords = weak.map(|password| ("password", password));
    for (field, value) in [("email", "nobody"), ("name", " "), ("tenant_name", "")].into_iter().chain(passwords) {
        let mut body =
            json!({ "email": "annabelle@example.com", "password": PASSWORD, "name": "n", "tenant_name": "t" });
        body[field] = json!(value);
        let problem = app.anonymous().post("/api/v1/auth/register", &body).await.problem(422, "invalid_field").await;
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"));
    }
    app.stop().await;
}

/// [AUTH-3] No answer tells whether an account exists.
#[tokio::test]
async fn refusals_do_not_tell_whether_there_is_an_account() {
    let app = TestApp::start().await;
    app.tenant("ann").await;
    let client = app.anonymous();
    let mut wrong = login(&client, "ann@example.com", "not her password").await.problem(401, "unauthenticated").await;
    let mut nobody = login(&client, "nobody@example.com", PASSWORD).await.problem(401, "unauthenticated").await;
    for body in [&mut wrong, &mut nobody] {
        body["request_id"].take();
        body["timestamp"].take();
    }
    assert_eq!(wrong, nobody);
    app.stop().await;
}

/// [OPS-8] Attempts are limited for an account in one network, with `Retry-After`.
#[tokio::test]
async fn attempts_are_limited() {
    let app = TestApp::with(|config| config.auth.login_attempts_per_minute_per_account = 2).await;
    let client = app.anonymous();
    for _ in 0..2 {
        login(&client, "ann@example.com", "guess").await.problem(401, "unauthenticated").await;
    }
    let refused = login(&client, "ann@example.com", "guess").await;
    let wait: u64 = refused.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let problem = refused.problem(429, "rate_limited").await;
    assert_eq!(problem["retryable"], true);
    login(&client, "bob@example.com", "guess").await.problem(401, "unauthenticated").await;
    app.stop().await;
}

/// [AUTH-2] A refresh token is rotated at each use; reuse of an old one revokes its family.
#[tokio::test]
async fn refresh_tokens_rotate() {
    let app = TestApp::start().await;
    app.tenant("ann").await;
    let client = app.anonymous();
    let first = cookie(&login(&client, "ann@example.com", PASSWORD).await);
    let response = refresh(&client, &first).await;
    let second = cookie(&response);
    assert_ne!(first, second);
    let session = response.body_of(StatusCode::OK).await;
    assert_eq!(session["user"]["email"], "ann@example.com");
    refresh(&client, &first).await.problem(401, "unauthenticated").await;
    refresh(&client, &second).await.problem(401, "unauthenticated").await;
    app.stop().await;
}

/// [AUTH-1] After signing out, the sign-in does not go on; another one does.
#[tokio::test]
async fn logout_ends_one_sign_in() {
    let app = TestApp::start().await;
    app.tenant("ann").await;
    let client = app.anonymous();
    let ended = cookie(&login(&client, "ann@example.com", PASSWORD).await);
    let other = cookie(&login(&client, "ann@example.com", PASSWORD).await);
    let logout = client.request(Method::POST, "/api/v1/auth/logout").header(header::COOKIE, &ended);
    let response = logout.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(cookie(&response), "troupe_refresh=");
    refresh(&client, &ended).await.problem(401, "unauthenticated").await;
    refresh(&client, &other).await.body_of(StatusCode::OK).await;
    client.request(Method::POST, "/api/v1/auth/refresh").send().await.unwrap().problem(401, "unauthenticated").await;
    app.stop().await;
}

/// [AUTH-1] A program that signs out with its access token alone is signed out.
#[tokio::test]
async fn an_access_token_signs_out() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let other = app.sign_in("ann@example.com").await;
    ann.get("/api/v1/auth/me").await.body_of(StatusCode::OK).await;
    assert_eq!(ann.post("/api/v1/auth/logout", &json!({})).await.status(), StatusCode::NO_CONTENT);
    ann.get("/api/v1/auth/me").await.problem(401, "unauthenticated").await;
    other.get("/api/v1/auth/me").await.body_of(StatusCode::OK).await;
    // Once more, with a token that is of no use any more.
    assert_eq!(ann.post("/api/v1/auth/logout", &json!({})).await.status(), StatusCode::NO_CONTENT);
    app.stop().await;
}

/// [AUTH-2] Tokens that are expired, of another server, or no tokens at all are refused, and say so.
#[tokio::test]
async fn bad_tokens_are_refused() {
    let (app, other) = (TestApp::with(|config| config.auth.access_token_ttl_s = 0).await, TestApp::start().await);
    let mut client = app.tenant("ann").await;
    let problem = client.get("/api/v1/auth/me").await.problem(401, "unauthenticated").await;
    assert!(problem["detail"].as_str().unwrap().contains("expired"), "{problem}");
    for token in [other.tenant("ann").await.token.unwrap(), "x.y.z".to_owned(), String::new()] {
        client.token = Some(token);
        client.get("/api/v1/auth/me").await.problem(401, "unauthenticated").await;
    }
    app.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn registration_can_be_closed() {
    let app = TestApp::with(|config| config.auth.registration = false).await;
    let body = json!({ "email": "a@b.c", "password": PASSWORD, "name": "n", "tenant_name": "t" });
    app.anonymous().post("/api/v1/auth/register", &body).await.problem(403, "forbidden").await;
    // The demo tenant was seeded, with the configured password.
    let session = login(&app.anonymous(), "demo@troupe.local", PASSWORD).await.body_of(StatusCode::OK).await;
    let mut demo = app.anonymous();
    demo.token = session["access_token"].as_str().map(ToOwned::to_owned);
    let list = demo.get("/api/v1/workflows?sort=name").await.body_of(StatusCode::OK).await;
    let names: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Busiest routes", "Carrier punctuality", "Weather and delays"]);
    let id = list["items"][1]["id"].as_str().unwrap();
    let analysis =
        demo.post(&format!("/api/v1/workflows/{id}/validate"), &json!({})).await.body_of(StatusCode::OK).await;
    assert_eq!(analysis["diagnostics"], json!([]));
    app.stop().await;
}

/// [AUTH-1, RBAC-1] An owner adds people to the tenant; they sign in and share its workflows. A member adds nobody.
#[tokio::test]
async fn an_owner_adds_people() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workspace = ann.create("/api/v1/workspaces", json!({ "name": "Shared" })).await;
    let person = json!({ "email": "bob@example.com", "password": PASSWORD, "name": "Bob" });
    let bob = ann.post("/api/v1/users", &person).await.body_of(StatusCode::CREATED).await;
    assert_eq!((&bob["name"], &bob["role"]), (&json!("Bob"), &json!("member")));
    ann.post("/api/v1/users", &person).await.problem(409, "email_taken").await;

    let session = login(&app.anonymous(), "bob@example.com", PASSWORD).await.body_of(StatusCode::OK).await;
    assert_eq!(session["tenant"], ann.session["tenant"]);
    let mut member = app.anonymous();
    member.token = session["access_token"].as_str().map(ToOwned::to_owned);
    member.get(&format!("/api/v1/workspaces/{workspace}")).await.body_of(StatusCode::OK).await;
    let people = member.get("/api/v1/users?sort=name").await.body_of(StatusCode::OK).await;
    let names: Vec<_> = people["items"].as_array().unwrap().iter().map(|person| person["name"].clone()).collect();
    assert_eq!(names, ["ann", "Bob"]);
    let third = json!({ "email": "cy@example.com", "password": PASSWORD, "name": "Cy" });
    member.post("/api/v1/users", &third).await.problem(403, "forbidden").await;
    let stranger = app.tenant("dan").await;
    let theirs = stranger.get("/api/v1/users").await.body_of(StatusCode::OK).await;
    assert_eq!(theirs["items"], json!([stranger.session["user"]]));
    app.stop().await;
}
