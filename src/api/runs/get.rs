//! `GET /api/v1/runs/{run}`: a run with its nodes.

use axum::extract::State;
use troupe_actors::Lent;
use troupe_model::RunId;
use troupe_store::runs;

use super::{missing, view::RunDetail};
use crate::{app::App, auth::Caller, http::json::LargeJson, http::path::Path, problem::Problem};

#[utoipa::path(get, path = "/runs/{run}", tag = "runs", operation_id = "get_run", params(("run" = RunId, Path)),
    responses((status = 200, body = RunDetail)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RunId>,
) -> Result<LargeJson<RunDetail>, Problem> {
    let bytes = runs::diagram_bytes(&mut app.store().read(caller.tenant).await?, id).await?.ok_or_else(missing)?;
    let loan = app.lend_answer(&caller, bytes).await;
    let mut tx = app.store().read(caller.tenant).await?;
    let run = runs::find(&mut tx, id).await?.ok_or_else(missing)?;
    let diagram = runs::diagram(&mut tx, id).await?.ok_or_else(missing)?;
    let nodes = runs::node_runs(&mut tx, id).await?;
    Ok(LargeJson(Lent { value: RunDetail::new(run, &diagram, nodes), loan }))
}
