//! `union`: the rows of several tables, one after the other.

use std::collections::HashMap;

use polars::prelude::{DataType, LazyFrame, PlSmallStr, UnionArgs, col, concat, concat_lf_diagonal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use troupe_model::{NodeFailure, Port, PortKind, shown};

use crate::{
    frames::{Fault, Table, Tables, tables::columns_fit, transform, types},
    node::{CheckContext, Checked, Outcome, RunContext},
    typed::{Category, Description, TypedNode},
};

const TABLES_MAX: usize = 1_000;
/// Tables times their different columns: Polars looks at each column in each table.
const COLUMNS_JOINED_MAX: usize = 100_000;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Strict: all tables have the same columns. By name: columns that a table lacks are empty in its rows.
    #[serde(default)]
    mode: Mode,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Strict,
    ByName,
}

#[derive(Debug)]
pub struct Union;

impl TypedNode for Union {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("union", Category::Transforms, "Union")
            .about("Puts the rows of several tables below each other.")
            .look("combine", "#2563eb")
            .input(Port::new("in", "Tables", PortKind::Frame).many())
            .output(Port::new("out", "All rows", PortKind::Frame))
    }

    fn check(&self, config: &Config, ctx: &CheckContext<'_>) -> Checked {
        transform::check(ctx, |tables| plan(config, tables))
    }

    async fn run(&self, config: Config, ctx: RunContext) -> Result<Outcome, NodeFailure> {
        transform::run(ctx, move |tables| plan(&config, tables)).await
    }
}

fn plan(config: &Config, tables: &Tables) -> Result<LazyFrame, Fault> {
    let tables = tables.many("in")?;
    if tables.len() > TABLES_MAX {
        let message = format!("a union takes up to {TABLES_MAX} tables, and here are {}", tables.len());
        return Err(Fault::new("too_many_tables", message).fix("make several unions, and a union of those"));
    }
    let first = &tables[0];
    let mut known = HashMap::new();
    for (i, table) in tables.iter().enumerate() {
        same_types(i, table, &mut known)?;
        columns_fit(known.len())?;
        if known.len() * tables.len() > COLUMNS_JOINED_MAX {
            let message = format!(
                "{} tables can have up to {} columns together here",
                tables.len(),
                COLUMNS_JOINED_MAX / tables.len()
            );
            return Err(Fault::new("too_many_columns", message).fix("make several unions, and a union of those"));
        }
        if config.mode == Mode::Strict {
            same_columns(i, table, first)?;
        }
    }
    let args = UnionArgs { to_supertypes: true, maintain_order: true, ..UnionArgs::default() };
    let union = match config.mode {
        Mode::ByName => concat_lf_diagonal(tables.iter().map(|table| table.frame.clone()).collect::<Vec<_>>(), args),
        Mode::Strict => {
            let columns: Vec<_> = first.schema.iter_names().map(|name| col(name.clone())).collect();
            concat(tables.iter().map(|table| table.frame.clone().select(&columns)).collect::<Vec<_>>(), args)
        }
    };
    Ok(union?)
}

/// Integers and floats go together, and nothing goes with anything. `known`: the first type of each column, and the
/// number of the table that has it.
fn same_types<'a>(
    i: usize,
    table: &'a Table,
    known: &mut HashMap<&'a str, (usize, &'a DataType)>,
) -> Result<(), Fault> {
    let fit = |a: &DataType, b: &DataType| a == b || (a.is_numeric() && b.is_numeric());
    for (name, dtype) in table.schema.iter().filter(|(_, dtype)| !dtype.is_null()) {
        let (j, expected) = *known.entry(name).or_insert((i, dtype));
        if !fit(dtype, expected) {
            let (name, found, expected) = (shown::name(name), types::column_type(dtype), types::column_type(expected));
            let message = format!("`{name}` is {expected} in table {} and {found} in table {}", j + 1, i + 1);
            return Err(Fault::new("type_mismatch", message).fix("convert one of them with a Cast node first"));
        }
    }
    Ok(())
}

fn same_columns(i: usize, table: &Table, first: &Table) -> Result<(), Fault> {
    let missing = |a: &Table, b: &Table| a.schema.iter_names().find(|name| !b.schema.contains(name)).cloned();
    let differs = |name: PlSmallStr, has: usize, lacks: usize| {
        let name = shown::name(&name);
        let message = format!("table {has} has a column `{name}` that table {lacks} does not have");
        Err(Fault::new("columns_differ", message)
            .at("/mode")
            .fix("choose the mode `by_name`, or select the same columns first"))
    };
    match (missing(first, table), missing(table, first)) {
        (Some(name), _) => differs(name, 1, i + 1),
        (None, Some(name)) => differs(name, i + 1, 1),
        (None, None) => Ok(()),
    }
}
