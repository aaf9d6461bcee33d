//! `aggregate`: one row per group.

use std::collections::HashSet;

use polars::prelude::{DataType, Expr, LazyFrame, col, len};
use schemars::JsonSchema;
use serde::Deserialize;
use troupe_model::{NodeFailure, Port, PortKind, shown};

use crate::{
    frames::{Fault, Table, Tables, tables::columns_fit, transform, types},
    node::{CheckContext, Checked, Outcome, RunContext},
    typed::{Category, Description, TypedNode},
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// One row for each combination of these columns' values. None: one row for the whole table.
    #[serde(default)]
    #[schemars(extend("x-ui" = {"widget": "columns", "port": "in"}))]
    group_by: Vec<String>,
    #[schemars(length(min = 1))]
    aggregations: Vec<Aggregation>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Aggregation {
    /// `count` counts rows; all others leave missing values out.
    function: Function,
    /// Not needed for `count`.
    #[serde(default)]
    #[schemars(extend("x-ui" = {"widget": "column", "port": "in"}))]
    column: Option<String>,
    /// The new column's name. Empty: made of function and column.
    #[serde(default)]
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Function {
    Count,
    CountValues,
    Sum,
    Mean,
    Min,
    Max,
    Median,
    Std,
    First,
    Last,
    NUnique,
}

#[derive(Debug)]
pub struct Aggregate;

impl TypedNode for Aggregate {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("aggregate", Category::Transforms, "Aggregate")
            .about("Groups rows and computes counts, sums, means and more for each group.")
            .look("sigma", "#2563eb")
            .input(Port::new("in", "Table", PortKind::Frame))
            .output(Port::new("out", "Groups", PortKind::Frame))
    }

    fn check(&self, config: &Config, ctx: &CheckContext<'_>) -> Checked {
        transform::check(ctx, |tables| plan(config, tables))
    }

    async fn run(&self, config: Config, ctx: RunContext) -> Result<Outcome, NodeFailure> {
        transform::run(ctx, move |tables| plan(&config, tables)).await
    }
}

fn plan(config: &Config, tables: &Tables) -> Result<LazyFrame, Fault> {
    let table = tables.one("in")?;
    columns_fit(config.group_by.len() + config.aggregations.len())?;
    table.has(&config.group_by, "/group_by")?;
    let mut names: HashSet<String> = config.group_by.iter().cloned().collect();
    let mut values = Vec::new();
    for (i, aggregation) in config.aggregations.iter().enumerate() {
        let field = format!("/aggregations/{i}");
        let name = aggregation.name();
        values.push(aggregation.expr(table, &field)?.alias(name.as_str()));
        if names.contains(&name) {
            return Err(Fault::new(
                "duplicate_column",
                format!("two columns would be called `{}`", shown::name(&name)),
            )
            .at(format!("{field}/name"))
            .fix("give one of them another name"));
        }
        names.insert(name);
    }
    let frame = table.frame.clone();
    if config.group_by.is_empty() {
        return Ok(frame.select(values));
    }
    // Groups in the order of their first rows: the same in every run.
    let keys: Vec<Expr> = config.group_by.iter().map(col).collect();
    Ok(frame.group_by_stable(keys).agg(values))
}

impl Aggregation {
    fn name(&self) -> String {
        match (&self.column, self.name.as_str()) {
            (Some(column), "") if self.function != Function::Count => format!("{}_{column}", self.function.name()),
            (_, "") => self.function.name().to_owned(),
            (_, name) => name.to_owned(),
        }
    }

    fn expr(&self, table: &Table, field: &str) -> Result<Expr, Fault> {
        if self.function == Function::Count {
            return Ok(len());
        }
        let field = format!("{field}/column");
        let Some(column) = self.column.as_deref().filter(|column| !column.is_empty()) else {
            return Err(Fault::new("missing_config", format!("`{}` needs a column", self.function.name()))
                .at(field)
                .fix("choose a column"));
        };
        let dtype = table.column(column, &field)?;
        if self.function.needs_numbers() && !is_number(dtype) {
            let (function, found) = (self.function.name(), types::column_type(dtype));
            let column = shown::name(column);
            return Err(Fault::new("type_mismatch", format!("`{column}` is {found}; `{function}` needs numbers"))
                .at(field)
                .fix("choose another column, or convert it with a Cast node first"));
        }
        let values = col(column);
        Ok(match self.function {
            Function::Count => len(),
            Function::CountValues => values.count(),
            Function::Sum => values.sum(),
            Function::Mean => values.mean(),
            Function::Min => values.min(),
            Function::Max => values.max(),
            Function::Median => values.median(),
            Function::Std => values.std(1),
            Function::First => values.drop_nulls().first(),
            Function::Last => values.drop_nulls().last(),
            Function::NUnique => values.drop_nulls().n_unique(),
        })
    }
}

impl Function {
    fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::CountValues => "count_values",
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Median => "median",
            Self::Std => "std",
            Self::First => "first",
            Self::Last => "last",
            Self::NUnique => "n_unique",
        }
    }

    fn needs_numbers(self) -> bool {
        matches!(self, Self::Sum | Self::Mean | Self::Median | Self::Std)
    }
}

fn is_number(dtype: &DataType) -> bool {
    dtype.is_numeric() || dtype.is_decimal() || dtype.is_bool() || dtype.is_duration()
}
