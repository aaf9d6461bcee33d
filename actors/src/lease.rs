//! The lease of one actor: taken before it loads, renewed while it lives, given back when it stops [SYNC-13].
//!
//! What is written is safe in any case: the store compares the epoch. A lease that goes to another server is noticed
//! by the next renewal. Until a renewal came through, an owner that was paused, or cut off from the store, for longer
//! than a lease lives is not sure of it, and asks before it answers for the document.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use troupe_model::TenantId;
use troupe_store::leases::{self, Held, LeaseKind};
use uuid::Uuid;

use crate::{
    context::Context,
    leases::{Known, Term},
};

/// How often a lease that another server holds is asked for again.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// What its owner has. An owner that fails drops it without giving it back: the renewal does that, a little later.
#[derive(Debug)]
pub(crate) struct Lease {
    term: Term,
    context: Arc<Context>,
}

impl Lease {
    /// Takes the lease. One that another server holds is waited for as long as it can live: if that server is dead,
    /// it expires. `None`: its owner is alive. `lost` is called at most once, when another server has it.
    pub(crate) async fn take(
        context: &Arc<Context>,
        kind: LeaseKind,
        id: Uuid,
        tenant: TenantId,
        lost: impl Fn() + Send + Sync + 'static,
    ) -> Result<Option<Self>, troupe_store::Error> {
        let patience = Instant::now() + context.limits.lease_ttl + ASK_EVERY;
        loop {
            if let Some(term) = Term::begin(context, kind, id, tenant).await? {
                return Ok(Some(Self::of(term, context, lost)));
            }
            if Instant::now() >= patience {
                return Ok(None);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Takes the lease if no other server holds it.
    pub(crate) async fn take_free(
        context: &Arc<Context>,
        kind: LeaseKind,
        id: Uuid,
        tenant: TenantId,
        lost: impl Fn() + Send + Sync + 'static,
    ) -> Result<Option<Self>, troupe_store::Error> {
        Ok(Term::begin(context, kind, id, tenant).await?.map(|term| Self::of(term, context, lost)))
    }

    fn of(term: Term, context: &Arc<Context>, lost: impl Fn() + Send + Sync + 'static) -> Self {
        let known = Known { term: term.clone(), taken_at: Instant::now(), lost: Box::new(lost) };
        context.leases.0.insert(term.key(), known);
        Self { term, context: context.clone() }
    }

    pub(crate) fn term(&self) -> &Term {
        &self.term
    }

    pub(crate) fn epoch(&self) -> i64 {
        self.term.held.epoch
    }

    /// Whether no other server can have it at this moment.
    pub(crate) fn is_sure(&self) -> bool {
        Instant::now() < *self.term.sure_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives it back, so that another server need not wait for it to expire.
    pub(crate) async fn release(&self) {
        self.forget();
        if let Err(error) = release(&self.context, &self.term.held).await {
            tracing::warn!(lease = ?self.term.held, %error, "a lease could not be given back; it will expire");
        }
    }

    /// It has no owner any more.
    fn forget(&self) {
        let epoch = self.epoch();
        self.context.leases.0.remove_if(&self.term.key(), |_, known| known.term.held.epoch == epoch);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.forget();
    }
}

impl Term {
    fn key(&self) -> (LeaseKind, Uuid, TenantId) {
        (self.held.kind, self.held.id, self.tenant)
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

    /// `None`: another server holds it.
    async fn begin(
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

/// Renews all leases of this server, three times within their life, and tells the owners of those that are gone. Those
/// that have no owner any more, whatever way it ended, are given back.
pub(crate) async fn keep_renewing(context: Arc<Context>) {
    let mut every = tokio::time::interval(context.limits.lease_ttl / 3);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    // Without an owner when they were last renewed. Only once: it may have been on its way to its owner.
    let mut ownerless = HashSet::new();
    loop {
        every.tick().await;
        match renew_all(&context, &ownerless).await {
            Ok(found) => ownerless = found,
            Err(error) => tracing::error!(%error, "leases could not be renewed"),
        }
    }
}

/// Which of them have no owner.
async fn renew_all(context: &Context, ownerless: &HashSet<Held>) -> Result<HashSet<Held>, troupe_store::Error> {
    let (asked_at, now, ttl) = (Instant::now(), context.clock.now(), context.limits.lease_ttl);
    let mut tx = context.store.begin_system().await?;
    let mut renewed: HashSet<Held> = leases::renew_all(&mut tx, context.server, now, ttl).await?.into_iter().collect();
    tx.commit().await?;
    context.leases.0.retain(|_, known| {
        if renewed.remove(&known.term.held) {
            known.term.is_sure_until(asked_at + ttl);
            return true;
        }
        // One that was taken meanwhile is not in the answer.
        let is_kept = known.taken_at >= asked_at;
        if !is_kept {
            tracing::warn!(lease = ?known.term.held, "another server has taken a lease");
            (known.lost)();
        }
        is_kept
    });
    for held in renewed.extract_if(|held| ownerless.contains(held)) {
        tracing::warn!(lease = ?held, "a lease without an owner is given back");
        release(context, &held).await?;
    }
    Ok(renewed)
}

async fn release(context: &Context, held: &Held) -> Result<(), troupe_store::Error> {
    let mut tx = context.store.begin_system().await?;
    leases::release(&mut tx, held.kind, held.id, context.server, held.epoch).await?;
    tx.commit().await
}
