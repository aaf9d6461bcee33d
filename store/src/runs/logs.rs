//! The lines of a run's log [RUN-13].

use std::borrow::Cow;

use sqlx::{QueryBuilder, query_as, query_scalar};
use troupe_model::{LogEntry, LogLevel, RunId, TenantId, Timestamp};

use crate::{Error, Result, SystemTx, TenantTx, batch, listing::containing, tx::on};

/// Which lines; the default is all.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    pub node: Option<String>,
    /// This level and those above it.
    pub level: Option<LogLevel>,
    /// The message holds this; the case of ASCII letters does not matter.
    pub q: Option<String>,
}

const LAST_LOG_SEQ: &str = "SELECT COALESCE(MAX(seq), 0) FROM run_logs WHERE tenant_id = $1 AND run_id = $2";

macro_rules! select {
    ($order:literal) => {
        concat!(
            "SELECT seq, at, level, node_id, message FROM run_logs
            WHERE tenant_id = $1 AND run_id = $2 AND seq > $3
            AND ($4 IS NULL OR node_id = $4)
            AND CASE level WHEN 'debug' THEN 0 WHEN 'info' THEN 1 WHEN 'warn' THEN 2 ELSE 3 END >= $5
            AND ($6 IS NULL OR LOWER(message) LIKE $6 ESCAPE '\\')
            ORDER BY seq ",
            $order,
            " LIMIT $7"
        )
    };
}

/// Appends lines. One whose `seq` is there already was written before, and stays as it is.
pub async fn append_logs(tx: &mut SystemTx, tenant: TenantId, run: RunId, entries: &[LogEntry]) -> Result<()> {
    for piece in batch::pieces(entries) {
        on!(tx, conn => {
            let mut query =
                QueryBuilder::new("INSERT INTO run_logs (tenant_id, run_id, seq, at, level, node_id, message) ");
            query.push_values(piece, |mut row, entry| {
                row.push_bind(tenant)
                    .push_bind(run)
                    .push_bind(entry.seq)
                    .push_bind(entry.at)
                    .push_bind(entry.level.name())
                    .push_bind(entry.node_id.as_deref())
                    .push_bind(storable(&entry.message));
            });
            query.push(" ON CONFLICT (tenant_id, run_id, seq) DO NOTHING");
            query.build().execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

/// Lines in order: behind `after`, or, without it, the last ones.
pub async fn logs(
    tx: &mut TenantTx,
    run: RunId,
    filter: &LogFilter,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<LogEntry>> {
    let tenant = tx.tenant();
    let select = if after.is_some() { select!("ASC") } else { select!("DESC") };
    let rows: Vec<Row> = on!(tx, conn => {
        query_as(select)
            .bind(tenant)
            .bind(run)
            .bind(after.unwrap_or(0))
            .bind(filter.node.as_deref())
            .bind(filter.level.unwrap_or(LogLevel::Debug) as i32)
            .bind(filter.q.as_deref().map(|q| containing(&q.to_ascii_lowercase())))
            .bind(limit)
            .fetch_all(conn)
            .await
    })?;
    let mut entries: Vec<LogEntry> = rows.into_iter().map(LogEntry::try_from).collect::<Result<_>>()?;
    if after.is_none() {
        entries.reverse();
    }
    Ok(entries)
}

/// The `seq` of the last line; 0 when there is none.
pub async fn last_log_seq(tx: &mut TenantTx, run: RunId) -> Result<i64> {
    let tenant = tx.tenant();
    Ok(on!(tx, conn => query_scalar(LAST_LOG_SEQ).bind(tenant).bind(run).fetch_one(conn).await)?)
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: Timestamp,
    level: String,
    node_id: Option<String>,
    message: String,
}

impl TryFrom<Row> for LogEntry {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let level = LogLevel::parse(&row.level).ok_or(Error::Unreadable("log level", None))?;
        Ok(Self { seq: row.seq, at: row.at, level, node_id: row.node_id, message: row.message })
    }
}

/// PostgreSQL's text holds no NUL; a line is better with a mark in it than not at all.
fn storable(message: &str) -> Cow<'_, str> {
    if message.contains('\0') { message.replace('\0', "\u{fffd}").into() } else { message.into() }
}
