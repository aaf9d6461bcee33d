//! A run's journal [RUN-3] and the rows projected from it, written together under the run's lease.

use sqlx::{QueryBuilder, query_as, query_scalar};
use troupe_model::{
    NodeFailure, NodeMetrics, NodeStatus, Output, RunEvent, RunEventKind, RunId, RunStatus, TenantId, Timestamp,
};

use crate::{Error, Result, SystemTx, TenantTx, batch, json, leases::row_lock, tx::on};

/// What happened to a run, with what lists and pages are served from.
#[derive(Clone, Copy, Debug)]
pub struct RunBatch<'a> {
    pub tenant: TenantId,
    pub run: RunId,
    pub epoch: i64,
    pub events: &'a [RunEvent],
    /// `None` leaves as it is, here and below.
    pub status: Option<RunStatus>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub failure: Option<&'a NodeFailure>,
    /// The rows of the nodes that changed.
    pub node_runs: &'a [NodeRunRow],
}

/// One node's part in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRunRow {
    pub node: String,
    pub node_type: String,
    pub status: NodeStatus,
    /// Counts from 1; 0 before the first.
    pub attempt: u32,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub metrics: NodeMetrics,
    pub outputs: Vec<Output>,
    pub failure: Option<NodeFailure>,
}

macro_rules! select_node_runs {
    () => {
        "SELECT node_id, node_type, status, attempt, started_at, finished_at, duration_ms, rows_in, rows_out, bytes_out,
            outputs, failure FROM node_runs"
    };
}

const EVENTS: &str = "SELECT seq, at, event FROM run_events
    WHERE tenant_id = $1 AND run_id = $2 AND seq > $3 ORDER BY seq LIMIT $4";
const LAST_EVENT_SEQ: &str = "SELECT COALESCE(MAX(seq), 0) FROM run_events WHERE tenant_id = $1 AND run_id = $2";
const SELECT_NODE_RUNS: &str = select_node_runs!();
const NODE_RUNS: &str =
    concat!(select_node_runs!(), " WHERE tenant_id = $1 AND run_id = $2 AND node_id > $3 ORDER BY node_id LIMIT $4");

/// Journals `batch.events` and brings the run's and its nodes' rows up to them. `false`: nothing was written, because
/// the run's lease has another epoch or nobody holds it. An event that is there already, all the same, was committed
/// without this being heard; one whose `seq` another has is an error.
pub async fn append_events(tx: &mut SystemTx, batch: &RunBatch<'_>) -> Result<bool> {
    // The first statement locks the lease's row until the transaction ends; each one checks it.
    if !update_run(tx, batch).await? {
        return Ok(false);
    }
    for events in batch::pieces(batch.events) {
        insert_events(tx, batch, events).await?;
    }
    for nodes in batch::pieces(batch.node_runs) {
        upsert_nodes(tx, batch, nodes).await?;
    }
    Ok(true)
}

/// Pushes `WITH held AS (…)`: one row, locked, if the batch's epoch is the lease's.
macro_rules! push_held {
    ($query:expr, $batch:expr, $lock:expr) => {
        $query.push("WITH held AS (SELECT tenant_id, id FROM leases WHERE server_id IS NOT NULL AND kind = 'run'");
        $query.push(" AND tenant_id = ").push_bind($batch.tenant);
        $query.push(" AND id = ").push_bind($batch.run);
        $query.push(" AND epoch = ").push_bind($batch.epoch);
        $query.push($lock).push(") ");
    };
}

