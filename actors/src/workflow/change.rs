//! Answering who wants a canvas changed: whether the change has begun is known also when no answer comes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use ractor::RpcReplyPort;

use super::answer;

/// Whether a change has begun. Asked for again, it could be made twice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Begun(Arc<AtomicBool>);

impl Begun {
    pub(crate) fn has(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Takes the answer to a change.
#[derive(Debug)]
pub(crate) struct ChangeReply<T> {
    pub(crate) reply: RpcReplyPort<T>,
    pub(crate) begun: Begun,
}

impl<T: Send + 'static> ChangeReply<T> {
    /// From here on the change may be found in the store.
    pub(super) fn begin(&self) {
        self.begun.0.store(true, Ordering::Release);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.reply.is_closed()
    }

    pub(super) fn answer(self, value: T) {
        answer(self.reply, value);
    }
}
