//! What flows along an edge: a table by reference, or small JSON inline [RUN-11].

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Schema;

/// JSON up to this many bytes travels inside the event; larger JSON becomes a frame.
pub const INLINE_JSON_BYTES_MAX: usize = 64 * 1024;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Payload {
    /// An Arrow IPC object of the run, named relative to the run's payload folder.
    Frame { object: String, rows: u64, bytes: u64, schema: Schema },
    /// A JSON value of at most [`INLINE_JSON_BYTES_MAX`] bytes.
    Json {
        #[cfg_attr(feature = "openapi", schema(value_type = Object))]
        value: Value,
    },
    /// Nothing but the signal that the node is done.
    Signal,
}

impl Payload {
    /// Rows of a frame, items of a JSON array, one for another JSON value, none for a signal.
    pub fn rows(&self) -> u64 {
        match self {
            Self::Frame { rows, .. } => *rows,
            Self::Json { value: Value::Array(items) } => items.len() as u64,
            Self::Json { .. } => 1,
            Self::Signal => 0,
        }
    }
}

/// One payload on one output port. A port without an output was not taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Output {
    pub port: String,
    pub payload: Payload,
}
