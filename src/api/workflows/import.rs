//! `POST /api/v1/workflows/import`: a workflow from a `.wflow.json`; every problem is reported at once [CANVAS-8].

use axum::extract::State;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use troupe_actors::{DiagramEdit, task};
use troupe_engine::workflow_file;
use troupe_model::{
    Diagnostic, Diagram, FieldError, FolderId, JobId, WorkflowId, WorkspaceId,
    workflow_file::{FORMAT_VERSION, WorkflowFile},
};
use utoipa::ToSchema;

use super::{CreateWorkflow, Workflow, check, insert_hidden, reveal};
use crate::{
    api::{
        fields::{Description, Name, Parameters, Tags},
        reply::Created,
    },
    app::App,
    auth::Caller,
    http::json::DiagramJson,
    problem::Problem,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportWorkflow {
    workspace_id: WorkspaceId,
    folder_id: Option<FolderId>,
    job_id: Option<JobId>,
    #[schema(value_type = WorkflowFile)]
    file: Value,
}

/// The new workflow, and what keeps it from running.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedWorkflow {
    #[serde(flatten)]
    workflow: Workflow,
    diagnostics: Vec<Diagnostic>,
}

#[utoipa::path(post, path = "/workflows/import", tag = "workflows", operation_id = "import_workflow",
    request_body = ImportWorkflow, responses((status = 201, body = ImportedWorkflow)))]
pub async fn import(
    State(app): State<App>,
    caller: Caller,
    DiagramJson(body): DiagramJson<ImportWorkflow>,
) -> Result<Created<ImportedWorkflow>, Problem> {
    let ImportWorkflow { workspace_id, folder_id, job_id, file } = body;
    let (diagram, name, description, parameters, tags) = task::long(|| checked(&file))?;
    let new = CreateWorkflow { workspace_id, folder_id, job_id, name, description, parameters, tags };
    // Hidden until its diagram is saved: nobody asked for an empty workflow, whatever happens half-way.
    let (row, hidden_at) = insert_hidden(&app, &caller, new).await?;
    let id: WorkflowId = row.id;
    app.system().edit_diagram(caller.asker(), id, None, DiagramEdit::Replace(diagram)).await?;
    reveal(&app, &caller, id, hidden_at).await?;
    let analysis = app.system().analysis(caller.asker(), id).await?;
    let imported = ImportedWorkflow { workflow: row.into(), diagnostics: analysis.diagnostics.clone() };
    Ok(Created::at(format!("/api/v1/workflows/{id}"), imported))
}

type Parts = (Diagram, Name, Description, Parameters, Tags);

/// The file's parts, or everything that is wrong with it: its shape, and what is in it.
fn checked(file: &Value) -> Result<Parts, Problem> {
    let mut errors = check::errors(&file["diagram"], "/file/diagram");
    if let Some(found) = file["format_version"].as_u64().filter(|found| *found > u64::from(FORMAT_VERSION)) {
        let detail = format!("this server reads format versions up to {FORMAT_VERSION}, not {found}");
        errors.push(FieldError::new("/file/format_version", detail).solution("update this server"));
    }
    let name = setting::<String, Name>(file, "name", &mut errors);
    let description = setting::<String, Description>(file, "description", &mut errors);
    let parameters = setting::<Map<String, Value>, Parameters>(file, "parameters", &mut errors);
    let tags = setting::<Vec<String>, Tags>(file, "tags", &mut errors);
    match (workflow_file::read(file), name, description, parameters, tags) {
        (Ok(file), Some(name), Some(description), Some(parameters), Some(tags)) if errors.is_empty() => {
            Ok((file.diagram, name, description, parameters, tags))
        }
        (shaped, ..) => {
            let of_shape = shaped.err().into_iter().flatten();
            let of_shape = of_shape.map(|error| FieldError { pointer: format!("/file{}", error.pointer), ..error });
            Err(check::refusal(of_shape.chain(errors).collect()))
        }
    }
}

/// A setting, if it is good. One that has not its shape is told with the shape.
fn setting<S, T>(file: &Value, field: &str, errors: &mut Vec<FieldError>) -> Option<T>
where
    S: DeserializeOwned + Default,
    T: TryFrom<S, Error = String>,
{
    let shaped = file.get(field).map_or_else(|| Ok(S::default()), S::deserialize).ok()?;
    let wrong = |detail| FieldError::new(format!("/file/{field}"), detail).solution(format!("correct the {field}"));
    T::try_from(shaped).map_err(|detail| errors.push(wrong(detail))).ok()
}
