//! The way in: opening, migrating, and beginning transactions.

use std::{path::Path, thread::Thread, time::Duration};

use secrecy::ExposeSecret;
use sqlx::{
    ConnectOptions, Connection, PgPool, SqliteConnection, SqlitePool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use troupe_model::TenantId;

use crate::{
    DatabaseConfig, Engine, Error, Result, Timeouts, checkpoint, confinement,
    tx::{Mode, SystemTx, TenantTx, Tx, postgres::PgTx},
};

static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");

const WORKER: &str = "sqlite-";
/// Of the one who writes, and of each who reads, in SQLite's unit: 16 and 4 MiB. The system keeps the file's pages besides.
const WRITER_CACHE: &str = "-16384";
const READER_CACHE: &str = "-4096";
/// When the write-ahead log has so many pages, 64 MiB, commits copy what is not copied yet: nobody else came to it.
const CHECKPOINT_PAGES: &str = "16000";
/// How long a transaction waits for its connection: on SQLite for the one writer, on PostgreSQL for one that is free,
/// or for a database that is away. Who asks then is told so, in good time to ask again.
const SQLITE_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(15);
const POSTGRES_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Migrations take as long as they take, and wait for those of another server.
const UNLIMITED: Timeouts =
    Timeouts { statement: Duration::ZERO, lock: Duration::ZERO, idle_in_transaction: Duration::ZERO };

/// The store. A clone shares its connections.
///
/// On SQLite one transaction writes at a time: a task that holds a writing transaction must not begin another.
#[derive(Clone, Debug)]
pub struct Store(Pools);

#[derive(Clone, Debug)]
enum Pools {
    Postgres(PgPool),
    Sqlite { writer: SqlitePool, readers: SqlitePool, checkpoints: SqlitePool },
}

impl Store {
    /// Connects; creates an embedded database that is not there yet. The schema comes with [`Store::migrate`].
    pub async fn open(config: DatabaseConfig) -> Result<Self> {
        match config {
            DatabaseConfig::Postgres { url, connections_max, timeouts } => {
                let options: PgConnectOptions =
                    url.expose_secret().parse().map_err(|_| Error::Config("the database url cannot be read"))?;
                let pool = PgPoolOptions::new()
                    .max_connections(connections_max)
                    .acquire_timeout(POSTGRES_ACQUIRE_TIMEOUT)
                    // BEGIN tells.
                    .test_before_acquire(false)
                    .connect_with(limited(options.application_name("troupe"), timeouts))
                    .await?;
                Ok(Self(Pools::Postgres(pool)))
            }
            DatabaseConfig::Sqlite { path, readers_max, busy_timeout } => {
                if let Some(folder) = path.parent() {
                    tokio::fs::create_dir_all(folder).await.map_err(Error::Folder)?;
                }
                let pool = SqlitePoolOptions::new()
                    .acquire_timeout(SQLITE_ACQUIRE_TIMEOUT)
                    .test_before_acquire(false)
                    // When the disk is full SQLite itself rolls back, and sqlx, which does not know, takes the
                    // connection for one in a transaction for ever: another is opened in its place.
                    .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }));
                let one = pool.clone().max_connections(1);
                let checkpoints = one.clone().connect_lazy_with(sqlite(&path, busy_timeout));
                let written = checkpoint::start(checkpoints.clone());
                let writer = one
                    .after_connect(move |connection, _| Box::pin(tell_commits(connection, written.clone())))
                    .connect_with(sqlite(&path, busy_timeout))
                    .await?;
                let reading = sqlite(&path, busy_timeout).pragma("query_only", "on").pragma("cache_size", READER_CACHE);
                let readers = pool.max_connections(readers_max).connect_with(reading).await?;
                Ok(Self(Pools::Sqlite { writer, readers, checkpoints }))
            }
        }
    }

    pub fn engine(&self) -> Engine {
        match self.0 {
            Pools::Postgres(_) => Engine::Postgres,
            Pools::Sqlite { .. } => Engine::Sqlite,
        }
    }

    /// Brings the schema to this version [OPS-3]. Servers that start together wait for one another: PostgreSQL by
    /// an advisory lock, SQLite because all of it is one writing transaction.
    ///
    /// Fails with [`Error::Unconfined`] where tenants would not be kept apart.
    pub async fn migrate(&self) -> Result<()> {
        match &self.0 {
            Pools::Postgres(pool) => {
                let options = PgConnectOptions::clone(&pool.connect_options());
                let mut connection = limited(options, UNLIMITED).connect().await?;
                POSTGRES.run(&mut connection).await?;
                confinement::check(&mut connection).await?;
                connection.close().await?;
            }
            Pools::Sqlite { writer, .. } => {
                let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
                SQLITE.run(&mut *tx).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// A tenant's transaction that may write. The tenant need not exist; then it finds nothing.
    pub async fn begin(&self, tenant: TenantId) -> Result<TenantTx> {
        Ok(TenantTx::new(self.tx(Mode::Write, Some(tenant)).await?, tenant))
    }

    /// A tenant's transaction that only reads, and on SQLite waits for no writer.
    pub async fn read(&self, tenant: TenantId) -> Result<TenantTx> {
        Ok(TenantTx::new(self.tx(Mode::Read, Some(tenant)).await?, tenant))
    }

    pub async fn begin_system(&self) -> Result<SystemTx> {
        Ok(SystemTx::new(self.tx(Mode::Write, None).await?))
    }

    pub async fn read_system(&self) -> Result<SystemTx> {
        Ok(SystemTx::new(self.tx(Mode::Read, None).await?))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.read_system().await.map(drop)
    }

    /// Waits for transactions that are open, then closes every connection.
    pub async fn close(&self) {
        match &self.0 {
            Pools::Postgres(pool) => pool.close().await,
            Pools::Sqlite { writer, readers, checkpoints } => {
                checkpoints.close().await;
                readers.close().await;
                writer.close().await;
            }
        }
    }

    async fn tx(&self, mode: Mode, tenant: Option<TenantId>) -> Result<Tx> {
        Ok(match (&self.0, mode) {
            (Pools::Postgres(pool), mode) => Tx::Postgres(PgTx::begin(pool, mode, tenant).await?),
            (Pools::Sqlite { writer, .. }, Mode::Write) => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            (Pools::Sqlite { readers, .. }, Mode::Read) => Tx::Sqlite(readers.begin().await?),
        })
    }
}

/// PostgreSQL's settings hold for the connection, and the last word counts.
fn limited(options: PgConnectOptions, timeouts: Timeouts) -> PgConnectOptions {
    let settings = [
        ("statement_timeout", timeouts.statement),
        ("lock_timeout", timeouts.lock),
        ("idle_in_transaction_session_timeout", timeouts.idle_in_transaction),
    ];
    options.options(settings.map(|(name, timeout)| (name, timeout.as_millis().to_string())))
}

async fn tell_commits(connection: &mut SqliteConnection, written: checkpoint::Written) -> sqlx::Result<()> {
    connection.lock_handle().await?.set_commit_hook(move || {
        // Full: it is told already.
        let _ = written.try_send(());
        true
    });
    Ok(())
}

/// Whether a thread works for SQLite.
pub fn is_worker(thread: &Thread) -> bool {
    thread.name().is_some_and(|name| name.starts_with(WORKER))
}

fn sqlite(path: &Path, busy_timeout: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .thread_name(|id| format!("{WORKER}{id}"))
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit is on the disk when it returns: an acknowledged edit survives a power cut [SYNC-3].
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(busy_timeout)
        // What a statement notes to be undone is small: no file is opened for it.
        .pragma("temp_store", "memory")
        .pragma("cache_size", WRITER_CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
}
