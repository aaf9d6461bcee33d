//! [SYNC-5] The canvas log: what is appended comes back, and only the owner appends.

use std::time::Duration;

use troupe_model::{ServerId, UserId, WorkflowId};
use troupe_store::{
    Error, Store,
    canvas::{self, Append, NewSnapshot, Part, StoredCanvas},
    leases::{self, LeaseKind},
};

use crate::fixture::{Db, TTL, Tenant, at, both_engines};

both_engines! {
    what_is_appended_comes_back_in_order,
    updates_of_one_commit_share_a_row,
    a_large_update_comes_in_parts,
    an_update_survives_reopening,
    a_stale_epoch_writes_nothing,
    nobody_writes_after_the_release,
    a_takeover_waits_for_the_append_under_way,
    a_taken_seq_is_refused_alone,
    what_was_committed_unheard_is_appended_once,
    a_snapshot_replaces_what_it_holds,
    a_stale_or_older_snapshot_is_refused,
    a_large_snapshot_is_written_and_removed_in_parts,
    what_a_snapshot_leaves_behind_is_not_read,
    a_rebuilt_document_replaces_all_of_the_log,
    damage_is_noticed_and_named,
    a_large_batch_of_many_documents_is_fenced_row_by_row,
    appends_and_renewals_do_not_wait_for_each_other_in_a_ring,
    a_workflow_of_another_tenant_takes_no_update,
}

fn update<'a>(tenant: &Tenant, epoch: i64, seq: i64, bytes: &'a [u8]) -> Append<'a> {
    Append {
        tenant: tenant.id,
        workflow: tenant.workflow,
        epoch,
        seq,
        user: None,
        bytes,
        part: Part::WHOLE,
        at: at(seq),
    }
}

async fn append(db: &Db, entries: &[Append<'_>]) -> Vec<bool> {
    let mut tx = db.store.begin_system().await.unwrap();
    let appended = canvas::append(&mut tx, entries).await.unwrap();
    tx.commit().await.unwrap();
    appended
}

async fn put_snapshot(db: &Db, tenant: &Tenant, epoch: i64, seq: i64, bytes: &[u8]) -> bool {
    canvas::put_snapshot(&db.store, snapshot(tenant, epoch, seq, bytes)).await.unwrap()
}

/// Of parts that the store wrote for snapshots.
async fn parts(db: &Db) -> usize {
    db.column("SELECT bytes FROM canvas_snapshot_parts").await.len()
}

fn snapshot<'a>(tenant: &Tenant, epoch: i64, seq: i64, bytes: &'a [u8]) -> NewSnapshot<'a> {
    let (tenant, workflow) = (tenant.id, tenant.workflow);
    NewSnapshot {
        tenant,
        workflow,
        epoch,
        seq,
        bytes,
        hash: b"hash",
        document_epoch: 0,
        clients: b"",
        authors: b"authors",
        at: at(seq),
    }
}

async fn load(store: &Store, tenant: &Tenant) -> Result<StoredCanvas, Error> {
    canvas::load(&mut store.read(tenant.id).await.unwrap(), tenant.workflow).await
}

async fn seqs(db: &Db, tenant: &Tenant) -> Vec<i64> {
    load(&db.store, tenant).await.unwrap().updates.iter().map(|update| update.seq).collect()
}

/// [SYNC-5] Sequence, author, bytes and time are kept; any bytes are.
async fn what_is_appended_comes_back_in_order(db: &Db) {
    let tenant = db.tenant("acme").await;
    let epoch = db.own_workflow(&tenant).await;
    let author = UserId::generate();
    let all_bytes: Vec<u8> = (0..=255).collect();
    let entries = [
        Append { user: Some(author), ..update(&tenant, epoch, 2, &all_bytes) },
        update(&tenant, epoch, 1, b""),
        update(&tenant, epoch, 10, b"\0\x01"),
    ];
    assert_eq!(append(db, &entries).await, [true, true, true]);
    assert_eq!(append(db, &[]).await, [true; 0]);

    let stored = load(&db.store, &tenant).await.unwrap();
    assert_eq!(stored.snapshot, None);
    let rows: Vec<_> = stored.updates.iter().map(|row| (row.seq, row.user, row.bytes.as_slice(), row.at)).collect();
    assert_eq!(
        rows,
        [(1, None, &b""[..], at(1)), (2, Some(author), &all_bytes[..], at(2)), (10, None, &b"\0\x01"[..], at(10))]
    );
}

