//! Byte strings that broke something once, and their kin [SYNC-4].

use troupe_crdt::{
    Access, Applied, Canvas, Refusal,
    wire::{self, write_buf, write_uint},
};
use troupe_fuzz::grammar::{Content, Item, Parent, update};

use crate::world::{Client, Room, editor, joiner};

/// A canvas with one node, and its author.
fn canvas() -> (Canvas, Client) {
    let author = Client::new(11);
    let mut canvas = Canvas::new();
    canvas.apply(&author.add_node("a")).unwrap();
    (canvas, author)
}

/// The document is as it was, newcomers read it, and its author can go on.
fn assert_unharmed(mut canvas: Canvas, author: &Client) {
    assert_eq!(joiner(&canvas).json(), author.json());
    assert_eq!(joiner(&canvas).clocks(), author.clocks());
    assert_eq!(canvas.apply(&author.set_label("a", "still here")).unwrap(), Applied::Integrated);
    assert_eq!(joiner(&canvas).json(), author.json());
    assert_eq!(canvas.repair(), None);
    assert_eq!(canvas.false_place(), None);
    canvas.snapshot().unwrap();
}

fn assert_refused(bytes: &[u8]) -> Refusal {
    let (mut canvas, author) = canvas();
    let refusal = canvas.apply(bytes).unwrap_err();
    assert_eq!(refusal.code, Refusal::MALFORMED, "{refusal}");
    assert_unharmed(canvas, &author);
    refusal
}

/// [SYNC-4] A client without blocks panics yrs when it knows the client.
#[test]
fn a_zero_block_client_is_refused() {
    assert_refused(&[1, 0, 11, 0, 0]);
}

/// [SYNC-4] This one applies "Ok", and then every `encode_state_as_update` panics, even for newcomers.
#[test]
fn the_poison_update_poisons_nobody() {
    assert_refused(&[
        0x01, 0x01, 0x0b, 0x18, 0xf2, 0xa8, 0x0b, 0x0a, 0x01, 0x7c, 0x00, 0x00, 0x00, 0x00, 0x01, 0x0b, 0xd7, 0xa8,
        0x01,
    ]);
}

/// [SYNC-4] Counts are checked against the bytes that remain, before anything is reserved for them.
#[test]
fn declared_counts_that_cannot_be_are_refused() {
    for bytes in [
        // Clients, blocks, deletes.
        &[0xff, 0xff, 0xff, 0x7f, 0, 0][..],
        &[1, 0xff, 0xff, 0xff, 0x7f, 11, 0, 0],
        &[0, 0xff, 0xff, 0xff, 0x7f],
        &[0, 1, 11, 0xff, 0xff, 0xff, 0x7f],
        // A JSON array, a JSON map and a text.
        &[1, 1, 12, 0, 8, 1, 1, b'x', 1, 117, 0xff, 0xff, 0xff, 0x7f, 0],
        &[1, 1, 12, 0, 8, 1, 1, b'x', 1, 118, 0xff, 0xff, 0xff, 0x7f, 0],
        &[1, 1, 12, 0, 4, 1, 1, b'x', 0xff, 0xff, 0xff, 0x7f, 0],
    ] {
        assert_refused(bytes);
    }
}

/// [SYNC-4] Leftovers, V2, sub-documents, empty items and clocks beyond the end are refused.
#[test]
fn what_no_client_writes_is_refused() {
    assert_refused(&[0, 0, 0]);
    let (canvas, _) = canvas();
    assert_refused(&canvas.snapshot().unwrap().bytes);
    let root = || Parent::Root("nodes");
    let sub_document = Item { content: Content::Raw(9, vec![1, b'x', 118, 0]), ..Item::new(root(), Some("k")) };
    assert_refused(&update(&[(12, 0, vec![sub_document])], &[]));
    let bytes = Item { content: Content::Raw(3, vec![1, 11]), ..Item::new(root(), Some("k")) };
    assert_refused(&update(&[(12, 0, vec![bytes])], &[]));
    let empty_text = Item { content: Content::Text(String::new()), ..Item::new(root(), Some("k")) };
    assert_refused(&update(&[(12, 0, vec![empty_text])], &[]));
    let item = || Item::new(root(), Some("k"));
    assert_refused(&update(&[(12, i32::MAX as u32, vec![item()])], &[]));
    assert_refused(&update(&[(12, 0, vec![item()]), (12, 0, vec![item()])], &[]));
    assert_refused(&update(&[], &[(11, 0, 0)]));
    assert_refused(&update(&[], &[(11, 5, i32::MAX as u32)]));
}

