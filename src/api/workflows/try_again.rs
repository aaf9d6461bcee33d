//! `POST /api/v1/workflows/{workflow}/try-again`: a canvas that is held back is tried again [REL-12].

use axum::{extract::State, http::StatusCode};
use troupe_model::WorkflowId;

use super::find;
use crate::{app::App, auth::Caller, http::path::Path, problem::Problem};

/// The next who opens the workflow finds out whether it can be opened now. For one that is not held back this does nothing.
#[utoipa::path(post, path = "/workflows/{workflow}/try-again", tag = "workflows", operation_id = "try_workflow_again",
    params(("workflow" = WorkflowId, Path)), responses((status = 204, description = "It may be opened")))]
pub async fn try_again(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
) -> Result<StatusCode, Problem> {
    find(&app, caller.tenant, id).await?;
    app.system().release_canvas(caller.tenant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
