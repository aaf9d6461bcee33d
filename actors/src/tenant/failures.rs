//! How often children failed, how long to hold them back, and what to do when it is too often.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ractor::SpawnErr;
use tokio::time::Instant;
use troupe_model::{NodeFailure, RunEvent, RunEventKind, RunId, RunStatus, TenantId};
use troupe_store::{Fault, leases::LeaseKind, runs};

use super::Child;
use crate::{context::Context, lease::Lease, task};

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
    reason: String,
}

impl Failures {
    /// Counts a failure. The pause before the next start, or `None` when it failed too often.
    pub(super) fn record(&mut self, child: Child, reason: &str) -> Option<Duration> {
        self.0.retain(|_, failure| failure.at.elapsed() < FORGIVEN_AFTER);
        let failure = self.0.entry(child).or_insert_with(|| Failure {
            count: 0,
            at: Instant::now(),
            pause: PAUSE_MIN / 2,
            reason: String::new(),
        });
        failure.count += 1;
        failure.at = Instant::now();
        failure.pause = (failure.pause * 2).min(PAUSE_MAX);
        reason.clone_into(&mut failure.reason);
        (failure.count < ATTEMPTS_MAX).then_some(failure.pause)
    }

    /// Why a child is not started just now.
    pub(super) fn holds_back(&self, child: Child) -> Option<String> {
        let failure = self.0.get(&child)?;
        (failure.at.elapsed() < failure.pause).then(|| failure.reason.clone())
    }
}

/// Why the store is to blame for a child that did not start.
pub(super) fn store_fault(error: &SpawnErr) -> Option<Fault> {
    let causes = std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source());
    causes.filter_map(|cause| cause.downcast_ref::<troupe_store::Error>()).find_map(troupe_store::Error::fault)
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
    context: &Context,
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
    lease.release(context).await;
    Ok(())
}