/// [SYNC-5] What one commit brings shares a row, and comes apart again with its authors and times.
async fn updates_of_one_commit_share_a_row(db: &Db) {
    let tenant = db.tenant("acme").await;
    let epoch = db.own_workflow(&tenant).await;
    let authors = [Some(UserId::generate()), None, Some(UserId::generate())];
    let bytes: Vec<Vec<u8>> = (0..300).map(|seq| vec![seq as u8; seq * 7]).collect();
    let entries: Vec<_> = (0..300)
        .map(|seq| Append { user: authors[seq % 3], ..update(&tenant, epoch, seq as i64 + 1, &bytes[seq]) })
        .collect();
    assert_eq!(append(db, &entries).await, [true; 300]);
    let rows = db.column("SELECT bytes FROM canvas_updates").await.len();
    assert!((2..6).contains(&rows), "{rows} rows for 300 updates of 1 KB on average");
    let stored = load(&db.store, &tenant).await.unwrap().updates;
    assert_eq!(stored.len(), 300);
    for (seq, (stored, entry)) in stored.iter().zip(&entries).enumerate() {
        assert_eq!((stored.seq, stored.user, stored.at), (entry.seq, entry.user, entry.at));
        assert_eq!(stored.bytes, bytes[seq]);
    }
    assert!(put_snapshot(db, &tenant, epoch, 100, b"a hundred").await);
    assert_eq!(seqs(db, &tenant).await, (101..=300).collect::<Vec<_>>(), "a snapshot may end inside a row");
}

/// [SYNC-5] An update in parts is there when all of them are. What a writer left behind who was cut short is not taken for
/// a part of the next, and goes with a snapshot.
async fn a_large_update_comes_in_parts(db: &Db) {
    let tenant = db.tenant("acme").await;
    let epoch = db.own_workflow(&tenant).await;
    let part = |seq, number, of, bytes| Append { part: Part { number, of }, ..update(&tenant, epoch, seq, bytes) };
    let log = [
        update(&tenant, epoch, 1, b"before"),
        part(2, 0, 3, b"a"),
        part(3, 1, 3, b"b"),
        part(4, 0, 2, b"c"),
        update(&tenant, epoch, 5, b"between"),
        part(6, 0, 3, b"d"),
        part(7, 1, 3, b"e"),
        part(8, 2, 3, b"f"),
        update(&tenant, epoch, 9, b"after"),
        part(10, 0, 2, b"g"),
    ];
    for pair in log.chunks(2) {
        assert_eq!(append(db, pair).await, [true; 2]);
    }
    let stored = load(&db.store, &tenant).await.unwrap();
    assert_eq!((stored.last_seq, stored.complete_seq()), (10, 9));
    let updates: Vec<_> = stored.updates.iter().map(|update| (update.seq, update.bytes.as_slice())).collect();
    assert_eq!(updates, [(1, &b"before"[..]), (5, b"between"), (8, b"def"), (9, b"after")]);

    assert_eq!(append(db, &[part(11, 1, 2, b"h")]).await, [true]);
    assert!(put_snapshot(db, &tenant, epoch, 9, b"nine").await);
    let stored = load(&db.store, &tenant).await.unwrap();
    let updates: Vec<_> = stored.updates.iter().map(|update| (update.seq, update.bytes.as_slice())).collect();
    assert_eq!(updates, [(11, &b"gh"[..])]);
}

