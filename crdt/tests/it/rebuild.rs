//! Growth control [SYNC-15]: a rebuilt canvas says the same, without its past, and takes nothing from stale copies.

use troupe_crdt::{Applied, Canvas, DocumentEpoch, Limits, Peer, Refusal, wire};
use yrs::{Any, Array, ArrayPrelim, Map, ReadTxn, Text, TextPrelim, types::Attrs};

#[path = "../../benches/growth/history.rs"]
mod history;

use crate::world::{Client, Room, editor, editor_with, inner, joiner, text};

const NONE: [&[u8]; 0] = [];

/// Everything that a canvas can hold, some of it overwritten and deleted.
fn rich() -> (Canvas, Client) {
    let mut canvas = Canvas::new();
    let author = Client::new(11);
    let mut log = vec![author.add_node("a"), author.add_node("b"), author.add_node("gone")];
    log.push(author.edit(|txn| {
        let config = inner(txn, &["nodes", "a", "data", "config"]).unwrap();
        let sql = config.insert(txn, "sql", TextPrelim::new("SELECT 1"));
        sql.insert(txn, 7, "😀");
        sql.remove_range(txn, 0, 2);
        let list = config.insert(txn, "columns", ArrayPrelim::from(["x", "y", "z"]));
        list.remove(txn, 1);
        inner(txn, &["notes"]).unwrap().insert(txn, "nan", f64::NAN);
        inner(txn, &["threads"]).unwrap().insert(txn, "t", yrs::any!({ "by": [1, null, { "deep": true }] }));
        inner(txn, &["nodes"]).unwrap().remove(txn, "gone");
    }));
    for n in 0..50 {
        log.push(author.set_label("a", &format!("label {n}")));
    }
    for update in &log {
        assert_eq!(canvas.apply(update).unwrap(), Applied::Integrated);
    }
    (canvas, author)
}

/// [SYNC-15] What was there is there, written by one client.
#[test]
fn a_rebuilt_canvas_says_the_same() {
    let (canvas, _) = rich();
    let rebuilt = canvas.rebuilt().unwrap();
    assert_eq!(rebuilt.project(), canvas.project());
    let (before, after) = (joiner(&canvas), joiner(&rebuilt));
    assert_eq!(after.json(), before.json());
    assert_eq!(after.clocks().len(), 1);
    assert!(rebuilt.size_bytes() < canvas.size_bytes());
    assert_eq!(rebuilt.epoch().number, 1);
    assert_eq!(rebuilt.false_place(), None);

    let snapshot = rebuilt.snapshot().unwrap();
    let epoch = DocumentEpoch::stored(1, &rebuilt.epoch().clients()).unwrap();
    let opened = Canvas::open(Some(&snapshot.bytes), NONE).unwrap().in_epoch(epoch);
    assert_eq!(opened.project(), canvas.project());
    assert_eq!(opened.rebuilt().unwrap().epoch().number, 2);
}

/// [SYNC-4, SYNC-15] Texts are plain: a format or an embedded value is refused. A canvas of old that holds some opens, and
/// has its text without them when it is rebuilt.
#[test]
fn formats_end() {
    let author = Client::new(11);
    let plain = author.edit(|txn| {
        inner(txn, &["notes"]).unwrap().insert(txn, "t", TextPrelim::new("SELECT 1"));
    });
    let other = Client::new(12);
    other.apply(&plain);
    let bold = author.edit(|txn| {
        let attributes = Attrs::from([("bold".into(), true.into())]);
        text(txn, &["notes"], "t").unwrap().insert_with_attributes(txn, 7, "😀", attributes);
    });
    let embedded = other.edit(|txn| _ = text(txn, &["notes"], "t").unwrap().insert_embed(txn, 3, Any::from(7)));
    let mut canvas = Canvas::new();
    canvas.apply(&plain).unwrap();
    for refused in [&bold, &embedded] {
        assert_eq!(canvas.apply(refused).unwrap_err().code, Refusal::MALFORMED);
    }
    let mut old = Canvas::open(None, [&plain, &bold, &embedded]).unwrap();
    // Whoever has a copy of it sends what is known.
    assert_eq!(old.apply(&old.diff(&[0]).unwrap()).unwrap(), Applied::Unchanged);
    let rebuilt = old.rebuilt().unwrap();
    assert_eq!(rebuilt.project().notes["t"], "SELECT 😀1");
    assert_eq!(rebuilt.project(), old.project());
}

