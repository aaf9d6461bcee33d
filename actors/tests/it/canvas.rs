//! The workflow actor: sessions, durability, hostile frames, lifecycle.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::poll;
use troupe_actors::{Channel, DiagramEdit, EditDiagramError, EditError, JoinCanvas, Limits, Outbox, Unavailable};
use troupe_crdt::{Access, UserTag, wire};
use troupe_model::{Clock, ServerId, SessionId, SystemClock, Timestamp, WorkflowId};
use troupe_store::{
    canvas,
    leases::{self, LeaseKind},
};

use crate::{
    client::Client,
    nodes::PONDERED_FOR,
    world::{World, diagram},
};

/// [SYNC-1, SYNC-6] What one session draws the other sees; the author gets no echo, and is told when it is durable.
#[test]
fn two_sessions_see_each_other() {
    let world = World::new();
    world.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        let mut bob = world.join("Bob", Access::ReadWrite).await;
        ann.draw("quick1 -> quick2").await;
        bob.until(|bob| bob.node_ids() == ["quick1", "quick2"]).await;
        ann.until(|ann| ann.acknowledged >= 1).await;
        assert_eq!(ann.canvas.project(), bob.canvas.project());
    });
}

/// [SYNC-3, SYNC-5] An acknowledged edit is there after a crash that flushed nothing.
#[test]
fn an_acknowledged_edit_survives_a_crash() {
    let mut world = World::new();
    world.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        for plan in ["quick1", "quick1 -> quick2", "quick1 -> quick2 -> quick3"] {
            ann.draw(plan).await;
        }
        ann.until(|ann| ann.acknowledged >= 3).await;
    });
    world.crash();
    world.start();
    world.on(async |world| {
        let bob = world.join("Bob", Access::ReadWrite).await;
        assert_eq!(bob.node_ids(), ["quick1", "quick2", "quick3"]);
    });
}

/// [SYNC-4] A hostile frame closes its session and harms no one else.
#[test]
fn a_hostile_frame_closes_its_session_only() {
    let world = World::new();
    world.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        let hostile: [&[u8]; 5] =
            [&[0, 2, 4, 1, 0, 7, 0], b"\x00\x02\x05\x01\x00\x07\x00\x00", &[], &[0, 2, 255, 255, 255, 255, 15], &[99]];
        for (n, frame) in hostile.into_iter().enumerate() {
            let mallory = world.join("Mallory", Access::ReadWrite).await;
            mallory.session.send(Bytes::copy_from_slice(frame), None).await;
            let close = mallory.closed().await;
            assert_eq!(close.code, 4400, "{frame:?}: {}", close.reason);
            assert!(!close.reason.is_empty());
            ann.draw(&format!("quick{n}")).await;
            ann.until(|ann| ann.acknowledged > n as u64).await;
        }
        let bob = world.join("Bob", Access::ReadWrite).await;
        assert_eq!(bob.canvas.project(), ann.canvas.project());
    });
}

/// [SYNC-10] A read-only session is shown everything and may change nothing.
#[test]
fn a_reader_changes_nothing() {
    let world = World::new();
    world.on(async |world| {
        world.draw("quick1").await;
        let mut reader = world.join("Eve", Access::ReadOnly).await;
        reader.draw("quick1 -> quick2").await;
        let (diagram, _) = world.system().diagram(world.asker(), world.workflow).await.unwrap().value;
        assert_eq!(diagram.nodes.len(), 1);
    });
}

/// [SYNC-14] An edit as a diagram is an edit of the live canvas; a stale one is refused.
#[test]
fn a_diagram_edit_is_a_canvas_edit() {
    let world = World::new();
    world.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        let (_, revision) = world.system().diagram(world.asker(), world.workflow).await.unwrap().value;
        let edit = |if_match| {
            let edit = DiagramEdit::Replace(diagram("quick1 -> quick2"));
            world.system().edit_diagram(world.asker(), world.workflow, if_match, edit)
        };
        let edited = edit(Some(revision)).await.unwrap().value;
        assert!(edited.revision > revision);
        ann.until(|ann| ann.node_ids() == ["quick1", "quick2"]).await;
        match edit(Some(revision)).await {
            Err(EditDiagramError::Edit(EditError::Stale { current })) => assert_eq!(current, edited.revision),
            other => panic!("{other:?}"),
        }
        assert_eq!(edit(None).await.unwrap().value.revision, edited.revision, "the same diagram is no edit");
    });
}

