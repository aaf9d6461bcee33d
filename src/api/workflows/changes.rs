//! `GET /api/v1/workflows/{workflow}/changes`: who changed what since the published version [CANVAS-7].

use std::collections::HashMap;

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue},
};
use serde::Serialize;
use troupe_actors::{Change, Lent, task};
use troupe_model::{Diagram, ElementKind, Timestamp, Touch, UserId, WorkflowId};
use troupe_store::{TenantTx, versions};
use utoipa::ToSchema;

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
        revision,
    },
    problem::Problem,
};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Change)]
pub struct ChangeView {
    by: Person,
    kind: ElementKind,
    id: String,
    /// What the editor calls it: a node's label, or the labels at both ends of an edge.
    label: Option<String>,
    change: Touch,
    /// The last time.
    at: Timestamp,
}

/// Sorted by author. The `ETag` is the diagram's revision: publish with it as `If-Match`.
#[utoipa::path(get, path = "/workflows/{workflow}/changes", tag = "versions", operation_id = "list_changes",
    params(("workflow" = WorkflowId, Path), SliceParams),
    responses((status = 200, body = List<ChangeView>, headers(("ETag" = String, description = "The revision")))))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
    Query(slice): Query<SliceParams>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<List<ChangeView>>), Problem> {
    find(&app, caller.tenant, id).await?;
    let limit = slice.limit()? as usize;
    let behind = slice.cursor(Behind::parse)?;
    let (changes, revision) = app.system().changes(caller.asker(), id).await?;
    let total = changes.len() as u64;
    let mut page = changes.into_iter().filter(|change| behind.as_ref().is_none_or(|behind| behind.is_before(change)));
    let shown: Vec<Change> = page.by_ref().take(limit).collect();
    let next_cursor = shown.last().filter(|_| page.next().is_some()).map(cursor);

    let Lent { value: (diagram, _), loan: _loan } = app.system().diagram(caller.asker(), id).await?;
    let mut tx = app.store().read(caller.tenant).await?;
    let is_removed = |change: &Change| change.touch == Touch::Removed;
    let before = if shown.iter().any(is_removed) { published(&mut tx, id).await? } else { None };
    let people = People::of(&mut tx, shown.iter().map(|change| change.by)).await?;
    let items = task::long(move || {
        let (now, before) = (Labels::of(diagram), before.map(Labels::of));
        let labels = |change: &Change| if is_removed(change) { before.as_ref() } else { Some(&now) };
        let view = |change: &Change| view(change, labels(change).and_then(|labels| labels.label(change)), &people);
        shown.iter().map(view).collect()
    });
    Ok(([revision::etag(revision)], Json(List { items, next_cursor, total: Some(total) })))
}

fn view(change: &Change, label: Option<String>, people: &People) -> ChangeView {
    ChangeView {
        by: people.person(change.by),
        kind: change.kind,
        id: change.id.to_string(),
        label,
        change: change.touch,
        at: change.at,
    }
}

/// What the editor calls the elements of a diagram.
struct Labels {
    /// Node → label.
    nodes: HashMap<String, String>,
    /// Edge → the nodes at its ends.
    edges: HashMap<String, (String, String)>,
}

impl Labels {
    fn of(diagram: Diagram) -> Self {
        Self {
            nodes: diagram.nodes.into_iter().map(|node| (node.id, node.data.label)).collect(),
            edges: diagram.edges.into_iter().map(|edge| (edge.id, (edge.source, edge.target))).collect(),
        }
    }

    fn label(&self, change: &Change) -> Option<String> {
        let node = |id: &str| self.nodes.get(id).cloned();
        match change.kind {
            ElementKind::Node => node(&change.id),
            ElementKind::Edge => {
                let (source, target) = self.edges.get(&*change.id)?;
                Some(format!("{} → {}", node(source)?, node(target)?))
            }
            ElementKind::Note => None,
        }
    }
}

/// The diagram of the published version, where what was removed since is still in.
async fn published(tx: &mut TenantTx, workflow: WorkflowId) -> Result<Option<Diagram>, Problem> {
    match versions::latest(tx, workflow).await? {
        Some(version) => Ok(versions::diagram(tx, workflow, version.number).await?),
        None => Ok(None),
    }
}

/// Where a page begins: the author and element that ended the one before.
struct Behind {
    by: UserId,
    kind: ElementKind,
    id: String,
}

impl Behind {
    /// `{author}.{kind}.{id}`
    fn parse(cursor: &str) -> Option<Self> {
        let (by, rest) = cursor.split_once('.')?;
        let (kind, id) = rest.split_once('.')?;
        Some(Self { by: by.parse().ok()?, kind: ElementKind::parse(kind)?, id: id.to_owned() })
    }

    fn is_before(&self, change: &Change) -> bool {
        (self.by, self.kind, self.id.as_str()) < (change.by, change.kind, &*change.id)
    }
}

fn cursor(last: &Change) -> String {
    format!("{}.{}.{}", last.by, last.kind.name(), last.id)
}
