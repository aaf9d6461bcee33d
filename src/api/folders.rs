//! `/api/v1/folders`: they nest, within one workspace [HIER-1].

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use troupe_model::{FolderId, Timestamp, WorkspaceId};
use troupe_store::folders::{self, FolderChange, FolderFilter, NewFolder};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    fields::{Name, nullable},
    reply::Created,
};
use crate::{
    app::App,
    auth::Caller,
    http::{
        json::Json,
        page::{List, PageParams},
        path::{Path, Query},
    },
    policy::{Level, Object, needs},
    problem::Problem,
    routes::Routes,
};

pub fn routes() -> Routes {
    Routes::default()
        .at(needs(Object::Folder, Level::Read), routes!(list))
        .at(needs(Object::Folder, Level::Write), routes!(create))
        .at(needs(Object::Folder, Level::Read), routes!(get))
        .at(needs(Object::Folder, Level::Write), routes!(update))
        .at(needs(Object::Folder, Level::Write), routes!(delete))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Folder {
    id: FolderId,
    workspace_id: WorkspaceId,
    parent_id: Option<FolderId>,
    name: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    workspace_id: Option<WorkspaceId>,
    parent_id: Option<FolderId>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewFolder)]
pub struct CreateFolder {
    workspace_id: WorkspaceId,
    parent_id: Option<FolderId>,
    name: Name,
}

/// What is left out stays as it is; `parent_id: null` moves to the top of the workspace.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FolderChange)]
pub struct UpdateFolder {
    name: Option<Name>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<FolderId>)]
    parent_id: Option<Option<FolderId>>,
}

#[utoipa::path(get, path = "/folders", tag = "folders", operation_id = "list_folders", params(PageParams, Filter),
    responses((status = 200, body = List<Folder>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageParams>,
    Query(filter): Query<Filter>,
) -> Result<Json<List<Folder>>, Problem> {
    let filter = FolderFilter { workspace_id: filter.workspace_id, parent_id: filter.parent_id };
    let mut tx = app.store().read(caller.tenant).await?;
    Ok(Json(List::of(folders::list(&mut tx, filter, &page.request()?).await?)))
}

#[utoipa::path(post, path = "/folders", tag = "folders", operation_id = "create_folder",
    request_body = CreateFolder, responses((status = 201, body = Folder)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<CreateFolder>,
) -> Result<Created<Folder>, Problem> {
    let name = String::from(body.name);
    let CreateFolder { workspace_id, parent_id, .. } = body;
    let new = NewFolder { id: FolderId::generate(), workspace_id, parent_id, name: &name };
    let mut tx = app.store().begin(caller.tenant).await?;
    let folder = folders::create(&mut tx, new, app.clock().now()).await?;
    tx.commit().await?;
    Ok(Created::at(format!("/api/v1/folders/{}", folder.id), folder.into()))
}

#[utoipa::path(get, path = "/folders/{folder}", tag = "folders", operation_id = "get_folder",
    params(("folder" = FolderId, Path)), responses((status = 200, body = Folder)))]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<FolderId>) -> Result<Json<Folder>, Problem> {
    let mut tx = app.store().read(caller.tenant).await?;
    folders::find(&mut tx, id).await?.map(|folder| Json(folder.into())).ok_or_else(missing)
}

#[utoipa::path(patch, path = "/folders/{folder}", tag = "folders", operation_id = "update_folder",
    params(("folder" = FolderId, Path)), request_body = UpdateFolder, responses((status = 200, body = Folder)))]
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<FolderId>,
    Json(body): Json<UpdateFolder>,
) -> Result<Json<Folder>, Problem> {
    let change = FolderChange { name: body.name.map(Into::into), parent_id: body.parent_id };
    let mut tx = app.store().begin(caller.tenant).await?;
    let folder = folders::update(&mut tx, id, change, app.clock().now()).await?.ok_or_else(missing)?;
    tx.commit().await?;
    Ok(Json(folder.into()))
}

/// Hides the folder and all that is in it.
#[utoipa::path(delete, path = "/folders/{folder}", tag = "folders", operation_id = "delete_folder",
    params(("folder" = FolderId, Path)), responses((status = 204, description = "Deleted")))]
pub async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<FolderId>) -> Result<StatusCode, Problem> {
    let mut tx = app.store().begin(caller.tenant).await?;
    let workflows = folders::delete(&mut tx, id, app.clock().now()).await?.ok_or_else(missing)?;
    tx.commit().await?;
    app.system().workflows_deleted(caller.tenant, workflows).await;
    Ok(StatusCode::NO_CONTENT)
}

fn missing() -> Problem {
    Problem::not_found("folder")
}

impl From<folders::Folder> for Folder {
    fn from(row: folders::Folder) -> Self {
        Self {
            id: row.id,
            workspace_id: row.workspace_id,
            parent_id: row.parent_id,
            name: row.name,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