/// [CANVAS-4] Diagnostics are pushed after an edit to those who watch.
#[test]
fn diagnostics_follow_an_edit() {
    let world = World::new();
    world.on(async |world| {
        let watcher = world.watch(Channel::Workflow(world.workflow)).await;
        world.draw("nonsense1 -> quick1").await;
        loop {
            let message = watcher.until("diagnostics").await;
            if message["data"]["nodes"]["nonsense1"]["diagnostics"][0]["code"] == "unknown_node_type" {
                return;
            }
        }
    });
}

/// [CANVAS-4] A burst of edits is looked at when 100 ms have passed, not edit by edit; everybody who watches is told, and
/// nothing of it is written.
#[test]
fn diagnostics_are_debounced_and_beside_the_document() {
    const EDITS: i64 = 20;
    let world = World::new();
    world.on(async |world| {
        world.draw("quick1").await;
        world.system().analysis(world.asker(), world.workflow).await.unwrap();
        let channel = Channel::Workflow(world.workflow);
        let watchers = [world.watch(channel).await, world.watch(channel).await];
        let (_, revision) = world.system().diagram(world.asker(), world.workflow).await.unwrap().value;

        let started = Instant::now();
        for n in 1..=EDITS {
            world.draw(&format!("nonsense{n} -> quick1")).await;
        }
        let edited_for = started.elapsed();
        for (at, watcher) in watchers.iter().enumerate() {
            let mut pushes = 0;
            loop {
                let told = watcher.until("diagnostics").await;
                if (at, pushes) == (0, 0) {
                    assert!(started.elapsed() >= Duration::from_millis(100), "{:?}", started.elapsed());
                }
                pushes += 1;
                if !told["data"]["nodes"][format!("nonsense{EDITS}")].is_null() {
                    break;
                }
            }
            assert!(pushes <= edited_for.as_millis() / 100 + 2, "{pushes} pushes for {EDITS} edits in {edited_for:?}");
        }
        let (_, now) = world.system().diagram(world.asker(), world.workflow).await.unwrap().value;
        assert_eq!(now, revision + EDITS);
    });
}

/// [CANVAS-4] Who asks for an analysis gets one of what is there, whatever is being analysed meanwhile.
#[test]
fn an_analysis_is_of_the_latest_edit() {
    let world = World::new();
    world.on(async |world| {
        let analysis = async || world.system().analysis(world.asker(), world.workflow).await.unwrap();
        world.draw("ponder1").await;
        let (_, later) = futures::join!(analysis(), async {
            tokio::time::sleep(PONDERED_FOR / 4).await;
            world.draw("ponder2").await;
            analysis().await
        });
        assert_eq!(later.execution_order, ["ponder2"]);
    });
}

/// [OPS-5] A server that stops does not wait for an analysis, and ends it. What was edited is there afterwards.
#[test]
fn an_analysis_ends_with_its_canvas() {
    let mut world = World::new();
    world.on(async |world| {
        world.draw("brood1").await;
        world.traced("brooding").await;
    });
    let started = Instant::now();
    world.stop();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(world.trace.lines(), ["brooding", "gave up brooding"]);
    world.start();
    world.on(async |world| {
        let (diagram, _) = world.system().diagram(world.asker(), world.workflow).await.unwrap().value;
        assert_eq!(diagram.nodes[0].id, "brood1");
    });
}

/// [CANVAS-4] Somebody who types all the time is told what is wrong all the same.
#[test]
fn edits_do_not_end_an_analysis() {
    let world = World::new();
    world.on(async |world| {
        let watcher = world.watch(Channel::Workflow(world.workflow)).await;
        let typing = async {
            for n in 0.. {
                world.draw(&format!("ponder{n}, nonsense{n}")).await;
            }
        };
        let told = async {
            watcher.until("diagnostics").await;
            watcher.until("diagnostics").await
        };
        tokio::select! {
            () = typing => {}
            _ = told => {}
        }
    });
}

