//! The actors on a real embedded store.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as expected")]

mod canvas;
mod client;
mod growth;
mod leases;
mod nodes;
mod presence;
mod questions;
mod run;
mod trouble;
mod versions;
mod world;
