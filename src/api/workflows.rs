//! `/api/v1/workflows`: settings here; the diagram, versions, import and export in files of their own.

mod authors;
mod changes;
mod check;
mod diagram;
mod export;
mod held_back;
mod import;
mod person;
mod try_again;
mod validate;
mod versions;

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use troupe_model::{FolderId, JobId, TenantId, Timestamp, UserId, WorkflowId, WorkspaceId};
use troupe_store::{
    TenantTx,
    workflows::{self, NewWorkflow, WorkflowChange, WorkflowFilter},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    fields::{Description, Name, Parameters, Tags, nullable},
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
    let (read, write) = (needs(Object::Workflow, Level::Read), needs(Object::Workflow, Level::Write));
    let admin = needs(Object::Workflow, Level::Admin);
    Routes::default()
        .at(read, routes!(list))
        .at(admin, routes!(held_back::list))
        .at(write, routes!(create))
        .at(read, routes!(get))
        .at(write, routes!(update))
        .at(write, routes!(delete))
        .at(read, routes!(diagram::get))
        .at(write, routes!(diagram::replace))
        .at(write, routes!(diagram::patch))
        .at(read, routes!(validate::validate))
        .at(read, routes!(export::export))
        .at(write, routes!(import::import))
        .at(read, routes!(authors::list))
        .at(read, routes!(changes::list))
        .at(read, routes!(versions::list::list))
        .at(write, routes!(versions::publish::publish))
        .at(read, routes!(versions::get::get))
        .at(write, routes!(try_again::try_again))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Workflow {
    id: WorkflowId,
    workspace_id: WorkspaceId,
    folder_id: Option<FolderId>,
    job_id: Option<JobId>,
    name: String,
    description: String,
    /// Parameter name → default value.
    #[schema(value_type = Object)]
    parameters: Map<String, Value>,
    tags: Vec<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    created_by: UserId,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    workspace_id: Option<WorkspaceId>,
    folder_id: Option<FolderId>,
    job_id: Option<JobId>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWorkflow)]
pub struct CreateWorkflow {
    workspace_id: WorkspaceId,
    folder_id: Option<FolderId>,
    job_id: Option<JobId>,
    name: Name,
    #[serde(default)]
    description: Description,
    #[serde(default)]
    parameters: Parameters,
    #[serde(default)]
    tags: Tags,
}

/// What is left out stays as it is; `folder_id: null` moves to the top of the workspace, `job_id: null` out of its job.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WorkflowChange)]
pub struct UpdateWorkflow {
    name: Option<Name>,
    description: Option<Description>,
    parameters: Option<Parameters>,
    tags: Option<Tags>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<FolderId>)]
    folder_id: Option<Option<FolderId>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<JobId>)]
    job_id: Option<Option<JobId>>,
}

#[utoipa::path(get, path = "/workflows", tag = "workflows", operation_id = "list_workflows",
    params(PageParams, Filter), responses((status = 200, body = List<Workflow>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageParams>,
    Query(filter): Query<Filter>,
) -> Result<Json<List<Workflow>>, Problem> {
    let Filter { workspace_id, folder_id, job_id } = filter;
    let filter = WorkflowFilter { workspace_id, folder_id, job_id };
    let mut tx = app.store().read(caller.tenant).await?;
    Ok(Json(List::of(workflows::list(&mut tx, filter, &page.request()?).await?)))
}

#[utoipa::path(post, path = "/workflows", tag = "workflows", operation_id = "create_workflow",
    request_body = CreateWorkflow, responses((status = 201, body = Workflow)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<CreateWorkflow>,
) -> Result<Created<Workflow>, Problem> {
    let row = insert(&app, &caller, body).await?;
    Ok(Created::at(format!("/api/v1/workflows/{}", row.id), row.into()))
}

#[utoipa::path(get, path = "/workflows/{workflow}", tag = "workflows", operation_id = "get_workflow",
    params(("workflow" = WorkflowId, Path)), responses((status = 200, body = Workflow)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
) -> Result<Json<Workflow>, Problem> {
    Ok(Json(find(&app, caller.tenant, id).await?.into()))
}

#[utoipa::path(patch, path = "/workflows/{workflow}", tag = "workflows", operation_id = "update_workflow",
    params(("workflow" = WorkflowId, Path)), request_body = UpdateWorkflow,
    responses((status = 200, body = Workflow)))]
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
    Json(body): Json<UpdateWorkflow>,
) -> Result<Json<Workflow>, Problem> {
    let change = WorkflowChange {
        name: body.name.map(Into::into),
        description: body.description.map(Into::into),
        parameters: body.parameters.map(Into::into),
        tags: body.tags.map(Into::into),
        folder_id: body.folder_id,
        job_id: body.job_id,
    };
    let mut tx = app.store().begin(caller.tenant).await?;
    let row = workflows::update(&mut tx, id, change, app.clock().now()).await?.ok_or_else(missing)?;
    tx.commit().await?;
    let told = json!({
        "name": row.name,
        "description": row.description,
        "parameters": row.parameters,
        "tags": row.tags,
        "updated_at": row.updated_at,
    });
    app.system().workflow_updated(caller.tenant, id, told).await;
    Ok(Json(row.into()))
}

