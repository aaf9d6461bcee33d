//! How runs and their nodes are told on the event channels. The same words as in the REST API.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use serde_json::{Value, json};
use troupe_engine::node::ProgressView;
use troupe_model::{NodeFailure, NodeStatus, Timestamp};
use troupe_store::runs::{NodeRunRow, Run};

/// A run without its nodes.
pub(crate) fn run(run: &Run) -> Value {
    json!({
        "id": run.id,
        "workflow_id": run.workflow_id,
        "status": run.status,
        "trigger": run.trigger,
        "started_by": run.started_by,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "failure": run.failure,
    })
}

/// A node's state as the canvas shows it.
#[derive(Debug, Serialize)]
pub(crate) struct NodeState<'a> {
    status: NodeStatus,
    attempt: u32,
    rows: u64,
    bytes: u64,
    fraction: Option<f64>,
    message: Option<Arc<str>>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    duration_ms: Option<u64>,
    rows_in: Option<u64>,
    rows_out: Option<u64>,
    failure: Option<&'a NodeFailure>,
}

impl<'a> NodeState<'a> {
    pub(crate) fn of(row: &'a NodeRunRow, progress: ProgressView) -> Self {
        let ended = row.status.is_final();
        Self {
            status: row.status,
            attempt: row.attempt,
            rows: if ended { row.metrics.rows_out } else { progress.rows },
            bytes: if ended { row.metrics.bytes_out } else { progress.bytes },
            fraction: if row.status == NodeStatus::Completed { Some(1.0) } else { progress.fraction },
            message: progress.message,
            started_at: row.started_at,
            finished_at: row.finished_at,
            duration_ms: ended.then_some(row.metrics.duration_ms),
            rows_in: ended.then_some(row.metrics.rows_in),
            rows_out: ended.then_some(row.metrics.rows_out),
            failure: row.failure.as_ref(),
        }
    }
}

/// The whole of a run that executes no more.
pub(crate) fn ended_run(row: &Run, nodes: &[NodeRunRow]) -> Value {
    let states: BTreeMap<&str, NodeState<'_>> =
        nodes.iter().map(|node| (node.node.as_str(), NodeState::of(node, ProgressView::default()))).collect();
    json!({ "run": run(row), "nodes": states })
}
