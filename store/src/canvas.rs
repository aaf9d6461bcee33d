//! The canvas log and its snapshots [SYNC-5]: bytes whose meaning the store does not know.
//!
//! A row is written only under the epoch of the workflow's lease, checked by the statement that writes it [SYNC-13].

mod pack;

use std::collections::HashSet;

use sqlx::{QueryBuilder, query, query_as};
use troupe_model::{TenantId, Timestamp, UserId, WorkflowId};

use pack::{Row, StoredRow};

use crate::{
    Error, Result, SystemTx, TenantTx, batch,
    leases::{LeaseKind, row_lock},
    tx::on,
};

/// Everything that the document is rebuilt from: the snapshot, then the updates behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredCanvas {
    pub snapshot: Option<StoredSnapshot>,
    /// In order; all behind the snapshot.
    pub updates: Vec<StoredUpdate>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The last update that the snapshot holds.
    pub seq: i64,
    pub bytes: Vec<u8>,
    pub hash: Vec<u8>,
    /// Who changed what up to `seq`; `None` if that was not known.
    pub authors: Option<Vec<u8>>,
}

/// A snapshot to put in the place of the log up to `seq`.
#[derive(Clone, Copy, Debug)]
pub struct NewSnapshot<'a> {
    pub tenant: TenantId,
    pub workflow: WorkflowId,
    pub epoch: i64,
    pub seq: i64,
    pub bytes: &'a [u8],
    pub hash: &'a [u8],
    pub authors: &'a [u8],
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUpdate {
    pub seq: i64,
    /// `None`: the server itself.
    pub user: Option<UserId>,
    pub bytes: Vec<u8>,
    pub at: Timestamp,
}

/// One row to append.
#[derive(Clone, Copy, Debug)]
pub struct Append<'a> {
    pub tenant: TenantId,
    pub workflow: WorkflowId,
    pub epoch: i64,
    pub seq: i64,
    pub user: Option<UserId>,
    pub bytes: &'a [u8],
    pub at: Timestamp,
}

const UPDATES: &str = "SELECT seq, updates, user_id, bytes, crc, at
    FROM canvas_updates WHERE tenant_id = $1 AND workflow_id = $2 ORDER BY seq";
const SNAPSHOT: &str =
    "SELECT seq, bytes, crc, hash, authors FROM canvas_snapshots WHERE tenant_id = $1 AND workflow_id = $2";
const TRIM: &str = "DELETE FROM canvas_updates WHERE tenant_id = $1 AND workflow_id = $2 AND seq <= $3";

/// Reads the log; verifies every checksum. A workflow without a log gives an empty canvas.
pub async fn load(tx: &mut TenantTx, workflow: WorkflowId) -> Result<StoredCanvas> {
    let tenant = tx.tenant();
    // Updates first: a snapshot that is put in between then holds what it trimmed, and no hole can be seen.
    let rows: Vec<StoredRow> = on!(tx, conn => query_as(UPDATES).bind(tenant).bind(workflow).fetch_all(conn).await)?;
    let snapshot: Option<SnapshotRow> =
        on!(tx, conn => query_as(SNAPSHOT).bind(tenant).bind(workflow).fetch_optional(conn).await)?;

    let snapshot = snapshot.map(|row| row.verify(workflow)).transpose()?;
    let behind = snapshot.as_ref().map_or(i64::MIN, |snapshot| snapshot.seq);
    let mut updates = Vec::with_capacity(rows.len());
    for row in rows {
        updates.extend(row.unpack(workflow)?.into_iter().filter(|update| update.seq > behind));
    }
    Ok(StoredCanvas { snapshot, updates })
}

/// Appends what belongs to a current owner; one flag per entry. `false`: nothing was written for it, because its
/// lease has another epoch or nobody holds it, or because its `seq`, or that of one it shares a row with, is taken.
/// Either way the caller is not the one owner and must stop.
pub async fn append(tx: &mut SystemTx, entries: &[Append<'_>]) -> Result<Vec<bool>> {
    // Leases are locked in the order of their ids, over all pieces.
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&index| (entries[index].workflow, entries[index].seq));
    let rows = pack::rows(entries, &order);
    let mut appended = vec![false; entries.len()];
    for piece in batch::pieces(&rows) {
        let written = insert(tx, piece).await?;
        for row in piece {
            let is_written = written.contains(&(row.last.workflow, row.last.seq));
            order[row.entries.clone()].iter().for_each(|&index| appended[index] = is_written);
        }
    }
    Ok(appended)
}

