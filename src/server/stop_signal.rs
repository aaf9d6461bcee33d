//! SIGTERM and SIGINT: the server is asked to end, and ends within its time whatever works [OPS-5].
//!
//! Listened for on a thread of its own: all threads of the server may be busy just then.

use std::{io, thread, time::Duration};

use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

/// Whether the process is asked to end.
pub(super) struct StopSignal(CancellationToken);

impl StopSignal {
    /// `within`: how long after the signal the process ends in any case. What was acknowledged until then is stored.
    pub fn listen(within: Duration) -> io::Result<Self> {
        let given = CancellationToken::new();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (terminate, interrupt) = {
            let _entered = runtime.enter();
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
        };
        let told = given.clone();
        let wait = async move {
            either(terminate, interrupt).await;
            told.cancel();
            tokio::time::sleep(within).await;
            tracing::error!(within_s = within.as_secs(), "the server did not stop in time, and is ended");
            std::process::exit(1);
        };
        thread::Builder::new().name("stop-signal".to_owned()).spawn(move || runtime.block_on(wait))?;
        Ok(Self(given))
    }

    pub async fn given(&self) {
        self.0.cancelled().await;
    }
}

async fn either(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
