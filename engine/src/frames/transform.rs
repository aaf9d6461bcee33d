//! Transforms: nodes that are one pure function from tables to a table.
//!
//! The function builds a lazy query. A check runs it over empty tables to learn the schema [CANVAS-5]; a run runs it
//! over the payloads. What the check accepts is what the run does.

use std::{any::Any, collections::BTreeMap, sync::Arc, thread};

use polars::prelude::LazyFrame;
use troupe_model::{NodeFailure, Output, Payload, Schema};

use super::{
    Fault, Tables,
    tables::{MISSING_INPUT, columns_fit},
    types, watch,
};
use crate::node::{CheckContext, Checked, Outcome, RunContext};

/// The port that transforms write to.
pub(crate) const OUT: &str = "out";

/// The design-time check of a transform.
pub(crate) fn check(ctx: &CheckContext<'_>, plan: impl FnOnce(&Tables) -> Result<LazyFrame, Fault> + Send) -> Checked {
    match Tables::at_design_time(ctx) {
        Some(tables) => checked(infer(|| schema_of(plan(&tables)?))),
        None => Checked::default(),
    }
}

/// The outcome of a check that knows the schema of [`OUT`], or what is wrong.
pub(crate) fn checked(schema: Result<Schema, Fault>) -> Checked {
    match schema {
        Ok(schema) => {
            Checked { outputs: BTreeMap::from([(OUT.to_owned(), Some(Arc::new(schema)))]), findings: Vec::new() }
        }
        // An input without an edge is the diagram's diagnostic, not the node's.
        Err(fault) if fault.code == MISSING_INPUT => Checked::default(),
        Err(fault) => Checked { findings: vec![fault.into()], ..Checked::default() },
    }
}

/// The schema that a query's payload will have.
pub(crate) fn schema_of(frame: LazyFrame) -> Result<Schema, Fault> {
    let (_, schema) = types::canonicalise(frame)?;
    columns_fit(schema.len())?;
    Ok(types::to_model(&schema))
}

/// The run of a transform.
pub(crate) async fn run(
    ctx: RunContext,
    plan: impl FnOnce(&Tables) -> Result<LazyFrame, Fault> + Send + 'static,
) -> Result<Outcome, NodeFailure> {
    watch::blocking(ctx.cancel.clone(), move || {
        let watch = ctx.watch();
        let tables = Tables::in_run(&ctx, &watch)?;
        let payload = ctx.payloads.write(&ctx.node, OUT, plan(&tables)?, &watch)?;
        Ok(completed(payload))
    })
    .await
}

pub(crate) fn completed(payload: Payload) -> Outcome {
    Outcome::Completed(vec![Output { port: OUT.to_owned(), payload }])
}

/// Infers on a thread of its own. Polars cannot be asked from an async thread, where checks may run; and what it
/// asserts rather than refuses becomes a finding.
pub(crate) fn infer(schema: impl FnOnce() -> Result<Schema, Fault> + Send) -> Result<Schema, Fault> {
    thread::scope(|scope| scope.spawn(schema).join()).unwrap_or_else(|panic| {
        let message = panic_message(panic.as_ref());
        Err(Fault::new("query_failed", "the columns cannot be inferred").reason(message))
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown").to_owned()
}
