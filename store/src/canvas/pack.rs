//! Rows of the canvas log. What one commit brings a workflow goes into one row, because a row costs more than what is
//! in it.
//!
//! A row of one update holds it as it is. A row of several holds, for each: its author (16 bytes, zero for the server
//! itself), its time (8 bytes, big-endian), its length (4 bytes, big-endian), its bytes.

use std::{borrow::Cow, ops::Range};

use troupe_model::{Timestamp, UserId, WorkflowId};
use uuid::Uuid;

use super::{Append, PART_BYTES, Part, StoredUpdate, crc};
use crate::{Error, Result};

const AUTHOR_BYTES: usize = 16;
const TIME_BYTES: usize = 8;
const LENGTH_BYTES: usize = 4;

/// A row to insert, and the places in the batch of the entries that it holds.
pub(super) struct Row<'a> {
    pub last: Append<'a>,
    pub first_seq: i64,
    pub bytes: Cow<'a, [u8]>,
    /// Into the order that [`rows`] was given.
    pub entries: Range<usize>,
}

/// Packs entries, in this order, into rows. Neighbours of one workflow and epoch that follow one another share a row.
pub(super) fn rows<'a>(entries: &[Append<'a>], order: &[usize]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (place, &index) in order.iter().enumerate() {
        let entry = entries[index];
        match rows.last_mut() {
            Some(row) if row.takes(&entry) => row.push(entry),
            _ => rows.push(Row {
                last: entry,
                first_seq: entry.seq,
                bytes: Cow::Borrowed(entry.bytes),
                entries: place..place + 1,
            }),
        }
    }
    rows
}

impl<'a> Row<'a> {
    pub fn updates(&self) -> i64 {
        self.entries.len() as i64
    }

    fn takes(&self, next: &Append<'_>) -> bool {
        let Append { tenant, workflow, epoch, seq, .. } = self.last;
        (next.tenant, next.workflow, next.epoch, next.seq) == (tenant, workflow, epoch, seq + 1)
            && (self.last.part, next.part) == (Part::WHOLE, Part::WHOLE)
            && self.bytes.len() + next.bytes.len() <= PART_BYTES
    }

    fn push(&mut self, next: Append<'a>) {
        if self.entries.len() == 1 {
            self.bytes = Cow::Owned(Vec::new());
            put(self.bytes.to_mut(), &self.last);
        }
        put(self.bytes.to_mut(), &next);
        self.last = next;
        self.entries.end += 1;
    }
}

fn put(packed: &mut Vec<u8>, entry: &Append<'_>) {
    let author = entry.user.map_or(Uuid::nil(), |user| *user.as_uuid());
    packed.extend_from_slice(author.as_bytes());
    packed.extend_from_slice(&entry.at.as_millis().to_be_bytes());
    packed.extend_from_slice(&u32::try_from(entry.bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    packed.extend_from_slice(entry.bytes);
}

/// A row as it is stored.
#[derive(sqlx::FromRow)]
pub(super) struct StoredRow {
    seq: i64,
    updates: i64,
    user_id: Option<UserId>,
    bytes: Vec<u8>,
    part: i64,
    parts: i64,
    crc: i64,
    at: Timestamp,
}

/// The updates of rows, which are in order. Parts of an update that is not all there, because its writer was cut short, are
/// left out: nobody was told that it is durable.
pub(super) fn unpack(rows: Vec<StoredRow>, workflow: WorkflowId) -> Result<Vec<StoredUpdate>> {
    let mut updates = Vec::with_capacity(rows.len());
    let mut begun: Option<(Part, StoredUpdate)> = None;
    for row in rows {
        let part = Part { number: row.part, of: row.parts };
        let mut unpacked = row.unpack(workflow)?;
        if part == Part::WHOLE {
            begun = None;
            updates.append(&mut unpacked);
            continue;
        }
        // A row of a part holds nothing else.
        let Some(update) = unpacked.pop() else { continue };
        begun = match begun {
            Some((before, former)) if before.precedes(part) && former.seq + 1 == update.seq => {
                Some((part, former.with(update)))
            }
            _ if part.number == 0 => Some((part, update)),
            _ => None,
        };
        if let Some((_, update)) = begun.take_if(|(part, _)| part.is_last()) {
            updates.push(update);
        }
    }
    Ok(updates)
}

impl Part {
    fn precedes(self, next: Self) -> bool {
        (self.number + 1, self.of) == (next.number, next.of)
    }
}

impl StoredUpdate {
    /// The next part of it.
    fn with(mut self, part: Self) -> Self {
        self.bytes.extend_from_slice(&part.bytes);
        Self { bytes: self.bytes, ..part }
    }
}

impl StoredRow {
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// Its updates, in order; an error if a checksum or a length is wrong.
    pub fn unpack(self, workflow: WorkflowId) -> Result<Vec<StoredUpdate>> {
        let Self { seq, updates, user_id: user, bytes, at, .. } = self;
        let damaged = || Error::DamagedUpdate { workflow, seq };
        if crc(&bytes) != self.crc {
            return Err(damaged());
        }
        if updates == 1 {
            return Ok(vec![StoredUpdate { seq, user, bytes, at }]);
        }
        let mut rest = &bytes[..];
        let unpacked: Option<Vec<_>> = (seq - updates + 1..=seq).map(|seq| take(&mut rest, seq)).collect();
        unpacked.filter(|_| rest.is_empty()).ok_or_else(damaged)
    }
}

fn take(rest: &mut &[u8], seq: i64) -> Option<StoredUpdate> {
    let author = Uuid::from_bytes(*rest.split_off(..AUTHOR_BYTES)?.first_chunk()?);
    let at = i64::from_be_bytes(*rest.split_off(..TIME_BYTES)?.first_chunk()?);
    let length = u32::from_be_bytes(*rest.split_off(..LENGTH_BYTES)?.first_chunk()?);
    let bytes = rest.split_off(..length as usize)?.to_vec();
    let user = (!author.is_nil()).then(|| UserId::from_uuid(author));
    Some(StoredUpdate { seq, user, bytes, at: Timestamp::from_millis(at) })
}
