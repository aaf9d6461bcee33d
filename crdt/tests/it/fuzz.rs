//! Bounded fuzzing of the ingress guard [SYNC-4]: nothing panics, nobody else notices, newcomers can load.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use troupe_crdt::{Canvas, Refusal, wire};
use yrs::{Map, Text, TextPrelim};

use crate::{
    grammar::{Content, Item, Parent, update},
    world::{Client, Room, editor, inner, joiner, text},
};

const FRAMES: usize = 50_000;
/// How many frames one document lives through; it is checked after each round.
const ROUND: usize = 500;

const NOTE: [&str; 2] = ["notes", "n"];

struct Round {
    room: Room,
    good: troupe_crdt::Peer,
    bad: troupe_crdt::Peer,
    author: Client,
    /// Frames that a client sent, to be mutated.
    corpus: Vec<Vec<u8>>,
}

impl Round {
    fn new() -> Self {
        let (mut room, mut good, author) = (Room::new(), editor(), Client::new(11));
        let mut corpus = vec![wire::sync_step1(&author.state_vector())];
        let mut say = |update: Vec<u8>| {
            corpus.push(wire::update(&update));
            room.receive(&mut good, &wire::update(&update)).unwrap();
        };
        say(author.add_node("a"));
        say(author.set_label("a", "b"));
        say(author.edit(|txn| {
            let note = yrs::MapPrelim::from([("text", TextPrelim::new("select 😀 from input"))]);
            inner(txn, &["notes"]).unwrap().insert(txn, "n", note);
        }));
        say(author.edit(|txn| text(txn, &NOTE, "text").unwrap().insert(txn, 9, "🇩🇪")));
        say(author.edit(|txn| text(txn, &NOTE, "text").unwrap().remove_range(txn, 0, 3)));
        say(author.edit(|txn| drop(inner(txn, &["nodes"]).unwrap().remove(txn, "a"))));
        say(author.add_node("a"));
        corpus.push(wire::sync_step2(&author.diff(&[0])));
        corpus.push(crate::awareness::announce(11, 1, r#"{"cursor":{"x":1,"y":2}}"#));
        Self { room, good, bad: editor(), author, corpus }
    }

    /// A refusal ends the session; the next frame comes from a new one. Whatever happened, the repair is passed on.
    fn hostile(&mut self, frame: &[u8]) {
        match self.room.receive(&mut self.bad, frame) {
            Ok(outcome) => {
                for update in &outcome.updates {
                    self.author.apply(update);
                }
            }
            Err(refusal) => {
                assert_eq!(refusal.code, Refusal::MALFORMED, "{refusal}: {frame:?}");
                self.bad = editor();
                if let Some(update) = self.room.canvas.repair() {
                    self.author.apply(&update);
                    self.room.log.push(update);
                }
            }
        }
    }

    /// Others edit, newcomers load, restarts find the same. Which value a key has that a hostile session wrote with
    /// false neighbours is not asserted: the algorithm gives it no meaning.
    fn assert_undisturbed(&mut self) {
        let update = self.author.edit(|txn| {
            inner(txn, &["notes"]).unwrap().insert(txn, "still", "here");
        });
        let outcome = self.room.receive(&mut self.good, &wire::update(&update)).unwrap();
        assert_eq!(outcome.updates, [update]);
        let snapshot = self.room.canvas.snapshot().unwrap();
        let nothing: [&[u8]; 0] = [];
        for canvas in [
            &self.room.canvas,
            &Canvas::open(None, &self.room.log).unwrap(),
            &Canvas::open(Some(&snapshot.bytes), nothing).unwrap(),
        ] {
            let newcomer = joiner(canvas);
            assert_eq!(newcomer.clocks(), self.author.clocks());
            assert_eq!(newcomer.json()["notes"]["still"], "here");
            assert_eq!(canvas.project().notes["still"], "here");
        }
    }
}

fn mutated(random: &mut StdRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut frame = corpus[random.random_range(0..corpus.len())].clone();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..frame.len());
        match random.random_range(0..6) {
            0 | 1 => frame[at] = random.random(),
            2 => frame[at] ^= 1 << random.random_range(0..8),
            3 => frame.insert(at, random.random()),
            4 if frame.len() > 1 => drop(frame.remove(at)),
            _ => frame[at] = [0, 1, 0x7f, 0x80, 0xff][random.random_range(0..5)],
        }
    }
    // Most mutations of the length are refused at once: mend it, so that the update itself is read.
    if frame.len() > 3 && random.random_bool(0.8) {
        let content = frame.split_off(3);
        frame = wire::update(&content);
    }
    frame
}

