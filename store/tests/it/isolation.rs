//! [TEN-1] One tenant's transaction finds nothing of another's, by any function, and on PostgreSQL by any statement.

use sqlx::{AssertSqlSafe, ConnectOptions, query, query_scalar};
use troupe_model::{
    Diagram, FolderId, JobId, LogEntry, LogLevel, RunEvent, RunEventKind, RunId, TenantId, UserId, WorkflowId,
};
use troupe_store::{
    Engine, Error, PageRequest, TenantTx,
    canvas::{
        self, Append, NewSnapshot, StoredCanvas,
        trouble::{self, HeldBack},
    },
    folders::{self, FolderChange, FolderFilter, NewFolder},
    jobs::{self, JobChange, JobFilter, NewJob},
    leases::LeaseKind,
    refresh_tokens::{self, Bearer},
    runs::{self, LogFilter, NodeRunRow, RunBatch, RunFilter},
    users,
    versions::{self, NewVersion},
    workflows::{self, NewWorkflow, WorkflowChange, WorkflowFilter},
    workspaces::{self, NewWorkspace, WorkspaceChange},
};

use crate::fixture::{Db, Raw, Tenant, at, both_engines, new_run, new_workflow};

both_engines! {
    another_tenants_rows_are_not_found,
    another_tenants_rows_are_not_changed,
    nothing_hangs_below_another_tenants_rows,
    the_servers_own_functions_keep_tenants_apart,
    a_tenant_that_does_not_exist_finds_nothing,
}

/// A tenant with a row in every table that has a `tenant_id`.
struct Full {
    tenant: Tenant,
    folder: FolderId,
    job: JobId,
    run: RunId,
}

const LINE: &str = "a line";

async fn full(db: &Db, name: &str) -> Full {
    let tenant = db.tenant(name).await;
    let (folder, job, workspace_id) = (FolderId::generate(), JobId::generate(), tenant.workspace);
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let new = NewFolder { id: folder, workspace_id, parent_id: None, name };
    folders::create(&mut tx, new, at(0)).await.unwrap();
    let new = NewJob { id: job, workspace_id, folder_id: Some(folder), name, description: "" };
    jobs::create(&mut tx, new, at(0)).await.unwrap();
    tx.commit().await.unwrap();

    let run = db.run(&tenant, 0).await;
    let (run_epoch, epoch) = (db.own_run(&tenant, run).await, db.own_workflow(&tenant).await);
    let mut tx = db.store.begin_system().await.unwrap();
    let bearer =
        Bearer { tenant_id: tenant.id, user_id: tenant.owner.id, family: troupe_model::TokenFamilyId::generate() };
    refresh_tokens::issue(&mut tx, bearer, &name.into(), at(0), at(9)).await.unwrap();
    let updates = [1, 2].map(|seq| Append {
        tenant: tenant.id,
        workflow: tenant.workflow,
        epoch,
        seq,
        user: None,
        bytes: b"x",
        part: canvas::Part::WHOLE,
        at: at(0),
    });
    assert_eq!(canvas::append(&mut tx, &updates).await.unwrap(), [true, true]);
    tx.commit().await.unwrap();
    assert!(canvas::put_snapshot(&db.store, snapshot(tenant.id, tenant.workflow, epoch)).await.unwrap());
    let mut tx = db.store.begin_system().await.unwrap();
    let version = versions::publish(&mut tx, version(&tenant, tenant.workflow, epoch)).await.unwrap();
    assert_eq!(version.unwrap().number, 1);
    assert!(runs::append_events(&mut tx, &journal(tenant.id, run, run_epoch)).await.unwrap());
    runs::append_logs(&mut tx, tenant.id, run, &[line()]).await.unwrap();
    let held = HeldBack { reason: "x".to_owned(), at: at(0), diagram: None, seq: 1 };
    trouble::hold_back(&mut tx, tenant.id, tenant.workflow, &held).await.unwrap();
    tx.commit().await.unwrap();
    Full { tenant, folder, job, run }
}

fn snapshot(tenant: TenantId, workflow: WorkflowId, epoch: i64) -> NewSnapshot<'static> {
    let at = at(0);
    NewSnapshot {
        tenant,
        workflow,
        epoch,
        seq: 1,
        // So large that it has parts.
        bytes: &[0; 1 << 20],
        hash: b"",
        document_epoch: 0,
        clients: b"",
        authors: b"",
        at,
    }
}

