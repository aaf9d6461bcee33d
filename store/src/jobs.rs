//! Jobs: they group workflows, in a workspace or one of its folders [HIER-1].

use sqlx::query_as;
use troupe_model::{FolderId, JobId, Timestamp, WorkflowId, WorkspaceId};
use uuid::Uuid;

use crate::{
    Error, Page, PageRequest, Result, SortBy, TenantTx,
    deletion::Deletion,
    listing::{Listed, Listing, Value},
    page::{SortKey, fold},
    tx::on,
};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Job {
    pub id: JobId,
    pub workspace_id: WorkspaceId,
    pub folder_id: Option<FolderId>,
    pub name: String,
    pub description: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub struct NewJob<'a> {
    pub id: JobId,
    pub workspace_id: WorkspaceId,
    pub folder_id: Option<FolderId>,
    pub name: &'a str,
    pub description: &'a str,
}

/// `None` leaves as it is; `folder_id: Some(None)` moves to the top of the workspace.
#[derive(Clone, Debug, Default)]
pub struct JobChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub folder_id: Option<Option<FolderId>>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct JobFilter {
    pub workspace_id: Option<WorkspaceId>,
    pub folder_id: Option<FolderId>,
}

const INSERT: &str = "INSERT INTO jobs
    (tenant_id, id, workspace_id, folder_id, name, name_folded, description, created_at, updated_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8
    WHERE EXISTS (SELECT 1 FROM workspaces WHERE tenant_id = $1 AND id = $3 AND deleted_at IS NULL)
    AND ($4 IS NULL OR EXISTS (SELECT 1 FROM folders
        WHERE tenant_id = $1 AND id = $4 AND workspace_id = $3 AND deleted_at IS NULL))
    RETURNING id, workspace_id, folder_id, name, description, created_at, updated_at";
const FIND: &str = "SELECT id, workspace_id, folder_id, name, description, created_at, updated_at
    FROM jobs WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL";
const UPDATE: &str = "UPDATE jobs SET name = COALESCE($3, name), name_folded = COALESCE($4, name_folded),
    description = COALESCE($5, description), folder_id = CASE WHEN $6 THEN $7 ELSE folder_id END, updated_at = $8
    WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL
    AND ($7 IS NULL OR EXISTS (SELECT 1 FROM folders WHERE folders.tenant_id = $1 AND folders.id = $7
        AND folders.workspace_id = jobs.workspace_id AND folders.deleted_at IS NULL))
    RETURNING id, workspace_id, folder_id, name, description, created_at, updated_at";
const DELETION: Deletion = Deletion {
    itself: "UPDATE jobs SET deleted_at = $3 WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL",
    workflows: "UPDATE workflows SET deleted_at = $3
        WHERE tenant_id = $1 AND job_id = $2 AND deleted_at IS NULL RETURNING id",
    rest: &[],
};

/// Fails with [`Error::NoSuchParent`] when the workspace is not there, or the folder is not in it.
pub async fn create(tx: &mut TenantTx, job: NewJob<'_>, now: Timestamp) -> Result<Job> {
    let tenant = tx.tenant();
    let row: Option<Job> = on!(tx, conn => {
        query_as(INSERT)
            .bind(tenant)
            .bind(job.id)
            .bind(job.workspace_id)
            .bind(job.folder_id)
            .bind(job.name)
            .bind(fold(job.name))
            .bind(job.description)
            .bind(now)
            .fetch_optional(conn)
            .await
    })?;
    row.ok_or(Error::NoSuchParent)
}

pub async fn find(tx: &mut TenantTx, id: JobId) -> Result<Option<Job>> {
    let tenant = tx.tenant();
    Ok(on!(tx, conn => query_as(FIND).bind(tenant).bind(id).fetch_optional(conn).await)?)
}

pub async fn list(tx: &mut TenantTx, filter: JobFilter, request: &PageRequest) -> Result<Page<Job>> {
    let listing = Listing {
        table: "jobs",
        columns: "id, workspace_id, folder_id, name, description, created_at, updated_at",
        soft_deleted: true,
        sorts: &SortBy::ALL,
        searched: Some("name_folded"),
        filters: vec![
            ("workspace_id", filter.workspace_id.map(|id| Value::Id(*id.as_uuid()))),
            ("folder_id", filter.folder_id.map(|id| Value::Id(*id.as_uuid()))),
        ],
    };
    listing.fetch(tx, request).await
}

/// Fails with [`Error::NoSuchParent`] when the new folder is not in the job's workspace.
pub async fn update(tx: &mut TenantTx, id: JobId, change: JobChange, now: Timestamp) -> Result<Option<Job>> {
    let tenant = tx.tenant();
    let row: Option<Job> = on!(tx, conn => {
        query_as(UPDATE)
            .bind(tenant)
            .bind(id)
            .bind(change.name.as_deref())
            .bind(change.name.as_deref().map(fold))
            .bind(change.description.as_deref())
            .bind(change.folder_id.is_some())
            .bind(change.folder_id.flatten())
            .bind(now)
            .fetch_optional(conn)
            .await
    })?;
    if row.is_none() && find(tx, id).await?.is_some() {
        return Err(Error::NoSuchParent);
    }
    Ok(row)
}

/// Hides the job and its workflows [HIER-2], and tells these; `None`: there is no such job.
pub async fn delete(tx: &mut TenantTx, id: JobId, now: Timestamp) -> Result<Option<Vec<WorkflowId>>> {
    DELETION.of(tx, *id.as_uuid(), now).await
}

impl Listed for Job {
    fn id(&self) -> Uuid {
        *self.id.as_uuid()
    }

    fn sort_key(&self, by: SortBy) -> SortKey {
        SortKey::of(by, &self.name, self.created_at, self.updated_at)
    }
}
