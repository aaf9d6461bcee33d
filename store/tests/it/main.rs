//! The store's conformance suite: every function, on both engines.
//!
//! A test is a function of a [`fixture::Db`]; `both_engines!` makes it a `sqlite::…` and a `postgres::…` test.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod accounts;
mod canvas;
mod checkpoints;
mod dropped;
mod fixture;
mod hierarchy;
mod isolation;
mod leases;
mod pages;
mod runs;
mod schema;
mod secrets;
mod troubles;
mod versions;
