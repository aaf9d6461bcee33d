//! [HIER-1, HIER-2] Workspaces, folders, jobs, workflows: create, find, change, move, delete.

use serde_json::{Map, json};
use troupe_model::{FolderId, JobId, Timestamp, UserId, WorkflowId, WorkspaceId};
use troupe_store::{
    Error, PageRequest, TenantTx,
    folders::{self, FolderChange, FolderFilter, NewFolder},
    jobs::{self, JobChange, JobFilter, NewJob},
    workflows::{self, NewWorkflow, WorkflowChange, WorkflowFilter},
    workspaces::{self, NewWorkspace, WorkspaceChange},
};

use crate::fixture::{Db, at, both_engines, new_workflow};

both_engines! {
    a_workspace_is_created_changed_and_deleted,
    a_workflow_keeps_its_settings,
    a_change_changes_what_it_names,
    a_touch_never_goes_back,
    deleting_a_workspace_hides_everything_in_it,
    deleting_a_folder_hides_the_tree_below_it,
    deleting_a_job_hides_its_workflows,
    a_hidden_workflow_is_revealed,
    nothing_is_created_below_what_is_not_there,
    nothing_moves_to_another_workspace_or_to_what_is_not_there,
    a_folder_does_not_move_below_itself,
    lists_are_filtered_by_parent,
    a_name_with_a_nul_is_kept_or_clearly_refused,
}

/// A tree in one workspace: `outer` holds `inner` and a job; `deep` is in `inner`, `grouped` in the job, `top` in none.
struct Tree {
    workspace: WorkspaceId,
    outer: FolderId,
    inner: FolderId,
    job: JobId,
    deep: WorkflowId,
    grouped: WorkflowId,
    top: WorkflowId,
}

async fn workspace(tx: &mut TenantTx) -> WorkspaceId {
    let new = NewWorkspace { id: WorkspaceId::generate(), name: "w", description: "" };
    workspaces::create(tx, new, at(0)).await.unwrap().id
}

async fn folder(tx: &mut TenantTx, workspace_id: WorkspaceId, parent_id: Option<FolderId>) -> Result<FolderId, Error> {
    let new = NewFolder { id: FolderId::generate(), workspace_id, parent_id, name: "f" };
    Ok(folders::create(tx, new, at(0)).await?.id)
}

async fn job(tx: &mut TenantTx, workspace_id: WorkspaceId, folder_id: Option<FolderId>) -> Result<JobId, Error> {
    let new = NewJob { id: JobId::generate(), workspace_id, folder_id, name: "j", description: "" };
    Ok(jobs::create(tx, new, at(0)).await?.id)
}

async fn workflow(
    tx: &mut TenantTx,
    workspace_id: WorkspaceId,
    folder_id: Option<FolderId>,
    job_id: Option<JobId>,
) -> Result<WorkflowId, Error> {
    let id = WorkflowId::generate();
    let new = NewWorkflow { folder_id, job_id, ..new_workflow(id, workspace_id, "w") };
    workflows::create(tx, new, at(0)).await.map(|workflow| workflow.id)
}

async fn tree(tx: &mut TenantTx) -> Tree {
    let workspace = workspace(tx).await;
    let outer = folder(tx, workspace, None).await.unwrap();
    let inner = folder(tx, workspace, Some(outer)).await.unwrap();
    let job = job(tx, workspace, Some(outer)).await.unwrap();
    Tree {
        workspace,
        outer,
        inner,
        job,
        deep: workflow(tx, workspace, Some(inner), None).await.unwrap(),
        grouped: workflow(tx, workspace, None, Some(job)).await.unwrap(),
        top: workflow(tx, workspace, None, None).await.unwrap(),
    }
}

impl Tree {
    /// Which of workspace, outer, inner, job, deep, grouped, top are to be seen.
    async fn seen(&self, tx: &mut TenantTx) -> [bool; 7] {
        [
            workspaces::find(tx, self.workspace).await.unwrap().is_some(),
            folders::find(tx, self.outer).await.unwrap().is_some(),
            folders::find(tx, self.inner).await.unwrap().is_some(),
            jobs::find(tx, self.job).await.unwrap().is_some(),
            workflows::find(tx, self.deep).await.unwrap().is_some(),
            workflows::find(tx, self.grouped).await.unwrap().is_some(),
            workflows::find(tx, self.top).await.unwrap().is_some(),
        ]
    }

