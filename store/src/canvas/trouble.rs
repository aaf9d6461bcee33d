//! What is risked with a canvas, and canvases that are held back [REL-12].
//!
//! Before a server loads or compacts a canvas that may take much, it writes that down, and afterwards that it is done.
//! What is written still when another process comes ended the one that wrote it.

use sqlx::{query, query_as, query_scalar};
use troupe_model::{Diagram, TenantId, Timestamp, WorkflowId};
use uuid::Uuid;

use crate::{Error, Result, SystemTx, TenantTx, json, tx::on};

/// What is known of a canvas that made trouble, or that a process works at.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// How often work on it ended a process, or failed by what is in it.
    pub failures: i64,
    pub held_back: Option<HeldBack>,
}

/// Why a canvas is not opened, and what it was.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldBack {
    pub reason: String,
    pub at: Timestamp,
    /// If it could be read.
    pub diagram: Option<Diagram>,
    /// The diagram's revision.
    pub seq: i64,
}

/// One that is held back, as lists show it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Listed {
    pub workflow: WorkflowId,
    pub name: String,
    pub reason: String,
    pub at: Timestamp,
}

const BEGIN: &str = "INSERT INTO canvas_troubles (tenant_id, workflow_id, process, failures) VALUES ($1, $2, $3, 0)
    ON CONFLICT (tenant_id, workflow_id) DO UPDATE SET
        failures = canvas_troubles.failures
            + CASE WHEN canvas_troubles.process <> excluded.process THEN 1 ELSE 0 END,
        process = excluded.process
    RETURNING failures";
const DONE: &str =
    "DELETE FROM canvas_troubles WHERE tenant_id = $1 AND workflow_id = $2 AND process = $3 AND reason IS NULL";
const FAILED: &str = "INSERT INTO canvas_troubles (tenant_id, workflow_id, failures) VALUES ($1, $2, 1)
    ON CONFLICT (tenant_id, workflow_id) DO UPDATE SET failures = canvas_troubles.failures + 1, process = NULL";
const HOLD_BACK: &str = "INSERT INTO canvas_troubles
    (tenant_id, workflow_id, failures, reason, held_back_at, diagram, seq) VALUES ($1, $2, 1, $3, $4, $5, $6)
    ON CONFLICT (tenant_id, workflow_id) DO UPDATE SET process = NULL, reason = excluded.reason,
        held_back_at = excluded.held_back_at, diagram = excluded.diagram, seq = excluded.seq";
const RELEASE: &str = "UPDATE canvas_troubles SET reason = NULL, held_back_at = NULL, diagram = NULL, seq = NULL
    WHERE tenant_id = $1 AND workflow_id = $2 AND reason IS NOT NULL";
const ENDED_IN_ORDER: &str = "UPDATE canvas_troubles SET process = NULL WHERE process = $1";
const HELD_BACK: &str = "SELECT workflow.id AS workflow, workflow.name AS name, trouble.reason AS reason,
        trouble.held_back_at AS at
    FROM canvas_troubles AS trouble JOIN workflows AS workflow
        ON workflow.tenant_id = trouble.tenant_id AND workflow.id = trouble.workflow_id
    WHERE trouble.tenant_id = $1 AND trouble.reason IS NOT NULL AND trouble.workflow_id > $2
        AND workflow.deleted_at IS NULL
    ORDER BY trouble.workflow_id LIMIT $3";
const FIND: &str = "SELECT failures, reason, held_back_at, diagram, seq
    FROM canvas_troubles WHERE tenant_id = $1 AND workflow_id = $2";

pub async fn find(tx: &mut TenantTx, workflow: WorkflowId) -> Result<Option<Trouble>> {
    let tenant = tx.tenant();
    let row: Option<Row> = on!(tx, conn => query_as(FIND).bind(tenant).bind(workflow).fetch_optional(conn).await)?;
    row.map(Trouble::try_from).transpose()
}

/// Those that are held back, by id, behind one.
pub async fn held_back(tx: &mut TenantTx, behind: Option<WorkflowId>, limit: i64) -> Result<Vec<Listed>> {
    let (tenant, behind) = (tx.tenant(), behind.map_or(Uuid::nil(), |id| *id.as_uuid()));
    Ok(on!(tx, conn => query_as(HELD_BACK).bind(tenant).bind(behind).bind(limit).fetch_all(conn).await)?)
}

/// `process` begins work on the canvas. Gives how often that failed before, and counts the process that ended meanwhile.
pub async fn begin(tx: &mut SystemTx, tenant: TenantId, workflow: WorkflowId, process: Uuid) -> Result<i64> {
    Ok(on!(tx, conn => query_scalar(BEGIN).bind(tenant).bind(workflow).bind(process).fetch_one(conn).await)?)
}

/// The work is done, and nothing happened: what was before is forgiven.
pub async fn done(tx: &mut SystemTx, tenant: TenantId, workflow: WorkflowId, process: Uuid) -> Result<()> {
    on!(tx, conn => query(DONE).bind(tenant).bind(workflow).bind(process).execute(conn).await.map(drop))?;
    Ok(())
}

/// The work failed by what is in the canvas.
pub async fn failed(tx: &mut SystemTx, tenant: TenantId, workflow: WorkflowId) -> Result<()> {
    on!(tx, conn => query(FAILED).bind(tenant).bind(workflow).execute(conn).await.map(drop))?;
    Ok(())
}

pub async fn hold_back(tx: &mut SystemTx, tenant: TenantId, workflow: WorkflowId, held: &HeldBack) -> Result<()> {
    let diagram = json::write_optional(held.diagram.as_ref())?;
    on!(tx, conn => {
        query(HOLD_BACK)
            .bind(tenant)
            .bind(workflow)
            .bind(&held.reason)
            .bind(held.at)
            .bind(diagram)
            .bind(held.seq)
            .execute(conn)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// It may be tried again. `false`: it is not held back.
pub async fn release(tx: &mut SystemTx, tenant: TenantId, workflow: WorkflowId) -> Result<bool> {
    let rows = on!(tx, conn => {
        query(RELEASE).bind(tenant).bind(workflow).execute(conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// The process ends, and not by what it works at.
pub async fn ended_in_order(tx: &mut SystemTx, process: Uuid) -> Result<()> {
    on!(tx, conn => query(ENDED_IN_ORDER).bind(process).execute(conn).await.map(drop))?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    failures: i64,
    reason: Option<String>,
    held_back_at: Option<Timestamp>,
    diagram: Option<String>,
    seq: Option<i64>,
}

impl TryFrom<Row> for Trouble {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let Row { failures, reason, held_back_at, diagram, seq } = row;
        let diagram = json::read_optional(diagram.as_deref(), "diagram")?;
        let held_back =
            reason.zip(held_back_at).map(|(reason, at)| HeldBack { reason, at, diagram, seq: seq.unwrap_or_default() });
        Ok(Self { failures, held_back })
    }
}
