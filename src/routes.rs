//! The only way to register a route: with what it asks of its caller [RBAC-3].
//!
//! One declaration is enforced (`policy::gate`), documented (security and `x-permission` in OpenAPI) and
//! remembered (for the test that walks all routes).

use axum::{
    Router,
    http::Method,
    middleware,
    routing::{MethodRouter, on},
};
use serde_json::json;
use utoipa::openapi::{
    Content, OpenApi, Ref, RefOr, Response, extensions::Extensions, path::Operation, path::PathItem,
    security::SecurityRequirement,
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::{app::App, policy, policy::Access, problem};

/// A route as it was declared.
#[derive(Clone, Debug)]
pub struct Declared {
    pub method: Method,
    pub path: String,
    pub access: Access,
}

#[derive(Default)]
pub struct Routes {
    router: OpenApiRouter<App>,
    declared: Vec<Declared>,
}

impl Routes {
    /// A documented route: what `utoipa_axum::routes!` makes of one handler.
    pub fn at(mut self, access: Access, (schemas, mut paths, methods): UtoipaMethodRouter<App>) -> Self {
        for (path, item) in &mut paths.paths {
            for (method, operation) in operations(item) {
                document(operation, access);
                self.declared.push(Declared { method, path: path.clone(), access });
            }
        }
        let methods = guarded(methods, access);
        Self { router: self.router.routes((schemas, paths, methods)), ..self }
    }

    /// A `GET` that OpenAPI does not describe: sockets, health, metrics.
    pub fn get<H, T>(mut self, access: Access, path: &str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        self.declared.push(Declared { method: Method::GET, path: path.to_owned(), access });
        let methods = guarded(on(axum::routing::MethodFilter::GET, handler), access);
        Self { router: self.router.route(path, methods), ..self }
    }

    pub fn merge(mut self, other: Self) -> Self {
        self.declared.extend(other.declared);
        Self { router: self.router.merge(other.router), ..self }
    }

    pub fn nest(mut self, prefix: &str, inner: Self) -> Self {
        let prefixed = |route: Declared| Declared { path: format!("{prefix}{}", route.path), ..route };
        self.declared.extend(inner.declared.into_iter().map(prefixed));
        Self { router: self.router.nest(prefix, inner.router), ..self }
    }

    pub fn declared(&self) -> &[Declared] {
        &self.declared
    }

    pub fn split(self) -> (Router<App>, OpenApi) {
        self.router.split_for_parts()
    }
}

fn guarded(methods: MethodRouter<App>, access: Access) -> MethodRouter<App> {
    methods.route_layer(middleware::from_fn_with_state(access, policy::gate))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

fn document(operation: &mut Operation, access: Access) {
    let (permission, security) = match access {
        Access::Needs(permission) => {
            (permission.to_string(), SecurityRequirement::new("access_token", Vec::<String>::new()))
        }
        Access::Public | Access::Socket(_) | Access::Monitor => ("public".to_owned(), SecurityRequirement::default()),
    };
    operation.extensions =
        Some(Extensions::builder().add("x-permission", json!(permission)).build()).or(operation.extensions.take());
    operation.security = Some(vec![security]);
    operation.responses.responses.insert("default".to_owned(), RefOr::T(problem_response()));
}

fn problem_response() -> Response {
    let schema = Ref::from_schema_name("Problem");
    Response::builder()
        .description("What went wrong")
        .content(problem::CONTENT_TYPE, Content::new(Some(RefOr::<utoipa::openapi::Schema>::Ref(schema))))
        .build()
}
