//! `POST /api/v1/workflows/{workflow}/validate`: what the server knows of the diagram without running it [CANVAS-3].

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::State;
use serde::Serialize;
use troupe_actors::Lent;
use troupe_engine::Analysis;
use troupe_model::{Diagnostic, Schema, WorkflowId};
use utoipa::ToSchema;

use super::find;
use crate::{app::App, auth::Caller, http::json::LargeJson, http::path::Path, problem::Problem};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Analysis)]
pub struct AnalysisView {
    /// Node → its upstream nodes.
    dependencies: BTreeMap<String, Vec<String>>,
    /// Topological and stable.
    execution_order: Vec<String>,
    /// Nodes of one level can run side by side.
    levels: Vec<Vec<String>>,
    /// Node → output port → its columns, where they are known.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, Schema>>)]
    schemas: BTreeMap<String, BTreeMap<String, Arc<Schema>>>,
    diagnostics: Vec<Diagnostic>,
}

#[utoipa::path(post, path = "/workflows/{workflow}/validate", tag = "workflows", operation_id = "validate_workflow",
    params(("workflow" = WorkflowId, Path)), responses((status = 200, body = AnalysisView)))]
pub async fn validate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
) -> Result<LargeJson<AnalysisView>, Problem> {
    find(&app, caller.tenant, id).await?;
    let analysis = app.system().analysis(caller.asker(), id).await?;
    Ok(LargeJson(Lent { value: AnalysisView::from(&*analysis), loan: None }))
}

impl From<&Analysis> for AnalysisView {
    fn from(analysis: &Analysis) -> Self {
        let Analysis { dependencies, execution_order, levels, schemas, diagnostics } = analysis.clone();
        Self { dependencies, execution_order, levels, schemas, diagnostics }
    }
}
