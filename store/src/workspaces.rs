//! Workspaces: the roots of a tenant's hierarchy [HIER-1].

use sqlx::query_as;
use troupe_model::{Timestamp, WorkflowId, WorkspaceId};
use uuid::Uuid;

use crate::{
    Page, PageRequest, Result, SortBy, TenantTx,
    deletion::Deletion,
    listing::{Listed, Listing},
    page::{SortKey, fold},
    tx::on,
};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: String,
    pub description: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub struct NewWorkspace<'a> {
    pub id: WorkspaceId,
    pub name: &'a str,
    pub description: &'a str,
}

/// `None` leaves as it is.
#[derive(Clone, Debug, Default)]
pub struct WorkspaceChange {
    pub name: Option<String>,
    pub description: Option<String>,
}

const INSERT: &str = "INSERT INTO workspaces (tenant_id, id, name, name_folded, description, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $6)
    RETURNING id, name, description, created_at, updated_at";
const FIND: &str = "SELECT id, name, description, created_at, updated_at
    FROM workspaces WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL";
const UPDATE: &str = "UPDATE workspaces SET name = COALESCE($3, name), name_folded = COALESCE($4, name_folded),
    description = COALESCE($5, description), updated_at = $6
    WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL
    RETURNING id, name, description, created_at, updated_at";
const DELETION: Deletion = Deletion {
    itself: "UPDATE workspaces SET deleted_at = $3 WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL",
    workflows: "UPDATE workflows SET deleted_at = $3
        WHERE tenant_id = $1 AND workspace_id = $2 AND deleted_at IS NULL RETURNING id",
    rest: &[
        "UPDATE folders SET deleted_at = $3 WHERE tenant_id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
        "UPDATE jobs SET deleted_at = $3 WHERE tenant_id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
    ],
};

pub async fn create(tx: &mut TenantTx, workspace: NewWorkspace<'_>, now: Timestamp) -> Result<Workspace> {
    let tenant = tx.tenant();
    Ok(on!(tx, conn => {
        query_as(INSERT)
            .bind(tenant)
            .bind(workspace.id)
            .bind(workspace.name)
            .bind(fold(workspace.name))
            .bind(workspace.description)
            .bind(now)
            .fetch_one(conn)
            .await
    })?)
}

pub async fn find(tx: &mut TenantTx, id: WorkspaceId) -> Result<Option<Workspace>> {
    let tenant = tx.tenant();
    Ok(on!(tx, conn => query_as(FIND).bind(tenant).bind(id).fetch_optional(conn).await)?)
}

pub async fn list(tx: &mut TenantTx, request: &PageRequest) -> Result<Page<Workspace>> {
    let listing = Listing {
        table: "workspaces",
        columns: "id, name, description, created_at, updated_at",
        soft_deleted: true,
        sorts: &SortBy::ALL,
        searched: Some("name_folded"),
        filters: Vec::new(),
    };
    listing.fetch(tx, request).await
}

pub async fn update(
    tx: &mut TenantTx,
    id: WorkspaceId,
    change: WorkspaceChange,
    now: Timestamp,
) -> Result<Option<Workspace>> {
    let tenant = tx.tenant();
    Ok(on!(tx, conn => {
        query_as(UPDATE)
            .bind(tenant)
            .bind(id)
            .bind(change.name.as_deref())
            .bind(change.name.as_deref().map(fold))
            .bind(change.description.as_deref())
            .bind(now)
            .fetch_optional(conn)
            .await
    })?)
}

/// Hides the workspace and all that is in it [HIER-2]. Tells its workflows; `None`: there is no such workspace.
pub async fn delete(tx: &mut TenantTx, id: WorkspaceId, now: Timestamp) -> Result<Option<Vec<WorkflowId>>> {
    DELETION.of(tx, *id.as_uuid(), now).await
}

impl Listed for Workspace {
    fn id(&self) -> Uuid {
        *self.id.as_uuid()
    }

    fn sort_key(&self, by: SortBy) -> SortKey {
        SortKey::of(by, &self.name, self.created_at, self.updated_at)
    }
}
