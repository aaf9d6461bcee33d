//! Which building of the document this is [SYNC-15]. A rebuilt document shares no item with the one before it: who
//! brings a copy of that one back would bring all of its content a second time. They are known by the client ids that
//! wrote in it.

use std::collections::HashSet;

use crate::Refusal;

/// Client ids of former epochs that are remembered. Beyond that only the writer of each rebuilt document is: who has
/// anything of that document has what it wrote.
const RETIRED_MAX: usize = 16_384;
const ID_BYTES: usize = 8;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentEpoch {
    /// Grows by one with each rebuild.
    pub number: i64,
    /// Who wrote this document when it was rebuilt.
    writer: Option<u64>,
    /// Who wrote in former ones.
    retired: HashSet<u64>,
}

impl DocumentEpoch {
    /// As it was stored: see [`DocumentEpoch::clients`]. Nothing if it cannot be read.
    pub fn stored(number: i64, clients: &[u8]) -> Option<Self> {
        let (ids, rest) = clients.as_chunks::<ID_BYTES>();
        let mut ids = ids.iter().map(|id| u64::from_le_bytes(*id));
        let writer = ids.next();
        rest.is_empty().then(|| Self { number, writer, retired: ids.collect() })
    }

    /// For the store: the writer, then the retired, eight bytes each.
    pub fn clients(&self) -> Vec<u8> {
        let mut retired: Vec<u64> = self.retired.iter().copied().collect();
        retired.sort_unstable();
        self.writer.iter().chain(&retired).flat_map(|id| id.to_le_bytes()).collect()
    }

    /// The next epoch, when the document in which these clients wrote (with their clocks) is rebuilt by `writer`.
    pub(super) fn next(&self, clients: impl IntoIterator<Item = (u64, u32)>, writer: u64) -> Self {
        let mut retired = self.retired.clone();
        let mut clients: Vec<(u64, u32)> = clients.into_iter().collect();
        // Who wrote most is known to most.
        clients.sort_unstable_by_key(|(_, clock)| std::cmp::Reverse(*clock));
        for (client, _) in clients {
            if retired.len() < RETIRED_MAX {
                retired.insert(client);
            }
        }
        retired.extend(self.writer);
        Self { number: self.number + 1, writer: Some(writer), retired }
    }

    pub(super) fn is_retired(&self, client: u64) -> bool {
        !self.retired.is_empty() && self.retired.contains(&client)
    }

    pub(super) fn refuse_retired(&self, mut clients: impl Iterator<Item = u64>) -> Result<(), Refusal> {
        if !self.retired.is_empty() && clients.any(|client| self.is_retired(client)) {
            return Err(Refusal::rebuilt());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [SYNC-15] Whom an epoch retired stays retired, through the store and later epochs, however many there are.
    #[test]
    fn retired_stay_retired_within_a_bound() {
        let first = DocumentEpoch::default().next([(11, 4), (12, 9)], 100);
        let many = (1_000..1_000 + 2 * RETIRED_MAX as u64).map(|client| (client, 1));
        let second = first.next(many.chain([(100, 0)]), 101);
        assert!(second.retired.len() <= RETIRED_MAX + 1);
        let stored = DocumentEpoch::stored(second.number, &second.clients()).unwrap();
        assert_eq!(stored, second);
        for client in [11, 12, 100] {
            assert!(stored.is_retired(client), "{client}");
        }
        assert!(!stored.is_retired(101) && !stored.is_retired(13));
        assert_eq!(stored.number, 2);
        assert_eq!(DocumentEpoch::stored(1, &[1, 2, 3]), None);
        assert_eq!(DocumentEpoch::stored(0, &[]), Some(DocumentEpoch::default()));
    }
}
