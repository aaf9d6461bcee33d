//! One timer for an actor, however many things it waits for.
//!
//! The actor keeps its deadlines and asks for the nearest; it gets one message when that is reached. At most one
//! such message is in its mailbox at a time, however slow the actor is.

use ractor::{ActorRef, Message};
use tokio::{sync::watch, time::Instant};

use crate::task;

#[derive(Debug)]
pub(crate) struct Alarm {
    deadline: watch::Sender<Option<Instant>>,
    _task: task::Owned,
}

impl Alarm {
    /// Sends `message()` to `actor` whenever a deadline is reached.
    pub(crate) fn new<M: Message>(actor: ActorRef<M>, message: fn() -> M) -> Self {
        let (deadline, mut changes) = watch::channel(None::<Instant>);
        let fired = deadline.clone();
        let task = task::spawn_owned("alarm", async move {
            loop {
                let due = *changes.borrow_and_update();
                match due {
                    None => {
                        if changes.changed().await.is_err() {
                            return;
                        }
                    }
                    Some(due) => tokio::select! {
                        changed = changes.changed() => if changed.is_err() { return },
                        () = tokio::time::sleep_until(due) => {
                            // Cleared first: the actor sets the next deadline when it handles the message.
                            fired.send_if_modified(|deadline| deadline.take_if(|at| *at == due).is_some());
                            if actor.cast(message()).is_err() {
                                return;
                            }
                        }
                    },
                }
            }
        });
        Self { deadline, _task: task }
    }

    /// Asks for a message at `deadline` if none is due earlier.
    pub(crate) fn at_latest(&self, deadline: Instant) {
        self.deadline.send_if_modified(|current| {
            let sooner = current.is_none_or(|current| deadline < current);
            if sooner {
                *current = Some(deadline);
            }
            sooner
        });
    }
}
