//! A numbered stream of events to the sessions that watch something: a workflow, a run, a run's log [WS-3].
//!
//! Owned by the actor that publishes, so it needs no lock. An event tells of its subjects as they are now, whatever was
//! told before: who comes, or could not keep up, is shown what there is in pages, each made when the one before is
//! written, while events go on to come in between. So a frame has a bound, and a watcher costs no more than one.
//!
//! Invariants: numbers grow by one; a frame is encoded once; history and pages are bounded in frames and bytes. Numbers
//! start at the time of the feed's creation, so that a number from before a restart is never mistaken for a new one.

use std::{collections::VecDeque, sync::Arc};

use serde::Serialize;
use serde_json::value::RawValue;
use troupe_model::{RunId, TenantId, Timestamp, WorkflowId};

use super::{
    Channel, EventFrame,
    outbox::{Close, OutFrame, Outbox, Pushed},
    parts::raw,
};

const HISTORY_FRAMES_MAX: usize = 256;
const HISTORY_BYTES_MAX: usize = 256 * 1024;
/// Pages that are kept for the next who asks for the same, until something changes.
const PAGES_KEPT: usize = 4;

/// What a message says, before the feed numbers it.
#[derive(Debug)]
pub(crate) struct Event {
    kind: &'static str,
    at: Timestamp,
    run: Option<RunId>,
    node: Option<String>,
    data: Box<RawValue>,
}

impl Event {
    pub(crate) fn new(kind: &'static str, at: Timestamp, data: &impl Serialize) -> Self {
        Self::raw(kind, at, raw(data))
    }

    pub(crate) fn raw(kind: &'static str, at: Timestamp, data: Box<RawValue>) -> Self {
        Self { kind, at, run: None, node: None, data }
    }

    pub(crate) fn of_run(self, run: Option<RunId>) -> Self {
        Self { run, ..self }
    }

    pub(crate) fn of_node(self, node: Option<String>) -> Self {
        Self { node, ..self }
    }
}

/// A part of what there is to see.
#[derive(Debug)]
pub(crate) struct Page<C> {
    pub(crate) events: Vec<Event>,
    /// Where the next one begins. `None`: this is the last.
    pub(crate) next: Option<C>,
}

/// A page that is encoded.
#[derive(Clone, Debug)]
pub(crate) struct Encoded<C> {
    frames: Vec<Arc<EventFrame>>,
    next: Option<C>,
}

/// How far somebody has been shown what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown<C> {
    Nothing,
    Before(C),
}

/// `C`: where a page may begin.
#[derive(Debug)]
pub(crate) struct Feed<C> {
    channel: Channel,
    tenant: TenantId,
    seq: i64,
    history: VecDeque<(i64, Arc<EventFrame>)>,
    history_bytes: usize,
    pages: VecDeque<(Shown<C>, Encoded<C>)>,
    watchers: Vec<Watcher<C>>,
}

#[derive(Debug)]
struct Watcher<C> {
    outbox: Outbox,
    /// Of the outbox when it was last shown something from the beginning.
    losses: u64,
    /// `None`: it has been shown everything.
    shown: Option<Shown<C>>,
}

impl<C: Clone + PartialEq> Feed<C> {
    pub(crate) fn new(channel: Channel, tenant: TenantId, now: Timestamp) -> Self {
        Self {
            channel,
            tenant,
            seq: now.as_millis(),
            history: VecDeque::new(),
            history_bytes: 0,
            pages: VecDeque::new(),
            watchers: Vec::new(),
        }
    }

    /// Numbers, encodes and sends one message to all watchers.
    pub(crate) fn publish(&mut self, event: Event) {
        self.pages.clear();
        self.seq += 1;
        let frame = Arc::new(self.encode(&event));
        self.watchers.retain(|watcher| {
            // Whoever has been shown nothing yet will see what this tells.
            watcher.shown == Some(Shown::Nothing) || watcher.outbox.push(event_frame(&frame)) != Pushed::Closed
        });
        self.history_bytes += frame.json().len();
        self.history.push_back((self.seq, frame));
        while self.history.len() > HISTORY_FRAMES_MAX || self.history_bytes > HISTORY_BYTES_MAX {
            let Some((_, oldest)) = self.history.pop_front() else { break };
            self.history_bytes -= oldest.json().len();
        }
    }

