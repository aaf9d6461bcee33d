//! Folders: they nest, within one workspace [HIER-1].

use sqlx::{query_as, query_scalar};
use troupe_model::{FolderId, Timestamp, WorkflowId, WorkspaceId};
use uuid::Uuid;

use crate::{
    Error, Page, PageRequest, Result, SortBy, TenantTx,
    deletion::Deletion,
    listing::{Listed, Listing, Value},
    page::{SortKey, fold},
    tx::on,
};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Folder {
    pub id: FolderId,
    pub workspace_id: WorkspaceId,
    pub parent_id: Option<FolderId>,
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub struct NewFolder<'a> {
    pub id: FolderId,
    pub workspace_id: WorkspaceId,
    pub parent_id: Option<FolderId>,
    pub name: &'a str,
}

/// `None` leaves as it is; `parent_id: Some(None)` moves to the top of the workspace.
#[derive(Clone, Debug, Default)]
pub struct FolderChange {
    pub name: Option<String>,
    pub parent_id: Option<Option<FolderId>>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct FolderFilter {
    pub workspace_id: Option<WorkspaceId>,
    pub parent_id: Option<FolderId>,
}

const INSERT: &str = "INSERT INTO folders
    (tenant_id, id, workspace_id, parent_id, name, name_folded, created_at, updated_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $7
    WHERE EXISTS (SELECT 1 FROM workspaces WHERE tenant_id = $1 AND id = $3 AND deleted_at IS NULL)
    AND ($4 IS NULL OR EXISTS (SELECT 1 FROM folders
        WHERE tenant_id = $1 AND id = $4 AND workspace_id = $3 AND deleted_at IS NULL))
    RETURNING id, workspace_id, parent_id, name, created_at, updated_at";
const FIND: &str = "SELECT id, workspace_id, parent_id, name, created_at, updated_at
    FROM folders WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL";
const UPDATE: &str = "UPDATE folders SET name = COALESCE($3, name), name_folded = COALESCE($4, name_folded),
    parent_id = CASE WHEN $5 THEN $6 ELSE parent_id END, updated_at = $7
    WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL
    AND ($6 IS NULL OR EXISTS (SELECT 1 FROM folders AS parent WHERE parent.tenant_id = $1 AND parent.id = $6
        AND parent.workspace_id = folders.workspace_id AND parent.deleted_at IS NULL))
    RETURNING id, workspace_id, parent_id, name, created_at, updated_at";
/// Whether $3 is $2 or below it.
const IS_BELOW: &str = "WITH RECURSIVE above (id) AS (
        SELECT $3 UNION
        SELECT folders.parent_id FROM folders JOIN above ON folders.id = above.id
        WHERE folders.tenant_id = $1 AND folders.parent_id IS NOT NULL)
    SELECT EXISTS (SELECT 1 FROM above WHERE id = $2)";
/// $2 was marked a moment ago; the tree below it is found whether marked or not.
macro_rules! below {
    ($update:literal) => {
        concat!(
            "WITH RECURSIVE tree (id) AS (
                SELECT id FROM folders WHERE tenant_id = $1 AND id = $2 UNION
                SELECT folders.id FROM folders JOIN tree ON folders.parent_id = tree.id WHERE folders.tenant_id = $1) ",
            $update
        )
    };
}
const DELETION: Deletion = Deletion {
    itself: "UPDATE folders SET deleted_at = $3 WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL",
    workflows: below!(
        "UPDATE workflows SET deleted_at = $3 WHERE tenant_id = $1 AND deleted_at IS NULL
        AND (folder_id IN (SELECT id FROM tree)
            OR job_id IN (SELECT id FROM jobs WHERE tenant_id = $1 AND folder_id IN (SELECT id FROM tree)))
        RETURNING id"
    ),
    rest: &[
        below!(
            "UPDATE jobs SET deleted_at = $3 WHERE tenant_id = $1 AND deleted_at IS NULL
            AND folder_id IN (SELECT id FROM tree)"
        ),
        below!(
            "UPDATE folders SET deleted_at = $3 WHERE tenant_id = $1 AND deleted_at IS NULL
            AND id IN (SELECT id FROM tree)"
        ),
    ],
};

/// Fails with [`Error::NoSuchParent`] when the workspace is not there, or the parent is not in it.
pub async fn create(tx: &mut TenantTx, folder: NewFolder<'_>, now: Timestamp) -> Result<Folder> {
    let tenant = tx.tenant();
    let row: Option<Folder> = on!(tx, conn => {
        query_as(INSERT)
            .bind(tenant)
            .bind(folder.id)
            .bind(folder.workspace_id)
            .bind(folder.parent_id)
            .bind(folder.name)
            .bind(fold(folder.name))
            .bind(now)
            .fetch_optional(conn)
            .await
    })?;
    row.ok_or(Error::NoSuchParent)
}

pub async fn find(tx: &mut TenantTx, id: FolderId) -> Result<Option<Folder>> {
    let tenant = tx.tenant();
    Ok(on!(tx, conn => query_as(FIND).bind(tenant).bind(id).fetch_optional(conn).await)?)
}

pub async fn list(tx: &mut TenantTx, filter: FolderFilter, request: &PageRequest) -> Result<Page<Folder>> {
    let listing = Listing {
        table: "folders",
        columns: "id, workspace_id, parent_id, name, created_at, updated_at",
        soft_deleted: true,
        sorts: &SortBy::ALL,
        searched: Some("name_folded"),
        filters: vec![
            ("workspace_id", filter.workspace_id.map(|id| Value::Id(*id.as_uuid()))),
            ("parent_id", filter.parent_id.map(|id| Value::Id(*id.as_uuid()))),
        ],
    };
    listing.fetch(tx, request).await
}

/// Fails with [`Error::FolderCycle`], and with [`Error::NoSuchParent`] when the new parent is not in the workspace.
pub async fn update(tx: &mut TenantTx, id: FolderId, change: FolderChange, now: Timestamp) -> Result<Option<Folder>> {
    let tenant = tx.tenant();
    if let Some(Some(parent)) = change.parent_id {
        let cycle: bool =
            on!(tx, conn => query_scalar(IS_BELOW).bind(tenant).bind(id).bind(parent).fetch_one(conn).await)?;
        if cycle {
            return Err(Error::FolderCycle);
        }
    }
    let row: Option<Folder> = on!(tx, conn => {
        query_as(UPDATE)
            .bind(tenant)
            .bind(id)
            .bind(change.name.as_deref())
            .bind(change.name.as_deref().map(fold))
            .bind(change.parent_id.is_some())
            .bind(change.parent_id.flatten())
            .bind(now)
            .fetch_optional(conn)
            .await
    })?;
    if row.is_none() && find(tx, id).await?.is_some() {
        return Err(Error::NoSuchParent);
    }
    Ok(row)
}

/// Hides the folder and all that is in it [HIER-2]. Tells its workflows; `None`: there is no such folder.
pub async fn delete(tx: &mut TenantTx, id: FolderId, now: Timestamp) -> Result<Option<Vec<WorkflowId>>> {
    DELETION.of(tx, *id.as_uuid(), now).await
}

impl Listed for Folder {
    fn id(&self) -> Uuid {
        *self.id.as_uuid()
    }

    fn sort_key(&self, by: SortBy) -> SortKey {
        SortKey::of(by, &self.name, self.created_at, self.updated_at)
    }
}
