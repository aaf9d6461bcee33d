//! What a session may do: at its join, and when that changes while it is open [SYNC-10].
//!
//! Frames that came before a change were allowed, those after it are judged by it: both come through the one mailbox.

use troupe_crdt::{Access, UserTag, wire};
use troupe_model::SessionId;

use super::{Session, WorkflowState};
use crate::live::outbox::Close;

const DOWNGRADED: &str = "you may no longer edit this workflow";

impl WorkflowState {
    /// The session's user has another name or other rights now.
    pub(in super::super) fn change_member(&mut self, id: SessionId, user: UserTag, access: Access) {
        let epoch = self.document_epoch();
        let state_vector = self.canvas.state_vector();
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let renamed = *session.peer.user() != user;
        session.peer.set_user(user);
        if session.peer.access() != access {
            if session.peer.is_waiting() {
                // What waits was allowed when it came and would not be when it is its turn.
                session.outbox.close_now(Close::new(1013, "your access changed; reconnect"));
                return self.leave(id);
            }
            session.peer.set_access(access);
            session.follow(access, epoch, &state_vector);
        }
        if renamed {
            self.presence_changed();
        }
    }
}

impl Session {
    fn follow(&mut self, access: Access, document_epoch: u64, state_vector: &[u8]) {
        if self.acks {
            self.tell_access(document_epoch);
        } else if access == Access::ReadOnly {
            self.deny(DOWNGRADED);
        }
        if access == Access::ReadWrite {
            // Asks for what it could not send so far.
            self.answer(wire::sync_step1(state_vector));
        }
    }

    /// Tells a client that understands it what it may do, and which epoch of the document it has.
    pub(in super::super) fn tell_access(&mut self, document_epoch: u64) {
        if self.acks {
            self.deliver(wire::session(self.peer.access(), document_epoch).into());
        }
    }

    /// Tells the client that it may not edit.
    pub(super) fn deny(&mut self, reason: &str) {
        self.denied = true;
        self.deliver(wire::denied(reason).into());
    }
}
