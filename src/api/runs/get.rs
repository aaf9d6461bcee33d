//! `GET /api/v1/runs/{run}`: a run with its nodes.

use axum::extract::State;
use troupe_model::RunId;
use troupe_store::runs;

use super::{missing, view::RunDetail};
use crate::{app::App, auth::Caller, http::json::Json, http::path::Path, problem::Problem};

#[utoipa::path(get, path = "/runs/{run}", tag = "runs", operation_id = "get_run", params(("run" = RunId, Path)),
    responses((status = 200, body = RunDetail)))]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<RunId>) -> Result<Json<RunDetail>, Problem> {
    let mut tx = app.store().read(caller.tenant).await?;
    let run = runs::find(&mut tx, id).await?.ok_or_else(missing)?;
    let diagram = runs::diagram(&mut tx, id).await?.ok_or_else(missing)?;
    let nodes = runs::node_runs(&mut tx, id).await?;
    Ok(Json(RunDetail::new(run, &diagram, nodes)))
}
