//! Versions of workflows: immutable diagrams, numbered from 1. The newest is the published one.
//!
//! A version is written by the owner of the canvas, under the epoch of its lease [SYNC-13].

use sqlx::{QueryBuilder, query_as, query_scalar};
use troupe_model::{Diagram, TenantId, Timestamp, UserId, WorkflowId};

use crate::{
    Error, PAGE_ROWS_MAX, Page, Result, SystemTx, TenantTx, json,
    leases::{LeaseKind, row_lock},
    tx::on,
};

/// A version without its diagram, which can be large: see [`diagram`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub number: i64,
    /// The last row of the canvas log that it holds: the diagram's revision.
    pub seq: i64,
    pub note: String,
    /// Everybody who changed something since the version before.
    pub authors: Vec<UserId>,
    pub created_at: Timestamp,
    pub created_by: UserId,
}

#[derive(Clone, Copy, Debug)]
pub struct NewVersion<'a> {
    pub tenant: TenantId,
    pub workflow: WorkflowId,
    pub epoch: i64,
    pub seq: i64,
    pub note: &'a str,
    pub diagram: &'a Diagram,
    pub authors: &'a [UserId],
    pub by: UserId,
    pub at: Timestamp,
}

macro_rules! select {
    ($columns:literal) => {
        concat!("SELECT ", $columns, " FROM workflow_versions WHERE tenant_id = $1 AND workflow_id = $2")
    };
    () => {
        select!("number, seq, note, authors, created_at, created_by")
    };
}

const FIND: &str = concat!(select!(), " AND number = $3");
const LATEST: &str = concat!(select!(), " ORDER BY number DESC LIMIT 1");
const LIST: &str = concat!(select!(), " AND ($3 IS NULL OR number < $3) ORDER BY number DESC LIMIT $4");
const COUNT: &str = select!("COUNT(*)");
const DIAGRAM: &str = concat!(select!("diagram"), " AND number = $3");
const DIAGRAM_BYTES: &str = concat!(select!("CAST(octet_length(diagram) AS BIGINT)"), " AND number = $3");

/// Stores the next version. `None`: nothing was done, because the lease has another epoch or nobody holds it.
pub async fn publish(tx: &mut SystemTx, version: NewVersion<'_>) -> Result<Option<Version>> {
    let (diagram, authors) = (json::write(version.diagram)?, json::write(version.authors)?);
    let lock = row_lock(tx);
    let row: Option<Row> = on!(tx, conn => {
        let mut query =
            QueryBuilder::new("WITH held AS (SELECT tenant_id, id FROM leases WHERE server_id IS NOT NULL AND kind = ");
        query.push_bind(LeaseKind::Workflow.name());
        query.push(" AND tenant_id = ").push_bind(version.tenant);
        query.push(" AND id = ").push_bind(version.workflow);
        query.push(" AND epoch = ").push_bind(version.epoch);
        query.push(lock);
        query.push(
            ") INSERT INTO workflow_versions
                (tenant_id, workflow_id, number, seq, note, diagram, authors, created_at, created_by)
                SELECT held.tenant_id, held.id, COALESCE((SELECT MAX(number) FROM workflow_versions
                    WHERE tenant_id = held.tenant_id AND workflow_id = held.id), 0) + 1, ",
        );
        query
            .separated(", ")
            .push_bind(version.seq)
            .push_bind(version.note)
            .push_bind(diagram)
            .push_bind(authors)
            .push_bind(version.at)
            .push_bind(version.by);
        query.push(" FROM held RETURNING number, seq, note, authors, created_at, created_by");
        query.build_query_as().fetch_optional(conn).await
    })?;
    row.map(Version::try_from).transpose()
}

pub async fn find(tx: &mut TenantTx, workflow: WorkflowId, number: i64) -> Result<Option<Version>> {
    let tenant = tx.tenant();
    let row: Option<Row> =
        on!(tx, conn => query_as(FIND).bind(tenant).bind(workflow).bind(number).fetch_optional(conn).await)?;
    row.map(Version::try_from).transpose()
}

/// The published version.
pub async fn latest(tx: &mut TenantTx, workflow: WorkflowId) -> Result<Option<Version>> {
    let tenant = tx.tenant();
    let row: Option<Row> = on!(tx, conn => query_as(LATEST).bind(tenant).bind(workflow).fetch_optional(conn).await)?;
    row.map(Version::try_from).transpose()
}

/// Newest first, from below `before` on; at most [`PAGE_ROWS_MAX`]. The cursor is the next `before`.
pub async fn list(tx: &mut TenantTx, workflow: WorkflowId, before: Option<i64>, limit: u32) -> Result<Page<Version>> {
    let tenant = tx.tenant();
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let mut rows: Vec<Row> = on!(tx, conn => {
        // One more, to know whether there is a next page.
        query_as(LIST).bind(tenant).bind(workflow).bind(before).bind(i64::from(limit) + 1).fetch_all(conn).await
    })?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(|last| last.number.to_string());
    let items = rows.into_iter().map(Version::try_from).collect::<Result<_>>()?;
    Ok(Page { items, next_cursor, total: None })
}

pub async fn count(tx: &mut TenantTx, workflow: WorkflowId) -> Result<u64> {
    let tenant = tx.tenant();
    let count: i64 = on!(tx, conn => query_scalar(COUNT).bind(tenant).bind(workflow).fetch_one(conn).await)?;
    Ok(count.unsigned_abs())
}

/// What the diagram takes as text.
pub async fn diagram_bytes(tx: &mut TenantTx, workflow: WorkflowId, number: i64) -> Result<Option<usize>> {
    let tenant = tx.tenant();
    let bytes: Option<i64> = on!(tx, conn => query_scalar(DIAGRAM_BYTES)
        .bind(tenant).bind(workflow).bind(number).fetch_optional(conn).await)?;
    Ok(bytes.and_then(|bytes| usize::try_from(bytes).ok()))
}

pub async fn diagram(tx: &mut TenantTx, workflow: WorkflowId, number: i64) -> Result<Option<Diagram>> {
    let tenant = tx.tenant();
    let text: Option<String> =
        on!(tx, conn => query_scalar(DIAGRAM).bind(tenant).bind(workflow).bind(number).fetch_optional(conn).await)?;
    json::read_optional(text.as_deref(), "diagram")
}

#[derive(sqlx::FromRow)]
struct Row {
    number: i64,
    seq: i64,
    note: String,
    authors: String,
    created_at: Timestamp,
    created_by: UserId,
}

impl TryFrom<Row> for Version {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            number: row.number,
            seq: row.seq,
            note: row.note,
            authors: json::read(&row.authors, "list of authors")?,
            created_at: row.created_at,
            created_by: row.created_by,
        })
    }
}
