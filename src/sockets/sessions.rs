use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use troupe_model::{TenantId, UserId};

use super::watches::{Watch, Watches};

/// All open sockets of this server.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    pub(super) tasks: TaskTracker,
    pub(super) stopping: CancellationToken,
    watches: Watches,
}

impl Sessions {
    pub(super) fn watch(&self, tenant: TenantId, user: UserId, wake: Arc<Notify>) -> Watch {
        self.watches.watch(tenant, user, wake)
    }

    /// What a user may do has changed: their sessions take nothing more before they have seen it.
    pub fn look_again(&self, tenant: TenantId, user: UserId) {
        self.watches.look_again(tenant, user);
    }

    /// Tells every session that the server restarts, and waits until they have told their clients.
    pub async fn close(&self) {
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
