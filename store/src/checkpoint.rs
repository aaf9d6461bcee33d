//! SQLite's write-ahead log is copied into the database beside whoever writes. Otherwise the commit that happens to fill
//! the log copies all of it, and whoever waits for that commit waits for the copy.

use std::time::Duration;

use sqlx::{Result, SqlitePool, query_as};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::sleep,
};

/// Between two copies: pages that every commit writes are copied once for many commits.
const PAUSE: Duration = Duration::from_millis(100);
/// The log is used from its beginning again when all of it is copied. Who commits meanwhile is in the way of that, so it
/// is tried a few times, in the gaps between commits.
const TRIES: usize = 4;
const GAP: Duration = Duration::from_millis(3);

/// Says that something was written.
pub(crate) type Written = Sender<()>;

/// Copies by a connection of `pool`, until that is closed or nobody writes any more.
#[expect(clippy::disallowed_methods, reason = "ends with the store, which no actor owns")]
pub(crate) fn start(pool: SqlitePool) -> Written {
    let (written, wanted) = channel(1);
    tokio::spawn(run(pool, wanted));
    written
}

async fn run(pool: SqlitePool, mut wanted: Receiver<()>) {
    while wanted.recv().await.is_some() && !pool.is_closed() {
        sleep(PAUSE).await;
        match checkpoint(&pool).await {
            Ok(()) => {}
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be copied; it is tried again"),
        }
    }
}

async fn checkpoint(pool: &SqlitePool) -> Result<()> {
    for _ in 0..TRIES {
        let (_, pages, copied): (i64, i64, i64) = query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(pool).await?;
        if copied == pages {
            break;
        }
        sleep(GAP).await;
    }
    Ok(())
}
