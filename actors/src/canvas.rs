//! A session's handle on an open canvas, for the edge: frames in with credit, frames out through the outbox.

use bytes::Bytes;
use ractor::ActorRef;
use tokio::sync::OwnedSemaphorePermit;
use troupe_crdt::{Access, UserTag};
use troupe_model::SessionId;

use crate::{credit::Credits, loans::Loan, outbox::Outbox, workflow::WorkflowMsg};

/// Who joins, and with what rights.
#[derive(Clone, Debug)]
pub struct JoinCanvas {
    pub session: SessionId,
    pub user: UserTag,
    pub access: Access,
    /// Whether the client understands acknowledgements [SYNC-3].
    pub acks: bool,
    /// The document epoch of the copy that the client has, if it says so [SYNC-15].
    pub document_epoch: Option<i64>,
}

/// A session that has joined. Leaves when dropped.
#[derive(Debug)]
pub struct CanvasSession {
    pub(crate) session: SessionId,
    pub(crate) workflow: ActorRef<WorkflowMsg>,
    pub(crate) outbox: Outbox,
    pub(crate) credits: Credits,
    pub(crate) _slot: OwnedSemaphorePermit,
}

impl CanvasSession {
    /// What is to be written to the socket.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Hands one frame to the canvas, once the session has credit for it [SYNC-17]; one that is larger than a frame may
    /// be with its loan. False when the canvas is gone.
    pub async fn send(&self, frame: Bytes, loan: Option<Loan>) -> bool {
        let Some(credit) = self.credits.take(frame.len(), loan).await else { return false };
        self.workflow.cast(WorkflowMsg::Frame { session: self.session, frame, credit }).is_ok()
    }

    /// What the user is called and may do from now on: it holds for every frame that is sent after it.
    pub fn change(&self, user: UserTag, access: Access) {
        // A canvas that is gone has no sessions.
        let _ = self.workflow.cast(WorkflowMsg::Member { session: self.session, user, access });
    }
}

impl Drop for CanvasSession {
    fn drop(&mut self) {
        // A canvas that is gone has no sessions.
        let _ = self.workflow.cast(WorkflowMsg::Leave(self.session));
    }
}