/// [CANVAS-9] One removes a node while another connects it: the owner takes the edge out of the document, once.
#[test]
fn a_dangling_edge_is_repaired_once() {
    let world = World::new();
    world.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        let mut bob = world.join("Bob", Access::ReadWrite).await;
        ann.draw("quick1, quick2").await;
        bob.until(|bob| bob.node_ids() == ["quick1", "quick2"]).await;
        let revision = async || world.system().diagram(world.asker(), world.workflow).await.unwrap().value.1;
        let before = revision().await;

        let removal = ann.canvas.edit(&diagram("quick1")).unwrap();
        let connection = bob.canvas.edit(&diagram("quick1 -> quick2")).unwrap();
        ann.session.send(wire::update(&removal).into(), None).await;
        bob.session.send(wire::update(&connection).into(), None).await;
        while revision().await < before + 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.draw("quick1, quick3").await;
        world.system().analysis(world.asker(), world.workflow).await.unwrap();
        assert_eq!(revision().await, before + 4, "two edits, one repair, one edit");
        for client in [&mut ann, &mut bob] {
            client.until(|client| client.node_ids() == ["quick1", "quick3"]).await;
            assert_eq!(client.canvas.repair(), None, "nothing is left for a client to repair");
        }
    });
}

/// [SYNC-7, SYNC-3] A reader that stops costs its outbox at most; when it reads again, one diff brings it up to date,
/// and it is told what of its own is durable.
#[test]
fn a_slow_reader_is_caught_up_by_one_diff() {
    let world = World::limited(Limits { outbox_bytes_max: 2_000, ..Limits::default() });
    world.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        let mut slow = world.join("Bob", Access::ReadWrite).await;
        slow.draw("slow0").await;
        for n in 0..200 {
            ann.draw(&format!("quick{n}")).await;
            ann.until(|ann| ann.acknowledged > n).await;
        }
        let mut frames = 0;
        while slow.node_ids() != ["quick199"] {
            slow.take().await;
            frames += 1;
        }
        assert_eq!(slow.canvas.project(), ann.canvas.project());
        assert!(frames < 40, "{frames} frames were kept for a reader that took none");
        slow.until(|slow| slow.acknowledged == 1).await;
    });
}

/// [SYNC-13] An owner whose lease went to another server writes nothing more: its sessions are told to come back.
#[test]
fn a_former_owner_cannot_write() {
    let world = World::new();
    world.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        ann.draw("quick1").await;
        ann.until(|ann| ann.acknowledged >= 1).await;

        let store = world.store().await;
        let mut tx = store.begin_system().await.unwrap();
        let (kind, id, far) = (LeaseKind::Workflow, *world.workflow.as_uuid(), Timestamp::from_millis(i64::MAX));
        let ttl = Duration::from_secs(60);
        let other = leases::acquire(&mut tx, kind, id, world.tenant, ServerId::generate(), far, ttl).await.unwrap();
        tx.commit().await.unwrap();
        assert!(other.is_some(), "the lease had expired at the end of time");

        ann.draw("quick1 -> quick2").await;
        assert_eq!(ann.closed().await.code, 1012);
        let mut tx = store.begin(world.tenant).await.unwrap();
        assert_eq!(canvas::load(&mut tx, world.workflow).await.unwrap().updates.len(), 1);
    });
}

/// [SYNC-13] A canvas that cannot be opened says why, and opens when the reason is gone.
#[test]
fn a_canvas_that_cannot_open_says_why() {
    let world = World::limited(Limits { lease_ttl: Duration::from_millis(300), ..Limits::default() });
    world.on(async |world| {
        let store = world.store().await;
        let (kind, id, server) = (LeaseKind::Workflow, *world.workflow.as_uuid(), ServerId::generate());
        let (now, ttl) = (SystemClock.now(), Duration::from_secs(60));
        let mut tx = store.begin_system().await.unwrap();
        let epoch = leases::acquire(&mut tx, kind, id, world.tenant, server, now, ttl).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let refused = world.system().diagram(world.asker(), world.workflow).await.unwrap_err();
        assert!(refused.to_string().contains("another server owns"), "{refused}");

        let mut tx = store.begin_system().await.unwrap();
        assert!(leases::release(&mut tx, kind, id, server, epoch).await.unwrap());
        tx.commit().await.unwrap();
        while world.system().diagram(world.asker(), world.workflow).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

/// [SYNC-12] Whoever is at a canvas whose owner fails is told at once to come back, and comes back to what is stored.
#[test]
fn nobody_stays_at_a_canvas_without_an_owner() {
    let world = World::new();
    world.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        let bob = world.join("Bob", Access::ReadOnly).await;
        let watcher = world.watch(Channel::Workflow(world.workflow)).await;
        ann.draw("quick1").await;
        ann.until(|ann| ann.acknowledged >= 1).await;

        world.clock.fail_at_a_frame();
        ann.draw("quick1 -> quick2").await;
        for close in [ann.closed().await, bob.closed().await, watcher.closed().await] {
            assert_eq!(close.code, 1012, "{close:?}");
        }
        // The owner is started again after a pause.
        while world.system().diagram(world.asker(), world.workflow).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(world.join("Ann", Access::ReadWrite).await.node_ids(), ["quick1"]);
    });
}

/// [SYNC-14] An edit that had begun when its canvas failed is not made again unasked: it may be in the store.
#[test]
fn an_edit_is_not_made_twice() {
    let world = World::new();
    world.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        let store = world.store().await;
        // Nothing can be committed meanwhile.
        let writing = store.begin_system().await.unwrap();
        let edit = world.try_draw("quick1");
        let failure = async {
            ann.until(|ann| ann.node_ids() == ["quick1"]).await;
            world.clock.fail_at_a_frame();
            ann.draw("quick1 -> quick2").await;
        };
        let (edited, ()) = tokio::join!(edit, failure);
        assert!(matches!(edited, Err(EditDiagramError::Unavailable(Unavailable::Unknown))), "{edited:?}");
        drop(writing);
    });
}

