//! The sessions of one canvas: join, frames in, broadcast out, acknowledgements, slow readers.

mod access;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use ractor::{ActorProcessingErr, RpcReplyPort};
use serde_json::json;
use tokio::time::Instant;
use troupe_crdt::{Peer, Refusal, UserTag, wire};
use troupe_model::SessionId;

use super::{WorkflowState, answer};
use crate::{
    canvas::JoinCanvas,
    credit::Credit,
    outbox::{Close, OutFrame, Outbox, Pushed},
};

/// A reader that takes nothing for this long is closed with 1013 [SYNC-7].
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// How often a session that lags is looked at.
const CATCH_UP_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Session {
    pub(super) outbox: Outbox,
    peer: Peer,
    acks: bool,
    /// Update-carrying frames received.
    counted: u64,
    /// Of those, the ones that are not durable yet, with the log number that makes them so.
    unacknowledged: VecDeque<Unacknowledged>,
    /// What the client was last told is settled.
    acknowledged: u64,
    /// It was refused an edit. What says so must reach it, or it would take the edit for saved.
    denied: bool,
    /// A state that the client is known to have, or will have once its outbox is written.
    floor: Arc<[u8]>,
    lagging_since: Option<Instant>,
}

#[derive(Debug)]
struct Unacknowledged {
    count: u64,
    seq: i64,
    /// Why the last frame of these was refused.
    denied: Option<&'static str>,
    _credit: Credit,
}

impl WorkflowState {
    pub(super) fn join(&mut self, join: JoinCanvas, outbox: Outbox, reply: RpcReplyPort<()>) {
        if join.document_epoch.is_some_and(|epoch| epoch != self.canvas.epoch().number) {
            let Refusal { code, reason } = Refusal::rebuilt();
            outbox.close(Close::new(code, reason));
            return answer(reply, ());
        }
        let state_vector = self.canvas.state_vector();
        let mut session = Session {
            peer: Peer::with_limits(join.session, join.access, join.user, self.context.limits.canvas),
            outbox,
            acks: join.acks,
            counted: 0,
            unacknowledged: VecDeque::new(),
            acknowledged: 0,
            denied: false,
            // Nothing is known of the client until it has been sent the whole.
            floor: Arc::from([0].as_slice()),
            lagging_since: None,
        };
        session.tell_access(self.document_epoch());
        session.answer(wire::sync_step1(&state_vector));
        if let Some(awareness) = self.awareness.full() {
            session.answer(awareness);
        }
        self.sessions.insert(join.session, session);
        metrics::gauge!("troupe_canvas_sessions").increment(1.0);
        self.alarm.at_latest(self.next_sweep);
        self.publish_presence();
        answer(reply, ());
    }

    pub(super) fn leave(&mut self, session: SessionId) {
        let Some(gone) = self.sessions.remove(&session) else { return };
        gone.outbox.close(Close::new(1000, "left"));
        metrics::gauge!("troupe_canvas_sessions").decrement(1.0);
        if let Some(frame) = self.awareness.leave(session) {
            self.broadcast(&frame.into(), None);
        }
        self.publish_presence();
        self.alarm.at_latest(self.next_sweep);
    }

