//! The canvas log and its snapshots [SYNC-5]: bytes whose meaning the store does not know.
//!
//! A row is written only under the epoch of the workflow's lease, checked by the statement that writes it [SYNC-13].

mod pack;
mod snapshot;
pub mod trouble;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, query_as, query_scalar};
use troupe_model::{TenantId, Timestamp, UserId, WorkflowId};

pub use snapshot::{NewSnapshot, StoredSnapshot, put_rebuilt, put_snapshot};

use crate::{Result, SystemTx, TenantTx, batch, leases::row_lock, tx::on};
use pack::{Row, StoredRow};

/// Everything that the document is rebuilt from: the snapshot, then the updates behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCanvas {
    pub snapshot: Option<StoredSnapshot>,
    /// In order; all behind the snapshot.
    pub updates: Vec<StoredUpdate>,
    /// Of the last row, which may be a part of an update that is not all there.
    pub last_seq: i64,
}

impl StoredCanvas {
    pub fn bytes(&self) -> usize {
        let of_snapshot = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.bytes.len());
        of_snapshot + self.bytes_of_log()
    }

    pub fn bytes_of_log(&self) -> usize {
        self.updates.iter().map(|update| update.bytes.len()).sum()
    }

    /// Up to which row it is complete.
    pub fn complete_seq(&self) -> i64 {
        let of_snapshot = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
        self.updates.last().map_or(of_snapshot, |update| update.seq)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredUpdate {
    pub seq: i64,
    /// `None`: the server itself.
    pub user: Option<UserId>,
    #[serde(with = "serde_bytes")]
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
    pub part: Part,
    pub at: Timestamp,
}

/// Which part of an update. An update that is larger than [`PART_BYTES`] is appended in parts, which follow one another,
/// so that nobody else's commit waits for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// From 0.
    pub number: i64,
    pub of: i64,
}

impl Part {
    pub const WHOLE: Self = Self { number: 0, of: 1 };

    fn is_last(self) -> bool {
        self.number + 1 == self.of
    }
}

/// Of one part of an update, or of a snapshot: a commit of so much takes some milliseconds.
pub const PART_BYTES: usize = 256 << 10;

const UPDATES: &str = "SELECT seq, updates, user_id, bytes, part, parts, crc, at
    FROM canvas_updates WHERE tenant_id = $1 AND workflow_id = $2 ORDER BY seq";

const STORED_BYTES: &str = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM (
    SELECT octet_length(bytes) AS size FROM canvas_updates WHERE tenant_id = $1 AND workflow_id = $2
    UNION ALL SELECT octet_length(bytes) FROM canvas_snapshots WHERE tenant_id = $1 AND workflow_id = $2
    UNION ALL SELECT octet_length(parts.bytes) FROM canvas_snapshot_parts AS parts
        JOIN canvas_snapshots AS snapshot USING (tenant_id, workflow_id, parts_id)
        WHERE tenant_id = $1 AND workflow_id = $2) AS stored";

/// What [`load`] reads.
pub async fn stored_bytes(tx: &mut TenantTx, workflow: WorkflowId) -> Result<usize> {
    let tenant = tx.tenant();
    let bytes: i64 = on!(tx, conn => query_scalar(STORED_BYTES).bind(tenant).bind(workflow).fetch_one(conn).await)?;
    Ok(usize::try_from(bytes).unwrap_or_default())
}

/// Reads the log; verifies every checksum. A workflow without a log gives an empty canvas.
pub async fn load(tx: &mut TenantTx, workflow: WorkflowId) -> Result<StoredCanvas> {
    let tenant = tx.tenant();
    let rows: Vec<StoredRow> = on!(tx, conn => query_as(UPDATES).bind(tenant).bind(workflow).fetch_all(conn).await)?;
    let snapshot = snapshot::load(tx, workflow).await?;
    let behind = snapshot.as_ref().map_or(i64::MIN, |snapshot| snapshot.seq);
    let last_seq = rows.last().map_or(0, StoredRow::seq).max(snapshot.as_ref().map_or(0, |snapshot| snapshot.seq));
    let mut updates = pack::unpack(rows, workflow)?;
    updates.retain(|update| update.seq > behind);
    Ok(StoredCanvas { snapshot, updates, last_seq })
}

/// Appends what belongs to a current owner; one flag per entry. What is there already, all the same and under the same
/// epoch, is appended: its commit was not heard of, because the connection broke. `false`: nothing was written for it, because its
/// lease has another epoch or nobody holds it, or because its `seq`, or that of one it shares a row with, is taken.
/// Either way the caller is not the one owner and must stop.
pub async fn append(tx: &mut SystemTx, entries: &[Append<'_>]) -> Result<Vec<bool>> {
    // Leases are locked in the order of their ids, over all pieces.
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&index| (entries[index].workflow, entries[index].seq));
    let rows = pack::rows(entries, &order);
    let mut appended = vec![false; entries.len()];
    for piece in batch::pieces(&rows) {
        let mut written = insert(tx, piece).await?;
        if written.len() < piece.len() {
            written.extend(written_before(tx, piece).await?);
        }
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
            "WITH entry (tenant_id, workflow_id, epoch, first_seq, seq, updates, user_id, bytes, part, parts, crc, at) AS (",
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
                .push_bind(row.last.part.number)
                .push_bind(row.last.part.of)
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
            ") INSERT INTO canvas_updates
                (tenant_id, workflow_id, epoch, seq, updates, user_id, bytes, part, parts, crc, at)
                SELECT entry.tenant_id, entry.workflow_id, entry.epoch, entry.seq, entry.updates, entry.user_id,
                    entry.bytes, entry.part, entry.parts, entry.crc, entry.at
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

/// Those of the rows that are there, all the same and under the same epoch.
async fn written_before(tx: &mut SystemTx, rows: &[Row<'_>]) -> Result<Vec<(WorkflowId, i64)>> {
    Ok(on!(tx, conn => {
        let mut query = QueryBuilder::new("WITH entry (tenant_id, workflow_id, epoch, seq, updates, bytes) AS (");
        query.push_values(rows, |mut values, row| {
            values
                .push_bind(row.last.tenant)
                .push_bind(row.last.workflow)
                .push_bind(row.last.epoch)
                .push_bind(row.last.seq)
                .push_bind(row.updates())
                .push_bind(row.bytes.to_vec());
        });
        query.push(
            ") SELECT known.workflow_id, known.seq FROM canvas_updates AS known JOIN entry
                ON known.tenant_id = entry.tenant_id AND known.workflow_id = entry.workflow_id
                AND known.seq = entry.seq AND known.epoch = entry.epoch AND known.updates = entry.updates
                AND known.bytes = entry.bytes",
        );
        query.build_query_as().fetch_all(conn).await
    })?)
}

fn crc(bytes: &[u8]) -> i64 {
    i64::from(crc32fast::hash(bytes))
}
