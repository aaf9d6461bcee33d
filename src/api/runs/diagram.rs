//! `GET /api/v1/runs/{run}/diagram`: what the run executes, whatever became of the canvas [RUN-1].

use axum::extract::State;
use troupe_actors::Lent;
use troupe_model::{Diagram, RunId};
use troupe_store::runs;

use super::missing;
use crate::{app::App, auth::Caller, http::json::LargeJson, http::path::Path, problem::Problem};

#[utoipa::path(get, path = "/runs/{run}/diagram", tag = "runs", operation_id = "get_run_diagram",
    params(("run" = RunId, Path)), responses((status = 200, body = Diagram)))]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<RunId>) -> Result<LargeJson<Diagram>, Problem> {
    let bytes = runs::diagram_bytes(&mut app.store().read(caller.tenant).await?, id).await?.ok_or_else(missing)?;
    let loan = app.lend_answer(&caller, bytes).await;
    let mut tx = app.store().read(caller.tenant).await?;
    let value = runs::diagram(&mut tx, id).await?.ok_or_else(missing)?;
    Ok(LargeJson(Lent { value, loan }))
}
