//! `/api/v1/workspaces`: the roots of a tenant's hierarchy [HIER-1].

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use troupe_model::{Timestamp, WorkspaceId};
use troupe_store::workspaces::{self, NewWorkspace, WorkspaceChange};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{
    fields::{Description, Name},
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
        .at(needs(Object::Workspace, Level::Read), routes!(list))
        .at(needs(Object::Workspace, Level::Write), routes!(create))
        .at(needs(Object::Workspace, Level::Read), routes!(get))
        .at(needs(Object::Workspace, Level::Write), routes!(update))
        .at(needs(Object::Workspace, Level::Write), routes!(delete))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Workspace {
    id: WorkspaceId,
    name: String,
    description: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWorkspace)]
pub struct CreateWorkspace {
    name: Name,
    #[serde(default)]
    description: Description,
}

/// What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WorkspaceChange)]
pub struct UpdateWorkspace {
    name: Option<Name>,
    description: Option<Description>,
}

#[utoipa::path(get, path = "/workspaces", tag = "workspaces", operation_id = "list_workspaces", params(PageParams),
    responses((status = 200, body = List<Workspace>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageParams>,
) -> Result<Json<List<Workspace>>, Problem> {
    let mut tx = app.store().read(caller.tenant).await?;
    Ok(Json(List::of(workspaces::list(&mut tx, &page.request()?).await?)))
}

#[utoipa::path(post, path = "/workspaces", tag = "workspaces", operation_id = "create_workspace",
    request_body = CreateWorkspace, responses((status = 201, body = Workspace)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<CreateWorkspace>,
) -> Result<Created<Workspace>, Problem> {
    let (name, description) = (String::from(body.name), String::from(body.description));
    let new = NewWorkspace { id: WorkspaceId::generate(), name: &name, description: &description };
    let mut tx = app.store().begin(caller.tenant).await?;
    let workspace = workspaces::create(&mut tx, new, app.clock().now()).await?;
    tx.commit().await?;
    Ok(Created::at(format!("/api/v1/workspaces/{}", workspace.id), workspace.into()))
}

#[utoipa::path(get, path = "/workspaces/{workspace}", tag = "workspaces", operation_id = "get_workspace",
    params(("workspace" = WorkspaceId, Path)), responses((status = 200, body = Workspace)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
) -> Result<Json<Workspace>, Problem> {
    let mut tx = app.store().read(caller.tenant).await?;
    workspaces::find(&mut tx, id).await?.map(|workspace| Json(workspace.into())).ok_or_else(missing)
}

#[utoipa::path(patch, path = "/workspaces/{workspace}", tag = "workspaces", operation_id = "update_workspace",
    params(("workspace" = WorkspaceId, Path)), request_body = UpdateWorkspace,
    responses((status = 200, body = Workspace)))]
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<UpdateWorkspace>,
) -> Result<Json<Workspace>, Problem> {
    let change = WorkspaceChange { name: body.name.map(Into::into), description: body.description.map(Into::into) };
    let mut tx = app.store().begin(caller.tenant).await?;
    let workspace = workspaces::update(&mut tx, id, change, app.clock().now()).await?.ok_or_else(missing)?;
    tx.commit().await?;
    Ok(Json(workspace.into()))
}

/// Hides the workspace and all that is in it.
#[utoipa::path(delete, path = "/workspaces/{workspace}", tag = "workspaces", operation_id = "delete_workspace",
    params(("workspace" = WorkspaceId, Path)), responses((status = 204, description = "Deleted")))]
pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.store().begin(caller.tenant).await?;
    let workflows = workspaces::delete(&mut tx, id, app.clock().now()).await?.ok_or_else(missing)?;
    tx.commit().await?;
    app.system().workflows_deleted(caller.tenant, workflows).await;
    Ok(StatusCode::NO_CONTENT)
}

fn missing() -> Problem {
    Problem::not_found("workspace")
}

impl From<workspaces::Workspace> for Workspace {
    fn from(row: workspaces::Workspace) -> Self {
        Self {
            id: row.id,
            name: row.name,
            description: row.description,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
