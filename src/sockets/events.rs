//! `GET /ws`: event channels as JSON text frames, or MessagePack under the subprotocol `troupe.msgpack` [WS-1].

mod message;
mod session;

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use tokio::sync::Notify;

use self::message::Encoding;
use super::{frame::Sizes, upgrade::Upgrade, visitor::Visitor};
use crate::{
    app::App,
    auth::{authenticate, ticket::Purpose},
    http::path::Query,
};

const MSGPACK: &str = "troupe.msgpack";
/// Clients send small messages only.
const FRAME_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Deserialize)]
pub struct Params {
    ticket: Option<String>,
}

pub async fn open(
    State(app): State<App>,
    Query(params): Query<Params>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    // `None`: the first message authorises.
    let wake = Arc::new(Notify::new());
    let early = match (params.ticket, authenticate::bearer(&headers)) {
        (Some(ticket), _) => Some(Visitor::by_ticket(&app, &ticket, Purpose::Events, &wake).await),
        (None, Some(token)) => Some(Visitor::by_token(&app, token, &wake).await),
        (None, None) => None,
    };
    let upgrade = upgrade.choose(MSGPACK);
    let encoding = match upgrade.chosen() {
        Some(_) => Encoding::MessagePack,
        None => Encoding::Json,
    };
    let tasks = app.sessions().tasks.clone();
    let serve = move |socket| tasks.track_future(session::serve(app, socket, early, wake, encoding));
    upgrade.serve(Sizes::fixed(FRAME_BYTES_MAX), serve)
}
