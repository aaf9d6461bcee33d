//! The owner of one open canvas. Parent: the tenant. Children: none.
//!
//! Holds the one document and its sessions. A frame is guarded and applied, broadcast to the others at once,
//! journaled, and acknowledged to its author after the commit [SYNC-6].
//!
//! Invariants: it writes only under its lease's epoch [SYNC-13]; it stops when it loses the lease; it unloads only
//! when everything is committed [SYNC-12]; what can be computed from the document is never written into it.

mod ask;
mod authorship;
mod change;
mod derived;
mod doubt;
mod edit;
mod found;
mod load;
mod presence;
mod publish;
mod questions;
mod replay;
mod session;
mod snapshot;
mod trouble;

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::Instant;
use troupe_crdt::{Access, Awareness, Canvas, UserTag};
use troupe_model::{SessionId, Subject, TenantId, Timestamp, UserId, WorkflowId};
use troupe_store::{
    canvas::{PART_BYTES, Part},
    versions::Version,
};

pub use ask::Asker;
pub(crate) use ask::{Ask, Reading, Watching};
pub use authorship::{Change, LastChange};
pub(crate) use change::{Begun, ChangeReply};
pub use edit::{DiagramEdit, EditError, Edited};
pub(crate) use load::LoadError;
pub use publish::{Publish, PublishError};
pub use trouble::examine;

use crate::{
    alarm::Alarm,
    canvas::{LongTurn, LongTurns},
    context::Context,
    credit::Credit,
    footprint::Footprint,
    journal::{Entry, JournalMsg},
    lease::Lease,
    live::{
        feed::{Event, Feed},
        outbox::{Close, Outbox},
        parts,
    },
    task,
    turns::{TenantTurns, Turn},
};
use found::Found;
use session::Session;

/// How often awareness is swept and lagging sessions are looked at while there are sessions.
const SWEEP_EVERY: Duration = Duration::from_secs(3);
/// A canvas that is smaller takes no time worth noticing.
const LARGE_CANVAS_BYTES_MIN: usize = 256 << 10;
/// Shorter turns are not counted.
const LONG_TURN_MIN: Duration = Duration::from_millis(1);
/// A turn that takes longer is felt by everybody on the canvas, and logged.
const SLOW_TURN: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) enum WorkflowMsg {
    Ask(Option<UserId>, Ask),
    /// The next of what was asked of a large canvas.
    AnswerNext(Option<LongTurn>),
    Leave(SessionId),
    /// What is known of a session's user changed.
    Member {
        session: SessionId,
        user: UserTag,
        access: Access,
    },
    Frame {
        session: SessionId,
        frame: Bytes,
        credit: Credit,
        turn: Option<LongTurn>,
    },
    /// All that waited for a session is written: it reads.
    Drained(SessionId),
    /// A watcher is to be shown more.
    GoOn(Outbox),
    Unwatch(Outbox),
    /// `None`: it could not be stored.
    Published(Option<Version>),
    /// The workflow's row changed: tell those who watch.
    Updated(Value),
    /// A run of this workflow began or ended.
    RunChanged {
        kind: &'static str,
        view: Value,
    },
    Committed {
        seq: i64,
    },
    LeaseLost,
    /// The store does not take what was journaled.
    NotTaken,
    LeaseConfirmed,
    /// It is this workflow's turn to be analysed.
    MayAnalyse(Turn),
    Analysed {
        revision: i64,
        found: Option<Found>,
    },
    Compacted(snapshot::Compacted),
    Wake,
    /// Close every session with this and stop when all is committed.
    Close(Close),
}

impl WorkflowMsg {
    /// What it is, for the log.
    fn kind(&self) -> &'static str {
        match self {
            Self::Ask(_, ask) => ask.kind(),
            Self::AnswerNext(_) => "answer",
            Self::Frame { .. } => "frame",
            Self::Drained(_) | Self::Wake => "wake",
            Self::MayAnalyse(_) | Self::Analysed { .. } => "analysis",
            Self::Compacted(_) => "compacted",
            _ => "other",
        }
    }
}

#[derive(Debug)]
pub(crate) struct WorkflowArgs {
    pub(crate) tenant: TenantId,
    pub(crate) workflow: WorkflowId,
    pub(crate) journal: ActorRef<JournalMsg>,
    pub(crate) analyses: TenantTurns,
    pub(crate) long_turns: LongTurns,
}