    /// Adds a watcher. It gets what it missed since `last_seq`, or else everything, in pages: `go_on` is called when the
    /// next one is due, or when the outbox has lost what was in it.
    pub(crate) fn watch(
        &mut self,
        outbox: Outbox,
        last_seq: Option<i64>,
        go_on: impl Fn(Outbox) + Send + Sync + 'static,
    ) {
        outbox.push(subscribed(self.channel, self.seq));
        outbox.attach(self.channel, go_on);
        let missed = last_seq.filter(|seen| self.remembers(*seen));
        for (_, frame) in self.history.iter().filter(|(seq, _)| missed.is_some_and(|seen| *seq > seen)) {
            outbox.push(event_frame(frame));
        }
        let shown = missed.is_none().then_some(Shown::Nothing);
        self.watchers.push(Watcher { losses: outbox.losses(), outbox, shown });
    }

    /// From where a watcher is to be shown more, if it is and if it reads.
    pub(crate) fn due(&mut self, outbox: &Outbox) -> Option<Shown<C>> {
        let watcher = self.watchers.iter_mut().find(|watcher| watcher.outbox.same_as(outbox))?;
        let losses = outbox.losses();
        if watcher.losses != losses {
            watcher.losses = losses;
            watcher.shown = Some(Shown::Nothing);
        }
        let shown = watcher.shown.clone()?;
        outbox.is_writable_or_calls(self.channel).then_some(shown)
    }

    /// A page that somebody has been shown already, and that nothing has changed since.
    pub(crate) fn page(&self, from: &Shown<C>) -> Option<Encoded<C>> {
        self.pages.iter().find_map(|(known, page)| (known == from).then(|| page.clone()))
    }

    /// Keeps a page for those who come next.
    pub(crate) fn keep(&mut self, from: Shown<C>, page: Page<C>) -> Encoded<C> {
        let encoded = self.encode_page(page);
        self.pages.push_back((from, encoded.clone()));
        if self.pages.len() > PAGES_KEPT {
            self.pages.pop_front();
        }
        encoded
    }

    /// Something that pages show has changed, and was not published.
    pub(crate) fn forget_pages(&mut self) {
        self.pages.clear();
    }

    pub(crate) fn show(&mut self, outbox: &Outbox, page: Encoded<C>) {
        let Some(watcher) = self.watchers.iter_mut().find(|watcher| watcher.outbox.same_as(outbox)) else { return };
        for frame in &page.frames {
            outbox.answer(event_frame(frame));
        }
        watcher.shown = page.next.map(Shown::Before);
        if watcher.shown.is_some() {
            outbox.call_when_writable(self.channel);
        }
    }

    pub(crate) fn encode_page(&self, page: Page<C>) -> Encoded<C> {
        let frames = page.events.iter().map(|event| Arc::new(self.encode(event))).collect();
        Encoded { frames, next: page.next }
    }

    /// Whether anybody watches. Forgets those that have gone.
    pub(crate) fn is_watched(&mut self) -> bool {
        self.watchers.retain(|watcher| !watcher.outbox.is_closed());
        !self.watchers.is_empty()
    }

    /// Closes every watcher's connection.
    pub(crate) fn close(&mut self, close: &Close) {
        for watcher in self.watchers.drain(..) {
            watcher.outbox.detach(self.channel);
            watcher.outbox.close(close.clone());
        }
    }

    pub(crate) fn unwatch(&mut self, outbox: &Outbox) {
        outbox.detach(self.channel);
        self.watchers.retain(|watcher| !watcher.outbox.same_as(outbox));
    }

    fn remembers(&self, seen: i64) -> bool {
        (self.seq - self.history.len() as i64..=self.seq).contains(&seen)
    }

