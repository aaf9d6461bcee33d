//! What one document owes its client: a SyncStatus for each change that the client counts [SYNC-2].
//!
//! The stock provider counts one for each Update that it sends, and one when it asks (SyncStep1), which the SyncStep2
//! that it is then asked for in turn settles. The canvas counts every update-carrying frame, of which there may be more:
//! it asks on its own as well. This is where the two counts meet.

use std::collections::VecDeque;

use troupe_crdt::wire::Message;

#[derive(Debug, Default)]
pub struct Ledger {
    /// Questions of the client whose SyncStep2 has not come.
    open_questions: usize,
    /// SyncStep1 that are not to reach a client that would not answer.
    unwanted_questions: usize,
    /// Update-carrying frames that are not settled, and how many changes the client counts as settled with each.
    unsettled: VecDeque<usize>,
    /// Changes that were refused: the client counts them until all that it has is asked for again, and taken.
    refused: usize,
    /// How many were settled before them.
    settled: u64,
}

impl Ledger {
    /// The client sends this to its canvas.
    pub fn sends(&mut self, message: &Message<'_>) {
        match message {
            Message::SyncStep1(_) => self.open_questions += 1,
            Message::SyncStep2(_) => {
                let answers = usize::from(self.open_questions > 0);
                self.open_questions -= answers;
                self.unsettled.push_back(answers + std::mem::take(&mut self.refused));
            }
            Message::Update(_) => self.unsettled.push_back(1),
            _ => {}
        }
    }

    /// The same, and a SyncStep1 that follows from it is unwanted.
    pub fn replies(&mut self, message: &Message<'_>) {
        match message {
            Message::SyncStep1(_) => self.unwanted_questions += 1,
            message => self.sends(message),
        }
    }

    /// Whether a SyncStep1 goes to the client.
    pub fn asks(&mut self) -> bool {
        let wanted = self.unwanted_questions == 0;
        self.unwanted_questions -= usize::from(!wanted);
        wanted
    }

    /// The first so many frames are durable. Says how many changes of the client that newly settles.
    pub fn durable(&mut self, frames: u64) -> usize {
        let mut counted = 0;
        while self.settled < frames
            && let Some(changes) = self.unsettled.pop_front()
        {
            self.settled += 1;
            counted += changes;
        }
        counted
    }

    /// The next frame was refused. Says whether the client counts a change in it.
    pub fn refused(&mut self) -> bool {
        let Some(changes) = self.unsettled.pop_front() else { return false };
        self.settled += 1;
        self.refused += changes;
        changes > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_1: Message<'_> = Message::SyncStep1(&[0]);
    const STEP_2: Message<'_> = Message::SyncStep2(&[0, 0]);
    const UPDATE: Message<'_> = Message::Update(&[0, 0]);

    /// [SYNC-2] A provider that connects counts one change, and is asked twice; each edit counts one.
    #[test]
    fn each_change_is_settled_once() {
        let mut ledger = Ledger::default();
        [STEP_1, STEP_2, UPDATE, STEP_2, UPDATE].iter().for_each(|message| ledger.sends(message));
        assert_eq!(ledger.durable(1), 1);
        assert_eq!(ledger.durable(1), 0);
        assert_eq!(ledger.durable(3), 1);
        assert_eq!(ledger.durable(4), 1);
        assert_eq!(ledger.durable(9), 0);
    }

    /// [SYNC-2] A provider that asks again counts from one again.
    #[test]
    fn another_question_counts_again() {
        let mut ledger = Ledger::default();
        [STEP_1, STEP_2, STEP_1, STEP_2].iter().for_each(|message| ledger.sends(message));
        assert_eq!(ledger.durable(2), 2);
    }

    /// [SYNC-2, SYNC-10] What was refused is saved once its author may edit, is asked for it, and gives it.
    #[test]
    fn what_was_refused_can_be_saved_later() {
        let mut ledger = Ledger::default();
        [UPDATE, UPDATE].iter().for_each(|message| ledger.sends(message));
        assert!(ledger.refused() && ledger.refused());
        ledger.sends(&STEP_2);
        assert!(ledger.refused(), "still a reader");
        ledger.sends(&STEP_2);
        assert_eq!(ledger.durable(4), 2);
    }

    /// [SYNC-2, SYNC-10] What a reader may not change is told, and is settled by it.
    #[test]
    fn a_refused_change_is_told() {
        let mut ledger = Ledger::default();
        [STEP_1, STEP_2, UPDATE].iter().for_each(|message| ledger.sends(message));
        assert_eq!(ledger.durable(1), 1);
        assert!(ledger.refused());
        assert_eq!(ledger.durable(2), 0);
        ledger.sends(&UPDATE);
        assert_eq!(ledger.durable(3), 1);
        assert!(!ledger.refused());
    }

    /// [SYNC-2] Who sends a SyncReply is not asked in return: two that ask each other would never end.
    #[test]
    fn a_reply_is_not_followed_by_a_question() {
        let mut ledger = Ledger::default();
        assert!(ledger.asks());
        ledger.replies(&STEP_1);
        assert!(!ledger.asks());
        assert!(ledger.asks());
        ledger.replies(&UPDATE);
        assert_eq!(ledger.durable(1), 1);
    }
}
