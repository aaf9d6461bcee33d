//! The way in: opening, migrating, and beginning transactions.

use std::{path::Path, time::Duration};

use secrecy::ExposeSecret;
use sqlx::{
    Connection, PgPool, SqlitePool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
    query,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use troupe_model::TenantId;

use crate::{
    DatabaseConfig, Error, Result,
    tx::{SystemTx, TenantTx, Tx},
};

static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");

/// How long SQLite waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Of each connection, in SQLite's unit: 16 MiB.
const CACHE_SIZE: &str = "-16384";
/// The write-ahead log is copied into the database when it has so many pages: 16 MiB. The pages that every commit writes
/// are then copied once for many commits.
const CHECKPOINT_PAGES: &str = "4000";
/// How long a transaction waits for its connection: on SQLite for the one writer, on PostgreSQL for one that is free,
/// or for a database that is away. Who asks then is told so, in good time to ask again.
const SQLITE_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(15);
const POSTGRES_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A server that is paused, or cut off, in the middle of a transaction must not hold its locks for longer than its
/// leases live: nobody could take over [SYNC-13].
const POSTGRES_SETTINGS: [(&str, &str); 1] = [("idle_in_transaction_session_timeout", "5s")];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Postgres,
    Sqlite,
}

/// The store. A clone shares its connections.
///
/// On SQLite one transaction writes at a time: a task that holds a writing transaction must not begin another.
#[derive(Clone, Debug)]
pub struct Store(Pools);

#[derive(Clone, Debug)]
enum Pools {
    Postgres(PgPool),
    Sqlite { writer: SqlitePool, readers: SqlitePool },
}

impl Store {
    /// Connects; creates an embedded database that is not there yet. The schema comes with [`Store::migrate`].
    pub async fn open(config: DatabaseConfig) -> Result<Self> {
        match config {
            DatabaseConfig::Postgres { url, connections_max } => {
                let options: PgConnectOptions =
                    url.expose_secret().parse().map_err(|_| Error::Config("the database url cannot be read"))?;
                let pool = PgPoolOptions::new()
                    .max_connections(connections_max)
                    .acquire_timeout(POSTGRES_ACQUIRE_TIMEOUT)
                    .connect_with(options.application_name("troupe").options(POSTGRES_SETTINGS))
                    .await?;
                Ok(Self(Pools::Postgres(pool)))
            }
            DatabaseConfig::Sqlite { path, readers_max } => {
                if let Some(folder) = path.parent() {
                    tokio::fs::create_dir_all(folder).await.map_err(Error::Folder)?;
                }
                let pool = SqlitePoolOptions::new()
                    .acquire_timeout(SQLITE_ACQUIRE_TIMEOUT)
                    .test_before_acquire(false)
                    // When the disk is full SQLite itself rolls back, and sqlx, which does not know, takes the
                    // connection for one in a transaction for ever: another is opened in its place.
                    .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }));
                let writer = pool.clone().max_connections(1).connect_with(sqlite(&path)).await?;
                let reading = sqlite(&path).pragma("query_only", "on");
                let readers = pool.max_connections(readers_max).connect_with(reading).await?;
                Ok(Self(Pools::Sqlite { writer, readers }))
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
    pub async fn migrate(&self) -> Result<()> {
        match &self.0 {
            Pools::Postgres(pool) => POSTGRES.run(pool).await?,
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
        TenantTx::confine(self.write_tx().await?, tenant).await
    }

    /// A tenant's transaction that only reads, and on SQLite waits for no writer.
    pub async fn read(&self, tenant: TenantId) -> Result<TenantTx> {
        TenantTx::confine(self.read_tx().await?, tenant).await
    }

    pub async fn begin_system(&self) -> Result<SystemTx> {
        Ok(SystemTx::new(self.write_tx().await?))
    }

    pub async fn read_system(&self) -> Result<SystemTx> {
        Ok(SystemTx::new(self.read_tx().await?))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        match &self.0 {
            Pools::Postgres(pool) => query("SELECT 1").execute(pool).await.map(drop)?,
            Pools::Sqlite { readers, .. } => query("SELECT 1").execute(readers).await.map(drop)?,
        }
        Ok(())
    }

    /// Waits for transactions that are open, then closes every connection.
    pub async fn close(&self) {
        match &self.0 {
            Pools::Postgres(pool) => pool.close().await,
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }

    async fn write_tx(&self) -> Result<Tx> {
        Ok(match &self.0 {
            Pools::Postgres(pool) => Tx::Postgres(pool.begin().await?),
            Pools::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
        })
    }

    async fn read_tx(&self) -> Result<Tx> {
        Ok(match &self.0 {
            Pools::Postgres(pool) => Tx::Postgres(pool.begin_with("BEGIN READ ONLY").await?),
            Pools::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
        })
    }
}

fn sqlite(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit is on the disk when it returns: an acknowledged edit survives a power cut [SYNC-3].
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        // What a statement notes to be undone is small: no file is opened for it.
        .pragma("temp_store", "memory")
        .pragma("cache_size", CACHE_SIZE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
}
