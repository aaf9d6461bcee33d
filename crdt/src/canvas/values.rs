//! Garbage collection [SYNC-15]: what a deleted value was goes at once, and what is left of it merges with its neighbours
//! into one entry, as in every Yjs document.
//!
//! Only values: collection would free shared types, and hostile items outlive their parent, so that a later update would
//! read freed memory. Deleted types stay until the document is rebuilt; what they held merges whatever its order was, since
//! nobody sees it again. Invariant: every shared type of the document is noted here before a transaction can delete it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use yrs::{Doc, ID, IdSet, ReadTxn, TransactionMut};

use crate::guard::{Content, Sketch};

/// The shared types of a document, by the clocks of their items.
#[derive(Clone, Debug, Default)]
pub(super) struct Types(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    /// Sorted, by client.
    clocks: HashMap<u64, Vec<u32>>,
    /// What is being read from the store has not been looked at: nothing is collected.
    is_loading: bool,
    /// All that the transaction under way brings is noted.
    is_complete: bool,
}

impl Types {
    /// From here on, values are collected in the transaction that deletes them. For an empty document.
    pub(super) fn watch(doc: &Doc) -> Self {
        let types = Self::default();
        let watching = types.clone();
        // After the observers, which may look at what is deleted, and before `yrs` merges neighbours.
        let collect = move |txn: &mut TransactionMut<'_>| watching.collect_values(txn);
        doc.observe_after_transaction("collect", collect).expect("nothing is under way in a new document");
        types
    }

    /// The document is to be read from the store; [`Types::loaded`] ends that.
    pub(super) fn load(&self) {
        self.lock().is_loading = true;
    }

    /// All that was read is in `document`. Collects what was deleted in it.
    pub(super) fn loaded(&self, document: &Sketch, txn: &mut TransactionMut<'_>) {
        let mut noted = self.lock();
        noted.note(document, |_| 0);
        noted.is_loading = false;
        let deleted = txn.snapshot().delete_set;
        let values = noted.values_of(&deleted);
        drop(noted);
        txn.gc(Some(&values));
        txn.join_in_deleted_types(&deleted);
    }

    /// Notes the types that an update brings, whether or not it is integrated. `known`: the clock of a client before it.
    pub(super) fn note(&self, sketch: &Sketch, known: impl Fn(u64) -> u32) {
        self.lock().note(sketch, known);
    }

    /// `integrate` brings nothing but what was noted just now.
    pub(super) fn noted<T>(&self, integrate: impl FnOnce() -> T) -> T {
        self.lock().is_complete = true;
        let done = integrate();
        self.lock().is_complete = false;
        done
    }

    fn collect_values(&self, txn: &mut TransactionMut<'_>) {
        let noted = self.lock();
        if noted.is_loading || txn.delete_set().is_empty() {
            return;
        }
        let values = match noted.is_complete {
            true => noted.values_of(txn.delete_set()),
            // What came and went in this transaction waits until it is read from the store: it may be an unknown type.
            false => noted.values_of(&txn.delete_set().diff(txn.insert_set())),
        };
        drop(noted);
        txn.gc(Some(&values));
        let deleted = txn.delete_set().clone();
        txn.join_in_deleted_types(&deleted);
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    fn note(&mut self, sketch: &Sketch, known: impl Fn(u64) -> u32) {
        for section in &sketch.sections {
            let types = section.blocks.iter().filter(|block| matches!(block.content, Content::Type(_)));
            for block in types.filter(|block| block.clock >= known(section.client)) {
                let clocks = self.clocks.entry(section.client).or_default();
                if let Err(place) = clocks.binary_search(&block.clock) {
                    clocks.insert(place, block.clock);
                }
            }
        }
    }

    /// What of `deleted` is no shared type.
    fn values_of(&self, deleted: &IdSet) -> IdSet {
        let mut values = IdSet::new();
        for (client, ranges) in deleted.iter() {
            let types = self.clocks.get(&client.get()).map_or(&[][..], Vec::as_slice);
            for range in ranges.iter() {
                let first = types.partition_point(|clock| *clock < range.start);
                let within = types[first..].iter().copied().take_while(|clock| *clock < range.end);
                let mut start = range.start;
                for end in within.chain([range.end]) {
                    if start < end {
                        values.insert(ID::new(*client, start), end - start);
                    }
                    start = end + 1;
                }
            }
        }
        values
    }
}
