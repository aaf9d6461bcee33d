//! `if`: passes its input on to one of two branches [NODE-20].

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use troupe_model::{NodeFailure, Output, Payload, Port, PortKind, RunId, Schema};

use crate::{
    condition::{self, ConditionError, References},
    node::{CheckContext, Checked, Finding, Outcome, RunContext},
    payloads::Payloads,
    preview, suggest,
    typed::{Category, Description, TypedNode},
};

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
            Ok(references) => findings(&references, schema.as_ref()),
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

fn findings(references: &References, schema: Option<&Schema>) -> Vec<Finding> {
    let unknown = |code, what: &str, name: &str, known: &[&str]| {
        let fix = suggest::fix(name, known.iter().copied());
        Finding::error(code, "/condition", format!("there is no {what} `{name}`")).fix(fix)
    };
    let variables = references.variables.iter().filter(|name| !VARIABLES.contains(&name.as_str()));
    let mut findings: Vec<_> =
        variables.map(|name| unknown("unknown_variable", "variable", name, &VARIABLES)).collect();
    if let Some(schema) = schema {
        let columns: Vec<_> = schema.columns.iter().map(|column| column.name.as_str()).collect();
        let missing = references.columns.iter().filter(|name| !columns.contains(&name.as_str()));
        findings.extend(missing.map(|name| unknown("unknown_column", "column", name, &columns)));
    }
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
