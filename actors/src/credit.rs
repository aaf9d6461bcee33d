//! Admission of a session's frames, before they reach an actor's unbounded mailbox [SYNC-17].
//!
//! A frame takes credit when it is read from the socket and gives it back when its update is durable, so one session
//! can neither flood its workflow nor fill memory while the store is slow.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::loans::Loan;

/// What one session may have in flight.
#[derive(Clone, Copy, Debug)]
pub struct CreditLimits {
    pub frames_max: usize,
    pub bytes_max: usize,
}

impl Default for CreditLimits {
    fn default() -> Self {
        Self { frames_max: 64, bytes_max: 1024 * 1024 }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Credits {
    frames: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    bytes_max: usize,
}

/// Taken for one frame; given back on drop.
#[derive(Debug)]
pub(crate) struct Credit {
    pub(crate) taken_at: Instant,
    _frame: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
    /// Of what is larger than a frame: lent until it is durable.
    _loan: Option<Loan>,
}

impl Credits {
    pub(crate) fn new(limits: CreditLimits) -> Self {
        Self {
            frames: Arc::new(Semaphore::new(limits.frames_max)),
            bytes: Arc::new(Semaphore::new(limits.bytes_max)),
            bytes_max: limits.bytes_max,
        }
    }

    /// Waits until the frame may go in. A frame larger than the whole credit waits for all of it.
    pub(crate) async fn take(&self, bytes: usize, loan: Option<Loan>) -> Option<Credit> {
        let bytes = u32::try_from(bytes.min(self.bytes_max)).ok()?;
        Some(Credit {
            taken_at: Instant::now(),
            _frame: self.frames.clone().acquire_owned().await.ok()?,
            _bytes: self.bytes.clone().acquire_many_owned(bytes).await.ok()?,
            _loan: loan,
        })
    }
}
