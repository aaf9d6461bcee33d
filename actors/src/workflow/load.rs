//! Loading a canvas under its lease.

use std::sync::Arc;

use ractor::ActorRef;
use thiserror::Error;
use tokio::time::Instant;
use troupe_crdt::Awareness;
use troupe_engine::Analyst;
use troupe_model::WorkflowId;
use troupe_store::{canvas, leases::LeaseKind, runs, versions, workflows};

use super::{
    SWEEP_EVERY, WorkflowArgs, WorkflowMsg, WorkflowState,
    ask::Asked,
    derived::Derived,
    doubt::Doubts,
    presence::Presence,
    questions::Questions,
    replay::{ReplayError, replay},
    snapshot::Growth,
    trouble::Risk,
};
use crate::{
    alarm::Alarm,
    context::Context,
    lease::Lease,
    live::{Channel, feed::Feed},
    view,
};

#[derive(Debug, Error)]
pub(crate) enum LoadError {
    #[error("another server owns workflow {0}")]
    OwnedElsewhere(WorkflowId),
    #[error("the canvas could not be read: {0}")]
    Store(#[from] troupe_store::Error),
    #[error("the canvas could not be made from its log: {0}")]
    Canvas(#[from] ReplayError),
    #[error("{0}")]
    HeldBack(String),
    #[error("loading was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
    #[error("there is no memory for canvas {0} just now")]
    NoRoom(WorkflowId),
}

pub(super) async fn load(
    context: Arc<Context>,
    myself: ActorRef<WorkflowMsg>,
    args: WorkflowArgs,
) -> Result<WorkflowState, LoadError> {
    let WorkflowArgs { tenant, workflow, journal, analyses, long_turns } = args;
    let started = Instant::now();
    let owner = myself.clone();
    // An owner that has stopped needs no telling.
    let lost = move || drop(owner.cast(WorkflowMsg::LeaseLost));
    let lease = Lease::take(&context, LeaseKind::Workflow, *workflow.as_uuid(), tenant, lost)
        .await?
        .ok_or(LoadError::OwnedElsewhere(workflow))?;
    let mut tx = context.store.read(tenant).await?;
    let trouble = canvas::trouble::find(&mut tx, workflow).await?;
    if let Some(held_back) = trouble.as_ref().and_then(|trouble| trouble.held_back.as_ref()) {
        return Err(LoadError::HeldBack(held_back.reason.clone()));
    }
    let mut footprint = context.footprints.enter(tenant, canvas::stored_bytes(&mut tx, workflow).await?);
    if !footprint.may_open() {
        return Err(LoadError::NoRoom(workflow));
    }
    let stored = canvas::load(&mut tx, workflow).await?;
    let published_seq = versions::latest(&mut tx, workflow).await?.map_or(0, |version| version.seq);
    let latest_run = runs::latest(&mut tx, workflow).await?.map(|run| view::run(&run));
    // A workflow that was deleted just now has none.
    let parameters = workflows::find(&mut tx, workflow).await?.map_or_else(Default::default, |row| row.parameters);
    drop(tx);

    let (seq, updates, growth) = (stored.last_seq, stored.updates.len(), Growth::new(&stored));
    let risk = Risk::begin(&context, tenant, workflow, stored.bytes(), trouble.is_some()).await?;
    if let Some(reason) = risk.examine(&stored).await? {
        return Err(LoadError::HeldBack(reason));
    }
    let replayed = tokio::task::spawn_blocking(move || replay(&stored, published_seq)).await;
    match &replayed {
        Ok(Ok(_)) => risk.done().await?,
        Err(stopped) if stopped.is_cancelled() => {}
        _ => risk.failed().await?,
    }
    let (canvas, authorship) = replayed??;
    footprint.resize(canvas.size_bytes(), canvas.items());
    if !footprint.may_open() {
        return Err(LoadError::NoRoom(workflow));
    }
    if canvas.skipped() > 0 {
        tracing::warn!(workflow.id = %workflow, skipped = canvas.skipped(), "updates of the log changed nothing");
    }
    tracing::info!(
        tenant.id = %tenant, workflow.id = %workflow, epoch = lease.epoch(), seq, updates,
        document_epoch = canvas.epoch().number, elapsed_ms = started.elapsed().as_millis() as u64, "canvas loaded"
    );

    let now = Instant::now();
    let alarm = Alarm::new(myself.clone(), || WorkflowMsg::Wake);
    alarm.at_latest(now + SWEEP_EVERY);
    let analyst = Analyst::new(context.registry.clone(), context.files(tenant));
    Ok(WorkflowState {
        feed: Feed::new(Channel::Workflow(workflow), tenant, context.clock.now()),
        myself,
        journal,
        tenant,
        workflow,
        canvas,
        awareness: Awareness::with_limits(context.limits.canvas),
        began: now,
        questions: Questions::default(),
        presence: Presence::default(),
        lease,
        seq,
        durable_seq: seq,
        growth,
        authorship,
        publishing: None,
        sessions: Default::default(),
        long_turns,
        awaiting_commit: Vec::new(),
        doubts: Doubts::default(),
        asked: Asked::default(),
        latest_run,
        parameters,
        context,
        derived: Derived::new(analyst, analyses),
        alarm,
        next_sweep: now + SWEEP_EVERY,
        idle_since: None,
        footprint,
        closing: false,
    })
}
