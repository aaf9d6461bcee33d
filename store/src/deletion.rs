//! Deleting what holds workflows: a workspace, a folder, a job. Rows are hidden, not removed [HIER-2].

use sqlx::{query, query_scalar};
use troupe_model::{Timestamp, WorkflowId};
use uuid::Uuid;

use crate::{Result, TenantTx, tx::on};

/// The statements for one kind of thing. Each takes the tenant, the id and the moment.
pub(crate) struct Deletion {
    pub(crate) itself: &'static str,
    /// Returns the ids of the workflows that it hides. Comes next, while all else below can still be found.
    pub(crate) workflows: &'static str,
    pub(crate) rest: &'static [&'static str],
}

impl Deletion {
    /// The workflows that went with it; `None`: it is not there.
    pub(crate) async fn of(&self, tx: &mut TenantTx, id: Uuid, now: Timestamp) -> Result<Option<Vec<WorkflowId>>> {
        if self.hide(tx, self.itself, id, now).await? == 0 {
            return Ok(None);
        }
        let tenant = tx.tenant();
        let workflows = on!(tx, conn => {
            query_scalar(self.workflows).bind(tenant).bind(id).bind(now).fetch_all(conn).await
        })?;
        for rest in self.rest {
            self.hide(tx, rest, id, now).await?;
        }
        Ok(Some(workflows))
    }

    async fn hide(&self, tx: &mut TenantTx, sql: &'static str, id: Uuid, now: Timestamp) -> Result<u64> {
        let tenant = tx.tenant();
        Ok(on!(tx, conn => {
            query(sql).bind(tenant).bind(id).bind(now).execute(conn).await.map(|done| done.rows_affected())
        })?)
    }
}
