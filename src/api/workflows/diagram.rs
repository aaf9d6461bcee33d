//! `/api/v1/workflows/{workflow}/diagram`: read and edit the live canvas [SYNC-14].
//!
//! An edit is seen at once by everybody who has the canvas open, and is answered when it is durable.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use troupe_actors::{DiagramEdit, EditDiagramError, EditError, Lent, task};
use troupe_model::{Diagram, FieldError, WorkflowId};
use utoipa::ToSchema;

use super::{check, find};
use crate::{
    app::App,
    auth::Caller,
    http::{
        json::{DiagramJson, LargeJson},
        path::Path,
        revision,
    },
    problem::Problem,
};

/// JSON merge patch (RFC 7396) over maps keyed by id: `{"nodes": {"n1": {…}, "n2": null}}` changes one node and
/// removes another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `nodes`, `edges` or both")]
pub struct DiagramPatch {
    #[schema(value_type = Option<Object>)]
    nodes: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    edges: Option<Map<String, Value>>,
}

/// A diagram with its revision as `ETag`.
pub struct Tagged(Lent<(Diagram, i64)>);

#[utoipa::path(get, path = "/workflows/{workflow}/diagram", tag = "workflows", operation_id = "get_diagram",
    params(("workflow" = WorkflowId, Path)),
    responses((status = 200, body = Diagram, headers(("ETag" = String, description = "The revision")))))]
pub async fn get(State(app): State<App>, caller: Caller, Path(id): Path<WorkflowId>) -> Result<Tagged, Problem> {
    find(&app, caller.tenant, id).await?;
    Ok(Tagged(app.system().diagram(caller.asker(), id).await?))
}

/// The diagram shall be this one: becomes a minimal edit of the canvas.
#[utoipa::path(put, path = "/workflows/{workflow}/diagram", tag = "workflows", operation_id = "replace_diagram",
    params(("workflow" = WorkflowId, Path), ("If-Match" = Option<String>, Header, description = "Only if this is \
    still the revision")), request_body = Diagram,
    responses((status = 200, body = Diagram, headers(("ETag" = String, description = "The revision")))))]
pub async fn replace(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
    headers: HeaderMap,
    DiagramJson(body): DiagramJson<Value>,
) -> Result<Tagged, Problem> {
    let diagram = task::long(|| check::diagram(&body))?;
    edit(&app, &caller, id, &headers, DiagramEdit::Replace(diagram)).await
}

#[utoipa::path(patch, path = "/workflows/{workflow}/diagram", tag = "workflows", operation_id = "patch_diagram",
    params(("workflow" = WorkflowId, Path), ("If-Match" = Option<String>, Header, description = "Only if this is \
    still the revision")), request_body = DiagramPatch,
    responses((status = 200, body = Diagram, headers(("ETag" = String, description = "The revision")))))]
pub async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
    headers: HeaderMap,
    DiagramJson(body): DiagramJson<DiagramPatch>,
) -> Result<Tagged, Problem> {
    let parts = [("nodes", body.nodes), ("edges", body.edges)];
    let patch: Map<String, Value> =
        parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), Value::Object(part?)))).collect();
    edit(&app, &caller, id, &headers, DiagramEdit::Merge(Value::Object(patch))).await
}

async fn edit(
    app: &App,
    caller: &Caller,
    id: WorkflowId,
    headers: &HeaderMap,
    edit: DiagramEdit,
) -> Result<Tagged, Problem> {
    let if_match = revision::if_match(headers)?;
    find(app, caller.tenant, id).await?;
    let edited = app.system().edit_diagram(caller.asker(), id, if_match, edit).await?;
    Ok(Tagged(edited.map(|edited| (edited.diagram, edited.revision))))
}

impl IntoResponse for Tagged {
    fn into_response(self) -> Response {
        let etag = revision::etag(self.0.value.1);
        ([etag], LargeJson(self.0.map(|(diagram, _)| diagram))).into_response()
    }
}

impl From<EditDiagramError> for Problem {
    fn from(error: EditDiagramError) -> Self {
        match error {
            EditDiagramError::Unavailable(error) => error.into(),
            EditDiagramError::NotSaved(fault) => {
                Self::of_fault(fault).detailed(format!("{fault}: the edit is on the canvas, and is not saved yet"))
            }
            EditDiagramError::Edit(error @ EditError::NoRoom) => Self::no_room(error.to_string()),
            EditDiagramError::Edit(EditError::Stale { .. }) => Self::stale(),
            EditDiagramError::Edit(EditError::Invalid(FieldError { pointer, detail, solution })) => {
                Self::invalid_field(&pointer, detail).solution(solution.unwrap_or_else(|| "correct it".to_owned()))
            }
            EditDiagramError::Edit(error @ (EditError::TooLarge { .. } | EditError::TooMany { .. })) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "canvas_too_large", "Canvas too large", error.to_string())
                    .solution("remove something from the workflow, or spread it over several")
            }
        }
    }
}