fn version(tenant: &Tenant, workflow: WorkflowId, epoch: i64) -> NewVersion<'static> {
    static DIAGRAM: std::sync::LazyLock<Diagram> = std::sync::LazyLock::new(Diagram::default);
    let (tenant, by) = (tenant.id, tenant.owner.id);
    NewVersion { tenant, workflow, epoch, seq: 1, note: "", diagram: &DIAGRAM, authors: &[], by, at: at(0) }
}

fn journal(tenant: TenantId, run: RunId, epoch: i64) -> RunBatch<'static> {
    static EVENTS: [RunEvent; 1] = [RunEvent { seq: 1, at: at(0), kind: RunEventKind::RunStarted }];
    static NODES: std::sync::LazyLock<[NodeRunRow; 1]> = std::sync::LazyLock::new(|| {
        [NodeRunRow {
            node: "a".to_owned(),
            node_type: "filter".to_owned(),
            status: troupe_model::NodeStatus::Running,
            attempt: 1,
            started_at: None,
            finished_at: None,
            metrics: Default::default(),
            outputs: Vec::new(),
            failure: None,
        }]
    });
    let (status, started_at) = (Some(troupe_model::RunStatus::Running), Some(at(0)));
    let (events, node_runs) = (&EVENTS[..], &NODES[..]);
    RunBatch { tenant, run, epoch, events, status, started_at, finished_at: None, failure: None, node_runs }
}

fn line() -> LogEntry {
    LogEntry { seq: 1, at: at(0), level: LogLevel::Info, node_id: None, message: LINE.to_owned() }
}

/// What of `full` a transaction finds, by every function that reads.
async fn finds(tx: &mut TenantTx, full: &Full) -> Vec<&'static str> {
    let (all, workflow, run) = (PageRequest { total: true, ..Default::default() }, full.tenant.workflow, full.run);
    let (by_workspace, by_folder) = (Some(full.tenant.workspace), Some(full.folder));
    let folders_of = FolderFilter { workspace_id: by_workspace, parent_id: None };
    let jobs_of = JobFilter { workspace_id: by_workspace, folder_id: by_folder };
    let workflows_of = WorkflowFilter { workspace_id: by_workspace, ..Default::default() };
    let runs_of = RunFilter { workflow_id: Some(workflow), status: None };
    let any = LogFilter::default();
    let held_back = trouble::held_back(tx, None, 9).await.unwrap();
    let counted = |total: Option<u64>| total != Some(0);
    [
        ("users::find", users::find(tx, full.tenant.owner.id).await.unwrap().is_some()),
        ("users::list", users::list(tx, &all).await.unwrap().items.contains(&full.tenant.owner)),
        ("users::names", !users::names(tx, [full.tenant.owner.id]).await.unwrap().is_empty()),
        ("workspaces::find", workspaces::find(tx, full.tenant.workspace).await.unwrap().is_some()),
        (
            "workspaces::list",
            workspaces::list(tx, &all).await.unwrap().items.iter().any(|row| row.id == full.tenant.workspace),
        ),
        ("folders::find", folders::find(tx, full.folder).await.unwrap().is_some()),
        ("folders::list", counted(folders::list(tx, folders_of, &all).await.unwrap().total)),
        ("jobs::find", jobs::find(tx, full.job).await.unwrap().is_some()),
        ("jobs::list", counted(jobs::list(tx, jobs_of, &all).await.unwrap().total)),
        ("workflows::find", workflows::find(tx, workflow).await.unwrap().is_some()),
        ("workflows::list", counted(workflows::list(tx, workflows_of, &all).await.unwrap().total)),
        ("canvas::load", canvas::load(tx, workflow).await.unwrap() != StoredCanvas::default()),
        ("canvas::stored_bytes", canvas::stored_bytes(tx, workflow).await.unwrap() > 1 << 20),
        ("trouble::find", trouble::find(tx, workflow).await.unwrap().is_some()),
        ("trouble::held_back", held_back.iter().any(|listed| listed.workflow == workflow)),
        ("versions::find", versions::find(tx, workflow, 1).await.unwrap().is_some()),
        ("versions::latest", versions::latest(tx, workflow).await.unwrap().is_some()),
        ("versions::list", !versions::list(tx, workflow, None, 9).await.unwrap().items.is_empty()),
        ("versions::count", versions::count(tx, workflow).await.unwrap() > 0),
        ("versions::diagram_bytes", versions::diagram_bytes(tx, workflow, 1).await.unwrap().is_some()),
        ("versions::diagram", versions::diagram(tx, workflow, 1).await.unwrap().is_some()),
        ("runs::find", runs::find(tx, run).await.unwrap().is_some()),
        ("runs::latest", runs::latest(tx, workflow).await.unwrap().is_some()),
        ("runs::diagram_bytes", runs::diagram_bytes(tx, run).await.unwrap().is_some()),
        ("runs::diagram", runs::diagram(tx, run).await.unwrap().is_some()),
        ("runs::list", counted(runs::list(tx, runs_of, &all).await.unwrap().total)),
        ("runs::events", !runs::events(tx, run, 0, 9).await.unwrap().is_empty()),
        ("runs::node_runs_after", !runs::node_runs_after(tx, run, "", i64::MAX).await.unwrap().is_empty()),
        ("runs::node_runs_of", !runs::node_runs_of(tx, run, &["a"]).await.unwrap().is_empty()),
        ("runs::logs", !runs::logs(tx, run, &any, None, 9).await.unwrap().is_empty()),
        ("runs::last_log_seq", runs::last_log_seq(tx, run).await.unwrap() != 0),
    ]
    .into_iter()
    .filter_map(|(function, found)| found.then_some(function))
    .collect()
}

