//! What waits to be written to one WebSocket: bounded in bytes, filled by actors, emptied by the socket's writer.
//!
//! Invariants: frames leave in the order they came; a frame is encoded once and shared by all outboxes; broadcasts
//! never hold more than the bound in bytes. An answer, which a client asks for and which may be a whole document, is only
//! put into an outbox whose writer has written everything before it: so at most one is held.
//! A full outbox is conflated first: of awareness only the newest is kept. If that makes no room, it loses all that is
//! queued. The owner of a canvas sends one diff when the socket is writable again [SYNC-7]; the owners of event channels
//! are called, and show what there is from the beginning, page by page [WS-5].

mod conflate;

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

use super::{Channel, EventFrame};

/// A close of a WebSocket [SYNC-11]: 4400-4499 are final, 1012 and 1013 mean "try again later".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    pub code: u16,
    pub reason: String,
}

impl Close {
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    pub fn restarting() -> Self {
        Self::new(1012, "the server is restarting; reconnect in a moment")
    }

    pub fn too_slow() -> Self {
        Self::new(1013, "this connection reads too slowly; reconnect to catch up")
    }
}

/// One frame to write.
#[derive(Clone, Debug)]
pub enum OutFrame {
    /// A y-protocols message.
    Sync(Bytes),
    /// A message of an event channel; the edge chooses its encoding.
    Event(Arc<EventFrame>),
}

/// What the writer does next.
#[derive(Clone, Debug)]
pub enum Next {
    Frame(OutFrame),
    Close(Close),
}

/// What became of a pushed frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    Queued,
    /// The bound was exceeded. Nothing of what was queued will be sent.
    Overflowed,
    /// The socket is gone or going.
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Broadcast,
    Answer,
}

#[derive(Clone, Debug)]
pub struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Notify,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<(Kind, OutFrame)>,
    /// Of the broadcasts.
    bytes: usize,
    /// The writer has not come back since it took something, or since an overflow: it is still writing.
    busy: bool,
    close: Option<Close>,
    /// Who is to be told when the writer has written everything.
    drained: Option<Drained>,
    /// Of event channels: who publishes there.
    channels: HashMap<Channel, Publisher>,
    /// How often everything that was queued was lost.
    losses: u64,
}

struct Drained(Box<dyn FnOnce() + Send>);

#[derive(Clone)]
struct Publisher {
    call: Arc<dyn Fn(Outbox) + Send + Sync>,
    /// When the writer has written everything.
    waits: bool,
}

impl Publisher {
    /// Itself, if it waits.
    fn stops_waiting(&mut self) -> Option<Self> {
        std::mem::take(&mut self.waits).then(|| self.clone())
    }
}

impl fmt::Debug for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Drained")
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("waits", &self.waits).finish_non_exhaustive()
    }
}

