//! What every handler and socket can reach.

use std::sync::Arc;

use tokio::task::JoinError;
use troupe_actors::{FREE_BYTES_MAX, Loan, System};
use troupe_engine::Registry;
use troupe_model::{Clock, TenantId, UserId};
use troupe_store::{Store, secrets::SecretBox};

use crate::{
    auth::{
        Caller, attempts::Attempts, device::Devices, password::Passwords, people::People, ticket::Tickets,
        token::AccessTokens,
    },
    config::Config,
    sockets::sessions::Sessions,
};

/// A cheap clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub struct Parts {
    pub config: Config,
    pub store: Store,
    pub system: System,
    pub registry: Registry,
    pub clock: Arc<dyn Clock>,
    pub passwords: Passwords,
    pub tokens: AccessTokens,
    pub tickets: Tickets,
    pub attempts: Attempts,
    pub devices: Devices,
    pub people: People,
    pub secrets: SecretBox,
    pub sessions: Sessions,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub fn config(&self) -> &Config {
        &self.0.config
    }

    pub fn store(&self) -> &Store {
        &self.0.store
    }

    pub fn system(&self) -> &System {
        &self.0.system
    }

    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    pub fn tokens(&self) -> &AccessTokens {
        &self.0.tokens
    }

    pub fn tickets(&self) -> &Tickets {
        &self.0.tickets
    }

    pub fn attempts(&self) -> &Attempts {
        &self.0.attempts
    }

    pub fn devices(&self) -> &Devices {
        &self.0.devices
    }

    pub fn people(&self) -> &People {
        &self.0.people
    }

    pub fn secrets(&self) -> &SecretBox {
        &self.0.secrets
    }

    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// Before a large answer is made. Nothing of the store is held meanwhile.
    pub async fn lend_answer(&self, by: &Caller, bytes: usize) -> Option<Loan> {
        if bytes <= FREE_BYTES_MAX {
            return None;
        }
        Some(self.system().lender(by.tenant, by.user).lend_answer(bytes).await)
    }

    /// Work for a request that takes long: on a thread of its own, in time that the caller owes.
    pub async fn work<T: Send + 'static>(
        &self,
        by: &Caller,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let worktime = self.system().worktime(by.asker());
        let paid = move || match worktime {
            Some(worktime) => worktime.pay_for(work),
            None => work(),
        };
        tokio::task::spawn_blocking(paid).await
    }

    /// Somebody's role, name or sign-in changed, and that is committed: from here on no request of theirs is judged by
    /// what was, and no further frame of their open sessions is taken before it is looked at again [RBAC-5].
    pub fn access_changed(&self, tenant: TenantId, user: UserId) {
        self.people().changed();
        self.sessions().look_again(tenant, user);
    }
}
