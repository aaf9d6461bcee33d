//! Performs one run in this process: the machine decides, this does, and nothing is kept.

use std::sync::Arc;

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use troupe_engine::{
    Plan, RunMachine, egress::Egress, execute, files::Files, node::Logger, node::Progress, node::RunContext,
    payloads::Payloads, run::Decision, run::Effect, run::MachineOptions,
};
use troupe_model::{
    Clock, NodeFailure, NodeMetrics, NodeStatus, Output, RunEventKind, RunId, RunStatus, SystemClock, Timestamp,
};

use super::screen::Screen;

pub struct Headless {
    pub plan: Arc<Plan>,
    pub parameters: Map<String, Value>,
    pub payloads: Payloads,
    pub files: Files,
    pub egress: Egress,
}

/// How a run ended. Nodes are in the plan's order.
pub struct Ended {
    pub status: RunStatus,
    pub nodes: Vec<NodeEnd>,
}

#[derive(Clone, Debug)]
pub struct NodeEnd {
    pub status: NodeStatus,
    pub metrics: NodeMetrics,
    pub outputs: Vec<Output>,
    pub failure: Option<NodeFailure>,
}

enum Happened {
    Reported(RunEventKind),
    Rang(usize),
}

type Pending = FuturesUnordered<BoxFuture<'static, Happened>>;

struct Live<'a> {
    run: RunId,
    setup: Headless,
    machine: RunMachine,
    ends: Vec<(NodeMetrics, Option<NodeFailure>)>,
    cancels: Vec<CancellationToken>,
    pending: Pending,
    screen: &'a Screen,
}

impl Headless {
    pub async fn finish(self, screen: &Screen, cancel: CancellationToken) -> Ended {
        let parallelism = std::thread::available_parallelism().map_or(2, usize::from);
        let machine = RunMachine::new(self.plan.clone(), MachineOptions { parallelism });
        let nodes = self.plan.len();
        let live = Live {
            run: RunId::generate(),
            setup: self,
            machine,
            ends: vec![(NodeMetrics::default(), None); nodes],
            cancels: vec![CancellationToken::new(); nodes],
            pending: FuturesUnordered::new(),
            screen,
        };
        live.finish(cancel).await
    }
}

impl Live<'_> {
    async fn finish(mut self, cancel: CancellationToken) -> Ended {
        let mut decision = self.machine.decide(RunEventKind::RunStarted, now());
        let mut cancel_asked = false;
        loop {
            if let Some(status) = self.perform(decision) {
                return self.ended(status);
            }
            decision = tokio::select! {
                Some(happened) = self.pending.next() => match happened {
                    Happened::Reported(report) => self.machine.decide(report, now()),
                    Happened::Rang(node) => self.machine.wake(node, now()),
                },
                () = cancel.cancelled(), if !cancel_asked => {
                    cancel_asked = true;
                    self.machine.decide(RunEventKind::CancelRequested { by: None }, now())
                }
            };
        }
    }

    fn perform(&mut self, decision: Decision) -> Option<RunStatus> {
        for event in &decision.events {
            self.note(event);
        }
        let mut ended = None;
        for effect in decision.effects {
            match effect {
                Effect::Start { node, attempt } => self.start(node, attempt),
                Effect::Cancel { node } => self.cancels[node].cancel(),
                Effect::ArmTimer { node, due } => self.arm(node, due),
                Effect::Finish(status) => ended = Some(status),
            }
        }
        ended
    }

    fn note(&mut self, event: &RunEventKind) {
        let Some(node) = event.node().and_then(|id| self.setup.plan.place(id)) else { return };
        match event {
            RunEventKind::NodeCompleted { metrics, .. } | RunEventKind::NodeWaiting { metrics, .. } => {
                self.ends[node].0 = *metrics;
            }
            RunEventKind::NodeFailed { metrics, failure, .. } => self.ends[node] = (*metrics, Some(failure.clone())),
            _ => {}
        }
        self.screen.show(node, self.machine.node_status(node), self.ends[node].0);
    }

    fn start(&mut self, node: usize, attempt: u32) {
        let planned = self.setup.plan.node(node);
        let progress = Progress::default();
        self.screen.watch(node, progress.clone());
        let context = RunContext {
            run: self.run,
            node: planned.id.to_string(),
            attempt,
            idempotency_key: format!("{}/{}", self.run, planned.id),
            config: planned.config.clone(),
            parameters: self.setup.parameters.clone(),
            inputs: self.machine.inputs_of(node),
            payloads: self.setup.payloads.clone(),
            files: self.setup.files.clone(),
            egress: self.setup.egress.clone(),
            now: now(),
            cancel: self.cancels[node].clone(),
            progress,
            log: Logger::new(self.screen.log(&planned.label)),
        };
        let node_type = planned.node_type.clone();
        let work = async move { Happened::Reported(execute(node_type.as_ref(), context).await) };
        self.pending.push(work.boxed());
    }

    fn arm(&mut self, node: usize, due: Timestamp) {
        // One more, because both clocks count whole milliseconds.
        let wait = due.since(now()) + std::time::Duration::from_millis(1);
        self.pending.push(tokio::time::sleep(wait).map(move |()| Happened::Rang(node)).boxed());
    }

    fn ended(self, status: RunStatus) -> Ended {
        let ends = self.ends.into_iter().enumerate();
        let nodes = ends.map(|(node, (metrics, failure))| NodeEnd {
            status: self.machine.node_status(node),
            metrics,
            outputs: self.machine.outputs_of(node).to_vec(),
            failure,
        });
        Ended { status, nodes: nodes.collect() }
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}
