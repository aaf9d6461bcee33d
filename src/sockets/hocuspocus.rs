//! `GET /collab`: many canvases over one socket, in Hocuspocus' framing: its stock provider works as it is [SYNC-2].
//!
//! A document's name is a workflow's id. Each document is authenticated by itself, with an access token or a ticket,
//! and is then a session like any other: [`Member`]. A document that is refused, or that may no longer be read, is told
//! so; the others on the socket go on. What arrives for a document that is not open is not read: a provider sends its
//! first frames without waiting for an answer to its token.

mod ledger;
mod outlet;

use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};

use axum::{extract::State, response::Response};
use bytes::Bytes;
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep_until},
};
use tracing::Instrument;
use troupe_actors::{Close, Loan, OutFrame, Outbox, Pushed};
use troupe_crdt::wire::{
    self as protocol, Message,
    hocuspocus::{self, Answer, Frame, Name, Request},
};
use troupe_model::WorkflowId;

use self::outlet::{Outlet, SharedLedger, left};
use super::{
    code,
    frame::Sizes,
    member::{self, Framing, Member},
    turns::Turns,
    upgrade::{Socket as Connection, Upgrade},
    visitor::{RECHECK_EVERY, Visitor},
    wire::{self, IDLE_MAX, Incoming, PING_EVERY, Reader},
};
use crate::{app::App, auth::ticket::Purpose};

/// Documents that joined while the writer was busy.
const JOINED_MAX: usize = 4;
/// Documents that a socket opens in a second, once it has opened as many as it may hold at once.
const JOINS_PER_SECOND: usize = 5;

struct Socket {
    app: App,
    /// By name, with the client's session in it.
    documents: HashMap<Arc<str>, Document>,
    /// What is not of a canvas.
    own: Outbox,
    joined: mpsc::Sender<Outlet>,
    joins: Turns,
    /// The access of one who has a document open here may have changed.
    wake: Arc<Notify>,
    /// When a socket without documents is closed, and how.
    useless_at: Instant,
    useless: Close,
}

/// What a socket sees to next.
enum Next {
    Incoming(Incoming),
    Follow { all: bool },
    Ping,
}

struct Document {
    member: Member,
    ledger: SharedLedger,
}

pub async fn open(State(app): State<App>, upgrade: Upgrade) -> Response {
    let sizes = Sizes::canvas(&app.config().limits);
    let tasks = app.sessions().tasks.clone();
    let served = |connection| serve(app, connection).instrument(tracing::info_span!("hocuspocus"));
    upgrade.serve(sizes, move |connection| tasks.track_future(served(connection)))
}

async fn serve(app: App, connection: Connection) {
    let Connection { mut reader, writer } = connection;
    let own = Outbox::new(app.config().limits.outbox_bytes_max);
    let (joined, joining) = mpsc::channel(JOINED_MAX);
    {
        let writing = pin!(writer.write_all(outlet::outgoing(own.clone(), joining)));
        let reading = pin!(Socket::new(app, own.clone(), joined).read(&mut reader));
        wire::run(reading, writing, &own).await;
    }
    reader.linger().await;
}

impl Socket {
    fn new(app: App, own: Outbox, joined: mpsc::Sender<Outlet>) -> Self {
        let seconds = app.config().limits.authenticate_timeout_s;
        let reason = format!("a first document must be authenticated within {seconds} seconds");
        let joins = Turns::new(app.config().limits.canvases_per_socket_max, JOINS_PER_SECOND);
        Self {
            app,
            documents: HashMap::new(),
            own,
            joined,
            joins,
            wake: Arc::default(),
            useless_at: Instant::now() + Duration::from_secs(seconds),
            useless: Close::new(code::UNAUTHENTICATED, reason),
        }
    }

    /// Until the client is gone (`None`) or must go.
    async fn read(mut self, reader: &mut Reader) -> Option<Close> {
        let (mut recheck, mut ping) = (wire::every(RECHECK_EVERY), wire::every(PING_EVERY));
        let mut reassure = None;
        let (app, wake) = (self.app.clone(), self.wake.clone());
        let mut stopping = pin!(app.sessions().stopping.cancelled());
        let mut woken = pin!(wake.notified());
        loop {
            let next = tokio::select! {
                incoming = reader.next() => Next::Incoming(incoming),
                () = &mut stopping => return Some(Close::restarting()),
                () = sleep_until(self.useless_at), if self.documents.is_empty() => return Some(self.useless),
                () = &mut woken => {
                    woken.set(wake.notified());
                    Next::Follow { all: false }
                }
                () = wire::tick(&mut reassure, wire::REASSURE_EVERY), if reader.is_taking_large() => {
                    if reader.is_too_slow() {
                        return Some(wire::arrives_too_slowly());
                    }
                    Next::Ping
                }
                _ = recheck.tick() => Next::Follow { all: true },
                _ = ping.tick() => Next::Ping,
            };
            let done = match next {
                Next::Incoming(Incoming::Binary(frame, loan)) => {
                    // Boxed, here and below: what is over in a moment takes no room in the task of a silent socket.
                    Box::pin(self.receive(&frame, loan)).await
                }
                Next::Incoming(Incoming::NeedsLoan(bytes)) => match self.documents.values().next() {
                    Some(document) => {
                        reader.lend(bytes, document.member.lender(&app));
                        Ok(())
                    }
                    None => Err(wire::stranger_sends_much()),
                },
                Next::Incoming(Incoming::Text(_)) => Err(wire::binary_only()),
                Next::Incoming(Incoming::Gone) => return None,
                Next::Incoming(Incoming::Close(close)) => Err(close),
                Next::Follow { all } => Box::pin(self.follow(all)).await,
                Next::Ping => self.say(hocuspocus::PING.to_vec()),
            };
            if let Err(close) = done {
                return Some(close);
            }
        }
    }

