//! The actor system as the edges see it. A cheap clone; every call has a deadline.

mod canvases;
mod channels;
mod ended;
mod error;
mod runs;
mod versions;

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;
use ractor::{Actor, ActorRef, rpc::CallResult};
use tokio::sync::Semaphore;
use troupe_model::{RunId, ServerId, TenantId, Timestamp};
use troupe_store::{Fault, runs as runs_of_store};

pub use channels::Subscription;
pub use error::{EditDiagramError, PublishVersionError, StartError, StartRunError, SubscribeError, Unavailable};
pub use runs::StartRun;

use crate::{
    context::{Context, SystemConfig},
    root::{Root, RootMsg, is_alive},
    task,
    tenant::TenantMsg,
};

const CALL_WITHIN: Duration = Duration::from_secs(10);
/// Opening a canvas includes loading it.
const OPEN_WITHIN: Duration = Duration::from_secs(30);
/// That this process ends in order.
const SAID_WITHIN: Duration = Duration::from_secs(1);
/// Tries to reach an actor that may be stopping just now.
const TRIES: u32 = 5;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// Runs carried on at once; the rest follow.
const RESUMED_MAX: i64 = 10_000;

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
        let server = system.0.context.server;
        system.resume_runs(Some(server)).await?;
        task::spawn("run-takeover", take_over_runs(Arc::downgrade(&system.0)));
        Ok(system)
    }

    /// Carries on the runs whose server is gone. `former_self`: this server has just started, and what it holds by
    /// the store was held before.
    async fn resume_runs(&self, former_self: Option<ServerId>) -> Result<(), StartError> {
        let context = &self.0.context;
        let (now, ttl_ms) = (context.clock.now(), context.limits.lease_ttl.as_millis() as i64);
        // Who has just created a run is about to take it.
        let created_before = Timestamp::from_millis(now.as_millis() - ttl_ms);
        let mut tx = context.store.begin_system().await?;
        let abandoned = runs_of_store::abandoned(&mut tx, now, created_before, former_self, RESUMED_MAX).await?;
        drop(tx);
        for (tenant, run) in abandoned {
            tracing::info!(tenant.id = %tenant, run.id = %run, "resuming a run");
            // One that cannot be resumed keeps no other waiting.
            if let Err(error) = self.resume_run(tenant, run).await {
                tracing::error!(tenant.id = %tenant, run.id = %run, %error, "a run could not be resumed; trying again soon");
            }
        }
        Ok(())
    }

    async fn resume_run(&self, tenant: TenantId, run: RunId) -> Result<(), Unavailable> {
        let handle = self.tenant(tenant).await?;
        let slot = handle.runs.try_acquire_owned().ok();
        handle.actor.cast(TenantMsg::StartRun(run, slot)).map_err(|_| Unavailable::Stopped)
    }

    /// Stops in order: sessions are told to come back elsewhere, everything is committed, leases are given back
    /// [SYNC-12].
    pub async fn drain(&self, within: Duration) {
        self.0.draining.store(true, Ordering::Relaxed);
        if self.0.root.call(|reply| RootMsg::Drain(within, reply), Some(within)).await.is_err() {
            tracing::error!("the actor system did not stop in order");
        }
        let said = tokio::time::timeout(SAID_WITHIN, self.0.context.ends_in_order()).await;
        if !matches!(said, Ok(Ok(()))) {
            tracing::warn!("canvases that are worked at still are tried apart when they are opened again");
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
        if let Some(known) = self.0.tenants.get(&tenant).filter(|known| is_alive(&known.actor)) {
            return Ok(known.clone());
        }
        let asked = self.0.root.call(|reply| RootMsg::Tenant(tenant, reply), Some(CALL_WITHIN)).await;
        let (actor, limits) = (answered(asked, CALL_WITHIN)?, self.0.context.limits);
        // What is counted is counted across an actor's failure: sessions and runs of the former one end by themselves.
        let mut handle = self.0.tenants.entry(tenant).or_insert_with(|| TenantHandle {
            actor: actor.clone(),
            runs: Arc::new(Semaphore::new(limits.runs_per_tenant_max)),
            sessions: Arc::new(Semaphore::new(limits.sessions_per_tenant_max)),
        });
        handle.actor = actor;
        Ok(handle.clone())
    }
}

/// Looks twice in the life of a lease for runs that were left behind [RUN-3], as long as the system is there.
async fn take_over_runs(system: Weak<Inner>) {
    loop {
        let Some(inner) = system.upgrade() else { return };
        let every = inner.context.limits.lease_ttl / 2;
        drop(inner);
        tokio::time::sleep(every).await;
        let Some(inner) = system.upgrade() else { return };
        let system = System(inner);
        if system.is_draining() {
            return;
        }
        if let Err(error) = system.resume_runs(None).await {
            tracing::warn!(%error, "runs that were left behind could not be looked for; trying again");
        }
    }
}

fn answered<T, M>(result: Result<CallResult<T>, ractor::MessagingErr<M>>, within: Duration) -> Result<T, Unavailable> {
    match result {
        Ok(CallResult::Success(value)) => Ok(value),
        Ok(CallResult::Timeout) => Err(Unavailable::Timeout(within)),
        Ok(CallResult::SenderError) | Err(_) => Err(Unavailable::Stopped),
    }
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use tempfile::TempDir;
    use troupe_engine::{Registry, egress::Egress};
    use troupe_model::SystemClock;
    use troupe_store::{DatabaseConfig, Store, canvas::StoredCanvas};

    use super::*;
    use crate::{
        context::Limits,
        examiner::{Examined, Examiner},
    };

    struct Untried;

    impl Examiner for Untried {
        fn examine(&self, _: StoredCanvas) -> BoxFuture<'_, Examined> {
            unreachable!("no canvas is opened")
        }
    }

    async fn system(folder: &TempDir) -> System {
        let store = Store::open(DatabaseConfig::sqlite(folder.path().join("troupe.db"))).await.unwrap();
        store.migrate().await.unwrap();
        let config = SystemConfig {
            server: ServerId::generate(),
            store,
            registry: Registry::of(Vec::new()),
            egress: Egress::new(false).unwrap(),
            clock: Arc::new(SystemClock),
            examiner: Arc::new(Untried),
            files_root: folder.path().join("files"),
            payloads_root: folder.path().join("payloads"),
            limits: Limits::default(),
        };
        System::start(config).await.unwrap()
    }

    /// [REL-2] A tenant whose actor failed has another one at once, and what is counted of it is counted on.
    #[tokio::test]
    async fn a_tenant_that_failed_is_started_again() {
        let folder = TempDir::new().unwrap();
        let system = system(&folder).await;
        let tenant = TenantId::generate();
        let failed = system.tenant(tenant).await.unwrap();
        let _slot = failed.runs.clone().try_acquire_owned().unwrap();
        failed.actor.kill_and_wait(None).await.unwrap();

        let next = system.tenant(tenant).await.unwrap();
        assert_ne!(next.actor.get_id(), failed.actor.get_id());
        next.actor.cast(TenantMsg::StartRun(RunId::generate(), None)).expect("it takes messages");
        assert_eq!(next.runs.available_permits(), system.0.context.limits.runs_per_tenant_max - 1);
    }
}
