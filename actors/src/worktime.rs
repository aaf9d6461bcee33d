//! The server's time, shared fairly among those who use much of it [REL-12].
//!
//! Bytes are not cost: so what a user makes the server do is measured, and owed. A little is free, and an honest editor
//! never owes more. What is more is paid at once by a part of the machine's time, for as long as there is enough of it for
//! all. When there is not, who owes waits before more of theirs is read, and is not closed; that part of the time is then
//! given in equal parts to the tenants with users who wait, and to these: whoever is alone gets all of it, and of a
//! hundred attackers each gets little.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};
use troupe_crdt::{Budget, Rate};
use troupe_model::{TenantId, UserId};

/// How soon is looked again, while others come and go.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// What is shared in a second, divided by this, may be paid at once.
const PAID_AT_ONCE_SHARE: u64 = 4;
/// Accounts that are kept before those without debts are looked for.
const KEPT_MIN: usize = 1_024;

/// What users may use of the server's time.
#[derive(Clone, Copy, Debug)]
pub struct WorktimeLimits {
    /// What is free for each: at once, and then in a second.
    pub at_once: Duration,
    pub per_second: Duration,
    /// What is paid in a second for those who use more, or, when it is not enough, given to those who wait.
    pub shared_per_second: Duration,
}

impl Default for WorktimeLimits {
    fn default() -> Self {
        Self {
            at_once: Duration::from_millis(50),
            per_second: Duration::from_millis(5),
            shared_per_second: Duration::from_secs(1),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Worktimes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: WorktimeLimits,
    began: Instant,
    accounts: Mutex<Accounts>,
    /// What was paid of the shared time while nobody waited, in microseconds.
    paid: Mutex<Budget>,
    /// How many users wait, of each tenant.
    waiting: Mutex<HashMap<TenantId, usize>>,
}

#[derive(Debug, Default)]
struct Accounts {
    of: HashMap<(TenantId, UserId), Arc<Account>>,
    look_above: usize,
}

#[derive(Debug, Default)]
struct Account {
    /// In microseconds.
    owed: Mutex<Budget>,
    /// Sessions and requests of the user that wait.
    waiting: AtomicUsize,
}

/// One user's account.
#[derive(Clone, Debug)]
pub struct Worktime {
    all: Arc<Shared>,
    tenant: TenantId,
    account: Arc<Account>,
}

/// Somebody waits for as long as this is there.
struct Waiting<'a>(&'a Worktime);

impl Worktimes {
    pub(crate) fn new(limits: WorktimeLimits) -> Self {
        Self(Arc::new(Shared {
            limits,
            began: Instant::now(),
            accounts: Mutex::default(),
            paid: Mutex::default(),
            waiting: Mutex::default(),
        }))
    }

    pub(crate) fn of(&self, tenant: TenantId, user: UserId) -> Worktime {
        let (free, now_ms) = (self.0.rate(Duration::ZERO), self.0.now_ms());
        let mut accounts = lock(&self.0.accounts);
        if accounts.of.len() >= accounts.look_above {
            // Whoever comes back owes what they owed.
            accounts.of.retain(|_, account| Arc::strong_count(account) > 1 || account.owes(free, now_ms));
            accounts.look_above = (2 * accounts.of.len()).max(KEPT_MIN);
        }
        let account = accounts.of.entry((tenant, user)).or_default().clone();
        Worktime { all: self.0.clone(), tenant, account }
    }
}

impl Shared {
    /// Pays what a user owes beyond what is free, if nobody waits and there is something left.
    fn pay(&self, owed: &mut Budget) {
        let (free, now_ms) = (self.rate(Duration::ZERO), self.now_ms());
        let debt = (owed.owed(free, now_ms) / 1_000).saturating_sub(free.burst);
        if debt == 0 || !lock(&self.waiting).is_empty() {
            return;
        }
        let per_second = micros(self.limits.shared_per_second);
        let shared = Rate { burst: per_second / PAID_AT_ONCE_SHARE, per_second };
        let mut paid = lock(&self.paid);
        if paid.wait_ms(shared, now_ms) == 0 {
            paid.spend(usize::try_from(debt).unwrap_or(usize::MAX), shared, now_ms);
            owed.pay(debt + 1);
        }
    }

    /// `given`: in a second, beside what is free.
    fn rate(&self, given: Duration) -> Rate {
        Rate { burst: micros(self.limits.at_once), per_second: micros(self.limits.per_second + given) }
    }

