//! Runs: their rows and lists. The journal that moves them is in [`append_events`], their lines in [`append_logs`].

mod journal;
mod logs;

use serde_json::{Map, Value as JsonValue};
use sqlx::{query, query_as, query_scalar};
use troupe_model::{Diagram, NodeFailure, RunId, RunStatus, ServerId, TenantId, Timestamp, UserId, WorkflowId};
use uuid::Uuid;

pub use self::{
    journal::{NodeRunRow, RunBatch, append_events, events, last_event_seq, node_runs_after, node_runs_of},
    logs::{LogFilter, append_logs, last_log_seq, logs},
};
use crate::{
    Error, Page, PageRequest, Result, SortBy, SystemTx, TenantTx, json,
    listing::{Listed, Listing, Value},
    page::SortKey,
    tx::on,
};

/// A run without its diagram, which can be large: see [`diagram`].
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub id: RunId,
    pub workflow_id: WorkflowId,
    pub status: RunStatus,
    /// What started it, such as `manual` [RUN-19].
    pub trigger: String,
    /// `None`: no person did.
    pub started_by: Option<UserId>,
    pub parameters: Map<String, JsonValue>,
    pub failure: Option<NodeFailure>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
pub struct NewRun<'a> {
    pub id: RunId,
    pub workflow_id: WorkflowId,
    /// What is executed, whatever becomes of the canvas [RUN-1].
    pub diagram: &'a Diagram,
    pub parameters: &'a Map<String, JsonValue>,
    pub trigger: &'a str,
    pub started_by: Option<UserId>,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct RunFilter {
    pub workflow_id: Option<WorkflowId>,
    pub status: Option<RunStatus>,
}

macro_rules! columns {
    () => {
        "id, workflow_id, status, trigger, started_by, parameters, failure, created_at, started_at, finished_at"
    };
}

const INSERT: &str = "INSERT INTO runs
    (tenant_id, id, workflow_id, status, trigger, started_by, diagram, parameters, created_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
    WHERE EXISTS (SELECT 1 FROM workflows WHERE tenant_id = $1 AND id = $3 AND deleted_at IS NULL)";
const FIND: &str = concat!("SELECT ", columns!(), " FROM runs WHERE tenant_id = $1 AND id = $2");
const LATEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM runs WHERE tenant_id = $1 AND workflow_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1"
);
const DIAGRAM: &str = "SELECT diagram FROM runs WHERE tenant_id = $1 AND id = $2";
const DIAGRAM_BYTES: &str = "SELECT CAST(octet_length(diagram) AS BIGINT) FROM runs WHERE tenant_id = $1 AND id = $2";
/// Runs that have not ended and that no living server carries on.
const ABANDONED: &str = "SELECT runs.tenant_id, runs.id FROM runs
    LEFT JOIN leases ON leases.tenant_id = runs.tenant_id AND leases.kind = 'run' AND leases.id = runs.id
    WHERE runs.status NOT IN ('success', 'error', 'canceled', 'timeout') AND (leases.expires_at <= $1
        OR leases.server_id = $2 OR (leases.id IS NULL AND runs.created_at <= $3))
    ORDER BY runs.created_at, runs.id LIMIT $4";

/// Stores a run as `new`. Fails with [`Error::NoSuchParent`] when the workflow is not there, and with
/// [`Error::NulCharacter`] for a node id that no row of a node could hold later.
pub async fn create(tx: &mut TenantTx, run: NewRun<'_>) -> Result<Run> {
    if run.diagram.nodes.iter().any(|node| node.id.contains('\0')) {
        return Err(Error::NulCharacter);
    }
    let tenant = tx.tenant();
    let (diagram, parameters) = (json::write(run.diagram)?, json::write(run.parameters)?);
    let rows = on!(tx, conn => {
        query(INSERT)
            .bind(tenant)
            .bind(run.id)
            .bind(run.workflow_id)
            .bind(RunStatus::New.name())
            .bind(run.trigger)
            .bind(run.started_by)
            .bind(diagram)
            .bind(parameters)
            .bind(run.at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected())
    })?;
    if rows == 0 {
        return Err(Error::NoSuchParent);
    }
    Ok(Run {
        id: run.id,
        workflow_id: run.workflow_id,
        status: RunStatus::New,
        trigger: run.trigger.to_owned(),
        started_by: run.started_by,
        parameters: run.parameters.clone(),
        failure: None,
        created_at: run.at,
        started_at: None,
        finished_at: None,
    })
}