async fn update_run(tx: &mut SystemTx, batch: &RunBatch<'_>) -> Result<bool> {
    let lock = row_lock(tx);
    let failure = json::write_optional(batch.failure)?;
    let rows = on!(tx, conn => {
        let mut query = QueryBuilder::new("");
        push_held!(query, batch, lock);
        query.push("UPDATE runs SET status = COALESCE(").push_bind(batch.status.map(RunStatus::name));
        query.push(", status), started_at = COALESCE(").push_bind(batch.started_at);
        query.push(", started_at), finished_at = COALESCE(").push_bind(batch.finished_at);
        query.push(", finished_at), failure = COALESCE(").push_bind(failure);
        query.push(", failure) WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM held)");
        query.build().execute(conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

async fn insert_events(tx: &mut SystemTx, batch: &RunBatch<'_>, events: &[RunEvent]) -> Result<()> {
    let lock = row_lock(tx);
    let texts: Vec<String> = events.iter().map(|event| json::write(&event.kind)).collect::<Result<_>>()?;
    let rows = on!(tx, conn => {
        let mut query = QueryBuilder::new("");
        push_held!(query, batch, lock);
        query.push(
            "INSERT INTO run_events (tenant_id, run_id, seq, at, event)
                SELECT held.tenant_id, held.id, entry.* FROM held CROSS JOIN (",
        );
        query.push_values(events.iter().zip(texts), |mut row, (event, text)| {
            row.push_bind(event.seq).push_bind(event.at).push_bind(text);
        });
        query.push(
            ") AS entry WHERE true ON CONFLICT (tenant_id, run_id, seq) DO UPDATE SET at = excluded.at
                WHERE run_events.at = excluded.at AND run_events.event = excluded.event",
        );
        query.build().execute(conn).await.map(|done| done.rows_affected())
    })?;
    if rows != events.len() as u64 {
        return Err(Error::EventTaken(batch.run));
    }
    Ok(())
}

async fn upsert_nodes(tx: &mut SystemTx, batch: &RunBatch<'_>, nodes: &[NodeRunRow]) -> Result<()> {
    let lock = row_lock(tx);
    let mut texts = Vec::with_capacity(nodes.len());
    for node in nodes {
        texts.push((json::write(&node.outputs)?, json::write_optional(node.failure.as_ref())?));
    }
    on!(tx, conn => {
        let mut query = QueryBuilder::new("");
        push_held!(query, batch, lock);
        query.push(
            "INSERT INTO node_runs (tenant_id, run_id, node_id, node_type, status, attempt, started_at, finished_at,
                duration_ms, rows_in, rows_out, bytes_out, outputs, failure)
                SELECT held.tenant_id, held.id, entry.* FROM held CROSS JOIN (",
        );
        query.push_values(nodes.iter().zip(texts), |mut row, (node, (outputs, failure))| {
            row.push_bind(node.node.as_str())
                .push_bind(node.node_type.as_str())
                .push_bind(node.status.name())
                .push_bind(i64::from(node.attempt))
                .push_bind(node.started_at)
                .push_bind(node.finished_at)
                .push_bind(signed(node.metrics.duration_ms))
                .push_bind(signed(node.metrics.rows_in))
                .push_bind(signed(node.metrics.rows_out))
                .push_bind(signed(node.metrics.bytes_out))
                .push_bind(outputs)
                .push_bind(failure);
        });
        query.push(
            ") AS entry WHERE true ON CONFLICT (tenant_id, run_id, node_id) DO UPDATE SET
                node_type = excluded.node_type, status = excluded.status, attempt = excluded.attempt,
                started_at = excluded.started_at, finished_at = excluded.finished_at,
                duration_ms = excluded.duration_ms, rows_in = excluded.rows_in, rows_out = excluded.rows_out,
                bytes_out = excluded.bytes_out, outputs = excluded.outputs, failure = excluded.failure",
        );
        query.build().execute(conn).await.map(drop)
    })?;
    Ok(())
}

/// Events with a `seq` greater than `after`, in order.
pub async fn events(tx: &mut TenantTx, run: RunId, after: i64, limit: i64) -> Result<Vec<RunEvent>> {
    let tenant = tx.tenant();
    let rows: Vec<(i64, Timestamp, String)> = on!(tx, conn => {
        query_as(EVENTS).bind(tenant).bind(run).bind(after).bind(limit).fetch_all(conn).await
    })?;
    let event = |(seq, at, text): (i64, Timestamp, String)| {
        let kind: RunEventKind = json::read(&text, "run event")?;
        Ok(RunEvent { seq, at, kind })
    };
    rows.into_iter().map(event).collect()
}

/// The `seq` of the last event; 0 when there is none.
pub async fn last_event_seq(tx: &mut SystemTx, tenant: TenantId, run: RunId) -> Result<i64> {
    Ok(on!(tx, conn => query_scalar(LAST_EVENT_SEQ).bind(tenant).bind(run).fetch_one(conn).await)?)
}

/// One row for each of these nodes that was journaled.
pub async fn node_runs_of(tx: &mut TenantTx, run: RunId, nodes: &[&str]) -> Result<Vec<NodeRunRow>> {
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    let tenant = tx.tenant();
    let rows: Vec<Row> = on!(tx, conn => {
        let mut query = QueryBuilder::new(SELECT_NODE_RUNS);
        query.push(" WHERE tenant_id = ").push_bind(tenant).push(" AND run_id = ").push_bind(run);
        let mut list = query.push(" AND node_id IN (").separated(", ");
        for node in nodes {
            list.push_bind(*node);
        }
        query.push(")").build_query_as().fetch_all(conn).await
    })?;
    rows.into_iter().map(NodeRunRow::try_from).collect()
}

/// One row for each node that was journaled and comes after `node`, by node.
pub async fn node_runs_after(tx: &mut TenantTx, run: RunId, node: &str, limit: i64) -> Result<Vec<NodeRunRow>> {
    let tenant = tx.tenant();
    let rows: Vec<Row> = on!(tx, conn => {
        query_as(NODE_RUNS).bind(tenant).bind(run).bind(node).bind(limit).fetch_all(conn).await
    })?;
    rows.into_iter().map(NodeRunRow::try_from).collect()
}

#[derive(sqlx::FromRow)]
struct Row {
    node_id: String,
    node_type: String,
    status: String,
    attempt: i64,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    duration_ms: i64,
    rows_in: i64,
    rows_out: i64,
    bytes_out: i64,
    outputs: String,
    failure: Option<String>,
}

impl TryFrom<Row> for NodeRunRow {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            node: row.node_id,
            node_type: row.node_type,
            status: NodeStatus::parse(&row.status).ok_or(Error::Unreadable("node status", None))?,
            attempt: u32::try_from(row.attempt).map_err(|_| Error::Unreadable("attempt", None))?,
            started_at: row.started_at,
            finished_at: row.finished_at,
            metrics: NodeMetrics {
                duration_ms: row.duration_ms.unsigned_abs(),
                rows_in: row.rows_in.unsigned_abs(),
                rows_out: row.rows_out.unsigned_abs(),
                bytes_out: row.bytes_out.unsigned_abs(),
            },
            outputs: json::read(&row.outputs, "list of outputs")?,
            failure: json::read_optional(row.failure.as_deref(), "failure")?,
        })
    }
}

/// SQL has no unsigned integers.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
