//! What the server computes from the canvas and pushes beside it: dependencies, order, schemas, diagnostics
//! [CANVAS-3, CANVAS-4, CANVAS-5]. Computed off the actor's thread, 100 ms after an edit, when it is the workflow's turn:
//! one at a time for a workflow, and few on the server.
//!
//! An analysis looks at the diagram as it is when its turn comes, and later edits do not end it: what it may take is
//! bounded, and somebody who types all the time shall see what is wrong. It ends early when the workflow is unloaded.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ractor::{ActorProcessingErr, RpcReplyPort};
use serde_json::json;
use tokio::time::Instant;
use troupe_engine::{
    Fuel,
    analysis::{Analysis, Analyst},
};
use troupe_model::Subject;

use super::{
    Found, WorkflowMsg, WorkflowState, answer,
    found::{self, Findings},
};
use crate::{
    alarm::Alarm,
    live::feed::{Event, Page, Shown},
    task,
    turns::{TenantTurns, Turn},
};

const DEBOUNCE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Derived {
    /// Locked only by the one analysis that runs.
    analyst: Arc<Mutex<Analyst>>,
    turns: TenantTurns,
    /// Counts the changes of what is analysed: of the document, and of the parameters.
    version: u64,
    latest: Option<Latest>,
    due: Option<Instant>,
    progress: Progress,
    /// Who waits for an analysis of that version.
    waiting: Vec<(u64, RpcReplyPort<Arc<Analysis>>)>,
}

/// What was found last.
#[derive(Debug)]
struct Latest {
    version: u64,
    /// That it was made from.
    revision: i64,
    analysis: Arc<Analysis>,
    findings: Arc<Findings>,
}

/// How far the next analysis is.
#[derive(Debug, Default)]
enum Progress {
    #[default]
    None,
    Queued {
        _task: task::Owned,
    },
    Running(Running),
}

#[derive(Debug)]
struct Running {
    version: u64,
    fuel: Fuel,
    _task: task::Owned,
}

/// Nobody waits for it any more. A thread is not aborted: it ends by itself when it is to pay for more.
impl Drop for Running {
    fn drop(&mut self) {
        self.fuel.cancel();
    }
}

impl Derived {
    pub(super) fn new(analyst: Analyst, turns: TenantTurns) -> Self {
        Self {
            analyst: Arc::new(Mutex::new(analyst)),
            turns,
            version: 0,
            latest: None,
            due: None,
            progress: Progress::None,
            waiting: Vec::new(),
        }
    }

    /// The document changed, or the workflow's parameters.
    pub(super) fn changed(&mut self, alarm: &Alarm) {
        self.version += 1;
        let due = *self.due.get_or_insert_with(|| Instant::now() + DEBOUNCE);
        alarm.at_latest(due);
    }

    /// Somebody wants to see it and there is none yet.
    pub(super) fn wanted(&mut self, alarm: &Alarm) {
        if self.latest.is_none() && self.is_idle() {
            let due = Instant::now();
            self.due = Some(due);
            alarm.at_latest(due);
        }
    }

    /// The workflow stops: nobody waits for what is computed.
    pub(super) fn give_up(&mut self) {
        self.progress = Progress::None;
    }

    /// Somebody waits for an analysis.
    pub(super) fn is_waited_for(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn is_idle(&self) -> bool {
        matches!(self.progress, Progress::None)
    }
}

impl WorkflowState {
    pub(super) fn analysis(&mut self, reply: RpcReplyPort<Arc<Analysis>>) {
        match &self.derived.latest {
            Some(latest) if latest.version == self.derived.version => answer(reply, latest.analysis.clone()),
            _ => {
                self.derived.waiting.push((self.derived.version, reply));
                self.derived.due = Some(Instant::now());
                self.alarm.at_latest(Instant::now());
            }
        }
    }

    /// Waits for the workflow's turn when an analysis is due and none is under way.
    pub(super) fn derive_if_due(&mut self, now: Instant) {
        let Some(due) = self.derived.due.filter(|_| self.derived.is_idle()) else { return };
        if due > now {
            return self.alarm.at_latest(due);
        }
        let (myself, turn) = (self.myself.clone(), self.derived.turns.clone().next());
        let task = task::spawn_owned("analysis-turn", async move {
            // A workflow that has stopped leaves its turn to the next.
            let _ = myself.cast(WorkflowMsg::MayAnalyse(turn.await));
        });
        self.derived.progress = Progress::Queued { _task: task };
    }

    /// Repairs the document [CANVAS-9], and analyses it as it is now.
    pub(super) fn analyse(&mut self, turn: Turn) -> Result<(), ActorProcessingErr> {
        if self.closing {
            return Ok(());
        }
        self.repair()?;
        self.derived.due = None;
        let (diagram, revision) = (self.canvas.project_graph(), self.seq);
        let (analyst, parameters) = (self.derived.analyst.clone(), self.parameters.clone());
        let fuel = Fuel::new(self.context.limits.analysis_fuel_max);
        let supply = fuel.clone();
        let before = self.derived.latest.as_ref().map(|latest| latest.findings.clone()).unwrap_or_default();
        let analyse = move || {
            let _until_it_ends = turn;
            let mut analyst = analyst.lock().unwrap_or_else(PoisonError::into_inner);
            Found::after(&before, analyst.analyse(&diagram, &parameters, &supply), revision)
        };
        let myself = self.myself.clone();
        let task = task::spawn_owned("analysis", async move {
            let found = tokio::task::spawn_blocking(analyse)
                .await
                .inspect_err(|error| tracing::error!(%error, "the analysis of a workflow failed"));
            // A workflow that has stopped needs no diagnostics.
            let _ = myself.cast(WorkflowMsg::Analysed { revision, found: found.ok() });
        });
        self.derived.progress = Progress::Running(Running { version: self.derived.version, fuel, _task: task });
        Ok(())
    }

    /// `None`: it failed. Whoever waits for it is told so; the next edit is analysed again.
    pub(super) fn analysed(&mut self, revision: i64, found: Option<Found>) {
        let Progress::Running(running) = std::mem::take(&mut self.derived.progress) else { return };
        let version = running.version;
        if self.derived.due.is_some() {
            self.alarm.at_latest(Instant::now());
        }
        let waiting = self.derived.waiting.extract_if(.., |(wanted, _)| *wanted <= version);
        let Some(Found { analysis, findings, changes }) = found else { return waiting.for_each(drop) };
        for (_, reply) in waiting {
            answer(reply, analysis.clone());
        }
        self.derived.latest = Some(Latest { version, revision, analysis, findings });
        self.feed.forget_pages();
        for change in changes {
            self.feed.publish(Event::raw("diagnostics", self.context.clock.now(), change));
        }
    }

    /// What a watcher of the workflow is shown: what there is beside the canvas, and all that was found, in parts.
    pub(super) fn page(&self, from: &Shown<Subject>) -> Page<Subject> {
        let (at, mut events) = (self.context.clock.now(), Vec::new());
        let latest = self.derived.latest.as_ref().filter(|latest| !latest.findings.is_empty());
        let from = match from {
            Shown::Nothing => {
                let (run, presence) = (&self.latest_run, self.presence());
                let data = json!({ "latest_run": run, "presence": presence, "more": latest.is_some() });
                events.push(Event::new("workflow_snapshot", at, &data));
                None
            }
            Shown::Before(subject) => Some(subject),
        };
        let next = latest.and_then(|latest| {
            let (change, next) = found::page(&latest.findings, latest.revision, from);
            events.push(Event::raw("diagnostics", at, change));
            next
        });
        Page { events, next }
    }
}
