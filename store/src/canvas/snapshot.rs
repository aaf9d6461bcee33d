//! Snapshots: the document as one value, which replaces the log before it [SYNC-5, SYNC-15].
//!
//! A large one is written in parts, and what it replaces is removed in pieces, each in a transaction of its own: nobody
//! else waits for all of it. One statement puts the new snapshot in the place of the old, when all parts are there. What
//! is left behind when this is cut short is not read, and removed with the next snapshot.

use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, query, query_as, query_scalar};
use tokio::time::{Instant, sleep};
use troupe_model::{TenantId, Timestamp, WorkflowId};
use uuid::Uuid;

use super::{PART_BYTES, crc};
use crate::{
    Error, Result, Store, SystemTx, TenantTx,
    leases::{LeaseKind, row_lock},
    tx::on,
};

/// After a piece it rests for so many times as long as that took.
const REST: u32 = 3;
/// One transaction removes so many rows at most.
const PIECE_ROWS_MAX: i64 = 256;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSnapshot {
    /// The last update that the snapshot holds.
    pub seq: i64,
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub hash: Vec<u8>,
    /// How often the document was rebuilt.
    pub document_epoch: i64,
    /// Who wrote in former document epochs, as whoever rebuilt it put it.
    #[serde(with = "serde_bytes")]
    pub clients: Vec<u8>,
    /// Who changed what up to `seq`; `None` if that was not known.
    #[serde(with = "serde_bytes")]
    pub authors: Option<Vec<u8>>,
}

/// One snapshot to put, by the owner of the workflow's lease.
#[derive(Clone, Copy, Debug)]
pub struct NewSnapshot<'a> {
    pub tenant: TenantId,
    pub workflow: WorkflowId,
    /// Of the lease.
    pub epoch: i64,
    pub seq: i64,
    pub bytes: &'a [u8],
    pub hash: &'a [u8],
    pub document_epoch: i64,
    pub clients: &'a [u8],
    pub authors: &'a [u8],
    pub at: Timestamp,
}

/// What may be in the log behind the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    Anything,
    Nothing,
}

const SELECT: &str = "SELECT seq, bytes, parts_id, crc, hash, document_epoch, clients, authors
    FROM canvas_snapshots WHERE tenant_id = $1 AND workflow_id = $2";
const PARTS: &str = "SELECT bytes FROM canvas_snapshot_parts
    WHERE tenant_id = $1 AND workflow_id = $2 AND parts_id = $3 ORDER BY part";
const TRIM: &str = "WITH replaced AS (SELECT seq, octet_length(bytes) AS size FROM canvas_updates
        WHERE tenant_id = $1 AND workflow_id = $2 AND seq <= $3 ORDER BY seq LIMIT $4),
    sized AS (SELECT seq, SUM(size) OVER (ORDER BY seq) - size AS before FROM replaced)
    DELETE FROM canvas_updates WHERE tenant_id = $1 AND workflow_id = $2
        AND seq IN (SELECT seq FROM sized WHERE before < $5)";
const LAST_SEQ: &str = "SELECT MAX(seq) FROM canvas_updates WHERE tenant_id = $1 AND workflow_id = $2";

pub(super) async fn load(tx: &mut TenantTx, workflow: WorkflowId) -> Result<Option<StoredSnapshot>> {
    let tenant = tx.tenant();
    let row: Option<SnapshotRow> =
        on!(tx, conn => query_as(SELECT).bind(tenant).bind(workflow).fetch_optional(conn).await)?;
    let Some(mut row) = row else { return Ok(None) };
    if let Some(id) = row.parts_id {
        let parts: Vec<Vec<u8>> = on!(tx, conn => {
            query_scalar(PARTS).bind(tenant).bind(workflow).bind(id).fetch_all(conn).await
        })?;
        row.bytes.reserve_exact(parts.iter().map(Vec::len).sum());
        parts.iter().for_each(|part| row.bytes.extend_from_slice(part));
    }
    row.verify(workflow).map(Some)
}

/// Replaces the snapshot and trims the log up to `seq`. `false`: nothing was done, because the lease has another
/// epoch or nobody holds it, or because a later snapshot or a later document epoch is there.
pub async fn put_snapshot(store: &Store, new: NewSnapshot<'_>) -> Result<bool> {
    put(store, new, Behind::Anything).await
}

/// The same for a document that was rebuilt. Also `false` when the log goes on behind `seq`: those updates mean
/// nothing to the rebuilt document.
pub async fn put_rebuilt(store: &Store, new: NewSnapshot<'_>) -> Result<bool> {
    put(store, new, Behind::Nothing).await
}

async fn put(store: &Store, new: NewSnapshot<'_>, behind: Behind) -> Result<bool> {
    let (first, rest) = new.bytes.split_at(new.bytes.len().min(PART_BYTES));
    let parts: Vec<&[u8]> = rest.chunks(PART_BYTES).collect();
    let id = (!parts.is_empty()).then(Uuid::now_v7);
    for (number, part) in parts.iter().enumerate() {
        let begun = Instant::now();
        let mut tx = store.begin_system().await?;
        if !insert_part(&mut tx, &new, id, number as i64, part).await? {
            return Ok(false);
        }
        tx.commit().await?;
        give_way(begun).await;
    }
    let mut tx = store.begin_system().await?;
    let done = replace(&mut tx, &new, first, id).await?
        && (behind == Behind::Anything || last_seq(&mut tx, &new).await?.is_none_or(|last| last <= new.seq));
    if !done {
        return Ok(false);
    }
    tx.commit().await?;
    loop {
        let begun = Instant::now();
        if trim_piece(store, &new).await? + forget_piece(store, &new, id).await? == 0 {
            return Ok(true);
        }
        give_way(begun).await;
    }
}

