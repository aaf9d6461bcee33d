//! The two sockets: who gets in, what is refused, how it ends.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::app::{Answer, Client, TestApp};

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const WITHIN: Duration = Duration::from_secs(10);
/// SyncStep1 with an empty state vector.
pub const STEP1: [u8; 4] = [0, 0, 1, 0];

pub async fn connect(url: &str) -> Socket {
    connect_async(url).await.unwrap().0
}

pub async fn next(socket: &mut Socket) -> Message {
    loop {
        let message = tokio::time::timeout(WITHIN, socket.next()).await.unwrap().unwrap().unwrap();
        if !message.is_ping() {
            return message;
        }
    }
}

/// The code and reason with which the server closes.
pub async fn closed(socket: &mut Socket) -> (u16, String) {
    loop {
        if let Message::Close(frame) = next(socket).await {
            let frame = frame.unwrap();
            return (frame.code.into(), frame.reason.to_string());
        }
    }
}

/// The next event of a type.
pub async fn event(socket: &mut Socket, kind: &str) -> Value {
    loop {
        if let Message::Text(text) = next(socket).await {
            let value: Value = serde_json::from_str(&text).unwrap();
            if value["type"] == kind {
                return value;
            }
        }
    }
}

pub async fn say(socket: &mut Socket, value: Value) {
    socket.send(Message::text(value.to_string())).await.unwrap();
}

pub async fn collab(app: &TestApp, client: &Client, workflow: &str) -> Socket {
    collab_with(app, client, workflow, "").await
}

/// With more in the query, such as `&ack=1`.
pub async fn collab_with(app: &TestApp, client: &Client, workflow: &str, more: &str) -> Socket {
    let ticket = client.ticket(json!({ "purpose": "collab", "workflow_id": workflow })).await;
    connect(&format!("{}/collab/{workflow}?ticket={ticket}{more}", app.ws())).await
}

pub async fn events(app: &TestApp, client: &Client) -> Socket {
    let ticket = client.ticket(json!({ "purpose": "events" })).await;
    let mut socket = connect(&format!("{}/ws?ticket={ticket}", app.ws())).await;
    assert_eq!(event(&mut socket, "authorized").await["user_id"], client.session["user"]["id"]);
    socket
}

/// [SYNC-1, AUTH-7] A ticket opens a canvas once; a header does as well; nothing else does.
#[tokio::test]
async fn a_ticket_opens_a_canvas_once() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let ticket = ann.ticket(json!({ "purpose": "collab", "workflow_id": workflow })).await;
    let url = format!("{}/collab/{workflow}", app.ws());
    let mut socket = connect(&format!("{url}?ticket={ticket}")).await;
    socket.send(Message::binary(STEP1.to_vec())).await.unwrap();
    assert!(matches!(next(&mut socket).await, Message::Binary(_)));
    for query in [format!("?ticket={ticket}"), "?ticket=guess".to_owned(), String::new()] {
        let (code, reason) = closed(&mut connect(&format!("{url}{query}")).await).await;
        assert_eq!(code, 4401, "{reason}");
    }
    let events = ann.ticket(json!({ "purpose": "events" })).await;
    assert_eq!(closed(&mut connect(&format!("{url}?ticket={events}")).await).await.0, 4401);
    let mut request = url.as_str().into_client_request().unwrap();
    let bearer = format!("Bearer {}", ann.token.as_deref().unwrap());
    request.headers_mut().insert("authorization", bearer.parse().unwrap());
    let mut socket = connect_async(request).await.unwrap().0;
    socket.send(Message::binary(STEP1.to_vec())).await.unwrap();
    assert!(matches!(next(&mut socket).await, Message::Binary(_)));
    app.stop().await;
}

/// [TEN-1, SYNC-11] Another tenant's canvas is not there.
#[tokio::test]
async fn a_foreign_canvas_is_not_there() {
    let app = TestApp::start().await;
    let (ann, eve) = (app.tenant("ann").await, app.tenant("eve").await);
    let workflow = ann.workflow("w").await;
    let mut request = format!("{}/collab/{workflow}", app.ws()).into_client_request().unwrap();
    let bearer = format!("Bearer {}", eve.token.as_deref().unwrap());
    request.headers_mut().insert("authorization", bearer.parse().unwrap());
    assert_eq!(closed(&mut connect_async(request).await.unwrap().0).await.0, 4404);
    let mut socket = events(&app, &eve).await;
    for kind in ["workflow", "run", "run-log"] {
        say(&mut socket, json!({ "type": "subscribe", "channel": format!("{kind}:{workflow}") })).await;
        assert_eq!(event(&mut socket, "error").await["code"], "not_found");
    }
    app.stop().await;
}

