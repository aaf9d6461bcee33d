//! `GET /api/v1/runs`: newest first.

use axum::extract::State;
use serde::Deserialize;
use troupe_model::{RunStatus, WorkflowId};
use troupe_store::runs::{self, RunFilter};
use utoipa::IntoParams;

use super::view::RunView;
use crate::{
    app::App,
    auth::Caller,
    http::{
        json::Json,
        page::{List, PageParams},
        path::Query,
    },
    problem::Problem,
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    workflow_id: Option<WorkflowId>,
    status: Option<RunStatus>,
}

#[utoipa::path(get, path = "/runs", tag = "runs", operation_id = "list_runs", params(PageParams, Filter),
    responses((status = 200, body = List<RunView>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageParams>,
    Query(filter): Query<Filter>,
) -> Result<Json<List<RunView>>, Problem> {
    let filter = RunFilter { workflow_id: filter.workflow_id, status: filter.status };
    let mut tx = app.store().read(caller.tenant).await?;
    Ok(Json(List::of(runs::list(&mut tx, filter, &page.request()?).await?)))
}
