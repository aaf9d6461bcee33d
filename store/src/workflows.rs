//! Workflows: their place in the hierarchy and their settings. The diagram is in the canvas log.

use serde_json::{Map, Value as JsonValue};
use sqlx::{query, query_as, types::Json};
use troupe_model::{FolderId, JobId, Timestamp, UserId, WorkflowId, WorkspaceId};
use uuid::Uuid;

use crate::{
    Error, Page, PageRequest, Result, SortBy, TenantTx,
    listing::{Listed, Listing, Value},
    page::{SortKey, fold},
    tx::on,
};

#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Workflow {
    pub id: WorkflowId,
    pub workspace_id: WorkspaceId,
    pub folder_id: Option<FolderId>,
    pub job_id: Option<JobId>,
    pub name: String,
    pub description: String,
    /// Parameter name → default value.
    #[sqlx(json)]
    pub parameters: Map<String, JsonValue>,
    #[sqlx(json)]
    pub tags: Vec<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub created_by: UserId,
    /// Counts the changes of these settings, from 1.
    pub revision: i64,
}

#[derive(Clone, Copy, Debug)]
pub struct NewWorkflow<'a> {
    pub id: WorkflowId,
    pub workspace_id: WorkspaceId,
    pub folder_id: Option<FolderId>,
    pub job_id: Option<JobId>,
    pub name: &'a str,
    pub description: &'a str,
    pub parameters: &'a Map<String, JsonValue>,
    pub tags: &'a [String],
    pub created_by: UserId,
}

/// `None` leaves as it is; `folder_id: Some(None)` moves to the top of the workspace, `job_id: Some(None)` out of
/// its job.
#[derive(Clone, Debug, Default)]
pub struct WorkflowChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub parameters: Option<Map<String, JsonValue>>,
    pub tags: Option<Vec<String>>,
    pub folder_id: Option<Option<FolderId>>,
    pub job_id: Option<Option<JobId>>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct WorkflowFilter {
    pub workspace_id: Option<WorkspaceId>,
    pub folder_id: Option<FolderId>,
    pub job_id: Option<JobId>,
}

