//! `GET /api/v1/workflows/{workflow}/versions/{number}`: a version with its diagram.

use axum::extract::State;
use serde::Serialize;
use troupe_actors::Lent;
use troupe_model::{Diagram, WorkflowId};
use troupe_store::versions;
use utoipa::ToSchema;

use super::VersionView;
use crate::{
    api::workflows::{find, person::People},
    app::App,
    auth::Caller,
    http::{json::LargeJson, path::Path},
    problem::Problem,
};

#[derive(Debug, Serialize, ToSchema)]
pub struct VersionWithDiagram {
    #[serde(flatten)]
    version: VersionView,
    diagram: Diagram,
}

#[utoipa::path(get, path = "/workflows/{workflow}/versions/{number}", tag = "versions", operation_id = "get_version",
    params(("workflow" = WorkflowId, Path), ("number" = i64, Path)),
    responses((status = 200, body = VersionWithDiagram)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path((id, number)): Path<(WorkflowId, i64)>,
) -> Result<LargeJson<VersionWithDiagram>, Problem> {
    find(&app, caller.tenant, id).await?;
    let missing = || Problem::not_found("version");
    let mut tx = app.store().read(caller.tenant).await?;
    let bytes = versions::diagram_bytes(&mut tx, id, number).await?.ok_or_else(missing)?;
    drop(tx);
    let loan = app.lend_answer(&caller, bytes).await;
    let mut tx = app.store().read(caller.tenant).await?;
    let version = versions::find(&mut tx, id, number).await?.ok_or_else(missing)?;
    let diagram = versions::diagram(&mut tx, id, number).await?.ok_or_else(missing)?;
    let latest = versions::latest(&mut tx, id).await?.map_or(0, |version| version.number);
    let people = People::of(&mut tx, version.authors.iter().copied().chain([version.created_by])).await?;
    let value = VersionWithDiagram { version: VersionView::of(version, latest, &people), diagram };
    Ok(LargeJson(Lent { value, loan }))
}