#[derive(Debug)]
pub(crate) struct Workflow {
    pub(crate) context: Arc<Context>,
}

#[derive(Debug)]
pub(crate) struct WorkflowState {
    myself: ActorRef<WorkflowMsg>,
    context: Arc<Context>,
    journal: ActorRef<JournalMsg>,
    tenant: TenantId,
    workflow: WorkflowId,

    canvas: Canvas,
    awareness: Awareness,
    /// What the milliseconds of awareness and of budgets are counted from.
    began: Instant,
    questions: questions::Questions,
    presence: presence::Presence,
    lease: Lease,
    /// The log's last number; also the revision of the diagram.
    seq: i64,
    durable_seq: i64,
    growth: snapshot::Growth,
    /// Who changed what, up to `seq`.
    authorship: authorship::Authorship,
    publishing: Option<publish::Publishing>,

    sessions: HashMap<SessionId, Session>,
    long_turns: LongTurns,
    awaiting_commit: Vec<edit::AwaitingCommit>,
    doubts: doubt::Doubts,
    asked: ask::Asked,
    /// A page begins at what something was found about.
    feed: Feed<Subject>,
    latest_run: Option<Value>,
    /// The workflow's, which conditions can name.
    parameters: Map<String, Value>,
    derived: derived::Derived,

    alarm: Alarm,
    next_sweep: Instant,
    idle_since: Option<Instant>,
    footprint: Footprint,
    /// Set while it stops: nothing new is let in.
    closing: bool,
}

impl Actor for Workflow {
    type Msg = WorkflowMsg;
    type State = WorkflowState;
    type Arguments = WorkflowArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<WorkflowMsg>,
        args: WorkflowArgs,
    ) -> Result<WorkflowState, ActorProcessingErr> {
        Ok(load::load(self.context.clone(), myself, args).await?)
    }

    async fn handle(
        &self,
        _: ActorRef<WorkflowMsg>,
        message: WorkflowMsg,
        state: &mut WorkflowState,
    ) -> Result<(), ActorProcessingErr> {
        let (begun, kind) = (Instant::now(), message.kind());
        if state.may_take_long(&message) { task::long(|| state.handle(message)) } else { state.handle(message) }?;
        state.note_time(kind, begun.elapsed());
        state.stop_when_done();
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<WorkflowMsg>,
        _: SupervisionEvent,
        _: &mut WorkflowState,
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<WorkflowMsg>, state: &mut WorkflowState) -> Result<(), ActorProcessingErr> {
        state.lease.release().await;
        Ok(())
    }
}

/// Whoever is left when the actor is gone, for whatever reason, comes back to its successor.
impl Drop for WorkflowState {
    fn drop(&mut self) {
        self.disconnect(&Close::restarting());
    }
}

/// Answers a call. Whoever asked may have given up; that is not our failure.
pub(crate) fn answer<T: Send + 'static>(reply: RpcReplyPort<T>, value: T) {
    let _ = reply.send(value);
}

impl WorkflowState {
    /// Whether a message may keep its thread busy for milliseconds.
    fn may_take_long(&self, message: &WorkflowMsg) -> bool {
        match message {
            WorkflowMsg::Frame { turn, .. } => turn.is_some(),
            WorkflowMsg::Ask(..)
            | WorkflowMsg::AnswerNext(_)
            | WorkflowMsg::MayAnalyse(_)
            | WorkflowMsg::Analysed { .. } => self.is_large(),
            _ => false,
        }
    }

    fn note_time(&self, kind: &'static str, took: Duration) {
        if took < LONG_TURN_MIN {
            return;
        }
        metrics::histogram!("troupe_canvas_long_turn_duration_seconds").record(took);
        if took > SLOW_TURN {
            let (took_ms, items) = (took.as_millis() as u64, self.canvas.items());
            tracing::info!(workflow.id = %self.workflow, took_ms, items, bytes = self.canvas.size_bytes(), kind, "a slow turn");
        }
    }

    /// Whether it takes milliseconds to walk through the whole document.
    fn is_large(&self) -> bool {
        self.canvas.size_bytes() > LARGE_CANVAS_BYTES_MIN
    }

