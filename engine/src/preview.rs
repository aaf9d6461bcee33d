//! The first rows of a payload, as a browser can show them. See [`crate::frames::json`] for how types become JSON.

use polars::prelude::{Engine, IdxSize, LazyFrame, PolarsResult};
use serde_json::Value;
use troupe_model::{NodeFailure, Payload, Schema};

use crate::{
    frames::{Fault, json, types},
    payloads::Payloads,
};

/// More rows are not given at once.
pub const ROWS_MAX: u64 = 1_000;

/// Some rows of a payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// `frame`, `json` or `signal`.
    pub kind: &'static str,
    /// Of the whole payload.
    pub rows: u64,
    /// Empty when the payload is not a table.
    pub schema: Schema,
    /// Objects, their fields in the order of the columns.
    pub items: Vec<Value>,
    /// A JSON payload that is not a table.
    pub value: Option<Value>,
}

/// Up to `limit` rows (at most [`ROWS_MAX`]) from row `offset`. Blocks; reads no more than the batches that hold them.
pub fn preview(payloads: &Payloads, payload: &Payload, offset: u64, limit: u64) -> Result<Preview, NodeFailure> {
    let rows = payload.rows();
    let mut preview = Preview { kind: kind(payload), rows, schema: Schema::default(), items: Vec::new(), value: None };
    match payload {
        Payload::Frame { schema, .. } => {
            preview.schema = schema.clone();
            preview.items = slice(payloads.scan(payload)?, offset, limit)?;
        }
        Payload::Json { value } => match json::to_frame(value) {
            Ok(frame) => {
                preview.schema = types::to_model(frame.schema());
                preview.items =
                    items(value).iter().skip(index(offset)).take(index(limit.min(ROWS_MAX))).cloned().collect();
            }
            Err(_) => preview.value = Some(value.clone()),
        },
        Payload::Signal => {}
    }
    Ok(preview)
}

/// The first row or item of a payload. Blocks.
pub fn first_row(payloads: &Payloads, payload: &Payload) -> Result<Option<Value>, NodeFailure> {
    match payload {
        Payload::Frame { .. } => Ok(slice(payloads.scan(payload)?, 0, 1)?.into_iter().next()),
        Payload::Json { value } => Ok(items(value).first().cloned()),
        Payload::Signal => Ok(None),
    }
}

fn kind(payload: &Payload) -> &'static str {
    match payload {
        Payload::Frame { .. } => "frame",
        Payload::Json { .. } => "json",
        Payload::Signal => "signal",
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn slice(frame: LazyFrame, offset: u64, limit: u64) -> Result<Vec<Value>, NodeFailure> {
    let Ok(offset) = i64::try_from(offset) else { return Ok(Vec::new()) };
    let rows = || -> PolarsResult<_> {
        let result = frame.slice(offset, limit.min(ROWS_MAX) as IdxSize).collect_with_engine(Engine::Streaming)?;
        Ok(json::from_frame(&result.unwrap_single()))
    };
    Ok(rows().map_err(Fault::from)?)
}

fn index(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
