//! The actor system as the edges see it. A cheap clone; every call has a deadline.

mod canvases;
mod channels;
mod error;
mod runs;
mod versions;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;
use ractor::{Actor, ActorRef, rpc::CallResult};
use tokio::sync::Semaphore;
use troupe_model::TenantId;
use troupe_store::Fault;

pub use channels::Subscription;
pub use error::{EditDiagramError, PublishVersionError, StartError, StartRunError, SubscribeError, Unavailable};
pub use runs::StartRun;

use crate::{
    context::{Context, SystemConfig},
    root::{Root, RootMsg},
    tenant::TenantMsg,
};

const CALL_WITHIN: Duration = Duration::from_secs(10);
/// Opening a canvas includes loading it.
const OPEN_WITHIN: Duration = Duration::from_secs(30);
/// Tries to reach an actor that may be stopping just now.
const TRIES: u32 = 5;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(20);
const RESUMED_AT_START_MAX: i64 = 10_000;

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

impl System {
    /// Starts the actor tree and resumes the runs that were live when the last server stopped [RUN-3].
    pub async fn start(config: SystemConfig) -> Result<Self, StartError> {
        let context = Arc::new(Context::new(config));
        let (root, _) = Root::spawn(None, Root { context: context.clone() }, ()).await?;
        let system = Self(Arc::new(Inner { context, root, tenants: DashMap::new(), draining: AtomicBool::new(false) }));
        let mut tx = system.0.context.store.begin_system().await?;
        let unfinished = troupe_store::runs::unfinished(&mut tx, RESUMED_AT_START_MAX).await?;
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

    /// Why nothing becomes durable just now, if it is so.
    pub fn store_fault(&self) -> Option<Fault> {
        self.0.context.durability.fault()
    }

    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    async fn tell_tenant(&self, tenant: TenantId, message: TenantMsg) {
        match self.tenant(tenant).await {
            // A tenant that is stopping has nobody to tell.
            Ok(handle) => drop(handle.actor.cast(message)),
            Err(error) => tracing::debug!(tenant.id = %tenant, %error, "nobody was told"),
        }
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
