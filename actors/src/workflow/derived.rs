//! What the server computes from the canvas and pushes beside it: dependencies, order, schemas, diagnostics
//! [CANVAS-3, CANVAS-4, CANVAS-5]. Computed off the actor's turn, at most one at a time, 100 ms after an edit.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ractor::{ActorProcessingErr, RpcReplyPort};
use serde_json::{Value, json};
use tokio::time::Instant;
use troupe_engine::analysis::{Analysis, Analyst};

use super::{WorkflowMsg, WorkflowState, answer};
use crate::{alarm::Alarm, feed::Event, task};

const DEBOUNCE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Derived {
    /// Locked only by the one analysis that runs.
    analyst: Arc<Mutex<Analyst>>,
    /// Counts the changes of what is analysed: of the document, and of the parameters.
    version: u64,
    /// The latest, its version, and the revision it was made from.
    latest: Option<(u64, i64, Arc<Analysis>)>,
    due: Option<Instant>,
    running: Option<(u64, task::Owned)>,
    /// Who waits for an analysis of that version.
    waiting: Vec<(u64, RpcReplyPort<Arc<Analysis>>)>,
}

impl Derived {
    pub(super) fn new(analyst: Analyst) -> Self {
        Self {
            analyst: Arc::new(Mutex::new(analyst)),
            version: 0,
            latest: None,
            due: None,
            running: None,
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
        if self.latest.is_none() && self.running.is_none() {
            let due = Instant::now();
            self.due = Some(due);
            alarm.at_latest(due);
        }
    }
}

impl WorkflowState {
    pub(super) fn analysis(&mut self, reply: RpcReplyPort<Arc<Analysis>>) {
        match &self.derived.latest {
            Some((version, _, analysis)) if *version == self.derived.version => answer(reply, analysis.clone()),
            _ => {
                self.derived.waiting.push((self.derived.version, reply));
                self.derived.due = Some(Instant::now());
                self.alarm.at_latest(Instant::now());
            }
        }
    }

    /// Repairs the document [CANVAS-9] and starts an analysis when one is due and none runs.
    pub(super) fn derive_if_due(&mut self, now: Instant) -> Result<(), ActorProcessingErr> {
        match self.derived.due {
            Some(due) if due <= now && self.derived.running.is_none() => self.derived.due = None,
            Some(due) if self.derived.running.is_none() => {
                self.alarm.at_latest(due);
                return Ok(());
            }
            _ => return Ok(()),
        }
        self.repair()?;
        self.derived.due = None;
        let (diagram, revision) = (self.canvas.project(), self.seq);
        let (analyst, parameters) = (self.derived.analyst.clone(), self.parameters.clone());
        let analyse = move || analyst.lock().unwrap_or_else(PoisonError::into_inner).analyse(&diagram, &parameters);
        let myself = self.myself.clone();
        let task = task::spawn_owned("analysis", async move {
            let analysis = tokio::task::spawn_blocking(analyse)
                .await
                .inspect_err(|error| tracing::error!(%error, "the analysis of a workflow failed"));
            // A workflow that has stopped needs no diagnostics.
            let _ = myself.cast(WorkflowMsg::Analysed { revision, analysis: analysis.ok().map(Arc::new) });
        });
        self.derived.running = Some((self.derived.version, task));
        Ok(())
    }

    /// `None`: it failed. Whoever waits for it is told so; the next edit is analysed again.
    pub(super) fn analysed(&mut self, revision: i64, analysis: Option<Arc<Analysis>>) {
        let Some((version, _)) = self.derived.running.take() else { return };
        if self.derived.due.is_some() {
            self.alarm.at_latest(Instant::now());
        }
        let waiting = self.derived.waiting.extract_if(.., |(wanted, _)| *wanted <= version);
        let Some(analysis) = analysis else { return waiting.for_each(drop) };
        for (_, reply) in waiting {
            answer(reply, analysis.clone());
        }
        let unchanged = self.derived.latest.as_ref().is_some_and(|(.., latest)| **latest == *analysis);
        self.derived.latest = Some((version, revision, analysis));
        self.feed.forget_snapshot();
        if !unchanged {
            let data = self.analysis_json();
            self.publish("diagnostics", data);
        }
    }

    /// What a new watcher of the workflow is shown.
    pub(super) fn snapshot_event(&self) -> Event {
        let mut data = self.analysis_json();
        data["latest_run"] = self.latest_run.clone().unwrap_or(Value::Null);
        data["presence"] = self.presence();
        Event::new("workflow_snapshot", self.context.clock.now(), data)
    }

    fn analysis_json(&self) -> Value {
        let Some((_, revision, analysis)) = &self.derived.latest else {
            return json!({ "revision": null, "diagnostics": [], "schemas": {}, "dependencies": {}, "execution_order": [] });
        };
        json!({
            "revision": revision,
            "diagnostics": analysis.diagnostics,
            "schemas": analysis.schemas,
            "dependencies": analysis.dependencies,
            "execution_order": analysis.execution_order,
        })
    }
}