/// [SYNC-4] JSON nested deeper than the stack is refused before it is decoded.
#[test]
fn deep_json_is_refused() {
    let mut json = [117, 1].repeat(400_000);
    json.push(126);
    let deep =
        Item { content: Content::Raw(8, [vec![1], json].concat()), ..Item::new(Parent::Root("notes"), Some("k")) };
    let refusal = assert_refused(&update(&[(12, 0, vec![deep])], &[]));
    assert!(refusal.reason.contains("deeper"), "{refusal}");
}

/// [SYNC-4] yrs deletes shared types by recursion: a chain of them is refused, at once or bit by bit.
#[test]
fn deep_shared_types_are_refused() {
    let link = |clock: u32| match clock {
        0 => Item { content: Content::Map, ..Item::new(Parent::Root("notes"), Some("k")) },
        _ => Item { content: Content::Map, ..Item::new(Parent::Item(12, clock - 1), Some("k")) },
    };
    let refusal = assert_refused(&update(&[(12, 0, (0..100_000).map(link).collect())], &[]));
    assert!(refusal.reason.contains("deeper"), "{refusal}");

    let (mut canvas, _) = canvas();
    let refused_at = (0..100).find(|clock| canvas.apply(&update(&[(12, *clock, vec![link(*clock)])], &[])).is_err());
    assert_eq!(refused_at, Some(32));
    joiner(&canvas);

    // Hidden behind a neighbour, whose parent counts.
    let (mut canvas, _) = self::canvas();
    for clock in 0..32 {
        canvas.apply(&update(&[(12, clock, vec![link(clock)])], &[])).unwrap();
    }
    let sibling = Item { content: Content::Plain(1), ..Item::new(Parent::Item(12, 31), Some("other")) };
    canvas.apply(&update(&[(12, 32, vec![sibling])], &[])).unwrap();
    let beside = Item { content: Content::Map, left: Some((12, 32)), ..Item::new(Parent::Neighbour, None) };
    canvas.apply(&update(&[(12, 33, vec![beside])], &[])).unwrap_err();
}

/// [SYNC-4] An update with a hole, an unknown neighbour, parent or deletion waits, and leaves the document clean.
#[test]
fn what_refers_to_the_unknown_leaves_the_document_clean() {
    let root = || Item::new(Parent::Root("notes"), Some("k"));
    let of = |parent| Item::new(parent, Some("k"));
    for bytes in [
        update(&[(12, 5, vec![root()])], &[]),
        update(&[(12, 0, vec![Item { left: Some((13, 0)), ..root() }])], &[]),
        update(&[(12, 0, vec![Item { right: Some((13, 0)), ..root() }])], &[]),
        update(&[(12, 0, vec![of(Parent::Item(13, 0))])], &[]),
        update(&[(12, 0, vec![of(Parent::Item(12, 7))])], &[]),
        update(&[], &[(11, 0, 10_000)]),
        update(&[], &[(77, 0, 1)]),
        // One half would integrate.
        update(&[(12, 0, vec![root()]), (14, 3, vec![root()])], &[]),
        // In a circle.
        update(&[(12, 0, vec![of(Parent::Item(13, 0))]), (13, 0, vec![of(Parent::Item(12, 0))])], &[]),
        // Behind a hole.
        update(&[(12, 0, vec![Item { content: Content::Skip(3), ..root() }, root()])], &[]),
    ] {
        let (mut canvas, author) = canvas();
        assert_eq!(canvas.apply(&bytes).unwrap(), Applied::Pending, "{bytes:?}");
        assert_unharmed(canvas, &author);
    }
}

