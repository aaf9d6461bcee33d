//! What only PostgreSQL can fail.

use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, query_scalar, raw_sql};
use troupe_store::{Timeouts, tenants as rows};

use super::*;
use crate::fixture::Raw;

/// Connecting anew takes its time.
const KILLED_COMMITS: i64 = COMMITS / 2;
const OTHERS: &str =
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY pid";

async fn raw(db: &Db) -> PgConnection {
    let Raw::Postgres(options) = &db.raw else { panic!("this test is PostgreSQL's") };
    options.connect().await.unwrap()
}

async fn others(connection: &mut PgConnection) -> Vec<i32> {
    query_scalar(OTHERS).fetch_all(connection).await.unwrap()
}

async fn terminate(connection: &mut PgConnection, backend: i32) {
    let killed: sqlx::Result<bool> =
        query_scalar("SELECT pg_terminate_backend($1)").bind(backend).fetch_one(connection).await;
    // Or it ended by itself, meanwhile.
    killed.unwrap();
}

/// Until it is committed. Nothing but the loss of its own connection makes it try again.
async fn insists<T>(mut work: impl AsyncFnMut() -> Result<T, Error>) -> T {
    loop {
        match work().await {
            Ok(value) => return value,
            Err(error) => assert_eq!(error.fault(), Some(Fault::Away), "{}", error.with_causes()),
        }
    }
}

/// [TEN-3] Who is dropped costs others no connection: those that the pool had, it still has.
#[test]
fn dropped_users_cost_no_connection() {
    fixture::run(Engine::Postgres, async |db: &Db| {
        let (acme, other) = tenants(db).await;
        drop(try_join_all((0..4).map(|_| db.store.read(acme.id))).await.unwrap());
        let mut raw = raw(db).await;
        let before = others(&mut raw).await;
        storm(db, (acme, other), COMMITS).await;
        assert_eq!(others(&mut raw).await, before);
    });
}

/// [TEN-3] The same while backends are killed at random: only who used one notices, and is told to try again.
#[test]
fn killed_backends_harm_only_their_users() {
    fixture::run(Engine::Postgres, async |db: &Db| {
        let (acme, other) = tenants(db).await;
        let epoch = db.own_workflow(&other).await;
        let over = AtomicBool::new(false);
        let killer = async {
            let (mut raw, mut random) = (raw(db).await, StdRng::seed_from_u64(7));
            let mut pace = tokio::time::interval(Duration::from_millis(20));
            while !over.load(Ordering::Relaxed) {
                pace.tick().await;
                let backends = others(&mut raw).await;
                if !backends.is_empty() {
                    terminate(&mut raw, backends[random.random_range(0..backends.len())]).await;
                }
            }
        };
        let victims = async {
            let writers = join_all((0..3).map(async |_| {
                for _ in 0..KILLED_COMMITS {
                    let id = insists(async || write(&db.store, other.id).await).await;
                    assert!(insists(async || sees_its_own(&db.store, other.id).await).await, "{id}");
                }
            }));
            let journal = async {
                for seq in 1..=KILLED_COMMITS {
                    assert!(insists(async || journal(&db.store, &other, epoch, seq).await).await);
                }
            };
            join(writers, journal).await;
            over.store(true, Ordering::Relaxed);
        };
        let dropped = join_all((0..10).map(|seed| keeps_being_dropped(&db.store, acme.id, seed, &over)));
        futures::join!(killer, victims, dropped);
        let mut tx = db.store.read(other.id).await.unwrap();
        assert_eq!(canvas::load(&mut tx, other.workflow).await.unwrap().updates.len() as i64, KILLED_COMMITS);
    });
}

/// [OPS-5] A database that was away costs no request when it is back: connections that it closed are replaced.
#[test]
fn a_transaction_begins_on_another_connection_when_one_is_lost() {
    fixture::run(Engine::Postgres, async |db: &Db| {
        let acme = db.tenant("acme").await;
        drop(try_join_all((0..4).map(|_| db.store.read(acme.id))).await.unwrap());
        let mut raw = raw(db).await;
        for backend in others(&mut raw).await {
            terminate(&mut raw, backend).await;
        }
        drop(try_join_all((0..4).map(|_| write(&db.store, acme.id))).await.unwrap());
    });
}

