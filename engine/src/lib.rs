//! What workflows do: node types, the plan of a diagram, and the pure machine that decides a run.
//!
//! Owns: the registry of node types and their code, design-time analysis, the planner, the run machine, payload
//! files, and the guard of outgoing requests, and what a workflow file may hold. Polars is named here and nowhere else.
//! Refuses to know: actors, the store, the canvas, who asks. `analysis`, `plan` and `run` know no Tokio and no clock.

pub mod analysis;
pub mod condition;
pub mod config_schema;
mod deep_stack;
pub mod egress;
mod execute;
pub mod files;
pub mod finding;
mod frames;
pub mod fuel;
mod graph;
pub mod node;
pub mod nodes;
pub mod payloads;
mod place;
pub mod plan;
pub mod preview;
pub mod progress;
pub mod registry;
pub mod run;
pub mod suggest;
#[cfg(test)]
mod testing;
pub mod typed;
pub mod workflow_file;

pub use analysis::{Analysis, Analyst, analyse};
pub use execute::execute;
pub use fuel::Fuel;
pub use plan::Plan;
pub use registry::Registry;
pub use run::RunMachine;
