//! Turns at work that takes a core for a while, such as the analysis of a workflow: few at once on this server, so that
//! cores are left for editing, and among tenants in turn.
//!
//! A tenant's work waits for its own turn first, and only then among all: so in the queue of all there are few of each
//! tenant, however much it has to do [REL-12].

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Of the whole server. A cheap clone.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    server: Arc<Semaphore>,
    per_tenant_max: usize,
}

/// Of one tenant. A cheap clone.
#[derive(Clone, Debug)]
pub(crate) struct TenantTurns {
    server: Arc<Semaphore>,
    tenant: Arc<Semaphore>,
}

/// May work until this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _server: OwnedSemaphorePermit,
    _tenant: OwnedSemaphorePermit,
}

impl Turns {
    /// `at_once`: how much is done at one time. A tenant takes half of that at most, if there is more than one.
    pub(crate) fn new(at_once: usize) -> Self {
        let at_once = at_once.max(1);
        Self { server: Arc::new(Semaphore::new(at_once)), per_tenant_max: at_once.div_ceil(2) }
    }

    pub(crate) fn of_tenant(&self) -> TenantTurns {
        TenantTurns { server: self.server.clone(), tenant: Arc::new(Semaphore::new(self.per_tenant_max)) }
    }
}

impl TenantTurns {
    pub(crate) async fn next(self) -> Turn {
        const OPEN: &str = "nobody closes it";
        let tenant = self.tenant.acquire_owned().await.expect(OPEN);
        let server = self.server.acquire_owned().await.expect(OPEN);
        Turn { _server: server, _tenant: tenant }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures::FutureExt;

    use super::*;

    /// Whoever has got a turn by now.
    fn next(waiting: &mut Vec<(&'static str, Pin<Box<dyn Future<Output = Turn>>>)>) -> Vec<(&'static str, Turn)> {
        let mut got = Vec::new();
        waiting.retain_mut(|(tenant, turn)| match turn.now_or_never() {
            Some(turn) => {
                got.push((*tenant, turn));
                false
            }
            None => true,
        });
        got
    }

    /// [REL-12] A hundred expensive workflows of one tenant delay another tenant's by one of them.
    #[test]
    fn a_busy_tenant_does_not_delay_others() {
        let turns = Turns::new(1);
        let (busy, quiet) = (turns.of_tenant(), turns.of_tenant());
        let of = |name, tenant: &TenantTurns| (name, tenant.clone().next().boxed_local() as _);
        let mut waiting: Vec<_> = (0..100).map(|_| of("busy", &busy)).collect();
        let mut got = next(&mut waiting);
        waiting.push(of("quiet", &quiet));
        let mut order = Vec::new();
        while let Some((tenant, turn)) = got.pop() {
            assert!(got.is_empty(), "one at a time");
            order.push(tenant);
            drop(turn);
            got = next(&mut waiting);
        }
        assert_eq!(order.len(), 101);
        assert!(order.iter().position(|tenant| *tenant == "quiet") <= Some(2), "{:?}", &order[..5]);
    }
}