    fn encode(&self, event: &Event) -> EventFrame {
        let workflow_id = match self.channel {
            Channel::Workflow(workflow) => Some(workflow),
            Channel::Run(_) | Channel::RunLog(_) => None,
        };
        let run_id = match self.channel {
            Channel::Run(run) | Channel::RunLog(run) => Some(run),
            Channel::Workflow(_) => event.run,
        };
        EventFrame::new(&Envelope {
            kind: event.kind,
            channel: self.channel.to_string(),
            seq: self.seq,
            timestamp: event.at,
            tenant_id: self.tenant,
            workflow_id,
            run_id,
            node_id: event.node.as_deref(),
            data: &event.data,
        })
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    channel: String,
    seq: i64,
    timestamp: Timestamp,
    tenant_id: TenantId,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow_id: Option<WorkflowId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_id: Option<&'a str>,
    data: &'a RawValue,
}

fn event_frame(frame: &Arc<EventFrame>) -> OutFrame {
    OutFrame::Event(frame.clone())
}

fn subscribed(channel: Channel, seq: i64) -> OutFrame {
    let message = serde_json::json!({ "type": "subscribed", "channel": channel.to_string(), "seq": seq });
    OutFrame::Event(Arc::new(EventFrame::new(&message)))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use serde_json::{Value, json};

    use super::*;
    use crate::live::outbox::Next;

    /// What is published is a number for a name; there are so many names to a page.
    struct Board {
        feed: Feed<usize>,
        values: BTreeMap<String, u64>,
        calls: Arc<AtomicUsize>,
    }

    const NAMES: usize = 10;
    const NAMES_A_PAGE: usize = 4;

    impl Board {
        fn new() -> Self {
            let feed = Feed::new(Channel::Run(RunId::generate()), TenantId::generate(), Timestamp::from_millis(1_000));
            let values = (0..NAMES).map(|name| (format!("n{name}"), 0)).collect();
            Self { feed, values, calls: Arc::default() }
        }

        fn set(&mut self, name: usize, value: u64) {
            let name = format!("n{name}");
            self.values.insert(name.clone(), value);
            let padding = "x".repeat(100);
            let data = json!({ "values": { name: value }, "padding": padding });
            self.feed.publish(Event::new("change", Timestamp::from_millis(1), &data));
        }

        fn watch(&mut self, outbox: &Outbox, last_seq: Option<i64>) {
            let calls = self.calls.clone();
            self.feed.watch(outbox.clone(), last_seq, move |_| {
                calls.fetch_add(1, Ordering::SeqCst);
            });
            self.go_on(outbox);
        }

        fn go_on(&mut self, outbox: &Outbox) {
            let Some(from) = self.feed.due(outbox) else { return };
            let page = match self.feed.page(&from) {
                Some(page) => page,
                None => {
                    let page = self.page(&from);
                    self.feed.keep(from, page)
                }
            };
            self.feed.show(outbox, page);
        }

        fn page(&self, from: &Shown<usize>) -> Page<usize> {
            let (kind, first) = match from {
                Shown::Nothing => ("snapshot", 0),
                Shown::Before(first) => ("change", *first),
            };
            let values: BTreeMap<_, _> = self.values.iter().skip(first).take(NAMES_A_PAGE).collect();
            let next = Some(first + NAMES_A_PAGE).filter(|next| *next < NAMES);
            let data = json!({ "values": values, "more": next.is_some() });
            Page { events: vec![Event::new(kind, Timestamp::from_millis(1), &data)], next }
        }

        /// Reads all there is, and is shown the rest.
        fn read(&mut self, outbox: &Outbox) -> Vec<Value> {
            let mut told = Vec::new();
            loop {
                match outbox.try_next() {
                    Some(Next::Frame(OutFrame::Event(frame))) => {
                        told.push(serde_json::from_slice(frame.json()).unwrap());
                    }
                    Some(other) => panic!("{other:?}"),
                    None if self.calls.swap(0, Ordering::SeqCst) > 0 => self.go_on(outbox),
                    None => return told,
                }
            }
        }
    }

    fn kinds(told: &[Value]) -> Vec<String> {
        told.iter().map(|told| format!("{} {}", told["type"].as_str().unwrap(), told["seq"])).collect()
    }

    /// What a client knows that has taken all this.
    fn known(told: &[Value]) -> BTreeMap<String, u64> {
        let mut known = BTreeMap::new();
        for told in told {
            if told["type"] == "snapshot" {
                known.clear();
            }
            for (name, value) in told["data"]["values"].as_object().into_iter().flatten() {
                known.insert(name.clone(), value.as_u64().unwrap());
            }
        }
        known
    }

    /// [WS-3] A client that reconnects with the last number it saw gets what it missed, and no more.
    #[test]
    fn replays_what_was_missed() {
        let mut board = Board::new();
        (0..3).for_each(|value| board.set(0, value));
        let outbox = Outbox::new(1 << 20);
        board.watch(&outbox, Some(1_001));
        assert_eq!(kinds(&board.read(&outbox)), ["subscribed 1003", "change 1002", "change 1003"]);
    }

    /// [WS-3] A client that was away for longer than the history, or before a restart, is shown everything, in pages.
    #[test]
    fn shows_everything_in_pages() {
        let mut board = Board::new();
        (0..HISTORY_FRAMES_MAX as u64 + 2).for_each(|value| board.set(7, value));
        for last_seq in [None, Some(1_001), Some(7), Some(i64::MAX)] {
            let outbox = Outbox::new(1 << 20);
            board.watch(&outbox, last_seq);
            let told = board.read(&outbox);
            assert_eq!(
                kinds(&told),
                ["subscribed 1258", "snapshot 1258", "change 1258", "change 1258"],
                "{last_seq:?}"
            );
            let more: Vec<_> = told[1..].iter().map(|told| told["data"]["more"].as_bool().unwrap()).collect();
            assert_eq!(more, [true, true, false]);
            assert_eq!(known(&told), board.values);
        }
    }

    /// [WS-3] What changes while pages are shown is told at once, and never taken back by a later page.
    #[test]
    fn changes_between_pages_are_kept() {
        let mut board = Board::new();
        let outbox = Outbox::new(1 << 20);
        board.watch(&outbox, None);
        let mut told = Vec::new();
        for value in 1..200 {
            (0..NAMES).for_each(|name| board.set(name, value));
            if let Some(Next::Frame(OutFrame::Event(frame))) = outbox.try_next() {
                told.push(serde_json::from_slice(frame.json()).unwrap());
            }
        }
        told.extend(board.read(&outbox));
        assert_eq!(known(&told), board.values);
    }

    /// [SYNC-7, WS-5] A watcher that does not read costs its bound, is not closed, and catches up when it reads.
    #[test]
    fn a_slow_watcher_catches_up() {
        let mut board = Board::new();
        let (slow, good) = (Outbox::new(2_000), Outbox::new(1 << 20));
        board.watch(&slow, None);
        board.watch(&good, None);
        board.read(&slow);
        board.read(&good);
        for value in 0..500 {
            board.set(value as usize % NAMES, value);
        }
        assert_eq!(board.read(&good).len(), 500);
        board.calls.store(0, Ordering::SeqCst);
        board.go_on(&slow);
        let told = board.read(&slow);
        assert!(!slow.is_closed() && told.len() < 30, "{}", told.len());
        assert_eq!(known(&told), board.values);
        assert!(told.iter().map(|told| told["seq"].as_i64()).is_sorted());
    }

    /// [WS-5] What one channel fills is shown again by the others of that connection too.
    #[test]
    fn a_loss_is_everybodys() {
        let (mut busy, mut calm) = (Board::new(), Board::new());
        let outbox = Outbox::new(2_000);
        calm.watch(&outbox, None);
        busy.watch(&outbox, None);
        (0..50).for_each(|value| busy.set(0, value));
        let mut told = Vec::new();
        for _ in 0..10 {
            calm.go_on(&outbox);
            busy.go_on(&outbox);
            while let Some(Next::Frame(OutFrame::Event(frame))) = outbox.try_next() {
                told.push(serde_json::from_slice::<Value>(frame.json()).unwrap());
            }
        }
        for board in [&busy, &calm] {
            let channel = board.feed.channel.to_string();
            let own: Vec<_> = told.iter().filter(|told| told["channel"] == channel).cloned().collect();
            assert_eq!(known(&own), board.values);
        }
    }

    /// A page is made once for all who come before something changes.
    #[test]
    fn pages_are_shared() {
        let mut board = Board::new();
        let outbox = Outbox::new(1 << 20);
        board.watch(&outbox, None);
        board.read(&outbox);
        assert!(board.feed.page(&Shown::Nothing).is_some());
        board.set(1, 1);
        assert!(board.feed.page(&Shown::Nothing).is_none());
    }

    /// Nobody is held by an outbox that has gone.
    #[test]
    fn who_leaves_is_forgotten() {
        let mut board = Board::new();
        let outbox = Outbox::new(1 << 20);
        board.watch(&outbox, None);
        board.feed.unwatch(&outbox);
        assert!(!board.feed.is_watched());
        outbox.close(Close::restarting());
        board.watch(&outbox, None);
        assert!(!board.feed.is_watched());
    }
}
