//! Cursors: awareness states that the authors send again and again. A server may pass over those that a later one
//! replaces.

use crate::{
    mark::Mark,
    schedule::Schedule,
    tally::{Gaps, Tally},
    wire,
};

pub struct Cursors {
    pub tally: Tally,
    /// By author: how often its cursor has moved.
    made: Vec<u32>,
    schedule: Schedule,
}

impl Default for Cursors {
    fn default() -> Self {
        Self { tally: Tally::new(Gaps::PassedOver), made: Vec::new(), schedule: Schedule::default() }
    }
}

impl Cursors {
    pub fn begin(&mut self, now_us: u64, authors: u32, rate: u32) {
        self.made = vec![0; authors as usize];
        self.schedule = Schedule::starting(now_us, authors, rate);
    }

    pub fn end(&mut self) {
        self.schedule = Schedule::default();
    }

    pub fn next_us(&self) -> Option<u64> {
        self.schedule.next_us()
    }

    /// The author whose cursor moves next, and the message that says so.
    pub fn take_due(&mut self, now_us: u64) -> Option<(u32, Vec<u8>)> {
        let (due_us, author) = self.schedule.take_due(now_us)?;
        let made = &mut self.made[author as usize];
        let mark = Mark { author, number: *made, due_us }.text();
        *made += 1;
        // The first clock was that of an author's greeting.
        let clock = u64::from(*made) + 1;
        Some((author, wire::awareness(AUTHORS + u64::from(author), clock, &format!(r#"{{"cursor":"{mark}"}}"#))))
    }

    /// What a session says first. Its client id is one that no author's cursor has.
    pub fn hello(session: usize) -> Vec<u8> {
        wire::awareness(SESSIONS + session as u64, 1, r#"{"cursor":null}"#)
    }

    /// Moves that some session has not seen, and no later one either.
    pub fn outstanding(&self) -> u64 {
        self.tally.outstanding(|author| self.made.get(author as usize).copied().unwrap_or_default())
    }
}

/// Client ids of awareness.
const AUTHORS: u64 = 0x2000_0000;
const SESSIONS: u64 = 0x3000_0000;