/// [SYNC-15] Two hundred overwrites of a large value leave one of them behind, and the rest is one entry.
#[test]
fn overwritten_values_are_forgotten() {
    let mut canvas = Canvas::new();
    let author = Client::new(11);
    for n in 0..200 {
        let value = n.to_string().repeat(40_000 / n.to_string().len());
        let update = author.edit(|txn| {
            inner(txn, &["notes"]).unwrap().insert(txn, "large", value);
        });
        canvas.apply(&update).unwrap();
    }
    canvas.measure();
    let bytes = canvas.size_bytes();
    assert!(bytes < 40_100, "{bytes}");
    let opened = Canvas::open(Some(&canvas.snapshot().unwrap().bytes), NONE).unwrap();
    assert_eq!(opened.size_bytes(), bytes);
    assert_eq!(joiner(&opened).json(), author.json());
}

/// [SYNC-15, REL-12] Also what comes with an update that overwrites it takes no place.
#[test]
fn what_comes_and_goes_at_once_is_forgotten() {
    let mut canvas = Canvas::new();
    let author = Client::new(11);
    let update = author.edit(|txn| {
        let notes = inner(txn, &["notes"]).unwrap();
        for n in 0..2_000 {
            notes.insert(txn, "often", n);
        }
    });
    assert_eq!(canvas.apply(&update).unwrap(), Applied::Integrated);
    assert!(canvas.items() < 10, "{} items", canvas.items());
    let reopened = Canvas::open(Some(&canvas.snapshot().unwrap().bytes), NONE).unwrap();
    let replayed = Canvas::open(None, [&update]).unwrap();
    for canvas in [canvas, reopened, replayed] {
        assert_eq!(joiner(&canvas).json(), author.json());
    }
}

/// [SYNC-15] So it is with what was typed and deleted, also by several in turn, and however the log is read.
#[test]
fn deleted_text_is_forgotten() {
    let log = history::typed(3, 2_000);
    let mut canvas = Canvas::open(None, &log).unwrap();
    let typist = Client::new(8);
    typist.apply(&canvas.diff(&[0]).unwrap());
    let deleted = typist.edit(|txn| {
        let text = text(txn, &["notes"], "text").unwrap();
        text.insert(txn, 1_000, "typed last");
        let len = text.len(txn);
        text.remove_range(txn, 0, len);
    });
    canvas.apply(&deleted).unwrap();
    let all = [log, vec![deleted]].concat();
    let written: usize = all.iter().map(Vec::len).sum();
    let replayed = Canvas::open(None, &all).unwrap();
    let noting = Canvas::open_noting(None, &all, |_, _| {}).unwrap();
    for mut canvas in [canvas, replayed, noting] {
        canvas.measure();
        assert!(canvas.size_bytes() * 8 < written, "{} of {written}", canvas.size_bytes());
        assert_eq!(canvas.project().notes["text"], "");
        assert_eq!(canvas.false_place(), None);
    }
}

/// [SYNC-4, SYNC-15] A shared type stays when it is deleted, so that what others put into it meanwhile has its place.
#[test]
fn deleted_types_stay() {
    let mut canvas = Canvas::new();
    let (ann, bob) = (Client::new(11), Client::new(12));
    let drawn = ann.add_node("a");
    bob.apply(&drawn);
    canvas.apply(&drawn).unwrap();
    let late = bob.set_label("a", "late");
    canvas.apply(&ann.set_label("a", "early")).unwrap();
    canvas.apply(&ann.edit(|txn| drop(txn.get_map("nodes").unwrap().remove(txn, "a")))).unwrap();
    let mut reopened = Canvas::open(Some(&canvas.snapshot().unwrap().bytes), NONE).unwrap();
    for canvas in [&mut canvas, &mut reopened] {
        assert_eq!(canvas.apply(&late).unwrap(), Applied::Integrated);
        assert!(canvas.project().nodes.is_empty());
        assert_eq!(canvas.false_place(), None);
        ann.apply(&canvas.diff(&[0]).unwrap());
        assert_eq!(joiner(canvas).json(), ann.json());
    }
}

