//! The tables on a node's inputs: empty ones at design time, payloads in a run.

use std::collections::BTreeMap;

use polars::prelude::*;
use troupe_model::NodeFailure;

use super::{Fault, types, watch::Watch};
use crate::node::{CheckContext, RunContext};

/// A lazy table whose columns are known.
#[derive(Clone)]
pub(crate) struct Table {
    pub frame: LazyFrame,
    pub schema: SchemaRef,
}

/// Input port → its tables, in edge order.
pub(crate) struct Tables(BTreeMap<String, Vec<Table>>);

/// The code of the fault of an input that nothing is connected to.
pub(crate) const MISSING_INPUT: &str = "missing_input";

impl Table {
    pub fn new(mut frame: LazyFrame) -> PolarsResult<Self> {
        let schema = frame.collect_schema()?;
        Ok(Self { frame, schema })
    }

    /// The type of a column that a config names at `field`.
    pub fn column(&self, name: &str, field: impl Into<String>) -> Result<&DataType, Fault> {
        self.schema.get(name).ok_or_else(|| Fault::unknown_column(name, &self.schema).at(field))
    }

    /// The columns that a config lists at `field`.
    pub fn has(&self, names: &[String], field: &str) -> Result<(), Fault> {
        names.iter().enumerate().try_for_each(|(i, name)| self.column(name, format!("{field}/{i}")).map(|_| ()))
    }
}

impl Tables {
    /// Empty tables of the schemas that are known at design time. `None`: one of them is not.
    pub fn at_design_time(ctx: &CheckContext<'_>) -> Option<Self> {
        let table = |schema: &Option<troupe_model::Schema>| {
            let frame = types::empty_frame(schema.as_ref()?);
            Some(Table { schema: frame.schema().clone(), frame: frame.lazy() })
        };
        let port = |(port, schemas): (&String, &Vec<_>)| {
            Some((port.clone(), schemas.iter().map(table).collect::<Option<Vec<_>>>()?))
        };
        ctx.inputs.iter().map(port).collect::<Option<_>>().map(Self)
    }

    /// The payloads of a run.
    pub fn in_run(ctx: &RunContext, watch: &Watch) -> Result<Self, NodeFailure> {
        let mut tables = BTreeMap::new();
        for (port, payloads) in &ctx.inputs {
            let scans = payloads.iter().map(|payload| {
                let frame = ctx.payloads.scan(payload)?;
                Table::new(watch.guard(frame)).map_err(|error| Fault::from(error).into())
            });
            tables.insert(port.clone(), scans.collect::<Result<Vec<_>, NodeFailure>>()?);
        }
        Ok(Self(tables))
    }

    /// The table of a port that takes one edge.
    pub fn one(&self, port: &str) -> Result<&Table, Fault> {
        self.many(port)?.first().ok_or_else(|| missing(port))
    }

    /// The tables of a port, at least one.
    pub fn many(&self, port: &str) -> Result<&[Table], Fault> {
        self.0.get(port).filter(|tables| !tables.is_empty()).map(Vec::as_slice).ok_or_else(|| missing(port))
    }
}

fn missing(port: &str) -> Fault {
    Fault::new(MISSING_INPUT, format!("nothing is connected to `{port}`")).fix("connect a node that gives a table")
}
