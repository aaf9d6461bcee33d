//! `cast`: changes the types of columns, counting what cannot be converted [NODE-11].

use std::collections::HashSet;

use polars::prelude::LazyFrame;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use troupe_model::{NodeFailure, Port, PortKind, shown};

use crate::{
    frames::{
        Fault, Tables,
        convert::{Conversion, Kind},
        transform,
        watch,
    },
    node::{CheckContext, Checked, Outcome, RunContext},
    typed::{Category, Description, TypedNode},
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    #[schemars(length(min = 1))]
    columns: Vec<Change>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Change {
    #[schemars(length(min = 1), extend("x-ui" = {"widget": "column", "port": "in"}))]
    column: String,
    /// The new type. Numbers lose their fraction when they become integers.
    #[serde(rename = "type")]
    kind: Kind,
    /// What happens to values that cannot be converted.
    #[serde(default)]
    on_error: OnError,
    /// How dates and times are written, as strftime codes such as `%d.%m.%Y`. Empty: ISO 8601.
    #[serde(default)]
    format: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum OnError {
    #[default]
    Fail,
    Null,
}

#[derive(Debug)]
pub struct Cast;

impl TypedNode for Cast {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("cast", Category::Transforms, "Cast types")
            .about("Changes the types of columns; values that cannot be converted fail the node or become null.")
            .look("replace", "#2563eb")
            .input(Port::new("in", "Table", PortKind::Frame))
            .output(Port::new("out", "Table", PortKind::Frame))
    }

    fn check(&self, config: &Config, ctx: &CheckContext<'_>) -> Checked {
        transform::check(ctx, |tables| plan(config, tables).map(|(frame, _)| frame))
    }

    async fn run(&self, config: Config, ctx: RunContext) -> Result<Outcome, NodeFailure> {
        watch::blocking(ctx.cancel.clone(), move || {
            let watch = ctx.watch();
            let (frame, conversions) = plan(&config, &Tables::in_run(&ctx, &watch)?)?;
            let payload = ctx.payloads.write_if(&ctx.node, transform::OUT, frame, &watch, || {
                let changes = config.columns.iter().zip(&conversions);
                for (change, fault) in changes.filter_map(|(change, conversion)| Some((change, conversion.fault()?))) {
                    match change.on_error {
                        OnError::Fail => return Err(fault.into()),
                        OnError::Null => ctx.log.warn(format!("{}: null instead", fault.message)),
                    }
                }
                Ok(())
            })?;
            Ok(transform::completed(payload))
        })
        .await
    }
}

fn plan(config: &Config, tables: &Tables) -> Result<(LazyFrame, Vec<Conversion>), Fault> {
    let table = tables.one("in")?;
    let mut seen = HashSet::new();
    let mut conversions: Vec<Conversion> = Vec::new();
    for (i, change) in config.columns.iter().enumerate() {
        let field = format!("/columns/{i}/column");
        let from = table.column(&change.column, &field)?;
        if !seen.insert(&change.column) {
            let message = format!("`{}` is cast twice", shown::name(&change.column));
            return Err(Fault::new("duplicate_column", message).at(field).fix("remove one of the two"));
        }
        let format = change.format.as_deref().filter(|format| !format.is_empty());
        let conversion = Conversion::new(&change.column, from, change.kind, format);
        conversions.push(conversion.map_err(|fault| fault.at(format!("/columns/{i}")))?);
    }
    let columns: Vec<_> = conversions.iter().map(Conversion::expr).collect();
    Ok((table.frame.clone().with_columns(columns), conversions))
}
