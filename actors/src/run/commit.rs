//! Deciding and journaling: what the machine decided is gathered, committed in one transaction, and then performed.

use std::{collections::BTreeSet, time::Duration};

use ractor::ActorProcessingErr;
use serde_json::json;
use tokio::time::Instant;
use troupe_engine::run::{Decision, Effect};
use troupe_model::{LogEntry, RunEvent, RunEventKind};
use troupe_store::{Store, runs};

use super::{RunMsg, RunState, project};
use crate::{live::feed::Event, task, tenant::TenantMsg, view};

const RETRY_DELAY_MIN: Duration = Duration::from_millis(50);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(2);
/// Times that a store which is there is asked to take a batch.
const REFUSALS_MAX: u32 = 3;

#[derive(Debug)]
pub(super) struct Commits {
    pub(super) epoch: i64,
    event_seq: i64,
    pub(super) pending: Batch,
    in_flight: Option<InFlight>,
}

/// What one transaction writes, and what follows from it.
#[derive(Debug, Default)]
pub(super) struct Batch {
    events: Vec<RunEvent>,
    pub(super) logs: Vec<LogEntry>,
    pub(super) effects: Vec<Effect>,
    /// Places of the nodes whose rows changed.
    dirty: BTreeSet<usize>,
}

#[derive(Debug)]
struct InFlight {
    events: Vec<RunEvent>,
    logs: Vec<LogEntry>,
    effects: Vec<Effect>,
    _task: task::Owned,
}

impl Commits {
    pub(super) fn new(epoch: i64, event_seq: i64) -> Self {
        Self { epoch, event_seq, pending: Batch::default(), in_flight: None }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_none() && self.pending.is_empty()
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.events.is_empty() && self.logs.is_empty() && self.effects.is_empty()
    }
}

impl RunState {
    /// Lets the machine decide what follows from an event.
    pub(super) fn decide(&mut self, kind: RunEventKind) {
        let decision = self.machine.decide(kind, self.context.clock.now());
        self.carry_out(decision);
    }

    /// Gathers the events to journal, and the effects to perform after that.
    pub(super) fn carry_out(&mut self, decision: Decision) {
        let now = self.context.clock.now();
        for kind in decision.events {
            self.commits.event_seq += 1;
            let event = RunEvent { seq: self.commits.event_seq, at: now, kind };
            if let Some(place) = project::apply(&mut self.nodes, &self.plan, &event) {
                self.commits.pending.dirty.insert(place);
            }
            project::apply_to_run(&mut self.row, &event);
            self.log_event(&event);
            self.commits.pending.events.push(event);
        }
        self.commits.pending.effects.extend(decision.effects);
        self.commit_next();
    }

    /// Starts a commit of what has gathered, unless one is under way.
    pub(super) fn commit_next(&mut self) {
        if self.commits.in_flight.is_some() || self.commits.pending.is_empty() {
            return;
        }
        let batch = std::mem::take(&mut self.commits.pending);
        let write = Write {
            tenant: self.tenant,
            run: self.row.clone(),
            epoch: self.commits.epoch,
            events: batch.events.clone(),
            nodes: batch.dirty.iter().map(|&place| self.nodes[place].clone()).collect(),
            logs: batch.logs.clone(),
        };
        let (store, myself) = (self.context.store.clone(), self.myself.clone());
        let task = task::spawn_owned("run-commit", async move {
            let kept = write.until_done(&store).await;
            // A run that was stopped meanwhile is resumed from the journal.
            let _ = myself.cast(RunMsg::Journaled { kept });
        });
        self.commits.in_flight =
            Some(InFlight { events: batch.events, logs: batch.logs, effects: batch.effects, _task: task });
    }

    /// `kept`: false when another server owns this run now, `None` when the store does not take the batch.
    pub(super) async fn journaled(&mut self, kept: Option<bool>) -> Result<(), ActorProcessingErr> {
        let Some(done) = self.commits.in_flight.take() else { return Ok(()) };
        let kept = kept.ok_or("the store does not take the run's events")?;
        if !kept {
            tracing::warn!(run.id = %self.row.id, epoch = self.commits.epoch, "the run's lease was lost");
            let myself = self.myself.clone();
            self.suspend(&myself);
            return Ok(());
        }
        self.logs.publish(done.logs, self.context.clock.now());
        for event in done.events {
            self.publish(event)?;
        }
        self.alarm.at_latest(self.status.next_tick(Instant::now()));
        for effect in done.effects {
            self.perform(effect).await?;
        }
        self.commit_next();
        self.stop_when_done();
        Ok(())
    }

    /// Tells the watchers of the run, and at its start and end also those of its workflow.
    fn publish(&mut self, event: RunEvent) -> Result<(), ActorProcessingErr> {
        let (kind, at) = (event.kind.name(), event.at);
        match event.kind.node().and_then(|node| self.plan.place(node)) {
            Some(place) => self.status.changed(place),
            None => {
                let view = view::run(&self.row);
                self.parent.cast(TenantMsg::RunChanged { workflow: self.row.workflow_id, kind, view })?;
            }
        }
        let (node, data) = wire_data(event.kind);
        self.feed.publish(Event::new(kind, at, &data).of_node(node));
        Ok(())
    }

    fn stop_when_done(&mut self) {
        if self.finished && self.live.is_empty() && self.commits.is_idle() {
            self.myself.stop(None);
        }
    }
}

/// What an event tells on the wire [RUN-7]: its fields but the node, which the envelope carries.
fn wire_data(kind: RunEventKind) -> (Option<String>, serde_json::Value) {
    let node = kind.node().map(str::to_owned);
    let mut data = json!(kind);
    if let Some(fields) = data.as_object_mut() {
        fields.remove("type");
        fields.remove("node");
    }
    (node, data)
}

/// One transaction's content, kept until the store has taken it.
struct Write {
    tenant: troupe_model::TenantId,
    run: runs::Run,
    epoch: i64,
    events: Vec<RunEvent>,
    nodes: Vec<runs::NodeRunRow>,
    logs: Vec<LogEntry>,
}

impl Write {
    async fn until_done(&self, store: &Store) -> Option<bool> {
        let (mut delay, mut refusals) = (RETRY_DELAY_MIN, 0);
        loop {
            let error = match self.once(store).await {
                Ok(kept) => return Some(kept),
                // Somebody else has gone on with this run.
                Err(troupe_store::Error::EventTaken(_)) => return Some(false),
                Err(error) => error,
            };
            tracing::error!(run.id = %self.run.id, error = error.with_causes(), "a run's events could not be committed; trying again");
            refusals += u32::from(error.fault().is_none());
            if refusals == REFUSALS_MAX {
                return None;
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(RETRY_DELAY_MAX);
        }
    }

    async fn once(&self, store: &Store) -> Result<bool, troupe_store::Error> {
        if self.events.is_empty() && self.logs.is_empty() {
            return Ok(true);
        }
        let mut tx = store.begin_system().await?;
        let kept = runs::append_events(
            &mut tx,
            &runs::RunBatch {
                tenant: self.tenant,
                run: self.run.id,
                epoch: self.epoch,
                events: &self.events,
                status: Some(self.run.status),
                started_at: self.run.started_at,
                finished_at: self.run.finished_at,
                failure: self.run.failure.as_ref(),
                node_runs: &self.nodes,
            },
        )
        .await?;
        if kept && !self.logs.is_empty() {
            runs::append_logs(&mut tx, self.tenant, self.run.id, &self.logs).await?;
        }
        tx.commit().await?;
        Ok(kept)
    }
}