    /// How many folders, jobs and workflows of the workspace the lists show.
    async fn listed(&self, tx: &mut TenantTx) -> [usize; 3] {
        let (all, workspace_id) = (PageRequest::default(), Some(self.workspace));
        [
            folders::list(tx, FolderFilter { workspace_id, parent_id: None }, &all).await.unwrap().items.len(),
            jobs::list(tx, JobFilter { workspace_id, folder_id: None }, &all).await.unwrap().items.len(),
            workflows::list(tx, WorkflowFilter { workspace_id, ..Default::default() }, &all).await.unwrap().items.len(),
        ]
    }
}

/// [HIER-1]
async fn a_workspace_is_created_changed_and_deleted(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let id = WorkspaceId::generate();
    let created =
        workspaces::create(&mut tx, NewWorkspace { id, name: "Sales", description: "d" }, at(1)).await.unwrap();
    assert_eq!((created.name.as_str(), created.created_at, created.updated_at), ("Sales", at(1), at(1)));
    assert_eq!(workspaces::find(&mut tx, id).await.unwrap().as_ref(), Some(&created));

    let rename = WorkspaceChange { name: Some("Größe".to_owned()), description: None };
    let changed = workspaces::update(&mut tx, id, rename, at(2)).await.unwrap().unwrap();
    assert_eq!((changed.name.as_str(), changed.description.as_str(), changed.updated_at), ("Größe", "d", at(2)));
    let found = PageRequest { q: Some("GRÖSSE".to_owned()), ..Default::default() };
    assert_eq!(workspaces::list(&mut tx, &found).await.unwrap().items, [], "ß is not SS in lower case");
    let found = PageRequest { q: Some("GRÖ".to_owned()), ..Default::default() };
    assert_eq!(workspaces::list(&mut tx, &found).await.unwrap().items, [changed], "the new name is found");

    assert_eq!(workspaces::delete(&mut tx, id, at(3)).await.unwrap(), Some(vec![]));
    assert_eq!(workspaces::delete(&mut tx, id, at(4)).await.unwrap(), None, "it is gone already");
    assert_eq!(workspaces::find(&mut tx, id).await.unwrap(), None);
    assert_eq!(workspaces::update(&mut tx, id, WorkspaceChange::default(), at(5)).await.unwrap(), None);
}

/// [HIER-1] Parameters and tags are JSON of any depth.
async fn a_workflow_keeps_its_settings(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let tree = tree(&mut tx).await;
    let parameters = json!({ "since": "2013-01-01", "limits": { "rows": [1, 2.5, null, true] }, "ü\"\\": "\u{1f3ad}" });
    let parameters = parameters.as_object().unwrap();
    let tags = ["daily".to_owned(), "größe".to_owned()];
    let new = NewWorkflow {
        folder_id: Some(tree.inner),
        job_id: Some(tree.job),
        description: "what it is for",
        parameters,
        tags: &tags,
        created_by: tenant.owner.id,
        ..new_workflow(WorkflowId::generate(), tree.workspace, "Delays")
    };
    let created = workflows::create(&mut tx, new, at(7)).await.unwrap();
    let found = workflows::find(&mut tx, new.id).await.unwrap().unwrap();
    assert_eq!(found, created);
    assert_eq!((&found.parameters, found.tags.as_slice()), (parameters, &tags[..]));
    assert_eq!((found.workspace_id, found.folder_id, found.job_id), (tree.workspace, Some(tree.inner), Some(tree.job)));
    assert_eq!((found.created_by, found.created_at, found.revision), (tenant.owner.id, at(7), 1));
}

