//! `GET /api/v1/workflows/held-back`: whose canvas is not opened before somebody has it tried again, and why [REL-12].

use axum::extract::State;
use serde::Serialize;
use troupe_model::{Timestamp, WorkflowId};
use troupe_store::canvas::trouble::{self, Listed};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    http::{
        json::Json,
        page::{List, SliceParams},
        path::Query,
    },
    problem::Problem,
};

#[derive(Debug, Serialize, ToSchema)]
pub struct HeldBackWorkflow {
    workflow_id: WorkflowId,
    name: String,
    /// What came out when it was tried in a process of its own.
    reason: String,
    held_back_at: Timestamp,
}

#[utoipa::path(get, path = "/workflows/held-back", tag = "workflows", operation_id = "list_held_back_workflows",
    params(SliceParams), responses((status = 200, body = List<HeldBackWorkflow>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(slice): Query<SliceParams>,
) -> Result<Json<List<HeldBackWorkflow>>, Problem> {
    let limit = slice.limit()?;
    let behind = slice.cursor(|cursor| cursor.parse().ok())?;
    let mut tx = app.store().read(caller.tenant).await?;
    let mut items = trouble::held_back(&mut tx, behind, i64::from(limit) + 1).await?;
    let is_last = items.len() <= limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| !is_last).map(|last| last.workflow.to_string());
    Ok(Json(List { items: items.into_iter().map(Into::into).collect(), next_cursor, total: None }))
}

impl From<Listed> for HeldBackWorkflow {
    fn from(listed: Listed) -> Self {
        let Listed { workflow, name, reason, at } = listed;
        Self { workflow_id: workflow, name, reason, held_back_at: at }
    }
}
