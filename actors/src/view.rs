//! How runs and their nodes are told on the event channels. The same words as in the REST API.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use troupe_engine::node::ProgressView;
use troupe_model::{LogEntry, NodeFailure, NodeStatus, RunStatus, Timestamp};
use troupe_store::runs::{NodeRunRow, Run};

use crate::live::parts::{self, Part};

/// A run as it is. Its other nodes follow as changes when there are `more`.
#[derive(Debug, Serialize)]
pub(crate) struct RunSnapshot<'a> {
    pub(crate) run: Value,
    pub(crate) nodes: Part<'a>,
    pub(crate) more: bool,
}

/// What changed in a run, or the next of what a snapshot began.
#[derive(Debug, Serialize)]
pub(crate) struct StatusChange<'a> {
    pub(crate) nodes: Part<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<RunStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) more: Option<bool>,
}

/// Lines of a log. Their numbers tell whether some are missing.
#[derive(Debug, Serialize)]
pub(crate) struct Lines<'a> {
    pub(crate) entries: &'a [LogEntry],
}

/// About what a line takes in a message.
pub(crate) fn line_bytes(line: &LogEntry) -> usize {
    const BESIDE: usize = 100;
    line.message.len() + line.node_id.as_ref().map_or(0, String::len) + BESIDE
}

/// Of lines the last, so many as one message holds.
pub(crate) fn last_lines(lines: Vec<LogEntry>) -> Vec<LogEntry> {
    let mut last = parts::take(&mut lines.into_iter().rev().peekable(), line_bytes);
    last.reverse();
    last
}

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
    /// In the order of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<usize>,
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
    pub(crate) fn of(row: &'a NodeRunRow, place: Option<usize>, progress: ProgressView) -> Self {
        let ended = row.status.is_final();
        Self {
            place,
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
