//! What all sockets have in common: reading, the writer's windows, pings, closes [SYNC-8, SYNC-11, SYNC-17].

use std::{
    cell::RefCell,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures::{FutureExt, Stream, StreamExt, stream};
use tokio::{
    io::{self, AsyncRead, AsyncWriteExt, ReadBuf},
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
    sync::Notify,
    time::{Instant, Interval, MissedTickBehavior, Sleep, interval_at, sleep_until, timeout},
};
use troupe_actors::{Close, EventFrame, FREE_BYTES_MAX, Lender, Loan, Next, OutFrame, Outbox};
use tungstenite::Utf8Bytes;

use super::{
    code,
    frame::{Decoder, Fault, Message, Sizes},
};

/// One buffer of this size serves all the sockets that a thread reads.
const READ_BYTES: usize = 16 * 1024;
/// What gathers before it is written; larger payloads are written from where they are.
const WRITE_BYTES: usize = 16 * 1024;
/// What a flush has room for at once: most are smaller.
const FLUSH_BYTES: usize = 1024;
pub const PING_EVERY: Duration = Duration::from_secs(20);
/// While something large comes, its client hears something: stock providers take silence for a dead connection.
pub const REASSURE_EVERY: Duration = Duration::from_secs(10);
/// Nothing came for so long, not even a pong.
pub const IDLE_MAX: Duration = Duration::from_secs(60);
/// A busy session gets what gathered in this window in one flush [SYNC-8].
const WINDOW: Duration = Duration::from_millis(16);
/// A session is busy when it has had so many flushes more than there were windows.
const FLUSHES_AT_ONCE: u32 = 8;
/// A write of so much that takes longer means that nobody reads [SYNC-7].
const PIECE_BYTES: usize = 64 * 1024;
const STUCK_AFTER: Duration = Duration::from_secs(30);
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// An awareness of nobody: a frame that says nothing.
pub const REASSURANCE: &[u8] = &[1, 1, 0];

pub fn arrives_too_slowly() -> Close {
    Close::new(code::TRY_AGAIN, "a large change comes too slowly; reconnect to send it again")
}

/// The next tick of what ticks from when it is first needed.
pub async fn tick(ticks: &mut Option<Interval>, period: Duration) {
    ticks.get_or_insert_with(|| every(period)).tick().await;
}

/// Ticks after each period. A tick that is late is not made up for.
pub fn every(period: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

pub fn binary_only() -> Close {
    Close::new(code::MALFORMED, "this socket takes binary frames only")
}

/// What the reader got.
pub enum Incoming {
    /// What is not small comes with its loan.
    Binary(Bytes, Option<Loan>),
    Text(Utf8Bytes),
    /// What comes is not small: see [`Reader::lend`].
    NeedsLoan(usize),
    /// The connection is gone.
    Gone,
    /// The session ends with this.
    Close(Close),
}

/// The answer to a client's latest ping, on its way from the reader to the writer.
#[derive(Debug, Default)]
pub struct Pongs {
    latest: Mutex<Option<Bytes>>,
    changed: Notify,
}

impl Pongs {
    fn put(&self, payload: Bytes) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(payload);
        self.changed.notify_one();
    }

    async fn next(&self) -> Bytes {
        loop {
            if let Some(payload) = self.latest.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return payload;
            }
            self.changed.notified().await;
        }
    }
}

/// The reading half of a socket.
pub struct Reader {
    io: OwnedReadHalf,
    decoder: Decoder,
    pongs: Arc<Pongs>,
    sizes: Sizes,
    large: Large,
    heard: Instant,
    /// Looks from time to time whether anything was heard: one timer, not one for each read.
    idle: Pin<Box<Sleep>>,
}

/// A message that is not small.
enum Large {
    None,
    Waiting(usize, Pin<Box<dyn Future<Output = Loan> + Send>>),
    Arriving(Loan, Instant),
}

