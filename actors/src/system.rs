//! The actor system as the edges see it. A cheap clone; every call has a deadline.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;
use ractor::{Actor, ActorRef, RpcReplyPort, rpc::CallResult};
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::sync::Semaphore;
use troupe_engine::{analysis::Analysis, payloads::Payloads, plan::Plan};
use troupe_model::{Diagnostic, Diagram, RunId, TenantId, UserId, WorkflowId};
use troupe_store::runs;

use crate::{
    canvas::{CanvasSession, JoinCanvas},
    context::{Context, SystemConfig},
    credit::Credits,
    feed::{Channel, Event, Feed},
    outbox::{Close, Outbox},
    root::{Root, RootMsg},
    run::RunMsg,
    tenant::TenantMsg,
    view,
    workflow::{DiagramEdit, EditError, Edited, Join, WorkflowMsg},
};

const CALL_WITHIN: Duration = Duration::from_secs(10);
/// Opening a canvas includes loading it.
const OPEN_WITHIN: Duration = Duration::from_secs(30);
/// Tries to reach an actor that may be stopping just now.
const TRIES: u32 = 5;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(20);
const RESUMED_AT_START_MAX: i64 = 10_000;
const LOG_LINES_AT_ONCE: i64 = 1_000;

/// Why a request could not be served now. Trying again may help.
#[derive(Clone, Debug, Error)]
pub enum Unavailable {
    #[error("the server is restarting")]
    Draining,
    #[error("the canvas could not be opened: {0}")]
    CannotOpen(String),
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("too many sessions are open in this tenant: {0}")]
    TooManySessions(usize),
    #[error("the actor system is not running")]
    Stopped,
}

