//! Work that recurses as deep as a user's text is nested: on a thread of its own, whose stack is large enough for the
//! longest text that is allowed. An overflow would end the whole server.

use std::thread;

use crate::analysis::panic_message;

/// For texts that are nothing but nesting, in an unoptimised build. Only what is used takes memory.
const STACK_BYTES: usize = 128 * 1024 * 1024;

/// Does the work there, and waits for it. The error says why it came to no end.
pub(crate) fn run<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> Result<T, String> {
    thread::scope(|scope| {
        match thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn_scoped(scope, work) {
            Ok(worker) => worker.join().map_err(|panic| panic_message(panic.as_ref())),
            Err(error) => Err(error.to_string()),
        }
    })
}
