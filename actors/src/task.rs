//! The one place that spawns tasks: each has a name, and an owner that ends it.

use std::future::Future;

use tokio::task::AbortHandle;
use tracing::Instrument;

/// A running task that is aborted when its owner drops this.
#[derive(Debug)]
#[must_use = "dropping an owned task aborts it"]
pub struct Owned(AbortHandle);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts a task that ends by itself, or with the runtime.
#[expect(clippy::disallowed_methods, reason = "the one place that spawns tasks")]
pub fn spawn(name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    tokio::spawn(work.instrument(tracing::debug_span!("task", task.name = name))).abort_handle()
}

/// Starts a task that lives as long as its owner keeps the result.
pub fn spawn_owned(name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> Owned {
    Owned(spawn(name, work))
}
