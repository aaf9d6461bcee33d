//! `select`: chooses, orders and renames columns.

use std::collections::HashSet;

use polars::prelude::{LazyFrame, col};
use schemars::JsonSchema;
use serde::Deserialize;
use troupe_model::{NodeFailure, Port, PortKind, shown};

use crate::{
    frames::{Fault, Tables, tables::columns_fit, transform},
    node::{CheckContext, Checked, Outcome, RunContext},
    typed::{Category, Description, TypedNode},
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// The columns to keep, in this order.
    #[schemars(length(min = 1))]
    columns: Vec<Chosen>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Chosen {
    #[schemars(length(min = 1), extend("x-ui" = {"widget": "column", "port": "in"}))]
    column: String,
    /// A new name.
    #[serde(default)]
    rename: Option<String>,
}

#[derive(Debug)]
pub struct Select;

impl TypedNode for Select {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("select", Category::Transforms, "Select columns")
            .about("Keeps some columns, in a chosen order, under new names if you like.")
            .look("columns-3", "#2563eb")
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
    let table = tables.one("in")?;
    columns_fit(config.columns.len())?;
    let mut names = HashSet::new();
    let mut columns = Vec::new();
    for (i, Chosen { column, rename }) in config.columns.iter().enumerate() {
        table.column(column, format!("/columns/{i}/column"))?;
        let name = rename.as_deref().filter(|name| !name.is_empty()).unwrap_or(column);
        if !names.insert(name) {
            return Err(Fault::new("duplicate_column", format!("two columns would be called `{}`", shown::name(name)))
                .at(format!("/columns/{i}"))
                .fix("give one of them another name"));
        }
        columns.push(col(column.as_str()).alias(name));
    }
    Ok(table.frame.clone().select(columns))
}
