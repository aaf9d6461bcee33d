//! Memory for what clients make the server hold and that is not small, lent from budgets [SYNC-17, SYNC-18].
//!
//! What arrives is lent to until it is durable or answered, an answer until it is read, an update that waits for others
//! until they come. Whoever asks waits in turn, and nobody is refused: a user has a share of the budget, or one loan at a
//! time, and all users of a tenant together have a share, so that the others' turn comes. Whether others wait is known, so
//! that nobody keeps them waiting by sending or reading slowly.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use troupe_model::{TenantId, UserId};

use crate::{
    lines::{Line, Lines, Share},
    worktime::{Worktime, WorktimeLimits, Worktimes},
};

/// What is smaller is not worth a loan.
pub const FREE_BYTES_MAX: usize = 32 << 10;
/// What is larger waits for others that are large, and what is not does not.
pub const MEDIUM_BYTES_MAX: usize = 1 << 20;
/// What arrives and is not large has the budget of what is, divided by this.
const MEDIUM_SHARE: usize = 4;
/// One tenant may hold a budget divided by this.
const TENANT_SHARE: usize = 2;
/// What is lent is sent and read at least so fast, after a while.
const BYTES_PER_S_MIN: usize = 4 << 10;
const GRACE: Duration = Duration::from_secs(20);
/// The same while others wait for that memory.
const WANTED_BYTES_PER_S_MIN: usize = 512 << 10;
const WANTED_GRACE: Duration = Duration::from_secs(5);
/// Semaphores count in 32 bits.
const UNIT_BYTES: usize = 1024;

/// The server's budgets.
#[derive(Clone, Debug)]
pub(crate) struct Loans(Arc<Budgets>);

#[derive(Debug)]
struct Budgets {
    medium: Arc<Budget>,
    large: Arc<Budget>,
    answers: Arc<Budget>,
    waiting: Arc<Budget>,
}

/// What may be lent at once.
#[derive(Clone, Copy, Debug)]
pub struct LoanLimits {
    /// To what arrives and is large; what is not has a part of that beside it.
    pub arriving_bytes_max: usize,
    pub answers_bytes_max: usize,
    /// To updates that wait for others which they refer to.
    pub waiting_bytes_max: usize,
}

impl Default for LoanLimits {
    fn default() -> Self {
        Self { arriving_bytes_max: 128 << 20, answers_bytes_max: 128 << 20, waiting_bytes_max: 32 << 20 }
    }
}

/// Where one user borrows.
#[derive(Clone, Debug)]
pub struct Lender {
    budgets: Arc<Budgets>,
    tenant: TenantId,
    user: UserId,
    worktime: Worktime,
}

/// Given back on drop.
#[derive(Debug)]
pub struct Loan(Box<Held>);

#[derive(Debug)]
struct Held {
    budget: Arc<Budget>,
    _server: Option<OwnedSemaphorePermit>,
    of_tenant: Share<TenantId>,
    _of_user: Share<UserId>,
}

/// Something, and the memory that was lent to it.
#[derive(Debug)]
pub struct Lent<T> {
    pub value: T,
    pub loan: Option<Loan>,
}

impl<T> Lent<T> {
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Lent<U> {
        Lent { value: map(self.value), loan: self.loan }
    }
}

impl Loans {
    pub(crate) fn new(limits: LoanLimits) -> Self {
        Self(Arc::new(Budgets {
            medium: Budget::new(limits.arriving_bytes_max / MEDIUM_SHARE, OfUser::Share(16)),
            large: Budget::new(limits.arriving_bytes_max, OfUser::One),
            answers: Budget::new(limits.answers_bytes_max, OfUser::Share(4)),
            waiting: Budget::new(limits.waiting_bytes_max, OfUser::Share(4)),
        }))
    }

    pub(crate) fn of(&self, tenant: TenantId, user: UserId, worktime: Worktime) -> Lender {
        Lender { budgets: self.0.clone(), tenant, user, worktime }
    }

    /// For an answer, if it is there now.
    pub(crate) fn try_lend_answer(&self, tenant: TenantId, user: UserId, bytes: usize) -> Option<Loan> {
        self.0.answers.try_lend(tenant, user, bytes)
    }

    /// For what waits for others, if it is there now.
    pub(crate) fn try_lend_waiting(&self, tenant: TenantId, user: UserId, bytes: usize) -> Option<Loan> {
        self.0.waiting.try_lend(tenant, user, bytes)
    }
}

