//! Log and snapshots [SYNC-5].

use troupe_crdt::{Applied, Canvas, OpenError};

use crate::world::{Client, inner, joiner};

const NONE: [&[u8]; 0] = [];

/// [SYNC-5] A snapshot and the updates after it give the canvas.
#[test]
fn snapshot_and_log_give_the_canvas() {
    let mut canvas = Canvas::new();
    let author = Client::new(11);
    let mut log = Vec::new();
    for step in 0..50 {
        log.push(author.add_node(&format!("n{}", step % 7)));
        log.push(author.set_label(&format!("n{}", step % 7), &format!("step {step}")));
    }
    for update in &log[..60] {
        assert_eq!(canvas.apply(update).unwrap(), Applied::Integrated);
    }
    let snapshot = canvas.snapshot().unwrap();
    for update in &log[60..] {
        canvas.apply(update).unwrap();
    }
    for reopened in [
        Canvas::open(Some(&snapshot.bytes), &log[60..]),
        // Overlap does no harm.
        Canvas::open(Some(&snapshot.bytes), &log[40..]),
        Canvas::open(None, &log),
        Canvas::open(Some(&canvas.snapshot().unwrap().bytes), NONE),
    ] {
        let reopened = reopened.unwrap();
        assert_eq!(reopened.project(), canvas.project());
        assert_eq!(joiner(&reopened).json(), author.json());
        assert_eq!(joiner(&reopened).clocks(), author.clocks());
    }
}

/// [SYNC-5] Equal documents have equal hashes only if their bytes are equal; the hash is of the bytes.
#[test]
fn the_hash_is_of_the_bytes() {
    use sha2::{Digest, Sha256};
    let mut canvas = Canvas::new();
    canvas.apply(&Client::new(11).add_node("a")).unwrap();
    let snapshot = canvas.snapshot().unwrap();
    assert_eq!(snapshot.hash, <[u8; 32]>::from(Sha256::digest(&snapshot.bytes)));
}

/// [SYNC-5] What cannot be read, or refers to what is lost, is an error that says so and no half a canvas.
#[test]
fn a_damaged_store_is_an_error() {
    let author = Client::new(11);
    let log = [author.add_node("a"), author.set_label("a", "b"), author.set_label("a", "c")];
    let mut canvas = Canvas::new();
    canvas.apply(&log[0]).unwrap();
    let snapshot = canvas.snapshot().unwrap();
    assert!(matches!(Canvas::open(Some(&snapshot.bytes[..20]), NONE).unwrap_err(), OpenError::Snapshot(_)));
    assert!(matches!(Canvas::open(None, [&log[0][..], &log[1][..5]]).unwrap_err(), OpenError::Update { index: 1, .. }));
    assert_eq!(Canvas::open(None, [&log[1]]).unwrap_err(), OpenError::Incomplete);
    assert_eq!(Canvas::open(None, [&log[0], &log[2]]).unwrap_err(), OpenError::Incomplete);
    // What follows the gap depends on nothing in it: yrs would keep a hole.
    let note = |key: &str| {
        author.edit(|txn| {
            yrs::Map::insert(&inner(txn, &["notes"]).unwrap(), txn, key, 1);
        })
    };
    let apart = [note("x"), note("y"), note("z")];
    assert_eq!(Canvas::open(None, [&log[0], &log[1], &log[2], &apart[2]]).unwrap_err(), OpenError::Incomplete);
}
