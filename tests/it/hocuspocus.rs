//! Many canvases over one socket, in Hocuspocus' framing.

use std::time::Duration;

use futures::SinkExt;
use serde_json::json;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use troupe_crdt::wire::{self, Reader, hocuspocus::PONG, write_buf, write_uint};
use troupe_store::{DatabaseConfig, Store};
use yrs::{Doc, Map, MapPrelim, Transact};

use crate::{
    app::{Client, TestApp},
    sockets::{STEP1, Socket, closed, collab, connect, next},
};

const AUTH: u64 = 2;
pub const CLOSE: &[u8] = &[7];
pub const SAVED: &[u8] = &[8, 1];
pub const READ_WRITE: &[u8] = b"\x02\x02\x0aread-write";

fn frame(document: &str, content: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    write_buf(&mut frame, document.as_bytes());
    frame.extend_from_slice(content);
    frame
}

fn auth(token: &str) -> Vec<u8> {
    let mut content = Vec::new();
    write_uint(&mut content, AUTH);
    write_uint(&mut content, 0);
    write_buf(&mut content, token.as_bytes());
    write_buf(&mut content, b"4.8.0");
    content
}

/// An update that adds a node.
pub fn edit(id: &str) -> Vec<u8> {
    let doc = Doc::new();
    let nodes = doc.get_or_insert_map("nodes");
    let mut txn = doc.transact_mut();
    nodes.insert(&mut txn, id, MapPrelim::from([("type", "custom-node")]));
    wire::update(&txn.encode_update_v1())
}

pub async fn send(socket: &mut Socket, document: &str, content: &[u8]) {
    socket.send(Message::binary(frame(document, content))).await.unwrap();
}

/// The next frame of a document.
async fn answer(socket: &mut Socket, document: &str) -> Bytes {
    loop {
        let bytes = match next(socket).await {
            Message::Binary(bytes) => bytes,
            other => panic!("{other:?}"),
        };
        let name = Reader::new(&bytes).str().unwrap();
        if name == document {
            let start = frame(document, &[]).len();
            return bytes.slice(start..);
        }
    }
}

/// The next frame of a document that is of interest.
pub async fn until(socket: &mut Socket, document: &str, wanted: impl Fn(&[u8]) -> bool) -> Bytes {
    loop {
        let content = answer(socket, document).await;
        if wanted(&content) {
            return content;
        }
    }
}

fn is_denied(content: &[u8]) -> bool {
    content.starts_with(&[2, 1])
}

/// A socket with this document open on it.
pub async fn join(app: &TestApp, client: &Client, document: &str) -> Socket {
    let mut socket = connect(&format!("{}/collab", app.ws())).await;
    open(&mut socket, client, document).await;
    socket
}

pub async fn open(socket: &mut Socket, client: &Client, document: &str) {
    send(socket, document, &auth(client.token.as_deref().unwrap())).await;
    until(socket, document, |content| content == READ_WRITE).await;
}

/// [SYNC-2, AUTH-7, TEN-1] A token or a ticket opens a document. What is refused is told, and harms no other document.
#[tokio::test]
async fn each_document_is_authenticated() {
    let app = TestApp::start().await;
    let (ann, eve) = (app.tenant("ann").await, app.tenant("eve").await);
    let (workflow, foreign) = (ann.workflow("w").await, eve.workflow("w").await);
    let mut socket = join(&app, &ann, &workflow).await;

    let ticket = ann.ticket(json!({ "purpose": "collab", "workflow_id": workflow })).await;
    let twin = format!("{workflow}\0twin");
    send(&mut socket, &twin, &auth(&ticket)).await;
    until(&mut socket, &twin, |content| content == READ_WRITE).await;
    let token = ann.token.clone().unwrap();
    let refused = [
        (format!("{workflow}\0again"), ticket.as_str()),
        (format!("{workflow}\0guess"), "a.guess.ed"),
        (format!("{workflow}\0none"), ""),
        (foreign, token.as_str()),
        ("no-workflow".to_owned(), token.as_str()),
    ];
    for (document, token) in refused {
        send(&mut socket, &document, &auth(token)).await;
        // A provider does not wait for the answer before it sends these.
        send(&mut socket, &document, &STEP1).await;
        send(&mut socket, &document, &edit("stranger")).await;
        assert!(is_denied(&answer(&mut socket, &document).await), "{document}");
    }
    send(&mut socket, &workflow, &STEP1).await;
    let reply = until(&mut socket, &workflow, |content| content.starts_with(&[0, 1])).await;
    assert_eq!(reply[..], [0, 1, 2, 0, 0]);
    app.stop().await;
}

