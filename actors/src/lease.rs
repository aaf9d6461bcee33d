//! The lease of one actor: taken before it loads, renewed while it lives, given back when it stops [SYNC-13].
//!
//! What is written is safe in any case: the store compares the epoch. A lease that goes to another server is noticed
//! by the next renewal. Until a renewal came through, an owner that was paused, or cut off from the store, for longer
//! than a lease lives is not sure of it, and asks before it answers for the document.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dashmap::DashMap;
use tokio::time::Instant;
use troupe_model::TenantId;
use troupe_store::leases::{self, Held, LeaseKind};
use uuid::Uuid;

use crate::context::Context;

/// How often a lease that another server holds is asked for again.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// What was leased, and the epoch under which its owner writes.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    held: Held,
    tenant: TenantId,
    sure_until: Arc<Mutex<Instant>>,
}

/// All leases that this server believes it holds.
#[derive(Default)]
pub(crate) struct Leases(DashMap<(LeaseKind, Uuid, TenantId), Known>);

struct Known {
    lease: Lease,
    taken_at: Instant,
    /// Tells the owner that it is none any more.
    lost: Box<dyn Fn() + Send + Sync>,
}

impl Lease {
    /// Takes the lease. One that another server holds is waited for as long as it can live: if that server is dead,
    /// it expires. `None`: its owner is alive. `lost` is called at most once, when another server has it.
    pub(crate) async fn take(
        context: &Context,
        kind: LeaseKind,
        id: Uuid,
        tenant: TenantId,
        lost: impl Fn() + Send + Sync + 'static,
    ) -> Result<Option<Self>, troupe_store::Error> {
        let patience = Instant::now() + context.limits.lease_ttl + ASK_EVERY;
        loop {
            if let Some(lease) = Self::ask(context, kind, id, tenant).await? {
                return Ok(Some(lease.known(context, lost)));
            }
            if Instant::now() >= patience {
                return Ok(None);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Takes the lease if no other server holds it.
    pub(crate) async fn take_free(
        context: &Context,
        kind: LeaseKind,
        id: Uuid,
        tenant: TenantId,
        lost: impl Fn() + Send + Sync + 'static,
    ) -> Result<Option<Self>, troupe_store::Error> {
        Ok(Self::ask(context, kind, id, tenant).await?.map(|lease| lease.known(context, lost)))
    }

    pub(crate) fn epoch(&self) -> i64 {
        self.held.epoch
    }

    /// Whether no other server can have it at this moment.
    pub(crate) fn is_sure(&self) -> bool {
        Instant::now() < *self.sure_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the store whether it is held still, until the store answers.
    pub(crate) async fn confirm(&self, context: &Context) -> bool {
        loop {
            match self.renew(context).await {
                Ok(held) => return held,
                Err(error) => {
                    tracing::warn!(lease = ?self.held, %error, "a lease could not be confirmed; trying again")
                }
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Gives it back, so that another server need not wait for it to expire.
    pub(crate) async fn release(&self, context: &Context) {
        let Held { kind, id, epoch } = self.held;
        context.leases.0.remove_if(&(kind, id, self.tenant), |_, known| known.lease.held.epoch == epoch);
        let released = async {
            let mut tx = context.store.begin_system().await?;
            leases::release(&mut tx, kind, id, context.server, epoch).await?;
            tx.commit().await
        };
        if let Err(error) = released.await {
            tracing::warn!(lease = ?self.held, %error, "a lease could not be given back; it will expire");
        }
    }

    async fn ask(
        context: &Context,
        kind: LeaseKind,
        id: Uuid,
        tenant: TenantId,
    ) -> Result<Option<Self>, troupe_store::Error> {
        let (asked_at, now, ttl) = (Instant::now(), context.clock.now(), context.limits.lease_ttl);
        let mut tx = context.store.begin_system().await?;
        let epoch = leases::acquire(&mut tx, kind, id, tenant, context.server, now, ttl).await?;
        tx.commit().await?;
        let sure_until = Arc::new(Mutex::new(asked_at + ttl));
        Ok(epoch.map(|epoch| Self { held: Held { kind, id, epoch }, tenant, sure_until }))
    }

    fn known(self, context: &Context, lost: impl Fn() + Send + Sync + 'static) -> Self {
        let Held { kind, id, .. } = self.held;
        let known = Known { lease: self.clone(), taken_at: Instant::now(), lost: Box::new(lost) };
        context.leases.0.insert((kind, id, self.tenant), known);
        self
    }

    async fn renew(&self, context: &Context) -> Result<bool, troupe_store::Error> {
        let (asked_at, now, ttl) = (Instant::now(), context.clock.now(), context.limits.lease_ttl);
        let mut tx = context.store.begin_system().await?;
        let held = leases::renew(&mut tx, &self.held, self.tenant, context.server, now, ttl).await?;
        tx.commit().await?;
        if held {
            self.is_sure_until(asked_at + ttl);
        }
        Ok(held)
    }

    fn is_sure_until(&self, until: Instant) {
        let mut sure_until = self.sure_until.lock().unwrap_or_else(PoisonError::into_inner);
        *sure_until = until.max(*sure_until);
    }
}

/// Renews all leases of this server, three times within their life, and tells the owners of those that are gone.
pub(crate) async fn keep_renewing(context: Arc<Context>) {
    let mut every = tokio::time::interval(context.limits.lease_ttl / 3);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        every.tick().await;
        if let Err(error) = renew_all(&context).await {
            tracing::error!(%error, "leases could not be renewed");
        }
    }
}

async fn renew_all(context: &Context) -> Result<(), troupe_store::Error> {
    let (asked_at, now, ttl) = (Instant::now(), context.clock.now(), context.limits.lease_ttl);
    let mut tx = context.store.begin_system().await?;
    let renewed: std::collections::HashSet<Held> =
        leases::renew_all(&mut tx, context.server, now, ttl).await?.into_iter().collect();
    tx.commit().await?;
    context.leases.0.retain(|_, known| {
        if renewed.contains(&known.lease.held) {
            known.lease.is_sure_until(asked_at + ttl);
            return true;
        }
        // One that was taken meanwhile is not in the answer.
        let is_kept = known.taken_at >= asked_at;
        if !is_kept {
            tracing::warn!(lease = ?known.lease.held, "another server has taken a lease");
            (known.lost)();
        }
        is_kept
    });
    Ok(())
}
