//! What is wrong with a table or a query, once for both readers: a design-time finding and a run's failure.

use polars::prelude::{PlSmallStr, PolarsError, Schema};
use troupe_model::{NodeFailure, shown};

use crate::{finding::Finding, fuel::Refused, suggest};

/// A mistake, with where it is in the config when that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub code: &'static str,
    /// JSON pointer into the config.
    pub field: Option<String>,
    pub message: String,
    pub reason: Option<String>,
    pub fix: Option<String>,
    pub retryable: bool,
}

impl Fault {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, field: None, message: shown::text(message), reason: None, fix: None, retryable: false }
    }

    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(shown::text(reason));
        self
    }

    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(shown::text(fix));
        self
    }

    /// A name that is not a column of the input.
    pub fn unknown_column(name: &str, schema: &Schema) -> Self {
        let columns: Vec<_> = schema.iter_names().map(PlSmallStr::as_str).collect();
        Self::new("unknown_column", format!("there is no column `{}`", shown::name(name)))
            .fix(suggest::fix(name, columns.iter().copied()))
    }

    /// Something the disk refused.
    pub fn io(what: &str, error: &std::io::Error) -> Self {
        Self { retryable: true, ..Self::new("io_error", what).reason(error.to_string()) }
    }
}

impl From<Fault> for NodeFailure {
    fn from(fault: Fault) -> Self {
        Self {
            code: fault.code.to_owned(),
            message: fault.message,
            reason: fault.reason,
            solution: fault.fix,
            retryable: fault.retryable,
        }
    }
}

impl From<Fault> for Finding {
    fn from(fault: Fault) -> Self {
        let mut finding = Self::error(fault.code, String::new(), fault.message);
        finding.field = fault.field;
        finding.fix = fault.fix.or(fault.reason);
        finding
    }
}

/// Of a check that is not made: the analysis says so.
impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self { retryable: true, ..Self::new("too_expensive", refused.to_string()) }
    }
}

impl From<PolarsError> for Fault {
    fn from(error: PolarsError) -> Self {
        match error {
            PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => (*error).into(),
            PolarsError::IO { error, .. } => Self::io("a file could not be read or written", &error),
            PolarsError::ColumnNotFound(name) | PolarsError::SchemaFieldNotFound(name) => {
                Self::new("unknown_column", format!("there is no column {}", quoted(&first_line(&name))))
            }
            PolarsError::StructFieldNotFound(name) => {
                Self::new("unknown_field", format!("there is no field {}", quoted(&first_line(&name))))
            }
            PolarsError::Duplicate(message) => {
                Self::new("duplicate_column", first_line(&message)).fix("give one of the columns another name")
            }
            PolarsError::SQLInterface(message) | PolarsError::SQLSyntax(message) => {
                Self::new("invalid_sql", first_line(&message))
            }
            PolarsError::NoData(message) => Self::new("no_data", first_line(&message)),
            PolarsError::SchemaMismatch(message) => Self::new("type_mismatch", first_line(&message)),
            PolarsError::InvalidOperation(message) => invalid_operation(&message),
            PolarsError::ComputeError(message) => compute_error(&message),
            PolarsError::ShapeMismatch(message) => Self::new("length_mismatch", first_line(&message)),
            other => Self::new("query_failed", first_line(&other.to_string())),
        }
    }
}

fn invalid_operation(message: &str) -> Fault {
    let fault = Fault::new("type_mismatch", first_line(message));
    if message.contains("to a string value") {
        return fault.fix("write the text as a date: `DATE '2013-01-31'` or `TIMESTAMP '2013-01-31 12:00:00'`");
    }
    if message.starts_with("conversion from") {
        return Fault { code: "conversion_failed", ..fault }
            .fix("convert the column with a Cast node first, and choose what failures become");
    }
    fault.fix("convert one of the columns with a Cast node first")
}

fn compute_error(message: &str) -> Fault {
    if let Some(cell) = BadCell::parse(message) {
        return cell.into();
    }
    let line = first_line(message);
    if message.starts_with("found more fields than defined") {
        return Fault::new("ragged_rows", "a row has more values than there are columns")
            .fix("check the delimiter, and that values which contain it are quoted");
    }
    if message.starts_with("cannot compare") {
        return Fault::new("type_mismatch", line)
            .fix("convert one side: `CAST(column AS DOUBLE)`, a Cast node before, or quotes around a text");
    }
    if message.contains("utf-8") || message.contains("utf8") {
        return Fault::new("invalid_encoding", "the file is not UTF-8 text").reason(line).fix("save it as UTF-8");
    }
    if message.contains(" at character ") || message.to_ascii_lowercase().contains("json") {
        return Fault::new("invalid_json", "there is text that is not valid JSON").reason(line).fix("correct the text");
    }
    Fault::new("query_failed", line)
}

/// A cell of a CSV file that is not of its column's type.
struct BadCell<'a> {
    value: &'a str,
    dtype: &'a str,
    column: &'a str,
}

impl<'a> BadCell<'a> {
    /// Reads Polars' "could not parse `x` as dtype `i64` at column 'a' (column number 1)".
    fn parse(message: &'a str) -> Option<Self> {
        let rest = message.strip_prefix("could not parse `")?;
        let (value, rest) = rest.split_once("` as dtype `")?;
        let (dtype, rest) = rest.split_once("` at column '")?;
        let (column, _) = rest.split_once("' (column number")?;
        Some(Self { value, dtype, column })
    }
}

impl From<BadCell<'_>> for Fault {
    fn from(cell: BadCell<'_>) -> Self {
        let BadCell { value, dtype, column } = cell;
        let dtype = match dtype {
            "i64" => "integer",
            "f64" => "float",
            "bool" => "boolean",
            other if other.starts_with("datetime") => "datetime",
            other => other,
        };
        Self::new("type_mismatch", format!("column `{column}` is {dtype}, but the file has `{value}` in it"))
            .reason("the types were taken from the first rows, or are the ones given under `types`")
            .fix(format!(
                "set `types` to {{\"{column}\": \"string\"}}, add \"{value}\" to `null_values`, or raise `infer_rows`"
            ))
    }
}

/// Polars explains plans below its first paragraph.
fn first_line(message: &str) -> String {
    message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("unknown error").to_owned()
}

fn quoted(name: &str) -> String {
    let bare = name.trim_matches(|c| c == '"' || c == '\'' || c == '`');
    let bare = bare.strip_prefix("unable to find column \"").and_then(|rest| rest.split('"').next()).unwrap_or(bare);
    format!("`{bare}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_cell_names_column_and_value() {
        let error = PolarsError::ComputeError(
            "could not parse `abc` as dtype `i64` at column 'n' (column number 2)\n\nThe current offset".into(),
        );
        let fault = Fault::from(error);
        assert_eq!(
            (fault.code, fault.message.as_str()),
            ("type_mismatch", "column `n` is integer, but the file has `abc` in it")
        );
    }
}
