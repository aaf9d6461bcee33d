//! The people of a tenant: roles, and who may give and take them.

use reqwest::{Method, StatusCode};
use serde_json::json;
use troupe::{
    policy::{Access, Level},
    router,
};

use crate::app::{Answer, PASSWORD, TestApp};

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// [RBAC-1, RBAC-3] A viewer is admitted to every route that reads, and to none that does more; a change of role holds
/// for the next request.
#[tokio::test]
async fn a_viewer_reads() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let eve = app.person(&ann, "eve", "viewer").await;
    let mut refused = 0;
    for route in router::routes().declared() {
        let Access::Needs(permission) = route.access else { continue };
        let parts = route.path.split('/').map(|part| if part.starts_with('{') { ID } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        let answer = eve.request(route.method.clone(), &path).json(&json!({})).send().await.unwrap();
        if permission.level == Level::Read {
            assert_ne!(answer.status(), StatusCode::FORBIDDEN, "{} {path}", route.method);
        } else {
            refused += 1;
            answer.problem(403, "forbidden").await;
        }
    }
    assert!(refused >= 20, "{refused}");

    let new = json!({ "name": "Eve's" });
    ann.make(&eve, "member").await;
    eve.post("/api/v1/workspaces", &new).await.body_of(StatusCode::CREATED).await;
    ann.make(&eve, "viewer").await;
    eve.post("/api/v1/workspaces", &new).await.problem(403, "forbidden").await;
    let me = eve.get("/api/v1/auth/me").await.body_of(StatusCode::OK).await;
    assert_eq!(me["user"]["role"], "viewer");
    app.stop().await;
}

/// [RBAC-4] Owners give and take roles, of others only; what is not theirs is not there.
#[tokio::test]
async fn owners_change_others() {
    let app = TestApp::start().await;
    let (ann, dan) = (app.tenant("ann").await, app.tenant("dan").await);
    let bob = app.person(&ann, "bob", "member").await;
    for (method, body) in [(Method::PATCH, json!({ "role": "member" })), (Method::DELETE, json!({}))] {
        let attempt = async |client: &crate::app::Client, path: &str| {
            client.request(method.clone(), path).json(&body).send().await.unwrap()
        };
        attempt(&bob, &ann.path()).await.problem(403, "forbidden").await;
        let own = attempt(&ann, &ann.path()).await.problem(403, "forbidden").await;
        assert!(own["detail"].as_str().unwrap().contains("their own role"), "{own}");
        attempt(&ann, &dan.path()).await.problem(404, "not_found").await;
        attempt(&ann, &format!("/api/v1/users/{ID}")).await.problem(404, "not_found").await;
    }
    let problem = ann.patch(&bob.path(), &json!({ "role": "king" })).await.problem(422, "invalid_field").await;
    assert_eq!(problem["errors"][0]["pointer"], "/role");

    ann.patch(&ann.path(), &json!({ "name": "Anna" })).await.body_of(StatusCode::OK).await;
    ann.make(&bob, "owner").await;
    bob.make(&ann, "member").await;
    let people = bob.get("/api/v1/users?sort=name").await.body_of(StatusCode::OK).await;
    let shown: Vec<_> =
        people["items"].as_array().unwrap().iter().map(|person| json!([person["name"], person["role"]])).collect();
    assert_eq!(shown, [json!(["Anna", "member"]), json!(["bob", "owner"])]);
    app.stop().await;
}

/// [AUTH-1, RBAC-5] Who was removed is signed out everywhere and cannot sign in; their work keeps their name; their
/// address is free again.
#[tokio::test]
async fn who_is_removed_is_out() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let bob = app.person(&ann, "bob", "member").await;
    bob.get("/api/v1/workspaces").await.body_of(StatusCode::OK).await;
    assert_eq!(ann.delete(&bob.path()).await.status(), StatusCode::NO_CONTENT);
    let refused = bob.get("/api/v1/workspaces").await.problem(401, "unauthenticated").await;
    assert_eq!(refused["detail"], "your access was taken away");
    let login = json!({ "email": "bob@example.com", "password": PASSWORD });
    app.anonymous().post("/api/v1/auth/login", &login).await.problem(401, "unauthenticated").await;
    ann.delete(&bob.path()).await.problem(404, "not_found").await;
    ann.patch(&bob.path(), &json!({ "role": "owner" })).await.problem(404, "not_found").await;

    let again = app.person(&ann, "bob", "viewer").await;
    assert_ne!(again.path(), bob.path());
    bob.get("/api/v1/workspaces").await.problem(401, "unauthenticated").await;
    let people = ann.get("/api/v1/users").await.body_of(StatusCode::OK).await;
    assert_eq!(people["items"].as_array().unwrap().len(), 2);
    app.stop().await;
}
