//! [REL-12] What is risked with a canvas is written down while it goes on; a canvas may be held back.

use troupe_model::Diagram;
use troupe_store::canvas::trouble::{self, HeldBack, Trouble};
use uuid::Uuid;

use crate::fixture::{Db, Tenant, at, both_engines};

both_engines! {
    a_process_that_ends_at_work_is_counted,
    a_canvas_is_held_back_until_it_is_released,
}

async fn begin(db: &Db, tenant: &Tenant, process: Uuid) -> i64 {
    let mut tx = db.store.begin_system().await.unwrap();
    let failures = trouble::begin(&mut tx, tenant.id, tenant.workflow, process).await.unwrap();
    tx.commit().await.unwrap();
    failures
}

async fn find(db: &Db, tenant: &Tenant) -> Option<Trouble> {
    trouble::find(&mut db.store.read(tenant.id).await.unwrap(), tenant.workflow).await.unwrap()
}

/// [REL-12] One that ended in order, or did its work, is not; nor is one that begins again what it had left.
async fn a_process_that_ends_at_work_is_counted(db: &Db) {
    let tenant = db.tenant("acme").await;
    let [a, b, c, d] = [0; 4].map(|_| Uuid::now_v7());
    assert_eq!(begin(db, &tenant, a).await, 0);
    assert_eq!(begin(db, &tenant, a).await, 0, "it left the work, and lives");
    assert_eq!(begin(db, &tenant, b).await, 1, "a was at work still");
    let mut tx = db.store.begin_system().await.unwrap();
    trouble::ended_in_order(&mut tx, b).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(begin(db, &tenant, c).await, 1, "b ended in order");
    let mut tx = db.store.begin_system().await.unwrap();
    trouble::done(&mut tx, tenant.id, tenant.workflow, b).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(find(db, &tenant).await, Some(Trouble { failures: 1, held_back: None }), "b speaks for itself only");
    let mut tx = db.store.begin_system().await.unwrap();
    trouble::failed(&mut tx, tenant.id, tenant.workflow).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(begin(db, &tenant, d).await, 2, "c failed, and lives");
    let mut tx = db.store.begin_system().await.unwrap();
    trouble::done(&mut tx, tenant.id, tenant.workflow, d).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(find(db, &tenant).await, None, "forgiven");
}

/// [REL-12]
async fn a_canvas_is_held_back_until_it_is_released(db: &Db) {
    let tenant = db.tenant("acme").await;
    let held = HeldBack { reason: "it failed".to_owned(), at: at(7), diagram: Some(Diagram::default()), seq: 12 };
    let release = async || {
        let mut tx = db.store.begin_system().await.unwrap();
        let released = trouble::release(&mut tx, tenant.id, tenant.workflow).await.unwrap();
        tx.commit().await.unwrap();
        released
    };
    assert!(!release().await);
    for held in [held.clone(), HeldBack { diagram: None, seq: 0, ..held }] {
        let mut tx = db.store.begin_system().await.unwrap();
        trouble::hold_back(&mut tx, tenant.id, tenant.workflow, &held).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(find(db, &tenant).await.unwrap().held_back, Some(held));
    }
    assert!(release().await);
    assert_eq!(find(db, &tenant).await, Some(Trouble { failures: 1, held_back: None }), "it is tried apart first");
}