impl Lender {
    /// Of budgets that nobody shares, for tests.
    #[doc(hidden)]
    pub fn alone(arriving_bytes_max: usize) -> Self {
        let (tenant, user) = (TenantId::generate(), UserId::generate());
        let loans = Loans::new(LoanLimits { arriving_bytes_max, ..LoanLimits::default() });
        loans.of(tenant, user, Worktimes::new(WorktimeLimits::default()).of(tenant, user))
    }

    /// For what arrives. Waits for its turn.
    pub async fn lend(self, bytes: usize) -> Loan {
        let budget = if bytes <= MEDIUM_BYTES_MAX { &self.budgets.medium } else { &self.budgets.large };
        budget.lend(self.tenant, self.user, bytes, Some(&self.worktime)).await
    }

    /// For an answer that is about to be made.
    pub async fn lend_answer(self, bytes: usize) -> Loan {
        self.budgets.answers.lend(self.tenant, self.user, bytes, None).await
    }

    /// For an answer that is there already.
    pub fn try_lend_answer(&self, bytes: usize) -> Option<Loan> {
        self.budgets.answers.try_lend(self.tenant, self.user, bytes)
    }
}

impl Loan {
    /// Whether what it is lent to comes or goes so slowly that it has to be given back: so many bytes in that time.
    pub fn is_too_slow(&self, bytes: usize, took: Duration) -> bool {
        let is_below =
            |grace, bytes_per_s: usize| took > grace && bytes < bytes_per_s.saturating_mul(took.as_secs() as usize);
        is_below(GRACE, BYTES_PER_S_MIN) || (self.is_wanted() && is_below(WANTED_GRACE, WANTED_BYTES_PER_S_MIN))
    }

    /// Whether somebody waits for what is lent.
    fn is_wanted(&self) -> bool {
        self.0.budget.line.is_wanted() || self.0.of_tenant.is_wanted()
    }
}

/// One kind of memory. What is larger than a share takes all of it.
#[derive(Debug)]
struct Budget {
    line: Line,
    units_max: usize,
    of_user: OfUser,
    tenants: Arc<Lines<TenantId>>,
    users: Arc<Lines<UserId>>,
}

/// What one user may hold.
#[derive(Clone, Copy, Debug)]
enum OfUser {
    /// What the tenant may, divided by this.
    Share(usize),
    /// One loan.
    One,
}

impl Budget {
    fn new(bytes_max: usize, of_user: OfUser) -> Arc<Self> {
        let units_max = units(bytes_max).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        let (line, tenants, users) = (Line::new(units_max), Arc::default(), Arc::default());
        Arc::new(Self { line, units_max, of_user, tenants, users })
    }

    /// Whoever has to wait for the server's time holds nothing meanwhile that others wait for. What the user's loans before
    /// were for is owed by then.
    async fn lend(self: &Arc<Self>, tenant: TenantId, user: UserId, bytes: usize, worktime: Option<&Worktime>) -> Loan {
        let (tenant_max, user_max) = self.shares();
        let wanted = units(bytes).min(tenant_max);
        let of_user = self.users.share(user, user_max).take(wanted.min(user_max)).await;
        if let Some(worktime) = worktime {
            worktime.wait().await;
        }
        let of_tenant = self.tenants.share(tenant, tenant_max).take(wanted).await;
        let server = self.line.take(wanted).await;
        Loan(Box::new(Held { budget: self.clone(), _server: server, of_tenant, _of_user: of_user }))
    }

    fn try_lend(self: &Arc<Self>, tenant: TenantId, user: UserId, bytes: usize) -> Option<Loan> {
        let (tenant_max, user_max) = self.shares();
        let wanted = units(bytes).min(tenant_max);
        let of_user = self.users.share(user, user_max).try_take(wanted.min(user_max))?;
        let of_tenant = self.tenants.share(tenant, tenant_max).try_take(wanted)?;
        let server = self.line.try_take(wanted)?;
        Some(Loan(Box::new(Held { budget: self.clone(), _server: Some(server), of_tenant, _of_user: of_user })))
    }

