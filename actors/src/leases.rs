//! The leases of this server.

use std::sync::{Arc, Mutex};

use dashmap::DashMap;
use tokio::time::Instant;
use troupe_model::TenantId;
use troupe_store::leases::{Held, LeaseKind};
use uuid::Uuid;

/// What was leased, and the epoch under which its owner writes.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    pub(crate) held: Held,
    pub(crate) tenant: TenantId,
    pub(crate) sure_until: Arc<Mutex<Instant>>,
}

/// All leases of owners that live on this server.
#[derive(Default)]
pub(crate) struct Leases(pub(crate) DashMap<(LeaseKind, Uuid, TenantId), Known>);

pub(crate) struct Known {
    pub(crate) term: Term,
    pub(crate) taken_at: Instant,
    /// Tells the owner that it is none any more.
    pub(crate) lost: Box<dyn Fn() + Send + Sync>,
}
