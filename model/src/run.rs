//! The life of a run: states [RUN-2] and the durable events that move it [RUN-3].

use serde::{Deserialize, Serialize};

use crate::{Output, Timestamp, UserId, shown};

/// `new → running → success | error | canceled | timeout`, with two pauses between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RunStatus {
    New,
    Running,
    Paused,
    WaitingForHuman,
    Success,
    Error,
    Canceled,
    Timeout,
}

/// `pending → running → completed | failed | skipped | canceled`, with two pauses between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum NodeStatus {
    Pending,
    Running,
    WaitingInput,
    Retrying,
    Completed,
    Failed,
    Skipped,
    Canceled,
}

/// One line of a run's journal. Written before its effects are performed; replaying all gives the same run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEvent {
    /// Counts from 1 within the run, without gaps.
    pub seq: i64,
    pub at: Timestamp,
    #[serde(flatten)]
    pub kind: RunEventKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunEventKind {
    RunStarted,
    NodeStarted {
        node: String,
        /// Counts from 1.
        attempt: u32,
    },
    /// The node asked to be woken at `until`; it then completes with `outputs`. No task waits meanwhile.
    NodeWaiting {
        node: String,
        until: Timestamp,
        outputs: Vec<Output>,
        metrics: NodeMetrics,
    },
    /// Completion and its payload references are one event.
    NodeCompleted {
        node: String,
        outputs: Vec<Output>,
        metrics: NodeMetrics,
    },
    NodeFailed {
        node: String,
        failure: NodeFailure,
        metrics: NodeMetrics,
    },
    NodeRetrying {
        node: String,
        /// The attempt that will be made.
        attempt: u32,
        due: Timestamp,
        failure: NodeFailure,
    },
    /// No live input can reach the node any more.
    NodeSkipped {
        node: String,
    },
    NodeCanceled {
        node: String,
    },
    CancelRequested {
        by: Option<UserId>,
    },
    RunPaused,
    RunResumed,
    RunCompleted,
    RunFailed {
        failure: NodeFailure,
    },
    RunCanceled,
    RunTimedOut,
}

/// Why a node failed [NODE-2].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeFailure {
    /// Stable and machine-readable, such as `file_not_found`.
    pub code: String,
    /// What happened.
    pub message: String,
    /// Why, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solution: Option<String>,
    /// Whether trying again may help.
    pub retryable: bool,
}

/// Measured of one node run [RUN-14].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeMetrics {
    pub duration_ms: u64,
    pub rows_in: u64,
    pub rows_out: u64,
    pub bytes_out: u64,
}

impl RunStatus {
    pub const ALL: [Self; 8] = [
        Self::New,
        Self::Running,
        Self::Paused,
        Self::WaitingForHuman,
        Self::Success,
        Self::Error,
        Self::Canceled,
        Self::Timeout,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::WaitingForHuman => "waiting_for_human",
            Self::Success => "success",
            Self::Error => "error",
            Self::Canceled => "canceled",
            Self::Timeout => "timeout",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    pub const fn is_final(self) -> bool {
        matches!(self, Self::Success | Self::Error | Self::Canceled | Self::Timeout)
    }
}

impl NodeStatus {
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Running,
        Self::WaitingInput,
        Self::Retrying,
        Self::Completed,
        Self::Failed,
        Self::Skipped,
        Self::Canceled,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::WaitingInput => "waiting_input",
            Self::Retrying => "retrying",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Canceled => "canceled",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Skipped | Self::Canceled)
    }
}

impl RunEventKind {
    /// The node that the event is about.
    pub fn node(&self) -> Option<&str> {
        match self {
            Self::NodeStarted { node, .. }
            | Self::NodeWaiting { node, .. }
            | Self::NodeCompleted { node, .. }
            | Self::NodeFailed { node, .. }
            | Self::NodeRetrying { node, .. }
            | Self::NodeSkipped { node }
            | Self::NodeCanceled { node } => Some(node),
            _ => None,
        }
    }

    /// The event's name on the wire [RUN-7].
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RunStarted => "run_started",
            Self::NodeStarted { .. } => "node_started",
            Self::NodeWaiting { .. } => "node_waiting",
            Self::NodeCompleted { .. } => "node_completed",
            Self::NodeFailed { .. } => "node_failed",
            Self::NodeRetrying { .. } => "node_retrying",
            Self::NodeSkipped { .. } => "node_skipped",
            Self::NodeCanceled { .. } => "node_canceled",
            Self::CancelRequested { .. } => "cancel_requested",
            Self::RunPaused => "run_paused",
            Self::RunResumed => "run_resumed",
            Self::RunCompleted => "run_completed",
            Self::RunFailed { .. } => "run_failed",
            Self::RunCanceled => "run_canceled",
            Self::RunTimedOut => "run_timed_out",
        }
    }
}

impl NodeFailure {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: shown::text(message), reason: None, solution: None, retryable: false }
    }

    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(shown::text(reason));
        self
    }

    #[must_use]
    pub fn solution(mut self, solution: impl Into<String>) -> Self {
        self.solution = Some(shown::text(solution));
        self
    }

    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }
}
