//! What one session's frames mean [SYNC-1, SYNC-3, SYNC-6, SYNC-10, SYNC-17].

use troupe_crdt::{Access, Limits, Outcome, Refusal, wire};

use crate::world::{Client, Room, editor, editor_with, reader};
use yrs::{Doc, Map, ReadTxn};

const EMPTY: [u8; 2] = [0, 0];

/// [SYNC-1] Step 1 is answered with what the client lacks and a question for what we lack.
#[test]
fn a_newcomer_gets_the_difference_and_a_question() {
    let mut room = Room::new();
    let (author, newcomer) = (Client::new(11), Client::new(12));
    room.receive(&mut editor(), &wire::update(&author.add_node("a"))).unwrap();
    let mut peer = editor();
    assert!(!peer.is_synced());
    let outcome = room.receive(&mut peer, &wire::sync_step1(&newcomer.state_vector())).unwrap();
    assert!(peer.is_synced());
    let [step_2, step_1] = outcome.replies.try_into().unwrap();
    assert!(matches!(wire::decode(&step_2), Ok(wire::Message::SyncStep2(_))));
    assert_eq!(newcomer.receive(&step_2), None);
    assert_eq!(newcomer.json(), author.json());
    let nothing_new = newcomer.receive(&step_1).unwrap();
    let outcome = room.receive(&mut peer, &nothing_new).unwrap();
    assert_eq!(outcome, Outcome { counted: 1, ..Outcome::default() });
}

/// [SYNC-6] An update is broadcast and journaled as it came; one that is known is only counted.
#[test]
fn an_update_is_passed_on_as_it_came() {
    let mut room = Room::new();
    let mut peer = editor();
    let update = Client::new(11).add_node("a");
    let outcome = room.receive(&mut peer, &wire::update(&update)).unwrap();
    assert_eq!(outcome, Outcome { updates: vec![update.clone()], counted: 1, ..Outcome::default() });
    for known in [wire::update(&update), wire::sync_step2(&update), wire::sync_step2(&EMPTY)] {
        let outcome = room.receive(&mut peer, &known).unwrap();
        assert_eq!(outcome, Outcome { counted: 1, ..Outcome::default() });
    }
    assert_eq!(room.log.len(), 1);
}

/// [SYNC-3] A frame that waits is not acknowledged, and neither is any after it, until it integrates.
#[test]
fn what_waits_is_not_acknowledged() {
    let mut room = Room::new();
    let mut peer = editor();
    let author = Client::new(11);
    let updates = [author.add_node("a"), author.set_label("a", "b"), author.set_label("a", "c")];
    let waits = room.receive(&mut peer, &wire::update(&updates[2])).unwrap();
    assert_eq!((waits.updates.len(), waits.counted), (0, 0));
    assert_eq!(waits.replies, [wire::sync_step1(&room.canvas.state_vector())]);
    let other = room.receive(&mut peer, &wire::update(&Client::new(12).add_node("z"))).unwrap();
    assert_eq!((other.updates.len(), other.counted), (1, 0));
    let first = room.receive(&mut peer, &wire::update(&updates[0])).unwrap();
    assert_eq!((first.updates.len(), first.counted), (1, 0));
    let second = room.receive(&mut peer, &wire::update(&updates[1])).unwrap();
    assert_eq!((second.updates, second.counted), (vec![updates[1].clone(), updates[2].clone()], 4));
    assert_eq!(room.receive(&mut peer, &wire::sync_step2(&EMPTY)).unwrap().counted, 1);
    room.assert_log_is_whole();
}

/// [SYNC-4] The answer to our question brings what was missing.
#[test]
fn the_question_heals_the_gap() {
    let mut room = Room::new();
    let mut peer = editor();
    let author = Client::new(11);
    author.add_node("lost on the way");
    let outcome = room.receive(&mut peer, &wire::update(&author.add_node("b"))).unwrap();
    let answer = author.receive(&outcome.replies[0]).unwrap();
    let outcome = room.receive(&mut peer, &answer).unwrap();
    assert_eq!((outcome.updates.len(), outcome.counted), (1, 2));
    assert_eq!(room.canvas.project().nodes.len(), 2);
}

