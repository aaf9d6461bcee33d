//! `GET /api/v1/runs/{run}/events`: the run's journal, in order [RUN-7].

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use troupe_model::{RunEvent, RunId, Timestamp};
use troupe_store::runs;
use utoipa::{IntoParams, ToSchema};

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

const EVENTS_MAX: i64 = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Behind {
    /// Only events with a greater `seq`.
    after: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunEvent)]
pub struct EventView {
    /// Counts from 1 within the run.
    seq: i64,
    timestamp: Timestamp,
    /// Such as `node_completed`.
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_id: Option<String>,
    /// What the event carries.
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

#[utoipa::path(get, path = "/runs/{run}/events", tag = "runs", operation_id = "list_run_events",
    params(("run" = RunId, Path), Behind),
    responses((status = 200, description = "`next_cursor` is the next `after`", body = List<EventView>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RunId>,
    Query(behind): Query<Behind>,
) -> Result<Json<List<EventView>>, Problem> {
    find(&app, caller.tenant, id).await?;
    let mut tx = app.store().read(caller.tenant).await?;
    let events = runs::events(&mut tx, id, behind.after.unwrap_or(0), EVENTS_MAX).await?;
    let next_cursor = after(&events, EVENTS_MAX, |event| event.seq);
    let items = events.iter().map(EventView::of).collect::<Result<_, _>>();
    let items = items.map_err(|error: serde_json::Error| Problem::internal(&error))?;
    Ok(Json(List { items, next_cursor, total: None }))
}

impl EventView {
    fn of(event: &RunEvent) -> Result<Self, serde_json::Error> {
        let mut data = match serde_json::to_value(&event.kind)? {
            Value::Object(data) => data,
            _ => Map::new(),
        };
        data.remove("type");
        data.remove("node");
        let node_id = event.kind.node().map(ToOwned::to_owned);
        Ok(Self { seq: event.seq, timestamp: event.at, kind: event.kind.name(), node_id, data })
    }
}