    /// Of a tenant, and of a user.
    fn shares(&self) -> (usize, usize) {
        let tenant_max = (self.units_max / TENANT_SHARE).max(1);
        let user_max = match self.of_user {
            OfUser::Share(share) => tenant_max / share,
            OfUser::One => 1,
        };
        (tenant_max, user_max.max(1))
    }
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT_BYTES)
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    async fn waits(loan: impl Future<Output = Loan>) -> bool {
        timeout(Duration::from_millis(1), loan).await.is_err()
    }

    /// [SYNC-17] A user has a share, a tenant has one; others do not wait for them.
    #[tokio::test]
    async fn shares_leave_room_for_others() {
        let budget = Budget::new(80 << 10, OfUser::Share(4));
        let (one, other) = (TenantId::generate(), TenantId::generate());
        let [ada, bob, cyd, dan] = [(); 4].map(|()| UserId::generate());
        let small = budget.lend(one, ada, 4 << 10, None).await;
        let also = budget.lend(one, ada, 6 << 10, None).await;
        assert!(waits(budget.lend(one, ada, 1, None)).await, "the share of a user is an eighth");
        assert!(budget.try_lend(one, ada, 1).is_none());
        let large = budget.lend(one, bob, 30 << 10, None).await;
        assert!(waits(budget.lend(one, cyd, 1, None)).await, "the share of a tenant is half");
        assert!(waits(budget.lend(one, bob, 1, None)).await, "what is larger than a user's share takes all of it");
        let all_of_theirs = budget.lend(other, dan, 90 << 10, None).await;
        drop((small, also));
        let third = budget.try_lend(one, cyd, 10 << 10).unwrap();
        drop((large, third, all_of_theirs));
        assert!(budget.tenants.is_empty() && budget.users.is_empty(), "nobody is remembered");
    }

    /// [REL-12] Who holds memory learns that others wait for it: those of the tenant for its share, all for the budget.
    #[tokio::test]
    async fn a_loan_knows_that_others_wait() {
        let budget = Budget::new(100 << 10, OfUser::Share(1));
        let (one, other) = (TenantId::generate(), TenantId::generate());
        let [ada, bob, cyd, dan] = [(); 4].map(|()| UserId::generate());
        let first = budget.lend(one, ada, 50 << 10, None).await;
        let second = budget.lend(other, bob, 10 << 10, None).await;
        assert!(!first.is_wanted() && !second.is_wanted());
        let mut waiting = Box::pin(budget.lend(one, cyd, 10 << 10, None));
        assert!(waits(&mut waiting).await);
        assert!(first.is_wanted() && !second.is_wanted(), "the share of one tenant is wanted");
        drop(waiting);
        assert!(!first.is_wanted());
        let third = budget.lend(other, cyd, 40 << 10, None).await;
        let mut waiting = Box::pin(budget.lend(TenantId::generate(), dan, 10 << 10, None));
        assert!(waits(&mut waiting).await);
        assert!([&first, &second, &third].into_iter().all(Loan::is_wanted), "the budget is wanted");
    }

    /// [REL-12, SYNC-18] A slow line is no fault, unless it stands still or others wait.
    #[tokio::test]
    async fn who_is_slow_gives_way_to_who_waits() {
        let budget = Budget::new(100 << 10, OfUser::Share(1));
        let (tenant, [ada, bob]) = (TenantId::generate(), [(); 2].map(|()| UserId::generate()));
        let loan = budget.lend(tenant, ada, 50 << 10, None).await;
        let (slow, took) = (20 << 10, Duration::from_secs(6));
        assert!(!loan.is_too_slow(slow, took));
        assert!(loan.is_too_slow(slow, Duration::from_secs(30)), "it stands still");
        let mut waiting = Box::pin(budget.lend(tenant, bob, 50 << 10, None));
        assert!(waits(&mut waiting).await);
        assert!(loan.is_too_slow(slow, took));
        assert!(!loan.is_too_slow(slow, Duration::from_secs(1)), "it has just begun");
        assert!(!loan.is_too_slow(4 << 20, took));
    }

    /// [SYNC-18] Many at once wait in turn, and all come through.
    #[tokio::test]
    async fn all_come_through() {
        let budget = Budget::new(100 << 10, OfUser::Share(1));
        let tenant = TenantId::generate();
        let borrowed = (0..20).map(|_| {
            let budget = &budget;
            async move {
                let _loan = budget.lend(tenant, UserId::generate(), 40 << 20, None).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        futures::future::join_all(borrowed).await;
        assert_eq!(budget.line.available(), budget.units_max);
    }

    /// [SYNC-18] What is not large does not wait for what is.
    #[tokio::test]
    async fn large_edits_keep_no_small_one_waiting() {
        let lender = Lender::alone(4 << 20);
        let _large = lender.clone().lend(40 << 20).await;
        assert!(waits(lender.clone().lend(MEDIUM_BYTES_MAX + 1)).await);
        assert!(!waits(lender.lend(100 << 10)).await);
    }
}
