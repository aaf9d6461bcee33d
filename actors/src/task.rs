//! The one place that spawns tasks: each has a name, and an owner that ends it.

use std::{future::Future, thread};

use thiserror::Error;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::oneshot,
    task::AbortHandle,
};
use tracing::Instrument;

const ASIDE_NICE: i32 = 5;

/// Work panicked, or there was no thread for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("work was interrupted")]
pub struct Interrupted;

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

/// Work of a turn that may take milliseconds: whoever waits for this thread goes on in another.
pub fn long<T>(work: impl FnOnce() -> T) -> T {
    let has_others = Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if has_others { tokio::task::block_in_place(work) } else { work() }
}

/// Heavy work that nobody waits for, on a thread of its own that gives way to all others.
pub async fn aside<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Interrupted> {
    let (done, doing) = oneshot::channel();
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Err(error) = rustix::process::setpriority_process(None, ASIDE_NICE) {
            tracing::debug!(%error, "a thread does not give way");
        }
        // Whoever asked may have given up.
        let _ = done.send(work());
    });
    thread.map_err(|_| Interrupted)?;
    doing.await.map_err(|_| Interrupted)
}
