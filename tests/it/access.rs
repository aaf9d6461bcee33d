//! A change of access reaches what is open [SYNC-10, RBAC-5].

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{SinkExt, StreamExt, stream::SplitStream};
use reqwest::StatusCode;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use troupe_crdt::{
    Access, Canvas,
    wire::{self, write_buf},
};
use troupe_model::{TenantId, WorkflowId};
use troupe_store::{DatabaseConfig, Store, canvas};

use crate::{
    app::{Answer, Client, TestApp},
    hocuspocus::{self, CLOSE, READ_WRITE, SAVED, edit},
    sockets::{STEP1, Socket, closed, collab, connect, event, events, next, say},
};

/// What [SYNC-10] and [RBAC-5] allow.
const AT_ONCE: Duration = Duration::from_secs(1);
const WITHIN: Duration = Duration::from_secs(10);
/// 20 edits a second.
const EDIT_EVERY: Duration = Duration::from_millis(50);

/// A server whose store can be read beside it.
async fn start() -> (TestApp, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let app = TestApp::with(|config| {
        config.demo.enabled = false;
        config.data_dir = data.path().to_owned();
    })
    .await;
    (app, data)
}

/// The nodes in the log of a workflow.
async fn logged(data: &TempDir, owner: &Client, workflow: &str) -> Vec<String> {
    let store = Store::open(DatabaseConfig::sqlite(data.path().join("troupe.db"))).await.unwrap();
    let tenant: TenantId = owner.session["tenant"]["id"].as_str().unwrap().parse().unwrap();
    let mut tx = store.begin(tenant).await.unwrap();
    let stored = canvas::load(&mut tx, workflow.parse::<WorkflowId>().unwrap()).await.unwrap();
    assert!(stored.snapshot.is_none());
    let canvas = Canvas::open(None, stored.updates.iter().map(|update| update.bytes.as_slice())).unwrap();
    canvas.project().nodes.into_iter().map(|node| node.id).collect()
}

async fn with_acks(app: &TestApp, client: &Client, workflow: &str) -> Socket {
    let ticket = client.ticket(json!({ "purpose": "collab", "workflow_id": workflow })).await;
    connect(&format!("{}/collab/{workflow}?ack=1&ticket={ticket}", app.ws())).await
}

