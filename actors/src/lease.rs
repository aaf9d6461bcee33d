//! The lease of one actor: taken before it loads, given back when it stops [SYNC-13].

use std::time::Duration;

use tokio::time::Instant;
use troupe_model::TenantId;
use troupe_store::leases::{self, LeaseKind};
use uuid::Uuid;

use crate::context::Context;

/// How often a lease that another server holds is asked for again.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// What was leased, and the epoch under which its owner writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    kind: LeaseKind,
    id: Uuid,
    pub(crate) epoch: i64,
}

impl Lease {
    /// Takes the lease. One that another server holds is waited for as long as it can live: if that server is dead,
    /// it expires. `None`: its owner is alive.
    pub(crate) async fn take(
        context: &Context,
        kind: LeaseKind,
        id: Uuid,
        tenant: TenantId,
    ) -> Result<Option<Self>, troupe_store::Error> {
        let patience = Instant::now() + context.limits.lease_ttl + ASK_EVERY;
        loop {
            let (now, ttl) = (context.clock.now(), context.limits.lease_ttl);
            let mut tx = context.store.begin_system().await?;
            let epoch = leases::acquire(&mut tx, kind, id, tenant, context.server, now, ttl).await?;
            tx.commit().await?;
            if let Some(epoch) = epoch {
                return Ok(Some(Self { kind, id, epoch }));
            }
            if Instant::now() >= patience {
                return Ok(None);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Gives it back, so that another server need not wait for it to expire.
    pub(crate) async fn release(self, context: &Context) {
        let released = async {
            let mut tx = context.store.begin_system().await?;
            leases::release(&mut tx, self.kind, self.id, context.server, self.epoch).await?;
            tx.commit().await
        };
        if let Err(error) = released.await {
            tracing::warn!(lease = ?self, %error, "a lease could not be given back; it will expire");
        }
    }
}