/// [SYNC-2, SYNC-17] A socket that opens nothing in time is closed, whatever it sends; so many documents are open at once.
#[tokio::test]
async fn time_and_documents_are_bounded() {
    let app = TestApp::with(|config| {
        config.demo.enabled = false;
        config.limits.authenticate_timeout_s = 1;
        config.limits.canvases_per_socket_max = 2;
    })
    .await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let mut silent = connect(&format!("{}/collab", app.ws())).await;
    send(&mut silent, &workflow, &auth("guess")).await;
    let (code, reason) = closed(&mut silent).await;
    assert_eq!((code, reason.as_str()), (4401, "a first document must be authenticated within 1 seconds"));

    let mut socket = join(&app, &ann, &workflow).await;
    open(&mut socket, &ann, &format!("{workflow}\0second")).await;
    let third = format!("{workflow}\0third");
    send(&mut socket, &third, &auth(ann.token.as_deref().unwrap())).await;
    assert!(is_denied(&answer(&mut socket, &third).await));
    // One that is closed makes room, and one that is open may be opened anew.
    send(&mut socket, &workflow, CLOSE).await;
    open(&mut socket, &ann, &third).await;
    open(&mut socket, &ann, &third).await;
    sleep(Duration::from_secs(2)).await;
    send(&mut socket, &third, &STEP1).await;
    until(&mut socket, &third, |content| content.starts_with(&[0, 1])).await;
    app.stop().await;
}

/// [SYNC-2] Two documents on one socket are two canvases; both framings edit the same one.
#[tokio::test]
async fn documents_share_a_socket_and_nothing_else() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let (one, two) = (ann.workflow("one").await, ann.workflow("two").await);
    let mut socket = join(&app, &ann, &one).await;
    open(&mut socket, &ann, &two).await;
    let mut plain = collab(&app, &ann, &two).await;
    let (first, second) = (edit("first"), edit("second"));
    send(&mut socket, &one, &first).await;
    send(&mut socket, &two, &second).await;
    loop {
        if let Message::Binary(bytes) = next(&mut plain).await
            && let Ok(wire::Message::Update(_)) = wire::decode(&bytes)
        {
            assert_eq!(bytes, second);
            break;
        }
    }
    for document in [&one, &two] {
        until(&mut socket, document, |content| content == SAVED).await;
    }
    let third = edit("third");
    plain.send(Message::binary(third.clone())).await.unwrap();
    until(&mut socket, &two, |content| content == third).await;
    for (workflow, nodes) in [(&one, 1), (&two, 2)] {
        let diagram = ann.get(&format!("/api/v1/workflows/{workflow}/diagram")).await;
        let diagram: serde_json::Value = diagram.json().await.unwrap();
        assert_eq!(diagram["nodes"].as_array().unwrap().len(), nodes, "{diagram}");
    }
    app.stop().await;
}

/// [SYNC-2, SYNC-6] Others have an edit at once; its author is told that it is saved when it is, once for each change.
#[tokio::test]
async fn saved_means_durable() {
    let data = tempfile::tempdir().unwrap();
    let app = TestApp::with(|config| {
        config.demo.enabled = false;
        config.data_dir = data.path().to_owned();
    })
    .await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let mut author = join(&app, &ann, &workflow).await;
    let mut reader = join(&app, &ann, &workflow).await;
    send(&mut author, &workflow, &STEP1).await;
    // It is asked twice, and counts one.
    for _ in 0..2 {
        until(&mut author, &workflow, |content| content.starts_with(&[0, 0])).await;
        send(&mut author, &workflow, &wire::sync_step2(&[0, 0])).await;
    }
    assert_eq!(until(&mut author, &workflow, |content| content[0] == 8).await, SAVED);

    let store = Store::open(DatabaseConfig::sqlite(data.path().join("troupe.db"))).await.unwrap();
    let lock = store.begin_system().await.unwrap();
    let edit = edit("node");
    send(&mut author, &workflow, &edit).await;
    until(&mut reader, &workflow, |content| content == edit).await;
    let early = timeout(Duration::from_millis(500), until(&mut author, &workflow, |content| content[0] == 8)).await;
    assert!(early.is_err(), "{early:?}");
    drop(lock);
    assert_eq!(until(&mut author, &workflow, |content| content[0] == 8).await, SAVED);
    let more = timeout(Duration::from_millis(300), until(&mut author, &workflow, |content| content[0] == 8)).await;
    assert!(more.is_err(), "{more:?}");
    app.stop().await;
}