/// The next frame that is of interest.
async fn until(stream: &mut SplitStream<Socket>, wanted: impl Fn(&wire::Message<'_>) -> bool) -> Bytes {
    loop {
        let message = timeout(WITHIN, stream.next()).await.unwrap().unwrap().unwrap();
        if let Message::Binary(bytes) = message
            && wanted(&wire::decode(&bytes).unwrap())
        {
            return bytes;
        }
    }
}

fn session(access: Access) -> impl Fn(&wire::Message<'_>) -> bool {
    move |message| matches!(message, wire::Message::Session { access: told, .. } if *told == access)
}

/// [SYNC-10, RBAC-5] Downgraded while editing: read-only within a second, nothing that was sent after the answer is in
/// the log, what others do still comes, and an upgrade gives the pen back.
#[tokio::test]
async fn a_downgrade_reaches_an_editor_at_work() {
    let (app, data) = start().await;
    let ann = app.tenant("ann").await;
    let bob = app.person(&ann, "bob", "member").await;
    let workflow = ann.workflow("w").await;
    let mut anns = collab(&app, &ann, &workflow).await;
    let (mut sink, mut stream) = with_acks(&app, &bob, &workflow).await.split();
    assert_eq!(until(&mut stream, |_| true).await[..], wire::session(Access::ReadWrite, 0), "first of all");

    let (answered, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let typing = {
        let (answered, stop) = (answered.clone(), stop.clone());
        async move {
            let mut ticks = interval(EDIT_EVERY);
            let mut sent = 0;
            while !stop.load(Ordering::SeqCst) {
                let when = if answered.load(Ordering::SeqCst) { "late" } else { "early" };
                sink.send(Message::binary(edit(&format!("{when}-{sent}")))).await.unwrap();
                sent += 1;
                ticks.tick().await;
            }
            (sink, sent)
        }
    };
    let owner = async {
        until(&mut stream, |message| matches!(message, wire::Message::Ack(count) if *count >= 10)).await;
        ann.make(&bob, "viewer").await;
        answered.store(true, Ordering::SeqCst);
        let since = Instant::now();
        until(&mut stream, session(Access::ReadOnly)).await;
        let took = since.elapsed();
        assert!(took < AT_ONCE, "{took:?}");
        println!("read-only {took:?} after the answer");
        for _ in 0..10 {
            until(&mut stream, |message| matches!(message, wire::Message::Denied(_))).await;
        }
        let others = edit("others");
        anns.send(Message::binary(others.clone())).await.unwrap();
        until(&mut stream, |message| wire::encode(*message) == others).await;
        stop.store(true, Ordering::SeqCst);
    };
    let ((mut sink, sent), ()) = tokio::join!(typing, owner);
    sink.send(Message::binary(edit("late-last"))).await.unwrap();
    until(&mut stream, |message| *message == wire::Message::Ack(sent + 1)).await;
    ann.make(&bob, "member").await;
    until(&mut stream, session(Access::ReadWrite)).await;
    until(&mut stream, |message| matches!(message, wire::Message::SyncStep1(_))).await;
    sink.send(Message::binary(edit("again"))).await.unwrap();
    // Each frame is settled once, the refused ones too.
    until(&mut stream, |message| *message == wire::Message::Ack(sent + 2)).await;
    app.stop().await;

    let nodes = logged(&data, &ann, &workflow).await;
    let early = nodes.iter().filter(|node| node.starts_with("early")).count();
    assert!(early >= 10, "{nodes:?}");
    assert!(nodes.contains(&"others".to_owned()) && nodes.contains(&"again".to_owned()), "{nodes:?}");
    assert!(!nodes.iter().any(|node| node.starts_with("late")), "{nodes:?}");
}

/// [SYNC-10, SYNC-11, RBAC-5] Access is taken away: every session is closed within a second, and no edit that was sent
/// after the answer is in the log.
#[tokio::test]
async fn a_removal_closes_what_is_open() {
    let (app, data) = start().await;
    let ann = app.tenant("ann").await;
    let bob = app.person(&ann, "bob", "member").await;
    let workflow = ann.workflow("w").await;
    let mut plain = collab(&app, &bob, &workflow).await;
    let mut watching = events(&app, &bob).await;
    let mut framed = hocuspocus::join(&app, &bob, &workflow).await;
    // One socket, two people: the other one's document goes on.
    let anns = format!("{workflow}\0ann");
    hocuspocus::open(&mut framed, &ann, &anns).await;
    plain.send(Message::binary(edit("early"))).await.unwrap();
    hocuspocus::until(&mut framed, &workflow, |content| content.starts_with(&[0, 2])).await;

    assert_eq!(ann.delete(&bob.path()).await.status(), StatusCode::NO_CONTENT);
    let since = Instant::now();
    plain.send(Message::binary(edit("late"))).await.unwrap();
    hocuspocus::send(&mut framed, &workflow, &edit("late-framed")).await;
    say(&mut watching, json!({ "type": "heartbeat" })).await;
    let (code, reason) = closed(&mut plain).await;
    assert_eq!((code, reason.as_str()), (4403, "your access was taken away"));
    assert_eq!(closed(&mut watching).await.0, 4403);
    let denied = hocuspocus::until(&mut framed, &workflow, |content| content.starts_with(&[2, 1])).await;
    assert!(denied.ends_with(b"your access was taken away"), "{denied:?}");
    hocuspocus::until(&mut framed, &workflow, |content| content.starts_with(CLOSE)).await;
    let took = since.elapsed();
    assert!(took < AT_ONCE, "{took:?}");
    println!("closed {took:?} after the answer");

    hocuspocus::send(&mut framed, &anns, &edit("others")).await;
    hocuspocus::until(&mut framed, &anns, |content| content == SAVED).await;
    app.stop().await;
    assert_eq!(logged(&data, &ann, &workflow).await, ["early", "others"]);
}

/// [SYNC-2, SYNC-10] The same in Hocuspocus' framing: the scope follows, refused edits are not called saved.
#[tokio::test]
async fn a_hocuspocus_document_follows() {
    let (app, data) = start().await;
    let ann = app.tenant("ann").await;
    let bob = app.person(&ann, "bob", "member").await;
    let workflow = ann.workflow("w").await;
    let mut socket = hocuspocus::join(&app, &bob, &workflow).await;
    hocuspocus::send(&mut socket, &workflow, &edit("early")).await;
    hocuspocus::until(&mut socket, &workflow, |content| content == SAVED).await;

    ann.make(&bob, "viewer").await;
    hocuspocus::send(&mut socket, &workflow, &edit("late")).await;
    let read_only: &[u8] = b"\x02\x02\x08readonly";
    let first = |content: &[u8]| content == read_only || content[0] == 8;
    assert_eq!(hocuspocus::until(&mut socket, &workflow, first).await, read_only);
    assert_eq!(hocuspocus::until(&mut socket, &workflow, first).await, [8, 0][..]);
    let mut anns = collab(&app, &ann, &workflow).await;
    let others = edit("others");
    anns.send(Message::binary(others.clone())).await.unwrap();
    hocuspocus::until(&mut socket, &workflow, |content| content == others).await;

    ann.make(&bob, "member").await;
    hocuspocus::until(&mut socket, &workflow, |content| content == READ_WRITE).await;
    hocuspocus::until(&mut socket, &workflow, |content| content.starts_with(&[0, 0])).await;
    hocuspocus::send(&mut socket, &workflow, &edit("again")).await;
    assert_eq!(hocuspocus::until(&mut socket, &workflow, |content| content[0] == 8).await, SAVED);
    app.stop().await;
    assert_eq!(logged(&data, &ann, &workflow).await, ["again", "early", "others"]);
}

/// [SYNC-1, SYNC-9, SYNC-10] A stock client is told in the words of its protocol; a viewer may point, under the name
/// that they have now.
#[tokio::test]
async fn a_stock_client_is_told() {
    let (app, _data) = start().await;
    let ann = app.tenant("ann").await;
    let bob = app.person(&ann, "bob", "member").await;
    let workflow = ann.workflow("w").await;
    let (mut sink, mut stream) = collab(&app, &bob, &workflow).await.split();
    sink.send(Message::binary(STEP1.to_vec())).await.unwrap();
    until(&mut stream, |message| matches!(message, wire::Message::SyncStep2(_))).await;
    let change = json!({ "role": "viewer", "name": "Robert" });
    ann.patch(&bob.path(), &change).await.body_of(StatusCode::OK).await;
    until(&mut stream, |message| matches!(message, wire::Message::Denied(reason) if reason.contains("edit"))).await;

    let mut update = vec![1, 7, 1];
    write_buf(&mut update, br#"{"cursor":{"x":1,"y":2}}"#);
    sink.send(Message::binary(wire::awareness(&update))).await.unwrap();
    let echo = until(&mut stream, |message| matches!(message, wire::Message::Awareness(_))).await;
    assert!(String::from_utf8_lossy(&echo).contains("\"Robert\""), "{echo:?}");
    ann.make(&bob, "owner").await;
    until(&mut stream, |message| matches!(message, wire::Message::SyncStep1(_))).await;
    app.stop().await;
}

/// [RBAC-5, WS-2] Whoever watches events is told of their new role, and goes on.
#[tokio::test]
async fn a_watcher_is_told_its_role() {
    let (app, _data) = start().await;
    let ann = app.tenant("ann").await;
    let bob = app.person(&ann, "bob", "member").await;
    let mut socket = events(&app, &bob).await;
    ann.make(&bob, "viewer").await;
    assert_eq!(event(&mut socket, "authorized").await["role"], "viewer");
    say(&mut socket, json!({ "type": "heartbeat" })).await;
    event(&mut socket, "pong").await;
    app.stop().await;
}

/// [AUTH-1, AUTH-2] Signing out ends what that sign-in opened, its access token included, and no other sign-in's.
#[tokio::test]
async fn signing_out_closes_what_it_opened() {
    let (app, _data) = start().await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let leaving = app.sign_in("ann@example.com").await;
    let (mut canvas, mut watching) = (collab(&app, &leaving, &workflow).await, events(&app, &leaving).await);
    let mut kept = collab(&app, &ann, &workflow).await;
    leaving.sign_out().await;
    let (code, reason) = closed(&mut canvas).await;
    assert_eq!((code, reason.as_str()), (4401, "this sign-in has ended"));
    assert_eq!(closed(&mut watching).await.0, 4401);
    leaving.get("/api/v1/workspaces").await.problem(401, "unauthenticated").await;
    ann.get("/api/v1/workspaces").await.body_of(StatusCode::OK).await;
    kept.send(Message::binary(STEP1.to_vec())).await.unwrap();
    while !matches!(next(&mut kept).await, Message::Binary(bytes) if bytes.starts_with(&[0, 1])) {}
    app.stop().await;
}
