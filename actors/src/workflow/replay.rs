//! A canvas and its authors from what is stored: the snapshot with what was known at its time, then the log behind it.

use troupe_crdt::{Canvas, OpenError};
use troupe_store::canvas::StoredCanvas;

use super::authorship::Authorship;

/// `published_seq` is the last row that the published version holds, 0 without one. CPU work: not for an actor's turn.
pub(super) fn replay(stored: &StoredCanvas, published_seq: i64) -> Result<(Canvas, Authorship), OpenError> {
    let snapshot = stored.snapshot.as_ref();
    let mut authorship =
        snapshot.and_then(|snapshot| snapshot.authors.as_deref()).map_or_else(Authorship::default, |bytes| {
            Authorship::read(bytes).unwrap_or_else(|| {
                tracing::error!("who changed what up to the snapshot cannot be read, and is not known any more");
                Authorship::default()
            })
        });
    let updates = stored.updates.iter().map(|update| update.bytes.as_slice());
    let bytes = snapshot.map(|snapshot| snapshot.bytes.as_slice());
    let canvas = Canvas::open_noting(bytes, updates, |index, touched| {
        let update = &stored.updates[index];
        if update.seq > published_seq && authorship.published_seq() < published_seq {
            authorship.publish(published_seq);
        }
        authorship.note(update.user, update.at, touched);
    })?;
    if authorship.published_seq() < published_seq {
        authorship.publish(published_seq);
    }
    Ok((canvas, authorship))
}
