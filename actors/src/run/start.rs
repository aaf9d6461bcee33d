//! Loading a run under its lease, and replaying its journal.

use std::sync::Arc;

use ractor::ActorRef;
use thiserror::Error;
use troupe_engine::{
    plan::Plan,
    run::{MachineOptions, RunMachine},
};
use troupe_model::RunId;
use troupe_store::{leases::LeaseKind, runs};

use super::{RunArgs, RunMsg, RunState, commit::Commits, log::Logs, project, status::StatusStream};
use crate::{
    alarm::Alarm,
    context::Context,
    lease::Lease,
    live::{Channel, feed::Feed},
};

/// Journal lines read at once.
const PAGE: i64 = 10_000;

#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error("another server owns run {0}")]
    OwnedElsewhere(RunId),
    #[error("there is no run {0}")]
    Missing(RunId),
    #[error("the run could not be read: {0}")]
    Store(#[from] troupe_store::Error),
    #[error("the run's diagram can no longer be planned: {0}")]
    Plan(String),
    #[error("planning was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

pub(super) async fn load(
    context: Arc<Context>,
    myself: ActorRef<RunMsg>,
    args: RunArgs,
) -> Result<RunState, StartError> {
    let RunArgs { tenant, run, parent } = args;
    let owner = myself.clone();
    // An owner that has stopped needs no telling.
    let lost = move || drop(owner.cast(RunMsg::Suspend));
    let lease = Lease::take_free(&context, LeaseKind::Run, *run.as_uuid(), tenant, lost)
        .await?
        .ok_or(StartError::OwnedElsewhere(run))?;
    let now = context.clock.now();

    let mut tx = context.store.read(tenant).await?;
    let row = runs::find(&mut tx, run).await?.ok_or(StartError::Missing(run))?;
    let diagram = runs::diagram(&mut tx, run).await?.ok_or(StartError::Missing(run))?;
    let mut events = Vec::new();
    loop {
        let after = events.last().map_or(0, |event: &troupe_model::RunEvent| event.seq);
        let page = runs::events(&mut tx, run, after, PAGE).await?;
        let last = page.len() < PAGE as usize;
        events.extend(page);
        if last {
            break;
        }
    }
    let log_seq = runs::last_log_seq(&mut tx, run).await?;
    drop(tx);

    let registry = context.registry.clone();
    let plan = tokio::task::spawn_blocking(move || Plan::build(&diagram, &registry)).await?;
    let plan = Arc::new(plan.map_err(|diagnostics| {
        StartError::Plan(diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect::<Vec<_>>().join("; "))
    })?);

    let mut nodes = project::rows(&plan);
    for event in &events {
        project::apply(&mut nodes, &plan, event);
    }
    let mut machine = RunMachine::new(plan.clone(), MachineOptions { parallelism: context.limits.nodes_per_run_max });
    let event_seq = events.last().map_or(0, |event| event.seq);
    machine.replay(events.into_iter().map(|event| event.kind));

    Ok(RunState {
        alarm: Alarm::new(myself.clone(), || RunMsg::Wake),
        feed: Feed::new(Channel::Run(run), tenant, now),
        logs: Logs::new(Feed::new(Channel::RunLog(run), tenant, now), log_seq),
        status: StatusStream::default(),
        commits: Commits::new(lease.epoch(), event_seq),
        lease,
        live: Default::default(),
        actors: Default::default(),
        timers: Vec::new(),
        finished: false,
        myself,
        context,
        parent,
        tenant,
        row,
        nodes,
        plan,
        machine,
    })
}
