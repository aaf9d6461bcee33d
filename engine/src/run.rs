//! The machine that decides a run [RUN-3]: pure, without clock and without I/O.
//!
//! [`RunMachine::decide`] takes what happened and gives the events to journal, in one batch, and the effects to perform
//! after that. Replaying the journal gives the same machine; [`RunMachine::resume`] then goes on from there.
//!
//! A node is settled when it will do no more. It starts as soon as all that feeds it is settled and something live
//! reaches each of its required inputs; otherwise its branch was not taken and it is skipped [RUN-4]. The first failure
//! or a request to cancel stops the run: nothing starts any more, what runs is told to stop, and the run ends when
//! everything that ran has reported [RUN-9].

mod state;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use troupe_model::{NodeFailure, NodeStatus, Output, Payload, RunEventKind, RunStatus, Timestamp};

use self::state::{State, Stop};
use crate::plan::{Plan, PlanInput, PlanNode};

#[derive(Clone, Debug)]
pub struct RunMachine {
    plan: Arc<Plan>,
    options: MachineOptions,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineOptions {
    /// How many nodes of this run execute at once; at least one. A node that waits for a time does not count.
    pub parallelism: usize,
}

/// What follows from an event. Journal `events` in one batch; then perform `effects` in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// The given event and those that follow from it. Empty when the event came too late or twice: nothing happened.
    pub events: Vec<RunEventKind>,
    pub effects: Vec<Effect>,
}

/// What the run actor does. Nodes are places in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Execute the node, and give its report to [`RunMachine::decide`].
    Start { node: usize, attempt: u32 },
    /// Cancel the node's code. It still reports.
    Cancel { node: usize },
    /// Call [`RunMachine::wake`] at `due`.
    ArmTimer { node: usize, due: Timestamp },
    /// The run has ended.
    Finish(RunStatus),
}

impl RunMachine {
    pub fn new(plan: Arc<Plan>, options: MachineOptions) -> Self {
        let state = State::new(&plan);
        Self { plan, options, state }
    }

    /// Takes in what was journaled, in order.
    pub fn replay(&mut self, journal: impl IntoIterator<Item = RunEventKind>) {
        for event in journal {
            self.state.apply(&self.plan, &event);
        }
    }

    /// Goes on after [`Self::replay`]: what was executing when the process ended is started again with the same attempt,
    /// timers are armed again, and what the journal lacks is decided.
    pub fn resume(&mut self) -> Decision {
        let mut decision = Decision::default();
        if self.state.stop.is_some() {
            for node in self.state.running.clone() {
                self.record(RunEventKind::NodeCanceled { node: self.id(node) }, &mut decision);
            }
        }
        let running = self.state.running.iter();
        decision.effects.extend(running.map(|&node| Effect::Start { node, attempt: self.state.nodes[node].attempt }));
        let waiting = self.state.waiting.iter();
        decision.effects.extend(waiting.map(|(&node, wait)| Effect::ArmTimer { node, due: wait.until }));
        if self.status().is_final() {
            decision.effects.push(Effect::Finish(self.status()));
        } else if self.status() != RunStatus::New {
            self.follow(&mut decision);
        }
        decision
    }

    /// Decides what follows from an event. Given are: `RunStarted`, a node's report (`NodeCompleted`, `NodeFailed`,
    /// `NodeWaiting`, `NodeCanceled`), `CancelRequested`, `RunPaused`, `RunResumed`; all others the machine makes itself.
    pub fn decide(&mut self, event: RunEventKind, now: Timestamp) -> Decision {
        let mut decision = Decision::default();
        if !self.state.accepts(&self.plan, &event) {
            return decision;
        }
        let stopped_before = self.state.stop.is_some();
        let waits = match &event {
            RunEventKind::NodeWaiting { node, until, .. } => self.plan.place(node).map(|node| (node, *until)),
            _ => None,
        };
        self.record(event, &mut decision);
        if let Some((node, until)) = waits.filter(|_| self.state.stop.is_none()) {
            if until <= now {
                self.complete_waiting(node, &mut decision);
            } else {
                decision.effects.push(Effect::ArmTimer { node, due: until });
            }
        }
        if self.state.stop.is_some() && !stopped_before {
            decision.effects.extend(self.state.running.iter().map(|&node| Effect::Cancel { node }));
        }
        self.follow(&mut decision);
        decision
    }

