//! What a run's events mean for the rows that lists and pages are served from.

use troupe_engine::plan::Plan;
use troupe_model::{NodeMetrics, NodeStatus, RunEvent, RunEventKind, RunStatus};
use troupe_store::runs::{NodeRunRow, Run};

/// The rows of a run that has not begun, in the plan's order.
pub(super) fn rows(plan: &Plan) -> Vec<NodeRunRow> {
    let row = |node: &troupe_engine::plan::PlanNode| NodeRunRow {
        node: node.id.to_string(),
        node_type: node.type_id.clone(),
        status: NodeStatus::Pending,
        attempt: 0,
        started_at: None,
        finished_at: None,
        metrics: NodeMetrics::default(),
        outputs: Vec::new(),
        failure: None,
    };
    plan.nodes().iter().map(row).collect()
}

/// Applies one event to the row of its node, and tells which that is.
pub(super) fn apply(rows: &mut [NodeRunRow], plan: &Plan, event: &RunEvent) -> Option<usize> {
    let place = plan.place(event.kind.node()?)?;
    let row = &mut rows[place];
    let at = Some(event.at);
    match &event.kind {
        RunEventKind::NodeStarted { attempt, .. } => {
            row.status = NodeStatus::Running;
            row.attempt = *attempt;
            row.started_at = row.started_at.or(at);
            row.failure = None;
        }
        RunEventKind::NodeWaiting { metrics, .. } => {
            row.status = NodeStatus::WaitingInput;
            row.metrics = *metrics;
        }
        RunEventKind::NodeRetrying { failure, .. } => {
            row.status = NodeStatus::Retrying;
            row.failure = Some(failure.clone());
        }
        RunEventKind::NodeCompleted { outputs, metrics, .. } => {
            row.status = NodeStatus::Completed;
            row.finished_at = at;
            row.outputs = outputs.clone();
            row.metrics = *metrics;
        }
        RunEventKind::NodeFailed { failure, metrics, .. } => {
            row.status = NodeStatus::Failed;
            row.finished_at = at;
            row.failure = Some(failure.clone());
            row.metrics = *metrics;
        }
        RunEventKind::NodeSkipped { .. } => row.status = NodeStatus::Skipped,
        RunEventKind::NodeCanceled { .. } => {
            row.status = NodeStatus::Canceled;
            row.finished_at = at;
        }
        _ => return None,
    }
    Some(place)
}

/// Applies one event to the run's own row.
pub(super) fn apply_to_run(row: &mut Run, event: &RunEvent) {
    let ended = match &event.kind {
        RunEventKind::RunStarted => {
            row.status = RunStatus::Running;
            row.started_at = Some(event.at);
            return;
        }
        RunEventKind::RunPaused => {
            row.status = RunStatus::Paused;
            return;
        }
        RunEventKind::RunResumed => {
            row.status = RunStatus::Running;
            return;
        }
        RunEventKind::RunCompleted => RunStatus::Success,
        RunEventKind::RunFailed { failure } => {
            row.failure = Some(failure.clone());
            RunStatus::Error
        }
        RunEventKind::RunCanceled => RunStatus::Canceled,
        RunEventKind::RunTimedOut => RunStatus::Timeout,
        _ => return,
    };
    row.status = ended;
    row.finished_at = Some(event.at);
}