    /// One frame of one session. A hostile frame closes that session and harms no one else [SYNC-4].
    pub(super) fn receive(&mut self, id: SessionId, frame: &Bytes, credit: Credit) -> Result<(), ActorProcessingErr> {
        let now = self.context.clock.now();
        let Some(session) = self.sessions.get_mut(&id) else { return Ok(()) };
        let outcome = match session.peer.receive(&mut self.canvas, &mut self.awareness, frame, now.as_millis()) {
            Ok(outcome) => outcome,
            Err(refusal) => {
                tracing::info!(workflow.id = %self.workflow, session.id = %id, %refusal, "refused a frame");
                metrics::counter!("troupe_canvas_refused_frames_total").increment(1);
                let (reload, is_full) = (refusal.needs_reload(), refusal.code == Refusal::TOO_LARGE);
                session.outbox.close_now(Close::new(refusal.code, refusal.reason));
                self.leave(id);
                if is_full {
                    self.found_full();
                }
                return if reload { self.reload() } else { self.repair() };
            }
        };
        for reply in outcome.replies {
            session.answer(reply);
        }
        let user = session.peer.user().id;
        for update in outcome.updates {
            self.integrated(update, Some(id), Some(user))?;
        }
        if let Some(frame) = outcome.awareness {
            // To its author too: the stock provider takes 30 s without a message for a dead connection.
            self.broadcast(&frame.into(), None);
        }
        if outcome.counted > 0
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.counted += outcome.counted;
            let count = session.counted;
            let denied = outcome.denied;
            session.unacknowledged.push_back(Unacknowledged { count, seq: self.seq, denied, _credit: credit });
            session.acknowledge(self.durable_seq);
        }
        Ok(())
    }

    /// Sends one encoded frame to all sessions but one.
    pub(super) fn broadcast(&mut self, frame: &Bytes, except: Option<SessionId>) {
        for (id, session) in &mut self.sessions {
            if Some(*id) == except || session.lagging_since.is_some() {
                continue;
            }
            session.deliver(frame.clone());
            if session.lagging_since.is_some() {
                self.next_sweep = Instant::now();
                self.alarm.at_latest(self.next_sweep);
            }
        }
    }

    /// Catches up those that lagged, closes those that are stuck, expires awareness.
    pub(super) fn sweep(&mut self, now: Instant) {
        let at = self.context.clock.now().as_millis();
        if let Some(frame) = self.awareness.expire(at) {
            self.broadcast(&frame.into(), None);
        }
        self.canvas.forget_unused();
        let current: Arc<[u8]> = self.canvas.state_vector().into();
        let document_epoch = self.document_epoch();
        let mut stuck = Vec::new();
        for (id, session) in &mut self.sessions {
            match session.lagging_since {
                None if session.outbox.is_empty() && session.peer.is_synced() => session.floor = current.clone(),
                None => {}
                Some(_) if session.outbox.is_writable() => {
                    session.lagging_since = None;
                    match self.canvas.diff(&session.floor) {
                        Ok(diff) => session.answer(wire::sync_step2(&diff)),
                        Err(refusal) => session.outbox.close(Close::new(1013, refusal.reason)),
                    }
                    if let Some(awareness) = self.awareness.full() {
                        session.answer(awareness);
                    }
                    session.tell_access(document_epoch);
                    session.tell_acknowledged();
                }
                Some(since) if now > since + STUCK_AFTER => stuck.push(*id),
                Some(_) => self.next_sweep = now + CATCH_UP_EVERY,
            }
        }
        for id in stuck {
            if let Some(session) = self.sessions.get(&id) {
                session.outbox.close_now(Close::too_slow());
            }
            self.leave(id);
        }
    }

    /// Who is here, each user once.
    pub(super) fn presence(&self) -> serde_json::Value {
        let mut users: Vec<(&UserTag, usize)> = Vec::new();
        for session in self.sessions.values() {
            let user = session.peer.user();
            match users.iter_mut().find(|(known, _)| known.id == user.id) {
                Some((_, sessions)) => *sessions += 1,
                None => users.push((user, 1)),
            }
        }
        users.sort_by_key(|(user, _)| user.id);
        users
            .into_iter()
            .map(|(user, sessions)| {
                json!({ "user_id": user.id, "name": user.name, "color": user.color, "sessions": sessions })
            })
            .collect()
    }

    fn publish_presence(&mut self) {
        let users = self.presence();
        self.publish("presence", json!({ "users": users }));
    }
}

impl Session {
    /// Tells the client how many of its frames are settled, when that number has grown [SYNC-3], and which were
    /// refused: in the order in which they came.
    pub(super) fn acknowledge(&mut self, durable_seq: i64) {
        let mut untold = false;
        while self.unacknowledged.front().is_some_and(|frame| frame.seq <= durable_seq)
            && let Some(frame) = self.unacknowledged.pop_front()
        {
            if let Some(reason) = frame.denied {
                if untold {
                    self.tell_acknowledged();
                }
                self.deny(reason);
            }
            self.acknowledged = frame.count;
            untold = true;
        }
        if untold {
            self.tell_acknowledged();
        }
    }

    /// Again after an overflow, which may have taken the last word.
    fn tell_acknowledged(&mut self) {
        if self.acks && self.acknowledged > 0 {
            self.deliver(wire::ack(self.acknowledged).into());
        }
    }

    /// Sends what this client asked for.
    fn answer(&mut self, frame: impl Into<Bytes>) {
        let pushed = self.outbox.answer(OutFrame::Sync(frame.into()));
        self.note(pushed);
    }

    /// Sends one shared frame.
    fn deliver(&mut self, frame: Bytes) {
        let pushed = self.outbox.push(OutFrame::Sync(frame));
        self.note(pushed);
    }

    /// After an overflow the session is sent nothing until one diff can bring it up to date.
    fn note(&mut self, pushed: Pushed) {
        if pushed == Pushed::Overflowed {
            metrics::counter!("troupe_canvas_overflows_total").increment(1);
            self.lagging_since.get_or_insert_with(Instant::now);
            if self.denied {
                self.outbox.close_now(Close::too_slow());
            }
        }
    }
}