/// [SYNC-4] Yjs sends holes over what we have: that is not a gap.
#[test]
fn a_hole_over_the_known_integrates() {
    let mut canvas = Canvas::new();
    let note = |key| Item::new(Parent::Root("notes"), Some(key));
    canvas.apply(&update(&[(12, 0, vec![note("a"), note("b")])], &[])).unwrap();
    let skip = Item { content: Content::Skip(2), ..note("c") };
    assert_eq!(canvas.apply(&update(&[(12, 0, vec![skip, note("c")])], &[])).unwrap(), Applied::Integrated);
    assert_eq!(canvas.project().notes.len(), 3);
}

/// [SYNC-4] Items that yrs would tear its lists apart with: in two places at once, several values under one key, inside
/// what holds nothing, in a root that a canvas does not have.
#[test]
fn items_that_cannot_stand_where_they_say_are_refused() {
    let note = |key| Item::new(Parent::Root("notes"), Some(key));
    let text = |text: &str| Content::Text(text.to_owned());
    let beside = |left, right, content| Item { left, right, content, ..Item::new(Parent::Neighbour, None) };
    // A map at 0, a shared text at 1 with two characters at 2, a number at 4.
    let ground = update(
        &[(
            12,
            0,
            vec![
                Item { content: Content::Map, ..note("map") },
                Item { content: Content::SharedText, ..note("text") },
                Item { content: text("ab"), ..Item::new(Parent::Item(12, 1), None) },
                note("number"),
            ],
        )],
        &[],
    );
    for item in [
        Item { content: text("xy"), ..note("k") },
        Item { content: Content::Raw(8, vec![2, 126, 126]), ..note("k") },
        Item::new(Parent::Root("notes"), None),
        Item::new(Parent::Root("junk"), Some("k")),
        Item::new(Parent::Item(12, 4), Some("k")),
        Item::new(Parent::Item(12, 0), None),
        Item { content: text("x"), ..Item::new(Parent::Item(12, 1), Some("k")) },
        beside(Some((12, 4)), None, text("xy")),
        beside(Some((12, 4)), None, Content::Raw(8, vec![2, 126, 126])),
        beside(None, Some((12, 4)), Content::Plain(1)),
        beside(Some((12, 3)), Some((12, 4)), text("x")),
        beside(Some((12, 4)), Some((12, 3)), text("x")),
    ] {
        let (mut canvas, author) = canvas();
        canvas.apply(&ground).unwrap();
        author.apply(&ground);
        let refusal = canvas.apply(&update(&[(12, 5, vec![item.clone()])], &[])).unwrap_err();
        assert_eq!(refusal.code, Refusal::MALFORMED, "{item:?}");
        // Nor as the second half of something good.
        canvas.apply(&update(&[(12, 5, vec![note("good"), item])], &[])).unwrap_err();
        assert_unharmed(canvas, &author);
    }
    let (mut canvas, _) = canvas();
    canvas.apply(&ground).unwrap();
    // Yjs merges neighbours that are deleted, values of one key included.
    let two_deleted = Item { content: Content::Raw(8, vec![2, 126, 126]), ..note("k") };
    let overwritten = update(&[(13, 0, vec![two_deleted])], &[(13, 0, 2)]);
    assert_eq!(canvas.apply(&overwritten).unwrap(), Applied::Integrated);
    let good = [beside(Some((12, 2)), Some((12, 3)), text("xy")), beside(Some((12, 4)), None, Content::Plain(1))];
    assert_eq!(canvas.apply(&update(&[(12, 5, good.to_vec())], &[])).unwrap(), Applied::Integrated);
    assert_eq!(canvas.project().notes["text"], "axyb");
}

