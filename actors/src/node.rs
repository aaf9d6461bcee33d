//! One executing node. Parent: its run. Children: none.
//!
//! Waits for a slot of the machine, executes the node's code, reports once, and stops. Invariant: whatever the
//! code does, the run hears of its end: by the report, or by supervision when even the guard around it fails [RUN-5].

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::{sync::Semaphore, time::Instant};
use troupe_engine::{
    execute::execute,
    node::{NodeType, Outcome, RunContext},
};
use troupe_model::NodeFailure;

use crate::run::RunMsg;

#[derive(Debug)]
pub(crate) enum NodeMsg {
    Execute,
}

pub(crate) struct NodeArgs {
    pub(crate) index: usize,
    pub(crate) node_type: Arc<dyn NodeType>,
    pub(crate) work: RunContext,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) run: ActorRef<RunMsg>,
}

/// How an execution ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) index: usize,
    pub(crate) result: Result<Outcome, NodeFailure>,
    pub(crate) duration_ms: u64,
    pub(crate) canceled: bool,
}

#[derive(Debug)]
pub(crate) struct Node;

impl Actor for Node {
    type Msg = NodeMsg;
    type State = Option<NodeArgs>;
    type Arguments = NodeArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<NodeMsg>,
        args: NodeArgs,
    ) -> Result<Option<NodeArgs>, ActorProcessingErr> {
        myself.cast(NodeMsg::Execute)?;
        Ok(Some(args))
    }

    async fn handle(
        &self,
        myself: ActorRef<NodeMsg>,
        NodeMsg::Execute: NodeMsg,
        state: &mut Option<NodeArgs>,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(args) = state.take() {
            let run = args.run.clone();
            run.cast(RunMsg::NodeEnded(run_to_end(args).await))?;
        }
        myself.stop(None);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<NodeMsg>,
        _: SupervisionEvent,
        _: &mut Option<NodeArgs>,
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

async fn run_to_end(args: NodeArgs) -> Ended {
    let cancel = args.work.cancel.clone();
    let slot = tokio::select! {
        slot = args.slots.acquire_owned() => slot.ok(),
        () = cancel.cancelled() => None,
    };
    let started = Instant::now();
    let result = match slot {
        Some(_) => execute(args.node_type.as_ref(), args.work).await,
        None => Err(NodeFailure::new("canceled", "canceled before it started")),
    };
    drop(slot);
    let duration_ms = started.elapsed().as_millis() as u64;
    let canceled = result.is_err() && cancel.is_cancelled();
    Ended { index: args.index, result, duration_ms, canceled }
}
