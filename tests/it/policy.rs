//! Every route has declared what it asks of its caller, and holds to it.

use reqwest::StatusCode;
use troupe::{policy::Access, router};

use crate::app::{Answer, TestApp};

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn concrete(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { ID } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// [RBAC-3] Without a token, every route that is not public answers 401, before it looks at anything else.
#[tokio::test]
async fn nothing_is_open_by_accident() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let mut guarded = 0;
    for route in router::routes().declared() {
        if let Access::Needs(_) = route.access {
            guarded += 1;
            let response = client.request(route.method.clone(), &concrete(&route.path)).send().await.unwrap();
            response.problem(401, "unauthenticated").await;
        }
    }
    assert!(guarded >= 37, "{guarded}");
    app.stop().await;
}

/// [RBAC-3] What is open is open on purpose: a new public route is added here too.
#[test]
fn public_routes_are_these() {
    let routes = router::routes();
    let mut open: Vec<_> = routes
        .declared()
        .iter()
        .filter(|route| !matches!(route.access, Access::Needs(_) | Access::Monitor))
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    open.sort_unstable();
    assert_eq!(
        open,
        [
            "GET /api/openapi.json",
            "GET /collab",
            "GET /collab/{workflow}",
            "GET /health/live",
            "GET /health/ready",
            "GET /ws",
            "POST /api/v1/auth/login",
            "POST /api/v1/auth/logout",
            "POST /api/v1/auth/refresh",
            "POST /api/v1/auth/register",
        ]
    );
}

/// [RBAC-3] OpenAPI says of each operation what was declared.
#[tokio::test]
async fn openapi_tells_the_permissions() {
    let app = TestApp::start().await;
    let description = app.anonymous().get("/api/openapi.json").await.body_of(StatusCode::OK).await;
    let routes = router::routes();
    let mut operations = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let declared = routes
                .declared()
                .iter()
                .find(|route| route.path == *path && route.method.as_str() == method.to_uppercase())
                .unwrap_or_else(|| panic!("{method} {path} is described but not declared"));
            let expected = match declared.access {
                Access::Needs(permission) => permission.to_string(),
                Access::Public | Access::Socket(_) | Access::Monitor => "public".to_owned(),
            };
            assert_eq!(operation["x-permission"], expected, "{method} {path}");
        }
    }
    let described = routes.declared().iter().filter(|route| route.path.starts_with("/api/v1/")).count();
    assert_eq!(operations, described);
    app.stop().await;
}
