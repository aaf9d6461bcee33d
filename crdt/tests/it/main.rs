//! The canvas as its users meet it: frames in, frames out, documents that agree.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod awareness;
mod edit;
mod hostile;
mod peers;
mod rebuild;
mod session;
mod snapshot;
mod touched;
mod world;
mod yjs;