thread_local! {
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

impl Reader {
    /// `early`: what was read already.
    pub fn new(io: OwnedReadHalf, early: &[u8], pongs: Arc<Pongs>, sizes: Sizes) -> Self {
        let heard = Instant::now();
        let (mut decoder, idle) = (Decoder::new(sizes), Box::pin(sleep_until(heard + IDLE_MAX)));
        decoder.feed(early);
        Self { io, decoder, pongs, sizes, large: Large::None, heard, idle }
    }

    /// Borrows so much memory for what comes, before more of it is read.
    pub fn lend(&mut self, bytes: usize, lender: Lender) {
        // What was lent to its first frames is given back when there is a loan for the whole.
        let former = std::mem::replace(&mut self.large, Large::None);
        let loan = async move {
            let loan = lender.lend(bytes).await;
            drop(former);
            loan
        };
        self.large = Large::Waiting(bytes, Box::pin(loan));
    }

    /// Whether a message that is not small is on its way.
    pub fn is_taking_large(&self) -> bool {
        !matches!(self.large, Large::None)
    }

    /// Whether it comes so slowly that others should not wait for its memory.
    pub fn is_too_slow(&self) -> bool {
        let Large::Arriving(loan, since) = &self.large else { return false };
        loan.is_too_slow(self.decoder.arrived_bytes(), since.elapsed())
    }

    /// The next message of substance. Safe to drop while it waits.
    pub async fn next(&mut self) -> Incoming {
        loop {
            if let Large::Waiting(bytes, loan) = &mut self.large {
                let loan = loan.await;
                self.decoder.grant(*bytes);
                self.large = Large::Arriving(loan, Instant::now());
            }
            match self.decoder.next() {
                Ok(Some(Message::Binary(bytes))) => {
                    return match std::mem::replace(&mut self.large, Large::None) {
                        Large::Arriving(loan, _) => Incoming::Binary(bytes, Some(loan)),
                        _ => Incoming::Binary(bytes, None),
                    };
                }
                Ok(Some(Message::Text(text))) => return Incoming::Text(text),
                Ok(Some(Message::Ping(payload))) => self.pongs.put(payload),
                Ok(Some(Message::Pong(_))) => {}
                Ok(Some(Message::Close(close))) => return Incoming::Close(echo(close)),
                Ok(None) => match std::future::poll_fn(|cx| self.poll_fill(cx)).await {
                    Ok(true) => {}
                    Ok(false) => return Incoming::Gone,
                    Err(Silence::Broken(error)) => {
                        tracing::debug!(%error, "a socket broke");
                        return Incoming::Gone;
                    }
                    Err(Silence::Idle) => {
                        return Incoming::Close(Close::new(
                            code::IDLE,
                            "nothing was heard of this client for a minute",
                        ));
                    }
                },
                Err(Fault::NeedsLoan(bytes)) => return Incoming::NeedsLoan(bytes),
                Err(Fault::TooLarge) => return Incoming::Close(self.sizes.refusal()),
                Err(Fault::Protocol(reason)) => return Incoming::Close(Close::new(code::MALFORMED, reason)),
            }
        }
    }

    /// Reads what there is; false at the end of the stream.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Silence>> {
        let decoder = &mut self.decoder;
        let read = READ.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            let read = Pin::new(&mut self.io).poll_read(cx, &mut buffer);
            decoder.feed(buffer.filled());
            read.map_ok(|()| !buffer.filled().is_empty())
        });
        if let Poll::Ready(read) = read {
            self.heard = Instant::now();
            return Poll::Ready(read.map_err(Silence::Broken));
        }
        loop {
            ready!(self.idle.as_mut().poll(cx));
            let until = self.heard + IDLE_MAX;
            if Instant::now() >= until {
                return Poll::Ready(Err(Silence::Idle));
            }
            self.idle.as_mut().reset(until);
        }
    }

    /// Reads what is still under way after a close was sent, for a moment: a connection that is cut with data unread
    /// loses the close frame.
    pub async fn linger(mut self) {
        let mut nowhere = io::sink();
        let _ = timeout(CLOSE_WITHIN, io::copy(&mut self.io, &mut nowhere)).await;
    }
}

enum Silence {
    Broken(io::Error),
    Idle,
}

/// The answer to a client's close.
fn echo(close: Option<Close>) -> Close {
    let code = close.map_or(1000, |close| close.code);
    let sendable = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
    Close::new(if sendable { code } else { 1000 }, "")
}

/// Nobody lends to strangers.
pub fn stranger_sends_much() -> Close {
    Close::new(code::MALFORMED, format!("before a document is open, a message may have {FREE_BYTES_MAX} bytes"))
}

/// Reads and writes until one of them ends; a reader that says why is told to the client.
/// Both are borrowed, because a future that is passed on takes its room twice, in every silent session.
pub async fn run(
    reading: Pin<&mut impl Future<Output = Option<Close>>>,
    mut writing: Pin<&mut impl Future<Output = ()>>,
    outbox: &Outbox,
) {
    let close = tokio::select! {
        close = reading => close,
        () = &mut writing => None,
    };
    match close {
        Some(close) => {
            outbox.close(close);
            writing.await;
        }
        // Whoever puts something in still learns that nobody reads it.
        None => outbox.close_now(Close::new(1000, "left")),
    }
}

/// What a writer writes next.
pub enum Outgoing {
    Message(Message),
    /// What is shared by many, behind what is one client's own: one binary message.
    Enveloped {
        envelope: Bytes,
        content: Bytes,
    },
    /// The last.
    Close(Close),
}

/// What the outbox holds, until it closes.
pub fn messages(outbox: Outbox, encode: impl Fn(OutFrame) -> Message) -> impl Stream<Item = Outgoing> {
    stream::unfold((outbox, encode), |(outbox, encode)| async move {
        let outgoing = match outbox.next().await {
            Next::Frame(frame) => Outgoing::Message(encode(frame)),
            Next::Close(close) => Outgoing::Close(close),
        };
        Some((outgoing, (outbox, encode)))
    })
}

