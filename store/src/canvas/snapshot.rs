//! Snapshots: the document as one value, which replaces the log before it [SYNC-5, SYNC-15].

use sqlx::{QueryBuilder, query, query_as, query_scalar};
use troupe_model::{TenantId, Timestamp, WorkflowId};

use super::crc;
use crate::{
    Error, Result, SystemTx, TenantTx,
    leases::{LeaseKind, row_lock},
    tx::on,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The last update that the snapshot holds.
    pub seq: i64,
    pub bytes: Vec<u8>,
    pub hash: Vec<u8>,
    /// How often the document was rebuilt.
    pub document_epoch: i64,
    /// Who wrote in former document epochs, as whoever rebuilt it put it.
    pub clients: Vec<u8>,
    /// Who changed what up to `seq`; `None` if that was not known.
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

const SELECT: &str = "SELECT seq, bytes, crc, hash, document_epoch, clients, authors
    FROM canvas_snapshots WHERE tenant_id = $1 AND workflow_id = $2";
const TRIM: &str = "DELETE FROM canvas_updates WHERE tenant_id = $1 AND workflow_id = $2 AND seq <= $3";
const LAST_SEQ: &str = "SELECT MAX(seq) FROM canvas_updates WHERE tenant_id = $1 AND workflow_id = $2";

pub(super) async fn load(tx: &mut TenantTx, workflow: WorkflowId) -> Result<Option<StoredSnapshot>> {
    let tenant = tx.tenant();
    let row: Option<SnapshotRow> =
        on!(tx, conn => query_as(SELECT).bind(tenant).bind(workflow).fetch_optional(conn).await)?;
    row.map(|row| row.verify(workflow)).transpose()
}

/// Replaces the snapshot and trims the log up to `seq`. `false`: nothing was done, because the lease has another
/// epoch or nobody holds it, or because a later snapshot or a later document epoch is there.
pub async fn put_snapshot(tx: &mut SystemTx, new: NewSnapshot<'_>) -> Result<bool> {
    if !upsert(tx, new).await? {
        return Ok(false);
    }
    on!(tx, conn => query(TRIM).bind(new.tenant).bind(new.workflow).bind(new.seq).execute(conn).await.map(drop))?;
    Ok(true)
}

/// The same for a document that was rebuilt. Also `false` when the log goes on behind `seq`: those updates mean
/// nothing to the rebuilt document. The caller then drops the transaction.
pub async fn put_rebuilt(tx: &mut SystemTx, new: NewSnapshot<'_>) -> Result<bool> {
    if !put_snapshot(tx, new).await? {
        return Ok(false);
    }
    let left: Option<i64> =
        on!(tx, conn => query_scalar(LAST_SEQ).bind(new.tenant).bind(new.workflow).fetch_one(conn).await)?;
    Ok(left.is_none())
}

async fn upsert(tx: &mut SystemTx, new: NewSnapshot<'_>) -> Result<bool> {
    let lock = row_lock(tx);
    let rows = on!(tx, conn => {
        let mut query = QueryBuilder::new(
            "WITH held AS (SELECT tenant_id, id, epoch FROM leases WHERE server_id IS NOT NULL AND kind = ",
        );
        query.push_bind(LeaseKind::Workflow.name());
        query.push(" AND tenant_id = ").push_bind(new.tenant);
        query.push(" AND id = ").push_bind(new.workflow);
        query.push(" AND epoch = ").push_bind(new.epoch);
        query.push(lock);
        query.push(
            ") INSERT INTO canvas_snapshots
                (tenant_id, workflow_id, epoch, seq, bytes, crc, hash, document_epoch, clients, authors, at)
                SELECT held.tenant_id, held.id, held.epoch, ",
        );
        query
            .separated(", ")
            .push_bind(new.seq)
            .push_bind(new.bytes)
            .push_bind(crc(new.bytes))
            .push_bind(new.hash)
            .push_bind(new.document_epoch)
            .push_bind(new.clients)
            .push_bind(new.authors)
            .push_bind(new.at);
        query.push(
            " FROM held WHERE true ON CONFLICT (tenant_id, workflow_id) DO UPDATE SET epoch = excluded.epoch,
                seq = excluded.seq, bytes = excluded.bytes, crc = excluded.crc, hash = excluded.hash,
                document_epoch = excluded.document_epoch, clients = excluded.clients,
                authors = excluded.authors, at = excluded.at
                WHERE canvas_snapshots.seq <= excluded.seq
                AND canvas_snapshots.document_epoch <= excluded.document_epoch",
        );
        query.build().execute(conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

#[derive(sqlx::FromRow)]
struct SnapshotRow {
    seq: i64,
    bytes: Vec<u8>,
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