impl Outbox {
    pub fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Shared { queue: Mutex::default(), changed: Notify::new(), bytes_max }))
    }

    /// Queues a frame that goes to many.
    pub fn push(&self, frame: OutFrame) -> Pushed {
        self.enqueue(Kind::Broadcast, frame)
    }

    /// Queues a frame that this client asked for, of any size: see [`Outbox::is_writable`].
    pub fn answer(&self, frame: OutFrame) -> Pushed {
        self.enqueue(Kind::Answer, frame)
    }

    fn enqueue(&self, kind: Kind, frame: OutFrame) -> Pushed {
        let mut queue = self.lock();
        if queue.close.is_some() {
            return Pushed::Closed;
        }
        let bytes_max = self.0.bytes_max;
        let fits = kind == Kind::Answer
            || queue.bytes + frame.bytes() <= bytes_max
            // A quarter must become free: so often a queue is looked through, and no more.
            || queue.conflate() + frame.bytes() <= bytes_max - bytes_max / 4;
        if !fits {
            queue.clear();
            queue.busy = true;
            queue.losses += 1;
            let publishers: Vec<Publisher> = queue.channels.values().cloned().collect();
            drop(queue);
            publishers.iter().for_each(|publisher| (publisher.call)(self.clone()));
            // A writer that waits, and does not write, sees to it at once.
            self.0.changed.notify_one();
            return Pushed::Overflowed;
        }
        if kind == Kind::Broadcast {
            queue.bytes += frame.bytes();
        }
        queue.frames.push_back((kind, frame));
        drop(queue);
        self.0.changed.notify_one();
        Pushed::Queued
    }

    /// Closes after what is queued has been written. The first close wins.
    pub fn close(&self, close: Close) {
        self.lock().close.get_or_insert(close);
        self.0.changed.notify_one();
    }

    /// Closes and drops what is queued.
    pub fn close_now(&self, close: Close) {
        let mut queue = self.lock();
        queue.clear();
        queue.close.get_or_insert(close);
        drop(queue);
        self.0.changed.notify_one();
    }

    pub fn is_closed(&self) -> bool {
        self.lock().close.is_some()
    }

    /// Everything queued has been taken by the writer.
    pub fn is_empty(&self) -> bool {
        self.lock().frames.is_empty()
    }

    /// The writer has written everything, and has come back for more: whoever reads, reads again.
    pub fn is_writable(&self) -> bool {
        self.lock().is_drained()
    }

    /// Calls once as soon as it is writable. The last such wish counts.
    pub fn when_writable(&self, call: impl FnOnce() + Send + 'static) {
        let mut queue = self.lock();
        if queue.is_drained() {
            drop(queue);
            return call();
        }
        queue.drained = Some(Drained(Box::new(call)));
    }

    /// `call`: when the outbox has lost what was in it, and when it is writable and somebody has asked for that.
    pub(super) fn attach(&self, channel: Channel, call: impl Fn(Self) + Send + Sync + 'static) {
        self.lock().channels.insert(channel, Publisher { call: Arc::new(call), waits: false });
    }

    pub(crate) fn detach(&self, channel: Channel) {
        self.lock().channels.remove(&channel);
    }

    pub(super) fn losses(&self) -> u64 {
        self.lock().losses
    }

    /// Whether it is writable; if not, the channel's publisher is called when it is.
    pub(super) fn is_writable_or_calls(&self, channel: Channel) -> bool {
        let mut queue = self.lock();
        let is_drained = queue.is_drained();
        if let Some(publisher) = queue.channels.get_mut(&channel) {
            publisher.waits = !is_drained;
        }
        is_drained
    }

    /// The channel's publisher is called: now, if it is writable.
    pub(super) fn call_when_writable(&self, channel: Channel) {
        if self.is_writable_or_calls(channel) {
            let publisher = self.lock().channels.get(&channel).cloned();
            if let Some(publisher) = publisher {
                (publisher.call)(self.clone());
            }
        }
    }

    pub fn same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The next frame, or the close when nothing is left before it.
    pub async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.try_next() {
                return next;
            }
            self.0.changed.notified().await;
        }
    }

    /// The next frame if there is one now.
    pub fn try_next(&self) -> Option<Next> {
        let mut queue = self.lock();
        let next = queue.frames.pop_front();
        queue.busy = next.is_some();
        let Some((kind, frame)) = next else {
            let (close, drained) = (queue.close.clone(), queue.drained.take());
            let waiting: Vec<Publisher> = queue.channels.values_mut().filter_map(Publisher::stops_waiting).collect();
            drop(queue);
            if let Some(Drained(call)) = drained {
                call();
            }
            waiting.iter().for_each(|publisher| (publisher.call)(self.clone()));
            return close.map(Next::Close);
        };
        if kind == Kind::Broadcast {
            queue.bytes -= frame.bytes();
        }
        Some(Next::Frame(frame))
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn is_drained(&self) -> bool {
        self.frames.is_empty() && !self.busy
    }

    /// Drops what is superfluous; returns how many bytes are left.
    fn conflate(&mut self) -> usize {
        self.frames = conflate::conflate(std::mem::take(&mut self.frames));
        let broadcasts = self.frames.iter().filter(|(kind, _)| *kind == Kind::Broadcast);
        self.bytes = broadcasts.map(|(_, frame)| frame.bytes()).sum();
        self.bytes
    }

    fn clear(&mut self) {
        self.frames.clear();
        self.bytes = 0;
    }
}

impl OutFrame {
    fn bytes(&self) -> usize {
        match self {
            Self::Sync(bytes) => bytes.len(),
            Self::Event(frame) => frame.json().len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    fn frame(bytes: usize) -> OutFrame {
        OutFrame::Sync(Bytes::from(vec![0; bytes]))
    }

    /// [SYNC-7] An outbox never holds more than its bound: past it, the queue is given up for a later diff.
    #[test]
    fn overflow_forgets_the_queue() {
        let outbox = Outbox::new(100);
        assert_eq!(outbox.push(frame(60)), Pushed::Queued);
        assert_eq!(outbox.push(frame(60)), Pushed::Overflowed);
        assert!(outbox.is_empty());
        assert_eq!(outbox.push(frame(60)), Pushed::Queued);
    }

    /// [SYNC-7] After an overflow there is no use in a diff before the writer is done with what it took.
    #[test]
    fn who_does_not_read_is_not_writable() {
        let outbox = Outbox::new(100);
        assert!(outbox.is_writable());
        outbox.push(frame(60));
        assert_eq!(outbox.push(frame(60)), Pushed::Overflowed);
        assert!(!outbox.is_writable());
        assert!(outbox.try_next().is_none());
        assert!(outbox.is_writable());
    }

    /// [SYNC-7] A whole document may be answered however large it is; nobody is writable before it is written.
    #[test]
    fn an_answer_is_held_until_it_is_written() {
        let outbox = Outbox::new(100);
        let drained = Arc::new(Semaphore::new(0));
        let told = || drained.available_permits();
        let count = drained.clone();
        assert_eq!(outbox.answer(frame(1_000)), Pushed::Queued);
        outbox.when_writable(move || count.add_permits(1));
        assert_eq!(outbox.push(frame(60)), Pushed::Queued);
        for _ in 0..2 {
            assert!(outbox.try_next().is_some());
            assert!(!outbox.is_writable() && told() == 0, "the writer writes what it took");
        }
        assert!(outbox.try_next().is_none());
        assert!(outbox.is_writable() && told() == 1);
        assert!(outbox.try_next().is_none());
        let count = drained.clone();
        outbox.when_writable(move || count.add_permits(1));
        assert_eq!(told(), 2, "at once");
    }

    /// [SYNC-11] What was queued before a close is written before it.
    #[tokio::test]
    async fn close_comes_last() {
        let outbox = Outbox::new(100);
        outbox.push(frame(1));
        outbox.close(Close::restarting());
        assert_eq!(outbox.push(frame(1)), Pushed::Closed);
        assert!(matches!(outbox.next().await, Next::Frame(_)));
        assert!(matches!(outbox.next().await, Next::Close(close) if close.code == 1012));
    }
}
