//! What is deleted in the document, kept up to date from when somebody first asks [SYNC-4]: whoever may only read answers
//! our question with all deletions, and each of them is looked up.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use yrs::{Doc, IdSet, ReadTxn, Transact};

use crate::guard::{Content, Deleted, Sketch};

#[derive(Clone, Debug, Default)]
pub(super) struct Deletions(Arc<Mutex<Option<Ranges>>>);

/// Clocks `start..end`, by client and start. They neither overlap nor touch.
#[derive(Debug, Default)]
struct Ranges(HashMap<u64, BTreeMap<u32, u32>>);

impl Deletions {
    /// Follows a document, outside a transaction.
    pub(super) fn watch(doc: &Doc) -> Self {
        let deletions = Self::default();
        let watching = deletions.clone();
        doc.observe_after_transaction("deletions", move |txn| {
            if let Some(known) = watching.lock().as_mut() {
                known.add(txn.delete_set());
            }
        })
        .expect("nothing is under way in this document");
        deletions
    }

    /// What an update brings as collected is deleted without a deletion. `known`: the clock of a client before it.
    pub(super) fn note_collected(&self, sketch: &Sketch, known: impl Fn(u64) -> u32) {
        let mut deletions = self.lock();
        let Some(deletions) = deletions.as_mut() else { return };
        for section in &sketch.sections {
            let collected = section.blocks.iter().filter(|block| block.content == Content::Collected);
            for block in collected {
                deletions.insert(section.client, block.clock.max(known(section.client)), block.end());
            }
        }
    }

    /// `deletes`: sorted by client and start.
    pub(super) fn have(&self, doc: &Doc, deletes: &[Deleted]) -> bool {
        let mut deletions = self.lock();
        let known = deletions.get_or_insert_with(|| {
            let mut all = Ranges::default();
            all.add(&doc.transact().snapshot().delete_set);
            all
        });
        deletes.chunk_by(|a, b| a.client == b.client).all(|ranges| known.contain(ranges))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Ranges>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ranges {
    fn add(&mut self, deleted: &IdSet) {
        for (client, ranges) in deleted.iter() {
            ranges.iter().for_each(|range| self.insert(client.get(), range.start, range.end));
        }
    }

    fn insert(&mut self, client: u64, mut start: u32, mut end: u32) {
        if start >= end {
            return;
        }
        let ranges = self.0.entry(client).or_default();
        if let Some((before, until)) = ranges.range(..start).next_back()
            && *until >= start
        {
            (start, end) = (*before, end.max(*until));
        }
        while let Some((within, until)) = ranges.range(start..=end).next() {
            let (within, until) = (*within, *until);
            end = end.max(until);
            ranges.remove(&within);
        }
        ranges.insert(start, end);
    }

    /// `wanted`: of one client, sorted by start. Both are walked side by side.
    fn contain(&self, wanted: &[Deleted]) -> bool {
        let [first, ..] = wanted else { return true };
        let Some(ranges) = self.0.get(&first.client) else { return false };
        let Some((from, _)) = ranges.range(..=first.start).next_back() else { return false };
        let mut known = ranges.range(from..).peekable();
        wanted.iter().all(|range| {
            while known.next_if(|(_, end)| **end <= range.start).is_some() {}
            known.peek().is_some_and(|(start, end)| **start <= range.start && range.end <= **end)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever comes in whatever order, it holds what was put in and nothing else, in ranges apart from each other.
        #[test]
        fn ranges_are_a_set(ranges in proptest::collection::vec((0u32..60, 1u32..8), 0..60)) {
            let (mut kept, mut all) = (Ranges::default(), BTreeSet::new());
            for (start, len) in ranges {
                kept.insert(7, start, start + len);
                all.extend(start..start + len);
            }
            for start in 0u32..70 {
                for end in start + 1..70 {
                    let is_known = kept.contain(&[Deleted { client: 7, start, end }]);
                    prop_assert_eq!(is_known, (start..end).all(|clock| all.contains(&clock)));
                    let both = kept.contain(&[start, end].map(|start| Deleted { client: 7, start, end: start + 1 }));
                    prop_assert_eq!(both, all.contains(&start) && all.contains(&end));
                }
            }
            let ends: Vec<_> = kept.0.values().flatten().collect();
            prop_assert!(ends.windows(2).all(|pair| pair[0].1 < pair[1].0));
            let of_another = kept.contain(&[Deleted { client: 8, start: 0, end: 1 }]);
            prop_assert!(!of_another);
        }
    }
}
