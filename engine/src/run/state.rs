//! The state of a run, as a function of its journal. [`State::apply`] is the only thing that changes it, so that a live
//! run and its replay cannot differ.

use std::collections::{BTreeMap, BTreeSet};

use troupe_model::{NodeFailure, NodeMetrics, NodeStatus, Output, Payload, RunEventKind, RunStatus, Timestamp};

use crate::plan::Plan;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    pub status: RunStatus,
    pub nodes: Vec<NodeState>,
    /// Why nothing starts any more.
    pub stop: Option<Stop>,
    /// May start, in topological order.
    pub ready: BTreeSet<usize>,
    /// All that feeds them is settled, and a required input got nothing.
    pub skippable: BTreeSet<usize>,
    /// Started and not ended.
    pub running: BTreeSet<usize>,
    /// Wait for a time.
    pub waiting: BTreeMap<usize, Wait>,
    /// Nodes that may still do something.
    pub unsettled: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct NodeState {
    pub status: NodeStatus,
    pub attempt: u32,
    /// Entering wires whose source is not settled.
    pub open_wires: usize,
    pub outputs: Vec<Output>,
    pub failure: Option<NodeFailure>,
}

/// What a node completes with when its time has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wait {
    pub until: Timestamp,
    pub outputs: Vec<Output>,
    pub metrics: NodeMetrics,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// This node failed.
    Failed(usize),
    Canceled,
}

impl State {
    pub fn new(plan: &Plan) -> Self {
        let nodes: Vec<_> = plan
            .nodes()
            .iter()
            .map(|node| NodeState {
                status: NodeStatus::Pending,
                attempt: 0,
                open_wires: node.inputs.iter().map(|input| input.sources.len()).sum(),
                outputs: Vec::new(),
                failure: None,
            })
            .collect();
        let ready = (0..nodes.len()).filter(|&node| nodes[node].open_wires == 0).collect();
        Self {
            status: RunStatus::New,
            unsettled: nodes.len(),
            nodes,
            stop: None,
            ready,
            skippable: BTreeSet::new(),
            running: BTreeSet::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// Whether an event from outside tells something new.
    pub fn accepts(&self, plan: &Plan, event: &RunEventKind) -> bool {
        use RunEventKind as E;
        let runs = |node: &str| plan.place(node).is_some_and(|node| self.running.contains(&node));
        match event {
            E::RunStarted => self.status == RunStatus::New,
            E::NodeCompleted { node, .. }
            | E::NodeFailed { node, .. }
            | E::NodeWaiting { node, .. }
            | E::NodeCanceled { node } => runs(node),
            E::CancelRequested { .. } => !self.status.is_final() && self.stop.is_none(),
            E::RunPaused => self.status == RunStatus::Running && self.stop.is_none(),
            E::RunResumed => self.status == RunStatus::Paused,
            _ => false,
        }
    }

    pub fn apply(&mut self, plan: &Plan, event: &RunEventKind) {
        use RunEventKind as E;
        match event {
            E::RunStarted | E::RunResumed => self.status = RunStatus::Running,
            E::RunPaused => self.status = RunStatus::Paused,
            E::RunCompleted => self.status = RunStatus::Success,
            E::RunFailed { .. } => self.status = RunStatus::Error,
            E::RunCanceled => self.status = RunStatus::Canceled,
            E::RunTimedOut => self.status = RunStatus::Timeout,
            E::CancelRequested { .. } => self.cancel(),
            _ => {
                if let Some(node) = event.node().and_then(|id| plan.place(id)) {
                    self.apply_to_node(plan, node, event);
                }
            }
        }
    }

    fn apply_to_node(&mut self, plan: &Plan, node: usize, event: &RunEventKind) {
        use RunEventKind as E;
        match event {
            E::NodeStarted { attempt, .. } => self.start(node, *attempt),
            E::NodeWaiting { until, outputs, metrics, .. } => {
                self.running.remove(&node);
                self.waiting.insert(node, Wait { until: *until, outputs: outputs.clone(), metrics: *metrics });
                self.nodes[node].status = NodeStatus::WaitingInput;
            }
            E::NodeCompleted { outputs, .. } => {
                self.nodes[node].outputs.clone_from(outputs);
                self.settle(plan, node, NodeStatus::Completed);
            }
            E::NodeFailed { failure, .. } => {
                self.nodes[node].failure = Some(failure.clone());
                self.stop.get_or_insert(Stop::Failed(node));
                self.settle(plan, node, NodeStatus::Failed);
            }
            E::NodeSkipped { .. } => self.settle(plan, node, NodeStatus::Skipped),
            E::NodeCanceled { .. } => {
                self.cancel();
                self.settle(plan, node, NodeStatus::Canceled);
            }
            _ => {}
        }
    }

    fn start(&mut self, node: usize, attempt: u32) {
        self.ready.remove(&node);
        self.running.insert(node);
        self.nodes[node].status = NodeStatus::Running;
        self.nodes[node].attempt = attempt;
    }

    fn cancel(&mut self) {
        self.stop.get_or_insert(Stop::Canceled);
    }

    /// The node does no more; those behind it may now be decided.
    fn settle(&mut self, plan: &Plan, node: usize, status: NodeStatus) {
        if self.nodes[node].status.is_final() {
            return;
        }
        self.nodes[node].status = status;
        self.ready.remove(&node);
        self.skippable.remove(&node);
        self.running.remove(&node);
        self.waiting.remove(&node);
        self.unsettled -= 1;
        for &target in &plan.node(node).targets {
            let open = &mut self.nodes[target].open_wires;
            *open = open.saturating_sub(1);
            if *open == 0 && self.nodes[target].status == NodeStatus::Pending {
                let takers = if self.is_reached(plan, target) { &mut self.ready } else { &mut self.skippable };
                takers.insert(target);
            }
        }
    }

    /// Whether something live enters the node, and enters each of its required inputs.
    fn is_reached(&self, plan: &Plan, node: usize) -> bool {
        let mut any = false;
        for input in &plan.node(node).inputs {
            let live = input.sources.iter().any(|source| self.payload(source.node, &source.port).is_some());
            if !live && !input.optional {
                return false;
            }
            any |= live;
        }
        any
    }

    /// What a node gave on a port.
    pub fn payload(&self, node: usize, port: &str) -> Option<&Payload> {
        self.nodes[node].outputs.iter().find(|output| output.port == port).map(|output| &output.payload)
    }

    /// Nodes that are not settled and do not execute.
    pub fn unstarted(&self) -> Vec<usize> {
        if self.unsettled == self.running.len() {
            return Vec::new();
        }
        let idle = |status| matches!(status, NodeStatus::Pending | NodeStatus::WaitingInput);
        (0..self.nodes.len()).filter(|&node| idle(self.nodes[node].status)).collect()
    }
}