/// [HIER-1] What a change does not name stays; each change counts.
async fn a_change_changes_what_it_names(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let tree = tree(&mut tx).await;
    let before = workflows::find(&mut tx, tree.deep).await.unwrap().unwrap();

    let nothing = workflows::update(&mut tx, tree.deep, WorkflowChange::default(), at(1)).await.unwrap().unwrap();
    assert_eq!(nothing, workflows::Workflow { updated_at: at(1), revision: 2, ..before });
    let change = WorkflowChange {
        name: Some("Renamed".to_owned()),
        description: Some("described".to_owned()),
        parameters: Some(Map::from_iter([("p".to_owned(), json!(1))])),
        tags: Some(vec!["t".to_owned()]),
        folder_id: Some(None),
        job_id: Some(Some(tree.job)),
    };
    let changed = workflows::update(&mut tx, tree.deep, change, at(2)).await.unwrap().unwrap();
    assert_eq!((changed.name.as_str(), changed.description.as_str(), changed.revision), ("Renamed", "described", 3));
    assert_eq!((changed.folder_id, changed.job_id), (None, Some(tree.job)));
    assert_eq!((changed.parameters["p"].as_i64(), changed.tags.as_slice()), (Some(1), &["t".to_owned()][..]));
    assert_eq!(workflows::find(&mut tx, tree.deep).await.unwrap(), Some(changed));

    let change =
        JobChange { folder_id: Some(Some(tree.inner)), description: Some("d".to_owned()), ..Default::default() };
    let changed = jobs::update(&mut tx, tree.job, change, at(3)).await.unwrap().unwrap();
    assert_eq!((changed.name.as_str(), changed.description.as_str(), changed.folder_id), ("j", "d", Some(tree.inner)));
    let change = FolderChange { name: Some("G".to_owned()), parent_id: Some(None) };
    let changed = folders::update(&mut tx, tree.inner, change, at(4)).await.unwrap().unwrap();
    assert_eq!((changed.name.as_str(), changed.parent_id, changed.updated_at), ("G", None, at(4)));
}

/// Edits of one canvas may be told out of order.
async fn a_touch_never_goes_back(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    assert!(workflows::touch(&mut tx, tenant.workflow, at(9)).await.unwrap());
    assert!(!workflows::touch(&mut tx, tenant.workflow, at(5)).await.unwrap());
    assert!(!workflows::touch(&mut tx, WorkflowId::generate(), at(9)).await.unwrap());
    let updated = async |tx: &mut TenantTx| -> (Timestamp, i64) {
        let workflow = workflows::find(tx, tenant.workflow).await.unwrap().unwrap();
        (workflow.updated_at, workflow.revision)
    };
    assert_eq!(updated(&mut tx).await, (at(9), 1));
    workflows::update(&mut tx, tenant.workflow, WorkflowChange::default(), at(6)).await.unwrap();
    assert_eq!(updated(&mut tx).await, (at(9), 2));
}

/// [HIER-2]
async fn deleting_a_workspace_hides_everything_in_it(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let (tree, untouched) = (tree(&mut tx).await, tree(&mut tx).await);
    let deleted = workspaces::delete(&mut tx, tree.workspace, at(1)).await.unwrap().unwrap();
    assert_eq!(deleted.len(), 3, "all that were in it");
    assert_eq!((tree.seen(&mut tx).await, tree.listed(&mut tx).await), ([false; 7], [0, 0, 0]));
    assert_eq!((untouched.seen(&mut tx).await, untouched.listed(&mut tx).await), ([true; 7], [2, 1, 3]));
}

/// [HIER-2]
async fn deleting_a_folder_hides_the_tree_below_it(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let (tree, untouched) = (tree(&mut tx).await, tree(&mut tx).await);
    assert_eq!(folders::delete(&mut tx, tree.inner, at(1)).await.unwrap(), Some(vec![tree.deep]));
    assert_eq!(tree.seen(&mut tx).await, [true, true, false, true, false, true, true]);
    assert_eq!(folders::delete(&mut tx, tree.inner, at(2)).await.unwrap(), None);
    assert_eq!(folders::delete(&mut tx, tree.outer, at(2)).await.unwrap(), Some(vec![tree.grouped]));
    assert_eq!(tree.seen(&mut tx).await, [true, false, false, false, false, false, true]);
    assert_eq!((untouched.seen(&mut tx).await, untouched.listed(&mut tx).await), ([true; 7], [2, 1, 3]));
}