/// [SYNC-4] What waits is bounded, by number and by size; whoever sent it sends all in one when they are back.
#[test]
fn what_waits_is_bounded() {
    let waiting = |limits: Limits| {
        let mut room = Room::new();
        let mut peer = editor_with(limits);
        let author = Client::new(11);
        author.add_node("lost on the way");
        let refused = (0..100).find_map(|step| {
            let frame = wire::update(&author.add_node(&format!("n{step}")));
            room.receive(&mut peer, &frame).err().map(|refusal| (step, refusal.code))
        });
        assert!(room.canvas.project().nodes.is_empty());
        refused
    };
    assert_eq!(waiting(Limits::default()), Some((64, Refusal::TRY_AGAIN)));
    let (step, _) = waiting(Limits { pending_bytes_max: 1000, ..Limits::default() }).unwrap();
    assert!((2..20).contains(&step), "{step}");
}

/// [SYNC-10] A reader gets everything, is not asked, may be present, and has edits refused in words.
#[test]
fn a_reader_may_look_and_point() {
    let mut room = Room::new();
    let mut peer = reader();
    let client = Client::new(12);
    let known = Client::new(11).add_node("a");
    room.receive(&mut editor(), &wire::update(&known)).unwrap();
    let outcome = room.receive(&mut peer, &wire::sync_step1(&client.state_vector())).unwrap();
    assert_eq!(outcome.replies.len(), 1);
    client.receive(&outcome.replies[0]);
    // What it answers to a question that it was asked anyway changes nothing, deletions included: it is settled.
    client.edit(|_| {});
    let outcome = room.receive(&mut peer, &wire::sync_step2(&client.diff(&[0]))).unwrap();
    assert_eq!(outcome, Outcome { counted: 1, ..Outcome::default() });
    let outcome = room.receive(&mut peer, &wire::update(&client.add_node("b"))).unwrap();
    assert_eq!(outcome.updates.len(), 0);
    assert_eq!(outcome.counted, 1);
    assert!(outcome.denied.is_some_and(|reason| reason.contains("read")));
    assert_eq!(room.canvas.project().nodes.len(), 1);
    assert!(room.receive(&mut peer, &crate::awareness::announce(12, 1, "{}")).unwrap().awareness.is_some());
}

/// [SYNC-10] A deletion is an edit, and a known one is not.
#[test]
fn a_reader_may_not_delete() {
    let mut room = Room::new();
    let author = Client::new(11);
    room.receive(&mut editor(), &wire::update(&author.add_node("a"))).unwrap();
    let deletion = author.edit(|txn| {
        let nodes = crate::world::inner(txn, &["nodes"]).unwrap();
        yrs::Map::remove(&nodes, txn, "a");
    });
    assert!(room.receive(&mut reader(), &wire::update(&deletion)).unwrap().denied.is_some());
    room.receive(&mut editor(), &wire::update(&deletion)).unwrap();
    assert!(room.receive(&mut reader(), &wire::update(&deletion)).unwrap().denied.is_none());
}

/// [SYNC-10] Access follows while connected.
#[test]
fn access_changes_while_connected() {
    let mut room = Room::new();
    let mut peer = editor();
    let author = Client::new(11);
    room.receive(&mut peer, &wire::update(&author.add_node("a"))).unwrap();
    peer.set_access(Access::ReadOnly);
    let late = author.add_node("b");
    let outcome = room.receive(&mut peer, &wire::update(&late)).unwrap();
    assert_eq!((outcome.updates.len(), outcome.counted, outcome.denied.is_some()), (0, 1, true));
    assert_eq!(room.canvas.project().nodes.len(), 1);
    peer.set_access(Access::ReadWrite);
    assert_eq!(room.receive(&mut peer, &wire::sync_step2(&late)).unwrap().updates.len(), 1);
    room.assert_log_is_whole();
}

