//! `GET /collab/{workflow}`: y-protocols frames between a session and its canvas [SYNC-1].
//!
//! Auth by one-use ticket or by header. Whatever is refused is refused by a close code, which browsers can see.

use std::time::Duration;

use axum::{
    extract::{State, WebSocketUpgrade, ws::Message, ws::WebSocket},
    http::HeaderMap,
    response::Response,
};
use futures::StreamExt;
use serde::Deserialize;
use tokio::time::{MissedTickBehavior, interval};
use tracing::Instrument;
use troupe_actors::{CanvasSession, Close, JoinCanvas, OutFrame, Unavailable};
use troupe_crdt::{Access, UserTag};
use troupe_model::{SessionId, WorkflowId};
use troupe_store::workflows;

use super::wire::{self, Incoming, Reader};
use crate::{
    api::auth::color,
    app::App,
    auth::{Caller, authenticate, ticket::Purpose},
    http::path::{Path, Query},
    policy::{self, Level, Object, Permission},
    problem::Problem,
};

const READ: Permission = Permission { object: Object::Workflow, level: Level::Read };
const WRITE: Permission = Permission { object: Object::Workflow, level: Level::Write };
/// Who may still be here, and is the workflow still there?
const RECHECK_EVERY: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize)]
pub struct Params {
    ticket: Option<String>,
    /// `1`: the client understands acknowledgements [SYNC-3].
    ack: Option<String>,
}

pub async fn open(
    State(app): State<App>,
    Path(workflow): Path<WorkflowId>,
    Query(params): Query<Params>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let acks = params.ack.as_deref() == Some("1");
    let admitted = admit(&app, workflow, params.ticket.as_deref(), &headers).await;
    let frame_bytes_max = app.config().limits.frame_bytes_max;
    let tasks = app.sessions().tasks.clone();
    wire::sized(upgrade, frame_bytes_max).on_upgrade(move |socket| {
        tasks.track_future(async move {
            match admitted {
                Err(close) => wire::refuse(socket, close).await,
                Ok(caller) => {
                    let span = tracing::info_span!("collab", tenant.id = %caller.tenant, workflow.id = %workflow);
                    join(app, socket, caller, workflow, acks).instrument(span).await;
                }
            }
        })
    })
}

async fn admit(app: &App, workflow: WorkflowId, ticket: Option<&str>, headers: &HeaderMap) -> Result<Caller, Close> {
    let caller = match (ticket, authenticate::bearer(headers)) {
        (Some(ticket), _) => match app.tickets().redeem(ticket, Purpose::Collab(workflow), app.clock().now()) {
            Some(access) => authenticate::by_access(app, access).await,
            None => Err(Problem::unauthenticated("this ticket is spent, too old, or for something else")),
        },
        (None, Some(token)) => authenticate::by_token(app, token).await,
        (None, None) => Err(Problem::unauthenticated("this needs a ticket or an access token")),
    };
    let caller = caller.map_err(|problem| refusal(&problem))?;
    recheck(app, &caller, workflow).await?;
    Ok(caller)
}

/// Whether the caller may (still) read a workflow that is (still) there.
async fn recheck(app: &App, caller: &Caller, workflow: WorkflowId) -> Result<(), Close> {
    policy::check(caller, READ).map_err(|problem| refusal(&problem))?;
    let found = async {
        let mut tx = app.store().read(caller.tenant).await?;
        workflows::find(&mut tx, workflow).await
    };
    match found.await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Close::new(wire::GONE, "there is no such workflow, or you may not see it")),
        Err(error) => Err(refusal(&Problem::from(error))),
    }
}

fn refusal(problem: &Problem) -> Close {
    let code = match problem.status().as_u16() {
        401 => wire::UNAUTHENTICATED,
        403 => wire::FORBIDDEN,
        404 => wire::GONE,
        _ => wire::TRY_AGAIN,
    };
    Close::new(code, problem.detail())
}

async fn join(app: App, socket: WebSocket, caller: Caller, workflow: WorkflowId, acks: bool) {
    let access = if policy::allows(caller.role, WRITE) { Access::ReadWrite } else { Access::ReadOnly };
    let user = UserTag { id: caller.user, name: caller.name.clone(), color: color(caller.user).to_owned() };
    let session = SessionId::generate();
    let join = JoinCanvas { session, user_id: caller.user, user, access, acks };
    match app.system().join_canvas(caller.tenant, workflow, join).await {
        Err(error) => wire::refuse(socket, unavailable(&error)).await,
        Ok(session) => {
            metrics::gauge!("troupe_sessions", "kind" => "collab").increment(1.0);
            serve(&app, socket, &caller, workflow, &session).await;
            metrics::gauge!("troupe_sessions", "kind" => "collab").decrement(1.0);
        }
    }
}

fn unavailable(error: &Unavailable) -> Close {
    match error {
        Unavailable::Draining => Close::restarting(),
        error => {
            tracing::warn!(%error, "a session could not join its canvas");
            Close::new(wire::TRY_AGAIN, "the canvas cannot be opened just now; reconnect in a moment")
        }
    }
}

async fn serve(app: &App, socket: WebSocket, caller: &Caller, workflow: WorkflowId, session: &CanvasSession) {
    let (sink, stream) = socket.split();
    let mut incoming = Reader::new(stream, app.config().limits.frame_bytes_max);
    let outbox = session.outbox();
    let reading = read(app, &mut incoming, caller, workflow, session);
    wire::run(reading, wire::write(sink, outbox, encode), outbox).await;
    incoming.linger().await;
}

/// A canvas sends nothing but sync frames; an event would be text.
fn encode(frame: OutFrame) -> Message {
    match frame {
        OutFrame::Sync(bytes) => Message::Binary(bytes),
        OutFrame::Event(frame) => wire::text(&frame),
    }
}

/// Until the client is gone (`None`) or must go.
async fn read(
    app: &App,
    reader: &mut Reader,
    caller: &Caller,
    workflow: WorkflowId,
    session: &CanvasSession,
) -> Option<Close> {
    let mut recheck_tick = interval(RECHECK_EVERY);
    recheck_tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    recheck_tick.tick().await;
    loop {
        let incoming = tokio::select! {
            incoming = reader.next() => incoming,
            () = app.sessions().stopping.cancelled() => return Some(Close::restarting()),
            _ = recheck_tick.tick() => {
                let now = match authenticate::by_access(app, caller.access).await {
                    Ok(caller) => recheck(app, &caller, workflow).await,
                    Err(problem) => Err(refusal(&problem)),
                };
                // A store that is away for a moment ends no session.
                match now {
                    Err(close) if close.code != wire::TRY_AGAIN => return Some(close),
                    _ => continue,
                }
            }
        };
        match incoming {
            Incoming::Binary(frame) => {
                if !session.send(frame).await {
                    return Some(Close::new(wire::TRY_AGAIN, "the canvas was closed; reconnect in a moment"));
                }
            }
            Incoming::Text(_) => return Some(Close::new(wire::MALFORMED, "this socket takes binary frames only")),
            Incoming::Gone => return None,
            Incoming::Refused(close) => return Some(close),
        }
    }
}
