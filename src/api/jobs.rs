//! `/api/v1/jobs`: a job groups workflows [HIER-1].

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use troupe_model::{FolderId, JobId, Timestamp, WorkspaceId};
use troupe_store::jobs::{self, JobChange, JobFilter, NewJob};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    fields::{Description, Name, nullable},
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
        .at(needs(Object::Job, Level::Read), routes!(list))
        .at(needs(Object::Job, Level::Write), routes!(create))
        .at(needs(Object::Job, Level::Read), routes!(get))
        .at(needs(Object::Job, Level::Write), routes!(update))
        .at(needs(Object::Job, Level::Write), routes!(delete))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Job {
    id: JobId,
    workspace_id: WorkspaceId,
    folder_id: Option<FolderId>,
    name: String,
    description: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    workspace_id: Option<WorkspaceId>,
    folder_id: Option<FolderId>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewJob)]
pub struct CreateJob {
    workspace_id: WorkspaceId,
    folder_id: Option<FolderId>,
    name: Name,
    #[serde(default)]
    description: Description,
}

/// What is left out stays as it is; `folder_id: null` moves to the top of the workspace.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JobChange)]
pub struct UpdateJob {
    name: Option<Name>,
    description: Option<Description>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<FolderId>)]
    folder_id: Option<Option<FolderId>>,
}

#[utoipa::path(get, path = "/jobs", tag = "jobs", operation_id = "list_jobs", params(PageParams, Filter),
    responses((status = 200, body = List<Job>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageParams>,
    Query(filter): Query<Filter>,
) -> Result<Json<List<Job>>, Problem> {
    let filter = JobFilter { workspace_id: filter.workspace_id, folder_id: filter.folder_id };
    let mut tx = app.store().read(caller.tenant).await?;
    Ok(Json(List::of(jobs::list(&mut tx, filter, &page.request()?).await?)))
}

#[utoipa::path(post, path = "/jobs", tag = "jobs", operation_id = "create_job", request_body = CreateJob,
    responses((status = 201, body = Job)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<CreateJob>,
) -> Result<Created<Job>, Problem> {
    let CreateJob { workspace_id, folder_id, name, description } = body;
    let (name, description) = (String::from(name), String::from(description));
    let new = NewJob { id: JobId::generate(), workspace_id, folder_id, name: &name, description: &description };
    let mut tx = app.store().begin(caller.tenant).await?;
    let job = jobs::create(&mut tx, new, app.clock().now()).await?;
    tx.commit().await?;
    Ok(Created::at(format!("/api/v1/jobs/{}", job.id), job.into()))
}

#[utoipa::path(get, path = "/jobs/{job}", tag = "jobs", operation_id = "get_job", params(("job" = JobId, Path)),
    responses((status = 200, body = Job)))]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<JobId>) -> Result<Json<Job>, Problem> {
    let mut tx = app.store().read(caller.tenant).await?;
    jobs::find(&mut tx, id).await?.map(|job| Json(job.into())).ok_or_else(missing)
}

#[utoipa::path(patch, path = "/jobs/{job}", tag = "jobs", operation_id = "update_job",
    params(("job" = JobId, Path)), request_body = UpdateJob, responses((status = 200, body = Job)))]
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<JobId>,
    Json(body): Json<UpdateJob>,
) -> Result<Json<Job>, Problem> {
    let change = JobChange {
        name: body.name.map(Into::into),
        description: body.description.map(Into::into),
        folder_id: body.folder_id,
    };
    let mut tx = app.store().begin(caller.tenant).await?;
    let job = jobs::update(&mut tx, id, change, app.clock().now()).await?.ok_or_else(missing)?;
    tx.commit().await?;
    Ok(Json(job.into()))
}

/// Hides the job and the workflows in it.
#[utoipa::path(delete, path = "/jobs/{job}", tag = "jobs", operation_id = "delete_job",
    params(("job" = JobId, Path)), responses((status = 204, description = "Deleted")))]
pub async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<JobId>) -> Result<StatusCode, Problem> {
    let mut tx = app.store().begin(caller.tenant).await?;
    let workflows = jobs::delete(&mut tx, id, app.clock().now()).await?.ok_or_else(missing)?;
    tx.commit().await?;
    app.system().workflows_deleted(caller.tenant, workflows).await;
    Ok(StatusCode::NO_CONTENT)
}

fn missing() -> Problem {
    Problem::not_found("job")
}

impl From<jobs::Job> for Job {
    fn from(row: jobs::Job) -> Self {
        Self {
            id: row.id,
            workspace_id: row.workspace_id,
            folder_id: row.folder_id,
            name: row.name,
            description: row.description,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
