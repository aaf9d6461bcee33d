//! Sessions of several documents, each with the same number of authors and of silent observers.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use anyhow::{Result, ensure};

use crate::{
    author::Author,
    connection::{Document, Event},
    cursors::Cursors,
    fleet::Fleet,
    schedule::Schedule,
    tally::{Room, Tally},
};

pub struct Editing {
    pub fleet: Fleet,
    pub tally: Tally,
    pub cursors: Cursors,
    pub authors: Vec<Author>,
    /// By author: its session.
    sessions: Vec<usize>,
    observers: Vec<usize>,
    /// By session.
    awaiting: Vec<Awaiting>,
    failures: Vec<String>,
    rate: u32,
    schedule: Schedule,
}

/// What a session waits to hear about.
#[derive(Default)]
struct Awaiting {
    acknowledged: u64,
    /// When the frames after those were due; none if a frame is no edit.
    due_us: VecDeque<Option<u64>>,
}

/// Everybody gets everybody's node before the first edit.
const NODES_ARRIVE: Duration = Duration::from_millis(500);

impl Editing {
    /// Opens all sessions, and puts the authors' nodes on the canvases. `rate` is edits a second of each author.
    pub fn open(documents: &[Arc<Document>], authors: u32, observers: u32, rate: u32) -> Result<Self> {
        let mut editing = Self {
            fleet: Fleet::new()?,
            tally: Tally::default(),
            cursors: Cursors::default(),
            authors: Vec::new(),
            sessions: Vec::new(),
            observers: Vec::new(),
            awaiting: Vec::new(),
            failures: Vec::new(),
            rate,
            schedule: Schedule::default(),
        };
        let each = (authors + observers) as usize;
        editing
            .fleet
            .open(documents.iter().flat_map(|document| std::iter::repeat_n(document, each)), &mut |_, _| {})?;
        for number in 0..documents.len() as u32 {
            let room = Room { first_author: number * authors, authors };
            for member in 0..authors + observers {
                editing.add_session(room, (member < authors).then_some(room.first_author + member));
            }
        }
        editing.drive_for(NODES_ARRIVE)?;
        Ok(editing)
    }

    fn add_session(&mut self, room: Room, author: Option<u32>) {
        let session = self.awaiting.len();
        self.tally.add_receiver(room, author);
        self.cursors.tally.add_receiver(room, author);
        self.awaiting.push(Awaiting::default());
        let Some(index) = author else { return self.observers.push(session) };
        let (author, node) = Author::new(index);
        self.authors.push(author);
        self.sessions.push(session);
        self.send(session, &node, None);
    }

    /// From now on authors edit.
    pub fn begin(&mut self) {
        self.schedule = Schedule::starting(self.fleet.now_us(), self.authors.len() as u32, self.rate);
    }

    /// From now on authors also move their cursors.
    pub fn begin_cursors(&mut self, rate: u32) {
        self.cursors.begin(self.fleet.now_us(), self.authors.len() as u32, rate);
    }

    pub fn end(&mut self) {
        self.schedule = Schedule::default();
        self.cursors.end();
    }

    /// Everybody says who they are.
    pub fn announce(&mut self) -> Result<()> {
        for session in 0..self.awaiting.len() {
            self.fleet.session(session).send(&Cursors::hello(session));
            self.turn(self.fleet.now_us())?;
        }
        Ok(())
    }

    /// Begins to count anew.
    pub fn restart_tallies(&mut self) {
        self.tally.restart();
        self.cursors.tally.restart();
    }

    pub fn observers(&self) -> &[usize] {
        &self.observers
    }

    /// Sends what is due and takes what comes, for so long.
    pub fn drive_for(&mut self, time: Duration) -> Result<()> {
        let until_us = self.fleet.now_us() + time.as_micros() as u64;
        while self.fleet.now_us() < until_us {
            self.send_due();
            let next_us = self.schedule.next_us().into_iter().chain(self.cursors.next_us()).min();
            self.turn(next_us.unwrap_or(until_us).min(until_us))?;
        }
        let failures = &self.failures;
        ensure!(failures.is_empty(), "{} sessions ended, the first with: {}", failures.len(), failures[0]);
        Ok(())
    }

    /// Takes what is under way until everything has arrived, or nothing has for `patience`.
    pub fn settle(&mut self, patience: Duration) -> Result<()> {
        let mut left = self.missing();
        let mut since_us = self.fleet.now_us();
        while left > 0 && self.fleet.now_us() < since_us + patience.as_micros() as u64 {
            self.drive_for(Duration::from_millis(100))?;
            let still_left = self.missing();
            if still_left < left {
                (left, since_us) = (still_left, self.fleet.now_us());
            }
        }
        Ok(())
    }

    /// Edits that some session has not got, and does not have by a later difference.
    pub fn lost(&self) -> f64 {
        (self.tally.lost + self.tally.outstanding(|author| self.authors[author as usize].made())) as f64
    }

    fn missing(&self) -> u64 {
        self.tally.outstanding(|author| self.authors[author as usize].made()) + self.cursors.outstanding()
    }

    fn send_due(&mut self) {
        let now_us = self.fleet.now_us();
        while let Some((due_us, index)) = self.schedule.take_due(now_us) {
            let edit = self.authors[index as usize].edit(due_us);
            self.send(self.sessions[index as usize], &edit, Some(due_us));
        }
        while let Some((author, state)) = self.cursors.take_due(now_us) {
            self.fleet.session(self.sessions[author as usize]).send(&state);
        }
    }

    fn send(&mut self, session: usize, update: &[u8], due_us: Option<u64>) {
        let connection = self.fleet.session(session);
        connection.send_update(update);
        let awaiting = &mut self.awaiting[session];
        // Frames in between answered the server's sync step.
        let unacknowledged = connection.updates_sent() - awaiting.acknowledged;
        awaiting.due_us.resize(unacknowledged as usize - 1, None);
        awaiting.due_us.push_back(due_us);
    }

    fn turn(&mut self, until_us: u64) -> Result<()> {
        let Self { fleet, tally, cursors, awaiting, failures, .. } = self;
        let epoch = fleet.epoch();
        fleet.turn(until_us, &mut |session, event| {
            let now_us = epoch.elapsed().as_micros() as u64;
            match event {
                Event::Update(update) => tally.take(session, update, now_us),
                Event::Awareness(states) => cursors.tally.take(session, states, now_us),
                Event::Acknowledged(count) => {
                    let Some(awaiting) = awaiting.get_mut(session) else { return };
                    for due_us in awaiting.take(count) {
                        tally.acknowledged.saturating_record(now_us.saturating_sub(due_us));
                    }
                }
                Event::Closed(why) => failures.push(why),
                Event::Synced(_) => {}
            }
        })
    }
}

impl Awaiting {
    fn take(&mut self, count: u64) -> impl Iterator<Item = u64> {
        let newly = count.saturating_sub(self.acknowledged) as usize;
        self.acknowledged = self.acknowledged.max(count);
        self.due_us.drain(..newly.min(self.due_us.len())).flatten()
    }
}
