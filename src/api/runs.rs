//! `/api/v1/runs`, and how a workflow's run is started. A file per verb; the wire types are in `view`.

mod cancel;
mod diagram;
mod events;
mod get;
mod list;
mod logs;
mod nodes;
mod output;
mod start;
mod view;

use troupe_model::{RunId, TenantId};
use troupe_store::runs::{self, Run};
use utoipa_axum::routes;

use crate::{
    app::App,
    policy::{Level, Object, needs},
    problem::Problem,
    routes::Routes,
};

pub fn routes() -> Routes {
    let (read, execute) = (needs(Object::Workflow, Level::Read), needs(Object::Workflow, Level::Execute));
    Routes::default()
        .at(execute, routes!(start::start))
        .at(read, routes!(list::list))
        .at(read, routes!(get::get))
        .at(read, routes!(diagram::get))
        .at(read, routes!(nodes::list))
        .at(read, routes!(nodes::get))
        .at(read, routes!(events::list))
        .at(read, routes!(logs::list))
        .at(execute, routes!(cancel::cancel))
        .at(read, routes!(output::get))
}

/// The run, if the tenant has it.
pub async fn find(app: &App, tenant: TenantId, id: RunId) -> Result<Run, Problem> {
    let mut tx = app.store().read(tenant).await?;
    runs::find(&mut tx, id).await?.ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::not_found("run")
}
