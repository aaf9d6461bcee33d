//! Random diagrams, random ends, random crashes.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use proptest::prelude::*;
use troupe_model::{Diagram, NodeFailure, NodeMetrics, NodeStatus, RunEventKind, RunStatus};

use super::world::{NOW, World, completed, edge, node, outputs, registry};
use crate::{
    plan::Plan,
    run::{Decision, Effect, MachineOptions, RunMachine},
};

/// What the world does to a run, one number a choice.
#[derive(Clone, Debug)]
struct Fate {
    nodes: usize,
    /// `(lower, higher, output)`; places are taken modulo what is there.
    edges: Vec<(usize, usize, bool)>,
    parallelism: usize,
    choices: Vec<u16>,
    failures: bool,
}

fn fate() -> impl Strategy<Value = Fate> {
    (1usize..14).prop_flat_map(|nodes| {
        let edges = prop::collection::vec((0..nodes, 0..nodes, any::<bool>()), 0..nodes * 2);
        let choices = prop::collection::vec(any::<u16>(), 1..120);
        (edges, 1usize..5, choices, any::<bool>()).prop_map(move |(edges, parallelism, choices, failures)| Fate {
            nodes,
            edges,
            parallelism,
            choices,
            failures,
        })
    })
}

impl Fate {
    fn plan(&self) -> Arc<Plan> {
        let id = |place: usize| format!("n{place:02}");
        let wires: BTreeSet<_> =
            self.edges.iter().filter(|(a, b, _)| a != b).map(|&(a, b, other)| (a.min(b), a.max(b), other)).collect();
        let port = |other: bool| if other { "other" } else { "out" };
        let edges = wires.iter().map(|&(from, to, other)| edge(&format!("{}.{} -> {}", id(from), port(other), id(to))));
        let diagram = Diagram {
            nodes: (0..self.nodes).map(|place| node(&id(place), "step")).collect(),
            edges: edges.collect(),
            ..Diagram::default()
        };
        Arc::new(Plan::build(&diagram, &registry()).expect("edges lead from lower to higher"))
    }
}

/// Plays a run to its end. At some steps the process crashes: only the journal remains, or a part of its last batch.
struct Play<'f> {
    fate: &'f Fate,
    world: World,
    next: usize,
    /// Nodes that execute in this process.
    executing: BTreeSet<usize>,
    timers: BTreeSet<usize>,
    finished: bool,
}

