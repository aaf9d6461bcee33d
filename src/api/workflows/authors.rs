//! `GET /api/v1/workflows/{workflow}/authors`: who last changed what of the diagram, and when [CANVAS-7].

use axum::extract::State;
use serde::{Deserialize, Serialize};
use troupe_model::{ElementKind, Timestamp, WorkflowId};
use utoipa::{IntoParams, ToSchema};

use super::{
    find,
    person::{People, Person},
};
use crate::{
    app::App,
    auth::Caller,
    http::{
        json::Json,
        page::{List, SliceParams},
        path::{Path, Query},
    },
    problem::Problem,
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Only this node.
    node: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LastChange)]
pub struct LastChangeView {
    kind: ElementKind,
    id: String,
    by: Person,
    at: Timestamp,
}

/// Nodes, then edges, then notes, by id.
#[utoipa::path(get, path = "/workflows/{workflow}/authors", tag = "versions", operation_id = "list_authors",
    params(("workflow" = WorkflowId, Path), Filter, SliceParams), responses((status = 200, body = List<LastChangeView>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
    Query(filter): Query<Filter>,
    Query(slice): Query<SliceParams>,
) -> Result<Json<List<LastChangeView>>, Problem> {
    find(&app, caller.tenant, id).await?;
    let limit = slice.limit()? as usize;
    let behind = slice.cursor(|cursor| {
        let (kind, id) = cursor.split_once('.')?;
        Some((ElementKind::parse(kind)?, id.to_owned()))
    })?;
    let changes = app.system().last_changes(caller.asker(), id, filter.node).await?;
    let total = changes.len() as u64;
    let mut page = changes
        .into_iter()
        .filter(|change| behind.as_ref().is_none_or(|(kind, id)| (*kind, id.as_str()) < (change.kind, &*change.id)));
    let shown: Vec<_> = page.by_ref().take(limit).collect();
    let more = page.next().is_some();
    let next_cursor = shown.last().filter(|_| more).map(|last| format!("{}.{}", last.kind.name(), last.id));

    let mut tx = app.store().read(caller.tenant).await?;
    let people = People::of(&mut tx, shown.iter().map(|change| change.by)).await?;
    let view = |change: troupe_actors::LastChange| {
        let (by, id) = (people.person(change.by), change.id.to_string());
        LastChangeView { kind: change.kind, id, by, at: change.at }
    };
    Ok(Json(List { items: shown.into_iter().map(view).collect(), next_cursor, total: Some(total) }))
}
