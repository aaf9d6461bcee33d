//! Whoever opens connections and sends nothing, or little.

use std::{net::Ipv4Addr, time::Duration};

use futures::SinkExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    app::TestApp,
    sockets::{STEP1, closed, collab, next},
};

const WITHIN: Duration = Duration::from_secs(10);
const HALF: &[u8] = b"GET /health/live HTTP/1.1\r\nhost: x\r\n";

async fn connect(app: &TestApp, from: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::new(127, 0, 0, from), 0).into()).unwrap();
    socket.connect(app.base.trim_start_matches("http://").parse().unwrap()).await.unwrap()
}

/// What comes until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A connection that is closed before all was read is reset.
    let _ = timeout(WITHIN, stream.read_to_end(&mut text)).await.expect("the server closes");
    String::from_utf8(text).unwrap()
}

async fn is_served(stream: &mut TcpStream) -> bool {
    if stream.write_all(HALF).await.is_err() || stream.write_all(b"connection: close\r\n\r\n").await.is_err() {
        return false;
    }
    rest(stream).await.starts_with("HTTP/1.1 200")
}

/// [SEC-1] A request of which half comes, or nothing, ends with its time.
#[tokio::test]
async fn half_a_request_ends() {
    let app = TestApp::with(|config| config.server.request_head_timeout_s = 1).await;
    let (mut silent, mut half) = (connect(&app, 1).await, connect(&app, 1).await);
    half.write_all(HALF).await.unwrap();
    assert!(is_served(&mut connect(&app, 1).await).await);
    rest(&mut silent).await;
    rest(&mut half).await;
    app.stop().await;
}

/// [SEC-1] Whoever opens all connections of a network keeps out that network only, and no longer than they last.
#[tokio::test]
async fn a_network_has_so_many_connections() {
    let app = TestApp::with(|config| {
        config.demo.enabled = false;
        config.server.connections_per_network_max = 3;
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&app, 9).await;
        stream.write_all(HALF).await.unwrap();
        held.push(stream);
    }
    assert!(is_served(&mut connect(&app, 8).await).await, "another network");
    assert!(!is_served(&mut connect(&app, 9).await).await);
    held.pop();
    // It is free when the server has seen the end.
    timeout(WITHIN, async { while !is_served(&mut connect(&app, 9).await).await {} }).await.unwrap();
    app.stop().await;
}

/// [SEC-1] A WebSocket holds the place of its connection until it is closed.
#[tokio::test]
async fn a_websocket_has_a_place() {
    let app = TestApp::with(|config| {
        config.demo.enabled = false;
        config.server.connections_per_network_max = 2;
    })
    .await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let mut canvas = collab(&app, &ann, &workflow).await;
    canvas.send(Message::binary(STEP1.to_vec())).await.unwrap();
    next(&mut canvas).await;
    // The client keeps one for its requests.
    assert!(!is_served(&mut connect(&app, 1).await).await);
    canvas.send(Message::binary(vec![0, 2, 5, 1, 1])).await.unwrap();
    assert_eq!(closed(&mut canvas).await.0, 4400);
    timeout(WITHIN, async { while !is_served(&mut connect(&app, 1).await).await {} }).await.unwrap();
    app.stop().await;
}
