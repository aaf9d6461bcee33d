//! Workflow files as they come in and go out [CANVAS-8]: what has not their shape is told all at once, and secrets do
//! not leave.
//!
//! Whether names and references are good is told by who takes the file in, what would not run by the analysis.

mod left_out;
mod portable;
mod secret_text;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;
use troupe_model::{Diagram, Edge, FieldError, Node, workflow_file::WorkflowFile};

use crate::{config_schema::Validator, place};

pub use left_out::leave_out_secrets;
pub(crate) use left_out::still_left_out;
pub use portable::make_portable;

/// How many mistakes of one file are told at once.
pub const ERRORS_MAX: usize = 1_000;

static FILE: LazyLock<Validator> = LazyLock::new(shape_of::<WorkflowFile>);
static DIAGRAM: LazyLock<Validator> = LazyLock::new(shape_of::<Diagram>);
static NODE: LazyLock<Validator> = LazyLock::new(shape_of::<Node>);
static EDGE: LazyLock<Validator> = LazyLock::new(shape_of::<Edge>);

/// Errors: everything that is not as the format wants it, with JSON pointers into the file. Never empty.
pub fn read(file: &Value) -> Result<WorkflowFile, Vec<FieldError>> {
    shaped(file, &FILE)
}

/// Errors: as for [`read`], with JSON pointers into the diagram.
pub fn read_diagram(diagram: &Value) -> Result<Diagram, Vec<FieldError>> {
    shaped(diagram, &DIAGRAM)
}

/// Errors: as for [`read`], with JSON pointers into the node.
pub fn read_node(node: &Value) -> Result<Node, Vec<FieldError>> {
    shaped(node, &NODE)
}

/// Errors: as for [`read`], with JSON pointers into the edge.
pub fn read_edge(edge: &Value) -> Result<Edge, Vec<FieldError>> {
    shaped(edge, &EDGE)
}

/// By the schema first: reading stops at the first mistake, and takes a list for an object's fields in their order.
fn shaped<T: DeserializeOwned>(value: &Value, shape: &Validator) -> Result<T, Vec<FieldError>> {
    if shape.is_valid_value(value) {
        // What a schema cannot say, such as a number that is too large for its type.
        let wrong = |error: serde_json::Error| vec![FieldError::new("", error.to_string()).solution("correct it")];
        return T::deserialize(value).map_err(wrong);
    }
    let findings = shape.check_value(value, ERRORS_MAX).into_iter();
    let told = findings.map(|finding| FieldError {
        pointer: finding.field.map(place::shortened).unwrap_or_default(),
        detail: finding.message,
        solution: finding.fix.or_else(|| Some("correct it".to_owned())),
    });
    Err(told.collect())
}

/// React Flow's JSON has more in it than we read: unknown fields are refused only where the type refuses them.
fn shape_of<T: JsonSchema>() -> Validator {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema: Value = settings.into_generator().into_root_schema_for::<T>().into();
    Validator::new(&schema).expect("a schema that is derived from a type is a JSON Schema")
}