    /// An error ends the socket.
    async fn receive(&mut self, frame: &[u8], loan: Option<Loan>) -> Result<(), Close> {
        match hocuspocus::decode(frame).map_err(|malformed| Close::new(code::MALFORMED, malformed.to_string()))? {
            Frame::Ping => self.say(hocuspocus::PONG.to_vec()),
            Frame::Pong => Ok(()),
            Frame::Document(name, request) => match request {
                Request::Authenticate(token) => self.authenticate(name, token).await,
                Request::Canvas(message) => self.forward(name, message, false, loan).await,
                Request::Reply(message) => self.forward(name, message, true, loan).await,
                // A message for an application on the server, of which there is none.
                Request::Stateless(_) => Ok(()),
                Request::BroadcastStateless(_) => {
                    Err(Close::new(code::MALFORMED, "only the server sends this message"))
                }
                Request::Close => {
                    self.leave(name.0);
                    Ok(())
                }
            },
        }
    }

    /// Opens a document. One that is open is opened anew: its provider was replaced.
    async fn authenticate(&mut self, name: Name<'_>, token: &str) -> Result<(), Close> {
        self.joins.next().await;
        self.leave(name.0);
        self.forget_closed();
        match self.join(name, token).await {
            Ok(document) => {
                // That it is open is the first that the canvas says of it.
                let (outbox, ledger) = (document.member.outbox().clone(), document.ledger.clone());
                self.documents.insert(name.0.into(), document);
                // A writer that is gone takes the reader with it.
                let _ = self.joined.send(Outlet::new(name, outbox, ledger)).await;
                Ok(())
            }
            Err(close) if code::is_final(&close) => self.answer(name, Answer::Denied(&close.reason)),
            Err(close) => Err(close),
        }
    }

    async fn join(&self, name: Name<'_>, token: &str) -> Result<Document, Close> {
        let max = self.app.config().limits.canvases_per_socket_max;
        if self.documents.len() >= max {
            return Err(Close::new(code::FORBIDDEN, format!("one socket may hold {max} documents open")));
        }
        let no_such = |_| Close::new(code::GONE, "a document's name is the id of a workflow");
        let workflow: WorkflowId = name.document().parse().map_err(no_such)?;
        let visitor = self.visitor(token, workflow).await?;
        member::admit(&self.app, visitor.caller(), workflow).await?;
        let span = tracing::info_span!("collab", tenant.id = %visitor.caller().tenant, workflow.id = %workflow);
        let framing = Framing { acks: true, document_epoch: None };
        let member = Member::join(&self.app, visitor, workflow, framing).instrument(span).await?;
        Ok(Document { member, ledger: SharedLedger::default() })
    }

    /// An access token has dots, and a ticket has none.
    async fn visitor(&self, token: &str, workflow: WorkflowId) -> Result<Visitor, Close> {
        if token.contains('.') {
            Visitor::by_token(&self.app, token, &self.wake).await
        } else {
            Visitor::by_ticket(&self.app, token, Purpose::Collab(workflow), &self.wake).await
        }
    }

    async fn forward(
        &mut self,
        name: Name<'_>,
        message: Message<'_>,
        reply: bool,
        loan: Option<Loan>,
    ) -> Result<(), Close> {
        if self.documents.get(name.0).is_some_and(|document| document.member.is_stale()) {
            self.follow(false).await?;
        }
        let Some(document) = self.documents.get(name.0) else { return Ok(()) };
        if document.member.outbox().is_closed() {
            // The client is about to be told.
            return Ok(());
        }
        {
            let mut ledger = document.ledger.lock();
            if reply { ledger.replies(&message) } else { ledger.sends(&message) }
        }
        document.member.send(Bytes::from(protocol::encode(message)), loan).await
    }

    fn leave(&mut self, name: &str) {
        if let Some(document) = self.documents.remove(name) {
            document.member.outbox().close_now(left());
            self.may_be_useless();
        }
    }

    /// Documents that their canvas has closed.
    fn forget_closed(&mut self) {
        let before = self.documents.len();
        self.documents.retain(|_, document| !document.member.outbox().is_closed());
        if self.documents.len() < before {
            self.may_be_useless();
        }
    }

    /// A socket waits for a while for others, when its last document was closed.
    fn may_be_useless(&mut self) {
        if self.documents.is_empty() {
            self.useless_at = Instant::now() + IDLE_MAX;
            self.useless = Close::new(code::IDLE, "no document was open for a minute");
        }
    }

    /// Follows what changed of those who have a document open here: `all`, or those of whom it is known.
    async fn follow(&mut self, all: bool) -> Result<(), Close> {
        for document in self.documents.values_mut() {
            if all || document.member.is_stale() {
                match document.member.follow(&self.app).await {
                    // It has closed that document.
                    Err(close) if code::is_final(&close) => {}
                    done => done?,
                }
            }
        }
        self.forget_closed();
        Ok(())
    }

    fn answer(&self, name: Name<'_>, answer: Answer<'_>) -> Result<(), Close> {
        self.say([hocuspocus::envelope(name), hocuspocus::encode(answer)].concat())
    }

    fn say(&self, frame: Vec<u8>) -> Result<(), Close> {
        match self.own.push(OutFrame::Sync(frame.into())) {
            Pushed::Queued | Pushed::Closed => Ok(()),
            Pushed::Overflowed => Err(Close::too_slow()),
        }
    }
}
