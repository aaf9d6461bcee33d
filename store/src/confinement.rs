//! Whether PostgreSQL keeps tenants apart, asked at start [TEN-1].
//!
//! A tenant's transaction works as the role `troupe_tenant`, whoever the server connects as. What counts is therefore
//! that this role is bound by row-level security in every table of tenants: no superuser, no BYPASSRLS, no owner of the
//! table. The server's own transactions name the tenant in each statement, so its login may be more; but then a mistake
//! in a statement costs more, and the log says so.

use sqlx::{Connection, PgConnection, query, query_scalar};

use crate::{Error, Result};

const UNBOUND: &str = "SELECT tenants.oid::regclass::text FROM pg_class tenants
    JOIN pg_attribute owner ON owner.attrelid = tenants.oid AND owner.attname = 'tenant_id' AND NOT owner.attisdropped
    WHERE tenants.relkind IN ('r', 'p') AND tenants.relnamespace = current_schema()::regnamespace
        AND NOT row_security_active(tenants.oid)
    ORDER BY 1 LIMIT 1";
const LOGIN: &str = "SELECT rolname::text FROM pg_roles WHERE rolname = session_user AND (rolsuper OR rolbypassrls)";

pub(crate) async fn check(connection: &mut PgConnection) -> Result<()> {
    let login: Option<String> = query_scalar(LOGIN).fetch_optional(&mut *connection).await?;
    if let Some(role) = login {
        tracing::warn!(
            role,
            "the server connects to PostgreSQL as a role that row-level security does not bind; \
            give it a role of its own that only owns its database and may create roles"
        );
    }
    let mut tx = connection.begin().await?;
    query("SET LOCAL ROLE troupe_tenant").execute(&mut *tx).await?;
    let unbound: Option<String> = query_scalar(UNBOUND).fetch_optional(&mut *tx).await?;
    tx.rollback().await?;
    unbound.map_or(Ok(()), |table| Err(Error::Unconfined(table)))
}
