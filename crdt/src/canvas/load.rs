//! Opening from the store, and snapshots [SYNC-5].

use sha2::{Digest, Sha256};
use thiserror::Error;
use yrs::{ReadTxn, StateVector, Transact, TransactionMut, Update, WriteTxn, updates::decoder::Decode};

use super::{Canvas, Touched, empty_document, guarded, note_emptied, places::Places, touched::Touches};
use crate::{Refusal, guard};

/// Why what the store holds is not a canvas.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    #[error("the snapshot cannot be read: {0}")]
    Snapshot(String),
    #[error("update {index} of the log cannot be read: {reason}")]
    Update { index: usize, reason: String },
    #[error("the log refers to updates that it does not hold")]
    Incomplete,
    #[error("the document cannot be built: {0}")]
    Document(String),
}

/// The whole document in V2 encoding, read back once before it was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub hash: [u8; 32],
}

impl Canvas {
    /// Reads a snapshot and the updates after it, in one transaction: merging or replaying one by one is slower by
    /// orders of magnitude.
    ///
    /// Hostile items may mean something else after a reload than they did when they came. An update that `yrs`
    /// refuses now is counted and skipped: nobody may lock a canvas up ([`Canvas::skipped`]).
    pub fn open<U: AsRef<[u8]>>(
        snapshot_v2: Option<&[u8]>,
        updates: impl IntoIterator<Item = U>,
    ) -> Result<Self, OpenError> {
        let (canvas, incomplete) = Self::read(snapshot_v2, updates)?;
        canvas.opened(incomplete)
    }

    /// The same, update by update: `touched` is told what each of the updates touched, and so is the canvas from then
    /// on ([`Canvas::take_touched`]).
    pub fn open_noting<U: AsRef<[u8]>>(
        snapshot_v2: Option<&[u8]>,
        updates: impl IntoIterator<Item = U>,
        mut touched: impl FnMut(usize, Vec<Touched>),
    ) -> Result<Self, OpenError> {
        let (doc, types) = empty_document();
        types.load();
        let mut txn = doc.transact_mut();
        let mut skipped = read(&mut txn, snapshot_v2, NONE)?;
        guarded(move || drop(txn)).map_err(OpenError::Document)?;
        let touches = Touches::observe(&doc);
        for (index, update) in updates.into_iter().enumerate() {
            let mut txn = doc.transact_mut();
            skipped += read_update(&mut txn, index, update)?;
            guarded(move || drop(txn)).map_err(OpenError::Document)?;
            touched(index, touches.take());
        }
        let incomplete = doc.transact_mut().prune_pending().is_some();
        Self { skipped, touches: Some(touches), ..Self::around((doc, types)) }.opened(incomplete)
    }

    fn opened(self, incomplete: bool) -> Result<Self, OpenError> {
        let (canvas, has_holes) = self.surveyed().map_err(OpenError::Document)?;
        if canvas.skipped == 0 && (incomplete || has_holes) {
            return Err(OpenError::Incomplete);
        }
        Ok(canvas)
    }

    /// Also tells whether something waits for what is not there.
    fn read<U: AsRef<[u8]>>(
        snapshot_v2: Option<&[u8]>,
        updates: impl IntoIterator<Item = U>,
    ) -> Result<(Self, bool), OpenError> {
        let (doc, types) = empty_document();
        types.load();
        let mut txn = doc.transact_mut();
        let read = read(&mut txn, snapshot_v2, updates);
        let incomplete = txn.prune_pending().is_some();
        guarded(move || drop(txn)).map_err(OpenError::Document)?;
        Ok((Self { skipped: read?, ..Self::around((doc, types)) }, incomplete))
    }

    /// Measured, with its places and types noted and its deleted values collected. Also tells whether something in
    /// between is missing.
    pub(super) fn surveyed(self) -> Result<(Self, bool), String> {
        let whole = self.whole().ok_or_else(|| "it cannot be encoded".to_owned())?;
        let sketch = guard::document(&whole).map_err(|hostile| hostile.to_string())?;
        let mut txn = self.doc.transact_mut();
        let collected = guarded(|| self.types.loaded(&sketch, &mut txn));
        guarded(move || drop(txn)).and(collected)?;
        let mut canvas = Self { places: Places::of(&sketch), ..self };
        note_emptied(&mut canvas.emptied, &sketch, |_| 0);
        // What was deleted in it was collected just now.
        let bytes = if sketch.deletes.is_empty() { Some(whole.len()) } else { canvas.whole().map(|whole| whole.len()) };
        canvas.measured(bytes.unwrap_or(whole.len()));
        Ok((canvas, sketch.has_holes()))
    }

    /// How many updates of the log could not be integrated whole when this canvas was opened.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// The document for the store: encoded, read back, and compared.
    pub fn snapshot(&self) -> Result<Snapshot, Refusal> {
        let bytes =
            guarded(|| self.doc.transact().encode_diff_v2(&StateVector::default())).map_err(|_| Refusal::reload())?;
        let (copy, incomplete) = Self::read(Some(&bytes), NONE).map_err(|_| Refusal::reload())?;
        let (ours, theirs) = (self.doc.transact().snapshot(), copy.doc.transact().snapshot());
        let deletions_kept = ours.delete_set.diff(&theirs.delete_set).is_empty();
        if incomplete || copy.skipped > 0 || ours.state_map != theirs.state_map || !deletions_kept {
            return Err(Refusal::reload());
        }
        let hash = Sha256::digest(&bytes).into();
        Ok(Snapshot { bytes, hash })
    }
}

const NONE: [&[u8]; 0] = [];

/// Returns how many updates `yrs` refused.
fn read(
    txn: &mut TransactionMut<'_>,
    snapshot_v2: Option<&[u8]>,
    updates: impl IntoIterator<Item: AsRef<[u8]>>,
) -> Result<usize, OpenError> {
    let mut skipped = 0;
    if let Some(bytes) = snapshot_v2 {
        let snapshot = decode(|| Update::decode_v2(bytes)).map_err(OpenError::Snapshot)?;
        skipped += apply(txn, snapshot).map_err(OpenError::Snapshot)?;
    }
    for (index, update) in updates.into_iter().enumerate() {
        skipped += read_update(txn, index, update)?;
    }
    Ok(skipped)
}

fn read_update(txn: &mut TransactionMut<'_>, index: usize, bytes: impl AsRef<[u8]>) -> Result<usize, OpenError> {
    let unreadable = |reason| OpenError::Update { index, reason };
    let update = decode(|| Update::decode_v1(bytes.as_ref())).map_err(unreadable)?;
    apply(txn, update).map_err(unreadable)
}

fn decode(read: impl FnOnce() -> Result<Update, yrs::encoding::read::Error>) -> Result<Update, String> {
    guarded(read)?.map_err(|error| error.to_string())
}

fn apply(txn: &mut TransactionMut<'_>, update: Update) -> Result<usize, String> {
    Ok(usize::from(guarded(|| txn.apply_update(update))?.is_err()))
}