const READS: usize = 31;

/// [TEN-1]
async fn another_tenants_rows_are_not_found(db: &Db) {
    let (acme, other) = (full(db, "acme").await, full(db, "other").await);
    for writing in [true, false] {
        let begin = async |tenant: &Full| match writing {
            true => db.store.begin(tenant.tenant.id).await.unwrap(),
            false => db.store.read(tenant.tenant.id).await.unwrap(),
        };
        assert_eq!(finds(&mut begin(&acme).await, &acme).await.len(), READS, "a tenant finds all of its own");
        assert_eq!(finds(&mut begin(&other).await, &acme).await, [""; 0]);
    }
}

/// [TEN-1]
async fn a_tenant_that_does_not_exist_finds_nothing(db: &Db) {
    let acme = full(db, "acme").await;
    let mut tx = db.store.begin(TenantId::generate()).await.unwrap();
    assert_eq!(finds(&mut tx, &acme).await, [""; 0]);
    let new = NewWorkspace { id: troupe_model::WorkspaceId::generate(), name: "w", description: "" };
    let refused = workspaces::create(&mut tx, new, at(0)).await;
    assert!(matches!(refused, Err(Error::NoSuchParent)), "{refused:?}");
}

/// [TEN-1] By every function that changes or deletes.
async fn another_tenants_rows_are_not_changed(db: &Db) {
    let (acme, other) = (full(db, "acme").await, full(db, "other").await);
    let mut tx = db.store.begin(other.tenant.id).await.unwrap();
    let (workspace, workflow, now) = (acme.tenant.workspace, acme.tenant.workflow, at(99));
    assert_eq!(workspaces::update(&mut tx, workspace, WorkspaceChange::default(), now).await.unwrap(), None);
    assert_eq!(folders::update(&mut tx, acme.folder, FolderChange::default(), now).await.unwrap(), None);
    assert_eq!(jobs::update(&mut tx, acme.job, JobChange::default(), now).await.unwrap(), None);
    assert_eq!(workflows::update(&mut tx, workflow, WorkflowChange::default(), now).await.unwrap(), None);
    assert!(!workflows::touch(&mut tx, workflow, now).await.unwrap());
    assert!(!workflows::delete(&mut tx, workflow, now).await.unwrap());
    assert_eq!(jobs::delete(&mut tx, acme.job, now).await.unwrap(), None);
    assert_eq!(folders::delete(&mut tx, acme.folder, now).await.unwrap(), None);
    assert_eq!(workspaces::delete(&mut tx, workspace, now).await.unwrap(), None);
    tx.commit().await.unwrap();

    let mut tx = db.store.read(acme.tenant.id).await.unwrap();
    assert_eq!(finds(&mut tx, &acme).await.len(), READS);
    assert_eq!(workflows::find(&mut tx, workflow).await.unwrap().unwrap().updated_at, at(0));
    assert_eq!(workspaces::find(&mut tx, workspace).await.unwrap().unwrap().updated_at, at(0));
}

