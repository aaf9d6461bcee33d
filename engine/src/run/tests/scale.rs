//! [RUN-17] A run of 10,000 nodes. The bounds are for a debug build on a busy machine; what is quadratic exceeds them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use troupe_model::{Diagram, RunEventKind, RunStatus};

use super::world::{World, completed, edge, node, registry};
use crate::{plan::Plan, run::Effect};

const NODES: usize = 10_000;
const BOUND: Duration = Duration::from_secs(3);

fn id(place: usize) -> String {
    format!("n{place:05}")
}

fn planned(edges: impl Iterator<Item = (usize, usize)>) -> Arc<Plan> {
    let diagram = Diagram {
        nodes: (0..NODES).map(|place| node(&id(place), "step")).collect(),
        edges: edges.map(|(from, to)| edge(&format!("{} -> {}", id(from), id(to)))).collect(),
        ..Diagram::default()
    };
    let begin = Instant::now();
    let plan = Arc::new(Plan::build(&diagram, &registry()).expect("the diagram is sound"));
    let took = begin.elapsed();
    assert!(took < BOUND, "planning took {took:?}");
    plan
}

fn run_to_the_end(plan: Arc<Plan>) {
    let begin = Instant::now();
    let mut world = World::new(plan, 64);
    let mut open = world.tell(RunEventKind::RunStarted).effects;
    let mut started = 0;
    while let Some(effect) = open.pop() {
        if let Effect::Start { node, .. } = effect {
            started += 1;
            let id = world.machine.plan().node(node).id.to_string();
            open.extend(world.tell(completed(&id, &["out"])).effects);
        }
    }
    let took = begin.elapsed();
    assert_eq!((world.machine.status(), started), (RunStatus::Success, NODES));
    assert!(took < BOUND, "deciding took {took:?}");
}

#[test]
fn ten_thousand_nodes_in_a_chain() {
    run_to_the_end(planned((1..NODES).map(|to| (to - 1, to))));
}

#[test]
fn ten_thousand_nodes_out_of_one_and_into_one() {
    let last = NODES - 1;
    run_to_the_end(planned((1..last).flat_map(|middle| [(0, middle), (middle, last)])));
}

#[test]
fn ten_thousand_nodes_each_fed_by_two_before_it() {
    run_to_the_end(planned((2..NODES).flat_map(|to| [(to / 2, to), (to * 7 / 11, to)])));
}

#[test]
fn ten_thousand_nodes_are_canceled_at_once() {
    let begin = Instant::now();
    let mut world = World::new(planned((1..NODES).map(|to| (to / 2, to))), 1);
    world.tell(RunEventKind::RunStarted);
    let decision = world.tell(RunEventKind::CancelRequested { by: None });
    assert_eq!(decision.events.len(), NODES, "the request, and every node but the running one");
    assert!(begin.elapsed() < BOUND);
}
