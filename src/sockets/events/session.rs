//! One session of the event socket: who it is, what it watches [WS-2].
//!
//! Invariants: nothing is watched before the session is authorised; each subscription is checked by the policy; a
//! session ends when its token does (4401) unless it brings a new one, and when its user may no more; no message is
//! taken after a change of access before it was looked at [RBAC-5].

use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};

use tokio::{sync::Notify, time::timeout};
use tracing::Instrument;
use troupe_actors::{Channel, Close, OutFrame, Outbox, SubscribeError, Subscription};
use troupe_store::{runs, workflows};

use super::message::{self, ClientMessage, Encoding};
use crate::{
    app::App,
    policy::{self, Level, Object, Permission},
    problem::Problem,
    sockets::{
        code,
        turns::Turns,
        upgrade::Socket,
        visitor::{RECHECK_EVERY, Visitor, refusal},
        wire::{self, Incoming, Reader},
    },
};

const READ: Permission = Permission { object: Object::Workflow, level: Level::Read };
const CHANNELS_MAX: usize = 100;
/// Messages of one session that are taken: at once, as many as it takes to subscribe to all channels anew, and then in a
/// second.
const MESSAGES_AT_ONCE: usize = 2 * CHANNELS_MAX;
const MESSAGES_PER_SECOND: usize = 50;
const CHANNEL_CHARS_MAX: usize = 100;

struct Session {
    app: App,
    visitor: Visitor,
    wake: Arc<Notify>,
    encoding: Encoding,
    outbox: Outbox,
    subscriptions: HashMap<Channel, Subscription>,
    turns: Turns,
}

pub async fn serve(
    app: App,
    socket: Socket,
    early: Option<Result<Visitor, Close>>,
    wake: Arc<Notify>,
    encoding: Encoding,
) {
    metrics::gauge!("troupe_sessions", "kind" => "events").increment(1.0);
    let outbox = Outbox::new(app.config().limits.outbox_bytes_max);
    let Socket { mut reader, writer } = socket;
    {
        let writing = pin!(writer.write(&outbox, |frame| encoding.encode(frame)));
        let reading = pin!(read(app, &mut reader, early, wake, encoding, outbox.clone()));
        wire::run(reading, writing, &outbox).await;
    }
    reader.linger().await;
    metrics::gauge!("troupe_sessions", "kind" => "events").decrement(1.0);
}

/// Until the client is gone (`None`) or must go.
async fn read(
    app: App,
    reader: &mut Reader,
    early: Option<Result<Visitor, Close>>,
    wake: Arc<Notify>,
    encoding: Encoding,
    outbox: Outbox,
) -> Option<Close> {
    let visitor = match early {
        Some(Ok(visitor)) => visitor,
        Some(Err(close)) => return Some(close),
        // Boxed, here and below: what is over in a moment takes no room in the task of a silent socket.
        None => match Box::pin(first_message(&app, reader, &wake, encoding)).await {
            Ok(visitor) => visitor,
            Err(close) => return close,
        },
    };
    outbox.push(message::authorized(visitor.caller()));
    let span = tracing::info_span!("events", tenant.id = %visitor.caller().tenant);
    let turns = Turns::new(MESSAGES_AT_ONCE, MESSAGES_PER_SECOND);
    let session = Session { app, visitor, wake, encoding, outbox, subscriptions: HashMap::new(), turns };
    session.run(reader).instrument(span).await
}

/// The first message must authorise, and soon [SYNC-17].
async fn first_message(
    app: &App,
    reader: &mut Reader,
    wake: &Arc<Notify>,
    encoding: Encoding,
) -> Result<Visitor, Option<Close>> {
    let seconds = app.config().limits.authenticate_timeout_s;
    let incoming = tokio::select! {
        incoming = timeout(Duration::from_secs(seconds), reader.next()) => incoming,
        () = app.sessions().stopping.cancelled() => return Err(Some(Close::restarting())),
    };
    let unauthenticated = |reason: String| Err(Some(Close::new(code::UNAUTHENTICATED, reason)));
    match incoming {
        Err(_) => unauthenticated(format!("the first message must authorise, within {seconds} seconds")),
        Ok(Incoming::Gone) => Err(None),
        Ok(Incoming::Close(close)) => Err(Some(close)),
        Ok(incoming) => match encoding.decode(&incoming) {
            Ok(ClientMessage::Authorization { token }) => Visitor::by_token(app, &token, wake).await.map_err(Some),
            _ => unauthenticated("the first message must be {\"type\":\"authorization\",\"token\":…}".to_owned()),
        },
    }
}