/// [HIER-2]
async fn deleting_a_job_hides_its_workflows(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let tree = tree(&mut tx).await;
    assert_eq!(jobs::delete(&mut tx, tree.job, at(1)).await.unwrap(), Some(vec![tree.grouped]));
    assert_eq!(jobs::delete(&mut tx, tree.job, at(2)).await.unwrap(), None);
    assert_eq!(tree.seen(&mut tx).await, [true, true, true, false, true, false, true]);
    assert!(workflows::delete(&mut tx, tree.top, at(3)).await.unwrap());
    assert!(!workflows::delete(&mut tx, tree.top, at(4)).await.unwrap());
    assert_eq!(tree.listed(&mut tx).await, [2, 0, 1]);
}

/// [CANVAS-8] A workflow that is being made is seen when it is whole, unless what it is in was deleted meanwhile.
async fn a_hidden_workflow_is_revealed(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let tree = tree(&mut tx).await;
    for hidden in [tree.top, tree.deep, tree.grouped] {
        assert!(workflows::delete(&mut tx, hidden, at(5)).await.unwrap());
        assert!(!workflows::reveal(&mut tx, hidden, at(4)).await.unwrap(), "it was hidden at another time");
        assert_eq!(workflows::find(&mut tx, hidden).await.unwrap(), None);
        assert!(workflows::reveal(&mut tx, hidden, at(5)).await.unwrap());
        assert!(workflows::find(&mut tx, hidden).await.unwrap().is_some());
        assert!(!workflows::reveal(&mut tx, hidden, at(5)).await.unwrap(), "it is not hidden");
        assert!(workflows::delete(&mut tx, hidden, at(6)).await.unwrap());
    }
    folders::delete(&mut tx, tree.inner, at(7)).await.unwrap();
    jobs::delete(&mut tx, tree.job, at(7)).await.unwrap();
    assert!(!workflows::reveal(&mut tx, tree.deep, at(6)).await.unwrap());
    assert!(!workflows::reveal(&mut tx, tree.grouped, at(6)).await.unwrap());
    workspaces::delete(&mut tx, tree.workspace, at(7)).await.unwrap();
    assert!(!workflows::reveal(&mut tx, tree.top, at(6)).await.unwrap());
}

fn no_parent<T>(outcome: Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::NoSuchParent))
}

/// [HIER-1, HIER-2] A parent that is deleted, unknown or in another workspace takes no child.
async fn nothing_is_created_below_what_is_not_there(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let (tree, elsewhere, gone) = (tree(&mut tx).await, tree(&mut tx).await, tree(&mut tx).await);
    workspaces::delete(&mut tx, gone.workspace, at(1)).await.unwrap();
    let here = tree.workspace;

    for workspace in [gone.workspace, WorkspaceId::generate()] {
        assert!(no_parent(folder(&mut tx, workspace, None).await));
        assert!(no_parent(job(&mut tx, workspace, None).await));
        assert!(no_parent(workflow(&mut tx, workspace, None, None).await));
    }
    for parent in [gone.outer, elsewhere.outer, FolderId::generate()] {
        assert!(no_parent(folder(&mut tx, here, Some(parent)).await));
        assert!(no_parent(job(&mut tx, here, Some(parent)).await));
        assert!(no_parent(workflow(&mut tx, here, Some(parent), None).await));
    }
    for parent in [gone.job, elsewhere.job, JobId::generate()] {
        assert!(no_parent(workflow(&mut tx, here, None, Some(parent)).await));
    }
    assert_eq!(tree.listed(&mut tx).await, [2, 1, 3]);
}

