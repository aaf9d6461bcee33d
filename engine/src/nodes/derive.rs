//! `derive`: adds columns computed by expressions.

use polars::prelude::LazyFrame;
use schemars::JsonSchema;
use serde::Deserialize;
use troupe_model::{NodeFailure, Port, PortKind};

use crate::{
    analysis::price,
    frames::{Fault, Tables, sql, transform},
    node::{CheckContext, Checked, Outcome, RunContext},
    typed::{Category, Description, TypedNode},
};

/// Each may use the one before it, so all of them are looked at for each of them.
const COLUMNS_MAX: usize = 200;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// The new columns. Each may use the ones before it; a name that exists already is replaced.
    #[schemars(length(min = 1))]
    columns: Vec<Derived>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Derived {
    #[schemars(length(min = 1))]
    name: String,
    /// A value in SQL, such as `distance / air_time * 60`.
    #[schemars(length(min = 1), extend("x-ui" = {"widget": "expression", "language": "sql", "port": "in"}))]
    expression: String,
}

#[derive(Debug)]
pub struct Derive;

impl TypedNode for Derive {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("derive", Category::Transforms, "Derive columns")
            .about("Adds columns that are computed from others.")
            .look("function-square", "#2563eb")
            .input(Port::new("in", "Table", PortKind::Frame))
            .output(Port::new("out", "Table", PortKind::Frame))
    }

    fn check(&self, config: &Config, ctx: &CheckContext<'_>) -> Checked {
        transform::check(ctx, |tables| plan(config, tables))
    }

    async fn run(&self, config: Config, ctx: RunContext) -> Result<Outcome, NodeFailure> {
        transform::run(ctx, move |tables| plan(&config, tables)).await
    }
}

fn plan(config: &Config, tables: &Tables) -> Result<LazyFrame, Fault> {
    if config.columns.len() > COLUMNS_MAX {
        let message =
            format!("up to {COLUMNS_MAX} columns can be derived at once, and here are {}", config.columns.len());
        return Err(Fault::new("too_many_columns", message).at("/columns").fix("use several nodes"));
    }
    let mut table = tables.one("in")?.clone();
    for (i, Derived { name, expression }) in config.columns.iter().enumerate() {
        let field = format!("/columns/{i}/expression");
        let value = sql::expression(expression, &field, &table, tables.fuel())?.alias(name.as_str());
        tables.fuel().pay(price::of_columns(table.schema.len()))?;
        table = table.with_column(value).map_err(|error| error.at(field))?;
    }
    Ok(table.frame)
}
