//! What users are called.

use std::collections::{BTreeSet, HashMap};

use sqlx::QueryBuilder;
use troupe_model::UserId;

use crate::{Result, TenantTx, batch, tx::on};

/// The names of those of these users whom the tenant has or had.
pub async fn names(tx: &mut TenantTx, ids: impl IntoIterator<Item = UserId>) -> Result<HashMap<UserId, String>> {
    let tenant = tx.tenant();
    let ids: Vec<UserId> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let mut names = HashMap::with_capacity(ids.len());
    for piece in batch::pieces(&ids) {
        let rows: Vec<(UserId, String)> = on!(tx, conn => {
            let mut query = QueryBuilder::new("SELECT id, name FROM users WHERE tenant_id = ");
            query.push_bind(tenant).push(" AND id IN (");
            let mut list = query.separated(", ");
            for id in piece {
                list.push_bind(*id);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await
        })?;
        names.extend(rows);
    }
    Ok(names)
}