/// [SYNC-4] A block that is known in part goes on where that part stands, and nowhere else.
#[test]
fn a_block_does_not_go_on_in_another_list() {
    let note = |key, content| Item { content, ..Item::new(Parent::Root("notes"), Some(key)) };
    let mut canvas = Canvas::new();
    let text = Item { content: Content::Text("ab".to_owned()), ..Item::new(Parent::Item(12, 0), None) };
    canvas.apply(&update(&[(12, 0, vec![note("text", Content::SharedText), text.clone()])], &[])).unwrap();
    let elsewhere = Item { content: Content::Deleted(5), ..Item::new(Parent::Root("nodes"), Some("k")) };
    assert_eq!(canvas.apply(&update(&[(12, 1, vec![elsewhere])], &[])).unwrap_err().code, Refusal::MALFORMED);
    let longer = Item { content: Content::Text("abc".to_owned()), ..text };
    assert_eq!(canvas.apply(&update(&[(12, 1, vec![longer])], &[])).unwrap(), Applied::Integrated);
    assert_eq!(canvas.project().notes["text"], "abc");
}

/// [SYNC-4] What cannot be decoded has changed nothing, so nothing is handed out for it.
#[test]
fn an_unreadable_update_costs_nothing() {
    let (mut canvas, author) = canvas();
    let text = Item { content: Content::SharedText, ..Item::new(Parent::Root("notes"), Some("k")) };
    let inside = Item { content: Content::Raw(6, b"\x01b\x01{".to_vec()), ..Item::new(Parent::Item(12, 0), None) };
    assert_eq!(canvas.apply(&update(&[(12, 0, vec![text, inside])], &[])).unwrap_err().code, Refusal::MALFORMED);
    assert_unharmed(canvas, &author);
}

/// [SYNC-4] An item inside a deleted value is refused when it comes, so it cannot fail when the log is replayed.
#[test]
fn an_item_inside_a_deleted_value_does_not_reach_the_log() {
    let mut canvas = Canvas::new();
    let log = [update(&[(12, 0, vec![Item::new(Parent::Root("notes"), Some("k"))])], &[]), update(&[], &[(12, 0, 1)])];
    for update in &log {
        assert_eq!(canvas.apply(update).unwrap(), Applied::Integrated);
    }
    let inside = update(&[(12, 1, vec![Item::new(Parent::Item(12, 0), Some("k"))])], &[]);
    assert_eq!(canvas.apply(&inside).unwrap_err().code, Refusal::MALFORMED);
    assert_eq!(joiner(&Canvas::open(None, &log).unwrap()).clocks(), joiner(&canvas).clocks());
}

/// [SYNC-4, SYNC-16] What somebody wrote into a map that its author has deleted and collected meanwhile is as good as
/// deleted, and what they did beside it counts. Nobody here ever had the map.
#[test]
fn an_item_inside_what_came_deleted_is_deleted_with_it() {
    let emptied = Item { content: Content::Deleted(1), ..Item::new(Parent::Root("notes"), Some("gone")) };
    let inside = [Item::new(Parent::Item(12, 0), Some("k")), Item::new(Parent::Root("notes"), Some("beside"))];
    let (came, late) = (vec![(12, 0, vec![emptied])], vec![(13, 0, inside.to_vec())]);
    let apart = vec![update(&came, &[(12, 0, 1)]), update(&late, &[])];
    let together = vec![update(&[came, late].concat(), &[(12, 0, 1)])];
    for log in [apart, together] {
        let mut canvas = Canvas::new();
        for update in &log {
            assert_eq!(canvas.apply(update).unwrap(), Applied::Integrated);
        }
        assert_eq!(canvas.project().notes.keys().collect::<Vec<_>>(), ["beside"]);
        let replayed = Canvas::open(None, &log).unwrap();
        let reopened = Canvas::open(Some(&canvas.snapshot().unwrap().bytes), [[0; 0]; 0]).unwrap();
        for mut other in [replayed, reopened, canvas] {
            assert_eq!((other.skipped(), other.project().notes.len()), (0, 1));
            let more = update(&[(13, 2, vec![Item::new(Parent::Item(12, 0), Some("l"))])], &[]);
            assert_eq!(other.apply(&more).unwrap(), Applied::Integrated);
            assert_eq!(other.project().notes.len(), 1);
        }
    }
}

