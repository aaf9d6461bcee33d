//! Awareness: entries, and what a state holds. One session after the other, as far as a frame reaches.

use std::hint::black_box;

use troupe_crdt::{
    Access, Awareness, Canvas, Peer, UserTag,
    wire::{self, hocuspocus},
};
use troupe_fuzz::announcement;
use troupe_model::{SessionId, UserId};

use crate::{
    families,
    measure::{Input, Step},
};

families! {
    one_client_again_and_again: 20_000,
    clients_of_one_frame: 20_000,
    long_state: 4_000,
    state_of_many_keys: 400,
    state_of_many_values: 2_000,
    deep_state: 2_000,
    sessions_that_leave: 500,
    one_who_goes_and_comes_back: 500,
    frames_of_hocuspocus: 20_000,
}

/// Frames of sessions of one user, each of its own, and what the others are told.
fn heard(frames: Vec<Vec<u8>>) -> Input {
    let bytes = frames.iter().map(Vec::len).sum();
    let steps: Vec<Step> = vec![("hear", Box::new(move |_| hear(&frames)))];
    Input { bytes, steps, ..Input::default() }
}

fn hear(frames: &[Vec<u8>]) {
    let user = UserTag { id: UserId::generate(), name: "Ada".to_owned(), color: "#2f6fed".to_owned() };
    let (mut canvas, mut awareness) = (Canvas::new(), Awareness::new());
    for (index, frame) in frames.iter().enumerate() {
        let (session, now_ms) = (SessionId::generate(), index as i64);
        let mut peer = Peer::new(session, Access::ReadWrite, user.clone());
        // A refusal closes the session.
        drop(black_box(peer.receive(&mut canvas, &mut awareness, &wire::awareness(frame), now_ms)));
        drop(black_box(awareness.tell(now_ms)));
        black_box(awareness.full());
        awareness.leave(session, now_ms);
        awareness.expire(now_ms, Some(0));
        drop(black_box(awareness.tell(now_ms)));
    }
}

fn one_client_again_and_again(size: usize) -> Input {
    let entries: Vec<_> = (1..=size as u64).map(|clock| (7, clock, "{}")).collect();
    heard(vec![announcement(&entries)])
}

fn clients_of_one_frame(size: usize) -> Input {
    let entries: Vec<_> = (1..=size as u64).map(|client| (client, 1, "{}")).collect();
    heard(vec![announcement(&entries)])
}

fn state(json: &str) -> Input {
    heard(vec![announcement(&[(7, 1, json)])])
}

fn long_state(size: usize) -> Input {
    state(&format!(r#"{{"a":"{}"}}"#, "a".repeat(size)))
}

fn state_of_many_keys(size: usize) -> Input {
    let keys: Vec<_> = (0..size).map(|key| format!(r#""{key}":0"#)).collect();
    state(&format!("{{{}}}", keys.join(",")))
}

fn state_of_many_values(size: usize) -> Input {
    Input { values: size, ..state(&format!(r#"{{"a":[{}0]}}"#, "0,".repeat(size))) }
}

fn deep_state(size: usize) -> Input {
    state(&format!(r#"{{"a":{}{}}}"#, "[".repeat(size), "]".repeat(size)))
}

fn sessions_that_leave(size: usize) -> Input {
    heard((0..size as u64).map(|client| announcement(&[(client, 1, r#"{"cursor":{"x":1,"y":2}}"#)])).collect())
}

/// The same client id each time, as somebody with a bad connection has it.
fn one_who_goes_and_comes_back(size: usize) -> Input {
    heard((1..=size as u64).map(|clock| announcement(&[(7, clock, r#"{"cursor":{"x":1,"y":2}}"#)])).collect())
}

/// One frame with the name of a document, and a state as long as it may be.
fn frames_of_hocuspocus(size: usize) -> Input {
    let inside = wire::awareness(&announcement(&[(7, 1, &format!(r#"{{"a":"{}"}}"#, "a".repeat(size)))]));
    let frame = [hocuspocus::envelope(hocuspocus::Name("w\0s")), inside].concat();
    let bytes = frame.len();
    let steps: Vec<Step> = vec![(
        "decode",
        Box::new(move |_| {
            let Ok(hocuspocus::Frame::Document(name, hocuspocus::Request::Canvas(message))) =
                hocuspocus::decode(&frame)
            else {
                panic!("the frame is one")
            };
            black_box([hocuspocus::envelope(name), wire::encode(message)].concat());
        }),
    )];
    Input { bytes, steps, ..Input::default() }
}
