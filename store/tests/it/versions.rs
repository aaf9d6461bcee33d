//! Versions of workflows.

use troupe_model::{Diagram, Node, NodeData, UserId};
use troupe_store::versions::{self, NewVersion, Version};

use crate::fixture::{Db, Tenant, at, both_engines};

both_engines! {
    versions_are_numbered_and_come_back,
    a_stale_epoch_publishes_nothing,
    versions_are_listed_newest_first,
}

fn diagram(label: &str) -> Diagram {
    let node = Node {
        id: "a".to_owned(),
        kind: "custom-node".to_owned(),
        position: Default::default(),
        data: NodeData { label: label.to_owned(), ..Default::default() },
        parent_id: None,
        width: None,
        height: None,
    };
    Diagram { nodes: vec![node], ..Default::default() }
}

async fn publish(db: &Db, tenant: &Tenant, epoch: i64, seq: i64, label: &str) -> Option<Version> {
    let (diagram, authors) = (diagram(label), [tenant.owner.id, UserId::from_uuid(uuid::Uuid::nil())]);
    let version = NewVersion {
        tenant: tenant.id,
        workflow: tenant.workflow,
        epoch,
        seq,
        note: label,
        diagram: &diagram,
        authors: &authors,
        by: tenant.owner.id,
        at: at(seq),
    };
    let mut tx = db.store.begin_system().await.unwrap();
    let version = versions::publish(&mut tx, version).await.unwrap();
    tx.commit().await.unwrap();
    version
}

/// [VER-1] Numbers grow by one for each workflow; what is stored comes back as it was.
async fn versions_are_numbered_and_come_back(db: &Db) {
    let (acme, other) = (db.tenant("acme").await, db.tenant("other").await);
    let (a, b) = (db.own_workflow(&acme).await, db.own_workflow(&other).await);
    let label = "all there is: \0 \u{1} 😀 \"";
    assert_eq!(publish(db, &acme, a, 3, "first").await.unwrap().number, 1);
    assert_eq!(publish(db, &other, b, 1, "first").await.unwrap().number, 1);
    let mut read = db.store.read(acme.id).await.unwrap();
    assert_eq!(versions::find(&mut read, acme.workflow, 2).await.unwrap(), None);
    drop(read);
    let second = publish(db, &acme, a, 7, "second").await.unwrap();
    assert_eq!((second.number, second.seq, second.note.as_str()), (2, 7, "second"));
    assert_eq!((second.created_at, second.created_by, second.authors.len()), (at(7), acme.owner.id, 2));

    let mut read = db.store.read(acme.id).await.unwrap();
    assert_eq!(versions::find(&mut read, acme.workflow, 2).await.unwrap().as_ref(), Some(&second));
    assert_eq!(versions::latest(&mut read, acme.workflow).await.unwrap(), Some(second));
    assert_eq!(versions::diagram(&mut read, acme.workflow, 1).await.unwrap(), Some(diagram("first")));
    assert_eq!(versions::diagram(&mut read, acme.workflow, 9).await.unwrap(), None);
    drop(read);

    let mut tx = db.store.begin_system().await.unwrap();
    let (tenant, workflow, by) = (acme.id, acme.workflow, acme.owner.id);
    let odd = diagram(label);
    let version =
        NewVersion { tenant, workflow, epoch: a, seq: 8, note: "", diagram: &odd, authors: &[], by, at: at(8) };
    versions::publish(&mut tx, version).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let mut read = db.store.read(acme.id).await.unwrap();
    assert_eq!(versions::diagram(&mut read, acme.workflow, 3).await.unwrap(), Some(odd));
}

/// [SYNC-13] Who does not own the canvas any more publishes nothing of it.
async fn a_stale_epoch_publishes_nothing(db: &Db) {
    let acme = db.tenant("acme").await;
    let epoch = db.own_workflow(&acme).await;
    assert_eq!(publish(db, &acme, epoch - 1, 1, "stale").await, None);
    assert_eq!(publish(db, &acme, epoch + 1, 1, "stale").await, None);
    let mut read = db.store.read(acme.id).await.unwrap();
    assert_eq!(versions::latest(&mut read, acme.workflow).await.unwrap(), None);
}

/// [HIER-3] A list is paged by its cursor.
async fn versions_are_listed_newest_first(db: &Db) {
    let acme = db.tenant("acme").await;
    let epoch = db.own_workflow(&acme).await;
    for seq in 1..=5 {
        publish(db, &acme, epoch, seq, "x").await.unwrap();
    }
    let mut read = db.store.read(acme.id).await.unwrap();
    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let page = versions::list(&mut read, acme.workflow, before, 2).await.unwrap();
        pages.push(page.items.iter().map(|version| version.number).collect::<Vec<_>>());
        match page.next_cursor {
            Some(cursor) => before = Some(cursor.parse().unwrap()),
            None => break,
        }
    }
    assert_eq!(pages, [vec![5, 4], vec![3, 2], vec![1]]);
    assert_eq!(versions::count(&mut read, acme.workflow).await.unwrap(), 5);
}
