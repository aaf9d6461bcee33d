//! Measures collaboration servers from outside, as their clients do: Troupe and others, in one run.
//!
//! The client shares the machine with the server, so it is made to cost little: one thread, no documents, edits that
//! are written rather than computed.

pub mod api;
pub mod author;
pub mod connection;
mod cursors;
pub mod editing;
pub mod fleet;
pub mod frames;
mod large;
mod mark;
pub mod process;
pub mod report;
pub mod scenario;
mod schedule;
pub mod server;
pub mod tally;
pub mod usage;
mod verify;
pub mod wire;