/// Nobody waits for a snapshot, and others wait for the disk.
async fn give_way(begun: Instant) {
    sleep(begun.elapsed() * REST).await;
}

async fn last_seq(tx: &mut SystemTx, new: &NewSnapshot<'_>) -> Result<Option<i64>> {
    Ok(on!(tx, conn => query_scalar(LAST_SEQ).bind(new.tenant).bind(new.workflow).fetch_one(conn).await)?)
}

/// Begins a statement that does nothing unless the lease is held under the epoch.
fn held<'q, DB>(new: &NewSnapshot<'q>, lock: &str) -> QueryBuilder<DB>
where
    DB: sqlx::Database,
    &'static str: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    i64: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    TenantId: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    WorkflowId: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    let mut query =
        QueryBuilder::new("WITH held AS (SELECT tenant_id, id, epoch FROM leases WHERE server_id IS NOT NULL");
    query.push(" AND kind = ").push_bind(LeaseKind::Workflow.name());
    query.push(" AND tenant_id = ").push_bind(new.tenant);
    query.push(" AND id = ").push_bind(new.workflow);
    query.push(" AND epoch = ").push_bind(new.epoch);
    query.push(lock).push(")");
    query
}

/// False when the lease is not held.
async fn insert_part(
    tx: &mut SystemTx,
    new: &NewSnapshot<'_>,
    id: Option<Uuid>,
    number: i64,
    bytes: &[u8],
) -> Result<bool> {
    let lock = row_lock(tx);
    let rows = on!(tx, conn => {
        let mut query = held(new, lock);
        query.push(
            " INSERT INTO canvas_snapshot_parts (tenant_id, workflow_id, parts_id, part, bytes)
                SELECT held.tenant_id, held.id, ",
        );
        query.separated(", ").push_bind(id).push_bind(number).push_bind(bytes);
        query.push(" FROM held");
        query.build().execute(conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// False when the lease is not held, or something later is there.
async fn replace(tx: &mut SystemTx, new: &NewSnapshot<'_>, first: &[u8], parts: Option<Uuid>) -> Result<bool> {
    let lock = row_lock(tx);
    let rows = on!(tx, conn => {
        let mut query = held(new, lock);
        query.push(
            " INSERT INTO canvas_snapshots
                (tenant_id, workflow_id, epoch, seq, bytes, parts_id, crc, hash, document_epoch, clients, authors, at)
                SELECT held.tenant_id, held.id, held.epoch, ",
        );
        query
            .separated(", ")
            .push_bind(new.seq)
            .push_bind(first)
            .push_bind(parts)
            .push_bind(crc(new.bytes))
            .push_bind(new.hash)
            .push_bind(new.document_epoch)
            .push_bind(new.clients)
            .push_bind(new.authors)
            .push_bind(new.at);
        query.push(
            " FROM held WHERE true ON CONFLICT (tenant_id, workflow_id) DO UPDATE SET epoch = excluded.epoch,
                seq = excluded.seq, bytes = excluded.bytes, parts_id = excluded.parts_id, crc = excluded.crc,
                hash = excluded.hash, document_epoch = excluded.document_epoch, clients = excluded.clients,
                authors = excluded.authors, at = excluded.at
                WHERE canvas_snapshots.seq <= excluded.seq
                AND canvas_snapshots.document_epoch <= excluded.document_epoch",
        );
        query.build().execute(conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// How many rows of the log, which the snapshot holds, were removed.
async fn trim_piece(store: &Store, new: &NewSnapshot<'_>) -> Result<u64> {
    let mut tx = store.begin_system().await?;
    let rows = on!(tx, conn => {
        let trim = query(TRIM).bind(new.tenant).bind(new.workflow).bind(new.seq).bind(PIECE_ROWS_MAX);
        trim.bind(PART_BYTES as i64).execute(conn).await.map(|done| done.rows_affected())
    })?;
    tx.commit().await?;
    Ok(rows)
}

/// How many parts of other snapshots were removed. The owner alone does that: another may be writing the parts of the next.
async fn forget_piece(store: &Store, new: &NewSnapshot<'_>, id: Option<Uuid>) -> Result<u64> {
    let mut tx = store.begin_system().await?;
    let lock = row_lock(&tx);
    let rows = on!(tx, conn => {
        let mut query = held(new, lock);
        query.push(
            " DELETE FROM canvas_snapshot_parts WHERE (tenant_id, workflow_id, parts_id, part) IN
                (SELECT old.tenant_id, old.workflow_id, old.parts_id, old.part
                FROM canvas_snapshot_parts AS old JOIN held ON old.tenant_id = held.tenant_id AND old.workflow_id = held.id
                WHERE old.parts_id <> ",
        );
        query.push_bind(id.unwrap_or_default()).push(" LIMIT 2)");
        query.build().execute(conn).await.map(|done| done.rows_affected())
    })?;
    tx.commit().await?;
    Ok(rows)
}

#[derive(sqlx::FromRow)]
struct SnapshotRow {
    seq: i64,
    /// All of them, or the first when there are parts.
    bytes: Vec<u8>,
    parts_id: Option<Uuid>,
    crc: i64,
    hash: Vec<u8>,
    document_epoch: i64,
    clients: Vec<u8>,
    authors: Option<Vec<u8>>,
}

impl SnapshotRow {
    fn verify(self, workflow: WorkflowId) -> Result<StoredSnapshot> {
        let Self { seq, bytes, hash, document_epoch, clients, authors, .. } = self;
        if crc(&bytes) != self.crc {
            return Err(Error::DamagedSnapshot { workflow, seq });
        }
        Ok(StoredSnapshot { seq, bytes, hash, document_epoch, clients, authors })
    }
}
