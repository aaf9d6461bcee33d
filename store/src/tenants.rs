//! Tenants: a control table, which no tenant's transaction reaches.

use sqlx::{query, query_as, query_scalar};
use troupe_model::{TenantId, Timestamp};

use crate::{Result, SystemTx, secrets::WrappedKey, tx::on};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Tenant {
    pub id: TenantId,
    pub name: String,
    pub created_at: Timestamp,
}

const INSERT: &str = "INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3)";
const FIND: &str = "SELECT id, name, created_at FROM tenants WHERE id = $1";
const DATA_KEY: &str = "SELECT data_key FROM tenants WHERE id = $1 AND data_key IS NOT NULL";
const SET_DATA_KEY: &str = "UPDATE tenants SET data_key = $2 WHERE id = $1 AND data_key IS NULL";

pub async fn create(tx: &mut SystemTx, id: TenantId, name: &str, now: Timestamp) -> Result<Tenant> {
    on!(tx, conn => query(INSERT).bind(id).bind(name).bind(now).execute(conn).await.map(drop))?;
    Ok(Tenant { id, name: name.to_owned(), created_at: now })
}

pub async fn find(tx: &mut SystemTx, id: TenantId) -> Result<Option<Tenant>> {
    Ok(on!(tx, conn => query_as(FIND).bind(id).fetch_optional(conn).await)?)
}

/// How many there are; none means that the store is empty.
pub async fn count(tx: &mut SystemTx) -> Result<u64> {
    let count: i64 = on!(tx, conn => query_scalar("SELECT COUNT(*) FROM tenants").fetch_one(conn).await)?;
    Ok(count.unsigned_abs())
}

/// The key that seals the tenant's secrets, wrapped; `None` until one is set.
pub async fn data_key(tx: &mut SystemTx, id: TenantId) -> Result<Option<WrappedKey>> {
    let key: Option<Vec<u8>> = on!(tx, conn => query_scalar(DATA_KEY).bind(id).fetch_optional(conn).await)?;
    Ok(key.map(WrappedKey::from_bytes))
}

/// Sets the first data key. `false`: the tenant has one already, or does not exist; a key is never overwritten,
/// because what it sealed would be lost.
pub async fn set_data_key(tx: &mut SystemTx, id: TenantId, key: &WrappedKey) -> Result<bool> {
    let rows = on!(tx, conn => {
        query(SET_DATA_KEY).bind(id).bind(key.as_bytes()).execute(conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}
