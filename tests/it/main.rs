//! Tests of the whole: one binary, so that it links once.
#![expect(clippy::unwrap_used, reason = "a test's helpers are tests")]

mod aborted;
mod access;
mod app;
mod architecture;
mod archive;
mod attempts;
mod auth;
mod cli;
mod convergence;
mod doors;
mod examples;
mod held_back;
mod hierarchy;
mod hocuspocus;
mod hostile;
mod large;
mod memory;
mod openapi;
mod people;
mod policy;
mod problems;
mod process;
mod sockets;
mod stopping;
mod versions;
