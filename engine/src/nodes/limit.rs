//! `limit`: some rows from the beginning, or from further on.

use polars::prelude::LazyFrame;
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
    /// How many rows to keep.
    #[serde(default = "default_rows")]
    rows: u32,
    /// How many rows to leave out before them.
    #[serde(default)]
    offset: u32,
}

fn default_rows() -> u32 {
    100
}

#[derive(Debug)]
pub struct Limit;

impl TypedNode for Limit {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("limit", Category::Transforms, "Limit")
            .about("Keeps the first rows, or some rows from further on.")
            .look("list-end", "#2563eb")
            .input(Port::new("in", "Table", PortKind::Frame))
            .output(Port::new("out", "Rows", PortKind::Frame))
    }

    fn check(&self, config: &Config, ctx: &CheckContext<'_>) -> Checked {
        transform::check(ctx, |tables| plan(config, tables))
    }

    async fn run(&self, config: Config, ctx: RunContext) -> Result<Outcome, NodeFailure> {
        transform::run(ctx, move |tables| plan(&config, tables)).await
    }
}

fn plan(config: &Config, tables: &Tables) -> Result<LazyFrame, Fault> {
    Ok(tables.one("in")?.frame.clone().slice(config.offset.into(), config.rows))
}
