//! All routes, inside the layers that every request goes through.

use std::{any::Any, sync::Arc};

use axum::{
    Router,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, cors::CorsLayer, timeout::TimeoutLayer};
use troupe_model::Clock;

use crate::{
    api,
    app::App,
    auth::authenticate,
    config::Config,
    docs, health,
    http::{headers, lent, log, request_id, worktime},
    problem,
    routes::Routes,
    sockets, web,
};

/// Every route, each with what it asks of its caller.
pub fn routes() -> Routes {
    api::routes().merge(docs::routes()).merge(health::routes()).merge(sockets::routes())
}

pub fn router(app: App) -> Router {
    let clock: Arc<dyn Clock> = app.clock().clone();
    let timeout = app.config().server.request_timeout();
    let https = headers::Https(app.config().server.https());
    let (routes, _) = routes().split();
    // The outermost layer is the last.
    routes
        .merge(docs::page())
        .fallback(web::serve)
        .layer(from_fn_with_state(app.clone(), lent::layer))
        .layer(from_fn_with_state(app.clone(), worktime::layer))
        .layer(from_fn_with_state(app.clone(), authenticate::layer))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, timeout))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(clock, problem::render))
        .layer(CompressionLayer::new())
        .layer(cors(app.config()))
        .layer(from_fn_with_state(https, headers::layer))
        .layer(from_fn(log::layer))
        .layer(from_fn(request_id::layer))
        .with_state(app)
}

fn cors(config: &Config) -> CorsLayer {
    let origins: Vec<HeaderValue> = config.cors.origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return CorsLayer::new();
    }
    CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_MATCH, request_id::HEADER])
        .expose_headers([header::ETAG, header::LOCATION, header::RETRY_AFTER, request_id::HEADER])
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = message, "a handler panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
