//! Transactions. A [`TenantTx`] is confined to one tenant: on PostgreSQL by row-level security under a role that
//! cannot bypass it, and on both engines because every statement names the tenant. A [`SystemTx`] is the server's own.

use sqlx::{PgConnection, Sqlite, Transaction};
use troupe_model::TenantId;

use crate::{Engine, Result, tx::postgres::PgTx};

pub(crate) mod postgres;

pub(crate) enum Tx {
    Postgres(PgTx),
    /// sqlx's own: a connection's thread takes its commands in order, and undoes a BEGIN whose caller is gone.
    Sqlite(Transaction<'static, Sqlite>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Read,
    Write,
}

/// One body, compiled for each engine: `$conn` is the engine's connection inside `$body`.
macro_rules! on {
    ($tx:expr, $conn:ident => $body:expr) => {
        match &mut $tx.0 {
            $crate::tx::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::tx::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}
pub(crate) use on;

/// A transaction of one tenant.
pub struct TenantTx(pub(crate) Tx, TenantId);

/// A transaction of the server itself: control tables, and functions that are told the tenant.
pub struct SystemTx(pub(crate) Tx);

impl TenantTx {
    /// `tx` is confined to the tenant already, where the engine can do that.
    pub(crate) fn new(tx: Tx, tenant: TenantId) -> Self {
        Self(tx, tenant)
    }

    pub fn tenant(&self) -> TenantId {
        self.1
    }

    pub async fn commit(self) -> Result<()> {
        self.0.commit().await
    }

    /// The bare connection, for the tests that prove the confinement with statements that name no tenant.
    #[doc(hidden)]
    pub fn postgres(&mut self) -> Option<&mut PgConnection> {
        match &mut self.0 {
            Tx::Postgres(tx) => Some(&mut **tx),
            Tx::Sqlite(_) => None,
        }
    }
}

impl SystemTx {
    pub(crate) fn new(tx: Tx) -> Self {
        Self(tx)
    }

    pub async fn commit(self) -> Result<()> {
        self.0.commit().await
    }
}

impl Tx {
    async fn commit(self) -> Result<()> {
        match self {
            Self::Postgres(tx) => tx.commit().await,
            Self::Sqlite(tx) => Ok(tx.commit().await?),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Postgres(_) => Engine::Postgres,
            Self::Sqlite(_) => Engine::Sqlite,
        }
    }
}
