//! `POST /api/v1/workflows/import`: a workflow from a `.wflow.json`; every problem is reported at once [CANVAS-8].

use axum::extract::State;
use serde::{Deserialize, Serialize};
use troupe_actors::DiagramEdit;
use troupe_model::{
    Diagnostic, FieldError, FolderId, JobId, WorkflowId, WorkspaceId,
    workflow_file::{FORMAT_VERSION, WorkflowFile},
};
use utoipa::ToSchema;

use super::{CreateWorkflow, Workflow, check, insert};
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
    file: WorkflowFile,
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
    let diagram = file.diagram.clone();
    let (name, description, parameters, tags) = checked(file)?;
    let new = CreateWorkflow { workspace_id, folder_id, job_id, name, description, parameters, tags };
    let row = insert(&app, &caller, new).await?;
    let id: WorkflowId = row.id;
    app.system().edit_diagram(caller.tenant, id, caller.user, None, DiagramEdit::Replace(diagram)).await?;
    let analysis = app.system().analysis(caller.tenant, id).await?;
    let imported = ImportedWorkflow { workflow: row.into(), diagnostics: analysis.diagnostics.clone() };
    Ok(Created::at(format!("/api/v1/workflows/{id}"), imported))
}

type Settings = (Name, Description, Parameters, Tags);

fn checked(file: WorkflowFile) -> Result<Settings, Problem> {
    let mut errors = check::errors(&file.diagram, "/file/diagram");
    let mut wrong = |field: &str, detail: String| errors.push(FieldError { pointer: format!("/file/{field}"), detail });
    if file.format_version > FORMAT_VERSION {
        let found = file.format_version;
        wrong("format_version", format!("this server reads format versions up to {FORMAT_VERSION}, not {found}"));
    }
    let name = Name::try_from(file.name).map_err(|detail| wrong("name", detail));
    let description = Description::try_from(file.description).map_err(|detail| wrong("description", detail));
    let parameters = Parameters::try_from(file.parameters).map_err(|detail| wrong("parameters", detail));
    let tags = Tags::try_from(file.tags).map_err(|detail| wrong("tags", detail));
    match (name, description, parameters, tags) {
        (Ok(name), Ok(description), Ok(parameters), Ok(tags)) if errors.is_empty() => {
            Ok((name, description, parameters, tags))
        }
        _ => Err(check::refusal(errors)),
    }
}
