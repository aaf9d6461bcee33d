//! What open canvases take of the server's memory, about, and how much that may be [REL-12].
//!
//! Those that nobody is on stay for a moment, for whoever comes next, while there is room for them. What people are on
//! stays; when it takes more than it may, or its tenant's more than half of that, no large canvas is opened and none
//! grows by much: who types goes on, and whoever closes or empties a canvas makes room.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use troupe_model::TenantId;

/// What an open canvas takes beside its document; what that takes, about: by its bytes, or by its items when they are many.
const CANVAS_BYTES: usize = 64 << 10;
const DOCUMENT_SHARE: usize = 4;
const ITEM_BYTES: usize = 330;
/// Whoever types makes smaller changes.
const SMALL_CHANGE_BYTES: usize = 8 << 10;
/// A smaller document may be opened, and become as large, in any case.
const SMALL_DOCUMENT_BYTES: usize = 128 << 10;
/// What those of one tenant may take: all that canvases may, divided by this.
const TENANT_SHARE: usize = 2;

/// What open canvases may take.
#[derive(Clone, Copy, Debug)]
pub struct FootprintLimits {
    pub bytes_max: usize,
    /// Those that nobody is on.
    pub idle_bytes_max: usize,
}

impl Default for FootprintLimits {
    fn default() -> Self {
        Self { bytes_max: 1 << 30, idle_bytes_max: 128 << 20 }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Footprints(Arc<All>);

#[derive(Debug)]
struct All {
    limits: FootprintLimits,
    taken: AtomicUsize,
    idle: AtomicUsize,
    tenants: Mutex<HashMap<TenantId, Arc<AtomicUsize>>>,
}

/// That of one canvas, for as long as this is there.
#[derive(Debug)]
pub(crate) struct Footprint {
    all: Arc<All>,
    tenant: TenantId,
    of_tenant: Arc<AtomicUsize>,
    document_bytes: usize,
    bytes: usize,
    is_idle: bool,
}

impl Footprints {
    pub(crate) fn new(limits: FootprintLimits) -> Self {
        Self(Arc::new(All { limits, taken: AtomicUsize::new(0), idle: AtomicUsize::new(0), tenants: Mutex::default() }))
    }

    /// Of a canvas that is about to be opened.
    pub(crate) fn enter(&self, tenant: TenantId, document_bytes: usize) -> Footprint {
        let of_tenant = self.0.tenants().entry(tenant).or_default().clone();
        let mut footprint =
            Footprint { all: self.0.clone(), tenant, of_tenant, document_bytes, bytes: 0, is_idle: false };
        footprint.resize(document_bytes, 0);
        metrics::gauge!("troupe_open_canvases").increment(1.0);
        footprint
    }
}

impl All {
    fn tenants(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Arc<AtomicUsize>>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Footprint {
    /// Its document has become so large.
    pub(crate) fn resize(&mut self, document_bytes: usize, items: usize) {
        self.document_bytes = document_bytes;
        let bytes = CANVAS_BYTES + (document_bytes * DOCUMENT_SHARE).max(items * ITEM_BYTES);
        let is_idle = self.is_idle;
        self.rest(false);
        for taken in [&self.all.taken, &*self.of_tenant] {
            taken.fetch_add(bytes, Ordering::Relaxed);
            taken.fetch_sub(self.bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
        self.rest(is_idle);
    }

    /// Whether nobody is on it.
    pub(crate) fn rest(&mut self, is_idle: bool) {
        match (self.is_idle, is_idle) {
            (false, true) => self.all.idle.fetch_add(self.bytes, Ordering::Relaxed),
            (true, false) => self.all.idle.fetch_sub(self.bytes, Ordering::Relaxed),
            _ => return,
        };
        self.is_idle = is_idle;
    }

    /// Whether there is room for it though nobody is on it, with those that are idle too.
    pub(crate) fn may_stay(&self) -> bool {
        let limits = self.all.limits;
        self.all.idle.load(Ordering::Relaxed) <= limits.idle_bytes_max
            && self.all.taken.load(Ordering::Relaxed) <= limits.bytes_max
    }

    /// Whether it may be opened.
    pub(crate) fn may_open(&self) -> bool {
        self.document_bytes <= SMALL_DOCUMENT_BYTES || self.has_room_for(0)
    }

    /// Whether its document may become larger by a change of so many bytes.
    pub(crate) fn may_change(&self, bytes: usize) -> bool {
        bytes <= SMALL_CHANGE_BYTES
            || self.document_bytes + bytes <= SMALL_DOCUMENT_BYTES
            || self.has_room_for(bytes * DOCUMENT_SHARE)
    }

    /// What is idle makes room.
    fn has_room_for(&self, bytes: usize) -> bool {
        let max = self.all.limits.bytes_max;
        let in_use = self.all.taken.load(Ordering::Relaxed).saturating_sub(self.all.idle.load(Ordering::Relaxed));
        in_use + bytes <= max && self.of_tenant.load(Ordering::Relaxed) + bytes <= max / TENANT_SHARE
    }
}

impl Drop for Footprint {
    fn drop(&mut self) {
        metrics::gauge!("troupe_open_canvases").decrement(1.0);
        self.rest(false);
        self.all.taken.fetch_sub(self.bytes, Ordering::Relaxed);
        if self.of_tenant.fetch_sub(self.bytes, Ordering::Relaxed) == self.bytes {
            // The last one: its tenant and the map hold what it holds.
            let mut tenants = self.all.tenants();
            if tenants.get(&self.tenant).is_some_and(|taken| Arc::strong_count(taken) == 2) {
                tenants.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn footprints() -> Footprints {
        Footprints::new(FootprintLimits { bytes_max: 44 * MIB, idle_bytes_max: MIB })
    }

    /// [REL-12, SYNC-12] What is idle stays while there is room.
    #[test]
    fn idle_canvases_share_a_room() {
        let (footprints, tenant) = (footprints(), TenantId::generate());
        let idle = |document_bytes, items| {
            let mut footprint = footprints.enter(tenant, document_bytes);
            footprint.resize(document_bytes, items);
            footprint.rest(true);
            footprint
        };
        let few: Vec<_> = (0..4).map(|_| idle(40 << 10, 100)).collect();
        assert!(few.iter().all(Footprint::may_stay));
        for (document_bytes, items) in [(MIB, 1), (8 << 10, 4_000)] {
            let mut large = idle(document_bytes, items);
            assert!(!large.may_stay() && !few[0].may_stay());
            large.rest(false);
            assert!(few[0].may_stay());
        }
        assert!(few[0].may_stay());
        drop(few);
        assert_eq!(footprints.0.idle.load(Ordering::Relaxed), 0);
        assert_eq!(footprints.0.taken.load(Ordering::Relaxed), 0);
        assert!(footprints.0.tenants().is_empty(), "nobody is remembered");
    }

    /// [REL-12] A tenant fills half of the room, all tenants fill it; what is small goes on, and what is idle makes room.
    #[test]
    fn large_canvases_share_a_room() {
        let (footprints, [one, other, third]) = (footprints(), [(); 3].map(|()| TenantId::generate()));
        let mut large = footprints.enter(one, 4 * MIB);
        assert!(large.may_open() && large.may_change(MIB));
        let another = footprints.enter(one, 2 * MIB);
        assert!(!another.may_open() && !large.may_change(MIB), "more than half");
        assert!(large.may_change(100), "who types goes on");
        assert!(footprints.enter(one, 10_000).may_open());
        let theirs = footprints.enter(other, 4 * MIB);
        assert!(theirs.may_open(), "others do not wait for them");
        assert!(!footprints.enter(third, MIB).may_open(), "all of it is taken");
        large.rest(true);
        assert!(footprints.enter(third, MIB).may_open());
        drop(another);
        large.resize(1_000, 10);
        assert!(footprints.enter(one, 2 * MIB).may_open());
    }
}
