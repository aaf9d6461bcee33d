//! What looking at a diagram costs, in units of [`Fuel`](crate::Fuel): told by sizes alone, and measured once.

use serde_json::{Map, Value};
use troupe_model::{Diagram, Schema};

use crate::node::Inputs;

/// To know a node or an edge: its ids, its wires, its place in the order.
const ELEMENT: usize = 50;
/// To check a node, however small: a thread, a query.
const CHECK: usize = 2_000;
/// To read, plan or compute a query over no rows.
const QUERY: usize = 2_000;
const SQL_UNITS_PER_BYTE: usize = 10;
/// To name and type a column once.
const COLUMN: usize = 20;
/// A JSON value, besides its text.
const VALUE: usize = 2;
/// Bytes that are looked at for one unit.
const BYTES: usize = 8;

/// Of the structure, and of every config against its schema.
pub(super) fn of_structure(diagram: &Diagram) -> usize {
    let nodes = diagram.nodes.iter().map(|node| {
        let texts = node.id.len() + node.data.label.len() + node.data.node_type.len();
        ELEMENT + texts / BYTES + of_object(&node.data.config)
    });
    let edges = diagram.edges.iter().map(|edge| {
        let handles = [&edge.source_handle, &edge.target_handle].into_iter().flatten().map(String::len).sum::<usize>();
        ELEMENT + (edge.id.len() + edge.source.len() + edge.target.len() + handles) / BYTES
    });
    nodes.sum::<usize>() + edges.sum::<usize>()
}

/// Of seeing whether a node was checked with the same before.
pub(super) fn of_comparing(config: usize, inputs: &Inputs) -> usize {
    config + inputs.values().flatten().flatten().map(|schema| bytes_of(schema) / BYTES).sum::<usize>()
}

/// Of a node type's check of a node: its config is read, and the tables of its inputs are made.
pub(super) fn of_check(config: usize, inputs: &Inputs) -> usize {
    CHECK + config + inputs.values().flatten().flatten().map(|schema| of_schema(schema)).sum::<usize>()
}

/// To look at the columns of a table once more, in a query of its own.
pub(crate) fn of_columns(columns: usize) -> usize {
    QUERY + COLUMN * columns
}

/// To read a SQL text, and to plan it.
pub(crate) fn of_sql(text: &str) -> usize {
    QUERY + SQL_UNITS_PER_BYTE * text.len()
}

pub(super) fn of_schema(schema: &Schema) -> usize {
    COLUMN * schema.columns.len() + bytes_of(schema) / BYTES
}

/// What a schema takes in memory, about.
pub(super) fn bytes_of(schema: &Schema) -> usize {
    schema.columns.iter().map(|column| size_of_val(column) + column.name.len()).sum()
}

pub(super) fn of_object(object: &Map<String, Value>) -> usize {
    object.iter().map(|(name, value)| name.len() / BYTES + of_value(value)).sum()
}

fn of_value(value: &Value) -> usize {
    VALUE
        + match value {
            Value::String(text) => text.len() / BYTES,
            Value::Array(items) => items.iter().map(of_value).sum(),
            Value::Object(object) => of_object(object),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}
