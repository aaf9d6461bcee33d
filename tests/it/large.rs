//! Edits that are larger than a frame.

use bytes::Bytes;
use futures::SinkExt;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;
use troupe_crdt::wire::{self, Message as Frame, encode};
use yrs::{Doc, Map, ReadTxn, TextPrelim, Transact};

use crate::{
    app::TestApp,
    sockets::{Socket, closed, collab_with, next},
};

const MIB: usize = 1 << 20;
const PART_BYTES: usize = 30_000;

/// The frame of an update that puts a text of so many bytes into the notes.
fn text_of(bytes: usize) -> Vec<u8> {
    let doc = Doc::with_client_id(77);
    let notes = doc.get_or_insert_map("notes");
    notes.insert(&mut doc.transact_mut(), "long", TextPrelim::new("x".repeat(bytes)));
    let update = doc.transact().encode_diff_v1(&Default::default());
    wire::update(&update)
}

async fn send(socket: &mut Socket, frame: Vec<u8>) {
    socket.send(Message::binary(frame)).await.unwrap();
}

/// How many frames the server has settled, when it says so next.
async fn acknowledged(socket: &mut Socket) -> u64 {
    loop {
        if let Message::Binary(frame) = next(socket).await
            && let Ok(Frame::Ack(frames)) = wire::decode(&frame)
        {
            return frames;
        }
    }
}

fn parts(whole: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    whole.chunks(PART_BYTES).enumerate().map(|(index, part)| {
        let sent = index * PART_BYTES + part.len();
        encode(Frame::Part { remaining: (whole.len() - sent) as u64, part })
    })
}

/// [SYNC-17, SYNC-18] An edit above a frame's size arrives whole, in WebSocket fragments, and in parts with other frames
/// between them.
#[tokio::test]
async fn a_large_edit_arrives() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let whole = text_of(3 * MIB);
    for way in ["whole", "parts"] {
        let workflow = ann.workflow(way).await;
        let mut socket = collab_with(&app, &ann, &workflow, "&ack=1").await;
        match way {
            "whole" => send(&mut socket, whole.clone()).await,
            _ => {
                for part in parts(&whole) {
                    send(&mut socket, part).await;
                    send(&mut socket, wire::awareness(&[0])).await;
                }
            }
        }
        assert_eq!(acknowledged(&mut socket).await, 1, "{way}");
        let diagram = ann.get(&format!("/api/v1/workflows/{workflow}/diagram")).await.json::<Value>().await.unwrap();
        assert_eq!(diagram["notes"]["long"].as_str().map(str::len), Some(3 * MIB), "{way}");
    }
}

/// [SYNC-4, SYNC-18] What is larger than a canvas is told so by its own code, before it is taken; parts that do not fit
/// together are malformed. A small edit of the next session arrives.
#[tokio::test]
async fn what_is_too_large_is_refused_in_good_order() {
    let app = TestApp::with(|config| config.limits.canvas_bytes_max = 2 * MIB).await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let whole = text_of(4 * MIB);
    let first = |remaining: u64| encode(Frame::Part { remaining, part: &[0; 9] });
    for (frames, expected) in [
        (vec![whole.clone()], 4413),
        (parts(&whole).take(1).collect(), 4413),
        (vec![first(1 << 40)], 4413),
        (vec![text_of(2 * MIB)], 4413),
        (vec![first(10), first(4)], 4400),
    ] {
        let mut socket = collab_with(&app, &ann, &workflow, "&ack=1").await;
        for frame in frames {
            // The server may have closed before it has read everything.
            let _ = socket.send(Message::Binary(Bytes::from(frame))).await;
        }
        assert_eq!(closed(&mut socket).await.0, expected);
    }
    let mut socket = collab_with(&app, &ann, &workflow, "&ack=1").await;
    send(&mut socket, text_of(10)).await;
    assert_eq!(acknowledged(&mut socket).await, 1);
}
