//! The WebSockets: one for a canvas, one for several, and the event channel. A session is a plain task:
//! reader → handle → actor; outbox → writer.

mod collab;
mod events;
mod frame;
mod hocuspocus;
mod member;
mod parts;
mod turns;
mod upgrade;
mod visitor;
mod watches;
mod wire;

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use troupe_model::{TenantId, UserId};

use self::watches::{Watch, Watches};
use crate::{
    policy::{Level, Object, socket},
    routes::Routes,
};

pub fn routes() -> Routes {
    let access = socket(Object::Workflow, Level::Read);
    Routes::default().get(access, "/ws", events::open).get(access, "/collab", hocuspocus::open).get(
        access,
        "/collab/{workflow}",
        collab::open,
    )
}

/// All open sockets of this server.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    tasks: TaskTracker,
    stopping: CancellationToken,
    watches: Watches,
}

impl Sessions {
    fn watch(&self, tenant: TenantId, user: UserId, wake: Arc<Notify>) -> Watch {
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
