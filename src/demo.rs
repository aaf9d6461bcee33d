//! The demo tenant: on the embedded store, and only when it is empty. Its workspace holds the examples.

use std::{borrow::Cow, path::Path};

use anyhow::{Context, anyhow};
use rust_embed::RustEmbed;
use troupe_actors::{Asker, DiagramEdit};
use troupe_model::{WorkflowId, WorkspaceId, workflow_file::WorkflowFile};
use troupe_store::{
    Engine, tenants,
    users::User,
    workflows::{self, NewWorkflow},
    workspaces::{self, NewWorkspace},
};

use crate::{
    app::App,
    auth::{
        accounts::{self, NewPerson},
        keys,
    },
    problem::Problem,
};

#[derive(RustEmbed)]
#[folder = "examples/nycflights13"]
struct Example;

const WORKFLOW_SUFFIX: &str = ".wflow.json";
const DATA_SUFFIXES: [&str; 2] = [".csv", ".csv.gz"];

/// How to sign in. No `Debug`: it may hold a password.
pub struct Seeded {
    pub email: String,
    /// `None`: the configured one.
    pub generated_password: Option<String>,
}

pub async fn seed_if_empty(app: &App) -> anyhow::Result<Option<Seeded>> {
    let config = &app.config().demo;
    if !config.enabled || app.store().engine() != Engine::Sqlite {
        return Ok(None);
    }
    let mut tx = app.store().read_system().await?;
    let tenants = tenants::count(&mut tx).await?;
    drop(tx);
    if tenants > 0 {
        return Ok(None);
    }
    let (password, generated_password) = match &config.password {
        Some(configured) => (configured.expose().to_owned(), None),
        None => {
            let generated = keys::password();
            (generated.clone(), Some(generated))
        }
    };
    seed(app, config.email.clone(), password).await?;
    Ok(Some(Seeded { email: config.email.clone(), generated_password }))
}

async fn seed(app: &App, owner_email: String, owner_password: String) -> anyhow::Result<()> {
    let owner = NewPerson { name: "Demo".to_owned(), email: owner_email, password: owner_password };
    let owner = accounts::open(app, "Demo".to_owned(), owner).await.map_err(told)?;
    let folder = app.config().files_root().join(owner.tenant_id.to_string());
    tokio::task::spawn_blocking(move || write_data(&folder)).await??;
    let workspace = add_workspace(app, &owner).await?;
    for name in Example::iter().filter(|name| name.ends_with(WORKFLOW_SUFFIX)) {
        let content = content(&name)?;
        let file: WorkflowFile = serde_json::from_slice(&content).with_context(|| format!("example `{name}`"))?;
        add_workflow(app, &owner, workspace, file).await.with_context(|| format!("example `{name}`"))?;
    }
    Ok(())
}

fn write_data(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    for name in Example::iter().filter(|name| DATA_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))) {
        let path = folder.join(&*name);
        std::fs::write(&path, content(&name)?).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

async fn add_workspace(app: &App, owner: &User) -> anyhow::Result<WorkspaceId> {
    let new = NewWorkspace {
        id: WorkspaceId::generate(),
        name: "Examples",
        description: "Flights out of New York in 2013: change them, run them, break them.",
    };
    let mut tx = app.store().begin(owner.tenant_id).await?;
    let workspace = workspaces::create(&mut tx, new, app.clock().now()).await?;
    tx.commit().await?;
    Ok(workspace.id)
}

async fn add_workflow(app: &App, owner: &User, workspace: WorkspaceId, file: WorkflowFile) -> anyhow::Result<()> {
    let new = NewWorkflow {
        id: WorkflowId::generate(),
        workspace_id: workspace,
        folder_id: None,
        job_id: None,
        name: &file.name,
        description: &file.description,
        parameters: &file.parameters,
        tags: &file.tags,
        created_by: owner.id,
    };
    let mut tx = app.store().begin(owner.tenant_id).await?;
    let workflow = workflows::create(&mut tx, new, app.clock().now()).await?;
    tx.commit().await?;
    let edit = DiagramEdit::Replace(file.diagram);
    app.system().edit_diagram(Asker { tenant: owner.tenant_id, user: Some(owner.id) }, workflow.id, None, edit).await?;
    Ok(())
}

fn content(name: &str) -> anyhow::Result<Cow<'static, [u8]>> {
    Ok(Example::get(name).with_context(|| format!("`{name}` is not embedded"))?.data)
}

fn told(problem: Problem) -> anyhow::Error {
    anyhow!("{}", problem.detail())
}