/// [SYNC-17] A frame and a document have a size; a full document can still be emptied.
#[test]
fn frames_and_documents_have_a_size() {
    let mut room = Room::new();
    let mut peer = editor_with(Limits { frame_bytes_max: 2000, document_bytes_max: 1500, ..Limits::default() });
    let refusal = room.receive(&mut peer, &[0; 3501]).unwrap_err();
    assert!(refusal.reason.contains("3501") && refusal.reason.contains("3500"), "{refusal}");
    let author = Client::new(11);
    let refusal = (0..100)
        .find_map(|step| room.receive(&mut peer, &wire::update(&author.add_node(&format!("n{step}")))).err())
        .unwrap();
    assert_eq!(refusal.code, Refusal::TOO_LARGE);
    assert!(refusal.reason.contains("1500"), "{refusal}");
    assert!(room.canvas.size_bytes() <= 1500);

    // Someone who has what the room has, without the refused node.
    let tidy = crate::world::joiner(&room.canvas);
    let removal = tidy.edit(|txn| {
        let nodes = crate::world::inner(txn, &["nodes"]).unwrap();
        yrs::Map::clear(&nodes, txn);
    });
    assert_eq!(room.receive(&mut peer, &wire::update(&removal)).unwrap().updates.len(), 1);
    room.assert_log_is_whole();
}

/// [SYNC-17] Whoever added too much can take it back, and other things with it: their client collects what they removed.
#[test]
fn who_made_it_too_large_can_make_it_smaller() {
    let mut room = Room::new();
    let limits = Limits { document_bytes_max: 1500, ..Limits::default() };
    let author = Client { doc: Doc::with_client_id(11) };
    author.doc.get_or_insert_map("nodes");
    let refused = (0..100).find_map(|step| {
        let update = author.add_node(&format!("n{step}"));
        room.receive(&mut editor_with(limits), &wire::update(&update)).err()
    });
    assert_eq!(refused.unwrap().code, Refusal::TOO_LARGE);
    author.edit(|txn| {
        let nodes = crate::world::inner(txn, &["nodes"]).unwrap();
        yrs::Map::clear(&nodes, txn);
    });
    let rest = author.diff(&room.canvas.state_vector());
    assert_eq!(room.receive(&mut editor_with(limits), &wire::sync_step2(&rest)).unwrap().updates.len(), 1);
    assert!(room.canvas.project().nodes.is_empty());
    room.assert_log_is_whole();
}

/// [PERF-4, SYNC-1] Those who come with nothing to a large document share one frame. The SyncStep2, with which a client
/// takes itself for synced, follows with what was written since.
#[test]
fn many_who_join_share_one_frame() {
    let mut room = Room::new();
    let author = Client::new(11);
    let mut peer = editor();
    for node in 0..500 {
        room.receive(&mut peer, &wire::update(&author.add_node(&format!("node {node}")))).unwrap();
    }
    let join = |room: &mut Room| {
        let newcomer = Client::new(12);
        let outcome = room.receive(&mut reader(), &wire::sync_step1(&newcomer.state_vector())).unwrap();
        let [whole, rest] = outcome.replies.try_into().unwrap();
        assert!(matches!(wire::decode(&whole), Ok(wire::Message::Update(_))));
        assert!(matches!(wire::decode(&rest), Ok(wire::Message::SyncStep2(_))));
        [&whole, &rest].iter().for_each(|reply| drop(newcomer.receive(reply)));
        (newcomer.json(), whole)
    };
    let (first, second) = (join(&mut room), join(&mut room));
    assert_eq!(first.0, author.json());
    assert!(std::ptr::eq(&first.1[..], &second.1[..]), "the bytes are shared");

    room.receive(&mut peer, &wire::update(&author.set_label("node 7", "seven"))).unwrap();
    let deletion = author.edit(|txn| {
        let nodes = txn.get_map("nodes").unwrap();
        nodes.remove(txn, "node 8");
    });
    room.receive(&mut peer, &wire::update(&deletion)).unwrap();
    let third = join(&mut room);
    assert_eq!(third.0, author.json());
    assert!(std::ptr::eq(&first.1[..], &third.1[..]), "and the rest is told apart");

    let rewritten = author.set_label("node 9", &"long".repeat(first.1.len() / 16));
    room.receive(&mut peer, &wire::update(&rewritten)).unwrap();
    let fourth = join(&mut room);
    assert_eq!(fourth.0, author.json());
    assert!(!std::ptr::eq(&first.1[..], &fourth.1[..]), "encoded anew when too much changed");

    room.canvas.forget_unused();
    room.canvas.forget_unused();
    let fifth = join(&mut room);
    assert_eq!(fifth.0, author.json());
    assert!(!std::ptr::eq(&fourth.1[..], &fifth.1[..]), "and after nobody came for a while");
}
