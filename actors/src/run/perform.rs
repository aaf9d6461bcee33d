//! Performing what the machine decided: starting nodes, canceling them, timers, the end.

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use troupe_engine::{
    node::{Progress, RunContext},
    run::Effect,
};
use troupe_model::{NodeStatus, RunEventKind, Timestamp};

use super::{RunState, TICK};
use crate::node::{Node, NodeArgs};

/// A node that executes now.
#[derive(Debug)]
pub(super) struct LiveNode {
    pub(super) cancel: CancellationToken,
    pub(super) progress: Progress,
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
        let live = LiveNode { cancel: CancellationToken::new(), progress: Progress::default() };
        let work = self.work(index, attempt, &live);
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

    fn work(&self, index: usize, attempt: u32, live: &LiveNode) -> RunContext {
        let node = self.plan.node(index);
        RunContext {
            run: self.row.id,
            node: node.id.to_string(),
            attempt,
            idempotency_key: format!("{}:{}", self.row.id, node.id),
            config: node.config.clone(),
            parameters: self.row.parameters.clone(),
            inputs: self.machine.inputs_of(index),
            payloads: self.context.payloads(self.tenant, self.row.id),
            files: self.context.files(self.tenant),
            egress: self.context.egress.clone(),
            now: self.context.clock.now(),
            cancel: live.cancel.clone(),
            progress: live.progress.clone(),
            log: self.logs.logger(&node.id),
        }
    }

    /// The node's code has ended: the machine hears how.
    pub(super) fn node_ended(&mut self, index: usize, report: RunEventKind) {
        if self.live.remove(&index).is_none() {
            return;
        }
        self.actors.retain(|_, live| *live != index);
        self.decide(report);
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
            if decision.events.is_empty() && self.machine.node_status(node) == NodeStatus::WaitingInput {
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
