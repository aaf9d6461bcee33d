//! Conversions between types that count what they could not convert [NODE-11].

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use chrono::{NaiveDate, NaiveTime};
use polars::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;
use troupe_model::ColumnType;

use super::{Fault, parse, types};

/// The types that people convert to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    String,
    Integer,
    Float,
    Decimal,
    Boolean,
    Date,
    Datetime,
    Time,
}

impl Kind {
    pub(crate) fn column_type(self) -> ColumnType {
        match self {
            Self::String => ColumnType::String,
            Self::Integer => ColumnType::Integer,
            Self::Float => ColumnType::Float,
            Self::Decimal => ColumnType::Decimal,
            Self::Boolean => ColumnType::Boolean,
            Self::Date => ColumnType::Date,
            Self::Datetime => ColumnType::Datetime,
            Self::Time => ColumnType::Time,
        }
    }

    /// Whether the conversion means something. Polars would make a boolean of a date.
    fn can_come_from(self, from: ColumnType) -> bool {
        use ColumnType::{Boolean, Date, Datetime, Decimal, Float, Integer, Null, String, Time};
        match self {
            Self::String => true,
            Self::Integer | Self::Float | Self::Decimal | Self::Boolean => {
                matches!(from, String | Integer | Float | Decimal | Boolean | Null)
            }
            Self::Date | Self::Datetime => matches!(from, String | Date | Datetime | Null),
            Self::Time => matches!(from, String | Time | Datetime | Null),
        }
    }

    /// Whether the readers of text files take it as a column's type themselves.
    pub(crate) fn is_parsed_natively(self) -> bool {
        matches!(self, Self::String | Self::Integer | Self::Float)
    }
}

/// One column's conversion. Values that cannot be converted become null and are counted.
#[derive(Clone, Debug)]
pub(crate) struct Conversion {
    pub column: String,
    pub kind: Kind,
    format: Option<PlSmallStr>,
    tally: Arc<Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    failed: AtomicU64,
    example: Mutex<Option<String>>,
}

impl Conversion {
    /// Fails when no value of type `from` can become a `kind`.
    pub fn new(column: &str, from: &DataType, kind: Kind, format: Option<&str>) -> Result<Self, Fault> {
        if let Some(format) = format.filter(|format| !parse::is_format(format)) {
            return Err(Fault::new("invalid_format", format!("`{format}` is not a date format"))
                .fix("use strftime codes, such as `%d.%m.%Y %H:%M`"));
        }
        let conversion =
            Self { column: column.to_owned(), kind, format: format.map(Into::into), tally: Arc::default() };
        let nothing = Column::new_empty(column.into(), from);
        let from = types::column_type(from);
        if !kind.can_come_from(from) || conversion.convert(&nothing).is_err() {
            let message = format!("`{column}` is {from}, which cannot become {}", kind.column_type());
            return Err(Fault::new("type_mismatch", message).fix("choose another type"));
        }
        Ok(conversion)
    }

    pub fn expr(&self) -> Expr {
        let (this, dtype) = (self.clone(), types::canonical(self.kind.column_type()));
        col(self.column.as_str()).map(
            move |column| this.counted(&column),
            move |_, field| Ok(Field::new(field.name().clone(), dtype.clone())),
        )
    }

    /// What is to be told after the query ran: nothing when every value was converted.
    pub fn fault(&self) -> Option<Fault> {
        let failed = self.tally.failed.load(Ordering::Relaxed);
        let example = self.tally.example.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let (column, kind) = (&self.column, self.kind.column_type());
        let rows = if failed == 1 { "1 row".to_owned() } else { format!("{failed} rows") };
        Some(
            Fault::new(
                "conversion_failed",
                format!("`{column}` could not become {kind} in {rows}, such as `{example}`"),
            )
            .fix("correct the values, choose another type, or let failures become null"),
        )
    }

    fn counted(&self, column: &Column) -> PolarsResult<Column> {
        let converted = self.convert(column)?;
        let failed = converted.null_count().saturating_sub(column.null_count());
        if failed > 0 {
            self.tally.failed.fetch_add(failed as u64, Ordering::Relaxed);
            let mut example = self.tally.example.lock().unwrap_or_else(PoisonError::into_inner);
            if example.is_none() {
                let lost = converted.is_null() & column.is_not_null();
                *example =
                    lost.first_true_idx().and_then(|i| column.get(i).ok()).map(|value| value.str_value().into_owned());
            }
        }
        Ok(converted)
    }

    fn convert(&self, column: &Column) -> PolarsResult<Column> {
        let target = types::canonical(self.kind.column_type());
        let Ok(text) = column.str() else { return column.cast(&target) };
        let format = self.format.as_deref();
        let parsed = match self.kind {
            Kind::Boolean => text.iter().map(|text| text.and_then(boolean)).collect::<BooleanChunked>().into_series(),
            Kind::Date => numbers(text, |text| days(parse::date(text, format)?)),
            Kind::Time => numbers(text, |text| nanoseconds(parse::time(text, format)?)),
            Kind::Datetime => numbers(text, |text| Some(parse::datetime(text, format)?.and_utc().timestamp_micros())),
            Kind::String | Kind::Integer | Kind::Float | Kind::Decimal => return column.cast(&target),
        };
        Ok(parsed.cast(&target)?.with_name(column.name().clone()).into_column())
    }
}

/// Texts repeat in runs (the hours of a log, the day of a report): each run is parsed once.
fn numbers(text: &StringChunked, parse: impl Fn(&str) -> Option<i64>) -> Series {
    let mut last: Option<(&str, Option<i64>)> = None;
    let mut parsed = |text| match last {
        Some((seen, number)) if seen == text => number,
        _ => last.insert((text, parse(text))).1,
    };
    text.iter().map(|text| text.and_then(&mut parsed)).collect::<Int64Chunked>().into_series()
}

fn days(date: NaiveDate) -> Option<i64> {
    Some(date.signed_duration_since(NaiveDate::from_epoch_days(0)?).num_days())
}

fn nanoseconds(time: NaiveTime) -> Option<i64> {
    time.signed_duration_since(NaiveTime::MIN).num_nanoseconds()
}

fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}
