//! When each author acts: steadily, whatever the server does. What is late counts as late from when it was due.

use std::{cmp::Reverse, collections::BinaryHeap};

#[derive(Default)]
pub struct Schedule {
    period_us: u64,
    due: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Schedule {
    /// So many authors, each `rate` times a second, one after the other within each period.
    pub fn starting(now_us: u64, authors: u32, rate: u32) -> Self {
        let (count, period_us) = (u64::from(authors), 1_000_000 / u64::from(rate.max(1)));
        let offset_us = |author| spread(author, count) * period_us / count;
        Self { period_us, due: (0..authors).map(|author| Reverse((now_us + offset_us(author), author))).collect() }
    }

    /// When somebody acts next.
    pub fn next_us(&self) -> Option<u64> {
        self.due.peek().map(|Reverse((due_us, _))| *due_us)
    }

    /// The next who is due by now, and since when.
    pub fn take_due(&mut self, now_us: u64) -> Option<(u64, u32)> {
        let Reverse((due_us, author)) = *self.due.peek()?;
        if due_us > now_us {
            return None;
        }
        self.due.pop();
        self.due.push(Reverse((due_us + self.period_us, author)));
        Some((due_us, author))
    }
}

/// Neighbours, who share a document, do not act one right after the other.
fn spread(author: u32, count: u64) -> u64 {
    const PRIME: u64 = 7_919;
    u64::from(author) * PRIME % count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_acts_once_in_each_period_and_lateness_does_not_move_it() {
        let mut schedule = Schedule::starting(1_000, 4, 10);
        let mut acts = Vec::new();
        // Nobody looked for two periods.
        while let Some(act) = schedule.take_due(1_000 + 199_999) {
            acts.push(act);
        }
        assert_eq!(
            acts.iter().map(|(due_us, _)| *due_us).collect::<Vec<_>>(),
            (0..8).map(|n| 1_000 + n * 25_000).collect::<Vec<_>>()
        );
        assert_eq!((0..4).map(|author| acts.iter().filter(|act| act.1 == author).count()).collect::<Vec<_>>(), [2; 4]);
        assert_eq!(schedule.next_us(), Some(201_000));
    }
}
