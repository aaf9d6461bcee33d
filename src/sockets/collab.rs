//! `GET /collab/{workflow}`: y-protocols frames between a session and its canvas [SYNC-1].
//!
//! Auth by one-use ticket or by header. Whatever is refused is refused by a close code, which browsers can see.

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use tracing::Instrument;
use troupe_actors::{Close, OutFrame};
use troupe_model::WorkflowId;

use super::{
    frame::Message,
    member::{self, Member, RECHECK_EVERY},
    upgrade::{Socket, Upgrade},
    wire::{self, Incoming, Reader},
};
use crate::{
    app::App,
    auth::{Caller, authenticate},
    http::path::{Path, Query},
    problem::Problem,
};

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
    upgrade: Upgrade,
) -> Response {
    let acks = params.ack.as_deref() == Some("1");
    let admitted = admit(&app, workflow, params.ticket.as_deref(), &headers).await;
    let frame_bytes_max = app.config().limits.frame_bytes_max;
    let tasks = app.sessions().tasks.clone();
    upgrade.serve(frame_bytes_max, move |socket| {
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
        (Some(ticket), _) => member::by_ticket(app, ticket, workflow).await,
        (None, Some(token)) => authenticate::by_token(app, token).await,
        (None, None) => Err(Problem::unauthenticated("this needs a ticket or an access token")),
    };
    let caller = caller.map_err(|problem| member::refusal(&problem))?;
    member::admit(app, &caller, workflow).await?;
    Ok(caller)
}

async fn join(app: App, socket: Socket, caller: Caller, workflow: WorkflowId, acks: bool) {
    match Member::join(&app, caller, workflow, acks).await {
        Err(close) => wire::refuse(socket, close).await,
        Ok(member) => serve(&app, socket, &member).await,
    }
}

async fn serve(app: &App, socket: Socket, member: &Member) {
    let Socket { mut reader, writer } = socket;
    let outbox = member.outbox();
    wire::run(read(app, &mut reader, member), writer.write(outbox, encode), outbox).await;
    reader.linger().await;
}

/// A canvas sends nothing but sync frames; an event would be text.
fn encode(frame: OutFrame) -> Message {
    match frame {
        OutFrame::Sync(bytes) => Message::Binary(bytes),
        OutFrame::Event(frame) => wire::text(&frame),
    }
}

/// Until the client is gone (`None`) or must go.
async fn read(app: &App, reader: &mut Reader, member: &Member) -> Option<Close> {
    let mut recheck = wire::every(RECHECK_EVERY);
    let mut stopping = std::pin::pin!(app.sessions().stopping.cancelled());
    loop {
        let incoming = tokio::select! {
            incoming = reader.next() => incoming,
            () = &mut stopping => return Some(Close::restarting()),
            _ = recheck.tick() => match member.recheck(app).await {
                Ok(()) => continue,
                Err(close) => return Some(close),
            },
        };
        match incoming {
            Incoming::Binary(frame) => {
                if let Err(close) = member.send(frame).await {
                    return Some(close);
                }
            }
            Incoming::Text(_) => return Some(wire::binary_only()),
            Incoming::Gone => return None,
            Incoming::Close(close) => return Some(close),
        }
    }
}
