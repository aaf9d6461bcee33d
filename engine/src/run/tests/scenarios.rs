//! The rules one by one, each told as a short story.

use std::time::Duration;

use troupe_model::{NodeMetrics, NodeStatus, RunEventKind, RunStatus};

use super::world::{NOW, World, outputs, plan, story};
use crate::run::{Effect, MachineOptions, RunMachine};

/// [RUN-4] A node starts as soon as its inputs are ready.
#[test]
fn a_node_starts_when_all_that_feeds_it_is_complete() {
    let (mut world, start) = World::started(&["a -> c", "b -> c"]);
    assert_eq!(story(&start), ["run_started", "a started", "b started"]);
    assert_eq!(story(&world.completes("a", &["out"])), ["a completed"]);
    assert_eq!(story(&world.completes("b", &["out"])), ["b completed", "c started"]);
    let end = world.completes("c", &["out"]);
    assert_eq!(story(&end), ["c completed", "run_completed"]);
    assert_eq!(end.effects, [Effect::Finish(RunStatus::Success)]);
}

/// [RUN-4] Branches not taken are skipped, as far as nothing else reaches them; fan-in goes on with what is live.
#[test]
fn a_branch_that_is_not_taken_is_skipped() {
    let (mut world, _) =
        World::started(&["a.out -> yes", "a.other -> no", "no -> further", "yes -> end", "further -> end"]);
    let decision = world.completes("a", &["out"]);
    assert_eq!(story(&decision), ["a completed", "no skipped", "further skipped", "yes started"]);
    assert_eq!(story(&world.completes("yes", &["out"])), ["yes completed", "end started"]);
    let end = world.place("end");
    assert_eq!(world.machine.inputs_of(end)["in"].len(), 1);
}

/// [RUN-4] A node that needs two inputs is skipped when one of them got nothing.
#[test]
fn a_required_input_without_a_live_payload_skips_the_node() {
    let (mut world, _) = World::started(&["a.out -> pair.left", "a.other -> pair.right"]);
    assert_eq!(story(&world.completes("a", &["out"])), ["a completed", "pair skipped", "run_completed"]);
}

/// [RUN-4] The limit of the run is kept; the node that is first in the order goes first.
#[test]
fn no_more_nodes_run_than_the_limit_allows() {
    let mut world = World::new(plan(&["a -> z", "b -> z", "c -> z"]), 2);
    assert_eq!(story(&world.tell(RunEventKind::RunStarted)), ["run_started", "a started", "b started"]);
    assert_eq!(story(&world.completes("b", &["out"])), ["b completed", "c started"]);
}

/// A failure stops the run: siblings are canceled, and the run ends when they have ended.
#[test]
fn a_failure_cancels_the_rest_and_ends_the_run() {
    let (mut world, _) = World::started(&["a -> c", "b -> c"]);
    let failed = world.fails("a");
    assert_eq!(story(&failed), ["a failed", "c canceled"]);
    assert_eq!(failed.effects, [Effect::Cancel { node: world.place("b") }]);
    let end = world.tell(RunEventKind::NodeCanceled { node: "b".to_owned() });
    assert_eq!(story(&end), ["b canceled", "run_failed"]);
    assert_eq!(end.effects, [Effect::Finish(RunStatus::Error)]);
    let Some(RunEventKind::RunFailed { failure }) = end.events.last() else { panic!("the run failed") };
    assert_eq!((failure.code.as_str(), failure.message.as_str()), ("broken", "a: it broke"));
}

/// [RUN-9] Cancel reaches what runs, and nothing starts any more; a completion that comes late counts as an end.
#[test]
fn a_canceled_run_ends_when_all_that_ran_has_ended() {
    let (mut world, _) = World::started(&["a -> c", "b -> c"]);
    let canceled = world.tell(RunEventKind::CancelRequested { by: None });
    assert_eq!(story(&canceled), ["cancel_requested", "c canceled"]);
    assert_eq!(canceled.effects.len(), 2);
    assert_eq!(story(&world.completes("a", &["out"])), ["a completed"]);
    assert_eq!(story(&world.fails("b")), ["b failed", "run_canceled"]);
    assert_eq!(world.machine.status(), RunStatus::Canceled);
}

