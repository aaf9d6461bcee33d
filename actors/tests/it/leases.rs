//! One owner at a time [SYNC-13]: what a lost lease, a pause and a dead server do to those who are there.

use std::time::Duration;

use troupe_actors::Limits;
use troupe_crdt::Access;
use troupe_model::{RunStatus, ServerId, Timestamp};
use troupe_store::leases::{self, LeaseKind};

use crate::world::World;

const TTL: Duration = Duration::from_millis(600);

fn short_leases() -> World {
    World::limited(Limits { lease_ttl: TTL, ..Limits::default() })
}

/// [SYNC-13] An owner whose lease went elsewhere is told by the next renewal, though it writes nothing.
#[test]
fn a_lost_lease_is_noticed_without_a_write() {
    let world = short_leases();
    world.on(async |world| {
        let ann = world.join("Ann", Access::ReadWrite).await;
        let store = world.store().await;
        let mut tx = store.begin_system().await.unwrap();
        let (kind, id, far) = (LeaseKind::Workflow, *world.workflow.as_uuid(), Timestamp::from_millis(i64::MAX));
        let other = leases::acquire(&mut tx, kind, id, world.tenant, ServerId::generate(), far, TTL).await.unwrap();
        tx.commit().await.unwrap();
        assert!(other.is_some(), "the lease had expired at the end of time");
        assert_eq!(ann.closed().await.code, 1012);
    });
}

/// [SYNC-13] An owner that was stopped for longer than its lease lives answers nothing that is out of date: neither
/// its own document, which another server has changed meanwhile, nor anything before it asked the store.
#[test]
fn a_paused_owner_answers_nothing_stale() {
    let first = short_leases();
    first.on(async |world| world.draw("quick1").await);
    let ann = first.on(async |world| world.join("Ann", Access::ReadWrite).await);
    let second = first.beside();
    first.pause(4 * TTL);
    second.on(async |world| {
        world.draw("quick1 -> quick2").await;
    });
    let answer = first.on(async |world| world.system().diagram(world.asker(), world.workflow).await);
    if let Ok((diagram, _)) = answer.map(|read| read.value) {
        assert_eq!(diagram.nodes.len(), 2, "it answered for a document that is another server's");
    }
    first.on(async |_| assert_eq!(ann.closed().await.code, 1012));
}

/// [SYNC-13] The lease of an owner that failed does not outlive it: another server opens the canvas, though the
/// first one lives and renews what it holds.
#[test]
fn a_failed_owner_holds_nothing() {
    let first = short_leases();
    first.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        ann.draw("quick1").await;
        ann.until(|ann| ann.acknowledged >= 1).await;
        world.clock.fail_at_a_frame();
        ann.draw("quick1 -> quick2").await;
        assert_eq!(ann.closed().await.code, 1012);
    });
    let second = first.beside();
    second.on(async |world| assert_eq!(world.join("Ann", Access::ReadWrite).await.node_ids(), ["quick1"]));
}

/// [SYNC-13] Who was paused and lost nothing by it goes on.
#[test]
fn a_paused_owner_goes_on_when_nobody_took_over() {
    let world = short_leases();
    world.on(async |world| world.draw("quick1").await);
    let mut ann = world.on(async |world| world.join("Ann", Access::ReadWrite).await);
    world.pause(2 * TTL);
    world.on(async |world| {
        let (diagram, _) = world.system().diagram(world.asker(), world.workflow).await.unwrap().value;
        assert_eq!(diagram.nodes.len(), 1);
        ann.draw("quick1 -> quick2").await;
        ann.until(|ann| ann.acknowledged >= 1).await;
    });
}

/// [RUN-3, SYNC-13] The runs of a server that died go on at another that was there all the time, and what was done
/// is not done again.
#[test]
fn runs_of_a_dead_server_go_on_elsewhere() {
    let mut first = short_leases();
    let second = first.beside();
    let run = first.on(async |world| {
        world.draw("quick1 -> once1 -> quick2").await;
        let run = world.run().await;
        world.traced("once1 started").await;
        run
    });
    first.crash();
    second.on(async |world| assert_eq!(world.ended(run).await, RunStatus::Success));
    let lines = second.trace.lines();
    assert_eq!(lines.iter().filter(|line| *line == "quick1 done").count(), 1, "{lines:?}");
}

/// [RUN-3, SYNC-13] Nobody takes the runs of a server that lives.
#[test]
fn runs_of_a_living_server_are_left_alone() {
    let first = short_leases();
    let second = first.beside();
    let run = first.on(async |world| {
        world.draw("quick1 -> hang1").await;
        let run = world.run().await;
        world.traced("hang1 started").await;
        run
    });
    second.on(async |_| tokio::time::sleep(3 * TTL).await);
    first.on(async |world| {
        assert!(world.system().cancel_run(world.tenant, run, world.user).await.unwrap());
        assert_eq!(world.ended(run).await, RunStatus::Canceled);
    });
    assert_eq!(first.trace.lines().iter().filter(|line| *line == "hang1 started").count(), 1);
}
