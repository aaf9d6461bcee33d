//! One live run. Parent: the tenant. Children: one actor per executing node.
//!
//! The machine decides; this actor journals what it decided, and only then performs it [RUN-3]. Everything decided
//! while a commit is under way goes into the next one, so a fast run costs few transactions.
//!
//! Invariants: no effect before its events are durable; a completed node is not started again; a failing node fails
//! that node only [RUN-5]; nothing is written under a lease that is over.

mod commit;
mod log;
mod perform;
mod project;
pub(crate) mod start;
mod status;

use std::{collections::HashMap, sync::Arc, time::Duration};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::time::Instant;
use troupe_engine::{plan::Plan, run::RunMachine};
use troupe_model::{NodeFailure, NodeMetrics, RunEventKind, RunId, TenantId, UserId};
use troupe_store::runs::Run as StoredRun;

use crate::{
    alarm::Alarm,
    context::Context,
    lease::Lease,
    live::{
        Channel,
        feed::Feed,
        outbox::{Close, Outbox},
    },
    tenant::TenantMsg,
};
use commit::Commits;
use perform::LiveNode;

/// Status and logs go out at most this often [RUN-6].
const TICK: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) enum RunMsg {
    Begin,
    NodeEnded {
        index: usize,
        report: RunEventKind,
    },
    /// A batch is durable, or it will never be.
    Journaled {
        kept: Option<bool>,
    },
    Cancel {
        by: Option<UserId>,
    },
    Watch {
        outbox: Outbox,
        last_seq: Option<i64>,
    },
    WatchLog {
        outbox: Outbox,
        last_seq: Option<i64>,
    },
    /// A watcher is to be shown more.
    GoOn {
        channel: Channel,
        outbox: Outbox,
    },
    Unwatch {
        channel: Channel,
        outbox: Outbox,
    },
    Wake,
    /// The server stops: end at once, to be resumed elsewhere.
    Suspend,
}

#[derive(Debug)]
pub(crate) struct RunArgs {
    pub(crate) tenant: TenantId,
    pub(crate) run: RunId,
    pub(crate) parent: ActorRef<TenantMsg>,
}

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) context: Arc<Context>,
}

#[derive(Debug)]
pub(crate) struct RunState {
    myself: ActorRef<RunMsg>,
    context: Arc<Context>,
    parent: ActorRef<TenantMsg>,
    tenant: TenantId,
    /// The run's row and the rows of its nodes, in the plan's order, as they will be stored.
    row: StoredRun,
    nodes: Vec<troupe_store::runs::NodeRunRow>,
    plan: Arc<Plan>,
    machine: RunMachine,
    commits: Commits,
    lease: Lease,
    /// Executing nodes by their place in the plan.
    live: HashMap<usize, LiveNode>,
    actors: HashMap<ActorId, usize>,
    /// Nodes that are to be woken.
    timers: Vec<(Instant, usize)>,
    /// A page begins at a node's place.
    feed: Feed<usize>,
    logs: log::Logs,
    status: status::StatusStream,
    alarm: Alarm,
    /// Set when the machine has ended: stop when all is durable.
    finished: bool,
}

impl Actor for Run {
    type Msg = RunMsg;
    type State = RunState;
    type Arguments = RunArgs;

    async fn pre_start(&self, myself: ActorRef<RunMsg>, args: RunArgs) -> Result<RunState, ActorProcessingErr> {
        myself.cast(RunMsg::Begin)?;
        Ok(start::load(self.context.clone(), myself, args).await?)
    }

