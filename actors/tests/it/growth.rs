//! Growth control [SYNC-15]: a canvas with too much past is rebuilt, and nothing acknowledged is lost by it.

use std::time::Duration;

use troupe_actors::{DiagramEdit, EditDiagramError, EditError, Limits};
use troupe_crdt::{Access, wire};

use crate::{client::closed, world::World};

const LARGE: usize = 5_000;

fn label(n: usize) -> String {
    format!("{n:06}").repeat(LARGE / 6)
}

/// [SYNC-15] Over its budget a canvas is rebuilt although people have it open: they are told to load it again, what
/// was acknowledged is there, and the copies that they had are refused.
#[test]
fn a_canvas_over_its_budget_is_rebuilt() {
    let world =
        World::limited(Limits { tombstone_bytes_idle_max: 10_000, tombstone_bytes_max: 60_000, ..Limits::default() });
    world.on(async |world| {
        world.draw("quick1").await;
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        let bob = world.join("Bob", Access::ReadWrite).await;
        let mut acknowledged = None;
        let close = loop {
            let next = acknowledged.map_or(0, |n| n + 1);
            match ann.overwrite(&label(next)).await {
                Ok(()) => acknowledged = Some(next),
                Err(close) => break close,
            }
        };
        assert_eq!((close.code, close.reason.as_str()), (4409, "this canvas was rebuilt; load it again"));
        assert_eq!(bob.closed().await.code, 4409);
        world.rebuilt(1).await;

        let (diagram, revision) = world.system().diagram(world.asker(), world.workflow).await.unwrap().value;
        let shown: usize = diagram.nodes[0].data.label[..6].parse().unwrap();
        assert!(Some(shown) >= acknowledged, "{shown} is older than {acknowledged:?}");
        assert!(revision as usize > acknowledged.unwrap(), "the revision goes on");

        let mut fresh = world.join("Ann", Access::ReadWrite).await;
        // With the crowd that goes through, if the canvas was closed in its middle.
        assert!(fresh.canvas.size_bytes() < 4 * LARGE, "{}", fresh.canvas.size_bytes());
        // Who says what copy it has is refused at the door; who does not, when it tells what it has.
        let old = world.session("Ann", Access::ReadWrite, Some(0)).await;
        assert_eq!(closed(old.outbox()).await.code, 4409);
        let stale = world.session("Ann", Access::ReadWrite, None).await;
        stale.send(wire::sync_step1(&ann.canvas.state_vector()).into(), None).await;
        assert_eq!(closed(stale.outbox()).await.code, 4409);
        let current = world.session("Ann", Access::ReadWrite, Some(1)).await;
        current.send(wire::sync_step1(&fresh.canvas.state_vector()).into(), None).await;
        fresh.overwrite("after").await.unwrap();
        assert!(!current.outbox().is_closed());
        let (diagram, _) = world.system().diagram(world.asker(), world.workflow).await.unwrap().value;
        assert_eq!(diagram.nodes[0].data.label, "after");
    });
}

/// [SYNC-15, REL-12] A canvas is rebuilt before what is deleted in it leaves no room for what is not.
#[test]
fn deleted_items_never_fill_a_canvas() {
    let canvas = troupe_crdt::Limits { document_items_max: 4_000, ..troupe_crdt::Limits::default() };
    let world = World::limited(Limits { canvas, tombstone_bytes_idle_max: 1_000, ..Limits::default() });
    world.on(async |world| {
        world.draw("quick1").await;
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        let close = loop {
            if let Err(close) = ann.leave_gaps(25).await {
                break close;
            }
        };
        assert_eq!(close.code, 4409, "{close:?}");
        world.rebuilt(1).await;
        world.join("Ann", Access::ReadWrite).await.leave_gaps(25).await.unwrap();
    });
}