impl Session {
    async fn run(mut self, reader: &mut Reader) -> Option<Close> {
        let mut recheck = wire::every(RECHECK_EVERY);
        loop {
            let expires_in = self.visitor.caller().access.expires.since(self.app.clock().now());
            let incoming = tokio::select! {
                incoming = reader.next() => Some(incoming),
                () = self.app.sessions().stopping.cancelled() => return Some(Close::restarting()),
                () = tokio::time::sleep(expires_in) => {
                    return Some(Close::new(code::UNAUTHENTICATED, "the access token has expired"));
                }
                () = self.wake.notified() => None,
                _ = recheck.tick() => None,
            };
            let done = match incoming {
                None => Box::pin(self.follow()).await,
                Some(Incoming::Gone) => return None,
                Some(Incoming::Close(close)) => Err(close),
                Some(incoming) => Box::pin(self.receive(&incoming)).await,
            };
            if let Err(close) = done {
                return Some(close);
            }
        }
    }

    async fn receive(&mut self, incoming: &Incoming) -> Result<(), Close> {
        self.turns.next().await;
        if self.visitor.is_stale() {
            self.follow().await?;
        }
        match self.encoding.decode(incoming) {
            Ok(message) => self.handle(message).await?,
            Err(reason) => self.say(message::error("malformed", &reason, None)),
        }
        Ok(())
    }

    async fn handle(&mut self, message: ClientMessage) -> Result<(), Close> {
        match message {
            ClientMessage::Heartbeat => self.say(message::pong()),
            ClientMessage::Authorization { token } => self.authorize(&token).await?,
            ClientMessage::Subscribe { channel, last_seq } => self.subscribe(&channel, last_seq).await,
            ClientMessage::Unsubscribe { channel } => {
                if let Some(parsed) = Channel::parse(&channel) {
                    self.subscriptions.remove(&parsed);
                }
                self.say(message::unsubscribed(&channel));
            }
        }
        Ok(())
    }

    /// A fresh token for the same user keeps the session alive.
    async fn authorize(&mut self, token: &str) -> Result<(), Close> {
        let visitor = Visitor::by_token(&self.app, token, &self.wake).await?;
        let (caller, before) = (visitor.caller(), self.visitor.caller());
        if (caller.tenant, caller.user) != (before.tenant, before.user) {
            return Err(Close::new(code::FORBIDDEN, "a session stays with the user who opened it"));
        }
        self.visitor = visitor;
        self.say(message::authorized(self.visitor.caller()));
        Ok(())
    }

    /// Follows what changed: whether they may stay, and as what. Whoever may not is sent nothing more.
    async fn follow(&mut self) -> Result<(), Close> {
        let before = self.visitor.caller().role;
        let left = match self.visitor.look_again(&self.app).await {
            Ok(caller) => policy::check(caller, READ).map_err(|problem| refusal(&problem)),
            Err(close) => Err(close),
        };
        if let Err(close) = &left {
            self.outbox.close_now(close.clone());
        } else if self.visitor.caller().role != before {
            self.say(message::authorized(self.visitor.caller()));
        }
        left
    }

    async fn subscribe(&mut self, name: &str, last_seq: Option<i64>) {
        let short: String = name.chars().take(CHANNEL_CHARS_MAX).collect();
        let Some(channel) = Channel::parse(name) else {
            let known = "channels are workflow:{id}, run:{id} and run-log:{id}";
            return self.say(message::error("unknown_channel", known, Some(&short)));
        };
        if self.subscriptions.len() >= CHANNELS_MAX && !self.subscriptions.contains_key(&channel) {
            let reason = format!("a session watches up to {CHANNELS_MAX} channels");
            return self.say(message::error("too_many_channels", &reason, Some(&short)));
        }
        // The old one first: it would take the new one with it.
        self.subscriptions.remove(&channel);
        match self.watch(channel, last_seq).await {
            Ok(subscription) => drop(self.subscriptions.insert(channel, subscription)),
            Err(problem) => self.say(message::error(problem.code(), problem.detail(), Some(&short))),
        }
    }

    async fn watch(&self, channel: Channel, last_seq: Option<i64>) -> Result<Subscription, Problem> {
        let caller = self.visitor.caller();
        policy::check(caller, READ)?;
        let tenant = caller.tenant;
        let mut tx = self.app.store().read(tenant).await?;
        let found = match channel {
            Channel::Workflow(id) => workflows::find(&mut tx, id).await?.is_some(),
            Channel::Run(id) | Channel::RunLog(id) => runs::find(&mut tx, id).await?.is_some(),
        };
        drop(tx);
        if !found {
            return Err(Problem::not_found("channel"));
        }
        Ok(self.app.system().subscribe(self.visitor.caller().asker(), channel, last_seq, self.outbox.clone()).await?)
    }

    fn say(&self, frame: OutFrame) {
        self.outbox.push(frame);
    }
}

impl From<SubscribeError> for Problem {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::Missing(what) => Self::not_found(what),
            SubscribeError::Unavailable(error) => error.into(),
            SubscribeError::Store(error) => error.into(),
        }
    }
}
