//! A numbered stream of events to the sessions that watch something: a workflow, a run, a run's log [WS-3].
//!
//! Owned by the actor that publishes, so it needs no lock and a snapshot taken in the actor's turn is exact.
//! Invariants: numbers grow by one; a frame is encoded once; the history is bounded in frames and bytes. Numbers
//! start at the time of the feed's creation, so that a number from before a restart is never mistaken for a new one.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use troupe_model::{RunId, TenantId, Timestamp, WorkflowId};

use crate::outbox::{Close, OutFrame, Outbox, Pushed, Topic};

const HISTORY_FRAMES_MAX: usize = 256;
const HISTORY_BYTES_MAX: usize = 256 * 1024;

/// What a session may subscribe to [WS-2].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    Workflow(WorkflowId),
    Run(RunId),
    RunLog(RunId),
}

impl Channel {
    /// Parses `workflow:{id}`, `run:{id}` and `run-log:{id}`.
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, id) = name.split_once(':')?;
        match kind {
            "workflow" => id.parse().ok().map(Self::Workflow),
            "run" => id.parse().ok().map(Self::Run),
            "run-log" => id.parse().ok().map(Self::RunLog),
            _ => None,
        }
    }
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Workflow(id) => write!(f, "workflow:{id}"),
            Self::Run(id) => write!(f, "run:{id}"),
            Self::RunLog(id) => write!(f, "run-log:{id}"),
        }
    }
}

/// One message of a channel, encoded at most once per encoding.
#[derive(Debug)]
pub struct EventFrame {
    /// `None`: it is kept for a slow reader whatever comes later.
    topic: Option<Topic>,
    json: Bytes,
    msgpack: OnceLock<Bytes>,
}

impl EventFrame {
    pub fn new(value: &Value) -> Self {
        Self::on(None, value)
    }

    pub(crate) fn on(topic: Option<Topic>, value: &Value) -> Self {
        Self { topic, json: Bytes::from(value.to_string()), msgpack: OnceLock::new() }
    }

    pub(crate) fn topic(&self) -> Option<&Topic> {
        self.topic.as_ref()
    }

    /// Read anew each time, since few need it: kept, it would take ten times the room of the message.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.json).expect("it was written from a value")
    }

    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// The message in another encoding, computed once by `encode`.
    pub fn msgpack(&self, encode: impl FnOnce(&Value) -> Vec<u8>) -> &Bytes {
        self.msgpack.get_or_init(|| Bytes::from(encode(&self.value())))
    }
}

/// What a message says, before the feed numbers it.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) kind: &'static str,
    pub(crate) at: Timestamp,
    pub(crate) run: Option<RunId>,
    pub(crate) node: Option<String>,
    pub(crate) data: Value,
}

impl Event {
    pub(crate) fn new(kind: &'static str, at: Timestamp, data: Value) -> Self {
        Self { kind, at, run: None, node: None, data }
    }

