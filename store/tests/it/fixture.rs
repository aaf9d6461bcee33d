//! A fresh database for each test, and the rows that most tests begin with.

use std::{panic::AssertUnwindSafe, sync::LazyLock, time::Duration};

use futures::FutureExt;
use secrecy::SecretString;
use serde_json::Map;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions, query_scalar,
    sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;
use troupe_model::{Diagram, RunId, ServerId, TenantId, Timestamp, UserId, WorkflowId, WorkspaceId};
use troupe_store::{
    DatabaseConfig, Engine, Store, Timeouts,
    leases::{self, LeaseKind},
    runs::{self, NewRun},
    tenants,
    users::{self, NewUser, Role, User},
    workflows::{self, NewWorkflow},
    workspaces::{self, NewWorkspace},
};
use uuid::Uuid;

pub const TTL: Duration = Duration::from_secs(15);

/// Milliseconds after an epoch of the tests' own.
pub const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

/// Makes a `sqlite::name` and a `postgres::name` test of each function.
macro_rules! both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                $crate::fixture::run(troupe_store::Engine::Sqlite, super::$name);
            })*
        }
        mod postgres {
            $(#[test]
            fn $name() {
                $crate::fixture::run(troupe_store::Engine::Postgres, super::$name);
            })*
        }
    };
}
pub(crate) use both_engines;

/// A migrated database that ends with its test.
pub struct Db {
    pub store: Store,
    /// How to open it once more.
    pub config: DatabaseConfig,
    /// SQL against it that the store would not let through.
    pub raw: Raw,
}

pub enum Raw {
    Postgres(Box<PgConnectOptions>),
    Sqlite(TempDir),
}

/// Runs `test` on a fresh database, which is removed however the test ends.
pub fn run(engine: Engine, test: impl AsyncFnOnce(&Db)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let db = Db::create(engine).await;
        let outcome = AssertUnwindSafe(test(&db)).catch_unwind().await;
        db.remove().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}

impl Db {
    async fn create(engine: Engine) -> Self {
        let db = Self::create_empty(engine).await;
        db.store.migrate().await.unwrap();
        db
    }

    /// Another database on the same engine, not migrated. To be removed by the test.
    pub async fn empty(&self) -> Self {
        Self::create_empty(self.store.engine()).await
    }

    async fn create_empty(engine: Engine) -> Self {
        let (config, raw) = match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                // The folder in between is the store's to create.
                (DatabaseConfig::sqlite(folder.path().join("data/troupe.db")), Raw::Sqlite(folder))
            }
            Engine::Postgres => {
                let name = format!("troupe_test_{}", Uuid::now_v7().simple());
                administer(format!(r#"CREATE DATABASE "{name}" TEMPLATE template0"#)).await;
                let options = admin().database(&name);
                let url = options.to_url_lossy().to_string();
                let timeouts = Timeouts::default();
                let config = DatabaseConfig::Postgres { url: url.into(), connections_max: 4, timeouts };
                (config, Raw::Postgres(options.into()))
            }
        };
        let store = Store::open(config.clone()).await.unwrap();
        Self { store, config, raw }
    }

