//! JSON to tables and tables to JSON.
//!
//! What JSON has no word for: integers beyond ±2⁵³ and decimals are strings, so that no digit is lost in a browser;
//! NaN and infinities are null; dates, times and datetimes are ISO 8601 (datetimes without zone, in UTC); durations
//! are ISO 8601 (`PT90S`); binary is hexadecimal.

use std::{fmt::Write, io::Cursor};

use chrono::{DateTime, NaiveTime, TimeDelta};
use polars::prelude::*;
use serde_json::{Map, Value};

use super::Fault;

/// The largest integer that JavaScript holds exactly.
const SAFE_INTEGER_MAX: i64 = 1 << 53;

/// An object or a list of objects as a table.
pub(crate) fn to_frame(value: &Value) -> Result<DataFrame, Fault> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        Value::Object(_) => std::slice::from_ref(value),
        _ => return Err(not_a_table("it is a single value")),
    };
    if !items.iter().all(Value::is_object) {
        return Err(not_a_table("some of its items are not objects"));
    }
    if items.iter().all(|item| item.as_object().is_some_and(Map::is_empty)) {
        return Ok(DataFrame::empty());
    }
    let mut lines = String::new();
    for item in items {
        // Writing to a string does not fail.
        let _ = writeln!(lines, "{item}");
    }
    JsonReader::new(Cursor::new(lines.into_bytes()))
        .with_json_format(JsonFormat::JsonLines)
        .infer_schema_len(None)
        .finish()
        .map_err(|error| not_a_table(&error.to_string()))
}

/// The rows of a table as objects, in the order of its columns.
pub(crate) fn from_frame(frame: &DataFrame) -> Vec<Value> {
    let row = |i: usize| {
        let cells = frame.columns().iter().map(|column| {
            let cell = column.get(i).map_or(Value::Null, |cell| from_cell(&cell));
            (column.name().to_string(), cell)
        });
        Value::Object(cells.collect())
    };
    (0..frame.height()).map(row).collect()
}

fn from_cell(cell: &AnyValue<'_>) -> Value {
    match cell {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(value) => Value::Bool(*value),
        AnyValue::String(text) => Value::from(*text),
        AnyValue::StringOwned(text) => Value::from(text.as_str()),
        AnyValue::Int64(value) if value.abs() > SAFE_INTEGER_MAX => Value::from(value.to_string()),
        AnyValue::Int64(value) => Value::from(*value),
        AnyValue::Float64(value) => Value::from(*value),
        AnyValue::Date(days) => date(*days),
        AnyValue::Datetime(value, unit, _) | AnyValue::DatetimeOwned(value, unit, _) => datetime(*value, *unit),
        AnyValue::Time(nanoseconds) => time(*nanoseconds),
        AnyValue::Duration(value, unit) => duration(*value, *unit),
        AnyValue::Binary(bytes) => hexadecimal(bytes),
        AnyValue::BinaryOwned(bytes) => hexadecimal(bytes),
        AnyValue::List(items) => items.iter().map(|item| from_cell(&item)).collect(),
        AnyValue::Struct(..) | AnyValue::StructOwned(_) => structure(cell),
        other => from_uncommon_cell(other),
    }
}

/// Types that frames do not hold at the top level, but nested values may.
fn from_uncommon_cell(cell: &AnyValue<'_>) -> Value {
    if cell.is_integer() {
        let safe = cell.extract::<i64>().filter(|value| value.abs() <= SAFE_INTEGER_MAX);
        return safe.map_or_else(|| Value::from(cell.to_string()), Value::from);
    }
    if cell.is_float() {
        return cell.extract::<f64>().map_or(Value::Null, Value::from);
    }
    Value::from(cell.to_string())
}

fn structure(cell: &AnyValue<'_>) -> Value {
    let field = |(field, value): (&Field, AnyValue<'_>)| (field.name().to_string(), from_cell(&value));
    match cell {
        AnyValue::Struct(_, _, fields) => fields.iter().zip(cell._iter_struct_av()).map(field).collect(),
        AnyValue::StructOwned(owned) => owned.1.iter().zip(owned.0.iter().cloned()).map(field).collect(),
        _ => Value::Null,
    }
}

fn date(days: i32) -> Value {
    let date = DateTime::UNIX_EPOCH.date_naive().checked_add_signed(TimeDelta::days(days.into()));
    date.map_or(Value::Null, |date| Value::from(date.to_string()))
}

fn datetime(value: i64, unit: TimeUnit) -> Value {
    let datetime = match unit {
        TimeUnit::Nanoseconds => Some(DateTime::from_timestamp_nanos(value)),
        TimeUnit::Microseconds => DateTime::from_timestamp_micros(value),
        TimeUnit::Milliseconds => DateTime::from_timestamp_millis(value),
    };
    datetime.map_or(Value::Null, |datetime| Value::from(datetime.format("%Y-%m-%dT%H:%M:%S%.f").to_string()))
}

fn time(nanoseconds: i64) -> Value {
    let time = NaiveTime::MIN.overflowing_add_signed(TimeDelta::nanoseconds(nanoseconds)).0;
    Value::from(time.format("%H:%M:%S%.f").to_string())
}

fn duration(value: i64, unit: TimeUnit) -> Value {
    let duration = match unit {
        TimeUnit::Nanoseconds => TimeDelta::nanoseconds(value),
        TimeUnit::Microseconds => TimeDelta::microseconds(value),
        TimeUnit::Milliseconds => TimeDelta::milliseconds(value),
    };
    Value::from(duration.to_string())
}

fn hexadecimal(bytes: &[u8]) -> Value {
    Value::String(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn not_a_table(reason: &str) -> Fault {
    Fault::new("not_a_table", "the input is JSON that is not a table")
        .reason(reason)
        .fix("give an object or a list of objects, all with the same fields")
}