/// [SYNC-5] What the store does not take of one canvas keeps no other waiting: that canvas fails, and the rest is saved.
#[test]
fn a_canvas_that_cannot_be_saved_fails_alone() {
    let world = World::new();
    world.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        // Of a workflow that has no row: what belongs to it violates a foreign key.
        let user = UserTag { id: world.user, name: "Bob".to_owned(), color: "#123456".to_owned() };
        let (session, access) = (SessionId::generate(), Access::ReadWrite);
        let join = JoinCanvas { session, user, access, acks: true, document_epoch: None };
        let session = world.system().join_canvas(world.tenant, WorkflowId::generate(), join).await.unwrap();
        let mut bob = Client::greet(session).await;
        for plan in ["quick1", "quick1 -> quick2", "quick1 -> quick2 -> quick3"] {
            bob.draw(plan).await;
            ann.draw(plan).await;
        }
        ann.until(|ann| ann.acknowledged >= 3).await;
        assert_eq!(bob.closed().await.code, 1012);
        assert_eq!(bob.acknowledged, 0);
        ann.draw("quick1").await;
        ann.until(|ann| ann.acknowledged >= 4).await;
    });
}

/// [SYNC-12] A stop in order commits everything, closes with 1012, and gives the lease back.
#[test]
fn a_drain_loses_nothing() {
    let mut world = World::new();
    let ann = world.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        ann.draw("quick1").await;
        // Awaited, so that the frame was handled before the stop; its commit may be under way.
        world.system().diagram(world.asker(), world.workflow).await.unwrap();
        ann
    });
    world.stop();
    futures::executor::block_on(async { assert_eq!(ann.closed().await.code, 1012) });
    drop(ann);
    world.start();
    world.on(async |world| {
        assert_eq!(world.join("Bob", Access::ReadWrite).await.node_ids(), ["quick1"]);
    });
}

/// Lets a request come as far as it comes in so many steps, and gives it up. Tells whether it came to its end.
async fn give_up_after(steps: usize, request: impl Future) -> bool {
    let mut request = pin!(request);
    for _ in 0..steps {
        if poll!(&mut request).is_ready() {
            return true;
        }
        // On the one thread of this test, all that it asked for is done meanwhile.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    false
}

/// [SYNC-12] Nobody who is gone keeps a canvas open: whoever gives up while joining or watching is not there, also when
/// the answer was on its way already.
#[test]
fn who_gives_up_keeps_no_canvas_open() {
    let world = World::on_one_thread(Limits { unload_after: Duration::from_millis(50), ..Limits::default() });
    world.on(async |world| {
        world.draw("quick1").await;
        for steps in 0.. {
            let has_joined = give_up_after(steps, world.session("Ann", Access::ReadWrite, None)).await;
            let (channel, outbox) = (Channel::Workflow(world.workflow), Outbox::new(1 << 20));
            let watching = world.system().subscribe(world.asker(), channel, None, outbox);
            if give_up_after(steps, watching).await && has_joined {
                break;
            }
        }
        let store = world.store().await;
        let unloaded = async {
            let (kind, id, other) = (LeaseKind::Workflow, *world.workflow.as_uuid(), ServerId::generate());
            loop {
                let mut tx = store.begin_system().await.unwrap();
                let begun = Timestamp::from_millis(0);
                if leases::acquire(&mut tx, kind, id, world.tenant, other, begun, Duration::from_secs(1))
                    .await
                    .unwrap()
                    .is_some()
                {
                    return;
                }
                drop(tx);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), unloaded).await.expect("somebody keeps the canvas open");
    });
}