/// [TEN-1] By every function that creates or moves.
async fn nothing_hangs_below_another_tenants_rows(db: &Db) {
    let (acme, other) = (full(db, "acme").await, full(db, "other").await);
    let mut tx = db.store.begin(other.tenant.id).await.unwrap();
    let refused = |outcome: Result<(), Error>| assert!(matches!(outcome, Err(Error::NoSuchParent)), "{outcome:?}");
    let (theirs, mine, now) = (acme.tenant.workspace, other.tenant.workspace, at(99));

    for (workspace_id, parent_id) in [(theirs, None), (mine, Some(acme.folder)), (theirs, Some(acme.folder))] {
        let new = NewFolder { id: FolderId::generate(), workspace_id, parent_id, name: "x" };
        refused(folders::create(&mut tx, new, now).await.map(drop));
        let new = NewJob { id: JobId::generate(), workspace_id, folder_id: parent_id, name: "x", description: "" };
        refused(jobs::create(&mut tx, new, now).await.map(drop));
        let new = new_workflow(WorkflowId::generate(), workspace_id, "x");
        refused(workflows::create(&mut tx, NewWorkflow { folder_id: parent_id, ..new }, now).await.map(drop));
    }
    let new = new_workflow(WorkflowId::generate(), mine, "x");
    refused(workflows::create(&mut tx, NewWorkflow { job_id: Some(acme.job), ..new }, now).await.map(drop));
    refused(runs::create(&mut tx, new_run(RunId::generate(), acme.tenant.workflow, 0)).await.map(drop));

    let to = Some(Some(acme.folder));
    let change = FolderChange { parent_id: to, ..Default::default() };
    refused(folders::update(&mut tx, other.folder, change, now).await.map(drop));
    let change = JobChange { folder_id: to, ..Default::default() };
    refused(jobs::update(&mut tx, other.job, change, now).await.map(drop));
    let moves = [
        WorkflowChange { folder_id: to, ..Default::default() },
        WorkflowChange { job_id: Some(Some(acme.job)), ..Default::default() },
    ];
    for change in moves {
        refused(workflows::update(&mut tx, other.tenant.workflow, change, now).await.map(drop));
    }
}

/// [TEN-1] Functions of the server itself are told the tenant, and hold to it.
async fn the_servers_own_functions_keep_tenants_apart(db: &Db) {
    let (acme, other) = (full(db, "acme").await, full(db, "other").await);
    let run = Full { run: acme.run, ..full(db, "third").await };
    let epoch = db.own_run(&run.tenant, acme.run).await;
    let mut tx = db.store.begin_system().await.unwrap();
    let forged = RunBatch { events: &[], node_runs: &[], ..journal(run.tenant.id, acme.run, epoch) };
    assert!(!runs::append_events(&mut tx, &forged).await.unwrap(), "the lease is real, the run is another tenant's");
    assert_eq!(runs::last_event_seq(&mut tx, other.tenant.id, acme.run).await.unwrap(), 0);
    let refused = runs::append_logs(&mut tx, other.tenant.id, acme.run, &[line()]).await;
    assert!(matches!(refused, Err(Error::NoSuchParent)), "{refused:?}");
    drop(tx);

    let id = *acme.tenant.workflow.as_uuid();
    let server = troupe_model::ServerId::generate();
    let epoch = db.acquire(LeaseKind::Workflow, id, other.tenant.id, server, 0).await.unwrap();
    let put = canvas::put_snapshot(&db.store, snapshot(other.tenant.id, acme.tenant.workflow, epoch)).await;
    assert!(matches!(put, Err(Error::NoSuchParent)), "{put:?}");
    let mut tx = db.store.begin_system().await.unwrap();
    let published = versions::publish(&mut tx, version(&other.tenant, acme.tenant.workflow, epoch)).await;
    assert!(matches!(published, Err(Error::NoSuchParent)), "{published:?}");
    drop(tx);
    let mut tx = db.store.begin_system().await.unwrap();
    let failed = trouble::failed(&mut tx, other.tenant.id, acme.tenant.workflow).await;
    assert!(matches!(failed, Err(Error::NoSuchParent)), "{failed:?}");
}

/// Tests that only PostgreSQL can fail.
mod postgres_only {
    use super::*;
    use crate::fixture;

    const TENANT_TABLES: &str = "SELECT table_name::text FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY table_name";

    async fn raw(db: &Db) -> sqlx::PgConnection {
        let Raw::Postgres(options) = &db.raw else { panic!("this test is PostgreSQL's") };
        options.connect().await.unwrap()
    }

