//! What workflows do: node types, the plan of a diagram, and the pure machine that decides a run.
//!
//! Owns: the registry of node types and their code, design-time analysis, the planner, the run machine, payload
//! files, and the guard of outgoing requests. Polars is named here and nowhere else.
//! Refuses to know: actors, the store, the canvas, who asks. `analysis`, `plan` and `run` know no Tokio and no clock.

pub mod config_schema;
pub mod egress;
pub mod files;
pub mod node;
pub mod nodes;
pub mod payloads;
pub mod registry;
pub mod suggest;
pub mod typed;

pub use registry::Registry;
