//! `GET /api/v1/workflows/{workflow}/export`: the workflow as a `.wflow.json` [CANVAS-8].

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, header},
};
use troupe_actors::Lent;
use troupe_engine::{
    analysis::dependencies,
    workflow_file::{leave_out_secrets, make_portable},
};
use troupe_model::{
    WorkflowId,
    workflow_file::{FORMAT_VERSION, WorkflowFile},
};

use super::find;
use crate::{app::App, auth::Caller, http::json::LargeJson, http::path::Path, problem::Problem};

/// Secrets are left out; the file says where.
#[utoipa::path(get, path = "/workflows/{workflow}/export", tag = "workflows", operation_id = "export_workflow",
    params(("workflow" = WorkflowId, Path)), responses((status = 200, body = WorkflowFile)))]
pub async fn export(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
) -> Result<([(HeaderName, HeaderValue); 1], LargeJson<WorkflowFile>), Problem> {
    let row = find(&app, caller.tenant, id).await?;
    let Lent { value: (diagram, _), loan } = app.system().diagram(caller.asker(), id).await?;
    let attachment = disposition(&row.name);
    let registry = app.registry().clone();
    let make = move || {
        let mut diagram = diagram;
        make_portable(&mut diagram);
        let mut file = WorkflowFile {
            format_version: FORMAT_VERSION,
            name: row.name,
            description: row.description,
            parameters: row.parameters,
            tags: row.tags,
            dependencies: dependencies(&diagram, &registry),
            diagram,
            left_out: Vec::new(),
        };
        leave_out_secrets(&mut file, &registry);
        file
    };
    // It looks at every text.
    let value = app.work(&caller, make).await?;
    Ok(([(header::CONTENT_DISPOSITION, attachment)], LargeJson(Lent { value, loan })))
}

/// `attachment; filename="carrier-punctuality.wflow.json"`
fn disposition(name: &str) -> HeaderValue {
    let plain: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let stem = if words.is_empty() { "workflow".to_owned() } else { words.join("-") };
    HeaderValue::from_str(&format!("attachment; filename=\"{stem}.wflow.json\""))
        .expect("letters, digits and dashes are a header value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_plain() {
        assert_eq!(disposition("Carrier  punctuality!"), "attachment; filename=\"carrier-punctuality.wflow.json\"");
        assert_eq!(disposition("\"\r\n"), "attachment; filename=\"workflow.wflow.json\"");
    }
}
