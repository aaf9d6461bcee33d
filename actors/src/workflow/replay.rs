//! A canvas and its authors from what is stored: the snapshot with what was known at its time, then the log behind it.

use thiserror::Error;
use troupe_crdt::{Canvas, DocumentEpoch, OpenError};
use troupe_store::canvas::StoredCanvas;

use super::authorship::Authorship;

/// Why what is stored is not a canvas.
#[derive(Debug, Error)]
pub(crate) enum ReplayError {
    #[error(transparent)]
    Canvas(#[from] OpenError),
    #[error("the clients of former document epochs cannot be read")]
    Epoch,
}

/// `published_seq` is the last row that the published version holds, 0 without one. CPU work: not for an actor's turn.
pub(super) fn replay(stored: &StoredCanvas, published_seq: i64) -> Result<(Canvas, Authorship), ReplayError> {
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
    let epoch = snapshot.map_or(Some(DocumentEpoch::default()), |snapshot| {
        DocumentEpoch::stored(snapshot.document_epoch, &snapshot.clients)
    });
    Ok((canvas.in_epoch(epoch.ok_or(ReplayError::Epoch)?), authorship))
}