/// [SYNC-15, REL-12] What a deleted type holds merges however it was written: backwards, under many keys, before the type
/// was deleted or after, and whichever way the canvas is read.
#[test]
fn what_a_deleted_type_held_is_forgotten() {
    let (ann, bob) = (Client::new(11), Client::new(12));
    let mut log = vec![
        ann.add_node("a"),
        ann.edit(|txn| {
            inner(txn, &["notes"]).unwrap().insert(txn, "gone", TextPrelim::new(""));
            let config = inner(txn, &["nodes", "a", "data", "config"]).unwrap();
            config.insert(txn, "list", ArrayPrelim::default());
        }),
    ];
    for update in &log {
        bob.apply(update);
    }
    let write = |by: &Client, kind: u32, n: u32| {
        by.edit(|txn| {
            let config = inner(txn, &["nodes", "a", "data", "config"]).unwrap();
            match (kind, config.get(txn, "list")) {
                (0, Some(yrs::Out::YArray(list))) => drop(list.insert(txn, 0, n)),
                (1, _) => drop(config.insert(txn, n.to_string(), n)),
                _ => text(txn, &["notes"], "gone").unwrap().insert(txn, n % 3, "x"),
            }
        })
    };
    for (kind, n) in (0..3).flat_map(|kind| (0..400).map(move |n| (kind, n))) {
        log.push(write(&ann, kind, n));
        if kind == 2 && n % 8 == 7 {
            // Some of it is deleted before.
            log.push(ann.edit(|txn| text(txn, &["notes"], "gone").unwrap().remove_range(txn, 0, 1)));
        }
    }
    let gone = ann.edit(|txn| {
        inner(txn, &["notes"]).unwrap().remove(txn, "gone");
        txn.get_map("nodes").unwrap().remove(txn, "a");
    });
    let held = Canvas::open(None, &log).unwrap().items();
    log.push(gone);
    // Somebody who has not heard of it goes on.
    log.extend((0..3).flat_map(|kind| (0..400).map(move |n| (kind, n))).map(|(kind, n)| write(&bob, kind, n)));
    let mut canvas = Canvas::new();
    for update in &log {
        assert_eq!(canvas.apply(update).unwrap(), Applied::Integrated);
    }
    let reopened = Canvas::open(Some(&canvas.snapshot().unwrap().bytes), NONE).unwrap();
    let replayed = Canvas::open(None, &log).unwrap();
    for update in &log {
        ann.apply(update);
        bob.apply(update);
    }
    assert_eq!(ann.json(), bob.json());
    for canvas in [canvas, reopened, replayed] {
        assert!(held > 1_000 && canvas.items() < 50, "{} items of {held}", canvas.items());
        assert_eq!(canvas.false_place(), None);
        assert_eq!(joiner(&canvas).json(), ann.json());
    }
}

/// [SYNC-15] A copy of the former document is recognised by whom it names, and nothing of it comes in.
#[test]
fn a_stale_copy_is_refused() {
    let (canvas, author) = rich();
    let offline = Client::new(12);
    offline.apply(&canvas.diff(&[0]).unwrap());
    let unsent = offline.set_label("b", "written offline");
    let unrelated = Client::new(13).add_node("new");
    let mut room = Room::new();
    room.canvas = canvas.rebuilt().unwrap();
    let shown = room.canvas.project();

    let delete_only = author.edit(|txn| {
        inner(txn, &["nodes"]).unwrap().remove(txn, "a");
    });
    for frame in [
        wire::sync_step1(&offline.state_vector()),
        wire::sync_step2(&offline.diff(&[0])),
        wire::update(&unsent),
        wire::update(&delete_only),
    ] {
        let refusal = room.receive(&mut editor(), &frame).unwrap_err();
        assert_eq!(refusal.code, Refusal::REBUILT, "{refusal}");
        assert_eq!(room.canvas.project(), shown);
    }

    // Who comes with nothing, or with what it alone wrote, is welcome.
    let mut fresh = editor();
    let newcomer = Client::new(14);
    for reply in room.ask(&mut fresh, &[0]) {
        newcomer.receive(&reply);
    }
    room.receive(&mut fresh, &wire::update(&newcomer.set_label("b", "again"))).unwrap();
    room.receive(&mut editor(), &wire::update(&unrelated)).unwrap();
    assert_eq!(room.canvas.project().node("b").unwrap().data.label, "again");
    assert!(room.canvas.project().node("new").is_some());

    // Nor after the next rebuild, in which nobody of the first wrote.
    room.canvas = room.canvas.rebuilt().unwrap();
    for stale in [&offline, &newcomer] {
        let refusal = room.receive(&mut editor(), &wire::sync_step1(&stale.state_vector())).unwrap_err();
        assert_eq!(refusal.code, Refusal::REBUILT);
    }
}