/// [HIER-1]
async fn nothing_moves_to_another_workspace_or_to_what_is_not_there(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let (tree, elsewhere, gone) = (tree(&mut tx).await, tree(&mut tx).await, tree(&mut tx).await);
    workspaces::delete(&mut tx, gone.workspace, at(1)).await.unwrap();
    for folder in [gone.outer, elsewhere.outer, FolderId::generate()] {
        let to = Some(Some(folder));
        let change = FolderChange { parent_id: to, ..Default::default() };
        assert!(no_parent(folders::update(&mut tx, tree.inner, change, at(2)).await));
        assert!(no_parent(
            jobs::update(&mut tx, tree.job, JobChange { folder_id: to, ..Default::default() }, at(2)).await
        ));
        let change = WorkflowChange { folder_id: to, ..Default::default() };
        assert!(no_parent(workflows::update(&mut tx, tree.top, change, at(2)).await));
    }
    for job in [gone.job, elsewhere.job, JobId::generate()] {
        let change = WorkflowChange { job_id: Some(Some(job)), ..Default::default() };
        assert!(no_parent(workflows::update(&mut tx, tree.top, change, at(2)).await));
    }
    let missing = workflows::update(&mut tx, WorkflowId::generate(), WorkflowChange::default(), at(2)).await.unwrap();
    assert_eq!(missing, None);
}

/// [HIER-1]
async fn a_folder_does_not_move_below_itself(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let tree = tree(&mut tx).await;
    let deepest = folder(&mut tx, tree.workspace, Some(tree.inner)).await.unwrap();
    for parent in [tree.outer, tree.inner, deepest] {
        let change = FolderChange { parent_id: Some(Some(parent)), ..Default::default() };
        let refused = folders::update(&mut tx, tree.outer, change, at(1)).await;
        assert!(matches!(refused, Err(Error::FolderCycle)), "{refused:?}");
    }
    let change = FolderChange { parent_id: Some(Some(tree.outer)), ..Default::default() };
    let moved = folders::update(&mut tx, deepest, change, at(1)).await.unwrap().unwrap();
    assert_eq!(moved.parent_id, Some(tree.outer));
}

/// [HIER-3]
async fn lists_are_filtered_by_parent(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let tree = tree(&mut tx).await;
    let all = PageRequest::default();
    let by = |filter: WorkflowFilter| filter;
    for (filter, expected) in [
        (by(WorkflowFilter { folder_id: Some(tree.inner), ..Default::default() }), vec![tree.deep]),
        (by(WorkflowFilter { job_id: Some(tree.job), ..Default::default() }), vec![tree.grouped]),
        (by(WorkflowFilter { job_id: Some(tree.job), folder_id: Some(tree.inner), workspace_id: None }), vec![]),
        (by(WorkflowFilter { workspace_id: Some(tenant.workspace), ..Default::default() }), vec![tenant.workflow]),
    ] {
        let found = workflows::list(&mut tx, filter, &all).await.unwrap().items;
        assert_eq!(found.iter().map(|workflow| workflow.id).collect::<Vec<_>>(), expected);
    }
    let inside = FolderFilter { parent_id: Some(tree.outer), workspace_id: None };
    assert_eq!(folders::list(&mut tx, inside, &all).await.unwrap().items[0].id, tree.inner);
    let inside = JobFilter { folder_id: Some(tree.outer), workspace_id: None };
    assert_eq!(jobs::list(&mut tx, inside, &all).await.unwrap().items[0].id, tree.job);
}

/// PostgreSQL's text holds no NUL: the error says so, and says nothing of SQL.
async fn a_name_with_a_nul_is_kept_or_clearly_refused(db: &Db) {
    let tenant = db.tenant("acme").await;
    let parameters = Map::from_iter([("p".to_owned(), json!("a\0b"))]);
    for (name, parameters) in [("a\0b", &Map::new()), ("ab", &parameters)] {
        let mut tx = db.store.begin(tenant.id).await.unwrap();
        let id = WorkflowId::generate();
        let new =
            NewWorkflow { parameters, created_by: UserId::generate(), ..new_workflow(id, tenant.workspace, name) };
        match workflows::create(&mut tx, new, at(0)).await {
            Ok(created) => assert_eq!((created.name.as_str(), &created.parameters), (name, parameters)),
            Err(error) => {
                assert!(matches!(error, Error::NulCharacter), "{error:?}");
                assert_eq!(error.to_string(), "the text holds a NUL character");
            }
        }
    }
}