/// [SYNC-4, SYNC-17] A hostile frame closes its socket with a reason, and harms no one else.
#[tokio::test]
async fn hostile_frames_close_one_socket() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let mut witness = join(&app, &ann, &workflow).await;
    let frames = [
        Message::text("x"),
        Message::binary(vec![0; 2 * 1024 * 1024]),
        Message::binary(vec![0xff; 20]),
        Message::binary(frame(&workflow, &[])),
        Message::binary(frame(&workflow, &[0, 2, 5, 1, 1])),
        // One that the framing does not see: a client without blocks.
        Message::binary(frame(&workflow, &[0, 2, 5, 1, 0, 1, 0, 0])),
        Message::binary(frame(&workflow, &[6, 1, b'x'])),
        Message::binary(frame(&workflow, SAVED)),
    ];
    for (index, hostile) in frames.into_iter().enumerate() {
        let mut socket = join(&app, &ann, &workflow).await;
        socket.send(hostile).await.unwrap();
        let (code, reason) = closed(&mut socket).await;
        assert_eq!(code, 4400, "{index}: {reason}");
        assert!(!reason.is_empty());
    }
    send(&mut witness, &workflow, &edit("node")).await;
    until(&mut witness, &workflow, |content| content == SAVED).await;
    app.stop().await;
}

/// [SYNC-2, SYNC-9] Pings are answered; a stateless message is taken; awareness is queried and reaches both framings.
#[tokio::test]
async fn the_other_messages_have_answers() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let mut socket = connect(&format!("{}/collab", app.ws())).await;
    socket.send(Message::binary(vec![9])).await.unwrap();
    assert_eq!(next(&mut socket).await, Message::binary(PONG.to_vec()));
    open(&mut socket, &ann, &workflow).await;
    socket.send(Message::binary(PONG.to_vec())).await.unwrap();
    send(&mut socket, &workflow, &[5, 2, b'h', b'i']).await;

    let mut update = vec![1, 7, 1];
    write_buf(&mut update, br#"{"cursor":{"x":1,"y":2}}"#);
    send(&mut socket, &workflow, &wire::awareness(&update)).await;
    // Its own is echoed.
    let echo = until(&mut socket, &workflow, |content| content[0] == 1).await;
    assert!(String::from_utf8_lossy(&echo).contains("\"ann\""), "{echo:?}");
    send(&mut socket, &workflow, &[3]).await;
    assert_eq!(until(&mut socket, &workflow, |content| content[0] == 1).await, echo);
    let mut other = collab(&app, &ann, &workflow).await;
    other.send(Message::binary(vec![3])).await.unwrap();
    while next(&mut other).await != Message::binary(echo.clone()) {}
    // Who leaves takes it along, and is told nothing more.
    send(&mut socket, &workflow, CLOSE).await;
    while !matches!(next(&mut other).await, Message::Binary(bytes) if bytes.ends_with(b"null")) {}
    send(&mut socket, &workflow, &STEP1).await;
    socket.send(Message::binary(vec![9])).await.unwrap();
    assert_eq!(next(&mut socket).await, Message::binary(PONG.to_vec()));
    app.stop().await;
}

/// [SYNC-11, SYNC-12] A deleted workflow ends its document; a server that stops ends the socket, to come back.
#[tokio::test]
async fn a_deleted_workflow_ends_its_document() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let (gone, kept) = (ann.workflow("gone").await, ann.workflow("kept").await);
    let mut socket = join(&app, &ann, &gone).await;
    open(&mut socket, &ann, &kept).await;
    ann.delete(&format!("/api/v1/workflows/{gone}")).await;
    let told = until(&mut socket, &gone, |content| content.starts_with(CLOSE)).await;
    assert!(String::from_utf8_lossy(&told).contains("this workflow was deleted"));
    send(&mut socket, &gone, &edit("late")).await;
    send(&mut socket, &kept, &edit("node")).await;
    until(&mut socket, &kept, |content| content == SAVED).await;
    let (stopped, (code, _)) = tokio::join!(timeout(Duration::from_secs(10), app.stop()), closed(&mut socket));
    stopped.unwrap();
    assert_eq!(code, 1012);
}
