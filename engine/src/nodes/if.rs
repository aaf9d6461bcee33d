//! `if`: passes its input on to one of two branches [NODE-20].

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use troupe_model::{NodeFailure, Output, Payload, Port, PortKind, RunId, Schema, shown};

use crate::{
    condition::{self, ConditionError, References},
    node::{CheckContext, Checked, Finding, Outcome, RunContext},
    payloads::Payloads,
    preview, suggest,
    typed::{Category, Description, TypedNode},
};

/// How many mistakes of one condition are told at once.
const FINDINGS_MAX: usize = 20;
/// What a condition can refer to.
const VARIABLES: [&str; 3] = ["input", "parameters", "run"];

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// True or false, in CEL. `input.rows` is the number of rows, `input.columns` their names, `input.first` the first
    /// row, `parameters` those of the workflow, `run.id` the run. Example: `input.rows > 0 && input.first.origin == "JFK"`.
    #[schemars(
        length(min = 1, max = condition::LENGTH_MAX),
        extend("x-ui" = {"widget": "expression", "language": "cel", "port": "in"})
    )]
    condition: String,
}

#[derive(Debug)]
pub struct If;

impl TypedNode for If {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("if", Category::Flow, "If")
            .about("Goes on in one of two branches, as a condition says.")
            .look("split", "#0891b2")
            .input(Port::new("in", "Input", PortKind::Any))
            .output(Port::new("true", "True", PortKind::Any))
            .output(Port::new("false", "False", PortKind::Any))
    }

    fn check(&self, config: &Config, ctx: &CheckContext<'_>) -> Checked {
        let schema = ctx.inputs.get("in").and_then(|inputs| inputs.first()).cloned().flatten();
        let findings = match condition::check(&config.condition) {
            Ok(references) => findings(&references, schema.as_deref(), ctx),
            Err(error) => vec![Finding::error("invalid_condition", "/condition", error.to_string())],
        };
        let branch = |port: &str| (port.to_owned(), schema.clone());
        Checked { outputs: BTreeMap::from([branch("true"), branch("false")]), findings }
    }

    async fn run(&self, config: Config, mut ctx: RunContext) -> Result<Outcome, NodeFailure> {
        let payload = ctx.inputs.remove("in").and_then(|mut inputs| inputs.pop()).unwrap_or(Payload::Signal);
        let (subject, payloads, run, parameters) = (payload.clone(), ctx.payloads, ctx.run, ctx.parameters);
        let decide = move || decide(&config.condition, &subject, &payloads, run, Value::Object(parameters));
        let holds = spawn_blocking(decide).await.map_err(|error| {
            NodeFailure::new("condition_failed", "the condition was not evaluated to its end").reason(error.to_string())
        })??;
        let port = if holds { "true" } else { "false" };
        ctx.log.info(format!("the condition is {port}"));
        Ok(Outcome::Completed(vec![Output { port: port.to_owned(), payload }]))
    }
}

fn findings(references: &References, schema: Option<&Schema>, ctx: &CheckContext<'_>) -> Vec<Finding> {
    let unknown = |code, what: &str, name: &str, known: &[&str]| {
        let fix = suggest::fix(name, known.iter().copied());
        Finding::error(code, "/condition", format!("there is no {what} `{}`", shown::name(name))).fix(fix)
    };
    let variables = references.variables.iter().filter(|name| !VARIABLES.contains(&name.as_str()));
    let mut findings: Vec<_> =
        variables.map(|name| unknown("unknown_variable", "variable", name, &VARIABLES)).collect();
    let missing: Vec<_> = references.parameters.iter().filter(|name| !ctx.parameters.contains_key(*name)).collect();
    if !missing.is_empty() {
        let parameters: Vec<_> = ctx.parameters.keys().map(String::as_str).collect();
        findings.extend(missing.iter().map(|name| unknown("unknown_parameter", "parameter", name, &parameters)));
    }
    if let Some(schema) = schema {
        let columns: HashSet<_> = schema.columns.iter().map(|column| column.name.as_str()).collect();
        let missing: Vec<_> = references.columns.iter().filter(|name| !columns.contains(name.as_str())).collect();
        let columns: Vec<_> = schema.columns.iter().map(|column| column.name.as_str()).collect();
        findings.extend(missing.iter().map(|name| unknown("unknown_column", "column", name, &columns)));
    }
    findings.truncate(FINDINGS_MAX);
    findings
}