/// An update that parses, with neighbours, parents and contents at random.
fn grammatical(random: &mut StdRng, clocks: &[(u64, u32)]) -> Vec<u8> {
    let known = |random: &mut StdRng| {
        let (client, clock) = clocks[random.random_range(0..clocks.len())];
        (client, random.random_range(0..clock.max(1) + 1))
    };
    let mut sections: Vec<(u64, u32, Vec<Item>)> = Vec::new();
    for _ in 0..random.random_range(1..4) {
        let (client, clock) = match random.random_range(0..4) {
            0 => (20 + random.random_range(0..3), 0),
            _ => clocks[random.random_range(0..clocks.len())],
        };
        if sections.iter().any(|(other, ..)| *other == client) {
            continue;
        }
        let start = match random.random_range(0..6) {
            0 => clock.saturating_sub(random.random_range(0..4)),
            1 => clock + 1,
            _ => clock,
        };
        let items = (0..random.random_range(1..6)).map(|_| item(random, &known)).collect();
        sections.push((client, start, items));
    }
    let deletes: Vec<(u64, u32, u32)> = (0..random.random_range(0..3))
        .map(|_| {
            let (client, clock) = known(random);
            (client, clock, random.random_range(1..6))
        })
        .collect();
    let one_each = deletes.iter().take(1).copied().collect::<Vec<_>>();
    update(&sections, &one_each)
}

fn item(random: &mut StdRng, known: &impl Fn(&mut StdRng) -> (u64, u32)) -> Item {
    let content = match random.random_range(0..12) {
        0..3 => Content::Plain(random.random()),
        3..5 => Content::Text(["a", "😀", "x😀y", "long enough to be cut"][random.random_range(0..4)].to_owned()),
        5 | 6 => Content::Map,
        7 => Content::SharedText,
        8 => Content::Deleted(random.random_range(1..4)),
        9 => Content::Gc(random.random_range(1..4)),
        10 => Content::Skip(random.random_range(1..4)),
        _ => Content::Raw(6, vec![1, b'b', 4, b't', b'r', b'u', b'e']),
    };
    let left = random.random_bool(0.4).then(|| known(random));
    let right = random.random_bool(0.2).then(|| known(random));
    let parent = match random.random_range(0..3) {
        0 => {
            let (client, clock) = known(random);
            Parent::Item(client, clock)
        }
        1 => Parent::Root("notes"),
        _ => Parent::Root("nodes"),
    };
    let key = [None, Some("a"), Some("n"), Some("text")][random.random_range(0..4)];
    Item { left, right, parent, key, content }
}

/// [SYNC-4] 50,000 frames, half of them mutated, half of them grammatical nonsense.
#[test]
fn no_frame_panics_or_disturbs_another_peer() {
    for seed in 0..(FRAMES / ROUND) as u64 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut round = Round::new();
        for _ in 0..ROUND {
            let frame = if random.random_bool(0.5) {
                mutated(&mut random, &round.corpus)
            } else {
                let clocks: Vec<(u64, u32)> = round.author.clocks().into_iter().collect();
                wire::update(&grammatical(&mut random, &clocks))
            };
            round.hostile(&frame);
        }
        round.assert_undisturbed();
    }
}
