//! How large a document is: measured now and then, counted up in between.

use std::ops::AddAssign;

use yrs::{ReadTxn, Transact, updates::encoder::Encode};

use super::{Canvas, DELETION_BYTES};
use crate::guard::Sketch;

/// A measure is good for as long as the document has grown by no more than this share since, and nothing was deleted.
const GROWN_SHARE: usize = 64;

/// Never less than it is, or a little.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    counted: Counted,
    /// Of that, what was added since it was measured.
    grown: Counted,
    /// Of that, what was added since it began to be measured elsewhere.
    meanwhile: Counted,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    /// Of the document as one V1 update.
    bytes: usize,
    /// Of its deletions, which every client sends when it comes.
    deletions_bytes: usize,
    /// JSON values, each within another too.
    values: usize,
}

impl AddAssign for Counted {
    fn add_assign(&mut self, more: Self) {
        self.bytes += more.bytes;
        self.deletions_bytes += more.deletions_bytes;
        self.values += more.values;
    }
}

impl Size {
    /// An update of so many bytes changed the document.
    pub(super) fn grow(&mut self, sketch: &Sketch, bytes: usize) {
        let deletions_bytes = sketch.deletes.len() * DELETION_BYTES;
        let added = Counted { bytes, deletions_bytes, values: sketch.values };
        for counted in [&mut self.counted, &mut self.grown, &mut self.meanwhile] {
            *counted += added;
        }
    }

    fn is_measured(&self) -> bool {
        let Self { counted, grown, .. } = self;
        counted.bytes > 0 && grown.deletions_bytes == 0 && grown.bytes <= counted.bytes / GROWN_SHARE
    }
}

impl Canvas {
    pub fn size(&self) -> Size {
        self.size
    }

    /// About how much the document takes as one V1 update.
    pub fn size_bytes(&self) -> usize {
        self.size.counted.bytes
    }

    /// About how much its deletions take of that.
    pub fn deletions_bytes(&self) -> usize {
        self.size.counted.deletions_bytes
    }

    /// About how many JSON values it holds, each within another too: each takes memory, however small it is.
    pub fn values(&self) -> usize {
        self.size.counted.values
    }

    /// Measures the size anew, where it may be less than what was counted: values are overwritten, and deleted.
    pub fn measure(&mut self) {
        if !self.size.is_measured()
            && let Some(whole) = self.whole()
        {
            self.measured(whole.len());
        }
    }

    /// The document as it is now is about to be measured elsewhere, by way of a copy.
    pub fn begin_measure(&mut self) {
        self.size.meanwhile = Counted::default();
    }

    /// The copy is this, or has a little more.
    pub fn measured_as(&mut self, copy: Size) {
        let Size { meanwhile, .. } = self.size;
        self.size = Size { grown: meanwhile, meanwhile, ..copy };
        self.size.counted += meanwhile;
    }

    /// The document takes so many bytes as one update.
    pub(super) fn measured(&mut self, bytes: usize) {
        let txn = self.doc.transact();
        let deletions_bytes = txn.snapshot().delete_set.encode_v1().len();
        let values = txn.store().values_len();
        drop(txn);
        let (counted, meanwhile) = (Counted { bytes, deletions_bytes, values }, self.size.meanwhile);
        self.size = Size { counted, grown: Counted::default(), meanwhile };
    }

    /// Counts the values anew, which takes much less than to measure it all.
    pub(crate) fn count_values(&mut self) {
        self.size.counted.values = self.doc.transact().store().values_len();
    }
}