/// What was written: workflows with the last `seq` of each row.
async fn insert(tx: &mut SystemTx, rows: &[Row<'_>]) -> Result<HashSet<(WorkflowId, i64)>> {
    let lock = row_lock(tx);
    let written: Vec<(WorkflowId, i64)> = on!(tx, conn => {
        let mut query = QueryBuilder::new(
            "WITH entry (tenant_id, workflow_id, epoch, first_seq, seq, updates, user_id, bytes, crc, at) AS (",
        );
        query.push_values(rows, |mut values, row| {
            values
                .push_bind(row.last.tenant)
                .push_bind(row.last.workflow)
                .push_bind(row.last.epoch)
                .push_bind(row.first_seq)
                .push_bind(row.last.seq)
                .push_bind(row.updates())
                .push_bind(row.last.user)
                .push_bind(row.bytes.to_vec())
                .push_bind(crc(&row.bytes))
                .push_bind(row.last.at);
        });
        query.push(
            "), held AS (SELECT tenant_id, id, epoch FROM leases
                WHERE kind = 'workflow' AND server_id IS NOT NULL
                AND (tenant_id, id) IN (SELECT tenant_id, workflow_id FROM entry) ORDER BY id",
        );
        query.push(lock);
        query.push(
            ") INSERT INTO canvas_updates (tenant_id, workflow_id, epoch, seq, updates, user_id, bytes, crc, at)
                SELECT entry.tenant_id, entry.workflow_id, entry.epoch, entry.seq, entry.updates, entry.user_id,
                    entry.bytes, entry.crc, entry.at
                FROM entry JOIN held ON held.tenant_id = entry.tenant_id
                AND held.id = entry.workflow_id AND held.epoch = entry.epoch
                WHERE NOT EXISTS (SELECT 1 FROM canvas_updates AS taken
                    WHERE taken.tenant_id = entry.tenant_id AND taken.workflow_id = entry.workflow_id
                    AND taken.seq >= entry.first_seq AND taken.seq - taken.updates < entry.seq)
                ON CONFLICT (tenant_id, workflow_id, seq) DO NOTHING RETURNING workflow_id, seq",
        );
        query.build_query_as().fetch_all(conn).await
    })?;
    Ok(written.into_iter().collect())
}

/// Replaces the snapshot and trims the log up to `seq`. `false`: nothing was done, because the lease has another
/// epoch or nobody holds it, or because a later snapshot is there.
pub async fn put_snapshot(tx: &mut SystemTx, snapshot: NewSnapshot<'_>) -> Result<bool> {
    let NewSnapshot { tenant, workflow, epoch, seq, bytes, hash, authors, at } = snapshot;
    let lock = row_lock(tx);
    let rows = on!(tx, conn => {
        let mut query = QueryBuilder::new(
            "WITH held AS (SELECT tenant_id, id, epoch FROM leases WHERE server_id IS NOT NULL AND kind = ",
        );
        query.push_bind(LeaseKind::Workflow.name());
        query.push(" AND tenant_id = ").push_bind(tenant);
        query.push(" AND id = ").push_bind(workflow);
        query.push(" AND epoch = ").push_bind(epoch);
        query.push(lock);
        query.push(
            ") INSERT INTO canvas_snapshots (tenant_id, workflow_id, epoch, seq, bytes, crc, hash, authors, at)
                SELECT held.tenant_id, held.id, held.epoch, ",
        );
        query
            .separated(", ")
            .push_bind(seq)
            .push_bind(bytes)
            .push_bind(crc(bytes))
            .push_bind(hash)
            .push_bind(authors)
            .push_bind(at);
        query.push(
            " FROM held WHERE true ON CONFLICT (tenant_id, workflow_id) DO UPDATE SET epoch = excluded.epoch,
                seq = excluded.seq, bytes = excluded.bytes, crc = excluded.crc, hash = excluded.hash,
                authors = excluded.authors, at = excluded.at
                WHERE canvas_snapshots.seq <= excluded.seq",
        );
        query.build().execute(conn).await.map(|done| done.rows_affected())
    })?;
    if rows == 0 {
        return Ok(false);
    }
    on!(tx, conn => query(TRIM).bind(tenant).bind(workflow).bind(seq).execute(conn).await.map(drop))?;
    Ok(true)
}

#[derive(sqlx::FromRow)]
struct SnapshotRow {
    seq: i64,
    bytes: Vec<u8>,
    crc: i64,
    hash: Vec<u8>,
    authors: Option<Vec<u8>>,
}

impl SnapshotRow {
    fn verify(self, workflow: WorkflowId) -> Result<StoredSnapshot> {
        let Self { seq, bytes, hash, authors, .. } = self;
        if crc(&bytes) != self.crc {
            return Err(Error::DamagedSnapshot { workflow, seq });
        }
        Ok(StoredSnapshot { seq, bytes, hash, authors })
    }
}

fn crc(bytes: &[u8]) -> i64 {
    i64::from(crc32fast::hash(bytes))
}