    async fn handle(
        &self,
        myself: ActorRef<RunMsg>,
        message: RunMsg,
        state: &mut RunState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RunMsg::Begin => state.begin(),
            RunMsg::NodeEnded { index, report } => state.node_ended(index, report),
            RunMsg::Journaled { kept } => state.journaled(kept).await?,
            RunMsg::Cancel { by } => state.cancel(by),
            RunMsg::Watch { outbox, last_seq } => state.watch(outbox, last_seq),
            RunMsg::WatchLog { outbox, last_seq } => state.watch_log(outbox, last_seq).await,
            RunMsg::GoOn { channel: Channel::RunLog(_), outbox } => state.go_on_with_log(&outbox).await,
            RunMsg::GoOn { outbox, .. } => state.go_on(&outbox),
            RunMsg::Unwatch { channel, outbox } => state.unwatch(channel, &outbox),
            RunMsg::Wake => state.wake(),
            RunMsg::Suspend => state.suspend(&myself),
        }
        Ok(())
    }

    /// A node's actor that failed outside its guard reports nothing: its node fails, and the machine decides. One
    /// that stopped has reported before, though the report may still be behind this event in the mailbox.
    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<RunMsg>,
        event: SupervisionEvent,
        state: &mut RunState,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(node, error) = event {
            state.node_lost(node.get_id(), &error.to_string());
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<RunMsg>, state: &mut RunState) -> Result<(), ActorProcessingErr> {
        state.lease.release().await;
        Ok(())
    }
}

/// Whoever watches when the actor is gone before its run has ended comes back to its successor.
impl Drop for RunState {
    fn drop(&mut self) {
        if !(self.finished && self.commits.is_idle()) {
            self.feed.close(&Close::restarting());
            self.logs.close(&Close::restarting());
        }
    }
}

impl RunState {
    fn begin(&mut self) {
        if self.row.started_at.is_none() {
            self.log_run("run started");
            self.decide(RunEventKind::RunStarted);
        } else {
            self.log_run("run resumed after a restart");
            let decision = self.machine.resume();
            self.carry_out(decision);
        }
    }

    fn cancel(&mut self, by: Option<UserId>) {
        if !self.machine.status().is_final() {
            self.log_run("cancel requested");
            self.decide(RunEventKind::CancelRequested { by });
        }
    }

    fn node_lost(&mut self, actor: ActorId, why: &str) {
        let Some(index) = self.actors.remove(&actor) else { return };
        let failure = NodeFailure::new("node_stopped", "the node ended without a result")
            .reason(why.to_owned())
            .solution("run it again; if it happens again, report it with the run's id")
            .retryable();
        let node = self.plan.node(index).id.to_string();
        self.node_ended(index, RunEventKind::NodeFailed { node, failure, metrics: NodeMetrics::default() });
    }

    fn watch(&mut self, outbox: Outbox, last_seq: Option<i64>) {
        let go_on = self.goes_on(Channel::Run(self.row.id));
        self.feed.watch(outbox.clone(), last_seq, go_on);
        self.go_on(&outbox);
    }

    /// Shows a watcher the next of what there is, if it reads.
    fn go_on(&mut self, outbox: &Outbox) {
        let Some(from) = self.feed.due(outbox) else { return };
        let page = match self.feed.page(&from) {
            Some(page) => page,
            None => {
                let page = self.page(&from);
                self.feed.keep(from, page)
            }
        };
        self.feed.show(outbox, page);
    }

    /// Whoever has not been shown all of a run that has ended comes back to what is stored of it.
    fn goes_on(&self, channel: Channel) -> impl Fn(Outbox) + Send + Sync + 'static {
        let myself = self.myself.clone();
        move |outbox| {
            if myself.cast(RunMsg::GoOn { channel, outbox: outbox.clone() }).is_err() {
                outbox.close_now(Close::restarting());
            }
        }
    }

    /// One connection may watch the run and its log, and leave one of them.
    fn unwatch(&mut self, channel: Channel, outbox: &Outbox) {
        match channel {
            Channel::RunLog(_) => self.logs.unwatch(outbox),
            Channel::Run(_) | Channel::Workflow(_) => self.feed.unwatch(outbox),
        }
    }

    fn wake(&mut self) {
        let now = Instant::now();
        self.fire_timers(now);
        self.tick(now);
    }

    /// Leaves everything as it is in the journal. What was executing is executed again by whoever resumes.
    fn suspend(&mut self, myself: &ActorRef<RunMsg>) {
        for node in self.live.values() {
            node.cancel.cancel();
        }
        self.actors.clear();
        myself.stop(None);
    }
}
