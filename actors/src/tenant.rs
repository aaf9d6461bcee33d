//! One tenant that is active on this server. Parent: the system. Children: its open workflows and its live runs.
//!
//! Opens a workflow when somebody asks for it, starts and resumes runs, and contains their failures: a child that
//! fails is started again after a pause that grows; past the cap the failure is recorded and shown, and the
//! others go on.

mod failures;

use std::{collections::HashMap, sync::Arc};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, ActorRuntime, RpcReplyPort, SpawnErr, SupervisionEvent};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use troupe_model::{RunId, TenantId, WorkflowId};

use crate::{
    canvas::LongTurns,
    context::Context,
    journal::JournalMsg,
    live::outbox::Close,
    run::{Run, RunArgs, RunMsg, start::StartError},
    task,
    turns::TenantTurns,
    workflow::{Workflow, WorkflowArgs, WorkflowMsg, answer},
};
pub(crate) use failures::Cause;
use failures::Failures;

#[derive(Debug)]
pub(crate) enum TenantMsg {
    /// Opens the workflow if it is not open.
    Workflow(WorkflowId, RpcReplyPort<Result<ActorRef<WorkflowMsg>, Cause>>),
    /// The run's actor, while it is live.
    Run(RunId, RpcReplyPort<Option<ActorRef<RunMsg>>>),
    /// Starts or resumes a run that is in the store. The slot is held as long as it lives.
    StartRun(RunId, Option<OwnedSemaphorePermit>),
    RunChanged {
        workflow: WorkflowId,
        kind: &'static str,
        view: Value,
    },
    /// A workflow's row changed.
    WorkflowUpdated {
        workflow: WorkflowId,
        row: Value,
    },
    /// The workflow is no more: its sessions are closed.
    CloseWorkflow(WorkflowId, Close),
    /// The journal failed and was replaced: what waits for it starts anew from the store.
    JournalReplaced(ActorRef<JournalMsg>),
    /// A child could not load. Of this there is no supervision event.
    StartFailed(ActorId, Cause),
    /// A workflow that failed, or is held back, may be opened at once.
    Forgive(WorkflowId),
    /// Another server was faster with a run.
    NotStarted(ActorId),
    /// Stop all children in order; answers when they are gone.
    Drain(RpcReplyPort<()>),
}

#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) context: Arc<Context>,
}

#[derive(Debug)]
pub(crate) struct TenantArgs {
    pub(crate) tenant: TenantId,
    pub(crate) journal: ActorRef<JournalMsg>,
}

#[derive(Debug)]
pub(crate) struct TenantState {
    myself: ActorRef<TenantMsg>,
    context: Arc<Context>,
    tenant: TenantId,
    journal: ActorRef<JournalMsg>,
    workflows: HashMap<WorkflowId, ActorRef<WorkflowMsg>>,
    runs: HashMap<RunId, LiveRun>,
    children: HashMap<ActorId, Child>,
    failures: Failures,
    /// Of its workflows at being analysed.
    analyses: TenantTurns,
    /// Of its canvases at what takes long.
    long_turns: TenantTurns,
    draining: Vec<RpcReplyPort<()>>,
}

#[derive(Debug)]
struct LiveRun {
    actor: ActorRef<RunMsg>,
    slot: Option<OwnedSemaphorePermit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Child {
    Workflow(WorkflowId),
    Run(RunId),
}

impl Actor for Tenant {
    type Msg = TenantMsg;
    type State = TenantState;
    type Arguments = TenantArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<TenantMsg>,
        args: TenantArgs,
    ) -> Result<TenantState, ActorProcessingErr> {
        Ok(TenantState {
            myself,
            context: self.context.clone(),
            tenant: args.tenant,
            journal: args.journal,
            workflows: HashMap::new(),
            runs: HashMap::new(),
            children: HashMap::new(),
            failures: Failures::default(),
            analyses: self.context.analyses.of_tenant(),
            long_turns: self.context.long_turns.of_tenant(),
            draining: Vec::new(),
        })
    }

    async fn handle(
        &self,
        _: ActorRef<TenantMsg>,
        message: TenantMsg,
        state: &mut TenantState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TenantMsg::Workflow(workflow, reply) => answer(reply, state.workflow(workflow)),
            TenantMsg::Run(run, reply) => answer(reply, state.runs.get(&run).map(|live| live.actor.clone())),
            TenantMsg::StartRun(run, slot) => state.start_run(run, slot),
            TenantMsg::RunChanged { workflow, kind, view } => {
                state.tell(workflow, WorkflowMsg::RunChanged { kind, view });
            }
            TenantMsg::WorkflowUpdated { workflow, row } => state.tell(workflow, WorkflowMsg::Updated(row)),
            TenantMsg::CloseWorkflow(workflow, close) => state.tell(workflow, WorkflowMsg::Close(close)),
            TenantMsg::JournalReplaced(journal) => state.journal_replaced(journal),
            TenantMsg::NotStarted(child) => drop(state.child_gone(child)),
            TenantMsg::Forgive(workflow) => state.failures.forgive(Child::Workflow(workflow)),
            TenantMsg::StartFailed(child, cause) => state.child_failed(child, cause),
            TenantMsg::Drain(reply) => state.drain(reply),
        }
        state.answer_drained();
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<TenantMsg>,
        event: SupervisionEvent,
        state: &mut TenantState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(actor, _, _) => {
                state.child_gone(actor.get_id());
            }
            SupervisionEvent::ActorFailed(actor, error) => {
                state.child_failed(actor.get_id(), Cause::Other(error.to_string()));
            }
            _ => {}
        }
        state.answer_drained();
        Ok(())
    }
}