/// Hides the workflow; its open sessions are closed.
#[utoipa::path(delete, path = "/workflows/{workflow}", tag = "workflows", operation_id = "delete_workflow",
    params(("workflow" = WorkflowId, Path)), responses((status = 204, description = "Deleted")))]
pub async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<WorkflowId>) -> Result<StatusCode, Problem> {
    let mut tx = app.store().begin(caller.tenant).await?;
    if !workflows::delete(&mut tx, id, app.clock().now()).await? {
        return Err(missing());
    }
    tx.commit().await?;
    app.system().workflows_deleted(caller.tenant, [id]).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The workflow, if the tenant has it.
pub async fn find(app: &App, tenant: TenantId, id: WorkflowId) -> Result<workflows::Workflow, Problem> {
    let mut tx = app.store().read(tenant).await?;
    workflows::find(&mut tx, id).await?.ok_or_else(missing)
}

async fn insert(app: &App, caller: &Caller, body: CreateWorkflow) -> Result<workflows::Workflow, Problem> {
    let mut tx = app.store().begin(caller.tenant).await?;
    let row = insert_in(&mut tx, caller, body, app.clock().now()).await?;
    tx.commit().await?;
    Ok(row)
}

/// The row, and the moment by which [`reveal`] knows it.
async fn insert_hidden(
    app: &App,
    caller: &Caller,
    body: CreateWorkflow,
) -> Result<(workflows::Workflow, Timestamp), Problem> {
    let now = app.clock().now();
    let mut tx = app.store().begin(caller.tenant).await?;
    let row = insert_in(&mut tx, caller, body, now).await?;
    workflows::delete(&mut tx, row.id, now).await?;
    tx.commit().await?;
    Ok((row, now))
}

async fn reveal(app: &App, caller: &Caller, id: WorkflowId, hidden_at: Timestamp) -> Result<(), Problem> {
    let mut tx = app.store().begin(caller.tenant).await?;
    if !workflows::reveal(&mut tx, id, hidden_at).await? {
        return Err(troupe_store::Error::NoSuchParent.into());
    }
    tx.commit().await?;
    Ok(())
}

async fn insert_in(
    tx: &mut TenantTx,
    caller: &Caller,
    body: CreateWorkflow,
    now: Timestamp,
) -> Result<workflows::Workflow, Problem> {
    let CreateWorkflow { workspace_id, folder_id, job_id, name, description, parameters, tags } = body;
    let (name, description) = (String::from(name), String::from(description));
    let (parameters, tags) = (Map::from(parameters), Vec::from(tags));
    let new = NewWorkflow {
        id: WorkflowId::generate(),
        workspace_id,
        folder_id,
        job_id,
        name: &name,
        description: &description,
        parameters: &parameters,
        tags: &tags,
        created_by: caller.user,
    };
    Ok(workflows::create(tx, new, now).await?)
}

fn missing() -> Problem {
    Problem::not_found("workflow")
}

impl From<workflows::Workflow> for Workflow {
    fn from(row: workflows::Workflow) -> Self {
        Self {
            id: row.id,
            workspace_id: row.workspace_id,
            folder_id: row.folder_id,
            job_id: row.job_id,
            name: row.name,
            description: row.description,
            parameters: row.parameters,
            tags: row.tags,
            created_at: row.created_at,
            updated_at: row.updated_at,
            created_by: row.created_by,
        }
    }
}
