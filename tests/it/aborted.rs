//! Requests that their clients give up, on PostgreSQL: nobody else notices.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures::future::{join, join_all};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::StatusCode;
use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions, postgres::PgConnectOptions, query_scalar, raw_sql};
use uuid::Uuid;

use crate::app::{Answer, Client, TestApp};

const ABORTING: u64 = 24;
const WRITES: usize = 60;
/// As long as a request takes, or less.
const PATIENCE_MICROS: u64 = 6_000;

/// A worker of autovacuum works in a database, too.
const LEFT: &str = "SELECT concat(state, ': ', query) FROM pg_stat_activity
    WHERE datname = $1 AND state <> 'idle' AND backend_type = 'client backend'";

/// [TEN-3] While clients of one tenant give up their requests at random, every request of another is served, and every
/// edit is committed at the first try.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_given_up_disturb_nobody() {
    let database = Database::create().await;
    let app = TestApp::with(|config| config.database.url = Some(database.url().into())).await;
    let (ann, bob) = (app.tenant("ann").await, app.tenant("bob").await);
    let (listed, edited) = (ann.workflow("listed").await, ann.workflow("edited").await);
    let over = AtomicBool::new(false);
    let victims = async {
        join(keeps_renaming(&ann, &listed), keeps_editing(&ann, &edited)).await;
        over.store(true, Ordering::Relaxed);
    };
    join(victims, join_all((0..ABORTING).map(|seed| keeps_giving_up(&bob, seed, &over)))).await;

    let metrics = app.metrics().await;
    assert!(!metrics.contains("troupe_journal_commit_failures_total"), "{metrics}");
    let list = ann.get("/api/v1/workflows?sort=name").await.body_of(StatusCode::OK).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(bob.get("/api/v1/workflows").await.body_of(StatusCode::OK).await["items"], json!([]));
    app.stop().await;
    database.remove().await;
}

async fn keeps_renaming(client: &Client, workflow: &str) {
    for number in 0..WRITES {
        let path = format!("/api/v1/workflows/{workflow}");
        let body = json!({ "description": number.to_string() });
        let changed = client.patch(&path, &body).await.body_of(StatusCode::OK).await;
        assert_eq!(changed["description"], number.to_string());
        assert_eq!(client.get(&path).await.body_of(StatusCode::OK).await["description"], number.to_string());
    }
}

/// An edit is answered when the canvas's journal has committed it.
async fn keeps_editing(client: &Client, workflow: &str) {
    for number in 0..WRITES {
        let data = json!({ "nodeType": "limit", "label": "n", "config": { "rows": number } });
        let node = json!({ "id": "n", "type": "troupe", "position": { "x": 0, "y": 0 }, "data": data });
        let diagram = json!({ "nodes": [node], "edges": [] });
        let put = client.request(reqwest::Method::PUT, &format!("/api/v1/workflows/{workflow}/diagram"));
        put.json(&diagram).send().await.unwrap().body_of(StatusCode::OK).await;
    }
}

async fn keeps_giving_up(client: &Client, seed: u64, over: &AtomicBool) {
    let mut random = StdRng::seed_from_u64(seed);
    while !over.load(Ordering::Relaxed) {
        let patience = Duration::from_micros(random.random_range(0..PATIENCE_MICROS));
        let request = client.request(reqwest::Method::GET, "/api/v1/workflows").send();
        // Whether it was served in time does not matter.
        let _ = tokio::time::timeout(patience, request).await;
    }
}

/// A database of this test alone.
struct Database {
    admin: PgConnectOptions,
    name: String,
}

impl Database {
    #[expect(clippy::disallowed_methods, reason = "the test runner's environment says where PostgreSQL is")]
    async fn create() -> Self {
        let url = std::env::var("TEST_DATABASE_URL").expect("`scripts/with-databases` starts a PostgreSQL and sets it");
        let database = Self { admin: url.parse().unwrap(), name: format!("troupe_it_{}", Uuid::now_v7().simple()) };
        database.administer("CREATE DATABASE").await;
        database
    }

    fn url(&self) -> String {
        self.admin.clone().database(&self.name).to_url_lossy().to_string()
    }

    /// The server has stopped: none of its connections is left.
    async fn remove(self) {
        let mut admin = self.admin.connect().await.unwrap();
        let left = query_scalar(LEFT);
        let left: Vec<String> = left.bind(&self.name).fetch_all(&mut admin).await.unwrap();
        assert_eq!(left, [""; 0], "a transaction is open");
        self.administer("DROP DATABASE").await;
    }

    async fn administer(&self, statement: &str) {
        let sql = format!(r#"{statement} "{}""#, self.name);
        raw_sql(AssertSqlSafe(sql)).execute(&mut self.admin.connect().await.unwrap()).await.unwrap();
    }
}