/// [SYNC-15, SYNC-17] A canvas that is full of its past has room again when it is rebuilt.
#[test]
fn a_full_canvas_has_room_again() {
    let limits = Limits { document_bytes_max: 20_000, ..Limits::default() };
    let mut room = Room::new();
    let mut peer = editor_with(limits);
    let author = Client::new(11);
    room.receive(&mut peer, &wire::update(&author.add_node("a"))).unwrap();
    let comes_and_goes = |room: &mut Room, peer: &mut Peer| {
        room.receive(peer, &wire::update(&author.add_node("b")))?;
        let gone = author.edit(|txn| drop(txn.get_map("nodes").unwrap().remove(txn, "b")));
        room.receive(peer, &wire::update(&gone))
    };
    let refusal = loop {
        if let Err(refusal) = comes_and_goes(&mut room, &mut peer) {
            break refusal;
        }
    };
    assert_eq!(refusal.code, Refusal::TOO_LARGE);
    let snapshot = room.canvas.snapshot().unwrap();
    let opened = Canvas::open(Some(&snapshot.bytes), NONE).unwrap();
    room.canvas = opened.rebuilt().unwrap();
    let client = joiner(&room.canvas);
    let mut peer = editor_with(limits);
    room.receive(&mut peer, &wire::update(&client.set_label("a", &"y".repeat(500)))).unwrap();
    assert_eq!(room.canvas.project().node("a").unwrap().data.label, "y".repeat(500));
}

/// [SYNC-15] The short form of `cargo bench -p troupe-crdt --bench growth`: a busy past goes, and what is left opens to
/// the same.
#[test]
fn a_long_past_is_forgotten() {
    let (mut history, first) = history::History::new(15, 30);
    let log: Vec<_> = std::iter::once(first).chain(history.edit(4_000)).collect();
    let mut canvas = Canvas::new();
    for update in &log {
        assert_eq!(canvas.apply(update).unwrap(), Applied::Integrated);
    }
    let opened = Canvas::open(None, &log).unwrap();
    let written: usize = log.iter().map(Vec::len).sum();
    assert!(opened.size_bytes() * 2 < written, "{} of {written}", opened.size_bytes());
    for canvas in [&canvas, &opened] {
        let rebuilt = canvas.rebuilt().unwrap();
        assert_eq!(joiner(&rebuilt).json(), joiner(canvas).json());
        assert!(rebuilt.size_bytes() < opened.size_bytes(), "{} of {}", rebuilt.size_bytes(), opened.size_bytes());
    }
}

/// [SYNC-4] Where items stand is known without asking `yrs`, also after a reload, and it is what `yrs` would tell.
#[test]
fn places_are_noted_as_they_are() {
    let (mut history, first) = history::History::new(4, 10);
    let log: Vec<_> = std::iter::once(first).chain(history.edit(600)).collect();
    let mut canvas = Canvas::new();
    for update in log.iter().chain(&[Client::new(31).add_node("other")]) {
        canvas.apply(update).unwrap();
    }
    let mut target = canvas.project();
    target.notes.insert("by".to_owned(), "the server".into());
    canvas.edit(&target).unwrap();
    let reopened = Canvas::open(Some(&canvas.snapshot().unwrap().bytes), NONE).unwrap();
    for canvas in [&canvas, &reopened] {
        assert_eq!(canvas.false_place(), None);
        assert!(canvas.places_noted() > 0.99, "{}", canvas.places_noted());
    }
}

/// [SYNC-4] Typing into a text that was typed character by character stays right.
#[test]
fn a_long_text_is_typed_into() {
    let log = history::typed(3, 3_000);
    let mut canvas = Canvas::open(None, &log).unwrap();
    let typist = history::Typist::new(8, &canvas.diff(&[0]).unwrap());
    for n in 0..100 {
        canvas.apply(&typist.type_at(f64::from(n) / 100.0)).unwrap();
    }
    assert_eq!(typist.text(), canvas.project().notes["text"].as_str().unwrap());
    assert_eq!(canvas.false_place(), None);
}
