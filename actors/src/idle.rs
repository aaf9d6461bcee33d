//! Canvases that are open and that nobody is on: they stay for a moment, for whoever comes next, and together they take a
//! bounded amount of memory. Whoever opens thousands by REST would fill it otherwise.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What an open canvas takes beside its document; what that takes, about: by its bytes, or by its items when they are many.
const CANVAS_BYTES: usize = 64 << 10;
const DOCUMENT_SHARE: usize = 4;
const ITEM_BYTES: usize = 330;

#[derive(Clone, Debug)]
pub(crate) struct IdleCanvases {
    bytes: Arc<AtomicUsize>,
    bytes_max: usize,
}

/// One of them, for as long as this is there.
#[derive(Debug)]
pub(crate) struct IdleCanvas {
    all: IdleCanvases,
    bytes: usize,
}

impl IdleCanvases {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes: Arc::default(), bytes_max }
    }

    /// `document_bytes` and `items`: of its document.
    pub(crate) fn enter(&self, document_bytes: usize, items: usize) -> IdleCanvas {
        let bytes = CANVAS_BYTES + (document_bytes * DOCUMENT_SHARE).max(items * ITEM_BYTES);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        IdleCanvas { all: self.clone(), bytes }
    }
}

impl IdleCanvas {
    /// Whether there is room for it, with those that are idle too.
    pub(crate) fn may_stay(&self) -> bool {
        self.all.bytes.load(Ordering::Relaxed) <= self.all.bytes_max
    }
}

impl Drop for IdleCanvas {
    fn drop(&mut self) {
        self.all.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [REL-12, SYNC-12] What is idle stays while there is room.
    #[test]
    fn idle_canvases_share_a_room() {
        let idle = IdleCanvases::new(1 << 20);
        let few: Vec<_> = (0..4).map(|_| idle.enter(40 << 10, 100)).collect();
        assert!(few.iter().all(IdleCanvas::may_stay));
        for (document_bytes, items) in [(1 << 20, 1), (8 << 10, 4_000)] {
            let large = idle.enter(document_bytes, items);
            assert!(!large.may_stay() && !few[0].may_stay());
        }
        assert!(few[0].may_stay());
        drop(few);
        assert_eq!(idle.bytes.load(Ordering::Relaxed), 0);
    }
}
