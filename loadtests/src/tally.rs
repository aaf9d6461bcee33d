//! Counts what arrives, by the marks in it.
//!
//! An edit that a receiver sees later than its successor was *superseded* if the frame in between carried its place in
//! the document (a server may send one difference for many edits), and *lost* if not: a real client could apply
//! nothing of that author any more.

use anyhow::Result;
use hdrhistogram::Histogram;
use yrs::{Update, block::ClientID, updates::decoder::Decode};

use crate::{author::Author, mark};

/// Sessions of one document: which authors write there.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    pub first_author: u32,
    pub authors: u32,
}

struct Receiver {
    room: Room,
    /// Its own author: what a server echoes is no delivery.
    own: Option<u32>,
    /// Messages it got.
    frames: u64,
    /// By author of the room: the number of the edit that comes next.
    next: Vec<u32>,
}

/// Of microseconds, with three digits, up to ten minutes: later is as late.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(600_000_000, 3).expect("these bounds are allowed")
}

/// What it means that a later one came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gaps {
    /// See above.
    Examined,
    /// The later one replaces the others.
    PassedOver,
}

pub struct Tally {
    gaps: Gaps,
    receivers: Vec<Receiver>,
    pub delivered: u64,
    pub superseded: u64,
    pub lost: u64,
    pub repeated: u64,
    /// Microseconds from when an edit was due to its arrival.
    pub latency: Histogram<u64>,
    /// Microseconds from when an edit was due to the word that it is kept.
    pub acknowledged: Histogram<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self::new(Gaps::Examined)
    }
}

impl Tally {
    pub fn new(gaps: Gaps) -> Self {
        Self {
            gaps,
            receivers: Vec::new(),
            delivered: 0,
            superseded: 0,
            lost: 0,
            repeated: 0,
            latency: histogram(),
            acknowledged: histogram(),
        }
    }

    /// Sessions are added in the order of their ids.
    pub fn add_receiver(&mut self, room: Room, own: Option<u32>) {
        self.receivers.push(Receiver { room, own, frames: 0, next: vec![0; room.authors as usize] });
    }

    /// Begins to count anew; what a receiver has seen stays seen.
    pub fn restart(&mut self) {
        *self = Self { receivers: std::mem::take(&mut self.receivers), ..Self::new(self.gaps) };
    }

    /// An update-carrying message that came to a session.
    pub fn take(&mut self, session: usize, update: &[u8], now_us: u64) {
        let Some(receiver) = self.receivers.get_mut(session) else { return };
        receiver.frames += 1;
        for mark in mark::find(update) {
            let Some(next) = receiver.next_of(mark.author) else { continue };
            if mark.number < *next {
                self.repeated += 1;
                continue;
            }
            let missing = mark.number - *next;
            if missing > 0 {
                let covered = self.gaps == Gaps::PassedOver || carries(update, mark.author, *next);
                *(if covered { &mut self.superseded } else { &mut self.lost }) += u64::from(missing);
            }
            *next = mark.number + 1;
            self.delivered += 1;
            self.latency.saturating_record(now_us.saturating_sub(mark.due_us));
        }
    }

    /// Messages that these sessions got.
    pub fn frames_to(&self, sessions: &[usize]) -> u64 {
        sessions.iter().map(|session| self.receivers[*session].frames).sum()
    }

    /// How many some receiver has not got yet, of so many that each author made.
    pub fn outstanding(&self, made: impl Fn(u32) -> u32) -> u64 {
        let of = |receiver: &Receiver| -> u64 {
            let authors = (receiver.room.first_author..).zip(&receiver.next);
            let others = authors.filter(|(author, _)| Some(*author) != receiver.own);
            others.map(|(author, next)| u64::from(made(author).saturating_sub(*next))).sum()
        };
        self.receivers.iter().map(of).sum()
    }
}

impl Receiver {
    fn next_of(&mut self, author: u32) -> Option<&mut u32> {
        if self.own == Some(author) {
            return None;
        }
        self.next.get_mut(author.checked_sub(self.room.first_author)? as usize)
    }
}

/// Whether the update begins, for that author, no later than with that edit.
fn carries(update: &[u8], author: u32, number: u32) -> bool {
    let begins = || -> Result<u32> {
        let lower = Update::decode_v1(update)?.state_vector_lower();
        Ok(lower.get(&ClientID::new(Author::client_of(author))))
    };
    begins().is_ok_and(|clock| clock <= Author::clock_of(number))
}

#[cfg(test)]
mod tests {
    use yrs::merge_updates_v1;

    use super::*;

    const ROOM: Room = Room { first_author: 0, authors: 2 };

    fn tally() -> Tally {
        let mut tally = Tally::default();
        tally.add_receiver(ROOM, Some(0));
        tally
    }

    #[test]
    fn each_edit_of_others_is_a_delivery_even_when_merged() {
        let (mut own, _) = Author::new(0);
        let (mut other, _) = Author::new(1);
        let mut tally = tally();
        let edits = [other.edit(10), other.edit(20), own.edit(30)];
        tally.take(0, &merge_updates_v1(edits).unwrap(), 50);
        assert_eq!((tally.delivered, tally.latency.max(), tally.lost), (2, 40, 0));
        assert_eq!(tally.outstanding(|author| [own.made(), other.made()][author as usize]), 0);
    }

    #[test]
    fn an_edit_that_never_came_is_lost_and_one_that_a_difference_covers_is_not() {
        let (mut other, _) = Author::new(1);
        let edits: Vec<_> = (0..6).map(|due_us| other.edit(due_us)).collect();
        let mut tally = tally();
        tally.take(0, &edits[0], 0);
        tally.take(0, &edits[2], 0);
        assert_eq!((tally.delivered, tally.superseded, tally.lost), (2, 0, 1));
        // A document that has all of them no longer has the text of those that were overwritten.
        tally.take(0, &without_marks(&merge_updates_v1(edits[3..6].to_vec()).unwrap(), 2), 0);
        assert_eq!((tally.delivered, tally.superseded, tally.lost), (3, 2, 1));
        tally.take(0, &edits[5], 0);
        assert_eq!(tally.repeated, 1);
    }

    /// Spoils the first marks, as if their text were gone.
    fn without_marks(update: &[u8], count: usize) -> Vec<u8> {
        let mut update = update.to_vec();
        for at in memchr::memmem::find_iter(&update.clone(), b"~t").take(count) {
            update[at] = b'-';
        }
        update
    }
}
