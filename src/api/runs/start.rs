//! `POST /api/v1/workflows/{workflow}/runs`: runs the canvas as it is at this moment [RUN-1].

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value};
use troupe_actors::{StartRun, StartRunError};
use troupe_model::{Diagnostic, FieldError, Subject, WorkflowId, problem::escaped, workflow_file::LEFT_OUT};
use utoipa::ToSchema;

use super::view::RunView;
use crate::{
    api::{reply::Accepted, workflows},
    app::App,
    auth::Caller,
    http::{json::OptionalJson, path::Path},
    problem::Problem,
};

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// Instead of the workflow's defaults.
    #[serde(default)]
    #[schema(value_type = Object)]
    parameters: Map<String, Value>,
}

#[utoipa::path(post, path = "/workflows/{workflow}/runs", tag = "runs", operation_id = "start_run",
    params(("workflow" = WorkflowId, Path)), request_body = Option<NewRun>,
    responses((status = 202, description = "Started; watch it at Location", body = RunView)))]
pub async fn start(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
    OptionalJson(body): OptionalJson<NewRun>,
) -> Result<Accepted<RunView>, Problem> {
    let workflow = workflows::find(&app, caller.tenant, id).await?;
    let parameters = parameters(workflow.parameters, body.parameters)?;
    let start = StartRun { by: Some(caller.user), trigger: "manual".to_owned(), parameters };
    let run = app.system().start_run(caller.tenant, id, start).await?;
    Ok(Accepted::at(format!("/api/v1/runs/{}", run.id), run.into()))
}

/// The workflow's defaults, overridden. Refused are a parameter that the workflow does not have, and one whose value an
/// export left out.
fn parameters(mut parameters: Map<String, Value>, given: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    for (name, value) in given {
        match parameters.get_mut(&name) {
            Some(slot) => *slot = value,
            None => return Err(wrong(&name, format!("the workflow has no parameter `{name}`"))),
        }
    }
    match parameters.iter().find(|(_, value)| value.as_str().is_some_and(|text| text.contains(LEFT_OUT))) {
        Some((name, _)) => Err(wrong(name, format!("the secret `{name}` was left out when the workflow was exported"))
            .solution("give it with the run, or in the settings of the workflow")),
        None => Ok(parameters),
    }
}

fn wrong(parameter: &str, detail: String) -> Problem {
    Problem::invalid_field(&format!("/parameters/{}", escaped(parameter)), detail)
}

impl From<StartRunError> for Problem {
    fn from(error: StartRunError) -> Self {
        match error {
            StartRunError::Invalid(diagnostics) => invalid(&diagnostics),
            StartRunError::TooManyRuns(_) => Self::too_many(error.to_string(), 5),
            StartRunError::Unavailable(error) => error.into(),
            StartRunError::Store(error) => error.into(),
            StartRunError::Interrupted(error) => error.into(),
        }
    }
}

fn invalid(diagnostics: &[Diagnostic]) -> Problem {
    let detail = match diagnostics {
        [one] => one.message.clone(),
        all => format!("{} problems keep the workflow from running", all.len()),
    };
    let problem = Problem::invalid("workflow_invalid", detail).solution("correct the problems that the editor shows");
    problem.fields(diagnostics.iter().map(|diagnostic| {
        let field = diagnostic.field.as_deref().unwrap_or_default();
        let pointer = match &diagnostic.subject {
            Subject::Node(id) => format!("/diagram/nodes/{}{field}", escaped(id)),
            Subject::Edge(id) => format!("/diagram/edges/{}{field}", escaped(id)),
            Subject::Diagram(()) => "/diagram".to_owned(),
        };
        FieldError { pointer, detail: diagnostic.message.clone(), solution: diagnostic.fix.clone() }
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_override_defaults() {
        let map = |value: Value| value.as_object().cloned().unwrap();
        let merged = parameters(map(json!({ "a": 1, "b": 2 })), map(json!({ "b": 3 }))).unwrap();
        assert_eq!(Value::Object(merged), json!({ "a": 1, "b": 3 }));
        let problem = parameters(map(json!({ "a": 1 })), map(json!({ "c": 3 }))).unwrap_err();
        assert!(problem.detail().contains("no parameter `c`"));
        let left_out = parameters(map(json!({ "token": LEFT_OUT })), Map::new()).unwrap_err();
        assert!(left_out.detail().contains("the secret `token` was left out"), "{}", left_out.detail());
        assert!(parameters(map(json!({ "token": LEFT_OUT })), map(json!({ "token": "x" }))).is_ok());
    }
}
