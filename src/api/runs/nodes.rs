//! `/api/v1/runs/{run}/nodes`: what became of the nodes of a run: of those that it executes, by id.

use std::collections::HashMap;

use axum::extract::State;
use troupe_actors::{Lent, Loan};
use troupe_model::{Node, RunId};
use troupe_store::{TenantTx, runs};

use super::{missing, view::NodeRun};
use crate::{
    app::App,
    auth::Caller,
    http::{
        json::LargeJson,
        page::{List, SliceParams},
        path::{Path, Query},
    },
    problem::Problem,
};

#[utoipa::path(get, path = "/runs/{run}/nodes", tag = "runs", operation_id = "list_node_runs",
    params(("run" = RunId, Path), SliceParams), responses((status = 200, body = List<NodeRun>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RunId>,
    Query(slice): Query<SliceParams>,
) -> Result<LargeJson<List<NodeRun>>, Problem> {
    let limit = slice.limit()? as usize;
    let behind = slice.cursor(|cursor| Some(cursor.to_owned()))?;
    let Lent { value: nodes, loan } = executed(&app, &caller, id).await?;
    let mut nodes = nodes.into_iter().filter(|node| behind.as_ref().is_none_or(|behind| node.id > *behind));
    let page: Vec<Node> = nodes.by_ref().take(limit).collect();
    let next_cursor = page.last().filter(|_| nodes.next().is_some()).map(|node| node.id.clone());
    let items = views(&mut app.store().read(caller.tenant).await?, id, page).await?;
    Ok(LargeJson(Lent { value: List { items, next_cursor, total: None }, loan }))
}

#[utoipa::path(get, path = "/runs/{run}/nodes/{node}", tag = "runs", operation_id = "get_node_run",
    params(("run" = RunId, Path), ("node" = String, Path)), responses((status = 200, body = NodeRun)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path((id, node)): Path<(RunId, String)>,
) -> Result<LargeJson<NodeRun>, Problem> {
    let Lent { value: mut nodes, loan } = executed(&app, &caller, id).await?;
    nodes.retain(|executed| executed.id == node);
    let views = views(&mut app.store().read(caller.tenant).await?, id, nodes).await?;
    let value = views.into_iter().next().ok_or_else(no_such_node)?;
    Ok(LargeJson(Lent { value, loan }))
}

pub fn no_such_node() -> Problem {
    Problem::not_found("node in this run")
}

/// The nodes that a run executes, by id.
async fn executed(app: &App, caller: &Caller, id: RunId) -> Result<Lent<Vec<Node>>, Problem> {
    let bytes = runs::diagram_bytes(&mut app.store().read(caller.tenant).await?, id).await?.ok_or_else(missing)?;
    let loan: Option<Loan> = app.lend_answer(caller, bytes).await;
    let diagram = runs::diagram(&mut app.store().read(caller.tenant).await?, id).await?.ok_or_else(missing)?;
    let mut value: Vec<Node> = diagram.nodes.into_iter().filter(|node| !node.data.disabled).collect();
    value.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Lent { value, loan })
}

async fn views(tx: &mut TenantTx, id: RunId, nodes: Vec<Node>) -> Result<Vec<NodeRun>, Problem> {
    let ids: Vec<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
    let rows = runs::node_runs_of(tx, id, &ids).await?;
    let mut rows: HashMap<String, _> = rows.into_iter().map(|row| (row.node.clone(), row)).collect();
    Ok(nodes.into_iter().map(|node| NodeRun::of(rows.remove(&node.id), node)).collect())
}
