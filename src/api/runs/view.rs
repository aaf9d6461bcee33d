//! Runs and their nodes as the API shows them. The same words as on the event channels.

use serde::Serialize;
use troupe_model::{Node, NodeData, NodeFailure, NodeStatus, RunId, RunStatus, Timestamp, UserId, WorkflowId};
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

impl NodeRun {
    /// `row`: of one that was begun.
    pub fn of(row: Option<NodeRunRow>, node: Node) -> Self {
        let Node { id: node_id, data: NodeData { label, node_type, .. }, .. } = node;
        let label = if label.is_empty() { node_id.clone() } else { label };
        let Some(NodeRunRow { node_type, status, attempt, started_at, finished_at, metrics, failure, .. }) = row else {
            return Self {
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
            };
        };
        let ended = status.is_final();
        Self {
            node_id,
            node_type,
            label,
            status,
            attempt,
            started_at,
            finished_at,
            duration_ms: ended.then_some(metrics.duration_ms),
            rows_in: ended.then_some(metrics.rows_in),
            rows_out: ended.then_some(metrics.rows_out),
            bytes_out: ended.then_some(metrics.bytes_out),
            failure,
        }
    }
}