/// [TEN-1] A transaction inherits nothing from its connection.
#[test]
fn a_transaction_states_what_it_depends_on() {
    fixture::run(Engine::Postgres, async |db: &Db| {
        let acme = db.tenant("acme").await;
        let store = with(db, 1, Timeouts::default()).await;
        let mut tx = store.begin(acme.id).await.unwrap();
        raw_sql(AssertSqlSafe(format!(
            "SET ROLE troupe_tenant; SET search_path TO pg_catalog; SET troupe.tenant TO '{}';
            SET default_transaction_read_only TO on; SET default_transaction_isolation TO serializable",
            acme.id
        )))
        .execute(tx.postgres().unwrap())
        .await
        .unwrap();
        tx.commit().await.unwrap();

        let mut tx = store.begin_system().await.unwrap();
        rows::create(&mut tx, TenantId::generate(), "new", at(0)).await.unwrap();
        assert_eq!(rows::count(&mut tx).await.unwrap(), 2);
        tx.commit().await.unwrap();
        assert!(!sees_its_own(&store, TenantId::generate()).await.unwrap());
        write(&store, acme.id).await.unwrap();
        store.close().await;
    });
}

/// [RUN-3] A commit that commits nothing, because a statement had failed, is an error.
#[test]
fn a_transaction_that_failed_is_not_committed() {
    fixture::run(Engine::Postgres, async |db: &Db| {
        let acme = db.tenant("acme").await;
        let mut tx = db.store.begin(acme.id).await.unwrap();
        raw_sql("SELECT 1 / 0").execute(tx.postgres().unwrap()).await.unwrap_err();
        tx.commit().await.unwrap_err();
    });
}

/// [OPS-2] Statements, locks and transactions that take too long are given up, and may be tried again. Migrations
/// are not.
#[test]
fn what_takes_too_long_is_given_up() {
    fixture::run(Engine::Postgres, async |db: &Db| {
        let empty = db.empty().await;
        let short = Duration::from_millis(1);
        let hurried = with(&empty, 4, Timeouts { statement: short, lock: short, idle_in_transaction: short }).await;
        hurried.migrate().await.unwrap();
        hurried.close().await;

        let lock = Timeouts { lock: short, ..Timeouts::default() };
        let store = with(&empty, 4, lock).await;
        let mut first = store.begin(TenantId::generate()).await.unwrap();
        let mut second = store.begin(TenantId::generate()).await.unwrap();
        let locking = "SELECT pg_advisory_xact_lock(1)";
        raw_sql(locking).execute(first.postgres().unwrap()).await.unwrap();
        let error = Error::from(raw_sql(locking).execute(second.postgres().unwrap()).await.unwrap_err());
        assert_eq!(error.fault(), Some(Fault::Away), "{}", error.with_causes());
        drop((first, second));
        store.close().await;

        let statement = Timeouts { statement: Duration::from_millis(100), ..Timeouts::default() };
        let store = with(&empty, 4, statement).await;
        let mut tx = store.begin(TenantId::generate()).await.unwrap();
        let sleep = raw_sql("SELECT pg_sleep(60)").execute(tx.postgres().unwrap()).await;
        let error = Error::from(sleep.unwrap_err());
        assert_eq!(error.fault(), Some(Fault::Away), "{}", error.with_causes());
        drop(tx);
        store.close().await;
        empty.remove().await;
    });
}

/// [TEN-1] A server does not start where row-level security would not hold.
#[test]
fn tables_that_are_not_isolated_are_refused() {
    fixture::run(Engine::Postgres, async |db: &Db| {
        for open in [
            "ALTER TABLE runs NO FORCE ROW LEVEL SECURITY; GRANT ALL ON SCHEMA public TO troupe_tenant;
            ALTER TABLE runs OWNER TO troupe_tenant",
            "ALTER TABLE folders DISABLE ROW LEVEL SECURITY",
        ] {
            db.execute(open).await;
            let refused = db.store.migrate().await;
            let table = if open.contains("folders") { "folders" } else { "runs" };
            assert!(matches!(&refused, Err(Error::Unconfined(open)) if open == table), "{refused:?}");
        }
    });
}

async fn with(db: &Db, connections_max: u32, timeouts: Timeouts) -> Store {
    let DatabaseConfig::Postgres { url, .. } = db.config.clone() else { panic!("this test is PostgreSQL's") };
    Store::open(DatabaseConfig::Postgres { url, connections_max, timeouts }).await.unwrap()
}
