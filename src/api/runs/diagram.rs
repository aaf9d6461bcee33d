//! `GET /api/v1/runs/{run}/diagram`: what the run executes, whatever became of the canvas [RUN-1].

use axum::extract::State;
use troupe_model::{Diagram, RunId};
use troupe_store::runs;

use super::missing;
use crate::{app::App, auth::Caller, http::json::Json, http::path::Path, problem::Problem};

#[utoipa::path(get, path = "/runs/{run}/diagram", tag = "runs", operation_id = "get_run_diagram",
    params(("run" = RunId, Path)), responses((status = 200, body = Diagram)))]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<RunId>) -> Result<Json<Diagram>, Problem> {
    let mut tx = app.store().read(caller.tenant).await?;
    runs::diagram(&mut tx, id).await?.map(Json).ok_or_else(missing)
}
