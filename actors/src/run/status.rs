//! The status stream [RUN-6]: every 100 ms one delta of what changed; no change, no frame.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
};

use serde_json::value::RawValue;
use tokio::time::Instant;
use troupe_model::RunStatus;

use super::{RunState, TICK};
use crate::{
    live::{
        feed::{Event, Page, Shown},
        parts::{self, Part},
    },
    view::{self, NodeState, RunSnapshot, StatusChange},
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
        let (now, mut status) = (self.context.clock.now(), run_changed.then_some(self.row.status));
        let mut changed = changed.into_iter().peekable();
        while status.is_some() || changed.peek().is_some() {
            let (nodes, _) = self.states(&mut changed);
            let event = Event::new("run_status", now, &StatusChange { nodes, status: status.take(), more: None });
            self.feed.publish(event);
        }
        true
    }

    /// The run, and its nodes so far as a message holds them; the others follow as changes.
    pub(super) fn page(&self, from: &Shown<usize>) -> Page<usize> {
        let first = match from {
            Shown::Nothing => 0,
            Shown::Before(place) => *place,
        };
        let (nodes, next) = self.states(&mut (first..self.plan.len()).peekable());
        let (at, more) = (self.context.clock.now(), next.is_some());
        let event = match from {
            Shown::Nothing => Event::new("run_snapshot", at, &RunSnapshot { run: view::run(&self.row), nodes, more }),
            Shown::Before(_) => Event::new("run_status", at, &StatusChange { nodes, status: None, more: Some(more) }),
        };
        Page { events: vec![event], next }
    }

    /// So many as a message holds, and the first of the others.
    fn states(&self, places: &mut Peekable<impl Iterator<Item = usize>>) -> (Part<'_>, Option<usize>) {
        let state = |place: usize| (place, parts::raw(&self.state_of(place)));
        let mut states = places.map(state).peekable();
        let taken = parts::take(&mut states, |(_, state): &(usize, Box<RawValue>)| state.get().len());
        let next = states.next().map(|(place, _)| place);
        (taken.into_iter().map(|(place, state)| (&*self.plan.node(place).id, state)).collect(), next)
    }

    fn state_of(&self, place: usize) -> NodeState<'_> {
        let progress = self.live.get(&place).map(|node| node.progress.view()).unwrap_or_default();
        NodeState::of(&self.nodes[place], Some(place), progress)
    }
}