/// [SYNC-15, SYNC-17] Every client sends all deletions when it comes: a canvas is rebuilt before they fill a frame.
#[test]
fn deletions_never_fill_a_frame() {
    let canvas = troupe_crdt::Limits { frame_bytes_max: 10_000, ..troupe_crdt::Limits::default() };
    let world = World::limited(Limits { canvas, ..Limits::default() });
    world.on(async |world| {
        world.draw("quick1").await;
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        let mut largest = 0;
        let close = loop {
            match ann.leave_gaps(25).await {
                Ok(()) => largest = largest.max(ann.canvas.diff(&ann.canvas.state_vector()).unwrap().len()),
                Err(close) => break close,
            }
        };
        assert_eq!(close.code, 4409, "{close:?} with {largest}");
        assert!((4_000..9_000).contains(&largest), "{largest}");
        world.rebuilt(1).await;
        let ann = world.join("Ann", Access::ReadWrite).await;
        assert!(ann.canvas.diff(&ann.canvas.state_vector()).unwrap().len() < 100);
    });
}

/// [SYNC-17, SYNC-14] The bound of a document holds for edits of a diagram too; what makes it smaller is let through.
#[test]
fn a_diagram_cannot_outgrow_its_canvas() {
    let canvas = troupe_crdt::Limits { document_bytes_max: 20_000, ..troupe_crdt::Limits::default() };
    let world = World::limited(Limits { canvas, ..Limits::default() });
    world.on(async |world| {
        world.draw("quick1").await;
        let relabelled = async |bytes: usize| {
            let (mut diagram, _) = world.system().diagram(world.asker(), world.workflow).await.unwrap().value;
            diagram.nodes[0].data.label = "x".repeat(bytes);
            let edit = DiagramEdit::Replace(diagram);
            world.system().edit_diagram(world.asker(), world.workflow, None, edit).await
        };
        for bytes in [15_000, 16_000, 15_000, 16_000] {
            relabelled(bytes).await.unwrap();
        }
        let refused = relabelled(25_000).await.unwrap_err();
        assert!(matches!(refused, EditDiagramError::Edit(EditError::TooLarge { max: 20_000 })), "{refused:?}");
        assert_eq!(relabelled(10).await.unwrap().value.diagram.nodes[0].data.label, "x".repeat(10));
    });
}

/// [SYNC-17] [REL-12] Nor can a diagram that comes by REST hold more values than a canvas may, and what replaces others
/// is measured.
#[test]
fn a_diagram_has_a_number_of_values() {
    let canvas = troupe_crdt::Limits { document_values_max: 1_000, ..troupe_crdt::Limits::default() };
    let world = World::limited(Limits { canvas, ..Limits::default() });
    world.on(async |world| {
        world.draw("quick1").await;
        let configured = async |values: usize, value: usize| {
            let (mut diagram, _) = world.system().diagram(world.asker(), world.workflow).await.unwrap().value;
            diagram.nodes[0].data.config = [("list".to_owned(), vec![value; values].into())].into_iter().collect();
            let edit = DiagramEdit::Replace(diagram);
            world.system().edit_diagram(world.asker(), world.workflow, None, edit).await
        };
        for value in 0..5 {
            configured(600, value).await.unwrap();
        }
        let refused = configured(1_100, 1).await.unwrap_err();
        assert!(matches!(refused, EditDiagramError::Edit(EditError::TooMany { max: 1_000 })), "{refused:?}");
        configured(3, 1).await.unwrap();
    });
}

/// [SYNC-15, SYNC-12] A canvas that nobody has open any more is rebuilt earlier, and nobody notices; it goes on after
/// a crash.
#[test]
fn an_idle_canvas_is_rebuilt_sooner() {
    let unload_after = Duration::from_millis(50);
    let mut world = World::limited(Limits { tombstone_bytes_idle_max: 10_000, unload_after, ..Limits::default() });
    world.on(async |world| {
        world.draw("quick1").await;
        let mut ann = world.join("Ann", Access::ReadWrite).await;
        for n in 0..20 {
            ann.overwrite(&label(n)).await.unwrap();
        }
        drop(ann);
        world.rebuilt(1).await;
    });
    world.crash();
    world.start();
    world.on(async |world| {
        let mut bob = world.join("Bob", Access::ReadWrite).await;
        assert_eq!(bob.canvas.project().nodes[0].data.label, label(19));
        assert!(bob.canvas.size_bytes() < 2 * LARGE);
        bob.overwrite("after").await.unwrap();
    });
}