/// [SYNC-4, SYNC-17] A hostile frame and one of 2 MiB close that session with a reason, and harm no one else.
#[tokio::test]
async fn hostile_frames_close_one_session() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let mut witness = collab(&app, &ann, &workflow).await;
    let frames = [Message::binary(vec![0; 2 * 1024 * 1024]), Message::binary(vec![0, 2, 5, 1, 1]), Message::text("x")];
    for frame in frames {
        let mut socket = collab(&app, &ann, &workflow).await;
        socket.send(frame).await.unwrap();
        let (code, reason) = closed(&mut socket).await;
        assert_eq!(code, 4400, "{reason}");
        assert!(!reason.is_empty());
    }
    witness.send(Message::binary(STEP1.to_vec())).await.unwrap();
    assert!(matches!(next(&mut witness).await, Message::Binary(_)));
    app.stop().await;
}

/// [WS-1] Authorised by the first message; a heartbeat is answered; nonsense is told, and not the end.
#[tokio::test]
async fn the_first_message_authorises() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let mut socket = connect(&format!("{}/ws", app.ws())).await;
    say(&mut socket, json!({ "type": "authorization", "token": ann.token })).await;
    let authorized = event(&mut socket, "authorized").await;
    assert_eq!(authorized["tenant_id"], ann.session["tenant"]["id"]);
    say(&mut socket, json!({ "type": "dance" })).await;
    assert_eq!(event(&mut socket, "error").await["code"], "malformed");
    say(&mut socket, json!({ "type": "heartbeat" })).await;
    event(&mut socket, "pong").await;
    for first in [json!({ "type": "heartbeat" }), json!({ "type": "authorization", "token": "guess" })] {
        let mut socket = connect(&format!("{}/ws", app.ws())).await;
        say(&mut socket, first).await;
        assert_eq!(closed(&mut socket).await.0, 4401);
    }
    app.stop().await;
}

/// [SYNC-17] Who says nothing is closed.
#[tokio::test]
async fn a_silent_socket_is_closed() {
    let app = TestApp::with(|config| {
        config.demo.enabled = false;
        config.limits.authenticate_timeout_s = 1;
    })
    .await;
    let (code, reason) = closed(&mut connect(&format!("{}/ws", app.ws())).await).await;
    assert_eq!((code, reason.as_str()), (4401, "the first message must authorise, within 1 seconds"));
    app.stop().await;
}

/// [AUTH-2] A session ends with its token.
#[tokio::test]
async fn an_expired_token_ends_the_session() {
    let app = TestApp::with(|config| {
        config.demo.enabled = false;
        config.auth.access_token_ttl_s = 2;
    })
    .await;
    let ann = app.tenant("ann").await;
    let mut socket = events(&app, &ann).await;
    let (code, reason) = closed(&mut socket).await;
    assert_eq!((code, reason.as_str()), (4401, "the access token has expired"));
    let mut socket = connect(&format!("{}/ws", app.ws())).await;
    say(&mut socket, json!({ "type": "authorization", "token": ann.token })).await;
    let (code, reason) = closed(&mut socket).await;
    assert_eq!((code, reason.as_str()), (4401, "the access token has expired"));
    app.stop().await;
}

