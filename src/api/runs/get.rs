//! `GET /api/v1/runs/{run}`: a run; its nodes are a list of their own.

use axum::extract::State;
use troupe_model::RunId;

use super::{find, view::RunView};
use crate::{app::App, auth::Caller, http::json::Json, http::path::Path, problem::Problem};

#[utoipa::path(get, path = "/runs/{run}", tag = "runs", operation_id = "get_run", params(("run" = RunId, Path)),
    responses((status = 200, body = RunView)))]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<RunId>) -> Result<Json<RunView>, Problem> {
    Ok(Json(find(&app, caller.tenant, id).await?.into()))
}
