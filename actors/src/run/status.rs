//! The status stream [RUN-6]: every 100 ms one delta of what changed; no change, no frame.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::time::Instant;
use troupe_model::RunStatus;

use super::{RunState, TICK};
use crate::{
    feed::Event,
    view::{self, NodeState},
};

#[derive(Debug, Default)]
pub(super) struct StatusStream {
    changed: BTreeSet<usize>,
    /// The version of each executing node's progress that was last sent.
    seen: BTreeMap<usize, u64>,
    run_status: Option<RunStatus>,
    last_tick: Option<Instant>,
}

impl StatusStream {
    pub(super) fn changed(&mut self, place: usize) {
        self.changed.insert(place);
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.last_tick.is_none_or(|last| now >= last + TICK)
    }

    /// When the next frame may go out.
    pub(super) fn next_tick(&self, now: Instant) -> Instant {
        self.last_tick.map_or(now, |last| (last + TICK).max(now))
    }
}

impl RunState {
    /// Sends one delta if anything changed since the last. Tells whether it did.
    pub(super) fn publish_status(&mut self, now: Instant) -> bool {
        let mut changed = std::mem::take(&mut self.status.changed);
        self.status.seen.retain(|place, _| self.live.contains_key(place));
        for (&place, node) in &self.live {
            let version = node.progress.view().version;
            if self.status.seen.insert(place, version) != Some(version) && version > 0 {
                changed.insert(place);
            }
        }
        let run_changed = self.status.run_status != Some(self.row.status);
        if changed.is_empty() && !run_changed {
            return false;
        }
        self.status.last_tick = Some(now);
        self.status.run_status = Some(self.row.status);
        let mut data = json!({ "nodes": self.states(changed) });
        if run_changed {
            data["status"] = json!(self.row.status);
        }
        self.feed.publish(Event::new("run_status", self.context.clock.now(), data));
        true
    }

    /// The whole run, for a new watcher.
    pub(super) fn snapshot_event(&self) -> Event {
        let data = json!({ "run": view::run(&self.row), "nodes": self.states(0..self.plan.len()) });
        Event::new("run_snapshot", self.context.clock.now(), data)
    }

    fn states(&self, places: impl IntoIterator<Item = usize>) -> Value {
        let states: BTreeMap<&str, NodeState<'_>> =
            places.into_iter().map(|place| (&*self.plan.node(place).id, self.state_of(place))).collect();
        json!(states)
    }

    fn state_of(&self, place: usize) -> NodeState<'_> {
        let progress = self.live.get(&place).map(|node| node.progress.view()).unwrap_or_default();
        NodeState::of(&self.nodes[place], progress)
    }
}
