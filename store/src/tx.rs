//! Transactions. A [`TenantTx`] is confined to one tenant: on PostgreSQL by row-level security under a role that
//! cannot bypass it, and on both engines because every statement names the tenant. A [`SystemTx`] is the server's own.

use sqlx::{PgConnection, Postgres, Sqlite, Transaction, query};
use troupe_model::TenantId;

use crate::{Engine, Result};

pub(crate) enum Tx {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
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
    pub(crate) async fn confine(mut tx: Tx, tenant: TenantId) -> Result<Self> {
        if let Tx::Postgres(tx) = &mut tx {
            // `true`: until the end of the transaction.
            query("SELECT set_config('role', 'troupe_tenant', true), set_config('troupe.tenant', $1, true)")
                .bind(tenant.to_string())
                .execute(&mut **tx)
                .await?;
        }
        Ok(Self(tx, tenant))
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
            Self::Postgres(tx) => tx.commit().await?,
            Self::Sqlite(tx) => tx.commit().await?,
        }
        Ok(())
    }

    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Postgres(_) => Engine::Postgres,
            Self::Sqlite(_) => Engine::Sqlite,
        }
    }
}
