//! Memory that clients make the server hold: it is lent, in shares, and who is slow gives way to who waits.

use std::{net::SocketAddr, time::Duration};

use futures::SinkExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;
use troupe_crdt::wire;
use yrs::{Doc, Map, Text, TextPrelim, Transact};

use crate::{
    app::{Answer, Client, TestApp},
    sockets::{closed, collab, connect, next},
};

const MIB: usize = 1 << 20;
/// Who is slow gives way after 5 s.
const WITHIN: Duration = Duration::from_secs(15);

async fn tcp(app: &TestApp) -> TcpStream {
    let address: SocketAddr = app.base.trim_start_matches("http://").parse().unwrap();
    TcpStream::connect(address).await.unwrap()
}

/// The head of a request of somebody who is signed in.
fn head(client: &Client, method: &str, path: &str, bytes: usize) -> String {
    let token = client.token.as_deref().unwrap();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {bytes}\r\n\r\n"
    )
}

/// Everything that comes until the connection is closed.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // One that is cut is reset.
    let _ = timeout(WITHIN, stream.read_to_end(&mut bytes)).await.expect("the server closes");
    bytes
}

fn notes(bytes: usize) -> Value {
    json!({ "nodes": [], "edges": [], "notes": { "n": "x".repeat(bytes) } })
}

async fn put(client: &Client, workflow: &str, diagram: &Value) -> reqwest::Response {
    let path = format!("/api/v1/workflows/{workflow}/diagram");
    client.request(Method::PUT, &path).json(diagram).send().await.unwrap()
}

/// [SEC-1] Nobody lends to strangers: what they send is small, as a body and as a message.
#[tokio::test]
async fn strangers_send_little() {
    let app = TestApp::start().await;
    let body = json!({ "email": "ann@example.com", "password": "x".repeat(40_000) });
    app.anonymous().post("/api/v1/auth/login", &body).await.problem(413, "body_too_large").await;
    let mut socket = connect(&format!("{}/collab", app.ws())).await;
    socket.send(Message::binary(vec![0; 40_000])).await.unwrap();
    assert_eq!(closed(&mut socket).await.0, 4400);
}

