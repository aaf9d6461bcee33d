//! `sql`: a query over the inputs.

use polars::prelude::LazyFrame;
use schemars::JsonSchema;
use serde::Deserialize;
use troupe_model::{NodeFailure, Port, PortKind};

use crate::{
    analysis::price,
    frames::{Fault, Table, Tables, sql, transform},
    node::{CheckContext, Checked, Outcome, RunContext},
    typed::{Category, Description, TypedNode},
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// One SELECT. The inputs are the tables `in1`, `in2`, … in the order of their edges; `input` is the first.
    #[schemars(length(min = 1), extend("x-ui" = {"widget": "code", "language": "sql", "port": "in"}))]
    query: String,
}

#[derive(Debug)]
pub struct Sql;

impl TypedNode for Sql {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("sql", Category::Transforms, "SQL")
            .about("Runs a SQL query over its inputs.")
            .look("database", "#2563eb")
            .input(Port::new("in", "Tables in1, in2, …", PortKind::Frame).many())
            .output(Port::new("out", "Result", PortKind::Frame))
    }

    fn check(&self, config: &Config, ctx: &CheckContext<'_>) -> Checked {
        transform::check(ctx, |tables| plan(config, tables))
    }

    async fn run(&self, config: Config, ctx: RunContext) -> Result<Outcome, NodeFailure> {
        transform::run(ctx, move |tables| plan(&config, tables)).await
    }
}

fn plan(config: &Config, tables: &Tables) -> Result<LazyFrame, Fault> {
    tables.pay(price::of_sql(&config.query))?;
    let inputs = tables.many("in")?;
    let numbered = inputs.iter().enumerate().map(|(i, table)| (format!("in{}", i + 1), table));
    let named: Vec<(String, &Table)> = [("input".to_owned(), &inputs[0])].into_iter().chain(numbered).collect();
    sql::query(&config.query, "/query", &named)
}