fn decide(
    source: &str,
    input: &Payload,
    payloads: &Payloads,
    run: RunId,
    parameters: Value,
) -> Result<bool, NodeFailure> {
    let first = preview::first_row(payloads, input)?;
    let columns: Vec<String> = match (input, &first) {
        (Payload::Frame { schema, .. }, _) => schema.columns.iter().map(|column| column.name.clone()).collect(),
        (_, Some(Value::Object(fields))) => fields.keys().cloned().collect(),
        _ => Vec::new(),
    };
    let input = json!({"rows": input.rows(), "columns": columns, "first": first});
    let variables = vec![("input", input), ("parameters", parameters), ("run", json!({"id": run}))];
    condition::holds(source, variables).map_err(|error| {
        let code = match error {
            ConditionError::NotBoolean(_) => "condition_not_boolean",
            ConditionError::Evaluation(_) => "condition_failed",
            _ => "invalid_condition",
        };
        NodeFailure::new(code, error.to_string()).solution("correct the condition of the node")
    })
}

#[cfg(test)]
mod tests {
    use troupe_model::{Column, ColumnType};

    use super::*;
    use crate::testing::{Bench, failure, outputs};

    fn items() -> Payload {
        Payload::Json { value: json!([{"origin": "JFK", "delay": 5}, {"origin": "LGA", "delay": 0}]) }
    }

    async fn branch(condition: &str) -> Vec<Output> {
        outputs(Bench::new().execute("if", json!({"condition": condition}), vec![items()]).await)
    }

    /// [NODE-20] The input goes on in one branch; nothing comes out of the other.
    #[tokio::test]
    async fn the_input_takes_the_branch_of_the_condition() {
        for (condition, port) in [
            ("input.rows == parameters.limit && input.first.origin == 'JFK'", "true"),
            ("'delay' in input.columns", "true"),
            ("input.first.delay > 10", "false"),
        ] {
            assert_eq!(branch(condition).await, [Output { port: port.to_owned(), payload: items() }], "{condition}");
        }
    }

    #[tokio::test]
    async fn a_condition_that_is_neither_true_nor_false_fails() {
        let run = |condition: &'static str| async move {
            failure(Bench::new().execute("if", json!({"condition": condition}), vec![items()]).await)
        };
        assert_eq!(run("input.rows").await.code, "condition_not_boolean");
        let missing = run("input.first.dest == 'LAX'").await;
        assert_eq!((missing.code.as_str(), missing.message.as_str()), ("condition_failed", "there is no field `dest`"));
    }

    /// [CANVAS-4] [CANVAS-5] Syntax, variables and columns are checked while editing.
    #[test]
    fn a_condition_is_checked_at_design_time() {
        let column = Column { name: "delay".to_owned(), column_type: ColumnType::Integer };
        let schema = Schema { columns: vec![column] };
        let check = |condition: &str| Bench::new().check("if", &json!({"condition": condition}), Some(schema.clone()));
        let found = |condition: &str| {
            let Finding { code, message, fix, .. } = check(condition).findings.remove(0);
            (code, message, fix.unwrap_or_default())
        };
        assert_eq!(found("input.rows >").0, "invalid_condition");
        assert!(found("input.rows >").1.starts_with("line 1, column "));
        let (code, message, fix) = found("inptu.rows > 1");
        assert_eq!(
            (code, message.as_str(), fix.as_str()),
            ("unknown_variable", "there is no variable `inptu`", "did you mean `input`?")
        );
        let (code, _, fix) = found("input.first.dealy > 1");
        assert_eq!((code, fix.as_str()), ("unknown_column", "did you mean `delay`?"));
        let (code, message, fix) = found("input.rows > parameters.limti");
        assert_eq!(
            (code, message.as_str(), fix.as_str()),
            ("unknown_parameter", "there is no parameter `limti`", "did you mean `limit`?")
        );
        let sound = check("input.first.delay > parameters.limit");
        assert_eq!(sound.findings, []);
        assert_eq!(sound.outputs["true"].as_deref(), Some(&schema));
    }
}