    async fn count(tx: &mut TenantTx, table: &str) -> i64 {
        let count = query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}")));
        count.fetch_one(tx.postgres().unwrap()).await.unwrap()
    }

    /// [TEN-1] A statement that names no tenant sees the rows of the transaction's tenant only, in every table.
    #[test]
    fn a_statement_without_a_tenant_sees_only_its_own() {
        fixture::run(Engine::Postgres, async |db: &Db| {
            let acme = full(db, "acme").await;
            let tables: Vec<String> = query_scalar(TENANT_TABLES).fetch_all(&mut raw(db).await).await.unwrap();
            assert_eq!(tables.len(), 16, "{tables:?}");

            let mut own = db.store.read(acme.tenant.id).await.unwrap();
            let mut other = db.store.read(TenantId::generate()).await.unwrap();
            for table in &tables {
                assert!(count(&mut own, table).await > 0, "{table} has a row of this tenant");
                assert_eq!(count(&mut other, table).await, 0, "{table}");
            }
        });
    }

    /// [TEN-1] Row-level security is on and binds the tables' owner too.
    #[test]
    fn every_tenant_table_is_isolated_by_force() {
        fixture::run(Engine::Postgres, async |db: &Db| {
            let open: Vec<String> = query_scalar(
                "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND NOT (relrowsecurity AND relforcerowsecurity)
                AND relnamespace = 'public'::regnamespace ORDER BY relname",
            )
            .fetch_all(&mut raw(db).await)
            .await
            .unwrap();
            assert_eq!(open, ["_sqlx_migrations", "tenants"]);
            let role: (bool, bool, bool) = sqlx::query_as(
                "SELECT rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = 'troupe_tenant'",
            )
            .fetch_one(&mut raw(db).await)
            .await
            .unwrap();
            assert_eq!(role, (false, false, false));
        });
    }

    /// [TEN-1] Control tables, and writing where only the server writes, are out of a tenant's reach.
    #[test]
    fn a_tenants_transaction_has_no_more_rights_than_it_needs() {
        fixture::run(Engine::Postgres, async |db: &Db| {
            let acme = full(db, "acme").await;
            for sql in [
                "SELECT COUNT(*) FROM tenants",
                "SELECT COUNT(*) FROM _sqlx_migrations",
                "DELETE FROM canvas_updates",
                "UPDATE leases SET epoch = 99",
                "UPDATE users SET role = 'owner'",
                "DELETE FROM workflows",
                "INSERT INTO run_events SELECT * FROM run_events",
                "CREATE TABLE own (id BIGINT)",
            ] {
                let mut tx = db.store.begin(acme.tenant.id).await.unwrap();
                let refused = query(sql).execute(tx.postgres().unwrap()).await.unwrap_err();
                let code = refused.as_database_error().unwrap().code().unwrap().into_owned();
                assert_eq!(code, "42501", "{sql}: {refused}");
            }
        });
    }

    /// [TEN-1] A row cannot be given to another tenant.
    #[test]
    fn a_row_cannot_change_hands() {
        fixture::run(Engine::Postgres, async |db: &Db| {
            let (acme, other) = (full(db, "acme").await, full(db, "other").await);
            let mut tx = db.store.begin(acme.tenant.id).await.unwrap();
            let given = query("UPDATE workflows SET tenant_id = $1").bind(other.tenant.id);
            let refused = given.execute(tx.postgres().unwrap()).await.unwrap_err();
            assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "42501", "{refused}");
        });
    }

    /// [TEN-1] The restriction ends with its transaction: a connection that goes back to the pool is the server's.
    #[test]
    fn the_next_transaction_of_a_connection_is_not_confined_by_the_last() {
        fixture::run(Engine::Postgres, async |db: &Db| {
            let acme = full(db, "acme").await;
            for commit in [true, false] {
                for _ in 0..8 {
                    let tx = db.store.begin(acme.tenant.id).await.unwrap();
                    if commit {
                        tx.commit().await.unwrap();
                    }
                    let mut system = db.store.begin_system().await.unwrap();
                    assert_eq!(troupe_store::tenants::count(&mut system).await.unwrap(), 1);
                }
            }
            let none = UserId::generate();
            assert_eq!(users::find(&mut db.store.read(acme.tenant.id).await.unwrap(), none).await.unwrap(), None);
        });
    }

    /// [TEN-1] The same holds when the server does not connect as a superuser, as it should be in earnest: it may do
    /// its own work, and its tenants' transactions are as confined.
    #[test]
    fn a_server_that_is_no_superuser_works_and_is_confined() {
        fixture::run(Engine::Postgres, async |db: &Db| {
            let plain = fixture::as_plain_owner(db).await;
            let (acme, other) = (full(&plain, "acme").await, full(&plain, "other").await);
            let mut tx = plain.store.read(other.tenant.id).await.unwrap();
            assert_eq!(finds(&mut tx, &acme).await, [""; 0]);
            assert_eq!(finds(&mut tx, &other).await.len(), READS);
            drop(tx);
            let mut system = plain.store.read_system().await.unwrap();
            let runs = troupe_store::runs::abandoned(&mut system, at(1 << 40), at(0), None, 10).await.unwrap();
            assert_eq!(runs.len(), 2, "the server sees all tenants");
            drop(system);
            plain.remove().await;
        });
    }
}