    fn handle(&mut self, message: WorkflowMsg) -> Result<(), ActorProcessingErr> {
        match message {
            WorkflowMsg::Ask(by, ask) => self.take_ask(by, ask)?,
            WorkflowMsg::AnswerNext(turn) => {
                self.answer_next()?;
                drop(turn);
            }
            WorkflowMsg::Leave(session) => self.leave(session),
            WorkflowMsg::Member { session, user, access } => self.change_member(session, user, access),
            WorkflowMsg::Frame { session, frame, credit, turn } => {
                self.receive(session, &frame, credit)?;
                drop(turn);
            }
            WorkflowMsg::Drained(session) => self.drained(session),
            WorkflowMsg::GoOn(outbox) => self.go_on(&outbox),
            WorkflowMsg::Unwatch(outbox) => self.feed.unwatch(&outbox),
            WorkflowMsg::Published(version) => self.published(version),
            WorkflowMsg::Updated(row) => self.updated(row),
            WorkflowMsg::RunChanged { kind, view } => self.run_changed(kind, view),
            WorkflowMsg::Committed { seq } => self.committed(seq),
            WorkflowMsg::LeaseLost => self.lease_lost(),
            WorkflowMsg::NotTaken => return Err("the store does not take what was written on this canvas".into()),
            WorkflowMsg::LeaseConfirmed => {
                for (by, ask) in self.confirmed() {
                    self.take_ask(by, ask)?;
                }
            }
            WorkflowMsg::MayAnalyse(turn) => self.analyse(turn)?,
            WorkflowMsg::Analysed { revision, found } => self.analysed(revision, found),
            WorkflowMsg::Compacted(compacted) => self.compacted(compacted),
            WorkflowMsg::Wake => self.wake()?,
            WorkflowMsg::Close(close) => {
                self.growth.give_up_rebuild();
                self.close(&close);
            }
        }
        Ok(())
    }

    /// Which rebuild of the document this is; clients with a copy of another one have to load it again.
    fn document_epoch(&self) -> u64 {
        self.canvas.epoch().number.unsigned_abs()
    }

    /// Numbers an integrated update, sends it to all sessions but its author's, and hands it to the journal.
    fn integrated(
        &mut self,
        update: Vec<u8>,
        author: Option<SessionId>,
        user: Option<UserId>,
    ) -> Result<(), ActorProcessingErr> {
        self.growth.grew(update.len());
        self.footprint.resize(self.canvas.size_bytes(), self.canvas.items());
        let at = self.context.clock.now();
        let frame = Bytes::from(troupe_crdt::wire::update(&update));
        self.journal(Bytes::from(update), user, at)?;
        self.note_authors(user, at);
        self.broadcast(&frame, author);
        self.derived.changed(&self.alarm);
        Ok(())
    }

    /// In parts when it is large: they follow one another in the log.
    fn journal(&mut self, update: Bytes, user: Option<UserId>, at: Timestamp) -> Result<(), ActorProcessingErr> {
        let parts = update.len().div_ceil(PART_BYTES).max(1);
        for number in 0..parts {
            self.seq += 1;
            self.journal.cast(JournalMsg::Append(Entry {
                tenant: self.tenant,
                workflow: self.workflow,
                epoch: self.lease.epoch(),
                seq: self.seq,
                user,
                at,
                bytes: update.slice(number * PART_BYTES..update.len().min((number + 1) * PART_BYTES)),
                part: Part { number: number as i64, of: parts as i64 },
                owner: self.myself.clone(),
            }))?;
        }
        Ok(())
    }

    /// Whoever touched something since this was last called.
    fn note_authors(&mut self, user: Option<UserId>, at: Timestamp) {
        let touched = self.canvas.take_touched();
        if let Some(publishing) = &mut self.publishing {
            publishing.authorship.note(user, at, touched.clone());
        }
        self.authorship.note(user, at, touched);
    }

    fn committed(&mut self, seq: i64) {
        self.durable_seq = self.durable_seq.max(seq);
        for session in self.sessions.values_mut() {
            session.acknowledge(seq);
        }
        self.answer_committed();
        self.store_version_when_ready();
        self.compact_if_due();
    }

