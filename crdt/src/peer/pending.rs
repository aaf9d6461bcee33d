//! Updates of one session that refer to what the document does not have yet [SYNC-4].
//!
//! They are kept outside the document, so that nobody else sees half an update. Also counts, in order of arrival,
//! which update-carrying frames are settled.

use crate::{Applied, Canvas, Limits, Refusal};

#[derive(Debug, Default)]
pub(super) struct Pending {
    /// In order of arrival.
    waiting: Vec<Waiting>,
    bytes: usize,
    /// Update-carrying frames that came.
    received: u64,
    /// Of these, the first so many are settled.
    settled: u64,
    /// One that waited was hostile. It is told with the next frame: what was integrated now has to be handed out.
    refused: Option<Refusal>,
}

#[derive(Debug)]
struct Waiting {
    /// Which update-carrying frame it was, from 1.
    number: u64,
    update: Vec<u8>,
}

impl Pending {
    pub(super) fn keep(&mut self, update: &[u8], limits: &Limits) -> Result<(), Refusal> {
        let bytes = self.bytes + update.len();
        if self.waiting.len() >= limits.pending_updates_max || bytes > limits.pending_bytes_max {
            return Err(Refusal::try_again("too many updates wait for others that did not come; reconnect"));
        }
        self.bytes = bytes;
        self.received += 1;
        self.waiting.push(Waiting { number: self.received, update: update.to_vec() });
        Ok(())
    }

    /// Tries again after something was integrated, until nothing moves. Appends what is in the document now.
    pub(super) fn retry(&mut self, canvas: &mut Canvas, integrated: &mut Vec<Vec<u8>>) {
        let mut moved = true;
        while moved && !self.waiting.is_empty() {
            moved = false;
            for waiting in std::mem::take(&mut self.waiting) {
                match canvas.apply(&waiting.update) {
                    Ok(Applied::Pending) => self.waiting.push(waiting),
                    Ok(Applied::Unchanged) => self.bytes -= waiting.update.len(),
                    Ok(Applied::Integrated) => {
                        self.bytes -= waiting.update.len();
                        integrated.push(waiting.update);
                        moved = true;
                    }
                    Err(refusal) => {
                        self.refused = Some(refusal);
                        self.waiting.push(waiting);
                    }
                }
            }
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn refused(&mut self) -> Result<(), Refusal> {
        self.refused.take().map_or(Ok(()), Err)
    }

    /// Counts a frame that does not wait; returns how many are settled newly.
    pub(super) fn settle(&mut self) -> u64 {
        self.received += 1;
        let settled = self.waiting.first().map_or(self.received, |waiting| waiting.number - 1);
        let newly = settled - self.settled;
        self.settled = settled;
        newly
    }
}
