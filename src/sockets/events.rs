//! `GET /ws`: event channels as JSON text frames, or MessagePack under the subprotocol `troupe.msgpack` [WS-1].

mod message;
mod session;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;

use self::message::Encoding;
use super::upgrade::Upgrade;
use crate::{
    app::App,
    auth::{authenticate, ticket::Purpose},
    http::path::Query,
    problem::Problem,
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
    let early = match (params.ticket, authenticate::bearer(&headers)) {
        (Some(ticket), _) => Some(match app.tickets().redeem(&ticket, Purpose::Events, app.clock().now()) {
            Some(access) => authenticate::by_access(&app, access).await,
            None => Err(Problem::unauthenticated("this ticket is spent, too old, or for something else")),
        }),
        (None, Some(token)) => Some(authenticate::by_token(&app, token).await),
        (None, None) => None,
    };
    let upgrade = upgrade.choose(MSGPACK);
    let encoding = match upgrade.chosen() {
        Some(_) => Encoding::MessagePack,
        None => Encoding::Json,
    };
    let tasks = app.sessions().tasks.clone();
    upgrade.serve(FRAME_BYTES_MAX, move |socket| tasks.track_future(session::serve(app, socket, early, encoding)))
}
