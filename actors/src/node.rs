//! One executing node. Parent: its run. Children: none.
//!
//! Waits for a slot of the machine, executes the node's code, reports once, and stops. Invariant: whatever the
//! code does, the run hears of its end: by the report, or by supervision when even the guard around it fails [RUN-5].

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::Semaphore;
use troupe_engine::{
    execute,
    node::{NodeType, RunContext},
};
use troupe_model::RunEventKind;

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
            let (run, index) = (args.run.clone(), args.index);
            let report = run_to_end(args).await;
            run.cast(RunMsg::NodeEnded { index, report })?;
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

/// The node's report. A node that is canceled while it waits for its slot has not begun.
async fn run_to_end(args: NodeArgs) -> RunEventKind {
    let cancel = args.work.cancel.clone();
    let node = args.work.node.clone();
    let slot = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        slot = args.slots.acquire_owned() => slot.ok(),
    };
    match slot {
        Some(_slot) => execute(args.node_type.as_ref(), args.work).await,
        None => RunEventKind::NodeCanceled { node },
    }
}
