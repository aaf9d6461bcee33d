//! `GET /api/v1/workflows/{workflow}/versions`: newest first.

use axum::extract::State;
use troupe_model::WorkflowId;
use troupe_store::versions;

use super::VersionView;
use crate::{
    api::workflows::{find, person::People},
    app::App,
    auth::Caller,
    http::{
        json::Json,
        page::{List, SliceParams},
        path::{Path, Query},
    },
    problem::Problem,
};

#[utoipa::path(get, path = "/workflows/{workflow}/versions", tag = "versions", operation_id = "list_versions",
    params(("workflow" = WorkflowId, Path), SliceParams), responses((status = 200, body = List<VersionView>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
    Query(slice): Query<SliceParams>,
) -> Result<Json<List<VersionView>>, Problem> {
    find(&app, caller.tenant, id).await?;
    let limit = slice.limit()?;
    let before = slice.cursor(|cursor| cursor.parse().ok())?;
    let mut tx = app.store().read(caller.tenant).await?;
    let page = versions::list(&mut tx, id, before, limit).await?;
    let total = versions::count(&mut tx, id).await?;
    let latest = versions::latest(&mut tx, id).await?.map_or(0, |version| version.number);
    let ids = page.items.iter().flat_map(|version| version.authors.iter().copied().chain([version.created_by]));
    let people = People::of(&mut tx, ids).await?;
    let items = page.items.into_iter().map(|version| VersionView::of(version, latest, &people)).collect();
    Ok(Json(List { items, next_cursor: page.next_cursor, total: Some(total) }))
}
