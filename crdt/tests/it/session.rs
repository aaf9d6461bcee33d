//! What one session's frames mean [SYNC-1, SYNC-3, SYNC-6, SYNC-10, SYNC-17].

use std::{collections::BTreeSet, time::Duration};

use rustix::time::{ClockId, clock_gettime};
use troupe_crdt::{Access, Limits, Outcome, Refusal, wire};
use yrs::{Doc, Map, ReadTxn};

use crate::world::{Client, Room, editor, editor_with, joiner, reader};

const EMPTY: [u8; 2] = [0, 0];

/// [SYNC-1] Step 1 is answered with what the client lacks and a question for what we lack.
#[test]
fn a_newcomer_gets_the_difference_and_a_question() {
    let mut room = Room::new();
    let (author, newcomer) = (Client::new(11), Client::new(12));
    room.receive(&mut editor(), &wire::update(&author.add_node("a"))).unwrap();
    let mut peer = editor();
    assert!(!peer.is_synced());
    let [step_2, step_1] = room.ask(&mut peer, &newcomer.state_vector()).try_into().unwrap();
    assert!(peer.is_synced());
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
    assert!(waits.lacks);
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
    let answer = author.receive(&room.replies(&mut peer, &outcome)[0]).unwrap();
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
    let replies = room.ask(&mut peer, &client.state_vector());
    assert_eq!(replies.len(), 1);
    client.receive(&replies[0]);
    // What it answers to a question that it was asked anyway changes nothing, deletions included: it is settled.
    client.edit(|_| {});
    let outcome = room.receive(&mut peer, &wire::sync_step2(&client.diff(&[0]))).unwrap();
    assert_eq!(outcome, Outcome { counted: 1, ..Outcome::default() });
    let outcome = room.receive(&mut peer, &wire::update(&client.add_node("b"))).unwrap();
    assert_eq!(outcome.updates.len(), 0);
    assert_eq!(outcome.counted, 1);
    assert!(outcome.denied.is_some_and(|reason| reason.contains("read")));
    assert_eq!(room.canvas.project().nodes.len(), 1);
    room.receive(&mut peer, &crate::awareness::announce(12, 1, "{}")).unwrap();
    assert!(room.awareness.tell(0).frame.is_some());
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

/// [SYNC-17] [REL-12] Values within values take memory however few bytes they have, so they are counted; what is
/// overwritten is not any more.
#[test]
fn documents_have_a_number_of_values() {
    let mut room = Room::new();
    let limits = Limits { document_values_max: 1_000, ..Limits::default() };
    let author = Client::new(11);
    let list = |author: &Client, values: usize| {
        author.edit(|txn| {
            let nodes = crate::world::inner(txn, &["nodes"]).unwrap();
            yrs::Map::insert(&nodes, txn, "a", vec![yrs::Any::Null; values]);
        })
    };
    for _ in 0..5 {
        let outcome = room.receive(&mut editor_with(limits), &wire::update(&list(&author, 400))).unwrap();
        assert_eq!(outcome.updates.len(), 1);
    }
    let refusal = room.receive(&mut editor_with(limits), &wire::update(&list(&author, 1_100))).unwrap_err();
    assert_eq!(refusal.code, Refusal::TOO_LARGE);
    assert!(refusal.reason.contains("1000 values"), "{refusal}");
    room.canvas.measure();
    assert_eq!(room.canvas.values(), 401);
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

/// [PERF-4, SYNC-1, SYNC-7] Those who lack most of a large document share one frame, and what was written since: an answer
/// holds nothing of its own. The SyncStep2, with which a client takes itself for synced, comes last.
#[test]
fn many_who_join_share_one_frame() {
    let mut room = Room::new();
    let author = Client::new(11);
    let mut peer = editor();
    for node in 0..500 {
        room.receive(&mut peer, &wire::update(&author.add_node(&format!("node {node}")))).unwrap();
    }
    let join = |room: &mut Room, state_vector: &[u8]| {
        let newcomer = Client::new(12);
        let frames = room.ask(&mut reader(), state_vector);
        assert_eq!(*frames.last().unwrap(), wire::sync_step2(&EMPTY));
        let whole = frames[0].clone();
        assert!(matches!(wire::decode(&whole), Ok(wire::Message::Update(_))));
        frames.iter().for_each(|frame| drop(newcomer.receive(frame)));
        (newcomer.json(), whole, frames.len())
    };
    let first = join(&mut room, &[0]);
    assert_eq!((&first.0, first.2), (&author.json(), 2));
    // Whom the document does not know, or who has next to nothing of it, has nothing.
    for state_vector in [&[0][..], &[1, 5, 0], &[1, 5, 9], &[1, 11, 100]] {
        let next = join(&mut room, state_vector);
        assert_eq!(first.0, next.0);
        assert!(std::ptr::eq(&first.1[..], &next.1[..]), "the bytes are shared");
    }

    room.receive(&mut peer, &wire::update(&author.set_label("node 7", "seven"))).unwrap();
    let deletion = author.edit(|txn| {
        let nodes = txn.get_map("nodes").unwrap();
        nodes.remove(txn, "node 8");
    });
    room.receive(&mut peer, &wire::update(&deletion)).unwrap();
    let mut diagram = room.canvas.project();
    diagram.nodes[9].data.label = "by REST".to_owned();
    let edit = room.canvas.edit(&diagram).unwrap();
    author.apply(&edit);
    let third = join(&mut room, &[0]);
    assert_eq!((&third.0, third.2), (&author.json(), 5));
    assert!(std::ptr::eq(&first.1[..], &third.1[..]), "and the rest is told apart");

    let rewritten = author.set_label("node 9", &"long".repeat(first.1.len() / 7));
    room.receive(&mut peer, &wire::update(&rewritten)).unwrap();
    let held = first.1.clone();
    drop((first, third));
    let fourth = join(&mut room, &[0]);
    assert_eq!(fourth.0, author.json());
    assert!(!std::ptr::eq(&held[..], &fourth.1[..]), "encoded anew when too much changed");

    room.canvas.forget_unused();
    room.canvas.forget_unused();
    let newest = fourth.1.clone();
    drop((held, fourth));
    drop(newest);
    let fifth = join(&mut room, &[0]);
    assert_eq!((&fifth.0, fifth.2), (&author.json(), 2), "and after nobody came for a while");
}

/// [SYNC-7] However much is written and however many read slowly, two copies of the document are held, and who comes
/// later is sent the newer one with what was written since, or waits.
#[test]
fn slow_readers_hold_two_copies() {
    let mut room = Room::new();
    let author = Client::new(11);
    let mut peer = editor();
    for node in 0..500 {
        room.receive(&mut peer, &wire::update(&author.add_node(&format!("node {node}")))).unwrap();
    }
    let (mut held, mut waited) = (Vec::new(), 0);
    for round in 0..60 {
        let rewritten = author.set_label("node 9", &format!("{round}").repeat(6_000));
        room.receive(&mut peer, &wire::update(&rewritten)).unwrap();
        if round % 7 == 0 {
            room.canvas.forget_unused();
        }
        let mut slow = reader();
        let asked = room.receive(&mut slow, &wire::sync_step1(&[0])).unwrap().asked.unwrap();
        let Some(answer) = slow.answer(&mut room.canvas, &asked).unwrap() else {
            waited += 1;
            continue;
        };
        assert_eq!(answer.own_bytes, 0);
        let newcomer = Client::new(12);
        answer.frames.iter().for_each(|frame| drop(newcomer.receive(frame)));
        assert_eq!(newcomer.json(), author.json());
        held.extend(answer.frames.into_iter().filter(|frame| frame.len() > 40_000));
    }
    let copies: BTreeSet<_> = held.iter().map(|frame| frame.as_ptr()).collect();
    assert_eq!(copies.len(), 2, "{waited} waited");
    drop(held);
    assert_eq!(room.ask(&mut reader(), &[0]).len(), 2, "whoever waited is answered when the others have read");
}

/// [SYNC-4] Who lacks less than half is sent what it lacks.
#[test]
fn who_has_most_is_sent_the_rest() {
    let mut room = Room::new();
    let author = Client::new(11);
    let mut peer = editor();
    for node in 0..500 {
        room.receive(&mut peer, &wire::update(&author.add_node(&format!("node {node}")))).unwrap();
    }
    let newcomer = joiner(&room.canvas);
    room.receive(&mut peer, &wire::update(&author.set_label("node 7", "seven"))).unwrap();
    let frames = room.ask(&mut reader(), &newcomer.state_vector());
    let [answer] = &frames[..] else { panic!("one frame") };
    assert!(answer.len() < 200, "{}", answer.len());
    newcomer.receive(answer);
    assert_eq!(newcomer.json(), author.json());
}

/// Notes of which every other was removed again: so many deletions that do not merge.
fn with_gaps(gaps: usize) -> (Room, Client) {
    let mut room = Room::new();
    let author = Client::new(11);
    let update = author.edit(|txn| {
        let notes = txn.get_map("notes").unwrap();
        for note in 0..2 * gaps {
            notes.insert(txn, format!("{note}"), 1);
        }
        for note in 0..gaps {
            notes.remove(txn, &format!("{}", 2 * note));
        }
    });
    room.receive(&mut editor(), &wire::update(&update)).unwrap();
    (room, author)
}

/// What this thread has had of the processor: whatever else the machine does, it is the same.
fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// [SYNC-4, REL-12] What a reader sends costs as much as it is long: the deletions that a client tells when it comes are
/// looked up, not compared with one another.
#[test]
fn known_deletions_cost_what_they_are_long() {
    let took = |gaps: usize| {
        let (mut room, author) = with_gaps(gaps);
        let known = wire::sync_step2(&author.diff(&room.canvas.state_vector()));
        let once = |room: &mut Room| {
            let begun = thread_time();
            let outcome = room.receive(&mut reader(), &known).unwrap();
            assert_eq!((outcome.counted, outcome.denied), (1, None));
            thread_time() - begun
        };
        (0..5).map(|_| once(&mut room)).min().unwrap()
    };
    let (few, many) = (took(2_000), took(16_000));
    assert!(many < few * 32, "eight times as many took {many:?}, and not {few:?}");
}

/// [SYNC-10] What is deleted stays known, however it came to be deleted.
#[test]
fn every_deletion_is_known() {
    let (mut room, author) = with_gaps(10);
    let answer = |room: &mut Room, client: &Client| {
        room.receive(&mut reader(), &wire::sync_step2(&client.diff(&[0]))).unwrap().denied
    };
    assert_eq!(answer(&mut room, &author), None);
    // A map with what it holds, a value that is overwritten, an edit of the server, and what a client has collected.
    let mut updates = vec![author.add_node("a"), author.set_label("a", "b")];
    updates.push(author.edit(|txn| {
        let nodes = txn.get_map("nodes").unwrap();
        nodes.remove(txn, "a");
    }));
    let collector = Client { doc: Doc::with_client_id(12) };
    collector.doc.get_or_insert_map("nodes");
    collector.add_node("c");
    collector.edit(|txn| {
        let nodes = txn.get_map("nodes").unwrap();
        nodes.remove(txn, "c");
    });
    let collected = collector.diff(&[0]);
    author.apply(&collected);
    updates.push(collected);
    for update in updates {
        room.receive(&mut editor(), &wire::update(&update)).unwrap();
        let newcomer = joiner(&room.canvas);
        assert_eq!(answer(&mut room, &newcomer), None);
    }
    let mut diagram = room.canvas.project();
    diagram.notes.remove("1");
    let edit = room.canvas.edit(&diagram).unwrap();
    author.apply(&edit);
    assert_eq!(answer(&mut room, &author), None);
    let more = author.edit(|txn| {
        let notes = txn.get_map("notes").unwrap();
        notes.remove(txn, "3");
    });
    assert!(room.receive(&mut reader(), &wire::update(&more)).unwrap().denied.is_some());
}
