//! `sort`: orders rows.

use polars::prelude::{LazyFrame, SortMultipleOptions, col};
use schemars::JsonSchema;
use serde::Deserialize;
use troupe_model::{NodeFailure, Port, PortKind};

use crate::{
    frames::{Fault, Tables, transform},
    node::{CheckContext, Checked, Outcome, RunContext},
    typed::{Category, Description, TypedNode},
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// The first column decides; the next ones decide between equals.
    #[schemars(length(min = 1))]
    by: Vec<Key>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Key {
    #[schemars(length(min = 1), extend("x-ui" = {"widget": "column", "port": "in"}))]
    column: String,
    /// Largest first.
    #[serde(default)]
    descending: bool,
    /// Missing values at the end.
    #[serde(default = "yes")]
    nulls_last: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug)]
pub struct Sort;

impl TypedNode for Sort {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("sort", Category::Transforms, "Sort")
            .about("Orders rows by one or more columns.")
            .look("arrow-down-up", "#2563eb")
            .input(Port::new("in", "Table", PortKind::Frame))
            .output(Port::new("out", "Sorted table", PortKind::Frame))
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
    for (i, key) in config.by.iter().enumerate() {
        table.column(&key.column, format!("/by/{i}/column"))?;
    }
    let options = SortMultipleOptions::default()
        .with_order_descending_multi(config.by.iter().map(|key| key.descending))
        .with_nulls_last_multi(config.by.iter().map(|key| key.nulls_last))
        .with_maintain_order(true);
    let keys: Vec<_> = config.by.iter().map(|key| col(key.column.as_str())).collect();
    Ok(table.frame.clone().sort_by_exprs(keys, options))
}
