//! [SYNC-13] One owner at a time, and an epoch that only grows.

use troupe_model::{ServerId, TenantId, Timestamp};
use troupe_store::leases::{self, Held, LeaseKind};
use uuid::Uuid;

use crate::fixture::{Db, TTL, at, both_engines};

both_engines! {
    a_lease_goes_over_only_when_it_is_free_or_expired,
    two_servers_race_and_one_wins,
    renewal_tells_what_is_still_held,
    one_lease_is_renewed_for_its_holder,
    only_its_holder_releases_a_lease,
    another_tenants_lease_of_the_same_id_is_another_lease,
}

const AFTER_TTL: i64 = 15_000;

/// [SYNC-13] Held: refused to others, and taken anew by the holder's server. Whoever takes it has the next epoch.
async fn a_lease_goes_over_only_when_it_is_free_or_expired(db: &Db) {
    let tenant = db.tenant("acme").await.id;
    let (id, a, b) = (Uuid::now_v7(), ServerId::generate(), ServerId::generate());
    let acquire = async |server, now| db.acquire(LeaseKind::Workflow, id, tenant, server, now).await;

    assert_eq!(acquire(a, 0).await, Some(1));
    assert_eq!(acquire(b, 1).await, None, "a holds it");
    assert_eq!(acquire(a, 2).await, Some(2), "taken anew by its server, whose former actor is gone");
    assert_eq!(acquire(b, AFTER_TTL + 1).await, None, "its time counts from 2");
    assert_eq!(acquire(b, AFTER_TTL + 2).await, Some(3), "expired");
    assert_eq!(acquire(a, AFTER_TTL + 3).await, None, "its former holder waits like everybody");

    let mut tx = db.store.begin_system().await.unwrap();
    assert!(leases::release(&mut tx, LeaseKind::Workflow, id, b, 3).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(acquire(b, AFTER_TTL + 4).await, Some(4), "released and taken again, even by the same server");
}

/// [SYNC-13] However many reach for a lease at once, exactly one gets it.
async fn two_servers_race_and_one_wins(db: &Db) {
    let tenant = db.tenant("acme").await.id;
    let (a, b) = (ServerId::generate(), ServerId::generate());
    for round in 0..25 {
        let id = Uuid::now_v7();
        for (epoch, now) in [(1, 0), (2, AFTER_TTL)] {
            let race = |server| db.acquire(LeaseKind::Run, id, tenant, server, now);
            // A former holder may take its own at any time, so the second race has fresh servers.
            let (a, b) = if epoch == 1 { (a, b) } else { (ServerId::generate(), ServerId::generate()) };
            let outcome = tokio::join!(race(a), race(b));
            assert!(
                matches!(outcome, (Some(e), None) | (None, Some(e)) if e == epoch),
                "round {round}, epoch {epoch}: {outcome:?}"
            );
        }
    }
}

/// [SYNC-13] A server renews all it holds with one call and learns what it lost.
async fn renewal_tells_what_is_still_held(db: &Db) {
    let tenant = db.tenant("acme").await.id;
    let (a, b) = (ServerId::generate(), ServerId::generate());
    let (kept, lost, run) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    for (kind, id) in [(LeaseKind::Workflow, kept), (LeaseKind::Workflow, lost), (LeaseKind::Run, run)] {
        assert_eq!(db.acquire(kind, id, tenant, a, 0).await, Some(1));
    }
    assert_eq!(db.acquire(LeaseKind::Workflow, lost, tenant, b, AFTER_TTL).await, Some(2));

    let held = |kind, id, epoch| Held { kind, id, epoch };
    let of_a = [held(LeaseKind::Workflow, kept, 1), held(LeaseKind::Run, run, 1)];
    assert_eq!(renew_all(db, a, at(AFTER_TTL)).await, of_a);
    assert_eq!(renew_all(db, b, at(AFTER_TTL)).await, [held(LeaseKind::Workflow, lost, 2)]);
    assert_eq!(renew_all(db, ServerId::generate(), at(AFTER_TTL)).await, []);
    assert_eq!(db.acquire(LeaseKind::Run, run, tenant, b, 2 * AFTER_TTL - 1).await, None, "renewed until then");
}

/// [SYNC-13] One lease is renewed for who holds it under this epoch, also when it expired and nobody took it.
async fn one_lease_is_renewed_for_its_holder(db: &Db) {
    let tenant = db.tenant("acme").await.id;
    let (id, a, b) = (Uuid::now_v7(), ServerId::generate(), ServerId::generate());
    assert_eq!(db.acquire(LeaseKind::Workflow, id, tenant, a, 0).await, Some(1));
    let renew = async |server, epoch, now| {
        let mut tx = db.store.begin_system().await.unwrap();
        let lease = Held { kind: LeaseKind::Workflow, id, epoch };
        let renewed = leases::renew(&mut tx, &lease, tenant, server, at(now), TTL).await.unwrap();
        tx.commit().await.unwrap();
        renewed
    };
    assert!(renew(a, 1, 2 * AFTER_TTL).await);
    assert!(!renew(b, 1, 2 * AFTER_TTL).await && !renew(a, 2, 2 * AFTER_TTL).await);
    assert_eq!(db.acquire(LeaseKind::Workflow, id, tenant, b, 3 * AFTER_TTL - 1).await, None, "renewed until then");
    assert_eq!(db.acquire(LeaseKind::Workflow, id, tenant, b, 3 * AFTER_TTL).await, Some(2));
    assert!(!renew(a, 1, 3 * AFTER_TTL).await);
}

async fn renew_all(db: &Db, server: ServerId, now: Timestamp) -> Vec<Held> {
    let mut tx = db.store.begin_system().await.unwrap();
    let mut held = leases::renew_all(&mut tx, server, now, TTL).await.unwrap();
    tx.commit().await.unwrap();
    held.sort();
    held
}

/// [SYNC-13] Neither another server nor an old epoch gives a lease away.
async fn only_its_holder_releases_a_lease(db: &Db) {
    let tenant = db.tenant("acme").await.id;
    let (id, a, b) = (Uuid::now_v7(), ServerId::generate(), ServerId::generate());
    assert_eq!(db.acquire(LeaseKind::Run, id, tenant, a, 0).await, Some(1));

    let mut tx = db.store.begin_system().await.unwrap();
    assert!(!leases::release(&mut tx, LeaseKind::Run, id, b, 1).await.unwrap(), "not the holder");
    assert!(!leases::release(&mut tx, LeaseKind::Run, id, a, 2).await.unwrap(), "not the epoch");
    assert!(!leases::release(&mut tx, LeaseKind::Workflow, id, a, 1).await.unwrap(), "not the kind");
    assert!(leases::release(&mut tx, LeaseKind::Run, id, a, 1).await.unwrap());
    assert!(!leases::release(&mut tx, LeaseKind::Run, id, a, 1).await.unwrap(), "not held any more");
}

/// [TEN-1] A lease that one tenant takes on another's id keeps nobody out.
async fn another_tenants_lease_of_the_same_id_is_another_lease(db: &Db) {
    let (acme, other): (TenantId, TenantId) = (db.tenant("acme").await.id, db.tenant("other").await.id);
    let id = Uuid::now_v7();
    assert_eq!(db.acquire(LeaseKind::Workflow, id, other, ServerId::generate(), 0).await, Some(1));
    assert_eq!(db.acquire(LeaseKind::Workflow, id, acme, ServerId::generate(), 0).await, Some(1));
}
