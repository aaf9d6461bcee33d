//! `GET /api/v1/runs/{run}/logs`: lines in order; without `after`, the last ones [RUN-13].

use axum::extract::State;
use serde::Deserialize;
use troupe_model::{LogEntry, LogLevel, RunId};
use troupe_store::runs::{self, LogFilter};
use utoipa::IntoParams;

use super::find;
use crate::{
    app::App,
    auth::Caller,
    http::{
        json::Json,
        page::{List, after},
        path::{Path, Query},
    },
    problem::Problem,
};

const LINES_MAX: i64 = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Only lines with a greater `seq`.
    after: Option<i64>,
    /// Only lines of this node.
    node: Option<String>,
    /// This level and those above it.
    level: Option<LogLevel>,
    /// Only lines whose message contains this.
    q: Option<String>,
}

#[utoipa::path(get, path = "/runs/{run}/logs", tag = "runs", operation_id = "list_run_logs",
    params(("run" = RunId, Path), Filter),
    responses((status = 200, description = "`next_cursor` is the next `after`", body = List<LogEntry>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RunId>,
    Query(filter): Query<Filter>,
) -> Result<Json<List<LogEntry>>, Problem> {
    find(&app, caller.tenant, id).await?;
    let Filter { after: behind, node, level, q } = filter;
    let mut tx = app.store().read(caller.tenant).await?;
    let items = runs::logs(&mut tx, id, &LogFilter { node, level, q }, behind, LINES_MAX).await?;
    let next_cursor = after(&items, LINES_MAX, |entry| entry.seq).filter(|_| behind.is_some());
    Ok(Json(List { items, next_cursor, total: None }))
}
