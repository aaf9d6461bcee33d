//! One session of the event socket: who it is, what it watches [WS-2].
//!
//! Invariants: nothing is watched before the session is authorised; each subscription is checked by the policy; a
//! session ends when its token does (4401) unless it brings a new one, and when its user may no more.

use std::{collections::HashMap, time::Duration};

use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::Instrument;
use troupe_actors::{Channel, Close, OutFrame, Outbox, SubscribeError, Subscription};
use troupe_store::{runs, workflows};

use super::message::{self, ClientMessage, Encoding};
use crate::{
    app::App,
    auth::{Caller, authenticate},
    policy::{self, Level, Object, Permission},
    problem::Problem,
    sockets::{
        upgrade::Socket,
        wire::{self, Incoming, Reader},
    },
};

const READ: Permission = Permission { object: Object::Workflow, level: Level::Read };
const CHANNELS_MAX: usize = 100;
const CHANNEL_CHARS_MAX: usize = 100;
const RECHECK_EVERY: Duration = Duration::from_secs(15);

struct Session {
    app: App,
    caller: Caller,
    encoding: Encoding,
    outbox: Outbox,
    subscriptions: HashMap<Channel, Subscription>,
}

pub async fn serve(app: App, socket: Socket, early: Option<Result<Caller, Problem>>, encoding: Encoding) {
    metrics::gauge!("troupe_sessions", "kind" => "events").increment(1.0);
    let outbox = Outbox::new(app.config().limits.outbox_bytes_max);
    let Socket { mut reader, writer } = socket;
    let writing = writer.write(&outbox, |frame| encoding.encode(frame));
    let reading = read(app, &mut reader, early, encoding, outbox.clone());
    wire::run(reading, writing, &outbox).await;
    reader.linger().await;
    metrics::gauge!("troupe_sessions", "kind" => "events").decrement(1.0);
}

/// Until the client is gone (`None`) or must go.
async fn read(
    app: App,
    reader: &mut Reader,
    early: Option<Result<Caller, Problem>>,
    encoding: Encoding,
    outbox: Outbox,
) -> Option<Close> {
    let caller = match early {
        Some(caller) => caller,
        None => match first_message(&app, reader, encoding).await {
            Ok(caller) => caller,
            Err(close) => return close,
        },
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(problem) => return Some(refusal(&problem)),
    };
    outbox.push(message::authorized(&caller));
    let span = tracing::info_span!("events", tenant.id = %caller.tenant);
    Session { app, caller, encoding, outbox, subscriptions: HashMap::new() }.run(reader).instrument(span).await
}

/// The first message must authorise, and soon [SYNC-17].
async fn first_message(
    app: &App,
    reader: &mut Reader,
    encoding: Encoding,
) -> Result<Result<Caller, Problem>, Option<Close>> {
    let seconds = app.config().limits.authenticate_timeout_s;
    let incoming = tokio::select! {
        incoming = timeout(Duration::from_secs(seconds), reader.next()) => incoming,
        () = app.sessions().stopping.cancelled() => return Err(Some(Close::restarting())),
    };
    let unauthenticated = |reason: String| Err(Some(Close::new(wire::UNAUTHENTICATED, reason)));
    match incoming {
        Err(_) => unauthenticated(format!("the first message must authorise, within {seconds} seconds")),
        Ok(Incoming::Gone) => Err(None),
        Ok(Incoming::Close(close)) => Err(Some(close)),
        Ok(incoming) => match encoding.decode(&incoming) {
            Ok(ClientMessage::Authorization { token }) => Ok(authenticate::by_token(app, &token).await),
            _ => unauthenticated("the first message must be {\"type\":\"authorization\",\"token\":…}".to_owned()),
        },
    }
}

impl Session {
    async fn run(mut self, reader: &mut Reader) -> Option<Close> {
        let mut recheck = interval(RECHECK_EVERY);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Skip);
        recheck.tick().await;
        loop {
            let expires_in = self.caller.access.expires.since(self.app.clock().now());
            let incoming = tokio::select! {
                incoming = reader.next() => incoming,
                () = self.app.sessions().stopping.cancelled() => return Some(Close::restarting()),
                () = tokio::time::sleep(expires_in) => {
                    return Some(Close::new(wire::UNAUTHENTICATED, "the access token has expired"));
                }
                _ = recheck.tick() => {
                    if let Err(close) = self.recheck().await {
                        return Some(close);
                    }
                    continue;
                }
            };
            match incoming {
                Incoming::Gone => return None,
                Incoming::Close(close) => return Some(close),
                incoming => match self.encoding.decode(&incoming) {
                    Ok(message) => {
                        if let Err(close) = self.handle(message).await {
                            return Some(close);
                        }
                    }
                    Err(reason) => self.say(message::error("malformed", &reason, None)),
                },
            }
        }
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
        let caller = authenticate::by_token(&self.app, token).await.map_err(|problem| refusal(&problem))?;
        if (caller.tenant, caller.user) != (self.caller.tenant, self.caller.user) {
            return Err(Close::new(wire::FORBIDDEN, "a session stays with the user who opened it"));
        }
        self.caller = caller;
        self.say(message::authorized(&self.caller));
        Ok(())
    }

    async fn recheck(&mut self) -> Result<(), Close> {
        match authenticate::by_access(&self.app, self.caller.access).await {
            Ok(caller) => self.caller = caller,
            // A store that is away for a moment ends no session.
            Err(problem) if problem.status().is_server_error() => return Ok(()),
            Err(problem) => return Err(refusal(&problem)),
        }
        policy::check(&self.caller, READ).map_err(|problem| refusal(&problem))
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
        policy::check(&self.caller, READ)?;
        let tenant = self.caller.tenant;
        let mut tx = self.app.store().read(tenant).await?;
        let found = match channel {
            Channel::Workflow(id) => workflows::find(&mut tx, id).await?.is_some(),
            Channel::Run(id) | Channel::RunLog(id) => runs::find(&mut tx, id).await?.is_some(),
        };
        drop(tx);
        if !found {
            return Err(Problem::not_found("channel"));
        }
        Ok(self.app.system().subscribe(tenant, channel, last_seq, self.outbox.clone()).await?)
    }

    fn say(&self, frame: OutFrame) {
        self.outbox.push(frame);
    }
}

fn refusal(problem: &Problem) -> Close {
    let code = match problem.status().as_u16() {
        401 => wire::UNAUTHENTICATED,
        403 => wire::FORBIDDEN,
        _ => wire::TRY_AGAIN,
    };
    Close::new(code, problem.detail())
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
