//! Words of one session about who is where [SYNC-9].

use arbitrary::{Result, Unstructured};
use serde_json::{Value, json};
use troupe_crdt::{
    Awareness, Canvas, Limits, Peer,
    wire::{self, Message, Reader, write_buf, write_uint},
};

use crate::room::{HONEST, peer};

/// An honest state is not renewed here, so time stays below its expiry.
const TIME_MAX_MS: i64 = 29_000;
const ROUNDS_MAX: usize = 100;

pub fn target(data: &[u8]) {
    let mut scene = Scene::new();
    let mut choices = Unstructured::new(data);
    for _ in 0..ROUNDS_MAX {
        if choices.is_empty() || scene.step(&mut choices).is_err() {
            break;
        }
    }
    scene.assert_bound();
}

struct Scene {
    canvas: Canvas,
    awareness: Awareness,
    honest: Peer,
    hostile: Peer,
    sessions: usize,
    now_ms: i64,
}

impl Scene {
    fn new() -> Self {
        let mut scene = Self {
            canvas: Canvas::new(),
            awareness: Awareness::new(),
            honest: peer("Ada"),
            hostile: peer("Mallory"),
            sessions: 2,
            now_ms: 0,
        };
        let here = announcement(&[(HONEST, 1, r#"{"cursor":{"x":1,"y":2}}"#)]);
        scene.honest.receive(&mut scene.canvas, &mut scene.awareness, &wire::awareness(&here), 0).unwrap();
        scene.awareness.tell(0);
        scene
    }

    fn step(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        self.now_ms = (self.now_ms + choices.int_in_range(0..=1_000)?).min(TIME_MAX_MS);
        let update = if choices.ratio(1, 2)? { announced(choices)? } else { choices.arbitrary::<&[u8]>()?.to_vec() };
        let received =
            self.hostile.receive(&mut self.canvas, &mut self.awareness, &wire::awareness(&update), self.now_ms);
        match received {
            Ok(outcome) => outcome.reply.iter().for_each(|frame| drop(entries(frame))),
            Err(_) => self.renew(),
        }
        self.awareness.expire(self.now_ms, Some(0));
        let told = self.awareness.tell(self.now_ms);
        told.frame.iter().for_each(|frame| drop(entries(frame)));
        if !told.refused.is_empty() {
            self.renew();
        }
        Ok(())
    }

    /// The hostile one is closed and comes back.
    fn renew(&mut self) {
        self.hostile = peer("Mallory");
        self.sessions += 1;
    }

    /// The honest cursor is where it was and whose it was; the hostile sessions hold what they may and no more.
    fn assert_bound(&mut self) {
        let present = entries(&self.awareness.full().unwrap());
        let of = |client: u64| present.iter().find(|(known, _)| *known == client).map(|(_, state)| state.clone());
        let honest = of(HONEST).unwrap();
        assert_eq!((&honest["cursor"], &honest["user"]["name"]), (&json!({ "x": 1, "y": 2 }), &json!("Ada")));
        let hostile = present.iter().filter(|(_, state)| state["user"]["name"] == "Mallory").count();
        assert_eq!(hostile + 1, present.len(), "every state names its user");
        assert!(hostile <= Limits::default().awareness_clients_max * (self.sessions - 1));
    }
}

/// The clients that a frame tells of, with their states.
fn entries(frame: &[u8]) -> Vec<(u64, Value)> {
    let Ok(Message::Awareness(update)) = wire::decode(frame) else { panic!("this is no awareness") };
    let mut reader = Reader::new(update);
    (0..reader.count(3).unwrap())
        .map(|_| {
            let (client, _clock) = (reader.uint().unwrap(), reader.uint().unwrap());
            (client, serde_json::from_str(reader.str().unwrap()).unwrap())
        })
        .collect()
}

fn announced(choices: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    const STATES: [&str; 6] = ["null", "{}", r#"{"user":{"name":"Ada"}}"#, "[]", r#"{"cursor":null}"#, "{"];
    let entries: Result<Vec<_>> = (0..choices.int_in_range(0..=10)?)
        .map(|_| {
            let client = if choices.ratio(1, 3)? { HONEST } else { choices.int_in_range(0..=40)? };
            let clock = if choices.ratio(1, 8)? { choices.arbitrary()? } else { choices.int_in_range(0..=9)? };
            Ok((client, clock, *choices.choose(&STATES)?))
        })
        .collect();
    Ok(announcement(&entries?))
}

pub fn announcement(entries: &[(u64, u64, &str)]) -> Vec<u8> {
    let mut update = Vec::new();
    write_uint(&mut update, entries.len() as u64);
    for (client, clock, state) in entries {
        write_uint(&mut update, *client);
        write_uint(&mut update, *clock);
        write_buf(&mut update, state.as_bytes());
    }
    update
}
