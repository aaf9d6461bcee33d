//! Tables: what the engine asks of Polars, and how its answers become words for people.
//!
//! Owns: the mapping between [`troupe_model::Schema`] and Polars' types, SQL expressions and queries, conversions
//! that are counted, readers and writers of files, JSON to and from tables, the watch over running queries.
//! Invariant: a payload holds only canonical types (see [`types`]), so that a column has the same type at design time
//! as in a run. Refuses to know: node types.

pub(crate) mod convert;
pub(crate) mod fault;
pub(crate) mod format;
pub(crate) mod gzip;
pub(crate) mod infer;
pub(crate) mod json;
pub(crate) mod parse;
pub(crate) mod sink;
pub(crate) mod source;
pub(crate) mod sql;
pub(crate) mod tables;
pub(crate) mod transform;
pub(crate) mod types;
pub(crate) mod watch;

pub(crate) use fault::Fault;
pub(crate) use tables::{Table, Tables};