impl TenantState {
    fn workflow(&mut self, id: WorkflowId) -> Result<ActorRef<WorkflowMsg>, Cause> {
        if !self.draining.is_empty() {
            return Err(Cause::Other("the server is restarting".to_owned()));
        }
        if let Some(open) = self.workflows.get(&id) {
            return Ok(open.clone());
        }
        if let Some(cause) = self.failures.holds_back(Child::Workflow(id)) {
            return Err(cause);
        }
        let args = WorkflowArgs {
            tenant: self.tenant,
            workflow: id,
            journal: self.journal.clone(),
            analyses: self.analyses.clone(),
            long_turns: LongTurns::new(self.long_turns.clone()),
        };
        let workflow = Workflow { context: self.context.clone() };
        let actor = self.start(Child::Workflow(id), workflow, args).map_err(Cause::Other)?;
        self.workflows.insert(id, actor.clone());
        Ok(actor)
    }

    fn start_run(&mut self, id: RunId, slot: Option<OwnedSemaphorePermit>) {
        let is_held_back = || self.failures.holds_back(Child::Run(id)).is_some();
        if !self.draining.is_empty() || self.runs.contains_key(&id) || is_held_back() {
            return;
        }
        let args = RunArgs { tenant: self.tenant, run: id, parent: self.myself.clone() };
        match self.start(Child::Run(id), Run { context: self.context.clone() }, args) {
            Ok(actor) => drop(self.runs.insert(id, LiveRun { actor, slot })),
            Err(error) => tracing::error!(run.id = %id, error, "a run could not be started"),
        }
    }

    /// Starts a child that loads by itself, not in this turn; what is sent to it meanwhile waits in its mailbox.
    fn start<A: Actor>(&mut self, child: Child, handler: A, args: A::Arguments) -> Result<ActorRef<A::Msg>, String> {
        let (actor, started) = ActorRuntime::<A>::spawn_linked_instant(None, handler, args, self.myself.get_cell())
            .map_err(|error| error.to_string())?;
        let id = actor.get_id();
        self.children.insert(id, child);
        let myself = self.myself.clone();
        task::spawn("start-watch", async move {
            let cause = match started.await {
                Ok(Ok(_)) => return,
                Ok(Err(error)) if is_carried_on_elsewhere(&error) => {
                    // A tenant that has stopped needs no telling, here and below.
                    let _ = myself.cast(TenantMsg::NotStarted(id));
                    return;
                }
                Ok(Err(error)) => Cause::of(&error),
                Err(error) => Cause::Other(error.to_string()),
            };
            let _ = myself.cast(TenantMsg::StartFailed(id, cause));
        });
        Ok(actor)
    }

    /// Tells a workflow that is open; one that is not has nobody to tell.
    fn tell(&self, workflow: WorkflowId, message: WorkflowMsg) {
        if let Some(open) = self.workflows.get(&workflow) {
            // It may be stopping: then nobody watches it.
            let _ = open.cast(message);
        }
    }

    fn child_gone(&mut self, actor: ActorId) -> Option<(Child, Option<OwnedSemaphorePermit>)> {
        let child = self.children.remove(&actor)?;
        let slot = match child {
            Child::Workflow(id) => {
                self.workflows.remove(&id);
                None
            }
            Child::Run(id) => self.runs.remove(&id).and_then(|live| live.slot),
        };
        Some((child, slot))
    }

    fn child_failed(&mut self, actor: ActorId, cause: Cause) {
        let Some((child, slot)) = self.child_gone(actor) else { return };
        let (error, is_full) = (cause.to_string(), matches!(cause, Cause::NoRoom));
        let pause = match cause {
            // It is tried for as long as the store is away.
            Cause::Store(_) => Some(failures::STORE_PAUSE),
            cause => self.failures.record(child, cause),
        };
        match child {
            Child::Workflow(id) if is_full => {
                tracing::warn!(tenant.id = %self.tenant, workflow.id = %id, "there is no memory for a canvas");
            }
            Child::Workflow(id) => {
                tracing::error!(tenant.id = %self.tenant, workflow.id = %id, error, "a workflow failed");
            }
            Child::Run(id) => {
                tracing::error!(tenant.id = %self.tenant, run.id = %id, error, "a run's actor failed");
                match pause {
                    Some(pause) => {
                        let myself = self.myself.clone();
                        task::spawn("run-restart", async move {
                            tokio::time::sleep(pause).await;
                            // When the tenant has stopped, the run is resumed with it.
                            let _ = myself.cast(TenantMsg::StartRun(id, slot));
                        });
                    }
                    None => failures::give_up(self.context.clone(), self.tenant, id, error),
                }
            }
        }
    }

    fn journal_replaced(&mut self, journal: ActorRef<JournalMsg>) {
        self.journal = journal;
        for workflow in self.workflows.values() {
            // One that is stopping needs no telling.
            let _ = workflow.cast(WorkflowMsg::LeaseLost);
        }
    }

    fn drain(&mut self, reply: RpcReplyPort<()>) {
        self.draining.push(reply);
        for workflow in self.workflows.values() {
            let _ = workflow.cast(WorkflowMsg::Close(Close::restarting()));
        }
        for run in self.runs.values() {
            let _ = run.actor.cast(RunMsg::Suspend);
        }
    }

    fn answer_drained(&mut self) {
        if self.children.is_empty() {
            for reply in self.draining.drain(..) {
                answer(reply, ());
                self.myself.stop(None);
            }
        }
    }
}

fn is_carried_on_elsewhere(error: &SpawnErr) -> bool {
    let SpawnErr::StartupFailed(error) = error else { return false };
    matches!(error.downcast_ref(), Some(StartError::OwnedElsewhere(_)))
}
