//! Memory for what is larger than a frame, lent while it arrives and until it is durable [SYNC-17, SYNC-18].
//!
//! Whoever asks waits in turn, and nobody is refused: a user has one loan at a time, and all users of a tenant together
//! have a share of the budget, so that the others' turn comes.

use std::{hash::Hash, sync::Arc};

use dashmap::DashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use troupe_model::{TenantId, UserId};

use crate::worktime::{Worktime, WorktimeLimits, Worktimes};

/// One tenant may hold the budget divided by this.
const TENANT_SHARE: usize = 2;
/// Semaphores count in 32 bits.
const UNIT_BYTES: usize = 1024;

/// The server's budget.
#[derive(Clone, Debug)]
pub(crate) struct Loans(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    units: Arc<Semaphore>,
    units_max: usize,
    tenants: Arc<Semaphores<TenantId>>,
    users: Arc<Semaphores<UserId>>,
}

/// Where one user borrows.
#[derive(Clone, Debug)]
pub struct Lender {
    budget: Arc<Budget>,
    tenant: TenantId,
    user: UserId,
    worktime: Worktime,
}

/// Given back on drop.
#[derive(Debug)]
pub struct Loan {
    _units: Option<OwnedSemaphorePermit>,
    _of_tenant: Share<TenantId>,
    _of_user: Share<UserId>,
}

impl Loans {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let units_max = units(bytes_max).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Self(Arc::new(Budget {
            units: Arc::new(Semaphore::new(units_max)),
            units_max,
            tenants: Arc::default(),
            users: Arc::default(),
        }))
    }

    pub(crate) fn of(&self, tenant: TenantId, user: UserId, worktime: Worktime) -> Lender {
        Lender { budget: self.0.clone(), tenant, user, worktime }
    }
}

impl Lender {
    /// Of a budget that nobody shares, for tests.
    #[doc(hidden)]
    pub fn alone(bytes_max: usize) -> Self {
        let (tenant, user) = (TenantId::generate(), UserId::generate());
        Loans::new(bytes_max).of(tenant, user, Worktimes::new(WorktimeLimits::default()).of(tenant, user))
    }

    /// Waits for its turn. What is larger than the whole share waits for all of it.
    pub async fn lend(self, bytes: usize) -> Loan {
        let Self { budget, tenant, user, worktime } = self;
        // Nothing is held by who has to wait for the server's time.
        worktime.wait().await;
        let tenant_max = (budget.units_max / TENANT_SHARE).max(1);
        let wanted = units(bytes).min(tenant_max);
        let of_user = budget.users.take(user, 1, 1).await;
        let of_tenant = budget.tenants.take(tenant, tenant_max, wanted).await;
        // The budget is never closed.
        let units = budget.units.clone().acquire_many_owned(wanted as u32).await.ok();
        Loan { _units: units, _of_tenant: of_tenant, _of_user: of_user }
    }
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT_BYTES)
}

/// A semaphore for each of many, which is there while it is used.
#[derive(Debug)]
struct Semaphores<K: Eq + Hash>(DashMap<K, Arc<Semaphore>>);

/// Permits of somebody's semaphore, or the wait for them.
#[derive(Debug)]
struct Share<K: Eq + Hash> {
    key: K,
    semaphore: Option<Arc<Semaphore>>,
    permits: Option<OwnedSemaphorePermit>,
    all: Arc<Semaphores<K>>,
}

impl<K: Eq + Hash> Default for Semaphores<K> {
    fn default() -> Self {
        Self(DashMap::new())
    }
}

impl<K: Copy + Eq + Hash> Semaphores<K> {
    async fn take(self: &Arc<Self>, key: K, permits_max: usize, wanted: usize) -> Share<K> {
        let semaphore = self.0.entry(key).or_insert_with(|| Arc::new(Semaphore::new(permits_max))).clone();
        let mut share = Share { key, semaphore: Some(semaphore.clone()), permits: None, all: self.clone() };
        // It is never closed.
        share.permits = semaphore.acquire_many_owned(wanted as u32).await.ok();
        share
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        drop(self.permits.take());
        drop(self.semaphore.take());
        // The last one takes it away: nobody else holds it but the map.
        self.all.0.remove_if(&self.key, |_, semaphore| Arc::strong_count(semaphore) == 1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn lender(loans: &Loans, tenant: TenantId, user: UserId) -> Lender {
        loans.of(tenant, user, Worktimes::new(WorktimeLimits::default()).of(tenant, user))
    }

    async fn waits(loan: impl Future<Output = Loan>) -> bool {
        timeout(Duration::from_millis(1), loan).await.is_err()
    }

    /// [SYNC-17] A user has one loan at a time, a tenant its share; others do not wait for them.
    #[tokio::test]
    async fn shares_leave_room_for_others() {
        let loans = Loans::new(100 << 10);
        let (one, other) = (TenantId::generate(), TenantId::generate());
        let [ada, bob, cyd, dan] = [(); 4].map(|()| UserId::generate());
        let first = lender(&loans, one, ada).lend(30 << 10).await;
        assert!(waits(lender(&loans, one, ada).lend(1)).await, "a second loan of one user");
        let second = lender(&loans, one, bob).lend(20 << 10).await;
        assert!(waits(lender(&loans, one, cyd).lend(1)).await, "the share of a tenant is half");
        let all_of_theirs = lender(&loans, other, dan).lend(90 << 10).await;
        drop(first);
        let third = lender(&loans, one, cyd).lend(30 << 10).await;
        drop((second, third, all_of_theirs));
        assert!(loans.0.tenants.0.is_empty() && loans.0.users.0.is_empty(), "nobody is remembered");
    }

    /// [SYNC-18] Many at once wait in turn, and all come through.
    #[tokio::test]
    async fn all_come_through() {
        let loans = Loans::new(100 << 10);
        let tenant = TenantId::generate();
        let borrowed = (0..20).map(|_| {
            let lender = lender(&loans, tenant, UserId::generate());
            async move {
                let _loan = lender.lend(40 << 20).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        futures::future::join_all(borrowed).await;
        assert_eq!(loans.0.units.available_permits(), loans.0.units_max);
    }
}
