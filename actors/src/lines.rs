//! Waiting in line for a share of what there is.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use dashmap::DashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits, and how many wait for some.
#[derive(Debug)]
pub(crate) struct Line {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// Somebody who waits, until this is dropped.
struct Waits<'a>(&'a AtomicUsize);

impl Line {
    pub(crate) fn new(permits: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(permits)), waiting: AtomicUsize::new(0) }
    }

    /// In turn.
    pub(crate) async fn take(&self, wanted: usize) -> Option<OwnedSemaphorePermit> {
        if let Some(permits) = self.try_take(wanted) {
            return Some(permits);
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waits = Waits(&self.waiting);
        // It is never closed.
        self.permits.clone().acquire_many_owned(wanted as u32).await.ok()
    }

    pub(crate) fn try_take(&self, wanted: usize) -> Option<OwnedSemaphorePermit> {
        self.permits.clone().try_acquire_many_owned(wanted as u32).ok()
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    #[cfg(test)]
    pub(crate) fn available(&self) -> usize {
        self.permits.available_permits()
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A line for each of many, which is there while it is used.
#[derive(Debug)]
pub(crate) struct Lines<K: Eq + Hash>(DashMap<K, Arc<Line>>);

/// Somebody's line, and what was taken of it for as long as this is there.
#[derive(Debug)]
pub(crate) struct Share<K: Eq + Hash> {
    key: K,
    /// There until it is dropped.
    line: Option<Arc<Line>>,
    permits: Option<OwnedSemaphorePermit>,
    all: Arc<Lines<K>>,
}

impl<K: Eq + Hash> Default for Lines<K> {
    fn default() -> Self {
        Self(DashMap::new())
    }
}

impl<K: Copy + Eq + Hash> Lines<K> {
    /// `permits_max`: of a line that is not there yet.
    pub(crate) fn share(self: &Arc<Self>, key: K, permits_max: usize) -> Share<K> {
        let line = self.0.entry(key).or_insert_with(|| Arc::new(Line::new(permits_max))).clone();
        Share { key, line: Some(line), permits: None, all: self.clone() }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Eq + Hash> Share<K> {
    pub(crate) fn line(&self) -> Option<&Arc<Line>> {
        self.line.as_ref()
    }

    pub(crate) async fn take(mut self, wanted: usize) -> Self {
        if let Some(line) = &self.line {
            self.permits = line.take(wanted).await;
        }
        self
    }

    pub(crate) fn try_take(mut self, wanted: usize) -> Option<Self> {
        self.permits = self.line.as_ref()?.try_take(wanted);
        self.permits.is_some().then_some(self)
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.is_wanted())
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        drop(self.permits.take());
        drop(self.line.take());
        // The last one takes it away: nobody else holds it but the map.
        self.all.0.remove_if(&self.key, |_, line| Arc::strong_count(line) == 1);
    }
}