    pub async fn remove(self) {
        self.store.close().await;
        if let Raw::Postgres(options) = self.raw {
            let name = options.get_database().unwrap();
            administer(format!(r#"DROP DATABASE "{name}" WITH (FORCE)"#)).await;
            administer(format!(r#"DROP ROLE IF EXISTS "{name}""#)).await;
        }
    }

    /// Runs SQL as the database's owner, past the store.
    pub async fn execute(&self, sql: &'static str) {
        match &self.raw {
            Raw::Postgres(options) => {
                sqlx::raw_sql(sql).execute(&mut options.connect().await.unwrap()).await.unwrap();
            }
            Raw::Sqlite(folder) => {
                sqlx::raw_sql(sql).execute(&mut file(folder).connect().await.unwrap()).await.unwrap();
            }
        }
    }

    /// Reads one column of bytes, past the store.
    pub async fn column(&self, sql: &'static str) -> Vec<Vec<u8>> {
        match &self.raw {
            Raw::Postgres(options) => query_scalar(sql).fetch_all(&mut options.connect().await.unwrap()).await.unwrap(),
            Raw::Sqlite(folder) => {
                query_scalar(sql).fetch_all(&mut file(folder).connect().await.unwrap()).await.unwrap()
            }
        }
    }

    /// A tenant with an owner, a workspace and a workflow.
    pub async fn tenant(&self, name: &str) -> Tenant {
        let id = TenantId::generate();
        let mut tx = self.store.begin_system().await.unwrap();
        tenants::create(&mut tx, id, name, at(0)).await.unwrap();
        let owner = new_user(id, &format!("owner@{name}.example"), name);
        let owner = users::create(&mut tx, owner.as_new(), at(0)).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = self.store.begin(id).await.unwrap();
        let workspace = WorkspaceId::generate();
        let new = NewWorkspace { id: workspace, name, description: "" };
        workspaces::create(&mut tx, new, at(0)).await.unwrap();
        let workflow = WorkflowId::generate();
        workflows::create(&mut tx, new_workflow(workflow, workspace, name), at(0)).await.unwrap();
        tx.commit().await.unwrap();
        Tenant { id, owner, workspace, workflow }
    }

    /// A new run of the tenant's workflow.
    pub async fn run(&self, tenant: &Tenant, created: i64) -> RunId {
        let id = RunId::generate();
        let mut tx = self.store.begin(tenant.id).await.unwrap();
        runs::create(&mut tx, new_run(id, tenant.workflow, created)).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub async fn acquire(
        &self,
        kind: LeaseKind,
        id: Uuid,
        tenant: TenantId,
        server: ServerId,
        now: i64,
    ) -> Option<i64> {
        let mut tx = self.store.begin_system().await.unwrap();
        let epoch = leases::acquire(&mut tx, kind, id, tenant, server, at(now), TTL).await.unwrap();
        tx.commit().await.unwrap();
        epoch
    }

    /// The epoch under which a fresh server owns the tenant's workflow.
    pub async fn own_workflow(&self, tenant: &Tenant) -> i64 {
        let id = *tenant.workflow.as_uuid();
        self.acquire(LeaseKind::Workflow, id, tenant.id, ServerId::generate(), 0).await.unwrap()
    }

    pub async fn own_run(&self, tenant: &Tenant, run: RunId) -> i64 {
        self.acquire(LeaseKind::Run, *run.as_uuid(), tenant.id, ServerId::generate(), 0).await.unwrap()
    }
}

/// The SQLite file of a test.
pub fn file(folder: &TempDir) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(folder.path().join("data/troupe.db"))
}

/// A database whose owner, as which its store connects, is a role without any privilege but to create roles.
/// To be removed by the test.
pub async fn as_plain_owner(db: &Db) -> Db {
    let Raw::Postgres(options) = &db.raw else { panic!("roles are PostgreSQL's") };
    let name = format!("troupe_plain_{}", Uuid::now_v7().simple());
    administer(format!(r#"CREATE ROLE "{name}" LOGIN CREATEROLE PASSWORD 'plain'"#)).await;
    administer(format!(r#"CREATE DATABASE "{name}" TEMPLATE template0 OWNER "{name}""#)).await;
    let options = PgConnectOptions::clone(options).database(&name).username(&name).password("plain");
    let config = DatabaseConfig::postgres(options.to_url_lossy().to_string());
    let store = Store::open(config.clone()).await.unwrap();
    store.migrate().await.unwrap();
    Db { store, config, raw: Raw::Postgres(options.into()) }
}

pub struct Tenant {
    pub id: TenantId,
    pub owner: User,
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
}

pub struct UserParts {
    id: UserId,
    tenant: TenantId,
    email: String,
    name: String,
    password_hash: SecretString,
}

impl UserParts {
    pub fn as_new(&self) -> NewUser<'_> {
        NewUser {
            id: self.id,
            tenant_id: self.tenant,
            email: &self.email,
            name: &self.name,
            role: Role::Owner,
            password_hash: &self.password_hash,
        }
    }
}

pub fn new_user(tenant: TenantId, email: &str, name: &str) -> UserParts {
    let password_hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into();
    UserParts { id: UserId::generate(), tenant, email: email.to_owned(), name: name.to_owned(), password_hash }
}

static NO_PARAMETERS: LazyLock<Map<String, serde_json::Value>> = LazyLock::new(Map::new);

pub fn new_workflow(id: WorkflowId, workspace_id: WorkspaceId, name: &str) -> NewWorkflow<'_> {
    NewWorkflow {
        id,
        workspace_id,
        folder_id: None,
        job_id: None,
        name,
        description: "",
        parameters: &NO_PARAMETERS,
        tags: &[],
        created_by: UserId::generate(),
    }
}

static EMPTY: Diagram = Diagram {
    nodes: Vec::new(),
    edges: Vec::new(),
    viewport: troupe_model::Viewport { x: 0.0, y: 0.0, zoom: 1.0 },
    notes: std::collections::BTreeMap::new(),
};

pub fn new_run(id: RunId, workflow_id: WorkflowId, created: i64) -> NewRun<'static> {
    NewRun {
        id,
        workflow_id,
        diagram: &EMPTY,
        parameters: &NO_PARAMETERS,
        trigger: "manual",
        started_by: None,
        at: at(created),
    }
}

#[expect(clippy::disallowed_methods, reason = "the test runner's environment says where PostgreSQL is")]
fn admin() -> PgConnectOptions {
    let url = std::env::var("TEST_DATABASE_URL").expect(
        "TEST_DATABASE_URL must be the URL of a PostgreSQL whose user may create databases, such as \
         postgres://postgres@127.0.0.1:5432/postgres; `make test` starts one and sets it",
    );
    url.parse().expect("TEST_DATABASE_URL is a PostgreSQL URL")
}

async fn administer(sql: String) {
    let mut connection = PgConnection::connect_with(&admin()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
