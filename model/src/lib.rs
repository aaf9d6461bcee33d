//! The shared words of Troupe: ids, the diagram, run events, schemas, problems.
//!
//! Owns: the vocabulary that more than one crate speaks, and its JSON where the specification fixes it
//! (diagram, diagnostics, run events, node types).
//! Refuses to know: storage, network, actors, clocks. `sql`, `openapi` and `json-schema` only add derives.

pub mod authorship;
pub mod diagnostic;
pub mod diagram;
pub mod id;
pub mod log;
pub mod node_type;
pub mod payload;
pub mod problem;
pub mod run;
pub mod schema;
pub mod shown;
pub mod time;
pub mod workflow_file;

pub use authorship::{ElementKind, Touch};
pub use diagnostic::{Diagnostic, Severity, Subject};
pub use diagram::{Diagram, Edge, Node, NodeData, Position, Viewport};
pub use id::*;
pub use log::{LogEntry, LogLevel};
pub use node_type::{NodeTypeSpec, Port, PortKind};
pub use payload::{Output, Payload};
pub use problem::{FieldError, Problem};
pub use run::{NodeFailure, NodeMetrics, NodeStatus, RunEvent, RunEventKind, RunStatus};
pub use schema::{Column, ColumnType, Schema};
pub use time::{Clock, SystemClock, Timestamp};