    /// Another server owns this workflow now: nothing that is written here would land.
    fn lease_lost(&mut self) {
        tracing::warn!(workflow.id = %self.workflow, epoch = self.lease.epoch(), "the workflow's lease was lost");
        self.disconnect(&Close::new(1012, "this workflow moved to another server; reconnect"));
        self.awaiting_commit.clear();
        self.forget_doubts();
        self.durable_seq = self.seq;
        self.growth.give_up_rebuild();
        self.closing = true;
    }

    /// The document in memory cannot be trusted any more: everybody comes back to what the store holds.
    fn reload(&mut self) {
        tracing::error!(workflow.id = %self.workflow, "the canvas has to be loaded again");
        self.close(&Close::restarting());
    }

    /// Hands out what the document needs to be whole again [CANVAS-9].
    fn repair(&mut self) -> Result<(), ActorProcessingErr> {
        match self.canvas.repair() {
            Some(repair) => self.integrated(repair, None, None),
            None => Ok(()),
        }
    }

    fn close(&mut self, close: &Close) {
        self.disconnect(close);
        self.closing = true;
    }

    fn disconnect(&mut self, close: &Close) {
        metrics::gauge!("troupe_canvas_sessions").decrement(self.sessions.len() as f64);
        for (_, session) in self.sessions.drain() {
            session.outbox.close(close.clone());
        }
        self.feed.close(close);
        self.publishing = None;
        self.derived.give_up();
    }

    fn watch(&mut self, outbox: Outbox, last_seq: Option<i64>) {
        let myself = self.myself.clone();
        // A workflow that has stopped has nothing to show.
        let go_on = move |outbox| drop(myself.cast(WorkflowMsg::GoOn(outbox)));
        self.feed.watch(outbox.clone(), last_seq, go_on);
        self.go_on(&outbox);
        self.derived.wanted(&self.alarm);
    }

    fn updated(&mut self, row: Value) {
        if let Some(parameters) = row["parameters"].as_object().filter(|parameters| **parameters != self.parameters) {
            self.parameters = parameters.clone();
            self.derived.changed(&self.alarm);
        }
        // Whoever is told nothing of a large one reads it.
        let told = if parts::fits(&row) { row } else { serde_json::json!({}) };
        self.publish("workflow_update", &told);
    }

    fn run_changed(&mut self, kind: &'static str, view: Value) {
        let run = view["id"].as_str().and_then(|id| id.parse().ok());
        self.latest_run = Some(view.clone());
        let event = Event::new(kind, self.context.clock.now(), &serde_json::json!({ "run": view }));
        self.feed.publish(event.of_run(run));
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

    fn publish(&mut self, kind: &'static str, data: &impl Serialize) {
        self.feed.publish(Event::new(kind, self.context.clock.now(), data));
    }

    fn wake(&mut self) -> Result<(), ActorProcessingErr> {
        let now = Instant::now();
        if !self.closing {
            self.derive_if_due(now);
        }
        if now >= self.next_sweep {
            self.next_sweep = now + SWEEP_EVERY;
            self.sweep(now);
        }
        self.tell_awareness();
        self.tell_presence_if_due(now);
        self.answer_questions();
        self.see_to_asks();
        if !self.sessions.is_empty() || self.feed.is_watched() {
            self.idle_since = None;
            self.footprint.rest(false);
            self.alarm.at_latest(self.next_sweep);
        } else {
            let since = *self.idle_since.get_or_insert(now);
            self.footprint.rest(true);
            let has_room = self.footprint.may_stay();
            let may_stay = has_room || self.derived.is_waited_for() || self.asked.is_waited_for();
            let unload_at = if may_stay { since + self.context.limits.unload_after } else { now };
            // A compaction that waits for others is left to whoever opens the canvas next, when there is no room.
            let is_kept = has_room && self.growth.is_busy();
            self.alarm.at_latest(unload_at);
            if now >= unload_at && !self.closing && !is_kept {
                self.rebuild_while_idle();
                self.closing = true;
            }
        }
        self.compact_if_due();
        Ok(())
    }

    fn stop_when_done(&mut self) {
        if self.closing && self.durable_seq >= self.seq && !self.is_rebuilding() {
            self.myself.stop(None);
        }
    }
}
