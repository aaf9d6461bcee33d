//! Leases: the one authority on which server owns a workflow's or a run's actor [SYNC-13].
//!
//! The epoch grows with every change of owner and never goes back. A statement that writes for an owner locks the
//! lease's row (see `row_lock`) and compares the epoch, so it is either before a takeover or without effect.

use std::time::Duration;

use sqlx::{query, query_as, query_scalar};
use troupe_model::{ServerId, TenantId, Timestamp};
use uuid::Uuid;

use crate::{Engine, Error, Result, SystemTx, tx::on};

/// What kind of actor is owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaseKind {
    Workflow,
    Run,
}

/// A lease as its holder knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    pub kind: LeaseKind,
    pub id: Uuid,
    pub epoch: i64,
}

const ACQUIRE: &str = "INSERT INTO leases (kind, id, tenant_id, server_id, epoch, expires_at)
    VALUES ($1, $2, $3, $4, 1, $6)
    ON CONFLICT (tenant_id, kind, id) DO UPDATE SET
        epoch = leases.epoch + 1, server_id = excluded.server_id, expires_at = excluded.expires_at
    WHERE leases.server_id IS NULL OR leases.server_id = excluded.server_id OR leases.expires_at <= $5
    RETURNING epoch";
const RENEW: &str = "UPDATE leases SET expires_at = $6
    WHERE tenant_id = $1 AND kind = $2 AND id = $3 AND server_id = $4 AND epoch = $5";
const RENEW_ALL_SQLITE: &str = "UPDATE leases SET expires_at = $2 WHERE server_id = $1 RETURNING kind, id, epoch";
/// In the order in which appends lock, so that the two never wait for each other.
const RENEW_ALL_POSTGRES: &str = "UPDATE leases SET expires_at = $2
    FROM (SELECT tenant_id, kind, id FROM leases WHERE server_id = $1 ORDER BY kind, id FOR UPDATE) AS held
    WHERE leases.tenant_id = held.tenant_id AND leases.kind = held.kind AND leases.id = held.id
    RETURNING leases.kind, leases.id, leases.epoch";
const RELEASE: &str = "UPDATE leases SET server_id = NULL, expires_at = 0
    WHERE kind = $1 AND id = $2 AND server_id = $3 AND epoch = $4";

/// `Some(epoch)`: `server` owns it for `ttl`, under the next epoch. It takes a lease that is free, that has expired, or
/// that it holds already: an actor that failed may have left writes behind, and these must not land any more. `None`:
/// another server holds it.
pub async fn acquire(
    tx: &mut SystemTx,
    kind: LeaseKind,
    id: Uuid,
    tenant: TenantId,
    server: ServerId,
    now: Timestamp,
    ttl: Duration,
) -> Result<Option<i64>> {
    Ok(on!(tx, conn => {
        query_scalar(ACQUIRE)
            .bind(kind.name())
            .bind(id)
            .bind(tenant)
            .bind(server)
            .bind(now)
            .bind(now.after(ttl))
            .fetch_optional(conn)
            .await
    })?)
}

/// Renews one lease. `false`: it is not held so any more. One that expired and that nobody took is held still.
pub async fn renew(
    tx: &mut SystemTx,
    lease: &Held,
    tenant: TenantId,
    server: ServerId,
    now: Timestamp,
    ttl: Duration,
) -> Result<bool> {
    let rows = on!(tx, conn => {
        query(RENEW)
            .bind(tenant)
            .bind(lease.kind.name())
            .bind(lease.id)
            .bind(server)
            .bind(lease.epoch)
            .bind(now.after(ttl))
            .execute(conn)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// Renews all that `server` holds, and tells what that is: what is missing was taken over. A lease that expired and
/// that nobody took is held still.
pub async fn renew_all(tx: &mut SystemTx, server: ServerId, now: Timestamp, ttl: Duration) -> Result<Vec<Held>> {
    let renew = match tx.0.engine() {
        Engine::Postgres => RENEW_ALL_POSTGRES,
        Engine::Sqlite => RENEW_ALL_SQLITE,
    };
    let rows: Vec<(String, Uuid, i64)> =
        on!(tx, conn => query_as(renew).bind(server).bind(now.after(ttl)).fetch_all(conn).await)?;
    rows.into_iter().map(|(kind, id, epoch)| Ok(Held { kind: LeaseKind::parse(&kind)?, id, epoch })).collect()
}

/// Gives the lease back; from now on nothing can be written under `epoch`. `false`: it was not held so.
pub async fn release(tx: &mut SystemTx, kind: LeaseKind, id: Uuid, server: ServerId, epoch: i64) -> Result<bool> {
    let rows = on!(tx, conn => {
        query(RELEASE)
            .bind(kind.name())
            .bind(id)
            .bind(server)
            .bind(epoch)
            .execute(conn)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// What a statement adds to its `SELECT … FROM leases`: no takeover may commit between its check and its own commit.
/// On SQLite nobody else writes meanwhile anyway.
pub(crate) fn row_lock(tx: &SystemTx) -> &'static str {
    match tx.0.engine() {
        Engine::Postgres => " FOR SHARE",
        Engine::Sqlite => "",
    }
}

impl LeaseKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Run => "run",
        }
    }

    fn parse(name: &str) -> Result<Self> {
        match name {
            "workflow" => Ok(Self::Workflow),
            "run" => Ok(Self::Run),
            _ => Err(Error::Unreadable("lease kind", None)),
        }
    }
}