/// [SYNC-3] What was committed is there when the database is opened again without having been closed; what was not
/// committed is not.
async fn an_update_survives_reopening(db: &Db) {
    let tenant = db.tenant("acme").await;
    let epoch = db.own_workflow(&tenant).await;
    append(db, &[update(&tenant, epoch, 1, b"kept")]).await;
    let mut abandoned = db.store.begin_system().await.unwrap();
    assert_eq!(canvas::append(&mut abandoned, &[update(&tenant, epoch, 2, b"lost")]).await.unwrap(), [true]);

    let reopened = Store::open(db.config.clone()).await.unwrap();
    let stored = load(&reopened, &tenant).await.unwrap();
    assert_eq!(stored.updates.iter().map(|update| update.bytes.as_slice()).collect::<Vec<_>>(), [b"kept"]);

    drop(abandoned);
    assert_eq!(append(db, &[update(&tenant, epoch, 2, b"again")]).await, [true], "the rollback freed the seq");
    reopened.close().await;
}

/// [SYNC-13] After a takeover the former owner's appends are refused, and the rest of the batch is not.
async fn a_stale_epoch_writes_nothing(db: &Db) {
    let (acme, other) = (db.tenant("acme").await, db.tenant("other").await);
    let (stale, fine) = (db.own_workflow(&acme).await, db.own_workflow(&other).await);
    let id = *acme.workflow.as_uuid();
    let current = db.acquire(LeaseKind::Workflow, id, acme.id, ServerId::generate(), 15_000).await.unwrap();

    let entries = [
        update(&acme, stale, 1, b"stale"),
        update(&other, fine, 1, b"fine"),
        update(&acme, current + 1, 1, b"from the future"),
    ];
    assert_eq!(append(db, &entries).await, [false, true, false]);
    assert_eq!((seqs(db, &acme).await, seqs(db, &other).await), (vec![], vec![1]));
    assert_eq!(append(db, &[update(&acme, current, 1, b"owner")]).await, [true]);
}

/// [SYNC-13] A released lease is nobody's: its last epoch writes no more.
async fn nobody_writes_after_the_release(db: &Db) {
    let tenant = db.tenant("acme").await;
    let (id, server) = (*tenant.workflow.as_uuid(), ServerId::generate());
    let epoch = db.acquire(LeaseKind::Workflow, id, tenant.id, server, 0).await.unwrap();
    let mut tx = db.store.begin_system().await.unwrap();
    assert!(leases::release(&mut tx, LeaseKind::Workflow, id, server, epoch).await.unwrap());
    tx.commit().await.unwrap();

    assert_eq!(append(db, &[update(&tenant, epoch, 1, b"late")]).await, [false]);
    assert!(!put_snapshot(db, &tenant, epoch, 1, b"late").await);
    assert_eq!(load(&db.store, &tenant).await.unwrap(), StoredCanvas::default());
}

/// [SYNC-13] An append that has checked the epoch commits before the takeover, so the new owner loads it; there is
/// no moment at which both could write.
async fn a_takeover_waits_for_the_append_under_way(db: &Db) {
    let tenant = db.tenant("acme").await;
    let epoch = db.own_workflow(&tenant).await;
    let mut appending = db.store.begin_system().await.unwrap();
    assert_eq!(canvas::append(&mut appending, &[update(&tenant, epoch, 1, b"first")]).await.unwrap(), [true]);

    let takeover = async {
        let id = *tenant.workflow.as_uuid();
        let epoch = db.acquire(LeaseKind::Workflow, id, tenant.id, ServerId::generate(), 15_000).await;
        (epoch, seqs(db, &tenant).await)
    };
    tokio::pin!(takeover);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut takeover).await;
    assert!(early.is_err(), "the takeover did not wait: {early:?}");
    appending.commit().await.unwrap();
    assert_eq!(takeover.await, (Some(epoch + 1), vec![1]));
}

/// [REL-2] When the connection breaks while a commit is answered, the same is appended again, and is there once.
async fn what_was_committed_unheard_is_appended_once(db: &Db) {
    let (acme, other) = (db.tenant("acme").await, db.tenant("other").await);
    let (a, b) = (db.own_workflow(&acme).await, db.own_workflow(&other).await);
    let entries = [update(&acme, a, 1, b"one"), update(&acme, a, 2, b"two"), update(&other, b, 1, b"other")];
    for _ in 0..2 {
        assert_eq!(append(db, &entries).await, [true; 3]);
        assert_eq!((seqs(db, &acme).await, seqs(db, &other).await), (vec![1, 2], vec![1]));
    }
    let further = [entries[0], entries[1], update(&other, b, 2, b"next")];
    assert_eq!(append(db, &further).await, [true; 3]);
    let of_another_owner = [update(&acme, a + 1, 1, b"one"), update(&acme, a + 1, 2, b"two")];
    assert_eq!(append(db, &of_another_owner).await, [false; 2]);
}

