//! `GET /api/v1/runs/{run}/nodes/{node}/output`: some rows of what a node put out [RUN-11].

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use troupe_engine::preview::{Preview, preview};
use troupe_model::{NodeFailure, Output, RunId, Schema};
use troupe_store::runs;
use utoipa::{IntoParams, ToSchema};

use super::{missing, nodes::no_such_node};
use crate::{
    app::App,
    auth::Caller,
    http::{
        json::Json,
        path::{Path, Query},
    },
    problem::Problem,
};

const ROWS_DEFAULT: u64 = 100;
const ROWS_MAX: u64 = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Part {
    /// An output port; default: the first that put something out.
    port: Option<String>,
    offset: Option<u64>,
    /// At most so many rows (default 100, at most 1,000).
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NodeOutput {
    port: String,
    /// `frame`, `json` or `signal`.
    kind: &'static str,
    /// Of the whole payload.
    rows: u64,
    /// Empty when the payload is no table.
    schema: Schema,
    #[schema(value_type = Vec<Object>)]
    items: Vec<Value>,
    /// A JSON payload that is no table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    value: Option<Value>,
}

#[utoipa::path(get, path = "/runs/{run}/nodes/{node}/output", tag = "runs", operation_id = "get_node_output",
    params(("run" = RunId, Path), ("node" = String, Path), Part), responses((status = 200, body = NodeOutput)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path((id, node)): Path<(RunId, String)>,
    Query(part): Query<Part>,
) -> Result<Json<NodeOutput>, Problem> {
    let limit = part.limit.unwrap_or(ROWS_DEFAULT);
    if limit == 0 || limit > ROWS_MAX {
        return Err(Problem::bad_request("malformed_query", format!("`limit` must be between 1 and {ROWS_MAX}")));
    }
    let Output { port, payload } = find(&app, &caller, id, &node, part.port.as_deref()).await?;
    let payloads = app.system().payloads(caller.tenant, id);
    let offset = part.offset.unwrap_or(0);
    let read = move || preview(&payloads, &payload, offset, limit);
    let Preview { kind, rows, schema, items, value } =
        app.work(&caller, read).await?.map_err(|failure| unreadable(&failure))?;
    Ok(Json(NodeOutput { port, kind, rows, schema, items, value }))
}

async fn find(app: &App, caller: &Caller, id: RunId, node: &str, port: Option<&str>) -> Result<Output, Problem> {
    let mut tx = app.store().read(caller.tenant).await?;
    runs::find(&mut tx, id).await?.ok_or_else(missing)?;
    let rows = runs::node_runs_of(&mut tx, id, &[node]).await?;
    let row = rows.into_iter().next().ok_or_else(no_such_node)?;
    let wanted = |output: &Output| port.is_none_or(|port| output.port == port);
    row.outputs.into_iter().find(wanted).ok_or_else(|| {
        Problem::not_found("output of this node").solution("wait until the node is completed, or ask another port")
    })
}

fn unreadable(failure: &NodeFailure) -> Problem {
    if failure.code == "payload_missing" {
        return Problem::not_found("stored output").solution("run the workflow again");
    }
    tracing::error!(code = failure.code, message = failure.message, reason = ?failure.reason, "an output is unreadable");
    Problem::unavailable("the output cannot be read just now")
}
