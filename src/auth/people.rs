//! The people behind access tokens, as they are now: looked up at most once a second for each sign-in, and anew after
//! every change that this server makes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use moka::future::Cache;
use troupe_model::{TenantId, TokenFamilyId, UserId};
use troupe_store::{Store, refresh_tokens, users, users::User};

use super::token::Access;

/// So long may a change that another server made go unnoticed [RBAC-5].
const FRESH: Duration = Duration::from_secs(1);
const PEOPLE_MAX: u64 = 100_000;

/// Why an access token stands for nobody any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gone {
    #[error("this sign-in has ended")]
    SignedOut,
    #[error("your access was taken away")]
    Removed,
}

type Standing = Result<Arc<User>, Gone>;

#[derive(Clone, Debug)]
pub struct People {
    store: Store,
    known: Cache<(TenantId, UserId, TokenFamilyId, u64), Standing>,
    /// How often somebody changed. A look-up that began before a change is not taken for one after it.
    changes: Arc<AtomicU64>,
}

impl People {
    pub fn new(store: Store) -> Self {
        let known = Cache::builder().time_to_live(FRESH).max_capacity(PEOPLE_MAX).build();
        Self { store, known, changes: Arc::default() }
    }

    /// Forgets what is known. To be called after the commit of a change.
    pub fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    pub async fn current(&self, access: Access) -> Result<Standing, Arc<troupe_store::Error>> {
        let key = (access.tenant, access.user, access.family, self.changes.load(Ordering::SeqCst));
        self.known.try_get_with(key, self.look_up(access)).await
    }

    async fn look_up(&self, access: Access) -> troupe_store::Result<Standing> {
        let mut tx = self.store.read(access.tenant).await?;
        let Some(user) = users::find(&mut tx, access.user).await? else { return Ok(Err(Gone::Removed)) };
        let ended = refresh_tokens::is_revoked(&mut tx, access.family).await?;
        Ok(if ended { Err(Gone::SignedOut) } else { Ok(Arc::new(user)) })
    }
}
