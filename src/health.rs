//! Whether the server lives, is ready for work, and how it does [OPS-4].

use std::{io::Write, time::Instant};

use axum::{extract::State, http::StatusCode, response::IntoResponse, response::Response};
use serde::Serialize;

use crate::{
    app::App,
    http::json::Json,
    policy::{Access, Level, Object, needs},
    problem::Problem,
    routes::Routes,
    telemetry,
};

const PROBE_BYTES: usize = 4096;

pub fn routes() -> Routes {
    Routes::default()
        .get(Access::Public, "/health/live", live)
        .get(Access::Public, "/health/ready", ready)
        .get(needs(Object::Server, Level::Admin), "/health/detailed", detailed)
        .get(Access::Monitor, "/metrics", metrics)
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    duration_ms: u64,
}

#[derive(Debug, Serialize)]
struct Ready {
    status: &'static str,
    checks: Vec<Check>,
}

#[derive(Debug, Serialize)]
struct Detailed {
    #[serde(flatten)]
    ready: Ready,
    version: &'static str,
    database: String,
    node_types: usize,
}

async fn live() -> &'static str {
    "ok"
}

async fn ready(State(app): State<App>) -> Response {
    let ready = checked(&app).await;
    let status = if ready.status == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ready)).into_response()
}

/// Tells nothing of other tenants: every tenant has an owner.
async fn detailed(State(app): State<App>) -> Json<Detailed> {
    Json(Detailed {
        ready: checked(&app).await,
        version: env!("CARGO_PKG_VERSION"),
        database: format!("{:?}", app.store().engine()).to_lowercase(),
        node_types: app.registry().specs().len(),
    })
}

async fn metrics() -> Result<String, Problem> {
    telemetry::metrics().map(|handle| handle.render()).map_err(|error| Problem::internal(&error))
}

async fn checked(app: &App) -> Ready {
    let checks = vec![
        check("database", async { app.store().ping().await.map_err(|error| error.to_string()) }).await,
        check("disk", disk(app)).await,
        check("durability", async { app.system().store_fault().map_or(Ok(()), |fault| Err(fault.to_string())) }).await,
        check("actors", async {
            (!app.system().is_draining()).then_some(()).ok_or_else(|| "the server is stopping".to_owned())
        })
        .await,
    ];
    let status = if checks.iter().all(|check| check.ok) { "ready" } else { "not_ready" };
    Ready { status, checks }
}

async fn check(name: &'static str, work: impl Future<Output = Result<(), String>>) -> Check {
    let started = Instant::now();
    let reason = work.await.err();
    Check { name, ok: reason.is_none(), reason, duration_ms: started.elapsed().as_millis() as u64 }
}

/// Whether the data folder can be written, and has room for a block.
async fn disk(app: &App) -> Result<(), String> {
    let folder = app.config().data_dir.clone();
    let probed = tokio::task::spawn_blocking(move || {
        let mut probe = tempfile::tempfile_in(folder)?;
        probe.write_all(&[0; PROBE_BYTES])
    });
    let outcome = probed.await.map_err(|error| error.to_string())?;
    outcome.map_err(|error| format!("the data folder cannot be written: {error}"))
}
