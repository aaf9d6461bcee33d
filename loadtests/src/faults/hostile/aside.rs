//! Threads that give way to all others. What honest people on attacked canvases do with all that attackers send costs more
//! than the server's own work; elsewhere they would have machines of their own.

use anyhow::Result;
use tokio::runtime::{Builder, Handle, Runtime};

const THREADS: usize = 4;
const NICE: i32 = 5;

pub struct Aside(Option<Runtime>);

impl Aside {
    pub fn new() -> Result<Self> {
        let give_way = || {
            // Where it is refused, they are as all others.
            let _ = rustix::process::setpriority_process(None, NICE);
        };
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).on_thread_start(give_way).enable_all().build();
        Ok(Self(Some(runtime?)))
    }

    pub fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Whoever drops it may be asynchronous.
            runtime.shutdown_background();
        }
    }
}