macro_rules! columns {
    () => {
        "id, workspace_id, folder_id, job_id, name, description, parameters, tags, created_at, updated_at, created_by, \
         revision"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO workflows (tenant_id, id, workspace_id, folder_id, job_id, name, name_folded, description, parameters,
        tags, created_by, created_at, updated_at, revision)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, 1
    WHERE EXISTS (SELECT 1 FROM workspaces WHERE tenant_id = $1 AND id = $3 AND deleted_at IS NULL)
    AND ($4 IS NULL OR EXISTS (SELECT 1 FROM folders
        WHERE tenant_id = $1 AND id = $4 AND workspace_id = $3 AND deleted_at IS NULL))
    AND ($5 IS NULL OR EXISTS (SELECT 1 FROM jobs
        WHERE tenant_id = $1 AND id = $5 AND workspace_id = $3 AND deleted_at IS NULL))
    RETURNING ",
    columns!()
);
const FIND: &str =
    concat!("SELECT ", columns!(), " FROM workflows WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL");
const UPDATE: &str = concat!(
    "UPDATE workflows SET name = COALESCE($3, name), name_folded = COALESCE($4, name_folded),
        description = COALESCE($5, description), parameters = COALESCE($6, parameters), tags = COALESCE($7, tags),
        folder_id = CASE WHEN $8 THEN $9 ELSE folder_id END, job_id = CASE WHEN $10 THEN $11 ELSE job_id END,
        updated_at = CASE WHEN updated_at < $12 THEN $12 ELSE updated_at END, revision = revision + 1
    WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL
    AND ($9 IS NULL OR EXISTS (SELECT 1 FROM folders WHERE folders.tenant_id = $1 AND folders.id = $9
        AND folders.workspace_id = workflows.workspace_id AND folders.deleted_at IS NULL))
    AND ($11 IS NULL OR EXISTS (SELECT 1 FROM jobs WHERE jobs.tenant_id = $1 AND jobs.id = $11
        AND jobs.workspace_id = workflows.workspace_id AND jobs.deleted_at IS NULL))
    RETURNING ",
    columns!()
);
const TOUCH: &str = "UPDATE workflows SET updated_at = $3
    WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL AND updated_at < $3";
const DELETE: &str = "UPDATE workflows SET deleted_at = $3 WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL";

const REVEAL: &str = "UPDATE workflows SET deleted_at = NULL WHERE tenant_id = $1 AND id = $2 AND deleted_at = $3
    AND EXISTS (SELECT 1 FROM workspaces
        WHERE tenant_id = $1 AND id = workflows.workspace_id AND deleted_at IS NULL)
    AND (folder_id IS NULL OR EXISTS (SELECT 1 FROM folders
        WHERE tenant_id = $1 AND id = workflows.folder_id AND deleted_at IS NULL))
    AND (job_id IS NULL OR EXISTS (SELECT 1 FROM jobs
        WHERE tenant_id = $1 AND id = workflows.job_id AND deleted_at IS NULL))";

/// Fails with [`Error::NoSuchParent`] when the workspace is not there, or the folder or job is not in it.
pub async fn create(tx: &mut TenantTx, workflow: NewWorkflow<'_>, now: Timestamp) -> Result<Workflow> {
    let tenant = tx.tenant();
    let row: Option<Workflow> = on!(tx, conn => {
        query_as(INSERT)
            .bind(tenant)
            .bind(workflow.id)
            .bind(workflow.workspace_id)
            .bind(workflow.folder_id)
            .bind(workflow.job_id)
            .bind(workflow.name)
            .bind(fold(workflow.name))
            .bind(workflow.description)
            .bind(Json(workflow.parameters))
            .bind(Json(workflow.tags))
            .bind(workflow.created_by)
            .bind(now)
            .fetch_optional(conn)
            .await
    })?;
    row.ok_or(Error::NoSuchParent)
}

pub async fn find(tx: &mut TenantTx, id: WorkflowId) -> Result<Option<Workflow>> {
    let tenant = tx.tenant();
    Ok(on!(tx, conn => query_as(FIND).bind(tenant).bind(id).fetch_optional(conn).await)?)
}

pub async fn list(tx: &mut TenantTx, filter: WorkflowFilter, request: &PageRequest) -> Result<Page<Workflow>> {
    let listing = Listing {
        table: "workflows",
        columns: columns!(),
        soft_deleted: true,
        sorts: &SortBy::ALL,
        searched: Some("name_folded"),
        filters: vec![
            ("workspace_id", filter.workspace_id.map(|id| Value::Id(*id.as_uuid()))),
            ("folder_id", filter.folder_id.map(|id| Value::Id(*id.as_uuid()))),
            ("job_id", filter.job_id.map(|id| Value::Id(*id.as_uuid()))),
        ],
    };
    listing.fetch(tx, request).await
}

/// Fails with [`Error::NoSuchParent`] when the new folder or job is not in the workflow's workspace.
pub async fn update(
    tx: &mut TenantTx,
    id: WorkflowId,
    change: WorkflowChange,
    now: Timestamp,
) -> Result<Option<Workflow>> {
    let tenant = tx.tenant();
    let row: Option<Workflow> = on!(tx, conn => {
        query_as(UPDATE)
            .bind(tenant)
            .bind(id)
            .bind(change.name.as_deref())
            .bind(change.name.as_deref().map(fold))
            .bind(change.description.as_deref())
            .bind(change.parameters.as_ref().map(Json))
            .bind(change.tags.as_ref().map(Json))
            .bind(change.folder_id.is_some())
            .bind(change.folder_id.flatten())
            .bind(change.job_id.is_some())
            .bind(change.job_id.flatten())
            .bind(now)
            .fetch_optional(conn)
            .await
    })?;
    if row.is_none() && find(tx, id).await?.is_some() {
        return Err(Error::NoSuchParent);
    }
    Ok(row)
}

/// Says that the canvas was edited at `now`. `false`: no such workflow, or a later time stands there.
pub async fn touch(tx: &mut TenantTx, id: WorkflowId, now: Timestamp) -> Result<bool> {
    mark(tx, TOUCH, id, now).await
}

/// Hides the workflow [HIER-2]. Its canvas and runs stay.
pub async fn delete(tx: &mut TenantTx, id: WorkflowId, now: Timestamp) -> Result<bool> {
    mark(tx, DELETE, id, now).await
}

/// Shows a workflow that was hidden at that moment. `false`: it was not, or what it is in is no more.
pub async fn reveal(tx: &mut TenantTx, id: WorkflowId, hidden_at: Timestamp) -> Result<bool> {
    mark(tx, REVEAL, id, hidden_at).await
}

async fn mark(tx: &mut TenantTx, sql: &'static str, id: WorkflowId, now: Timestamp) -> Result<bool> {
    let tenant = tx.tenant();
    let rows = on!(tx, conn => {
        query(sql).bind(tenant).bind(id).bind(now).execute(conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

impl Listed for Workflow {
    fn id(&self) -> Uuid {
        *self.id.as_uuid()
    }

    fn sort_key(&self, by: SortBy) -> SortKey {
        SortKey::of(by, &self.name, self.created_at, self.updated_at)
    }
}
