//! Memory for what is larger than a frame, lent while it arrives and until it is durable [SYNC-17, SYNC-18].
//!
//! Whoever asks waits in turn, and nobody is refused: a user has one loan at a time, and all users of a tenant together
//! have a share of the budget, so that the others' turn comes. Whether others wait is known, so that nobody keeps them
//! waiting by sending slowly.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

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
    units: Line,
    units_max: usize,
    tenants: Arc<Lines<TenantId>>,
    users: Arc<Lines<UserId>>,
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
    budget: Arc<Budget>,
    _units: Option<OwnedSemaphorePermit>,
    of_tenant: Share<TenantId>,
    _of_user: Share<UserId>,
}

impl Loans {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let units_max = units(bytes_max).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Self(Arc::new(Budget {
            units: Line::new(units_max),
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
        let units = budget.units.take(wanted).await;
        Loan { budget, _units: units, of_tenant, _of_user: of_user }
    }
}

impl Loan {
    /// Whether somebody waits for what is lent.
    pub fn is_wanted(&self) -> bool {
        self.budget.units.is_wanted() || self.of_tenant.line.as_ref().is_some_and(|line| line.is_wanted())
    }
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT_BYTES)
}

/// Permits, and how many wait for some.
#[derive(Debug)]
struct Line {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// Somebody who waits, until this is dropped.
struct Waits<'a>(&'a AtomicUsize);

impl Line {
    fn new(permits: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(permits)), waiting: AtomicUsize::new(0) }
    }

    /// In turn.
    async fn take(&self, wanted: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = wanted as u32;
        if let Ok(permits) = self.permits.clone().try_acquire_many_owned(wanted) {
            return Some(permits);
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waits = Waits(&self.waiting);
        // It is never closed.
        self.permits.clone().acquire_many_owned(wanted).await.ok()
    }

    fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A line for each of many, which is there while it is used.
#[derive(Debug)]
struct Lines<K: Eq + Hash>(DashMap<K, Arc<Line>>);

/// Permits of somebody's line, or the wait for them.
#[derive(Debug)]
struct Share<K: Eq + Hash> {
    key: K,
    line: Option<Arc<Line>>,
    permits: Option<OwnedSemaphorePermit>,
    all: Arc<Lines<K>>,
}

impl<K: Eq + Hash> Default for Lines<K> {
    fn default() -> Self {
        Self(DashMap::new())
    }
}

impl<K: Copy + Eq + Hash> Lines<K> {
    async fn take(self: &Arc<Self>, key: K, permits_max: usize, wanted: usize) -> Share<K> {
        let line = self.0.entry(key).or_insert_with(|| Arc::new(Line::new(permits_max))).clone();
        let mut share = Share { key, line: Some(line), permits: None, all: self.clone() };
        if let Some(line) = &share.line {
            share.permits = line.take(wanted).await;
        }
        share
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        drop(self.permits.take());
        drop(self.line.take());
        // The last one takes it away: nobody else holds it but the map.
        self.all.0.remove_if(&self.key, |_, line| Arc::strong_count(line) == 1);
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

    /// [REL-12] Who holds memory learns that others wait for it: those of the tenant for its share, all for the budget.
    #[tokio::test]
    async fn a_loan_knows_that_others_wait() {
        let loans = Loans::new(100 << 10);
        let (one, other) = (TenantId::generate(), TenantId::generate());
        let [ada, bob, cyd, dan] = [(); 4].map(|()| UserId::generate());
        let first = lender(&loans, one, ada).lend(50 << 10).await;
        let second = lender(&loans, other, bob).lend(10 << 10).await;
        assert!(!first.is_wanted() && !second.is_wanted());
        let mut waiting = Box::pin(lender(&loans, one, cyd).lend(10 << 10));
        assert!(waits(&mut waiting).await);
        assert!(first.is_wanted() && !second.is_wanted(), "the share of one tenant is wanted");
        drop(waiting);
        assert!(!first.is_wanted());
        let third = lender(&loans, other, cyd).lend(40 << 10).await;
        let mut waiting = Box::pin(lender(&loans, TenantId::generate(), dan).lend(10 << 10));
        assert!(waits(&mut waiting).await);
        assert!([&first, &second, &third].into_iter().all(Loan::is_wanted), "the budget is wanted");
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
        assert_eq!(loans.0.units.permits.available_permits(), loans.0.units_max);
    }
}