/// [SYNC-5] (workflow, seq) is written once. One document's mistake costs no other document its updates.
async fn a_taken_seq_is_refused_alone(db: &Db) {
    let (acme, other) = (db.tenant("acme").await, db.tenant("other").await);
    let (a, b) = (db.own_workflow(&acme).await, db.own_workflow(&other).await);
    assert_eq!(append(db, &[update(&acme, a, 1, b"first")]).await, [true]);
    let entries = [update(&acme, a, 1, b"second"), update(&acme, a, 2, b"next"), update(&other, b, 1, b"other")];
    assert_eq!(append(db, &entries).await, [false, false, true]);
    assert_eq!(load(&db.store, &acme).await.unwrap().updates[0].bytes, b"first");

    let several: Vec<_> = (2..=5).map(|seq| update(&acme, a, seq, b"later")).collect();
    assert_eq!(append(db, &several).await, [true; 4]);
    for (first, last) in [(2, 2), (3, 4), (4, 7)] {
        let overlapping: Vec<_> = (first..=last).map(|seq| update(&acme, a, seq, b"again")).collect();
        assert!(!append(db, &overlapping).await.contains(&true), "{first}..={last}");
    }
    assert_eq!(append(db, &[update(&acme, a, 6, b"next")]).await, [true]);
    assert_eq!(seqs(db, &acme).await, [1, 2, 3, 4, 5, 6]);
}

/// [SYNC-5] The log up to the snapshot is trimmed; behind it, it stays.
async fn a_snapshot_replaces_what_it_holds(db: &Db) {
    let tenant = db.tenant("acme").await;
    let epoch = db.own_workflow(&tenant).await;
    let entries: Vec<_> = (1..=5).map(|seq| update(&tenant, epoch, seq, b"x")).collect();
    append(db, &entries).await;

    assert!(put_snapshot(db, &tenant, epoch, 3, b"three").await);
    let stored = load(&db.store, &tenant).await.unwrap();
    let snapshot = stored.snapshot.unwrap();
    assert_eq!(snapshot.authors.as_deref(), Some(&b"authors"[..]));
    assert_eq!((snapshot.seq, snapshot.bytes.as_slice(), snapshot.hash.as_slice()), (3, &b"three"[..], &b"hash"[..]));
    assert_eq!(stored.updates.iter().map(|update| update.seq).collect::<Vec<_>>(), [4, 5]);

    assert!(put_snapshot(db, &tenant, epoch, 5, b"five").await);
    let stored = load(&db.store, &tenant).await.unwrap();
    assert_eq!((stored.snapshot.unwrap().bytes, stored.updates), (b"five".to_vec(), vec![]));
}

/// [SYNC-13] A snapshot is written under the epoch like an update, and never goes back.
async fn a_stale_or_older_snapshot_is_refused(db: &Db) {
    let tenant = db.tenant("acme").await;
    let epoch = db.own_workflow(&tenant).await;
    let entries: Vec<_> = (1..=3).map(|seq| update(&tenant, epoch, seq, b"x")).collect();
    append(db, &entries).await;
    assert!(put_snapshot(db, &tenant, epoch, 2, b"two").await);

    assert!(!put_snapshot(db, &tenant, epoch + 1, 3, b"other epoch").await);
    assert!(!put_snapshot(db, &tenant, epoch, 1, b"one").await);
    let stored = load(&db.store, &tenant).await.unwrap();
    assert_eq!((stored.snapshot.unwrap().bytes, stored.updates.len()), (b"two".to_vec(), 1));
}

