//! How often children failed, how long to hold them back, and what to do when it is too often.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use ractor::SpawnErr;
use tokio::time::Instant;
use troupe_model::{NodeFailure, RunEvent, RunEventKind, RunId, RunStatus, TenantId};
use troupe_store::{Fault, leases::LeaseKind, runs};

use super::Child;
use crate::{context::Context, lease::Lease, task, workflow::LoadError};

const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Before a child is started again that the store did not let start.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Failures in a row after which a run is given up.
const ATTEMPTS_MAX: u32 = 5;
/// Failures older than this are forgiven.
const FORGIVEN_AFTER: Duration = Duration::from_secs(300);

#[derive(Debug, Default)]
pub(super) struct Failures(HashMap<Child, Failure>);

#[derive(Debug)]
struct Failure {
    count: u32,
    at: Instant,
    pause: Duration,
    cause: Cause,
}

/// Why a child failed.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// The store was away: the child is not to blame.
    Store(Fault),
    /// There was no memory for it.
    NoRoom,
    /// A canvas that is not to be opened before somebody says so.
    HeldBack(String),
    Other(String),
}

impl Failures {
    /// Counts a failure. The pause before the next start, or `None` when it failed too often.
    pub(super) fn record(&mut self, child: Child, cause: Cause) -> Option<Duration> {
        self.0.retain(|_, failure| failure.at.elapsed() < FORGIVEN_AFTER);
        let failure = self.0.entry(child).or_insert_with(|| Failure {
            count: 0,
            at: Instant::now(),
            pause: PAUSE_MIN / 2,
            cause: cause.clone(),
        });
        failure.count += 1;
        failure.at = Instant::now();
        failure.pause = (failure.pause * 2).min(PAUSE_MAX);
        failure.cause = cause;
        (failure.count < ATTEMPTS_MAX).then_some(failure.pause)
    }

    /// Why a child is not started just now.
    pub(super) fn holds_back(&self, child: Child) -> Option<Cause> {
        let failure = self.0.get(&child)?;
        (failure.at.elapsed() < failure.pause).then(|| failure.cause.clone())
    }

    /// It may be started again at once.
    pub(super) fn forgive(&mut self, child: Child) {
        self.0.remove(&child);
    }
}

impl Cause {
    /// Why a child did not start.
    pub(super) fn of(error: &SpawnErr) -> Self {
        let chain = || std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source());
        let told = chain().find_map(|cause| match cause.downcast_ref() {
            Some(LoadError::HeldBack(reason)) => Some(Self::HeldBack(reason.clone())),
            Some(LoadError::NoRoom(_)) => Some(Self::NoRoom),
            _ => None,
        });
        let fault = || {
            chain().filter_map(|cause| cause.downcast_ref::<troupe_store::Error>()).find_map(troupe_store::Error::fault)
        };
        told.or_else(|| fault().map(Self::Store)).unwrap_or_else(|| Self::Other(error.to_string()))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(fault) => fault.fmt(f),
            Self::NoRoom => f.write_str("there is no memory for it just now"),
            Self::HeldBack(reason) | Self::Other(reason) => reason.fmt(f),
        }
    }
}

/// Records in the journal that a run could not be carried on, so that everybody sees it and nothing waits for it.
pub(super) fn give_up(context: Arc<Context>, tenant: TenantId, run: RunId, reason: String) {
    task::spawn("run-give-up", async move {
        if let Err(error) = record_failure(&context, tenant, run, reason).await {
            tracing::error!(run.id = %run, %error, "a run that cannot go on could not be marked as failed");
        }
    });
}

async fn record_failure(
    context: &Arc<Context>,
    tenant: TenantId,
    run: RunId,
    reason: String,
) -> Result<(), troupe_store::Error> {
    let failure = NodeFailure::new("run_not_resumable", "the run could not be carried on").reason(reason);
    let now = context.clock.now();
    let taken = Lease::take_free(context, LeaseKind::Run, *run.as_uuid(), tenant, || {}).await?;
    let Some(lease) = taken else { return Ok(()) };
    let mut tx = context.store.begin_system().await?;
    let seq = runs::last_event_seq(&mut tx, tenant, run).await? + 1;
    let event = RunEvent { seq, at: now, kind: RunEventKind::RunFailed { failure: failure.clone() } };
    let batch = runs::RunBatch {
        tenant,
        run,
        epoch: lease.epoch(),
        events: std::slice::from_ref(&event),
        status: Some(RunStatus::Error),
        started_at: None,
        finished_at: Some(now),
        failure: Some(&failure),
        node_runs: &[],
    };
    runs::append_events(&mut tx, &batch).await?;
    tx.commit().await?;
    lease.release().await;
    Ok(())
}
