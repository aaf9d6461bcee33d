//! Numbers for the detailed health report.

use sqlx::query_as;

use crate::{Result, SystemTx, tx::on};

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Counts {
    pub tenants: i64,
    pub users: i64,
    /// Deleted ones are not counted.
    pub workflows: i64,
    pub runs: i64,
    pub runs_unfinished: i64,
    pub leases_held: i64,
}

const COUNTS: &str = "SELECT
    (SELECT COUNT(*) FROM tenants) AS tenants,
    (SELECT COUNT(*) FROM users) AS users,
    (SELECT COUNT(*) FROM workflows WHERE deleted_at IS NULL) AS workflows,
    (SELECT COUNT(*) FROM runs) AS runs,
    (SELECT COUNT(*) FROM runs WHERE status NOT IN ('success', 'error', 'canceled', 'timeout')) AS runs_unfinished,
    (SELECT COUNT(*) FROM leases WHERE server_id IS NOT NULL) AS leases_held";

/// Over all tenants.
pub async fn counts(tx: &mut SystemTx) -> Result<Counts> {
    Ok(on!(tx, conn => query_as(COUNTS).fetch_one(conn).await)?)
}
