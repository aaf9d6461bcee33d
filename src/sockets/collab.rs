//! `GET /collab/{workflow}`: y-protocols frames between a session and its canvas [SYNC-1].
//!
//! Auth by one-use ticket or by header. Whatever is refused is refused by a close code, which browsers can see.

use std::{pin::pin, sync::Arc};

use axum::{extract::State, http::HeaderMap, response::Response};
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::Notify;
use tracing::Instrument;
use troupe_actors::{Close, Loan, OutFrame};
use troupe_crdt::wire as protocol;
use troupe_model::WorkflowId;

use super::{
    code,
    frame::{Message, Sizes},
    member::{self, Framing, Member},
    parts::Parts,
    upgrade::{Socket, Upgrade},
    visitor::{RECHECK_EVERY, Visitor},
    wire::{self, Incoming, Reader},
};
use crate::{
    app::App,
    auth::{authenticate, ticket::Purpose},
    http::path::{Path, Query},
};

#[derive(Debug, Deserialize)]
pub struct Params {
    ticket: Option<String>,
    /// `1`: the client understands acknowledgements [SYNC-3].
    ack: Option<String>,
    /// The document epoch of the copy that the client has: another one is refused with 4409 [SYNC-15].
    epoch: Option<i64>,
}

pub async fn open(
    State(app): State<App>,
    Path(workflow): Path<WorkflowId>,
    Query(params): Query<Params>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    let framing = Framing { acks: params.ack.as_deref() == Some("1"), document_epoch: params.epoch };
    let wake = Arc::new(Notify::new());
    let admitted = admit(&app, workflow, params.ticket.as_deref(), &headers, &wake).await;
    let sizes = Sizes::canvas(&app.config().limits);
    let tasks = app.sessions().tasks.clone();
    upgrade.serve(sizes, move |socket| {
        tasks.track_future(async move {
            match admitted {
                Err(close) => Box::pin(socket.refuse(close)).await,
                Ok(visitor) => {
                    let tenant = visitor.caller().tenant;
                    let span = tracing::info_span!("collab", tenant.id = %tenant, workflow.id = %workflow);
                    // Boxed, here and below: what is over in a moment takes no room in the task of a silent session.
                    let joined = Member::join(&app, visitor, workflow, framing).instrument(span.clone());
                    match Box::pin(joined).await {
                        Err(close) => Box::pin(socket.refuse(close)).await,
                        Ok(member) => Box::pin(serve(&app, socket, member, &wake)).instrument(span).await,
                    }
                }
            }
        })
    })
}

async fn admit(
    app: &App,
    workflow: WorkflowId,
    ticket: Option<&str>,
    headers: &HeaderMap,
    wake: &Arc<Notify>,
) -> Result<Visitor, Close> {
    let visitor = match (ticket, authenticate::bearer(headers)) {
        (Some(ticket), _) => Visitor::by_ticket(app, ticket, Purpose::Collab(workflow), wake).await?,
        (None, Some(token)) => Visitor::by_token(app, token, wake).await?,
        (None, None) => return Err(Close::new(code::UNAUTHENTICATED, "this needs a ticket or an access token")),
    };
    member::admit(app, visitor.caller(), workflow).await?;
    Ok(visitor)
}

#[expect(clippy::manual_async_fn, reason = "what an async function is given takes its room twice")]
fn serve(app: &App, mut socket: Socket, mut member: Member, wake: &Notify) -> impl Future<Output = ()> + Send {
    async move {
        let outbox = member.outbox().clone();
        {
            let reading = pin!(read(app, &mut socket.reader, &mut member, wake));
            let writing = pin!(socket.writer.write(&outbox, encode));
            wire::run(reading, writing, &outbox).await;
        }
        // The others see at once that they left.
        drop(member);
        socket.reader.linger().await;
    }
}

/// A canvas sends nothing but sync frames; an event would be text.
fn encode(frame: OutFrame) -> Message {
    match frame {
        OutFrame::Sync(bytes) => Message::Binary(bytes),
        OutFrame::Event(frame) => wire::text(&frame),
    }
}

/// Until the client is gone (`None`) or must go.
async fn read(app: &App, reader: &mut Reader, member: &mut Member, wake: &Notify) -> Option<Close> {
    let (mut recheck, mut reassure) = (wire::every(RECHECK_EVERY), None);
    let mut parts = Parts::default();
    let mut stopping = pin!(app.sessions().stopping.cancelled());
    let mut woken = pin!(wake.notified());
    loop {
        let incoming = tokio::select! {
            incoming = reader.next(), if !parts.is_waiting() => Some(incoming),
            whole = parts.lent(), if parts.is_waiting() => whole.map(|(bytes, loan)| Incoming::Binary(bytes, Some(loan))),
            () = wire::tick(&mut reassure, wire::REASSURE_EVERY), if reader.is_taking_large() || parts.is_taking() => {
                if reader.is_too_slow() || parts.is_too_slow() {
                    return Some(wire::arrives_too_slowly());
                }
                member.outbox().push(OutFrame::Sync(Bytes::from_static(wire::REASSURANCE)));
                None
            }
            () = &mut stopping => return Some(Close::restarting()),
            () = &mut woken => {
                woken.set(wake.notified());
                None
            }
            _ = recheck.tick() => None,
        };
        let done = match incoming {
            None => member.follow(app).await,
            Some(Incoming::Binary(frame, loan)) => Box::pin(forward(app, member, &mut parts, frame, loan)).await,
            Some(Incoming::NeedsLoan(bytes)) => {
                reader.lend(bytes, member.lender(app));
                Ok(())
            }
            Some(Incoming::Text(_)) => Err(wire::binary_only()),
            Some(Incoming::Gone) => return None,
            Some(Incoming::Close(close)) => Err(close),
        };
        if let Err(close) = done {
            return Some(close);
        }
    }
}

async fn forward(
    app: &App,
    member: &mut Member,
    parts: &mut Parts,
    frame: Bytes,
    loan: Option<Loan>,
) -> Result<(), Close> {
    if member.is_stale() {
        member.follow(app).await?;
    }
    match protocol::part(&frame).map_err(|malformed| Close::new(code::MALFORMED, malformed.to_string()))? {
        None => member.send(frame, loan).await,
        Some((part, remaining)) => {
            let sizes = Sizes::canvas(&app.config().limits);
            let remaining = usize::try_from(remaining).unwrap_or(usize::MAX);
            match parts.take(frame.slice_ref(part), remaining, sizes, || member.lender(app))? {
                Some((whole, loan)) => member.send(whole, Some(loan)).await,
                None => Ok(()),
            }
        }
    }
}