/// [WS-2, RUN-7] Who watches a workflow sees its edits and its runs.
#[tokio::test]
async fn a_watcher_sees_a_run() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let mut socket = events(&app, &ann).await;
    let channel = format!("workflow:{workflow}");
    say(&mut socket, json!({ "type": "subscribe", "channel": channel })).await;
    event(&mut socket, "subscribed").await;
    event(&mut socket, "workflow_snapshot").await;
    let path = format!("/api/v1/workflows/{workflow}");
    ann.patch(&path, &json!({ "name": "Renamed" })).await.body_of(StatusCode::OK).await;
    assert_eq!(event(&mut socket, "workflow_update").await["data"]["name"], "Renamed");

    let diagram = json!({ "nodes": [{ "id": "start", "data": { "nodeType": "manual_trigger" } }] });
    ann.request(Method::PUT, &format!("{path}/diagram")).json(&diagram).send().await.unwrap();
    let started = ann.request(Method::POST, &format!("{path}/runs")).send().await.unwrap();
    let run = started.headers()["location"].to_str().unwrap().to_owned();
    let id = started.body_of(StatusCode::ACCEPTED).await["id"].clone();
    assert_eq!(run, format!("/api/v1/runs/{}", id.as_str().unwrap()));
    assert_eq!(event(&mut socket, "run_completed").await["run_id"], id);

    assert_eq!(ann.get(&run).await.body_of(StatusCode::OK).await["status"], "success");
    let nodes = ann.get(&format!("{run}/nodes")).await.body_of(StatusCode::OK).await;
    assert_eq!((&nodes["items"][0]["node_id"], &nodes["next_cursor"]), (&json!("start"), &Value::Null));
    let node = ann.get(&format!("{run}/nodes/start")).await.body_of(StatusCode::OK).await;
    assert_eq!((&node["status"], &node), (&json!("completed"), &nodes["items"][0]));
    ann.get(&format!("{run}/nodes/other")).await.problem(404, "not_found").await;
    let journal = ann.get(&format!("{run}/events")).await.body_of(StatusCode::OK).await;
    let kinds: Vec<_> =
        journal["items"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["run_started", "node_started", "node_completed", "run_completed"]);
    let output = ann.get(&format!("{run}/nodes/start/output")).await.body_of(StatusCode::OK).await;
    assert_eq!((&output["port"], &output["items"]), (&json!("out"), &json!([])));
    ann.request(Method::POST, &format!("{run}/cancel")).send().await.unwrap().problem(409, "run_ended").await;
    app.stop().await;
}

/// [SYNC-12] A server that stops tells every session to come back.
#[tokio::test]
async fn stopping_tells_to_come_back() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let (mut canvas, mut idle) = (collab(&app, &ann, &workflow).await, events(&app, &ann).await);
    canvas.send(Message::binary(STEP1.to_vec())).await.unwrap();
    next(&mut canvas).await;
    let stopping = tokio::time::timeout(WITHIN, app.stop());
    let (stopped, canvas, idle) = tokio::join!(stopping, closed(&mut canvas), closed(&mut idle));
    stopped.unwrap();
    assert_eq!((canvas.0, idle.0), (1012, 1012));
}

/// [HIER-2, SYNC-11] Whoever is on a workflow that is deleted is told, whatever was deleted with it.
#[tokio::test]
async fn what_is_deleted_is_closed() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    for kind in ["workflows", "jobs", "folders", "workspaces"] {
        let workspace = ann.create("/api/v1/workspaces", json!({ "name": "w" })).await;
        let folder = ann.create("/api/v1/folders", json!({ "workspace_id": workspace, "name": "f" })).await;
        let job = json!({ "workspace_id": workspace, "folder_id": folder, "name": "j" });
        let job = ann.create("/api/v1/jobs", job).await;
        let workflow = json!({ "workspace_id": workspace, "job_id": job, "name": "w" });
        let workflow = ann.create("/api/v1/workflows", workflow).await;
        let mut canvas = collab(&app, &ann, &workflow).await;
        canvas.send(Message::binary(STEP1.to_vec())).await.unwrap();
        next(&mut canvas).await;
        let id = [("workflows", &workflow), ("jobs", &job), ("folders", &folder), ("workspaces", &workspace)]
            .into_iter()
            .find_map(|(name, id)| (name == kind).then_some(id))
            .unwrap();
        assert_eq!(ann.delete(&format!("/api/v1/{kind}/{id}")).await.status(), StatusCode::NO_CONTENT);
        assert_eq!(closed(&mut canvas).await.0, 4404, "{kind}");
    }
    app.stop().await;
}

/// [SYNC-15] Who says that its copy is of another document epoch is told to load the canvas again, before anything is
/// exchanged; who has the current one, or does not say, is let in.
#[tokio::test]
async fn a_copy_of_another_document_epoch_is_refused() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    for (epoch, expected) in [("&epoch=1", Some(4409)), ("&epoch=0", None), ("", None)] {
        let ticket = ann.ticket(json!({ "purpose": "collab", "workflow_id": workflow })).await;
        let mut socket = connect(&format!("{}/collab/{workflow}?ticket={ticket}{epoch}", app.ws())).await;
        match (next(&mut socket).await, expected) {
            (Message::Close(Some(frame)), Some(code)) => {
                assert_eq!(u16::from(frame.code), code);
                assert_eq!(frame.reason.as_str(), "this canvas was rebuilt; load it again");
            }
            (Message::Binary(_), None) => {}
            (other, _) => panic!("{epoch:?}: {other:?}"),
        }
    }
}
