//! [REL-12] SQLite's write-ahead log does not grow with what was written, and is copied without those who write.

use std::{fs, path::PathBuf, time::Duration};

use tokio::time::{Instant, sleep};
use troupe_store::{
    DatabaseConfig, Engine,
    canvas::{self, Append},
};

use crate::fixture::{self, Db, Tenant, at};

const MIB: u64 = 1 << 20;
const WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

fn path(db: &Db) -> PathBuf {
    match &db.config {
        DatabaseConfig::Sqlite { path, .. } => path.clone(),
        DatabaseConfig::Postgres { .. } => unreachable!("the tests open SQLite"),
    }
}

fn size(path: impl Into<PathBuf>) -> u64 {
    fs::metadata(path.into()).map_or(0, |file| file.len())
}

async fn write(db: &Db, tenant: &Tenant, epoch: i64, seqs: impl Iterator<Item = i64>) {
    let bytes = vec![7; MIB as usize];
    for seq in seqs {
        let entry = Append {
            tenant: tenant.id,
            workflow: tenant.workflow,
            epoch,
            seq,
            user: None,
            bytes: &bytes,
            part: canvas::Part::WHOLE,
            at: at(seq),
        };
        let mut tx = db.store.begin_system().await.unwrap();
        assert_eq!(canvas::append(&mut tx, &[entry]).await.unwrap(), [true]);
        tx.commit().await.unwrap();
    }
}

/// What is written comes into the database while it is open and nobody writes any more.
#[test]
fn the_log_is_copied_beside_the_writer() {
    fixture::run(Engine::Sqlite, async |db: &Db| {
        let tenant = db.tenant("acme").await;
        let epoch = db.own_workflow(&tenant).await;
        write(db, &tenant, epoch, 1..=10).await;
        let deadline = Instant::now() + WITHIN;
        while size(path(db)) < 10 * MIB {
            assert!(Instant::now() < deadline, "the database has {} bytes", size(path(db)));
            sleep(LOOK_EVERY).await;
        }
    });
}

/// Who writes all the time does not keep it from beginning anew.
#[test]
fn the_log_stays_small() {
    fixture::run(Engine::Sqlite, async |db: &Db| {
        let tenant = db.tenant("acme").await;
        let epoch = db.own_workflow(&tenant).await;
        write(db, &tenant, epoch, 1..=200).await;
        let wal = size(format!("{}-wal", path(db).display()));
        assert!(wal < 100 * MIB, "{wal} bytes");
    });
}