    /// What a later event makes superfluous for a reader that is slow.
    fn topic(&self, channel: Channel) -> Topic {
        match (self.kind, &self.node, self.run) {
            ("run_status", ..) => Topic::Status(channel),
            ("run_log", ..) => Topic::Lines(channel),
            (_, Some(node), _) => Topic::Latest(channel, format!("node {node}")),
            (_, _, Some(run)) => Topic::Latest(channel, format!("run {run}")),
            (kind, None, None) => Topic::Latest(channel, kind.to_owned()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Feed {
    channel: Channel,
    tenant: TenantId,
    seq: i64,
    history: VecDeque<(i64, Arc<EventFrame>)>,
    history_bytes: usize,
    /// What a new watcher was shown, and when: it is shown to the next ones until something is published.
    snapshot: Option<(i64, Vec<Arc<EventFrame>>)>,
    watchers: Vec<Outbox>,
}

impl Feed {
    pub(crate) fn new(channel: Channel, tenant: TenantId, now: Timestamp) -> Self {
        let seq = now.as_millis();
        Self { channel, tenant, seq, history: VecDeque::new(), history_bytes: 0, snapshot: None, watchers: Vec::new() }
    }

    /// Numbers, encodes and sends one message to all watchers.
    pub(crate) fn publish(&mut self, event: Event) {
        self.seq += 1;
        let frame = Arc::new(self.encode(event, self.seq));
        self.watchers.retain(|watcher| push(watcher, &frame));
        self.history_bytes += frame.json().len();
        self.history.push_back((self.seq, frame));
        while self.history.len() > HISTORY_FRAMES_MAX || self.history_bytes > HISTORY_BYTES_MAX {
            let Some((_, oldest)) = self.history.pop_front() else { break };
            self.history_bytes -= oldest.json().len();
        }
    }

    /// Adds a watcher: first what it missed since `last_seq`, or else a snapshot.
    pub(crate) fn watch(&mut self, outbox: Outbox, last_seq: Option<i64>, snapshot: impl FnOnce() -> Vec<Event>) {
        outbox.push(self.subscribed());
        match last_seq.filter(|seen| self.remembers(*seen)) {
            Some(seen) => {
                for (_, frame) in self.history.iter().filter(|(seq, _)| *seq > seen) {
                    push(&outbox, frame);
                }
            }
            None => {
                for frame in self.snapshot(snapshot) {
                    push(&outbox, frame);
                }
            }
        }
        self.watchers.push(outbox);
    }

    /// Whether [`Feed::watch`] is going to ask for a snapshot. Who publishes only while somebody watches has not told of
    /// every change since nobody did.
    pub(crate) fn wants_snapshot(&self, last_seq: Option<i64>) -> bool {
        let is_fresh = self.snapshot.as_ref().is_some_and(|(seq, _)| *seq == self.seq) && !self.watchers.is_empty();
        !is_fresh && !last_seq.is_some_and(|seen| self.remembers(seen))
    }

    /// Something changed that a snapshot tells, and that was not published.
    pub(crate) fn forget_snapshot(&mut self) {
        self.snapshot = None;
    }

    fn remembers(&self, seen: i64) -> bool {
        (self.seq - self.history.len() as i64..=self.seq).contains(&seen)
    }

    fn snapshot(&mut self, snapshot: impl FnOnce() -> Vec<Event>) -> &[Arc<EventFrame>] {
        if self.wants_snapshot(None) {
            let frames = snapshot().into_iter().map(|event| Arc::new(self.encode(event, self.seq))).collect();
            self.snapshot = Some((self.seq, frames));
        }
        self.snapshot.as_ref().map_or(&[], |(_, frames)| frames)
    }

    /// Sends to one watcher what a channel that publishes no more has to say.
    pub(crate) fn replay_ended(&self, outbox: &Outbox, events: Vec<Event>) {
        outbox.push(self.subscribed());
        for event in events {
            push(outbox, &Arc::new(self.encode(event, self.seq)));
        }
    }

    /// Whether anybody watches. Forgets those that have gone.
    pub(crate) fn is_watched(&mut self) -> bool {
        self.watchers.retain(|watcher| !watcher.is_closed());
        !self.watchers.is_empty()
    }

    /// Closes every watcher's connection.
    pub(crate) fn close(&mut self, close: &Close) {
        for watcher in self.watchers.drain(..) {
            watcher.close(close.clone());
        }
    }

    pub(crate) fn unwatch(&mut self, outbox: &Outbox) {
        self.watchers.retain(|watcher| !watcher.same_as(outbox));
    }

    fn subscribed(&self) -> OutFrame {
        let message = json!({ "type": "subscribed", "channel": self.channel.to_string(), "seq": self.seq });
        OutFrame::Event(Arc::new(EventFrame::new(&message)))
    }

    fn encode(&self, event: Event, seq: i64) -> EventFrame {
        let topic = event.topic(self.channel);
        let mut message = Map::new();
        message.insert("type".into(), event.kind.into());
        message.insert("channel".into(), self.channel.to_string().into());
        message.insert("seq".into(), seq.into());
        message.insert("timestamp".into(), event.at.as_millis().into());
        message.insert("tenant_id".into(), self.tenant.to_string().into());
        if let Channel::Workflow(workflow) = self.channel {
            message.insert("workflow_id".into(), workflow.to_string().into());
        }
        let run = match self.channel {
            Channel::Run(run) | Channel::RunLog(run) => Some(run),
            Channel::Workflow(_) => event.run,
        };
        if let Some(run) = run {
            message.insert("run_id".into(), run.to_string().into());
        }
        if let Some(node) = event.node {
            message.insert("node_id".into(), node.into());
        }
        message.insert("data".into(), event.data);
        EventFrame::on(Some(topic), &Value::Object(message))
    }
}

/// Pushes one event; a watcher for whom even the last word on everything is too much is closed, and comes back with the
/// last number it saw [WS-5].
fn push(watcher: &Outbox, frame: &Arc<EventFrame>) -> bool {
    match watcher.push(OutFrame::Event(frame.clone())) {
        Pushed::Queued => true,
        Pushed::Overflowed => {
            watcher.close_now(Close::too_slow());
            false
        }
        Pushed::Closed => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::Next;

    fn feed() -> Feed {
        Feed::new(Channel::Run(RunId::generate()), TenantId::generate(), Timestamp::from_millis(1_000))
    }

    fn tick(feed: &mut Feed) {
        feed.publish(Event::new("run_status", Timestamp::from_millis(1), json!({})));
    }

    fn kinds(outbox: &Outbox) -> Vec<String> {
        let mut kinds = Vec::new();
        while let Some(Next::Frame(OutFrame::Event(frame))) = outbox.try_next() {
            let message: Value = serde_json::from_slice(frame.json()).unwrap();
            kinds.push(format!("{} {}", message["type"].as_str().unwrap(), message["seq"]));
        }
        kinds
    }

    /// [WS-3] A client that reconnects with the last number it saw gets what it missed.
    #[test]
    fn replays_what_was_missed() {
        let mut feed = feed();
        (0..3).for_each(|_| tick(&mut feed));
        let outbox = Outbox::new(1 << 20);
        feed.watch(outbox.clone(), Some(1_001), || panic!("history is enough"));
        assert_eq!(kinds(&outbox), ["subscribed 1003", "run_status 1002", "run_status 1003"]);
    }

    /// [WS-3] A client that was away for longer than the history, or before a restart, gets a snapshot.
    #[test]
    fn falls_back_to_a_snapshot() {
        let mut feed = feed();
        (0..HISTORY_FRAMES_MAX + 2).for_each(|_| tick(&mut feed));
        for last_seq in [None, Some(1_001), Some(7), Some(i64::MAX)] {
            let outbox = Outbox::new(1 << 20);
            feed.watch(outbox.clone(), last_seq, || {
                vec![Event::new("run_snapshot", Timestamp::from_millis(1), json!({}))]
            });
            assert_eq!(kinds(&outbox), ["subscribed 1258", "run_snapshot 1258"], "{last_seq:?}");
        }
    }

    /// [SYNC-7] A watcher that does not read costs its bound, and catches up when it reads: the numbers grow, and the
    /// newest state is there.
    #[test]
    fn a_slow_watcher_catches_up() {
        let mut feed = feed();
        let (slow, good) = (Outbox::new(2_000), Outbox::new(1 << 20));
        feed.watch(slow.clone(), None, Vec::new);
        feed.watch(good.clone(), None, Vec::new);
        for n in 0..500 {
            let node = format!("n{}", n % 3);
            let data = json!({ "nodes": { node.clone(): { "rows": n } } });
            feed.publish(Event::new("run_status", Timestamp::from_millis(1), data));
            let event = Event::new("node_completed", Timestamp::from_millis(1), json!({ "n": n }));
            feed.publish(Event { node: Some(node), ..event });
        }
        assert_eq!(kinds(&good).len(), 1_001);
        let (mut seqs, mut rows) = (Vec::new(), std::collections::BTreeMap::new());
        while let Some(Next::Frame(OutFrame::Event(frame))) = slow.try_next() {
            let message: Value = serde_json::from_slice(frame.json()).unwrap();
            seqs.push(message["seq"].as_i64().unwrap());
            for (node, state) in message["data"]["nodes"].as_object().into_iter().flatten() {
                rows.insert(node.clone(), state["rows"].as_i64().unwrap());
            }
        }
        assert!(!slow.is_closed() && seqs.is_sorted() && seqs.len() < 30, "{seqs:?}");
        assert_eq!(rows.into_values().collect::<Vec<_>>(), [498, 499, 497]);
    }

    /// [WS-5] A watcher for whom even the newest of everything is too much is closed with 1013; the others go on.
    #[test]
    fn closes_a_watcher_that_overflows() {
        let mut feed = feed();
        let (slow, good) = (Outbox::new(1_000), Outbox::new(1 << 20));
        feed.watch(slow.clone(), None, Vec::new);
        feed.watch(good.clone(), None, Vec::new);
        for n in 0..20 {
            let event = Event::new("node_started", Timestamp::from_millis(1), json!({}));
            feed.publish(Event { node: Some(format!("n{n}")), ..event });
        }
        assert!(matches!(slow.try_next(), Some(Next::Close(close)) if close.code == 1013));
        assert_eq!(kinds(&good).len(), 21);
    }
}
