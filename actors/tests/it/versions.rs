//! Who changed what, and publishing [CANVAS-7].

use std::time::Duration;

use troupe_actors::{Asker, Change, DiagramEdit, EditDiagramError, Limits, Publish, PublishError, PublishVersionError};
use troupe_crdt::Access;
use troupe_model::{ElementKind, Touch, UserId};
use troupe_store::versions::{self, Version};

use crate::world::{World, diagram};

impl World {
    async fn changes(&self) -> (Vec<String>, i64) {
        let (changes, revision) = self.system().changes(self.asker(), self.workflow).await.unwrap();
        let told = |change: Change| {
            let who = if change.by == self.user { "ann" } else { "bob" };
            format!("{who} {:?} {:?} {}", change.touch, change.kind, change.id)
        };
        let mut told: Vec<String> = changes.into_iter().map(told).collect();
        told.sort();
        (told, revision)
    }

    async fn publish(&self, if_match: Option<i64>) -> Result<Version, PublishError> {
        let publish = Publish { if_match, by: self.user, note: "as agreed".to_owned() };
        match self.system().publish(self.asker(), self.workflow, publish).await {
            Ok(version) => Ok(version),
            Err(PublishVersionError::Publish(error)) => Err(error),
            Err(error) => panic!("{error}"),
        }
    }

    async fn draw_as(&self, by: UserId, plan: &str) {
        let edit = DiagramEdit::Replace(diagram(plan));
        let edited: Result<_, EditDiagramError> =
            self.system().edit_diagram(Asker { tenant: self.tenant, user: Some(by) }, self.workflow, None, edit).await;
        edited.unwrap();
    }

    async fn last_author(&self, node: &str) -> Option<UserId> {
        let changes = self.system().last_changes(self.asker(), self.workflow, Some(node.to_owned())).await.unwrap();
        changes.first().map(|change| change.by)
    }
}

/// [CANVAS-7] Sessions and REST edits count for who did them; after a publication only what came later is told; all of
/// it is known again after a crash.
#[test]
fn changes_are_told_by_author_since_the_last_version() {
    let mut world = World::new();
    let bob = UserId::generate();
    world.on(async |world| {
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        ann.draw("quick1 -> quick2").await;
        ann.until(|ann| ann.acknowledged >= 1).await;
        world.draw_as(bob, "quick1 -> quick2, quick3").await;
        let (changes, revision) = world.changes().await;
        assert_eq!(
            changes,
            ["ann Added Edge quick1-quick2", "ann Added Node quick1", "ann Added Node quick2", "bob Added Node quick3"]
        );
        assert_eq!(world.last_author("quick1").await, Some(world.user));
        assert_eq!(world.last_author("quick3").await, Some(bob));

        let version = world.publish(Some(revision)).await.unwrap();
        assert_eq!((version.number, version.seq, version.created_by), (1, revision, world.user));
        assert_eq!(version.authors.len(), 2);
        assert_eq!(world.changes().await.0, Vec::<String>::new());
        world.draw_as(bob, "quick1 -> quick3").await;
    });
    let expected = ["bob Added Edge quick1-quick3", "bob Removed Edge quick1-quick2", "bob Removed Node quick2"];
    world.on(async |world| assert_eq!(world.changes().await.0, expected));
    world.crash();
    world.start();
    world.on(async |world| {
        assert_eq!(world.changes().await.0, expected);
        assert_eq!(world.last_author("quick1").await, Some(world.user));
        assert_eq!(world.last_author("quick2").await, None, "it is gone");
        let store = world.store().await;
        let mut tx = store.begin(world.tenant).await.unwrap();
        let published = versions::diagram(&mut tx, world.workflow, 1).await.unwrap().unwrap();
        assert_eq!(published.nodes.len(), 3, "a version does not change");
    });
}

/// [CANVAS-7] What was not seen is not published; and a version without a change is none.
#[test]
fn what_was_not_seen_is_not_published() {
    let world = World::new();
    world.on(async |world| {
        assert!(matches!(world.publish(None).await, Err(PublishError::Unchanged)));
        world.draw("quick1").await;
        let (_, seen) = world.changes().await;
        world.draw("quick1 -> quick2").await;
        match world.publish(Some(seen)).await {
            Err(PublishError::Stale { current }) => assert!(current > seen),
            other => panic!("{other:?}"),
        }
        assert_eq!(world.publish(None).await.unwrap().number, 1);
        assert!(matches!(world.publish(None).await, Err(PublishError::Unchanged)));
        world.draw("quick2").await;
        assert_eq!(world.publish(None).await.unwrap().number, 2);
    });
}

/// [CANVAS-7, SYNC-5] Snapshots keep the authors of the rows that they trim, over versions, editing and crashes.
#[test]
fn authors_survive_compaction() {
    let mut world = World::limited(Limits { rows_between_snapshots: 500, ..Limits::default() });
    let bob = UserId::generate();
    world.on(async |world| world.draw_as(bob, "quick1, slow1").await);
    for round in 0..3 {
        world.on(async |world| {
            let mut ann = world.join("Ann", Access::ReadWrite).await;
            // More rows than a snapshot takes.
            for n in 1..=1_100_u64 {
                let mut target = ann.canvas.project();
                let slow = target.nodes.iter_mut().find(|node| node.id == "slow1").unwrap();
                slow.position.x = (round * 10_000 + n) as f64;
                let update = ann.canvas.edit(&target).unwrap();
                ann.session.send(troupe_crdt::wire::update(&update).into(), None).await;
                if n % 50 == 0 {
                    ann.until(|ann| ann.acknowledged >= n).await;
                }
            }
            while world.rows().await > 1_000 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let (changes, revision) = world.changes().await;
            assert!(changes.contains(&"ann Moved Node slow1".to_owned()), "{changes:?}");
            assert_eq!(changes.len(), if round == 0 { 3 } else { 1 }, "{changes:?}");
            if round < 2 {
                world.publish(Some(revision)).await.unwrap();
            }
        });
        world.crash();
        world.start();
    }
    world.on(async |world| {
        assert_eq!(world.changes().await.0, ["ann Moved Node slow1"]);
        let changes = world.system().last_changes(world.asker(), world.workflow, None).await.unwrap();
        let told: Vec<_> = changes.iter().map(|change| (change.kind, &*change.id, change.by == bob)).collect();
        assert_eq!(told, [(ElementKind::Node, "quick1", true), (ElementKind::Node, "slow1", false)]);
        let (changes, _) = world.system().changes(world.asker(), world.workflow).await.unwrap();
        assert_eq!(changes[0].touch, Touch::Moved);
    });
}
