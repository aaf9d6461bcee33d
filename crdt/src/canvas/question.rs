//! What a client asks: all that it lacks. What it costs depends on the document, not on the question, so it is asked here
//! and answered when its turn comes.

use std::collections::HashMap;

use yrs::{StateVector, block::ClientID};

use super::{Answer, Canvas};
use crate::{Refusal, guard, wire::Reader};

/// Whoever asks for a difference has every item looked at, which takes about this share of the time of encoding it.
const WALKED_SHARE: usize = 8;

/// What a client has, as far as the document knows it too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    clocks: Vec<(u64, u32)>,
}

impl Question {
    /// Of one who has nothing.
    pub fn everything() -> Self {
        Self::default()
    }

    pub(super) fn state_vector(&self) -> StateVector {
        self.clocks.iter().map(|(client, clock)| (ClientID::new(*client), *clock)).collect()
    }
}

impl Canvas {
    /// Reads an encoded state vector. A peer with a copy of a former epoch is refused: it would bring its content a
    /// second time.
    pub fn question(&self, state_vector: &[u8]) -> Result<Question, Refusal> {
        let mut is_stale = false;
        guard::state_vector(state_vector, |client| is_stale |= self.epoch.is_retired(client))?;
        if is_stale {
            return Err(Refusal::rebuilt());
        }
        let mut reader = Reader::new(state_vector);
        let mut clocks = HashMap::new();
        for _ in 0..reader.count(2)? {
            let (client, clock) = (reader.uint()?, reader.small()?);
            if self.clocks.contains_key(&client) {
                clocks.insert(client, clock);
            }
        }
        Ok(Question { clocks: clocks.into_iter().collect() })
    }

    /// What a client lacks: all of it, or more, which does no harm. Who lacks most of the document is sent the whole,
    /// which all share. `None`: not now; ask again in a moment.
    pub fn answer(&mut self, question: &Question) -> Result<Option<Answer>, Refusal> {
        if self.lacks_most(question) {
            return self.answer_whole();
        }
        let update = self.encode_since(&question.state_vector()).ok_or_else(Refusal::reload)?;
        Ok(Some(Answer::own(&update, self.size_bytes() / WALKED_SHARE)))
    }

    fn lacks_most(&self, question: &Question) -> bool {
        let all: u64 = self.clocks.values().map(|clock| u64::from(*clock)).sum();
        let known: u64 =
            question.clocks.iter().map(|(client, clock)| u64::from(*clock.min(&self.clock(*client)))).sum();
        known * 2 < all || known == 0
    }
}
