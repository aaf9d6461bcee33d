//! What both sockets have in common: sizes, pings, the writer, closes [SYNC-8, SYNC-11, SYNC-17].

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use futures::{
    FutureExt, SinkExt, Stream, StreamExt,
    stream::{self, SplitSink, SplitStream},
};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout, timeout_at};
use troupe_actors::{Close, EventFrame, Next, OutFrame, Outbox};

/// axum's default is 128 KiB for each connection, used or not.
const READ_BUFFER_BYTES: usize = 4 * 1024;
const WRITE_BUFFER_BYTES: usize = 16 * 1024;
/// A frame a little over the limit is read, so that its sender can be told; one far over it ends the connection.
const HARD_LIMIT_FACTOR: usize = 4;
pub const PING_EVERY: Duration = Duration::from_secs(20);
/// Nothing came for so long, not even a pong.
pub const IDLE_MAX: Duration = Duration::from_secs(60);
/// A busy session gets what gathered in this window in one flush [SYNC-8].
const WINDOW: Duration = Duration::from_millis(16);
/// A write that takes longer means that nobody reads [SYNC-7].
const STUCK_AFTER: Duration = Duration::from_secs(30);
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

pub const MALFORMED: u16 = 4400;
pub const UNAUTHENTICATED: u16 = 4401;
pub const FORBIDDEN: u16 = 4403;
pub const GONE: u16 = 4404;
pub const IDLE: u16 = 4408;
pub const TRY_AGAIN: u16 = 1013;

/// Whether coming back would change nothing.
pub fn is_final(close: &Close) -> bool {
    (4400..4500).contains(&close.code)
}

pub fn sized(upgrade: WebSocketUpgrade, frame_bytes_max: usize) -> WebSocketUpgrade {
    let hard_limit = frame_bytes_max.saturating_mul(HARD_LIMIT_FACTOR);
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(hard_limit)
        .max_frame_size(hard_limit)
}

/// Closes a socket that never became a session.
pub async fn refuse(socket: WebSocket, close: Close) {
    let (sink, stream) = socket.split();
    end(sink, &close).await;
    Reader::new(stream, 0).linger().await;
}

/// Ticks after each period. A tick that is late is not made up for.
pub fn every(period: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

pub fn binary_only() -> Close {
    Close::new(MALFORMED, "this socket takes binary frames only")
}

/// What the reader got.
pub enum Incoming {
    Binary(bytes::Bytes),
    Text(Utf8Bytes),
    /// The client is gone.
    Gone,
    /// The session must end, and this says why.
    Refused(Close),
}

/// The reading half of a socket.
pub struct Reader {
    stream: SplitStream<WebSocket>,
    frame_bytes_max: usize,
    heard: Instant,
}

impl Reader {
    pub fn new(stream: SplitStream<WebSocket>, frame_bytes_max: usize) -> Self {
        Self { stream, frame_bytes_max, heard: Instant::now() }
    }

    /// The next message of substance. Safe to drop while it waits.
    pub async fn next(&mut self) -> Incoming {
        loop {
            let message = match timeout_at(self.heard + IDLE_MAX, self.stream.next()).await {
                Err(_) => return Incoming::Refused(Close::new(IDLE, "nothing was heard of this client for a minute")),
                Ok(None | Some(Ok(Message::Close(_)))) => return Incoming::Gone,
                Ok(Some(Err(error))) => return broken(&error, self.frame_bytes_max),
                Ok(Some(Ok(message))) => message,
            };
            self.heard = Instant::now();
            match message {
                Message::Binary(bytes) if bytes.len() > self.frame_bytes_max => return too_large(self.frame_bytes_max),
                Message::Text(text) if text.len() > self.frame_bytes_max => return too_large(self.frame_bytes_max),
                Message::Binary(bytes) => return Incoming::Binary(bytes),
                Message::Text(text) => return Incoming::Text(text),
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
            }
        }
    }

    /// Reads what is still under way after a close was sent, for a moment: a connection that is cut with data unread
    /// loses the close frame.
    pub async fn linger(mut self) {
        let rest = async { while let Some(Ok(_)) = self.stream.next().await {} };
        let _ = timeout(CLOSE_WITHIN, rest).await;
    }
}

fn broken(error: &axum::Error, frame_bytes_max: usize) -> Incoming {
    let text = error.to_string();
    if text.contains("too long") || text.contains("too large") {
        return too_large(frame_bytes_max);
    }
    tracing::debug!(error = text, "a socket broke");
    Incoming::Gone
}

fn too_large(frame_bytes_max: usize) -> Incoming {
    Incoming::Refused(Close::new(MALFORMED, format!("a frame may have {frame_bytes_max} bytes")))
}

/// Reads and writes until one of them ends; a reader that says why is told to the client.
pub async fn run(reading: impl Future<Output = Option<Close>>, writing: impl Future<Output = ()>, outbox: &Outbox) {
    let mut writing = std::pin::pin!(writing);
    let close = tokio::select! {
        close = reading => close,
        () = &mut writing => return,
    };
    if let Some(close) = close {
        outbox.close(close);
        writing.await;
    }
}

/// What a writer writes next.
pub enum Outgoing {
    Message(Message),
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

/// Writes what the outbox holds until it closes. Ends early when the socket breaks or nobody reads.
pub async fn write(sink: SplitSink<WebSocket, Message>, outbox: &Outbox, encode: impl Fn(OutFrame) -> Message) {
    write_all(sink, messages(outbox.clone(), encode)).await;
}

/// The same for what comes from several places.
pub async fn write_all(mut sink: SplitSink<WebSocket, Message>, outgoing: impl Stream<Item = Outgoing>) {
    let mut outgoing = std::pin::pin!(outgoing);
    let mut ping = every(PING_EVERY);
    let mut window_ends = Instant::now();
    loop {
        let first = tokio::select! {
            first = outgoing.next() => first,
            _ = ping.tick() => {
                if !sent(sink.send(Message::Ping(bytes::Bytes::new()))).await { return }
                continue;
            }
        };
        match first {
            Some(Outgoing::Message(first)) => {
                if !sent(sink.feed(first)).await {
                    return;
                }
            }
            Some(Outgoing::Close(close)) => return end(sink, &close).await,
            None => return,
        }
        sleep_until(window_ends).await;
        while let Some(Some(next)) = outgoing.next().now_or_never() {
            match next {
                Outgoing::Message(message) => {
                    if !sent(sink.feed(message)).await {
                        return;
                    }
                }
                Outgoing::Close(close) => return end(sink, &close).await,
            }
        }
        if !sent(sink.flush()).await {
            return;
        }
        window_ends = Instant::now() + WINDOW;
    }
}

async fn sent(write: impl Future<Output = Result<(), axum::Error>>) -> bool {
    matches!(timeout(STUCK_AFTER, write).await, Ok(Ok(())))
}

async fn end(mut sink: SplitSink<WebSocket, Message>, close: &Close) {
    // Whoever is gone needs no reason.
    let _ = timeout(CLOSE_WITHIN, sink.send(close_message(close))).await;
}

pub fn text(frame: &EventFrame) -> Message {
    Message::Text(Utf8Bytes::try_from(frame.json().clone()).expect("an event's JSON is UTF-8"))
}

fn close_message(close: &Close) -> Message {
    // A close frame holds 125 bytes, two of which are the code.
    let mut end = close.reason.len().min(123);
    while !close.reason.is_char_boundary(end) {
        end -= 1;
    }
    Message::Close(Some(CloseFrame { code: close.code, reason: close.reason[..end].into() }))
}