/// [REL-12] A body that does not come to its end holds its user's share. Who waits for it is served soon, and nobody else
/// waits.
#[tokio::test]
async fn half_a_body_gives_way() {
    let app = TestApp::with(|config| {
        config.demo.enabled = false;
        config.limits.large_frames_bytes_max = MIB;
    })
    .await;
    let (ann, eve) = (app.tenant("ann").await, app.tenant("eve").await);
    let bob = app.person(&ann, "bob", "member").await;
    let (workflow, other) = (ann.workflow("w").await, eve.workflow("w").await);
    let mut half = tcp(&app).await;
    let path = format!("/api/v1/workflows/{workflow}/diagram");
    half.write_all(head(&ann, "PUT", &path, 100_000).as_bytes()).await.unwrap();
    half.write_all(&[b' '; 90_000]).await.unwrap();
    // It has come when a second of the same kind has to wait.
    let diagram = notes(100_000);
    while timeout(Duration::from_millis(300), put(&bob, &workflow, &diagram)).await.is_ok() {}
    timeout(Duration::from_secs(3), put(&eve, &other, &diagram)).await.unwrap().body_of(StatusCode::OK).await;
    timeout(WITHIN, put(&bob, &workflow, &diagram)).await.unwrap().body_of(StatusCode::OK).await;
    let answer = String::from_utf8(rest(&mut half).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

/// [REL-12] An answer that nobody reads gives way to who waits for its memory.
#[tokio::test]
async fn an_unread_answer_gives_way() {
    let app = TestApp::with(|config| {
        config.demo.enabled = false;
        config.limits.answers_bytes_max = MIB;
    })
    .await;
    let ann = app.tenant("ann").await;
    let bob = app.person(&ann, "bob", "viewer").await;
    let workflow = ann.workflow("w").await;
    // More than a connection holds by itself.
    let bytes = 12 * MIB;
    put(&ann, &workflow, &notes(bytes)).await.body_of(StatusCode::OK).await;
    let path = format!("/api/v1/workflows/{workflow}/diagram");
    let mut unread = tcp(&app).await;
    unread.write_all(head(&ann, "GET", &path, 0).as_bytes()).await.unwrap();
    let mut begun = [0; 12];
    unread.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    let read = timeout(WITHIN, bob.get(&path)).await.unwrap().body_of(StatusCode::OK).await;
    assert_eq!(read["notes"]["n"].as_str().map(str::len), Some(bytes));
    assert!(rest(&mut unread).await.len() < bytes, "the connection is closed");
}

/// An update that refers to another, which never comes.
fn waits_for_another(client: u64, bytes: usize) -> Vec<u8> {
    let doc = Doc::with_client_id(client);
    let notes = doc.get_or_insert_map("notes");
    let text = notes.insert(&mut doc.transact_mut(), "n", TextPrelim::new("x"));
    let mut txn = doc.transact_mut();
    text.insert(&mut txn, 1, &"y".repeat(bytes));
    wire::update(&txn.encode_update_v1())
}

/// [SYNC-4, SYNC-17] Updates that wait for others take their user's share, of all sessions together; beyond it a session
/// is told to come back. Others have theirs.
#[tokio::test]
async fn what_waits_takes_its_users_share() {
    let app = TestApp::with(|config| {
        config.demo.enabled = false;
        config.limits.waiting_bytes_max = 400 << 10;
    })
    .await;
    let ann = app.tenant("ann").await;
    let bob = app.person(&ann, "bob", "member").await;
    let workflow = ann.workflow("w").await;
    let mut sockets = Vec::new();
    for client in 0..2 {
        let mut socket = collab(&app, &ann, &workflow).await;
        socket.send(Message::binary(waits_for_another(client + 10, 20 << 10))).await.unwrap();
        sockets.push(socket);
    }
    let mut third = collab(&app, &ann, &workflow).await;
    third.send(Message::binary(waits_for_another(12, 20 << 10))).await.unwrap();
    assert_eq!(closed(&mut third).await.0, 1013);
    let mut of_bob = collab(&app, &bob, &workflow).await;
    of_bob.send(Message::binary(waits_for_another(13, 20 << 10))).await.unwrap();
    of_bob.send(Message::binary(vec![0, 2, 5, 1, 1])).await.unwrap();
    assert_eq!(closed(&mut of_bob).await.0, 4400, "only what comes after it is refused");
    drop(sockets);
}

/// [REL-12] When open canvases take what they may, no large one is opened and none grows by much; small ones go on, and
/// whoever closes one makes room.
#[tokio::test]
async fn open_canvases_take_so_much() {
    let app = TestApp::with(|config| {
        config.demo.enabled = false;
        config.limits.canvases_bytes_max = Some(10 * MIB);
        config.limits.idle_canvases_bytes_max = 0;
    })
    .await;
    let ann = app.tenant("ann").await;
    let (first, second) = (ann.workflow("first").await, ann.workflow("second").await);
    let diagram = |workflow: &str| format!("/api/v1/workflows/{workflow}/diagram");
    let are_open = async |count: usize| {
        let gauge = format!("troupe_open_canvases {count}\n");
        timeout(WITHIN, async { while !app.metrics().await.contains(&gauge) {} }).await.expect("they are unloaded");
    };
    // Each takes most of a tenant's half.
    for workflow in [&first, &second] {
        put(&ann, workflow, &notes(MIB)).await.body_of(StatusCode::OK).await;
        are_open(0).await;
    }
    let mut open = collab(&app, &ann, &first).await;
    next(&mut open).await;
    ann.get(&diagram(&second)).await.problem(503, "unavailable").await;
    let mut refused = collab(&app, &ann, &second).await;
    assert_eq!(closed(&mut refused).await.0, 1013);
    let small = ann.workflow("small").await;
    put(&ann, &small, &notes(1_000)).await.body_of(StatusCode::OK).await;
    put(&ann, &small, &notes(MIB)).await.problem(503, "unavailable").await;
    open.close(None).await.unwrap();
    are_open(0).await;
    // It is tried again after a pause.
    let served = async { while ann.get(&diagram(&second)).await.status() != StatusCode::OK {} };
    timeout(WITHIN, served).await.unwrap();
}