/// The writing half of a socket.
pub struct Writer {
    io: OwnedWriteHalf,
    pongs: Arc<Pongs>,
    /// Empty, and without memory, between two flushes.
    buffer: BytesMut,
}

impl Writer {
    pub fn new(io: OwnedWriteHalf) -> Self {
        Self { io, pongs: Arc::default(), buffer: BytesMut::new() }
    }

    pub fn pongs(&self) -> Arc<Pongs> {
        self.pongs.clone()
    }

    /// Writes what the outbox holds until it closes. Ends early when the socket breaks or nobody reads.
    pub fn write(self, outbox: &Outbox, encode: impl Fn(OutFrame) -> Message) -> impl Future<Output = ()> {
        self.write_all(messages(outbox.clone(), encode))
    }

    /// The same for what comes from several places.
    pub async fn write_all(mut self, outgoing: impl Stream<Item = Outgoing>) {
        let mut outgoing = std::pin::pin!(outgoing);
        let mut ping = every(PING_EVERY);
        let mut pace = Pace::new(Instant::now());
        loop {
            let first = tokio::select! {
                first = outgoing.next() => first,
                pong = self.pongs.next() => Some(Outgoing::Message(Message::Pong(pong))),
                _ = ping.tick() => Some(Outgoing::Message(Message::Ping(Bytes::new()))),
            };
            if first.is_none() {
                return;
            }
            let mut next = first;
            while let Some(now) = next {
                let fed = match now {
                    Outgoing::Message(message) => self.feed(&[], message).await,
                    Outgoing::Enveloped { envelope, content } => self.feed(&envelope, Message::Binary(content)).await,
                    Outgoing::Close(close) => return Box::pin(self.end(close)).await,
                };
                if fed.is_err() {
                    return;
                }
                next = outgoing.next().now_or_never().flatten();
            }
            if self.flush().await.is_err() {
                return;
            }
            if let Some(window_ends) = pace.flushed(Instant::now()) {
                sleep_until(window_ends).await;
            }
        }
    }

    async fn feed(&mut self, envelope: &[u8], message: Message) -> io::Result<()> {
        if self.buffer.is_empty() {
            self.buffer.reserve(FLUSH_BYTES);
        }
        message.write_head(envelope, &mut self.buffer);
        let payload = message.into_payload();
        if payload.len() > WRITE_BYTES {
            self.flush().await?;
            return self.send(&payload).await;
        }
        self.buffer.extend_from_slice(&payload);
        if self.buffer.len() > WRITE_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> io::Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        self.send(&buffer).await
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(PIECE_BYTES) {
            timeout(STUCK_AFTER, self.io.write_all(piece)).await??;
        }
        Ok(())
    }

    /// The last word. Whoever is gone needs none.
    pub async fn end(mut self, close: Close) {
        let last = async {
            self.feed(&[], Message::Close(Some(close))).await?;
            self.flush().await
        };
        let _ = timeout(CLOSE_WITHIN, last).await;
    }
}

/// Tells a busy session from one that gets an update now and then.
#[derive(Debug)]
struct Pace {
    /// Each flush takes a window; these are taken up to here.
    taken_until: Instant,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { taken_until: now }
    }

    /// When a busy session may be flushed again.
    fn flushed(&mut self, now: Instant) -> Option<Instant> {
        self.taken_until = self.taken_until.max(now) + WINDOW;
        (self.taken_until > now + WINDOW * FLUSHES_AT_ONCE).then(|| window_end(now))
    }
}

/// The end of the window that `now` is in. All sessions have the same windows, so that one wake-up of a thread flushes
/// many of them.
fn window_end(now: Instant) -> Instant {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let first = *FIRST.get_or_init(|| now);
    let windows = now.saturating_duration_since(first).as_nanos() / WINDOW.as_nanos() + 1;
    first + WINDOW.saturating_mul(u32::try_from(windows).unwrap_or(u32::MAX))
}

pub fn text(frame: &EventFrame) -> Message {
    Message::Text(Utf8Bytes::try_from(frame.json().clone()).expect("an event's JSON is UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of a second's flushes have to wait, one each so often.
    fn waiting(period: Duration) -> usize {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let flushes = (Duration::from_secs(1).as_nanos() / period.as_nanos()) as u32;
        (0..flushes).filter(|flush| pace.flushed(start + period * *flush).is_some()).count()
    }

    /// [SYNC-8] A quiet session gets every update at once; a busy one waits, for a window at most.
    #[test]
    fn only_a_busy_session_waits() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        let waits = (0..20).filter_map(|_| pace.flushed(now)).collect::<Vec<_>>();
        assert_eq!(waits.len(), 12);
        assert!(waits.iter().all(|until| *until > now && *until <= now + WINDOW));
        assert_eq!(waiting(Duration::from_millis(20)), 0);
        assert_eq!(waiting(Duration::from_millis(2)), 491);
    }
}