    /// What one user of a tenant is given who waits.
    fn given(&self, tenant: TenantId) -> Duration {
        let waiting = lock(&self.waiting);
        let shares = waiting.len().max(1) * waiting.get(&tenant).copied().unwrap_or(1);
        self.limits.shared_per_second / u32::try_from(shares).unwrap_or(u32::MAX)
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Account {
    fn owes(&self, free: Rate, now_ms: i64) -> bool {
        lock(&self.owed).owed(free, now_ms) > 0
    }
}

impl Worktime {
    /// The server has worked so long for this user.
    pub fn owe(&self, took: Duration) {
        // Who waits is given more, also for the time since the last look.
        let waits = self.account.waiting.load(Ordering::Relaxed) > 0;
        let given = if waits { self.all.given(self.tenant) } else { Duration::ZERO };
        let mut owed = lock(&self.account.owed);
        let amount = usize::try_from(micros(took)).unwrap_or(usize::MAX);
        owed.spend(amount, self.all.rate(given), self.all.now_ms());
        self.all.pay(&mut owed);
    }

    /// Work for this user: they owe the processor's time that it takes. It is done by one thread.
    pub fn pay_for<T>(&self, work: impl FnOnce() -> T) -> T {
        let begun = processor_time();
        let done = work();
        self.owe(processor_time().saturating_sub(begun));
        done
    }

    /// Until this user owes no more than what is free.
    pub async fn wait(&self) {
        if self.wait_ms(Duration::ZERO) == 0 {
            return;
        }
        metrics::counter!("troupe_worktime_waits_total").increment(1);
        let _waiting = Waiting::of(self);
        loop {
            let wait_ms = self.wait_ms(self.all.given(self.tenant));
            if wait_ms == 0 {
                return;
            }
            sleep(Duration::from_millis(wait_ms).min(LOOK_EVERY)).await;
        }
    }

    fn wait_ms(&self, given: Duration) -> u64 {
        lock(&self.account.owed).wait_ms(self.all.rate(given), self.all.now_ms()).unsigned_abs()
    }
}

impl<'a> Waiting<'a> {
    fn of(worktime: &'a Worktime) -> Self {
        if worktime.account.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
            *lock(&worktime.all.waiting).entry(worktime.tenant).or_default() += 1;
        }
        Self(worktime)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Worktime { all, tenant, account } = self.0;
        if account.waiting.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        let mut waiting = lock(&all.waiting);
        if let Some(users) = waiting.get_mut(tenant) {
            *users -= 1;
            if *users == 0 {
                waiting.remove(tenant);
            }
        }
    }
}

/// Of this thread: whoever is kept waiting by others does not owe that.
fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: WorktimeLimits = WorktimeLimits {
        at_once: Duration::from_millis(50),
        per_second: Duration::from_millis(5),
        shared_per_second: Duration::from_secs(1),
    };

    /// [REL-12] What is little is free, and what is more is owed by all sessions of a user.
    #[tokio::test]
    async fn a_little_is_free() {
        let worktimes = Worktimes::new(LIMITS);
        let (tenant, user) = (TenantId::generate(), UserId::generate());
        let ada = worktimes.of(tenant, user);
        ada.owe(Duration::from_millis(49));
        assert_eq!(ada.wait_ms(Duration::ZERO), 0);
        ada.wait().await;
        // As long as there is enough for all, the rest is paid.
        ada.owe(Duration::from_millis(251));
        assert_eq!(ada.wait_ms(Duration::ZERO), 0);
        ada.owe(Duration::from_millis(150));
        let begun = Instant::now();
        worktimes.of(tenant, user).wait().await;
        // At a second a second, and what is free.
        assert!(begun.elapsed() >= Duration::from_millis(90), "{:?}", begun.elapsed());
        assert!(ada.wait_ms(Duration::ZERO) == 0 && lock(&worktimes.0.waiting).is_empty());
    }

    /// [REL-12] Tenants are given the same, however many of their users wait; so are the users of a tenant.
    #[test]
    fn many_get_little_each() {
        let worktimes = Worktimes::new(LIMITS);
        let (crowd, other) = (TenantId::generate(), TenantId::generate());
        let users: Vec<_> = (0..100).map(|_| worktimes.of(crowd, UserId::generate())).collect();
        let alone = worktimes.of(other, UserId::generate());
        let waiting: Vec<_> = users.iter().map(Waiting::of).collect();
        assert_eq!(worktimes.0.given(crowd), LIMITS.shared_per_second / 100);
        let again = (Waiting::of(&alone), Waiting::of(&alone));
        assert_eq!(worktimes.0.given(crowd), LIMITS.shared_per_second / 200);
        assert_eq!(worktimes.0.given(other), LIMITS.shared_per_second / 2);
        drop(waiting);
        assert_eq!(worktimes.0.given(other), LIMITS.shared_per_second);
        drop(again);
        assert!(lock(&worktimes.0.waiting).is_empty());
    }

    /// [REL-12] Debts outlive sessions, and nothing else does.
    #[test]
    fn debts_are_remembered() {
        let worktimes = Worktimes::new(LIMITS);
        let (tenant, user) = (TenantId::generate(), UserId::generate());
        worktimes.of(tenant, user).owe(Duration::from_secs(1));
        worktimes.of(tenant, user).owe(Duration::from_secs(100));
        for _ in 0..5 * KEPT_MIN {
            worktimes.of(tenant, UserId::generate());
        }
        assert!(lock(&worktimes.0.accounts).of.len() <= 2 * KEPT_MIN);
        assert!(worktimes.of(tenant, user).wait_ms(Duration::ZERO) > 10_000);
    }
}
