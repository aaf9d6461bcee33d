//! `POST /api/v1/runs/{run}/cancel`: reaches every node within a second [RUN-9].

use axum::extract::State;
use troupe_model::RunId;

use super::{find, view::RunView};
use crate::{api::reply::Accepted, app::App, auth::Caller, http::path::Path, problem::Problem};

#[utoipa::path(post, path = "/runs/{run}/cancel", tag = "runs", operation_id = "cancel_run",
    params(("run" = RunId, Path)), responses((status = 202, description = "It is being canceled", body = RunView)))]
pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RunId>,
) -> Result<Accepted<RunView>, Problem> {
    let run = find(&app, caller.tenant, id).await?;
    if run.status.is_final() {
        return Err(Problem::conflict("run_ended", format!("the run has ended: {}", run.status.name())));
    }
    if !app.system().cancel_run(caller.tenant, id, caller.user).await? {
        // It ended a moment ago, or starts in a moment.
        let run = find(&app, caller.tenant, id).await?;
        if !run.status.is_final() {
            return Err(Problem::unavailable("the run is not live on this server just now"));
        }
    }
    Ok(Accepted::at(format!("/api/v1/runs/{id}"), run.into()))
}