#[test]
fn a_report_that_comes_twice_or_too_late_changes_nothing() {
    let (mut world, _) = World::started(&["a -> b"]);
    world.completes("a", &["out"]);
    assert_eq!(world.completes("a", &["out"]), Default::default());
    assert_eq!(world.fails("nobody"), Default::default());
    world.completes("b", &["out"]);
    assert_eq!(world.tell(RunEventKind::CancelRequested { by: None }), Default::default());
}

/// [RUN-9] Pause finishes what runs and starts nothing.
#[test]
fn a_paused_run_starts_nothing_until_it_is_resumed() {
    let (mut world, _) = World::started(&["a -> b"]);
    assert_eq!(story(&world.tell(RunEventKind::RunPaused)), ["run_paused"]);
    assert_eq!(story(&world.completes("a", &["out"])), ["a completed"]);
    assert_eq!(world.machine.status(), RunStatus::Paused);
    assert_eq!(story(&world.tell(RunEventKind::RunResumed)), ["run_resumed", "b started"]);
}

fn waiting(node: &str, for_ms: u64) -> RunEventKind {
    let until = NOW.after(Duration::from_millis(for_ms));
    RunEventKind::NodeWaiting {
        node: node.to_owned(),
        until,
        outputs: outputs(&["out"]),
        metrics: NodeMetrics::default(),
    }
}

/// [RUN-17] A node that waits holds no slot; its timer completes it with what it had ready.
#[test]
fn a_waiting_node_completes_when_its_time_has_come() {
    let mut world = World::new(plan(&["a -> c", "b -> c"]), 1);
    world.tell(RunEventKind::RunStarted);
    let decision = world.tell(waiting("a", 500));
    let (a, due) = (world.place("a"), NOW.after(Duration::from_millis(500)));
    assert_eq!(story(&decision), ["a waiting", "b started"]);
    assert!(decision.effects.contains(&Effect::ArmTimer { node: a, due }));
    assert_eq!(world.machine.node_status(a), NodeStatus::WaitingInput);
    assert_eq!(world.machine.wake(a, NOW), Default::default(), "too early");
    assert_eq!(story(&world.machine.wake(a, due)), ["a completed"]);
    assert_eq!(world.machine.wake(a, due), Default::default(), "rang already");
}

#[test]
fn a_wait_that_is_over_already_needs_no_timer() {
    let (mut world, _) = World::started(&["a -> b"]);
    let decision = world.tell(waiting("a", 0));
    assert_eq!(story(&decision), ["a waiting", "a completed", "b started"]);
    assert_eq!(decision.effects, [Effect::Start { node: world.place("b"), attempt: 1 }]);
}

#[test]
fn a_waiting_node_is_canceled_at_once() {
    let (mut world, _) = World::started(&["a -> b"]);
    world.tell(waiting("a", 500));
    let decision = world.tell(RunEventKind::CancelRequested { by: None });
    assert_eq!(story(&decision), ["cancel_requested", "a canceled", "b canceled", "run_canceled"]);
}

/// [RUN-3] What executed when the process ended is started again, with the same attempt; timers are armed again.
#[test]
fn a_run_goes_on_after_a_crash() {
    let (mut world, _) = World::started(&["a -> d", "b -> d", "c -> d"]);
    world.completes("a", &["out"]);
    world.tell(waiting("b", 500));
    let mut again = RunMachine::new(world.machine.plan().clone(), MachineOptions { parallelism: 8 });
    again.replay(world.journal.clone());
    let decision = again.resume();
    let due = NOW.after(Duration::from_millis(500));
    assert!(decision.events.is_empty());
    assert_eq!(
        decision.effects,
        [Effect::Start { node: world.place("c"), attempt: 1 }, Effect::ArmTimer { node: world.place("b"), due }]
    );
}

/// [RUN-3] After a crash nothing runs any more, so a run that was stopping ends at once.
#[test]
fn a_run_that_was_stopping_ends_after_a_crash() {
    let (mut world, _) = World::started(&["a -> b"]);
    world.tell(RunEventKind::CancelRequested { by: None });
    let mut again = RunMachine::new(world.machine.plan().clone(), MachineOptions { parallelism: 8 });
    again.replay(world.journal.clone());
    assert_eq!(story(&again.resume()), ["a canceled", "run_canceled"]);
}
