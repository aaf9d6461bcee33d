//! The people behind access tokens, as they are now: looked up at most once a second each.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use troupe_model::{TenantId, UserId};
use troupe_store::{Store, users, users::User};

use super::token::Access;

/// So long may a change of somebody's role or existence go unnoticed [RBAC-5].
const FRESH: Duration = Duration::from_secs(1);
const PEOPLE_MAX: u64 = 100_000;

#[derive(Clone, Debug)]
pub struct People {
    store: Store,
    known: Cache<(TenantId, UserId), Option<Arc<User>>>,
}

impl People {
    pub fn new(store: Store) -> Self {
        Self { store, known: Cache::builder().time_to_live(FRESH).max_capacity(PEOPLE_MAX).build() }
    }

    /// `None`: there is no such user any more.
    pub async fn current(&self, access: Access) -> Result<Option<Arc<User>>, Arc<troupe_store::Error>> {
        let lookup = async {
            let mut tx = self.store.read(access.tenant).await?;
            Ok(users::find(&mut tx, access.user).await?.map(Arc::new))
        };
        self.known.try_get_with((access.tenant, access.user), lookup).await
    }
}
