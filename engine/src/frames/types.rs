//! Which Polars type stands for which [`ColumnType`].
//!
//! Each `ColumnType` has one canonical Polars type. A datetime has microseconds and no zone: values that carry an
//! offset become UTC. Frames are brought to canonical types when they are written, so that a design-time check over
//! an empty frame of canonical types sees what a run will see.

use polars::prelude::{Column as PolarsColumn, *};
use troupe_model::{Column, ColumnType, Schema};

/// Digits after the point of a decimal that is made from text.
const DECIMAL_SCALE: usize = 9;
const DECIMAL_PRECISION: usize = 38;

/// The types of a Polars schema, as people know them.
pub(crate) fn to_model(schema: &polars::prelude::Schema) -> Schema {
    let columns =
        schema.iter().map(|(name, dtype)| Column { name: name.to_string(), column_type: column_type(dtype) }).collect();
    Schema { columns }
}

pub(crate) fn column_type(dtype: &DataType) -> ColumnType {
    match dtype {
        DataType::String | DataType::Categorical(..) | DataType::Enum(..) => ColumnType::String,
        dtype if dtype.is_integer() => ColumnType::Integer,
        dtype if dtype.is_float() => ColumnType::Float,
        DataType::Decimal(..) => ColumnType::Decimal,
        DataType::Boolean => ColumnType::Boolean,
        DataType::Date => ColumnType::Date,
        DataType::Datetime(..) => ColumnType::Datetime,
        DataType::Time => ColumnType::Time,
        DataType::Duration(_) => ColumnType::Duration,
        DataType::Binary | DataType::BinaryOffset => ColumnType::Binary,
        DataType::List(_) | DataType::Array(..) => ColumnType::List,
        DataType::Struct(_) => ColumnType::Struct,
        DataType::Null => ColumnType::Null,
        _ => ColumnType::Other,
    }
}

/// The canonical Polars type. Of nested types, what is inside is not known.
pub(crate) fn canonical(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::String => DataType::String,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Decimal => DataType::Decimal(DECIMAL_PRECISION, DECIMAL_SCALE),
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Date => DataType::Date,
        ColumnType::Datetime => DataType::Datetime(TimeUnit::Microseconds, None),
        ColumnType::Time => DataType::Time,
        ColumnType::Duration => DataType::Duration(TimeUnit::Microseconds),
        ColumnType::Binary => DataType::Binary,
        ColumnType::List => DataType::List(Box::new(DataType::Null)),
        ColumnType::Struct => DataType::Struct(Vec::new()),
        ColumnType::Null | ColumnType::Other => DataType::Null,
    }
}

/// A frame without rows, to infer over.
pub(crate) fn empty_frame(schema: &Schema) -> DataFrame {
    let columns = schema
        .columns
        .iter()
        .map(|column| PolarsColumn::new_empty(column.name.as_str().into(), &canonical(column.column_type)));
    // Design-time schemas come from Polars schemas, whose names are unique.
    DataFrame::new(0, columns.collect()).unwrap_or_default()
}

/// The frame with every column in its canonical type, and its schema then.
pub(crate) fn canonicalise(mut frame: LazyFrame) -> PolarsResult<(LazyFrame, SchemaRef)> {
    let schema = frame.collect_schema()?;
    let casts: Vec<_> = schema.iter().filter_map(|(name, dtype)| canonical_cast(name, dtype)).collect();
    if casts.is_empty() {
        return Ok((frame, schema));
    }
    let mut frame = frame.with_columns(casts);
    let schema = frame.collect_schema()?;
    Ok((frame, schema))
}

fn canonical_cast(name: &PlSmallStr, dtype: &DataType) -> Option<Expr> {
    let column = col(name.clone());
    let microseconds = |zone: &Option<TimeZone>| DataType::Datetime(TimeUnit::Microseconds, zone.clone());
    let cast = match dtype {
        DataType::Int64 | DataType::Float64 => return None,
        dtype if dtype.is_integer() => column.strict_cast(DataType::Int64),
        dtype if dtype.is_float() => column.strict_cast(DataType::Float64),
        DataType::Categorical(..) | DataType::Enum(..) => column.strict_cast(DataType::String),
        DataType::Datetime(TimeUnit::Microseconds, None) => return None,
        // What is stored under a zone is UTC: going through the number drops the zone, not the instant.
        DataType::Datetime(_, zone) => {
            column.strict_cast(microseconds(zone)).cast(DataType::Int64).cast(microseconds(&None))
        }
        DataType::Duration(TimeUnit::Microseconds) => return None,
        DataType::Duration(_) => column.strict_cast(canonical(ColumnType::Duration)),
        DataType::BinaryOffset => column.strict_cast(DataType::Binary),
        _ => return None,
    };
    Some(cast)
}
