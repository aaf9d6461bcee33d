//! A transaction on PostgreSQL that leaves no doubt behind, wherever its user is dropped.
//!
//! A request may end at any `await`. sqlx 0.9 forgets a BEGIN that was sent and not answered yet, and whoever gets the
//! connection next is in a transaction that is not theirs. So transactions are kept here: a connection is in doubt from
//! before BEGIN is sent until COMMIT is answered. Dropped in doubt, it is rolled back before the pool has it again, and
//! closed when that fails.
//!
//! A transaction inherits nothing from its connection: it states its mode, its role, its tenant and where names are
//! looked up, and asks whether it was BEGIN that began it. All of that is one round trip, which also tells whether the
//! connection lives: the pool does not ask before.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, PgConnection, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgDatabaseError, PgSeverity},
    raw_sql,
};
use tokio::time::timeout;
use troupe_model::TenantId;

use crate::{Result, tx::Mode};

/// How long a connection in doubt may take to come to an end: that of the statement under way is waited for.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(5);

/// PostgreSQL answers a COMMIT after a failed statement with a rollback, and calls it no error. A statement before it is
/// refused then.
const COMMIT: &str = "SELECT 1; COMMIT";

/// Holds its connection until the end.
pub(crate) struct PgTx(Option<PoolConnection<Postgres>>);

impl PgTx {
    /// Of the `tenant`, under the role that row-level security binds, or of the server itself.
    ///
    /// Nothing was done yet on a connection that turns out to be lost: another is taken.
    pub(crate) async fn begin(pool: &PgPool, mode: Mode, tenant: Option<TenantId>) -> Result<Self> {
        let begin = begin_sql(mode, tenant);
        let mut idle_max = pool.options().get_max_connections();
        loop {
            let mut tx = Self(Some(pool.acquire().await?));
            match tx.start(&begin).await {
                Ok(true) => return Ok(tx),
                Ok(false) => tracing::error!("a connection was left inside a transaction; it is closed"),
                Err(error) if is_lost(&error) && idle_max > 0 => {
                    tracing::debug!(%error, "a connection was lost; another is taken");
                }
                Err(error) => return Err(error.into()),
            }
            idle_max = idle_max.saturating_sub(1);
            tx.close();
        }
    }

    /// Whether the transaction is a new one.
    async fn start(&mut self, begin: &str) -> sqlx::Result<bool> {
        // The statements hold an id and nothing else that varies.
        let rows = raw_sql(AssertSqlSafe(begin)).fetch_all(&mut **self).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        sqlx::Row::try_get(row, 0)
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        raw_sql(COMMIT).execute(&mut *self).await?;
        // Answered: no doubt is left.
        self.0 = None;
        Ok(())
    }

    /// Instead of going back to the pool.
    fn close(mut self) {
        if let Some(mut connection) = self.0.take() {
            connection.close_on_drop();
        }
    }
}

impl Drop for PgTx {
    #[expect(clippy::disallowed_methods, reason = "the pool, which has the connection meanwhile, waits for the task")]
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            tokio::spawn(roll_back(connection));
        }
    }
}

async fn roll_back(mut connection: PoolConnection<Postgres>) {
    // First of all this takes the answers to what was sent before.
    let rolled_back = timeout(ROLLBACK_TIMEOUT, raw_sql("ROLLBACK").execute(&mut *connection)).await;
    if !matches!(rolled_back, Ok(Ok(_))) {
        tracing::debug!(outcome = ?rolled_back, "a connection in doubt is closed");
        connection.close_on_drop();
    }
}

/// `transaction_timestamp` is when the transaction began, `statement_timestamp` when the message came that holds all of
/// these statements: they are the same when that is where the transaction began.
fn begin_sql(mode: Mode, tenant: Option<TenantId>) -> String {
    let mode = match mode {
        // All that is read is of one moment, as on SQLite.
        Mode::Read => "REPEATABLE READ, READ ONLY",
        Mode::Write => "READ COMMITTED, READ WRITE",
    };
    let (role, tenant) = match tenant {
        Some(tenant) => ("troupe_tenant", tenant.to_string()),
        None => ("DEFAULT", String::new()),
    };
    format!(
        "BEGIN ISOLATION LEVEL {mode}; SET LOCAL search_path TO DEFAULT; SET LOCAL role TO {role}; \
        SELECT transaction_timestamp() = statement_timestamp(), set_config('troupe.tenant', '{tenant}', true)"
    )
}

/// Whether the connection ended, or is in no state to begin anything.
fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => {
            // in_failed_sql_transaction: that transaction is somebody else's
            error.code().as_deref() == Some("25P02")
                || error
                    .try_downcast_ref::<PgDatabaseError>()
                    .is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic))
        }
        _ => false,
    }
}

impl Deref for PgTx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect("the connection is taken by the end of the transaction only")
    }
}

impl DerefMut for PgTx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("the connection is taken by the end of the transaction only")
    }
}
