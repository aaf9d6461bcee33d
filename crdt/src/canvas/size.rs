//! How large a document is: measured now and then, counted up in between.

use yrs::{ReadTxn, Transact, updates::encoder::Encode};

use super::{Canvas, DELETION_BYTES};
use crate::guard::Sketch;

/// A measure is good for as long as the document has grown by no more than this share since, and nothing was deleted.
const GROWN_SHARE: usize = 64;

/// Never less than it is, or a little.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    /// Of the document as one V1 update.
    pub(super) bytes: usize,
    /// Of its deletions, which every client sends when it comes.
    pub(super) deletions_bytes: usize,
    /// JSON values, each within another too.
    pub(super) values: usize,
    grown_bytes: usize,
    has_deletions: bool,
}

impl Size {
    /// An update of so many bytes changed the document.
    pub(super) fn grow(&mut self, sketch: &Sketch, bytes: usize) {
        self.bytes += bytes;
        self.grown_bytes += bytes;
        self.values += sketch.values;
        self.deletions_bytes += sketch.deletes.len() * DELETION_BYTES;
        self.has_deletions |= !sketch.deletes.is_empty();
    }

    fn is_measured(&self) -> bool {
        self.bytes > 0 && !self.has_deletions && self.grown_bytes <= self.bytes / GROWN_SHARE
    }
}

impl Canvas {
    /// About how much the document takes as one V1 update.
    pub fn size_bytes(&self) -> usize {
        self.size.bytes
    }

    /// About how much its deletions take of that.
    pub fn deletions_bytes(&self) -> usize {
        self.size.deletions_bytes
    }

    /// About how many JSON values it holds, each within another too: each takes memory, however small it is.
    pub fn values(&self) -> usize {
        self.size.values
    }

    /// Measures the size anew, where it may be less than what was counted: values are overwritten, and deleted.
    pub fn measure(&mut self) {
        if !self.size.is_measured()
            && let Some(whole) = self.whole()
        {
            self.measured(whole.len());
        }
    }

    /// The document takes so many bytes as one update.
    pub(super) fn measured(&mut self, bytes: usize) {
        let txn = self.doc.transact();
        let deletions_bytes = txn.snapshot().delete_set.encode_v1().len();
        let values = txn.store().values_len();
        drop(txn);
        self.size = Size { bytes, deletions_bytes, values, ..Size::default() };
    }

    /// Counts the values anew, which takes much less than to measure it all.
    pub(crate) fn count_values(&mut self) {
        self.size.values = self.doc.transact().store().values_len();
    }
}
