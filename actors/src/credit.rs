//! Admission of a session's frames, before they reach an actor's unbounded mailbox [SYNC-17].
//!
//! A frame takes credit when it is read from the socket and gives it back when its update is durable, so one session
//! can neither flood its workflow nor fill memory while the store is slow; nor can all sessions of one user.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use troupe_model::UserId;

use crate::{
    lines::{Lines, Share},
    loans::Loan,
};

/// What one session may have in flight, and all of one user.
#[derive(Clone, Copy, Debug)]
pub struct CreditLimits {
    pub frames_max: usize,
    pub bytes_max: usize,
    pub user_bytes_max: usize,
}

impl Default for CreditLimits {
    fn default() -> Self {
        Self { frames_max: 64, bytes_max: 1 << 20, user_bytes_max: 8 << 20 }
    }
}

/// What users have in flight. A frame counts as so many bytes at least.
pub(crate) type UserCredits = Arc<Lines<UserId>>;
const FRAME_BYTES_MIN: usize = 1 << 10;

/// A session's.
#[derive(Debug)]
pub(crate) struct Credits {
    frames: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    bytes_max: usize,
    of_user: Share<UserId>,
}

/// Taken for one frame; given back on drop.
#[derive(Debug)]
pub(crate) struct Credit {
    pub(crate) taken_at: Instant,
    _frame: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
    /// Of the user's, unless it is lent.
    _of_user: Option<OwnedSemaphorePermit>,
    /// Of what is not small: lent until it is durable.
    _loan: Option<Loan>,
}

impl Credits {
    pub(crate) fn new(limits: CreditLimits, users: &UserCredits, user: UserId) -> Self {
        Self {
            frames: Arc::new(Semaphore::new(limits.frames_max)),
            bytes: Arc::new(Semaphore::new(limits.bytes_max)),
            bytes_max: limits.bytes_max,
            of_user: users.share(user, limits.user_bytes_max / FRAME_BYTES_MIN),
        }
    }

    /// Waits until the frame may go in. A frame larger than the whole credit waits for all of it.
    pub(crate) async fn take(&self, bytes: usize, loan: Option<Loan>) -> Option<Credit> {
        let of_session = u32::try_from(bytes.min(self.bytes_max)).ok()?;
        let frame = self.frames.clone().acquire_owned().await.ok()?;
        let of_session = self.bytes.clone().acquire_many_owned(of_session).await.ok()?;
        let of_user = match (&loan, self.of_user.line()) {
            (None, Some(line)) => line.take(bytes.div_ceil(FRAME_BYTES_MIN)).await,
            _ => None,
        };
        Some(Credit { taken_at: Instant::now(), _frame: frame, _bytes: of_session, _of_user: of_user, _loan: loan })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// [SYNC-17] All sessions of one user share what may be in flight; others do not wait for them.
    #[tokio::test]
    async fn a_user_has_one_credit() {
        let (users, limits) =
            (UserCredits::default(), CreditLimits { user_bytes_max: 10 << 10, ..CreditLimits::default() });
        let (ada, bob) = (UserId::generate(), UserId::generate());
        let sessions: Vec<_> = (0..11).map(|_| Credits::new(limits, &users, ada)).collect();
        let mut in_flight = Vec::new();
        for session in &sessions[..10] {
            in_flight.push(session.take(1, None).await.unwrap());
        }
        async fn waits(credits: &Credits) -> bool {
            timeout(Duration::from_millis(1), credits.take(1, None)).await.is_err()
        }
        assert!(waits(&sessions[10]).await);
        assert!(!waits(&Credits::new(limits, &users, bob)).await);
        in_flight.pop();
        assert!(!waits(&sessions[10]).await);
        drop((sessions, in_flight));
        assert!(users.is_empty(), "nobody is remembered");
    }
}