    /// The timer of a waiting node rang: it completes with the outputs that it had ready.
    pub fn wake(&mut self, node: usize, now: Timestamp) -> Decision {
        let mut decision = Decision::default();
        if self.state.waiting.get(&node).is_some_and(|wait| wait.until <= now) {
            self.complete_waiting(node, &mut decision);
            self.follow(&mut decision);
        }
        decision
    }

    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    pub fn status(&self) -> RunStatus {
        self.state.status
    }

    pub fn node_status(&self, node: usize) -> NodeStatus {
        self.state.nodes[node].status
    }

    /// The attempt that was started last; 0 before the first.
    pub fn attempt(&self, node: usize) -> u32 {
        self.state.nodes[node].attempt
    }

    /// What a node gave; empty until it is completed.
    pub fn outputs_of(&self, node: usize) -> &[Output] {
        &self.state.nodes[node].outputs
    }

    /// Input port → its live payloads, in edge order.
    pub fn inputs_of(&self, node: usize) -> BTreeMap<String, Vec<Payload>> {
        let live = |input: &PlanInput| -> Vec<Payload> {
            let sources = input.sources.iter();
            sources.filter_map(|source| self.state.payload(source.node, &source.port).cloned()).collect()
        };
        self.plan.node(node).inputs.iter().map(|input| (input.port.clone(), live(input))).collect()
    }

    /// Whether the run is ending early: nothing starts any more.
    pub fn is_stopping(&self) -> bool {
        self.state.stop.is_some()
    }

    fn record(&mut self, event: RunEventKind, decision: &mut Decision) {
        self.state.apply(&self.plan, &event);
        decision.events.push(event);
    }

    fn complete_waiting(&mut self, node: usize, decision: &mut Decision) {
        let Some(wait) = self.state.waiting.get(&node).cloned() else { return };
        let id = self.id(node);
        self.record(RunEventKind::NodeCompleted { node: id, outputs: wait.outputs, metrics: wait.metrics }, decision);
    }

    /// Derives all that the state calls for.
    fn follow(&mut self, decision: &mut Decision) {
        if self.state.status.is_final() || self.state.status == RunStatus::New {
            return;
        }
        match self.state.stop.clone() {
            Some(stop) => self.follow_stop(stop, decision),
            None => self.follow_progress(decision),
        }
    }

    fn follow_progress(&mut self, decision: &mut Decision) {
        while let Some(&node) = self.state.skippable.first() {
            self.record(RunEventKind::NodeSkipped { node: self.id(node) }, decision);
        }
        while self.may_start()
            && let Some(&node) = self.state.ready.first()
        {
            let attempt = self.state.nodes[node].attempt + 1;
            self.record(RunEventKind::NodeStarted { node: self.id(node), attempt }, decision);
            decision.effects.push(Effect::Start { node, attempt });
        }
        if self.state.unsettled == 0 {
            self.finish(RunEventKind::RunCompleted, decision);
        }
    }

    fn follow_stop(&mut self, stop: Stop, decision: &mut Decision) {
        for node in self.state.unstarted() {
            self.record(RunEventKind::NodeCanceled { node: self.id(node) }, decision);
        }
        if self.state.unsettled == 0 {
            let end = match stop {
                Stop::Failed(node) => RunEventKind::RunFailed { failure: self.run_failure(node) },
                Stop::Canceled => RunEventKind::RunCanceled,
            };
            self.finish(end, decision);
        }
    }

    fn finish(&mut self, end: RunEventKind, decision: &mut Decision) {
        self.record(end, decision);
        decision.effects.push(Effect::Finish(self.state.status));
    }

    fn may_start(&self) -> bool {
        self.state.status == RunStatus::Running && self.state.running.len() < self.options.parallelism.max(1)
    }

    /// The failure of the run is that of the node which stopped it, with the node's name.
    fn run_failure(&self, node: usize) -> NodeFailure {
        let PlanNode { label, .. } = self.plan.node(node);
        match &self.state.nodes[node].failure {
            Some(failure) => NodeFailure { message: format!("{label}: {}", failure.message), ..failure.clone() },
            None => NodeFailure::new("node_failed", format!("{label} failed")),
        }
    }

    fn id(&self, node: usize) -> String {
        self.plan.node(node).id.to_string()
    }
}
