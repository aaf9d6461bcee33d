//! Opening from the store, and snapshots [SYNC-5].

use sha2::{Digest, Sha256};
use thiserror::Error;
use yrs::{Doc, ReadTxn, StateVector, Transact, TransactionMut, Update, WriteTxn, updates::decoder::Decode};

use super::{Canvas, empty_document, guarded};
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
    /// `yrs` collects garbage between transactions only, and a hostile item whose parent was collected when it came
    /// fails where the parent is still there. Then every update gets its own transaction, as it had at first.
    pub fn open<U: AsRef<[u8]>>(
        snapshot_v2: Option<&[u8]>,
        updates: impl IntoIterator<Item = U>,
    ) -> Result<Self, OpenError> {
        let updates: Vec<U> = updates.into_iter().collect();
        let doc = replay(snapshot_v2, &updates, usize::MAX).or_else(|_| replay(snapshot_v2, &updates, 1))?;
        let canvas = Self::around(doc);
        let whole = canvas.whole().ok_or_else(|| OpenError::Document("it cannot be encoded".to_owned()))?;
        match guard::has_holes(&whole) {
            Ok(false) => Ok(Self { size_bytes: whole.len(), ..canvas }),
            Ok(true) => Err(OpenError::Incomplete),
            Err(hostile) => Err(OpenError::Document(hostile.to_string())),
        }
    }

    /// The document for the store: encoded, read back, and compared.
    pub fn snapshot(&self) -> Result<Snapshot, Refusal> {
        let bytes =
            guarded(|| self.doc.transact().encode_diff_v2(&StateVector::default())).map_err(|_| Refusal::reload())?;
        let copy = Self::open(Some(&bytes), NONE).map_err(|_| Refusal::reload())?;
        let (ours, theirs) = (self.doc.transact().snapshot(), copy.doc.transact().snapshot());
        if ours != theirs || self.project() != copy.project() {
            return Err(Refusal::reload());
        }
        let hash = Sha256::digest(&bytes).into();
        Ok(Snapshot { bytes, hash })
    }
}

const NONE: [&[u8]; 0] = [];

fn replay(
    snapshot_v2: Option<&[u8]>,
    updates: &[impl AsRef<[u8]>],
    updates_per_transaction: usize,
) -> Result<Doc, OpenError> {
    let doc = empty_document();
    let mut txn = doc.transact_mut();
    if let Some(bytes) = snapshot_v2 {
        apply(&mut txn, || Update::decode_v2(bytes)).map_err(OpenError::Snapshot)?;
    }
    for (index, update) in updates.iter().enumerate() {
        if index > 0 && index % updates_per_transaction == 0 {
            commit(txn)?;
            txn = doc.transact_mut();
        }
        apply(&mut txn, || Update::decode_v1(update.as_ref())).map_err(|reason| OpenError::Update { index, reason })?;
    }
    let incomplete = txn.prune_pending().is_some();
    commit(txn)?;
    if incomplete { Err(OpenError::Incomplete) } else { Ok(doc) }
}

fn commit(txn: TransactionMut<'_>) -> Result<(), OpenError> {
    guarded(move || drop(txn)).map_err(OpenError::Document)
}

fn apply(
    txn: &mut TransactionMut<'_>,
    decode: impl FnOnce() -> Result<Update, yrs::encoding::read::Error>,
) -> Result<(), String> {
    let update = guarded(decode)?.map_err(|error| error.to_string())?;
    guarded(|| txn.apply_update(update))?.map_err(|error| error.to_string())
}