/// [SYNC-4] A hostile session is refused; the others do not notice.
#[test]
fn a_hostile_frame_closes_one_session() {
    let mut room = Room::new();
    let (mut good, mut bad) = (editor(), editor());
    let author = Client::new(11);
    room.receive(&mut good, &wire::update(&author.add_node("a"))).unwrap();
    for frame in [
        wire::update(&[1, 0, 11, 0, 0]),
        wire::sync_step2(&[1, 0, 11, 0, 0]),
        wire::sync_step1(&[0xff, 0xff, 0xff, 0x7f]),
        wire::ack(3),
        wire::denied("no"),
        wire::session(Access::ReadWrite, 0),
        vec![0; 2 << 20],
        vec![42],
        Vec::new(),
    ] {
        let refusal = room.receive(&mut bad, &frame).unwrap_err();
        assert_eq!(refusal.code, Refusal::MALFORMED);
        assert!(!refusal.reason.is_empty());
    }
    let outcome = room.receive(&mut good, &wire::update(&author.set_label("a", "b"))).unwrap();
    assert_eq!(outcome.updates.len(), 1);
    room.assert_log_is_whole();
}

/// [CANVAS-2] Whatever stands in the maps, the projection is a diagram.
#[test]
fn junk_is_dropped_or_defaulted() {
    let mut canvas = Canvas::new();
    let put = |root, key, content| Item { content, ..Item::new(Parent::Root(root), Some(key)) };
    let nan = || Content::Raw(8, [vec![1, 123], f64::NAN.to_be_bytes().to_vec()].concat());
    let mut position = vec![1, 118, 2, 1, b'x', 123];
    position.extend(f64::INFINITY.to_be_bytes());
    position.extend([1, b'y', 119, 1, b'?']);
    let inside = |clock, key, content| Item { content, ..Item::new(Parent::Item(12, clock), Some(key)) };
    let items = vec![
        put("nodes", "map", Content::Map),
        put("nodes", "number", Content::Plain(1)),
        put("nodes", "text", Content::SharedText),
        put("edges", "map", Content::Map),
        put("edges", "number", Content::Plain(1)),
        put("meta", "viewport", nan()),
        put("meta", "name", Content::Map),
        put("notes", "nan", nan()),
        inside(0, "position", Content::Raw(8, position)),
        inside(0, "data", Content::Map),
        inside(0, "width", nan()),
        inside(0, "parentId", Content::Plain(1)),
        inside(9, "config", nan()),
        inside(9, "label", Content::Map),
        inside(9, "disabled", Content::Plain(1)),
    ];
    assert_eq!(canvas.apply(&update(&[(12, 0, items)], &[])).unwrap(), Applied::Integrated);
    let expected = serde_json::json!({
        "nodes": [{ "id": "map", "type": "custom-node", "position": { "x": 0.0, "y": 0.0 },
            "data": { "label": "", "nodeType": "", "config": {} } }],
        "edges": [],
        "viewport": { "x": 0.0, "y": 0.0, "zoom": 1.0 },
        "notes": { "nan": null },
    });
    assert_eq!(serde_json::to_value(canvas.project()).unwrap(), expected);
    let shown = canvas.project();
    assert_eq!(canvas.edit(&shown), None);
    canvas.snapshot().unwrap();
}

/// [SYNC-4] A state vector is an input as well.
#[test]
fn hostile_state_vectors_are_refused() {
    let (canvas, _) = canvas();
    let mut far = Vec::new();
    write_uint(&mut far, 1);
    write_uint(&mut far, 11);
    write_uint(&mut far, i32::MAX as u64);
    assert_eq!(canvas.diff(&far).unwrap(), canvas.diff(&canvas.state_vector()).unwrap());
    write_buf(&mut far, &[1]);
    for bytes in [&far[..], &[], &[1], &[0xff, 0xff, 0xff, 0xff, 0x7f], &[1, 11, 0xff, 0xff, 0xff, 0xff, 0x7f]] {
        assert_eq!(canvas.diff(bytes).unwrap_err().code, Refusal::MALFORMED);
    }
}
