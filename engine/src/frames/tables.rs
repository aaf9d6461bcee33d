//! The tables on a node's inputs: empty ones at design time, payloads in a run.

use std::{collections::BTreeMap, sync::Arc};

use polars::prelude::*;
use troupe_model::NodeFailure;

use super::{Fault, types, watch::Watch};
use crate::{
    fuel::{Fuel, Refused},
    node::{CheckContext, RunContext},
};

/// A lazy table whose columns are known.
#[derive(Clone)]
pub(crate) struct Table {
    pub frame: LazyFrame,
    pub schema: SchemaRef,
}

/// Input port → its tables, in edge order. And what may still be done with them.
pub(crate) struct Tables {
    by_port: BTreeMap<String, Vec<Table>>,
    fuel: Fuel,
}

/// Of one table: what is made for each column would take the memory of a server otherwise.
pub(crate) const COLUMNS_MAX: usize = 10_000;

/// The code of the fault of an input that nothing is connected to.
pub(crate) const MISSING_INPUT: &str = "missing_input";

impl Table {
    pub fn new(mut frame: LazyFrame) -> Result<Self, Fault> {
        let schema = frame.collect_schema()?;
        columns_fit(schema.len())?;
        Ok(Self { frame, schema })
    }

    /// The table with another column. Its type is inferred over a table without rows: the query of this one may be long,
    /// and Polars looks at all of it each time.
    pub fn with_column(&self, column: Expr) -> Result<Self, Fault> {
        let empty = DataFrame::empty_with_schema(&self.schema).lazy();
        let schema = Self::new(empty.with_columns([column.clone()]))?.schema;
        Ok(Self { frame: self.frame.clone().with_columns([column]), schema })
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
        let table = |schema: &Option<Arc<troupe_model::Schema>>| {
            let frame = types::empty_frame(schema.as_ref()?);
            Some(Table { schema: frame.schema().clone(), frame: frame.lazy() })
        };
        let port = |(port, schemas): (&String, &Vec<_>)| {
            Some((port.clone(), schemas.iter().map(table).collect::<Option<Vec<_>>>()?))
        };
        let by_port = ctx.inputs.iter().map(port).collect::<Option<_>>()?;
        Some(Self { by_port, fuel: ctx.fuel.clone() })
    }

    /// The payloads of a run.
    pub fn in_run(ctx: &RunContext, watch: &Watch) -> Result<Self, NodeFailure> {
        let mut tables = BTreeMap::new();
        for (port, payloads) in &ctx.inputs {
            let scans = payloads.iter().map(|payload| {
                let frame = ctx.payloads.scan(payload)?;
                Ok(Table::new(watch.guard(frame))?)
            });
            tables.insert(port.clone(), scans.collect::<Result<Vec<_>, NodeFailure>>()?);
        }
        Ok(Self { by_port: tables, fuel: Fuel::unlimited() })
    }

    /// Pays for work that is about to be done at design time, beyond looking at the config and each table once.
    pub fn pay(&self, units: usize) -> Result<(), Refused> {
        self.fuel.pay(units)
    }

    /// The table of a port that takes one edge.
    pub fn one(&self, port: &str) -> Result<&Table, Fault> {
        self.many(port)?.first().ok_or_else(|| missing(port))
    }

    /// The tables of a port, at least one.
    pub fn many(&self, port: &str) -> Result<&[Table], Fault> {
        self.by_port.get(port).filter(|tables| !tables.is_empty()).map(Vec::as_slice).ok_or_else(|| missing(port))
    }
}

/// Whether a table may have so many columns.
pub(crate) fn columns_fit(columns: usize) -> Result<(), Fault> {
    if columns <= COLUMNS_MAX {
        return Ok(());
    }
    let message = format!("a table has up to {COLUMNS_MAX} columns, and this one would have {columns}");
    Err(Fault::new("too_many_columns", message).fix("select the columns that are needed first"))
}

fn missing(port: &str) -> Fault {
    Fault::new(MISSING_INPUT, format!("nothing is connected to `{port}`")).fix("connect a node that gives a table")
}
