//! A session's handle on an open canvas, for the edge: frames in with credit, frames out through the outbox.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use ractor::ActorRef;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use troupe_crdt::{Access, Budget, Rate, UserTag, wire};
use troupe_model::SessionId;

use crate::{
    credit::Credits,
    live::outbox::Outbox,
    loans::Loan,
    turns::{TenantTurns, Turn},
    workflow::WorkflowMsg,
    worktime::Worktime,
};

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

/// What the canvas answers to who joins. The session leaves when this is dropped, also when nobody takes the answer.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) session: SessionId,
    pub(crate) workflow: ActorRef<WorkflowMsg>,
    pub(crate) long_turns: LongTurns,
}

impl Drop for Joined {
    fn drop(&mut self) {
        // A canvas that is gone has no sessions.
        let _ = self.workflow.cast(WorkflowMsg::Leave(self.session));
    }
}

/// A session that has joined. Leaves when dropped.
#[derive(Debug)]
pub struct CanvasSession {
    pub(crate) joined: Joined,
    pub(crate) outbox: Outbox,
    pub(crate) credits: Credits,
    pub(crate) showing: Showing,
    pub(crate) worktime: Worktime,
    pub(crate) _slot: OwnedSemaphorePermit,
}

impl CanvasSession {
    /// What is to be written to the socket.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Hands one frame to the canvas, once the session has credit for it [SYNC-17]; one that is not small is
    /// with its loan, and once its user owes little of the server's time. Presence that comes faster than anybody moves is
    /// dropped unread. False when the canvas is gone.
    pub async fn send(&self, frame: Bytes, loan: Option<Loan>) -> bool {
        self.worktime.owe(FRAME_TIME + BYTE_TIME * u32::try_from(frame.len()).unwrap_or(u32::MAX));
        if loan.is_none() {
            // Who borrows has waited before that.
            self.worktime.wait().await;
        }
        if wire::is_awareness(&frame) && !self.showing.may_show(frame.len()) {
            metrics::counter!("troupe_canvas_presence_dropped_total").increment(1);
            return true;
        }
        let Some(credit) = self.credits.take(frame.len(), loan).await else { return false };
        let Joined { session, workflow, long_turns } = &self.joined;
        let turn = long_turns.for_frame(frame.len()).await;
        workflow.cast(WorkflowMsg::Frame { session: *session, frame, credit, turn }).is_ok()
    }

    /// What the user is called and may do from now on: it holds for every frame that is sent after it.
    pub fn change(&self, user: UserTag, access: Access) {
        // A canvas that is gone has no sessions.
        let _ = self.joined.workflow.cast(WorkflowMsg::Member { session: self.joined.session, user, access });
    }
}

/// A frame that is smaller takes no time worth noticing, or none worth waiting for other canvases.
const LONG_FRAME_BYTES_MIN: usize = 8 << 10;
const VERY_LONG_FRAME_BYTES_MIN: usize = 64 << 10;

/// What may take long comes to a canvas one at a time: the next when the one before is done, and after all that came
/// meanwhile. So whoever writes a letter waits for one of them, however many are on their way. What may take very long
/// then waits for its turn among all canvases, which leave cores for what is short.
#[derive(Clone, Debug)]
pub(crate) struct LongTurns {
    canvas: Arc<Semaphore>,
    all: TenantTurns,
}

/// One of them, until this is dropped.
#[derive(Debug)]
pub(crate) struct LongTurn {
    _all: Option<Turn>,
    _canvas: OwnedSemaphorePermit,
}

impl LongTurns {
    pub(crate) fn new(all: TenantTurns) -> Self {
        Self { canvas: Arc::new(Semaphore::new(1)), all }
    }

    /// Nothing for a frame that takes no turn.
    async fn for_frame(&self, bytes: usize) -> Option<LongTurn> {
        if bytes <= LONG_FRAME_BYTES_MIN {
            None
        } else if bytes <= VERY_LONG_FRAME_BYTES_MIN {
            Some(LongTurn { _all: None, _canvas: self.of_canvas().await? })
        } else {
            self.next().await
        }
    }

    /// The next turn at something that may take very long.
    pub(crate) async fn next(&self) -> Option<LongTurn> {
        let canvas = self.of_canvas().await?;
        Some(LongTurn { _all: Some(self.all.clone().next().await), _canvas: canvas })
    }

    async fn of_canvas(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        self.canvas.clone().acquire_owned().await.ok()
    }
}

/// What it takes to read a frame, and each byte of it.
const FRAME_TIME: Duration = Duration::from_micros(3);
const BYTE_TIME: Duration = Duration::from_nanos(2);
/// What a frame of presence takes, rarely more.
const FRAME_BYTES: usize = 4 << 10;

/// How much presence a session sends.
#[derive(Debug)]
pub(crate) struct Showing {
    rate: Rate,
    began: Instant,
    frames: Mutex<Budget>,
}

impl Showing {
    pub(crate) fn new(frames_per_second_max: usize) -> Self {
        let frames = frames_per_second_max as u64;
        Self { rate: Rate { burst: frames, per_second: frames }, began: Instant::now(), frames: Mutex::default() }
    }

    /// A large frame counts as several.
    fn may_show(&self, bytes: usize) -> bool {
        let now_ms = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let may_show = frames.wait_ms(self.rate, now_ms) == 0;
        if may_show {
            frames.spend(1 + bytes / FRAME_BYTES, self.rate, now_ms);
        }
        may_show
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::turns::Turns;

    /// [REL-12] What takes very long on one canvas leaves a core to the others; what is shorter waits for its own canvas
    /// only.
    #[test]
    fn canvases_take_very_long_turns_in_turn() {
        let tenant = Turns::new(1).of_tenant();
        let canvases = [LongTurns::new(tenant.clone()), LongTurns::new(tenant)];
        let very_long = canvases[0].next().now_or_never().flatten();
        assert!(very_long.is_some());
        assert!(canvases[0].for_frame(LONG_FRAME_BYTES_MIN).now_or_never().is_some_and(|turn| turn.is_none()));
        assert!(canvases[0].for_frame(LONG_FRAME_BYTES_MIN + 1).now_or_never().is_none());
        assert!(canvases[1].for_frame(VERY_LONG_FRAME_BYTES_MIN + 1).now_or_never().is_none());
        assert!(canvases[1].for_frame(VERY_LONG_FRAME_BYTES_MIN).now_or_never().flatten().is_some());
        drop(very_long);
        assert!(canvases[1].for_frame(VERY_LONG_FRAME_BYTES_MIN + 1).now_or_never().flatten().is_some());
    }
}
