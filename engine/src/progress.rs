//! How far a node is, while it runs.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// Live progress of one node, written by its code and polled by the run's tick. Cheap to clone and to write.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<ProgressState>);

#[derive(Debug, Default)]
struct ProgressState {
    version: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
    /// Millionths plus one; 0 means unknown.
    fraction: AtomicU64,
    message: Mutex<Option<Arc<str>>>,
}

/// What [`Progress`] held at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProgressView {
    pub version: u64,
    pub rows: u64,
    pub bytes: u64,
    /// 0 to 1.
    pub fraction: Option<f64>,
    pub message: Option<Arc<str>>,
}

const FRACTION_UNIT: f64 = 1_000_000.0;

impl Progress {
    pub fn rows(&self, rows: u64) {
        self.0.rows.store(rows, Ordering::Relaxed);
        self.touch();
    }

    pub fn bytes(&self, bytes: u64) {
        self.0.bytes.store(bytes, Ordering::Relaxed);
        self.touch();
    }

    /// `fraction` is clamped to 0..=1.
    pub fn fraction(&self, fraction: f64) {
        let millionths = (fraction.clamp(0.0, 1.0) * FRACTION_UNIT) as u64;
        self.0.fraction.store(millionths + 1, Ordering::Relaxed);
        self.touch();
    }

    pub fn message(&self, message: impl Into<Arc<str>>) {
        *self.0.message.lock().unwrap_or_else(PoisonError::into_inner) = Some(message.into());
        self.touch();
    }

    pub fn view(&self) -> ProgressView {
        let fraction = self.0.fraction.load(Ordering::Relaxed);
        ProgressView {
            version: self.0.version.load(Ordering::Acquire),
            rows: self.0.rows.load(Ordering::Relaxed),
            bytes: self.0.bytes.load(Ordering::Relaxed),
            fraction: fraction.checked_sub(1).map(|millionths| millionths as f64 / FRACTION_UNIT),
            message: self.0.message.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn touch(&self) {
        self.0.version.fetch_add(1, Ordering::Release);
    }
}
