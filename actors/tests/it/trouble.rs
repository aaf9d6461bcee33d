//! [REL-12] A canvas that ended the server, or failed, is tried apart; one that fails there too is held back.

use std::time::Duration;

use troupe_actors::Unavailable;
use troupe_crdt::Access;
use troupe_store::canvas::trouble;
use uuid::Uuid;

use crate::world::World;

/// A canvas that failed is not opened at once again.
const PAUSE: Duration = Duration::from_millis(50);

/// As if a process had ended while it opened or compacted the canvas.
async fn ended_at_work(world: &World) {
    let mut tx = world.store().await.begin_system().await.unwrap();
    trouble::begin(&mut tx, world.tenant, world.workflow, Uuid::now_v7()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn held_back(world: &World) -> String {
    match world.try_join("Ann", Access::ReadWrite).await {
        Err(Unavailable::HeldBack(reason)) => reason,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was opened"),
    }
}

/// [REL-12] It is opened when nothing is found, and what was before is forgiven.
#[test]
fn a_canvas_that_was_open_at_a_bad_end_is_tried_apart_and_opened() {
    let mut world = World::new();
    world.on(async |world| world.draw("quick1").await);
    world.stop();
    world.start();
    world.on(async |world| {
        ended_at_work(world).await;
        let ann = world.join("Ann", Access::ReadWrite).await;
        assert_eq!(ann.node_ids().len(), 1);
        assert_eq!(world.examiner.examined(), 1);
    });
    world.stop();
    world.start();
    world.on(async |world| {
        world.join("Ann", Access::ReadWrite).await;
        assert_eq!(world.examiner.examined(), 1, "what was before is forgiven");
    });
}

/// [REL-12] Nobody opens it, and it is not tried again and again; it can be read and run as it was. When somebody says so
/// it is tried again.
#[test]
fn a_canvas_that_fails_apart_is_held_back() {
    let mut world = World::new();
    world.on(async |world| world.draw("quick1 -> quick2").await);
    world.stop();
    world.start();
    world.examiner.find(Some("it took more than 2048 MiB of memory"));
    world.on(async |world| {
        ended_at_work(world).await;
        assert_eq!(held_back(world).await, "it took more than 2048 MiB of memory");
        assert_eq!(held_back(world).await, "it took more than 2048 MiB of memory");
        let (diagram, revision) = world.system().diagram(world.asker(), world.workflow).await.unwrap().value;
        assert_eq!((diagram.nodes.len(), revision), (2, 1));
        let run = world.run().await;
        assert_eq!(world.ended(run).await, troupe_model::RunStatus::Success);
        let edited = world.try_draw("quick1").await;
        assert!(edited.unwrap_err().to_string().contains("held back"));
    });
    world.stop();
    world.start();
    world.on(async |world| {
        held_back(world).await;
        assert_eq!(world.examiner.examined(), 1);
        let release = || world.system().release_canvas(world.tenant, world.workflow);
        assert!(release().await.unwrap());
        held_back(world).await;
        assert_eq!(world.examiner.examined(), 2);
        world.examiner.find(None);
        assert!(release().await.unwrap());
        assert_eq!(world.join("Ann", Access::ReadWrite).await.node_ids().len(), 2);
        assert!(!release().await.unwrap());
    });
}

/// [REL-12] What cannot be read at all is not tried for ever either.
#[test]
fn a_canvas_that_cannot_be_read_is_held_back() {
    let mut world = World::new();
    world.on(async |world| world.draw("quick1").await);
    world.stop();
    world.start();
    world.on(async |world| {
        world.damage().await;
        let reason = loop {
            match world.try_join("Ann", Access::ReadWrite).await {
                Err(Unavailable::HeldBack(reason)) => break reason,
                Err(Unavailable::CannotOpen(_)) => tokio::time::sleep(PAUSE).await,
                Err(other) => panic!("{other}"),
                Ok(_) => panic!("it was opened"),
            }
        };
        assert!(reason.contains("log"), "{reason}");
        assert_eq!(world.examiner.examined(), 1);
        let read = world.system().diagram(world.asker(), world.workflow).await;
        assert!(matches!(read, Err(Unavailable::HeldBack(_))), "{read:?}");
    });
}
