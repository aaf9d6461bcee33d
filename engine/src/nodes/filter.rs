//! `filter`: keeps the rows for which an expression is true.

use polars::prelude::{DataType, LazyFrame};
use schemars::JsonSchema;
use serde::Deserialize;
use troupe_model::{NodeFailure, Port, PortKind};

use crate::{
    frames::{Fault, Table, Tables, sql, transform, types},
    node::{CheckContext, Checked, Outcome, RunContext},
    typed::{Category, Description, TypedNode},
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// A condition in SQL, such as `dep_delay > 15 AND origin = 'JFK'`. Rows where it is unknown (null) are left out.
    #[schemars(length(min = 1), extend("x-ui" = {"widget": "expression", "language": "sql", "port": "in"}))]
    expression: String,
}

const FIELD: &str = "/expression";

#[derive(Debug)]
pub struct Filter;

impl TypedNode for Filter {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("filter", Category::Filters, "Filter")
            .about("Keeps the rows that meet a condition.")
            .look("filter", "#d97706")
            .input(Port::new("in", "Table", PortKind::Frame))
            .output(Port::new("out", "Kept rows", PortKind::Frame))
    }

    fn check(&self, config: &Config, ctx: &CheckContext<'_>) -> Checked {
        transform::check(ctx, |tables| {
            let kept = plan(config, tables)?;
            // Polars compares types only when it computes: no rows are enough for that.
            let compared = match sql::without_growth(&config.expression) {
                Some(expression) => plan(&Config { expression }, tables)?,
                None => kept.clone(),
            };
            compared.collect().map_err(|error| Fault::from(error).at(FIELD))?;
            Ok(kept)
        })
    }

    async fn run(&self, config: Config, ctx: RunContext) -> Result<Outcome, NodeFailure> {
        transform::run(ctx, move |tables| plan(&config, tables)).await
    }
}

fn plan(config: &Config, tables: &Tables) -> Result<LazyFrame, Fault> {
    let table = tables.one("in")?;
    let condition = sql::expression(&config.expression, FIELD, table, tables.fuel())?;
    let answer = Table::new(table.frame.clone().select([condition.clone()])).map_err(|error| error.at(FIELD))?;
    match answer.schema.get_at_index(0) {
        Some((_, DataType::Boolean)) => Ok(table.frame.clone().filter(condition)),
        other => {
            let found = other.map_or("nothing".to_owned(), |(_, dtype)| types::column_type(dtype).to_string());
            Err(Fault::new("not_a_condition", format!("the expression gives {found}, not true or false"))
                .at(FIELD)
                .fix("compare with something, as in `delay > 15`"))
        }
    }
}
