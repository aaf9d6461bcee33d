//! Conditions in CEL [RUN-23], bounded: a condition is short, its loops do not multiply, and it runs over small values.
//!
//! The parser and the interpreter recurse, and a condition of a thousand characters can overflow a worker's stack. So
//! both work on a deep one.

mod inspect;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use cel::{Context, ExecutionError, Program, Value as Cel};
use serde_json::Value;

use crate::deep_stack;

/// Longer conditions are refused.
pub const LENGTH_MAX: usize = 2_000;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    #[error("the condition is longer than {LENGTH_MAX} characters")]
    TooLong,
    #[error("line {line}, column {column}: {message}")]
    Syntax { line: isize, column: isize, message: String },
    #[error("a macro over a list (`all`, `exists`, `map`, `filter`) may not be within another one")]
    NestedMacros,
    #[error("the condition gives {0}, not true or false")]
    NotBoolean(String),
    #[error("{0}")]
    Evaluation(String),
}

/// What a condition refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Variables, each once, sorted.
    pub variables: Vec<String>,
    /// The fields that are read of `input.first`, each once, sorted.
    pub columns: Vec<String>,
    /// The fields that are read of `parameters`, each once, sorted.
    pub parameters: Vec<String>,
}

/// Checks a condition without evaluating it.
pub fn check(source: &str) -> Result<References, ConditionError> {
    on_a_deep_stack(|| {
        let program = compile(source)?;
        Ok(References {
            variables: inspect::free_variables(program.expression()),
            columns: inspect::fields_of(program.expression(), &["input", "first"]),
            parameters: inspect::fields_of(program.expression(), &["parameters"]),
        })
    })
}

/// Whether the condition holds for these variables.
pub fn holds(source: &str, variables: Vec<(&str, Value)>) -> Result<bool, ConditionError> {
    on_a_deep_stack(|| {
        let program = compile(source)?;
        let mut context = Context::default();
        for (name, value) in variables {
            context.add_variable_from_value(name, to_cel(value));
        }
        match program.execute(&context) {
            Ok(Cel::Bool(holds)) => Ok(holds),
            Ok(other) => Err(ConditionError::NotBoolean(format!("{:?}", other.type_of()).to_lowercase())),
            Err(error) => Err(ConditionError::Evaluation(explain(&error))),
        }
    })
}

fn compile(source: &str) -> Result<Program, ConditionError> {
    if source.len() > LENGTH_MAX {
        return Err(ConditionError::TooLong);
    }
    let program = Program::compile(source).map_err(|errors| match errors.errors.first() {
        Some(error) => ConditionError::Syntax { line: error.pos.0, column: error.pos.1, message: error.msg.clone() },
        None => ConditionError::Evaluation("the condition cannot be read".to_owned()),
    })?;
    if inspect::macro_depth(program.expression()) > 1 {
        return Err(ConditionError::NestedMacros);
    }
    Ok(program)
}

fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> Result<T, ConditionError> + Send) -> Result<T, ConditionError> {
    deep_stack::run("condition", work)
        .unwrap_or_else(|why| Err(ConditionError::Evaluation(format!("the condition cannot be evaluated: {why}"))))
}

fn explain(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("there is no field `{key}`"),
        ExecutionError::UndeclaredReference(name) => format!("there is no `{name}`"),
        other => other.to_string(),
    }
}

/// Whole numbers become CEL's `int`, so that `rows > 10` compares like with like.
fn to_cel(value: Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => Cel::Bool(value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Cel::Int(value),
            (None, Some(value)) => Cel::UInt(value),
            (None, None) => Cel::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(value) => value.into(),
        Value::Array(items) => items.into_iter().map(to_cel).collect::<Vec<_>>().into(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, to_cel(value))).collect::<HashMap<_, _>>().into()
        }
    }
}
