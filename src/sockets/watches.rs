//! Which open sessions are whose, so that a change of somebody's access reaches them at once [RBAC-5].

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;
use troupe_model::{SessionId, TenantId, UserId};

type Key = (TenantId, UserId);
type Marks = HashMap<Key, HashMap<SessionId, Arc<Mark>>>;

#[derive(Clone, Debug, Default)]
pub struct Watches(Arc<Mutex<Marks>>);

#[derive(Debug)]
struct Mark {
    stale: AtomicBool,
    wake: Arc<Notify>,
}

/// Watches one user's access for one session, until it is dropped.
#[derive(Debug)]
pub struct Watch {
    watches: Watches,
    key: Key,
    id: SessionId,
    mark: Arc<Mark>,
}

impl Watches {
    /// To be called before the access is looked up: a change in between is not missed. `wake` is for whoever waits on
    /// the session's socket, which may hold several sessions.
    pub fn watch(&self, tenant: TenantId, user: UserId, wake: Arc<Notify>) -> Watch {
        let mark = Arc::new(Mark { stale: AtomicBool::new(false), wake });
        let (key, id) = ((tenant, user), SessionId::generate());
        self.lock().entry(key).or_default().insert(id, mark.clone());
        Watch { watches: self.clone(), key, id, mark }
    }

    /// When this returns, every session of the user knows that it has to look again.
    pub fn look_again(&self, tenant: TenantId, user: UserId) {
        for mark in self.lock().get(&(tenant, user)).into_iter().flat_map(HashMap::values) {
            mark.stale.store(true, Ordering::SeqCst);
            mark.wake.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Marks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Whether the access may be another one than when it was last looked up.
    pub fn is_stale(&self) -> bool {
        self.mark.stale.load(Ordering::SeqCst)
    }

    /// To be called before the access is looked up again. Says whether it was stale.
    pub fn refresh(&self) -> bool {
        self.mark.stale.swap(false, Ordering::SeqCst)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watches = self.watches.lock();
        if let Some(sessions) = watches.get_mut(&self.key) {
            sessions.remove(&self.id);
            if sessions.is_empty() {
                watches.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [RBAC-5] A change marks the sessions of that user alone and wakes their sockets; who left is forgotten.
    #[tokio::test]
    async fn a_change_reaches_the_sessions_of_one_user() {
        let watches = Watches::default();
        let (tenant, ann, bob) = (TenantId::generate(), UserId::generate(), UserId::generate());
        let wake = Arc::new(Notify::new());
        let [first, second] = [(); 2].map(|()| watches.watch(tenant, ann, wake.clone()));
        let other = watches.watch(tenant, bob, Arc::default());
        watches.look_again(tenant, ann);
        wake.notified().await;
        assert!(first.is_stale() && second.is_stale() && !other.is_stale());
        assert!(first.refresh());
        assert!(!first.is_stale() && second.is_stale());
        watches.look_again(TenantId::generate(), bob);
        assert!(!other.is_stale());
        drop((first, second, other));
        assert!(watches.lock().is_empty());
    }
}
