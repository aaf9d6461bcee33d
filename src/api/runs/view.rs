//! Runs and their nodes as the API shows them. The same words as on the event channels.

use std::collections::BTreeMap;

use serde::Serialize;
use troupe_model::{Diagram, NodeFailure, NodeStatus, RunId, RunStatus, Timestamp, UserId, WorkflowId};
use troupe_store::runs::{NodeRunRow, Run};
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunView {
    id: RunId,
    workflow_id: WorkflowId,
    status: RunStatus,
    /// What started it, such as `manual`.
    trigger: String,
    started_by: Option<UserId>,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<NodeFailure>,
}

/// A run with its nodes, in the order in which they started; the others follow.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunDetail)]
pub struct RunDetail {
    #[serde(flatten)]
    run: RunView,
    nodes: Vec<NodeRun>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NodeRun {
    node_id: String,
    node_type: String,
    label: String,
    status: NodeStatus,
    /// Counts from 1; 0 before the first.
    attempt: u32,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    duration_ms: Option<u64>,
    rows_in: Option<u64>,
    rows_out: Option<u64>,
    bytes_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<NodeFailure>,
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        Self {
            id: run.id,
            workflow_id: run.workflow_id,
            status: run.status,
            trigger: run.trigger,
            started_by: run.started_by,
            created_at: run.created_at,
            started_at: run.started_at,
            finished_at: run.finished_at,
            failure: run.failure,
        }
    }
}

impl RunDetail {
    /// `diagram` is the one that the run executes: it names the nodes.
    pub fn new(run: Run, diagram: &Diagram, rows: Vec<NodeRunRow>) -> Self {
        let mut rows: BTreeMap<String, NodeRunRow> = rows.into_iter().map(|row| (row.node.clone(), row)).collect();
        let enabled = diagram.nodes.iter().filter(|node| !node.data.disabled);
        let mut nodes: Vec<NodeRun> = enabled
            .map(|node| {
                let label = if node.data.label.is_empty() { &node.id } else { &node.data.label };
                match rows.remove(&node.id) {
                    Some(row) => NodeRun::of(row, label.clone()),
                    None => NodeRun::pending(node.id.clone(), node.data.node_type.clone(), label.clone()),
                }
            })
            .collect();
        nodes.sort_by_key(|node| node.started_at.map_or(i64::MAX, Timestamp::as_millis));
        Self { run: run.into(), nodes }
    }
}

impl NodeRun {
    fn of(row: NodeRunRow, label: String) -> Self {
        let NodeRunRow { metrics, .. } = row;
        let ended = row.status.is_final();
        Self {
            node_id: row.node,
            node_type: row.node_type,
            label,
            status: row.status,
            attempt: row.attempt,
            started_at: row.started_at,
            finished_at: row.finished_at,
            duration_ms: ended.then_some(metrics.duration_ms),
            rows_in: ended.then_some(metrics.rows_in),
            rows_out: ended.then_some(metrics.rows_out),
            bytes_out: ended.then_some(metrics.bytes_out),
            failure: row.failure,
        }
    }

    fn pending(node_id: String, node_type: String, label: String) -> Self {
        Self {
            node_id,
            node_type,
            label,
            status: NodeStatus::Pending,
            attempt: 0,
            started_at: None,
            finished_at: None,
            duration_ms: None,
            rows_in: None,
            rows_out: None,
            bytes_out: None,
            failure: None,
        }
    }
}
