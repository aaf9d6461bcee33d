//! Broken bytes at a live server, while others work: nobody else notices [REL-7] [SYNC-4].
//!
//! Seeded; `troupe_fuzz` has the frames and how they are broken.

use futures::SinkExt;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use troupe_fuzz::{mutation::mutated, seeds};

use crate::{
    app::{Client, TestApp},
    convergence::{
        document::{Document, Edit},
        link::{Link, settle},
        rust::Rust,
        yjs::{Node, Yjs},
    },
    sockets::{Socket, collab, connect, next},
};

const ROUNDS: usize = 150;
const FRAMES: usize = 8;
const REQUESTS: usize = 300;
const QUERY_AWARENESS: [u8; 1] = [3];
/// SyncStep1 with an empty state vector.
const QUESTION: [u8; 4] = [0, 0, 1, 0];

/// Sends broken frames until it is sent away, or none is left. Gives the code with which it was sent away.
async fn attack(socket: &mut Socket, frames: Vec<Vec<u8>>) -> Option<u16> {
    for frame in frames {
        if socket.send(Message::binary(frame)).await.is_err() {
            break;
        }
    }
    // The answer says that all before it was read.
    let _ = socket.send(Message::binary(QUERY_AWARENESS.to_vec())).await;
    let _ = socket.send(Message::binary(QUESTION.to_vec())).await;
    loop {
        match next(socket).await {
            Message::Close(close) => return Some(close.unwrap().code.into()),
            Message::Binary(frame) if frame.starts_with(&[0, 1]) => return None,
            _ => {}
        }
    }
}

async fn people(app: &TestApp, owner: &Client, workflow: &str) -> Vec<Link> {
    let node = Node::start();
    let mut people = vec![
        Link::new(Document::Rust(Rust::open(100_000_001))),
        Link::new(Document::Rust(Rust::open(100_000_002))),
        Link::new(Document::Yjs(Yjs::open(node, 100_000_003).await)),
    ];
    for person in &mut people {
        person.connect(app, owner, workflow).await;
    }
    people
}

/// [SYNC-4] [REL-7] Sessions that send broken frames are sent away; those who edit meanwhile stay, and all of them, who
/// comes later, and the store have one document.
#[tokio::test]
async fn broken_frames_disturb_nobody() {
    let app = TestApp::start().await;
    let owner = app.tenant("ann").await;
    let workflow = owner.workflow("w").await;
    let mut people = people(&app, &owner, &workflow).await;
    let mut random = StdRng::seed_from_u64(7);
    let corpus = seeds::frames();
    let mut sent_away = 0;
    for _ in 0..ROUNDS {
        for person in &mut people {
            person.edit(&Edit::random(&mut random)).await;
            person.send().await;
        }
        let mut socket = collab(&app, &owner, &workflow).await;
        let frames = (0..random.random_range(1..FRAMES)).map(|_| mutated(&mut random, &corpus)).collect();
        if let Some(code) = attack(&mut socket, frames).await {
            assert_eq!(code, 4400);
            sent_away += 1;
        }
        for person in &mut people {
            person.hear(FRAMES).await;
            assert!(person.is_connected(), "an honest person was sent away");
        }
    }
    assert!(sent_away > ROUNDS / 2, "only {sent_away} of {ROUNDS} were told from honest people");
    people.push(Link::new(Document::Rust(Rust::open(100_000_004))));
    settle(&mut people, &app, &owner, &workflow).await;
    let expected = people[0].document.json().await;
    for person in &mut people {
        assert_eq!(person.document.json().await, expected);
    }
    app.stop().await;
}

/// [REL-7] [CANVAS-8] Broken files and diagrams are refused in words, or taken; the server does not fail.
#[tokio::test]
async fn broken_files_are_no_failures() {
    let app = TestApp::start().await;
    let owner = app.tenant("ann").await;
    let workspace = owner.create("/api/v1/workspaces", json!({ "name": "W" })).await;
    let workflow = owner.create("/api/v1/workflows", json!({ "workspace_id": workspace, "name": "w" })).await;
    let mut random = StdRng::seed_from_u64(7);
    let corpus = seeds::of("diagram");
    for _ in 0..REQUESTS {
        let body = mutated(&mut random, &corpus);
        let import = [br#"{"workspace_id":""#, workspace.as_bytes(), br#"","file":"#, &body, b"}"].concat();
        for (method, path, body) in [
            (Method::PUT, format!("/api/v1/workflows/{workflow}/diagram"), body),
            (Method::POST, "/api/v1/workflows/import".to_owned(), import),
        ] {
            let request = owner.request(method, &path).header("content-type", "application/json").body(body.clone());
            let status = request.send().await.unwrap().status();
            assert!(!status.is_server_error(), "{status} for {path}: {}", String::from_utf8_lossy(&body));
        }
    }
    app.stop().await;
}

/// [REL-7] [WS-1] Broken messages on the event socket are told, and end nothing.
#[tokio::test]
async fn broken_messages_are_told() {
    let app = TestApp::start().await;
    let owner = app.tenant("ann").await;
    let ticket = owner.ticket(json!({ "purpose": "events" })).await;
    let mut socket = connect(&format!("{}/ws?ticket={ticket}", app.ws())).await;
    next(&mut socket).await;
    let mut random = StdRng::seed_from_u64(7);
    let corpus: Vec<Vec<u8>> = [
        r#"{"type":"subscribe","channel":"run:01920000-0000-7000-8000-000000000000","last_seq":7}"#,
        r#"{"type":"subscribe","channel":"workflow:x"}"#,
        r#"{"type":"unsubscribe","channel":"run-log:"}"#,
        r#"{"type":"heartbeat"}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    for _ in 0..REQUESTS {
        let message = String::from_utf8_lossy(&mutated(&mut random, &corpus)).into_owned();
        socket.send(Message::text(message.clone())).await.unwrap();
        let Message::Text(answer) = next(&mut socket).await else { panic!("the socket was closed at {message}") };
        assert!(answer.contains("\"type\""), "{message}: {answer}");
    }
    app.stop().await;
}