/// [SYNC-5] Whatever its size, all of it comes back, and nothing is left of the one before, or of a long log.
async fn a_large_snapshot_is_written_and_removed_in_parts(db: &Db) {
    let tenant = db.tenant("acme").await;
    let epoch = db.own_workflow(&tenant).await;
    for seq in 1..=700 {
        assert_eq!(append(db, &[update(&tenant, epoch, seq, &vec![seq as u8; 10_000])]).await, [true]);
    }
    let bytes: Vec<u8> = (0..3 << 20).map(|place: usize| ((place * place) >> 7) as u8).collect();
    let part = 256 << 10;
    for (len, parts_after) in [(part, 0), (part + 1, 1), (3 * part, 2), (bytes.len(), 11), (part + 7, 1), (3, 0)] {
        assert!(put_snapshot(db, &tenant, epoch, 699, &bytes[..len]).await);
        let stored = load(&db.store, &tenant).await.unwrap();
        assert!(stored.snapshot.unwrap().bytes == bytes[..len], "{len}");
        assert_eq!(stored.updates.iter().map(|update| update.seq).collect::<Vec<_>>(), [700]);
        assert_eq!(db.column("SELECT bytes FROM canvas_updates").await.len(), 1);
        assert_eq!(parts(db).await, parts_after, "{len}");
    }
}

/// [SYNC-5, SYNC-13] Parts of a snapshot that did not come to be are never taken for those of another, and are removed
/// with the next; an owner of yesterday neither writes nor removes any.
async fn what_a_snapshot_leaves_behind_is_not_read(db: &Db) {
    let tenant = db.tenant("acme").await;
    let epoch = db.own_workflow(&tenant).await;
    let bytes = vec![7; 400_000];
    append(db, &[update(&tenant, epoch, 1, b"x"), update(&tenant, epoch, 2, b"x"), update(&tenant, epoch, 3, b"x")])
        .await;
    let rebuilt = NewSnapshot { document_epoch: 1, ..snapshot(&tenant, epoch, 2, &bytes) };
    assert!(!canvas::put_rebuilt(&db.store, rebuilt).await.unwrap());
    assert_eq!(parts(db).await, 1, "written before it was seen that the log goes on");
    assert_eq!(load(&db.store, &tenant).await.unwrap().snapshot, None);

    assert!(!put_snapshot(db, &tenant, epoch - 1, 3, &bytes).await);
    assert_eq!((parts(db).await, seqs(db, &tenant).await.len()), (1, 3));
    assert!(put_snapshot(db, &tenant, epoch, 3, &bytes[..300_000]).await);
    assert!(load(&db.store, &tenant).await.unwrap().snapshot.unwrap().bytes == bytes[..300_000]);
    assert_eq!(parts(db).await, 1);
}

/// [SYNC-15] A rebuilt document comes with its epoch, in place of the whole log or not at all; what was made from the
/// former document comes too late.
async fn a_rebuilt_document_replaces_all_of_the_log(db: &Db) {
    let tenant = db.tenant("acme").await;
    let epoch = db.own_workflow(&tenant).await;
    let entries: Vec<_> = (1..=3).map(|seq| update(&tenant, epoch, seq, b"x")).collect();
    append(db, &entries).await;
    let rebuilt = |epoch, seq| NewSnapshot {
        document_epoch: 1,
        clients: b"who wrote before",
        ..snapshot(&tenant, epoch, seq, b"rebuilt")
    };
    for (epoch, seq) in [(epoch, 2), (epoch + 1, 3)] {
        assert!(!canvas::put_rebuilt(&db.store, rebuilt(epoch, seq)).await.unwrap());
        assert_eq!(seqs(db, &tenant).await, [1, 2, 3]);
    }
    assert!(canvas::put_rebuilt(&db.store, rebuilt(epoch, 3)).await.unwrap());
    assert!(!put_snapshot(db, &tenant, epoch, 3, b"of the former document").await);

    let stored = load(&db.store, &tenant).await.unwrap();
    let snapshot = stored.snapshot.unwrap();
    assert_eq!((snapshot.bytes.as_slice(), snapshot.document_epoch), (&b"rebuilt"[..], 1));
    assert_eq!((snapshot.clients.as_slice(), stored.updates.len()), (&b"who wrote before"[..], 0));
}

