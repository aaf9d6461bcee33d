//! The way from an HTTP request to a WebSocket: the handshake of RFC 6455.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use hyper::upgrade::{OnUpgrade, Parts as Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use troupe_actors::{Close, task};
use tungstenite::handshake::derive_accept_key;

use super::{
    frame::Sizes,
    wire::{Reader, Writer},
};
use crate::{problem::Problem, server::connections::Connection};

/// Both directions of one WebSocket.
pub struct Socket {
    pub reader: Reader,
    pub writer: Writer,
}

impl Socket {
    /// Closes one that never became a session.
    pub async fn refuse(self, close: Close) {
        self.writer.end(close).await;
        self.reader.linger().await;
    }

    /// The connection itself, without what an HTTP server has wrapped around it.
    fn new(upgraded: Upgraded<TokioIo<TcpStream>>, sizes: Sizes) -> Self {
        let (read, write) = upgraded.io.into_inner().into_split();
        let writer = Writer::new(write);
        let reader = Reader::new(read, &upgraded.read_buf, writer.pongs(), sizes);
        Self { reader, writer }
    }
}

/// A request that asks for a WebSocket.
pub struct Upgrade {
    request: OnUpgrade,
    accept: String,
    offered: Vec<HeaderValue>,
    chosen: Option<&'static str>,
    connection: Option<Connection>,
}

impl Upgrade {
    /// Agrees to a subprotocol, if the client offers it.
    pub fn choose(mut self, protocol: &'static str) -> Self {
        self.chosen = self.offered.iter().any(|offered| *offered == *protocol).then_some(protocol);
        self
    }

    pub fn chosen(&self) -> Option<&'static str> {
        self.chosen
    }

    /// Answers the request and serves the socket. `sizes`: of what the client sends.
    pub fn serve<F>(self, sizes: Sizes, serve: impl FnOnce(Socket) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (request, connection) = (self.request, self.connection);
        task::spawn("socket", async move {
            match request.await {
                Ok(upgraded) => match upgraded.downcast::<TokioIo<TcpStream>>() {
                    Ok(upgraded) => serve(Socket::new(upgraded, sizes)).await,
                    Err(_) => tracing::error!("a WebSocket came over something that is not TCP"),
                },
                Err(error) => tracing::debug!(%error, "a WebSocket was not opened after all"),
            }
            drop(connection);
        });
        let headers = [
            (header::CONNECTION, "upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_ACCEPT, &self.accept),
        ];
        let mut response = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
        if let Some(protocol) = self.chosen {
            let protocol = HeaderValue::from_static(protocol);
            response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let headers = &parts.headers;
        let asked = lists(headers, header::CONNECTION, "upgrade") && lists(headers, header::UPGRADE, "websocket");
        let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asked);
        let key = key.ok_or_else(|| Problem::bad_request("not_a_websocket", "this address is for WebSockets"))?;
        if !lists(headers, header::SEC_WEBSOCKET_VERSION, "13") {
            return Err(Problem::bad_request(
                "not_a_websocket",
                "this server speaks version 13 of the WebSocket protocol",
            ));
        }
        let offered =
            values(headers, header::SEC_WEBSOCKET_PROTOCOL).filter_map(|name| HeaderValue::from_str(name).ok());
        Ok(Self {
            accept: derive_accept_key(key.as_bytes()),
            offered: offered.collect(),
            chosen: None,
            connection: parts.extensions.remove::<Connection>(),
            request: parts.extensions.remove::<OnUpgrade>().ok_or_else(|| {
                Problem::bad_request("not_a_websocket", "this connection cannot become a WebSocket: use HTTP/1.1")
            })?,
        })
    }
}

fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().into_iter().flat_map(|value| value.split(',')).map(str::trim)
}

fn lists(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    values(headers, name).any(|value| value.eq_ignore_ascii_case(wanted))
}