/// Why the actor system did not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("the root actor could not be started: {0}")]
    Root(#[from] ractor::SpawnErr),
    #[error(transparent)]
    Store(#[from] troupe_store::Error),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

#[derive(Debug, Error)]
pub enum StartRunError {
    /// What must be corrected first.
    #[error("the workflow cannot run: {} problems", .0.len())]
    Invalid(Vec<Diagnostic>),
    #[error("too many runs are live in this tenant: {0}")]
    TooManyRuns(usize),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error(transparent)]
    Store(#[from] troupe_store::Error),
    #[error("planning was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

#[derive(Debug, Error)]
pub enum SubscribeError {
    #[error("there is no such {0}")]
    Missing(&'static str),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error(transparent)]
    Store(#[from] troupe_store::Error),
}

#[derive(Debug, Error)]
pub enum EditDiagramError {
    #[error(transparent)]
    Edit(#[from] EditError),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Who starts a run, how, and with which parameters.
#[derive(Clone, Debug)]
pub struct StartRun {
    pub by: Option<UserId>,
    pub trigger: String,
    pub parameters: Map<String, Value>,
}

#[derive(Clone, Debug)]
pub struct System(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    context: Arc<Context>,
    root: ActorRef<RootMsg>,
    tenants: DashMap<TenantId, TenantHandle>,
    draining: AtomicBool,
}

#[derive(Clone, Debug)]
struct TenantHandle {
    actor: ActorRef<TenantMsg>,
    runs: Arc<Semaphore>,
    sessions: Arc<Semaphore>,
}

/// A subscription to a channel. Ends when dropped.
#[derive(Debug)]
pub struct Subscription {
    source: Option<Source>,
    outbox: Outbox,
}

#[derive(Debug)]
enum Source {
    Workflow(ActorRef<WorkflowMsg>),
    Run(ActorRef<RunMsg>),
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // An actor that is gone has no watchers.
        let _ = match &self.source {
            Some(Source::Workflow(actor)) => actor.cast(WorkflowMsg::Unwatch(self.outbox.clone())).is_ok(),
            Some(Source::Run(actor)) => actor.cast(RunMsg::Unwatch(self.outbox.clone())).is_ok(),
            None => true,
        };
    }
}

impl System {
    /// Starts the actor tree and resumes the runs that were live when the last server stopped [RUN-3].
    pub async fn start(config: SystemConfig) -> Result<Self, StartError> {
        let context = Arc::new(Context::new(config));
        let (root, _) = Root::spawn(None, Root { context: context.clone() }, ()).await?;
        let system = Self(Arc::new(Inner { context, root, tenants: DashMap::new(), draining: AtomicBool::new(false) }));
        let mut tx = system.0.context.store.begin_system().await?;
        let unfinished = runs::unfinished(&mut tx, RESUMED_AT_START_MAX).await?;
        drop(tx);
        for (tenant, run) in unfinished {
            tracing::info!(tenant.id = %tenant, run.id = %run, "resuming a run");
            let handle = system.tenant(tenant).await?;
            let slot = handle.runs.clone().try_acquire_owned().ok();
            handle.actor.cast(TenantMsg::StartRun(run, slot)).map_err(|_| Unavailable::Stopped)?;
        }
        Ok(system)
    }

    /// Stops in order: sessions are told to come back elsewhere, everything is committed, leases are given back
    /// [SYNC-12].
    pub async fn drain(&self, within: Duration) {
        self.0.draining.store(true, Ordering::Relaxed);
        if self.0.root.call(RootMsg::Drain, Some(within)).await.is_err() {
            tracing::error!("the actor system did not stop in order");
        }
    }

    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    /// Joins a canvas, which is loaded if need be. The caller has checked that the user may.
    pub async fn join_canvas(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        join: JoinCanvas,
    ) -> Result<CanvasSession, Unavailable> {
        let limits = self.0.context.limits;
        let slot = self
            .tenant(tenant)
            .await?
            .sessions
            .try_acquire_owned()
            .map_err(|_| Unavailable::TooManySessions(limits.sessions_per_tenant_max))?;
        let outbox = Outbox::new(limits.outbox_bytes_max);
        let (actor, ()) = self
            .ask_workflow(tenant, workflow, |reply| {
                let JoinCanvas { session, user_id, user, access, acks } = join.clone();
                WorkflowMsg::Join(Join { session, user_id, user, access, acks, outbox: outbox.clone() }, reply)
            })
            .await?;
        Ok(CanvasSession {
            session: join.session,
            workflow: actor,
            outbox,
            credits: Credits::new(limits.credit),
            _slot: slot,
        })
    }

    /// The diagram as it is now, and its revision.
    pub async fn diagram(&self, tenant: TenantId, workflow: WorkflowId) -> Result<(Diagram, i64), Unavailable> {
        Ok(self.ask_workflow(tenant, workflow, WorkflowMsg::Diagram).await?.1)
    }

    /// Edits the live canvas; answered when the edit is durable [SYNC-14].
    pub async fn edit_diagram(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        by: UserId,
        if_match: Option<i64>,
        edit: DiagramEdit,
    ) -> Result<Edited, EditDiagramError> {
        let message = |reply| WorkflowMsg::Edit { edit: edit.clone(), if_match, by, reply };
        Ok(self.ask_workflow(tenant, workflow, message).await?.1?)
    }

    /// Dependencies, order, schemas and diagnostics of the diagram as it is now.
    pub async fn analysis(&self, tenant: TenantId, workflow: WorkflowId) -> Result<Arc<Analysis>, Unavailable> {
        Ok(self.ask_workflow(tenant, workflow, WorkflowMsg::Analysis).await?.1)
    }

    /// Tells those who watch a workflow that its row changed.
    pub async fn workflow_updated(&self, tenant: TenantId, workflow: WorkflowId, row: Value) {
        self.tell_tenant(tenant, TenantMsg::WorkflowUpdated { workflow, row }).await;
    }

    /// Closes a workflow that was deleted: its sessions end with 4404.
    pub async fn workflow_deleted(&self, tenant: TenantId, workflow: WorkflowId) {
        let close = Close::new(4404, "this workflow was deleted");
        self.tell_tenant(tenant, TenantMsg::CloseWorkflow(workflow, close)).await;
    }

    /// Runs the diagram as it is at this moment [RUN-1].
    pub async fn start_run(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        start: StartRun,
    ) -> Result<runs::Run, StartRunError> {
        let context = &self.0.context;
        let handle = self.tenant(tenant).await?;
        let slot = handle
            .runs
            .try_acquire_owned()
            .map_err(|_| StartRunError::TooManyRuns(context.limits.runs_per_tenant_max))?;
        let (diagram, _) = self.diagram(tenant, workflow).await?;
        let (registry, planned) = (context.registry.clone(), diagram.clone());
        tokio::task::spawn_blocking(move || Plan::build(&planned, &registry).map(drop))
            .await?
            .map_err(StartRunError::Invalid)?;
        let new = runs::NewRun {
            id: RunId::generate(),
            workflow_id: workflow,
            diagram: &diagram,
            parameters: &start.parameters,
            started_by: start.by,
            trigger: &start.trigger,
            at: context.clock.now(),
        };
        let mut tx = context.store.begin(tenant).await?;
        let run = runs::create(&mut tx, new).await?;
        tx.commit().await?;
        metrics::counter!("troupe_runs_started_total").increment(1);
        handle.actor.cast(TenantMsg::StartRun(run.id, Some(slot))).map_err(|_| Unavailable::Stopped)?;
        Ok(run)
    }

    /// Asks a live run to stop. False when it is not live any more.
    pub async fn cancel_run(&self, tenant: TenantId, run: RunId, by: UserId) -> Result<bool, Unavailable> {
        let live = self.live_run(tenant, run).await?;
        Ok(live.is_some_and(|actor| actor.cast(RunMsg::Cancel { by: Some(by) }).is_ok()))
    }

    /// Where the frames of a run are.
    pub fn payloads(&self, tenant: TenantId, run: RunId) -> Payloads {
        self.0.context.payloads(tenant, run)
    }

    /// Subscribes an outbox to a channel. The caller has checked that the user may [WS-2].
    pub async fn subscribe(
        &self,
        tenant: TenantId,
        channel: Channel,
        last_seq: Option<i64>,
        outbox: Outbox,
    ) -> Result<Subscription, SubscribeError> {
        let source = match channel {
            Channel::Workflow(workflow) => {
                let watch = |reply| WorkflowMsg::Watch { outbox: outbox.clone(), last_seq, reply };
                Some(Source::Workflow(self.ask_workflow(tenant, workflow, watch).await?.0))
            }
            Channel::Run(run) | Channel::RunLog(run) => {
                let live = self.live_run(tenant, run).await?;
                let watched = live.filter(|actor| {
                    let outbox = outbox.clone();
                    actor
                        .cast(match channel {
                            Channel::RunLog(_) => RunMsg::WatchLog { outbox, last_seq },
                            _ => RunMsg::Watch { outbox, last_seq },
                        })
                        .is_ok()
                });
                if watched.is_none() {
                    self.tell_ended(tenant, channel, run, &outbox).await?;
                }
                watched.map(Source::Run)
            }
        };
        Ok(Subscription { source, outbox })
    }

    /// Everything there is to say of a run that executes no more.
    async fn tell_ended(
        &self,
        tenant: TenantId,
        channel: Channel,
        run: RunId,
        outbox: &Outbox,
    ) -> Result<(), SubscribeError> {
        let context = &self.0.context;
        let now = context.clock.now();
        let mut tx = context.store.begin(tenant).await?;
        let row = runs::find(&mut tx, run).await?.ok_or(SubscribeError::Missing("run"))?;
        let event = match channel {
            Channel::RunLog(_) => {
                let entries = runs::logs(&mut tx, run, &runs::LogFilter::default(), None, LOG_LINES_AT_ONCE).await?;
                Event::new("run_log", now, serde_json::json!({ "entries": entries }))
            }
            _ => {
                let nodes = runs::node_runs(&mut tx, run).await?;
                Event::new("run_snapshot", now, view::ended_run(&row, &nodes))
            }
        };
        Feed::new(channel, tenant, now).replay_ended(outbox, vec![event]);
        Ok(())
    }

    async fn live_run(&self, tenant: TenantId, run: RunId) -> Result<Option<ActorRef<RunMsg>>, Unavailable> {
        let handle = self.tenant(tenant).await?;
        answered(handle.actor.call(|reply| TenantMsg::Run(run, reply), Some(CALL_WITHIN)).await)
    }

    async fn tell_tenant(&self, tenant: TenantId, message: TenantMsg) {
        match self.tenant(tenant).await {
            // A tenant that is stopping has nobody to tell.
            Ok(handle) => drop(handle.actor.cast(message)),
            Err(error) => tracing::debug!(tenant.id = %tenant, %error, "nobody was told"),
        }
    }

    /// Asks an open workflow; opens it first if need be. An actor that was stopping just then is asked for again.
    async fn ask_workflow<T: Send + 'static>(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        message: impl Fn(RpcReplyPort<T>) -> WorkflowMsg,
    ) -> Result<(ActorRef<WorkflowMsg>, T), Unavailable> {
        let mut last = Unavailable::Stopped;
        for _ in 0..TRIES {
            let handle = self.tenant(tenant).await?;
            let opened = handle.actor.call(|reply| TenantMsg::Workflow(workflow, reply), Some(CALL_WITHIN)).await;
            let actor = match opened {
                Ok(CallResult::Success(Ok(actor))) => actor,
                Ok(CallResult::Success(Err(reason))) => return Err(Unavailable::CannotOpen(reason)),
                other => {
                    self.0.tenants.remove(&tenant);
                    last = answered(other).map_or_else(|error| error, |_| Unavailable::Stopped);
                    continue;
                }
            };
            match answered(actor.call(&message, Some(OPEN_WITHIN)).await) {
                Ok(reply) => return Ok((actor, reply)),
                Err(error) => last = error,
            }
            tokio::time::sleep(TRY_AGAIN_AFTER).await;
        }
        Err(last)
    }

    async fn tenant(&self, tenant: TenantId) -> Result<TenantHandle, Unavailable> {
        if self.is_draining() {
            return Err(Unavailable::Draining);
        }
        if let Some(known) = self.0.tenants.get(&tenant) {
            return Ok(known.clone());
        }
        let asked = self.0.root.call(|reply| RootMsg::Tenant(tenant, reply), Some(CALL_WITHIN)).await;
        let limits = self.0.context.limits;
        let handle = TenantHandle {
            actor: answered(asked)?,
            runs: Arc::new(Semaphore::new(limits.runs_per_tenant_max)),
            sessions: Arc::new(Semaphore::new(limits.sessions_per_tenant_max)),
        };
        Ok(self.0.tenants.entry(tenant).or_insert(handle).clone())
    }
}

fn answered<T, M>(result: Result<CallResult<T>, ractor::MessagingErr<M>>) -> Result<T, Unavailable> {
    match result {
        Ok(CallResult::Success(value)) => Ok(value),
        Ok(CallResult::Timeout) => Err(Unavailable::Timeout(CALL_WITHIN)),
        Ok(CallResult::SenderError) | Err(_) => Err(Unavailable::Stopped),
    }
}