impl Play<'_> {
    /// When all choices are used up, nothing bad happens any more.
    fn choose(&mut self) -> u16 {
        const HARMLESS: u16 = 11;
        let choice = self.fate.choices.get(self.next).copied().unwrap_or(HARMLESS);
        self.next += 1;
        choice
    }

    fn perform(&mut self, decision: &Decision) {
        for effect in &decision.effects {
            match *effect {
                Effect::Start { node, attempt } => {
                    assert_eq!(attempt, 1);
                    assert!(self.executing.insert(node), "started while it executes");
                }
                Effect::Cancel { node } => assert!(self.executing.contains(&node)),
                Effect::ArmTimer { node, .. } => assert!(self.timers.insert(node)),
                Effect::Finish(status) => {
                    assert!(status.is_final() && !self.finished);
                    self.finished = true;
                }
            }
        }
        assert!(self.executing.len() <= self.fate.parallelism);
    }

    fn tell(&mut self, event: RunEventKind) {
        let decision = self.world.tell(event);
        self.perform(&decision);
    }

    /// The process is killed and comes back. `lost`: how many events of the last batch were not journaled.
    fn crash(&mut self, last_batch: usize, lost: usize) {
        let keep = self.world.journal.len() - lost.min(last_batch);
        self.world.journal.truncate(keep);
        let plan = Arc::clone(self.world.machine.plan());
        let mut machine = RunMachine::new(plan, MachineOptions { parallelism: self.fate.parallelism });
        machine.replay(self.world.journal.clone());
        if lost == 0 {
            assert_eq!(machine.state, self.world.machine.state, "replay equals live");
        }
        self.world.machine = machine;
        (self.executing, self.timers, self.finished) = Default::default();
        if self.world.machine.status() == RunStatus::New {
            return self.tell(RunEventKind::RunStarted);
        }
        let decision = self.world.machine.resume();
        self.world.journal.extend(decision.events.iter().cloned());
        self.perform(&decision);
    }

    fn step(&mut self) {
        let before = self.world.journal.len();
        match self.choose() % 40 {
            0 if self.fate.failures => self.tell(RunEventKind::CancelRequested { by: None }),
            1 => self.tell(RunEventKind::RunPaused),
            _ => self.report(),
        }
        let choice = self.choose();
        if choice.is_multiple_of(5) {
            self.crash(self.world.journal.len() - before, usize::from(choice / 5 % 4));
        }
    }

    /// Some node that executes or waits ends, one way or another.
    fn report(&mut self) {
        let open: Vec<_> = self.executing.iter().chain(&self.timers).copied().collect();
        if open.is_empty() {
            return self.tell(RunEventKind::RunResumed);
        }
        let node = open[usize::from(self.choose()) % open.len()];
        if self.timers.remove(&node) {
            let decision = self.world.machine.wake(node, NOW.after(Duration::from_secs(1)));
            self.world.journal.extend(decision.events.iter().cloned());
            return self.perform(&decision);
        }
        self.executing.remove(&node);
        let id = self.world.machine.plan().node(node).id.to_string();
        let metrics = NodeMetrics::default();
        let report = match self.choose() % 16 {
            0 if self.fate.failures => {
                RunEventKind::NodeFailed { node: id, failure: NodeFailure::new("broken", "it broke"), metrics }
            }
            1 | 2 => RunEventKind::NodeWaiting {
                node: id,
                until: NOW.after(Duration::from_secs(1)),
                outputs: outputs(&["out", "other"]),
                metrics,
            },
            3..6 => completed(&id, &["other"]),
            6..9 => completed(&id, &["out"]),
            _ if self.world.machine.is_stopping() => RunEventKind::NodeCanceled { node: id },
            _ => completed(&id, &["out", "other"]),
        };
        self.tell(report);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// [RUN-3] Whenever the process dies, the run goes on from its journal, ends, and no completed node starts again.
    #[test]
    fn a_run_survives_any_crash(fate in fate()) {
        let world = World::new(fate.plan(), fate.parallelism);
        let (executing, timers) = Default::default();
        let mut play = Play { fate: &fate, world, next: 0, executing, timers, finished: false };
        play.tell(RunEventKind::RunStarted);
        let mut steps = 0;
        while !play.finished {
            play.step();
            steps += 1;
            prop_assert!(steps < 5_000, "the run does not end: {:?}", play.world.journal);
        }
        judge(&play.world, fate.failures)?;
    }
}

fn judge(world: &World, failures: bool) -> Result<(), TestCaseError> {
    let machine = &world.machine;
    let mut started = BTreeSet::new();
    let mut ended = BTreeSet::new();
    for event in &world.journal {
        let Some(node) = event.node() else { continue };
        match event {
            RunEventKind::NodeStarted { .. } => prop_assert!(started.insert(node), "{node} started twice"),
            RunEventKind::NodeWaiting { .. } => prop_assert!(started.contains(node)),
            RunEventKind::NodeCompleted { .. } | RunEventKind::NodeFailed { .. } => {
                prop_assert!(started.contains(node));
                prop_assert!(ended.insert(node), "{node} ended twice");
            }
            _ => prop_assert!(ended.insert(node), "{node} ended twice"),
        }
    }
    prop_assert!(machine.status().is_final());
    prop_assert_eq!(ended.len(), machine.plan().len(), "every node has ended");
    let last = world.journal.last().map(RunEventKind::name);
    prop_assert!(matches!(last, Some("run_completed" | "run_failed" | "run_canceled")));
    if !failures {
        prop_assert_eq!(machine.status(), RunStatus::Success);
    }
    // A node ran exactly when something live reached it.
    if machine.status() == RunStatus::Success {
        for (place, node) in machine.plan().nodes().iter().enumerate() {
            let reached = node.inputs.is_empty() || machine.inputs_of(place).values().any(|live| !live.is_empty());
            prop_assert_eq!(machine.node_status(place) == NodeStatus::Completed, reached);
        }
    }
    Ok(())
}
