//! The run actor: order, parallelism, failure, cancel, restart, the status stream.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::Value;
use troupe_actors::{Channel, Close};
use troupe_model::{NodeStatus, RunEventKind, RunStatus};

use crate::{client::Watcher, world::World};

/// [RUN-2, RUN-4] Nodes run in the order of their edges, and the run ends with success.
#[test]
fn runs_in_order() {
    let world = World::new();
    world.on(async |world| {
        world.draw("quick1 -> quick2 -> quick3").await;
        let run = world.run().await;
        assert_eq!(world.ended(run).await, RunStatus::Success);
        let expected: Vec<String> =
            (1..=3).flat_map(|n| [format!("quick{n} started"), format!("quick{n} done")]).collect();
        assert_eq!(world.trace.lines(), expected);
    });
}

/// [RUN-3] After a crash the run goes on from its journal: what completed is not run again.
#[test]
fn resumes_without_repeating_a_node() {
    let mut world = World::new();
    let run = world.on(async |world| {
        world.draw("quick1 -> once2 -> quick3").await;
        let run = world.run().await;
        world.traced("once2 started").await;
        run
    });
    world.crash();
    world.start();
    world.on(async |world| {
        assert_eq!(world.ended(run).await, RunStatus::Success);
        assert_eq!(
            world.trace.lines(),
            ["quick1 started", "quick1 done", "once2 started", "once2 started", "quick3 started", "quick3 done"]
        );
        let journal = world.journal(run).await;
        for name in ["quick1", "once2", "quick3"] {
            let completed =
                journal.iter().filter(|e| matches!(e, RunEventKind::NodeCompleted { node, .. } if node == name));
            assert_eq!(completed.count(), 1, "{name}");
        }
    });
}

/// [RUN-3] A stop in order suspends the run; the next server goes on with it.
#[test]
fn a_drain_suspends_a_run() {
    let mut world = World::new();
    let run = world.on(async |world| {
        world.draw("once1 -> quick2").await;
        let run = world.run().await;
        world.traced("once1 started").await;
        run
    });
    world.stop();
    world.start();
    world.on(async |world| assert_eq!(world.ended(run).await, RunStatus::Success));
}

/// [RUN-5] A panic fails its node with its message, and the server goes on.
#[test]
fn a_panic_fails_its_node_only() {
    let world = World::new();
    world.on(async |world| {
        world.draw("panics1 -> quick2").await;
        let run = world.run().await;
        assert_eq!(world.ended(run).await, RunStatus::Error);
        let nodes = world.node_runs(run).await;
        let failure = nodes["panics1"].failure.as_ref().unwrap();
        assert_eq!(failure.code, "node_panicked");
        assert!(format!("{failure:?}").contains("out of cheese"));

        world.draw("quick1").await;
        let run = world.run().await;
        assert_eq!(world.ended(run).await, RunStatus::Success);
    });
}

/// [RUN-2] A failed node fails the run and names why; what came after it never starts.
#[test]
fn a_failed_node_fails_the_run() {
    let world = World::new();
    world.on(async |world| {
        world.draw("fails1 -> quick2").await;
        let run = world.run().await;
        assert_eq!(world.ended(run).await, RunStatus::Error);
        assert_eq!(world.stored(run).await.failure.unwrap().code, "no_luck");
        assert!(!world.trace.lines().contains(&"quick2 started".to_owned()));
    });
}

/// [RUN-9] A cancel reaches what runs within a second.
#[test]
fn cancel_ends_the_run_within_a_second() {
    let world = World::new();
    world.on(async |world| {
        world.draw("hang1 -> quick2, hang3").await;
        let run = world.run().await;
        world.traced("hang1 started").await;
        world.traced("hang3 started").await;
        let asked = Instant::now();
        assert!(world.system().cancel_run(world.tenant, run, world.user).await.unwrap());
        assert_eq!(world.ended(run).await, RunStatus::Canceled);
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
        assert_eq!(world.node_runs(run).await["hang1"].status, NodeStatus::Canceled);
    });
}

/// [RUN-17] A delay is a timer, not a task: it survives a restart and ends when it is due.
#[test]
fn a_delay_survives_a_restart() {
    let mut world = World::new();
    let run = world.on(async |world| {
        world.draw("sleeper1 -> quick2").await;
        let run = world.run().await;
        world.traced("sleeper1 done").await;
        while !world.journal(run).await.iter().any(|event| matches!(event, RunEventKind::NodeWaiting { .. })) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        run
    });
    world.crash();
    world.start();
    world.on(async |world| {
        assert_eq!(world.ended(run).await, RunStatus::Success);
        let starts = world.trace.lines().iter().filter(|line| *line == "sleeper1 started").count();
        assert_eq!(starts, 1, "it waited, it did not start again");
    });
}

