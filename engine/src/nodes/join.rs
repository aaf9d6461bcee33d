//! `join`: puts two tables side by side where their keys are equal.

use polars::prelude::{Expr, JoinCoalesce, JoinType, LazyFrame, MaintainOrderJoin, col};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use troupe_model::{NodeFailure, Port, PortKind, shown};

use crate::{
    frames::{Fault, Table, Tables, tables::columns_fit, transform, types},
    node::{CheckContext, Checked, Outcome, RunContext},
    typed::{Category, Description, TypedNode},
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Which rows are kept: those with a partner (inner), all of the left, all of the right, all of both (full),
    /// the left ones with a partner (semi) or without (anti), or every pair (cross).
    #[serde(default)]
    how: How,
    /// Key columns of the left table.
    #[serde(default)]
    #[schemars(extend("x-ui" = {"widget": "columns", "port": "left"}))]
    left_on: Vec<String>,
    /// Key columns of the right table, in the same order.
    #[serde(default)]
    #[schemars(extend("x-ui" = {"widget": "columns", "port": "right"}))]
    right_on: Vec<String>,
    /// Added to the names of right columns that the left table has too.
    #[serde(default = "default_suffix")]
    suffix: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    #[default]
    Inner,
    Left,
    Right,
    Full,
    Semi,
    Anti,
    Cross,
}

fn default_suffix() -> String {
    "_right".to_owned()
}

#[derive(Debug)]
pub struct Join;

impl TypedNode for Join {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("join", Category::Transforms, "Join")
            .about("Combines two tables where their key columns are equal.")
            .look("git-merge", "#2563eb")
            .input(Port::new("left", "Left", PortKind::Frame))
            .input(Port::new("right", "Right", PortKind::Frame))
            .output(Port::new("out", "Joined table", PortKind::Frame))
    }

    fn check(&self, config: &Config, ctx: &CheckContext<'_>) -> Checked {
        transform::check(ctx, |tables| plan(config, tables))
    }

    async fn run(&self, config: Config, ctx: RunContext) -> Result<Outcome, NodeFailure> {
        transform::run(ctx, move |tables| plan(&config, tables)).await
    }
}

fn plan(config: &Config, tables: &Tables) -> Result<LazyFrame, Fault> {
    let (left, right) = (tables.one("left")?, tables.one("right")?);
    check_keys(config, left, right)?;
    // Of a table that is joined with itself again and again, they double each time.
    columns_fit(left.schema.len() + right.schema.len())?;
    let keys = |names: &[String]| names.iter().map(col).collect::<Vec<Expr>>();
    let how = match config.how {
        How::Inner => JoinType::Inner,
        How::Left => JoinType::Left,
        How::Right => JoinType::Right,
        How::Full => JoinType::Full,
        How::Semi => JoinType::Semi,
        How::Anti => JoinType::Anti,
        How::Cross => JoinType::Cross,
    };
    // The rows' order decides what `first`, `limit` and previews show: it must not differ from run to run.
    let order = if config.how == How::Right { MaintainOrderJoin::RightLeft } else { MaintainOrderJoin::LeftRight };
    let mut join = left.frame.clone().join_builder().with(right.frame.clone()).how(how).suffix(config.suffix.as_str());
    if config.how != How::Cross {
        join = join
            .left_on(keys(&config.left_on))
            .right_on(keys(&config.right_on))
            .coalesce(JoinCoalesce::CoalesceColumns)
            .maintain_order(order);
    }
    let joined = Table::new(join.finish()).map_err(|error| error.at("/suffix"))?;
    Ok(joined.frame)
}

fn check_keys(config: &Config, left: &Table, right: &Table) -> Result<(), Fault> {
    let Config { left_on, right_on, .. } = config;
    if config.how == How::Cross {
        return match left_on.is_empty() && right_on.is_empty() {
            true => Ok(()),
            false => {
                Err(Fault::new("invalid_config", "a cross join has no keys").at("/left_on").fix("remove the keys"))
            }
        };
    }
    if left_on.is_empty() {
        return Err(Fault::new("missing_config", "the join has no keys")
            .at("/left_on")
            .fix("choose the columns to match"));
    }
    if left_on.len() != right_on.len() {
        let message = format!("there are {} left keys and {} right keys", left_on.len(), right_on.len());
        return Err(Fault::new("invalid_config", message).at("/right_on").fix("choose as many on both sides"));
    }
    left.has(left_on, "/left_on")?;
    right.has(right_on, "/right_on")?;
    for (i, (a, b)) in left_on.iter().zip(right_on).enumerate() {
        let field = format!("/right_on/{i}");
        let (left_type, right_type) = (left.column(a, &field)?, right.column(b, &field)?);
        let (left_type, right_type) = (types::column_type(left_type), types::column_type(right_type));
        if left_type != right_type {
            let (a, b) = (shown::name(a), shown::name(b));
            let message = format!("the keys cannot be compared: `{a}` is {left_type}, `{b}` is {right_type}");
            return Err(Fault::new("type_mismatch", message)
                .at(field)
                .fix("convert one of them with a Cast node first"));
        }
    }
    Ok(())
}