/// [SYNC-5] A checksum that differs is an error that says where, not a document that is wrong.
async fn damage_is_noticed_and_named(db: &Db) {
    let tenant = db.tenant("acme").await;
    let epoch = db.own_workflow(&tenant).await;
    append(db, &[update(&tenant, epoch, 1, b"good"), update(&tenant, epoch, 2, b"good")]).await;
    let here = |workflow: WorkflowId| workflow == tenant.workflow;

    db.execute("UPDATE canvas_updates SET crc = crc + 1 WHERE seq = 2").await;
    let error = load(&db.store, &tenant).await.unwrap_err();
    assert!(matches!(error, Error::DamagedUpdate { workflow, seq: 2 } if here(workflow)), "{error}");
    assert!(error.to_string().contains(&tenant.workflow.to_string()) && error.to_string().contains('2'));

    assert!(put_snapshot(db, &tenant, epoch, 2, b"good").await);
    db.execute("UPDATE canvas_snapshots SET crc = crc + 1").await;
    let error = load(&db.store, &tenant).await.unwrap_err();
    assert!(matches!(error, Error::DamagedSnapshot { workflow, seq: 2 } if here(workflow)), "{error}");
}

/// [SYNC-13] Thousands of rows go in few statements, and each still meets its own lease.
async fn a_large_batch_of_many_documents_is_fenced_row_by_row(db: &Db) {
    let mut owned = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let tenant = db.tenant(name).await;
        let epoch = db.own_workflow(&tenant).await;
        owned.push((tenant, epoch));
    }
    owned[2].1 += 1; // not the lease's
    let entries: Vec<_> = (0..2_999)
        .map(|index: i64| {
            let (tenant, epoch) = &owned[index as usize % owned.len()];
            update(tenant, *epoch, index, b"some twenty bytes or so")
        })
        .collect();
    let appended = append(db, &entries).await;
    assert!(appended.iter().enumerate().all(|(index, &written)| written == (index % 4 != 2)));
    for (place, (tenant, _)) in owned.iter().enumerate() {
        let expected: Vec<i64> = (0..2_999).filter(|seq| place != 2 && *seq as usize % 4 == place).collect();
        assert_eq!(seqs(db, tenant).await, expected);
    }
}

/// [SYNC-13] Journals that write to the same documents in different orders, and renewals between them, all end.
async fn appends_and_renewals_do_not_wait_for_each_other_in_a_ring(db: &Db) {
    let server = ServerId::generate();
    let mut owned = Vec::new();
    for name in ["a", "b", "c"] {
        let tenant = db.tenant(name).await;
        let id = *tenant.workflow.as_uuid();
        assert_eq!(db.acquire(LeaseKind::Workflow, id, tenant.id, server, 0).await, Some(1));
        owned.push(tenant);
    }
    let journal = async |first: i64, reversed: bool| {
        for seq in first..first + 30 {
            let mut entries: Vec<_> = owned.iter().map(|tenant| update(tenant, 1, seq, b"x")).collect();
            if reversed {
                entries.reverse();
            }
            assert_eq!(append(db, &entries).await, [true; 3]);
        }
    };
    let renewals = async {
        for now in 0..30 {
            let mut tx = db.store.begin_system().await.unwrap();
            assert_eq!(leases::renew_all(&mut tx, server, at(now), TTL).await.unwrap().len(), 3);
            tx.commit().await.unwrap();
        }
    };
    tokio::join!(journal(0, false), journal(1_000, true), renewals);
}

/// [TEN-1] Not even a lease gets an update below another tenant's workflow.
async fn a_workflow_of_another_tenant_takes_no_update(db: &Db) {
    let (acme, other) = (db.tenant("acme").await, db.tenant("other").await);
    let forged = Tenant { workflow: acme.workflow, ..other };
    let epoch = db.own_workflow(&forged).await;
    let mut tx = db.store.begin_system().await.unwrap();
    let refused = canvas::append(&mut tx, &[update(&forged, epoch, 1, b"x")]).await;
    assert!(matches!(refused, Err(Error::NoSuchParent)), "{refused:?}");
    drop(tx);
    assert_eq!(load(&db.store, &acme).await.unwrap(), StoredCanvas::default());
}