/// [RUN-6] While rows change, frames come 100 ms apart; while nothing does, none comes.
#[test]
fn status_frames_come_when_something_changes() {
    let world = World::new();
    world.on(async |world| {
        world.draw("slow1 -> hang2").await;
        let run = world.run().await;
        let watcher = world.watch(Channel::Run(run)).await;
        let mut times = Vec::new();
        loop {
            match tokio::time::timeout(Duration::from_millis(700), watcher.next()).await {
                Ok(message) if message["type"] == "run_status" => times.push(message["timestamp"].as_i64().unwrap()),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!((3..=8).contains(&times.len()), "a run of 300 ms gave these gaps: {gaps:?}");
        assert!(gaps.iter().all(|gap_ms| *gap_ms >= 98), "{gaps:?}");
    });
}

/// [RUN-7, RUN-13] Watchers are told each event and each line; a late one gets the whole at once.
#[test]
fn watchers_are_told() {
    let world = World::new();
    world.on(async |world| {
        world.draw("slow1").await;
        let workflow = world.watch(Channel::Workflow(world.workflow)).await;
        let run = world.run().await;
        let (events, log) = (world.watch(Channel::Run(run)).await, world.watch(Channel::RunLog(run)).await);
        assert_eq!(workflow.until("run_started").await["run_id"], run.to_string());
        let completed = events.until("node_completed").await;
        assert_eq!(completed["node_id"], "slow1");
        events.until("run_completed").await;
        let mut lines = Vec::new();
        while !lines.contains(&"thirty rows".to_owned()) {
            let message = log.until("run_log").await;
            let entries = message["data"]["entries"].as_array().unwrap().clone();
            lines.extend(entries.iter().filter_map(|entry| entry["message"].as_str().map(str::to_owned)));
        }
        workflow.until("run_completed").await;

        world.ended(run).await;
        let late = world.watch(Channel::Run(run)).await;
        let snapshot: Value = late.until("run_snapshot").await;
        assert_eq!(snapshot["data"]["run"]["status"], "success");
        assert_eq!(snapshot["data"]["nodes"]["slow1"]["status"], "completed");
    });
}

/// [WS-5] However many nodes a run has, a message about them is small, and whoever reads slowly is not closed: in the end
/// they know what everybody knows. So does who comes when it is over.
#[test]
fn a_large_run_is_told_in_small_messages() {
    const NODES: usize = 1_000;
    let world = World::new();
    world.on(async |world| {
        let plan: Vec<String> = (0..NODES).map(|n| format!("quick{n}")).collect();
        world.draw(&plan.join(", ")).await;
        let run = world.run().await;
        let eager = world.watch(Channel::Run(run)).await;
        let slow = world.watch_slowly(Channel::Run(run), 100_000).await;
        assert_eq!(completed(&eager).await, Ok(NODES));
        world.ended(run).await;
        let slow = match completed(&slow).await {
            // The run has ended: it comes back to what is stored.
            Err(close) if close.code == 1012 => completed(&world.watch(Channel::Run(run)).await).await,
            told => told,
        };
        assert_eq!(slow, Ok(NODES));
        let lines = world.watch(Channel::RunLog(run)).await.until("run_log").await;
        assert!(lines.to_string().len() < 256 << 10);
    });
}

/// Reads until all nodes of a run have completed; how many these are.
async fn completed(watcher: &Watcher) -> Result<usize, Close> {
    let mut nodes: BTreeMap<String, Value> = BTreeMap::new();
    let mut has_more = true;
    while has_more || nodes.values().any(|state| state["status"] != "completed") {
        let message = watcher.next_or_close().await?;
        assert!(message.to_string().len() < 256 << 10, "a message of {} bytes", message.to_string().len());
        if message["type"] == "run_snapshot" {
            nodes.clear();
        }
        has_more = message["data"]["more"].as_bool().unwrap_or(has_more);
        for (node, state) in message["data"]["nodes"].as_object().into_iter().flatten() {
            nodes.insert(node.clone(), state.clone());
        }
    }
    Ok(nodes.len())
}
