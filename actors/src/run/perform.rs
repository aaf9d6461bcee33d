//! Performing what the machine decided: starting nodes, canceling them, timers, the end.

use std::{collections::BTreeMap, time::Duration};

use ractor::{Actor, ActorProcessingErr};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use troupe_engine::{
    node::{Outcome, Progress, RunContext},
    run::Effect,
};
use troupe_model::{NodeMetrics, Output, Payload, RunEventKind, Timestamp};

use super::{RunState, TICK};
use crate::node::{Ended, Node, NodeArgs};

/// A node that executes now.
#[derive(Debug)]
pub(super) struct LiveNode {
    pub(super) cancel: CancellationToken,
    pub(super) progress: Progress,
    rows_in: u64,
}

impl RunState {
    pub(super) async fn perform(&mut self, effect: Effect) -> Result<(), ActorProcessingErr> {
        match effect {
            Effect::Start { node, attempt } => self.start_node(node, attempt).await?,
            Effect::Cancel { node } => {
                if let Some(live) = self.live.get(&node) {
                    live.cancel.cancel();
                }
            }
            Effect::ArmTimer { node, due } => self.arm_timer(node, due),
            Effect::Finish(status) => {
                tracing::info!(run.id = %self.row.id, tenant.id = %self.tenant, status = status.name(), "run ended");
                metrics::counter!("troupe_runs_finished_total", "status" => status.name()).increment(1);
                self.finished = true;
                self.tick(Instant::now());
            }
        }
        Ok(())
    }

    async fn start_node(&mut self, index: usize, attempt: u32) -> Result<(), ActorProcessingErr> {
        let plan = self.plan.clone();
        let node = plan.node(index);
        let inputs = self.machine.inputs_of(index);
        let live = LiveNode {
            cancel: CancellationToken::new(),
            progress: Progress::default(),
            rows_in: inputs.values().flatten().map(Payload::rows).sum(),
        };
        let work = self.work(index, attempt, inputs, &live);
        self.live.insert(index, live);
        let args = NodeArgs {
            index,
            node_type: node.node_type.clone(),
            work,
            slots: self.context.slots.clone(),
            run: self.myself.clone(),
        };
        let (actor, _) = Node::spawn_linked(None, Node, args, self.myself.get_cell()).await?;
        self.actors.insert(actor.get_id(), index);
        self.alarm.at_latest(self.status.next_tick(Instant::now()));
        Ok(())
    }

    fn work(
        &self,
        index: usize,
        attempt: u32,
        inputs: BTreeMap<String, Vec<Payload>>,
        live: &LiveNode,
    ) -> RunContext {
        let node = self.plan.node(index);
        RunContext {
            run: self.row.id,
            node: node.id.to_string(),
            attempt,
            idempotency_key: format!("{}:{}", self.row.id, node.id),
            config: node.config.clone(),
            parameters: self.row.parameters.clone(),
            inputs,
            payloads: self.context.payloads(self.tenant, self.row.id),
            files: self.context.files(self.tenant),
            egress: self.context.egress.clone(),
            now: self.context.clock.now(),
            cancel: live.cancel.clone(),
            progress: live.progress.clone(),
            log: self.logs.logger(&node.id),
        }
    }

    /// The node's code has ended: tells the machine how.
    pub(super) fn node_ended(&mut self, ended: Ended) {
        let Some(live) = self.live.remove(&ended.index) else { return };
        self.actors.retain(|_, index| *index != ended.index);
        let node = self.plan.node(ended.index).id.to_string();
        let metrics = |outputs: &[Output]| NodeMetrics {
            duration_ms: ended.duration_ms,
            rows_in: live.rows_in,
            rows_out: outputs.iter().map(|output| output.payload.rows()).sum(),
            bytes_out: outputs.iter().map(|output| frame_bytes(&output.payload)).sum(),
        };
        let kind = match ended.result {
            Ok(Outcome::Completed(outputs)) => {
                let metrics = metrics(&outputs);
                RunEventKind::NodeCompleted { node, outputs, metrics }
            }
            Ok(Outcome::WaitUntil(until, outputs)) => {
                let metrics = metrics(&outputs);
                RunEventKind::NodeWaiting { node, until, outputs, metrics }
            }
            Err(_) if ended.canceled => RunEventKind::NodeCanceled { node },
            Err(failure) => RunEventKind::NodeFailed { node, failure, metrics: metrics(&[]) },
        };
        self.decide(kind);
    }

    fn arm_timer(&mut self, node: usize, due: Timestamp) {
        let wait = due.since(self.context.clock.now());
        let at = Instant::now() + wait.min(Duration::from_secs(365 * 24 * 3600));
        self.timers.push((at, node));
        self.alarm.at_latest(at);
    }

    pub(super) fn fire_timers(&mut self, now: Instant) {
        let due: Vec<usize> = self.timers.extract_if(.., |(at, _)| *at <= now).map(|(_, node)| node).collect();
        for node in due {
            let decision = self.machine.wake(node, self.context.clock.now());
            if decision.events.is_empty() && self.machine.is_waiting(node) {
                // The clock of the wall is behind the one of the timer.
                self.timers.push((now + TICK, node));
            }
            self.carry_out(decision);
        }
        if let Some(next) = self.timers.iter().map(|(at, _)| *at).min() {
            self.alarm.at_latest(next);
        }
    }

    /// Publishes what changed, and goes on ticking while something executes.
    pub(super) fn tick(&mut self, now: Instant) {
        if !self.status.is_due(now) && !self.finished {
            self.alarm.at_latest(self.status.next_tick(now));
            return;
        }
        self.gather_logs();
        let changed = self.publish_status(now);
        if changed || !self.live.is_empty() {
            self.alarm.at_latest(now + TICK);
        }
        self.commit_next();
    }
}

fn frame_bytes(payload: &Payload) -> u64 {
    match payload {
        Payload::Frame { bytes, .. } => *bytes,
        Payload::Json { .. } | Payload::Signal => 0,
    }
}
