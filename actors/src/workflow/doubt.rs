//! An owner that is not sure of its lease answers for the document only when the store has confirmed it [SYNC-13].
//!
//! An owner that is closing answers nothing either: whoever asks waits until it has stopped, and asks the next one.
//!
//! Edits go on meanwhile: they are acknowledged when they are committed, and the commit checks the lease.

use troupe_model::UserId;

use super::{Ask, WorkflowMsg, WorkflowState};
use crate::task;

/// Questions that may wait. Whoever asks beyond that is told at once that there is no answer.
const WAITING_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Doubts {
    waiting: Vec<(Option<UserId>, Ask)>,
    asking: Option<task::Owned>,
}

impl WorkflowState {
    /// Whether who asks has to wait until it is known who owns the workflow, or for its next owner.
    pub(super) fn is_doubtful(&self) -> bool {
        self.closing || !self.lease.is_sure()
    }

    pub(super) fn doubt(&mut self, by: Option<UserId>, ask: Ask) {
        if self.doubts.waiting.len() < WAITING_MAX {
            self.doubts.waiting.push((by, ask));
        }
        if self.closing || self.doubts.asking.is_some() {
            return;
        }
        let (context, lease, myself) = (self.context.clone(), self.lease.term().clone(), self.myself.clone());
        self.doubts.asking = Some(task::spawn_owned("lease-confirmation", async move {
            let held = lease.confirm(&context).await;
            // A workflow that has stopped has no more doubts.
            let _ = myself.cast(if held { WorkflowMsg::LeaseConfirmed } else { WorkflowMsg::LeaseLost });
        }));
    }

    /// Takes up what waited, in its order.
    pub(super) fn confirmed(&mut self) -> Vec<(Option<UserId>, Ask)> {
        self.doubts.asking = None;
        std::mem::take(&mut self.doubts.waiting)
    }

    /// Whoever waits learns that there is no answer here.
    pub(super) fn forget_doubts(&mut self) {
        self.doubts = Doubts::default();
    }
}