pub async fn find(tx: &mut TenantTx, id: RunId) -> Result<Option<Run>> {
    let tenant = tx.tenant();
    let row: Option<RunRow> = on!(tx, conn => query_as(FIND).bind(tenant).bind(id).fetch_optional(conn).await)?;
    row.map(Run::try_from).transpose()
}

/// The workflow's newest run.
pub async fn latest(tx: &mut TenantTx, workflow: WorkflowId) -> Result<Option<Run>> {
    let tenant = tx.tenant();
    let row: Option<RunRow> = on!(tx, conn => query_as(LATEST).bind(tenant).bind(workflow).fetch_optional(conn).await)?;
    row.map(Run::try_from).transpose()
}

/// What the diagram takes as text.
pub async fn diagram_bytes(tx: &mut TenantTx, id: RunId) -> Result<Option<usize>> {
    let tenant = tx.tenant();
    let bytes: Option<i64> =
        on!(tx, conn => query_scalar(DIAGRAM_BYTES).bind(tenant).bind(id).fetch_optional(conn).await)?;
    Ok(bytes.and_then(|bytes| usize::try_from(bytes).ok()))
}

/// The diagram that the run executes.
pub async fn diagram(tx: &mut TenantTx, id: RunId) -> Result<Option<Diagram>> {
    let tenant = tx.tenant();
    let text: Option<String> = on!(tx, conn => query_scalar(DIAGRAM).bind(tenant).bind(id).fetch_optional(conn).await)?;
    json::read_optional(text.as_deref(), "diagram")
}

/// Sorted by creation only.
pub async fn list(tx: &mut TenantTx, filter: RunFilter, request: &PageRequest) -> Result<Page<Run>> {
    let listing = Listing {
        table: "runs",
        columns: columns!(),
        soft_deleted: false,
        sorts: &[SortBy::CreatedAt],
        searched: None,
        filters: vec![
            ("workflow_id", filter.workflow_id.map(|id| Value::Id(*id.as_uuid()))),
            ("status", filter.status.map(|status| Value::Text(status.name().to_owned()))),
        ],
    };
    let Page { items, next_cursor, total } = listing.fetch::<RunRow>(tx, request).await?;
    let items = items.into_iter().map(Run::try_from).collect::<Result<_>>()?;
    Ok(Page { items, next_cursor, total })
}

/// The runs that somebody should carry on at `now`: their lease expired, or was given back, or is of this `server`
/// (which says so when it starts and holds none in truth), or nobody took one since `created_before`.
pub async fn abandoned(
    tx: &mut SystemTx,
    now: Timestamp,
    created_before: Timestamp,
    server: Option<ServerId>,
    limit: i64,
) -> Result<Vec<(TenantId, RunId)>> {
    Ok(on!(tx, conn => {
        query_as(ABANDONED).bind(now).bind(server).bind(created_before).bind(limit).fetch_all(conn).await
    })?)
}

#[derive(sqlx::FromRow)]
struct RunRow {
    id: RunId,
    workflow_id: WorkflowId,
    status: String,
    trigger: String,
    started_by: Option<UserId>,
    parameters: String,
    failure: Option<String>,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

impl TryFrom<RunRow> for Run {
    type Error = Error;

    fn try_from(row: RunRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            workflow_id: row.workflow_id,
            status: RunStatus::parse(&row.status).ok_or(Error::Unreadable("run status", None))?,
            trigger: row.trigger,
            started_by: row.started_by,
            parameters: json::read(&row.parameters, "map of parameters")?,
            failure: json::read_optional(row.failure.as_deref(), "failure")?,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        })
    }
}

impl Listed for RunRow {
    fn id(&self) -> Uuid {
        *self.id.as_uuid()
    }

    fn sort_key(&self, _only_by_creation: SortBy) -> SortKey {
        SortKey::Millis(self.created_at.as_millis())
    }
}
