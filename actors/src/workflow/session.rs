//! The sessions of one canvas: join, frames in, broadcast out, acknowledgements, slow readers.

mod access;

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use ractor::{ActorProcessingErr, RpcReplyPort};
use tokio::time::Instant;
use troupe_crdt::{Outcome, Peer, Question, Refusal, wire};
use troupe_model::SessionId;

use super::{WorkflowState, answer};
use crate::{
    canvas::{JoinCanvas, Joined},
    credit::Credit,
    live::outbox::{Close, OutFrame, Outbox, Pushed},
    loans::Loan,
    worktime::Worktime,
};

#[derive(Debug)]
pub(super) struct Session {
    pub(super) outbox: Outbox,
    pub(super) peer: Peer,
    pub(super) worktime: Worktime,
    joined_ms: i64,
    acks: bool,
    /// Update-carrying frames received.
    counted: u64,
    /// Of those, the ones that are not durable yet, with the log number that makes them so.
    unacknowledged: VecDeque<Unacknowledged>,
    /// What the client was last told is settled.
    acknowledged: u64,
    /// It was refused an edit. What says so must reach it, or it would take the edit for saved.
    denied: bool,
    /// The memory of its updates that wait for others.
    waiting: Vec<Loan>,
    /// A state that the client is known to have, or will have once its outbox is written.
    pub(super) floor: Arc<[u8]>,
    /// After an overflow nothing is sent until it can be caught up.
    pub(super) lagging_since: Option<Instant>,
    /// What the client asks for, the newest question: what it lacks, and who is here.
    pub(super) asked: Option<Question>,
    pub(super) asked_who: bool,
    /// The client is to be asked for what it has.
    pub(super) lacks: bool,
    pub(super) was_answered: bool,
    pub(super) unanswered: Unanswered,
}

/// How far a session is with what it asks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    Nothing,
    /// It waits for its turn.
    Waits,
    /// It has not read what it was sent before, since then.
    Unread(Instant),
}

#[derive(Debug)]
struct Unacknowledged {
    count: u64,
    seq: i64,
    /// Why the last frame of these was refused.
    denied: Option<&'static str>,
    credit: Credit,
}

impl WorkflowState {
    pub(super) fn join(&mut self, join: JoinCanvas, outbox: Outbox, reply: RpcReplyPort<Joined>) {
        let joined =
            Joined { session: join.session, workflow: self.myself.clone(), long_turns: self.long_turns.clone() };
        if join.document_epoch.is_some_and(|epoch| epoch != self.canvas.epoch().number) {
            let Refusal { code, reason } = Refusal::rebuilt();
            outbox.close(Close::new(code, reason));
            return answer(reply, joined);
        }
        let state_vector = self.canvas.state_vector();
        let mut session = Session {
            worktime: self.context.worktimes.of(self.tenant, join.user.id),
            peer: Peer::with_limits(join.session, join.access, join.user, self.context.canvas_limits.clone()),
            outbox,
            acks: join.acks,
            counted: 0,
            unacknowledged: VecDeque::new(),
            acknowledged: 0,
            denied: false,
            waiting: Vec::new(),
            // Nothing is known of the client until it has been sent the whole.
            floor: Arc::from([0].as_slice()),
            lagging_since: None,
            joined_ms: self.now_ms(),
            asked: None,
            asked_who: false,
            lacks: false,
            was_answered: false,
            unanswered: Unanswered::Nothing,
        };
        session.tell_access(self.document_epoch());
        session.answer(wire::sync_step1(&state_vector));
        if let Some(awareness) = self.awareness.full() {
            session.answer(awareness);
        }
        self.sessions.insert(join.session, session);
        self.footprint.rest(false);
        metrics::gauge!("troupe_canvas_sessions").increment(1.0);
        self.alarm.at_latest(self.next_sweep);
        self.presence_changed();
        answer(reply, joined);
    }

    pub(super) fn leave(&mut self, session: SessionId) {
        let Some(gone) = self.sessions.remove(&session) else { return };
        gone.outbox.close(Close::new(1000, "left"));
        metrics::gauge!("troupe_canvas_sessions").decrement(1.0);
        self.awareness.leave(session, self.now_ms());
        self.tell_awareness();
        self.presence_changed();
        self.alarm.at_latest(self.next_sweep);
    }

    /// One frame of one session. A hostile frame closes that session and harms no one else [SYNC-4].
    pub(super) fn receive(&mut self, id: SessionId, frame: &Bytes, credit: Credit) -> Result<(), ActorProcessingErr> {
        let Some(worktime) = self.sessions.get(&id).map(|session| session.worktime.clone()) else { return Ok(()) };
        // Answers are owed by whoever asked, and it may be others' turn.
        if worktime.pay_for(|| self.take(id, frame, credit))? {
            self.asked(id);
        }
        Ok(())
    }

    /// Whether the session asks something.
    fn take(&mut self, id: SessionId, frame: &Bytes, credit: Credit) -> Result<bool, ActorProcessingErr> {
        let now_ms = self.now_ms();
        let Some(session) = self.sessions.get_mut(&id) else { return Ok(false) };
        if !self.footprint.may_change(frame.len()) {
            self.refuse(id, Refusal::try_again("open canvases take as much memory as they may: this one cannot grow"));
            return Ok(false);
        }
        let mut outcome = match session.peer.receive(&mut self.canvas, &mut self.awareness, frame, now_ms) {
            Ok(outcome) => outcome,
            Err(refusal) => {
                let (reload, is_full) = (refusal.needs_reload(), refusal.code == Refusal::TOO_LARGE);
                self.refuse(id, refusal);
                if is_full {
                    self.found_full();
                }
                if reload {
                    self.reload()
                } else {
                    self.repair()?
                }
                return Ok(false);
            }
        };
        if let Some(reply) = outcome.reply.take() {
            session.deliver(reply);
        }
        if !session.peer.is_waiting() {
            session.waiting = Vec::new();
        } else if outcome.lacks {
            let of = (self.tenant, session.peer.user().id);
            match self.context.loans.try_lend_waiting(of.0, of.1, frame.len()) {
                Some(loan) => session.waiting.push(loan),
                None => {
                    self.refuse(id, Refusal::try_again("too many of your updates wait for others that did not come"));
                    return Ok(false);
                }
            }
        }
        let asks = session.note_questions(&mut outcome);
        let user = session.peer.user().id;
        for update in outcome.updates {
            self.integrated(update, Some(id), Some(user))?;
        }
        self.tell_awareness();
        if outcome.counted > 0
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.counted += outcome.counted;
            let count = session.counted;
            let denied = outcome.denied;
            session.unacknowledged.push_back(Unacknowledged { count, seq: self.seq, denied, credit });
            session.acknowledge(self.durable_seq);
        }
        Ok(asks)
    }

    /// Sends one encoded frame to all sessions but one.
    pub(super) fn broadcast(&mut self, frame: &Bytes, except: Option<SessionId>) {
        let mut lagging = Vec::new();
        for (id, session) in &mut self.sessions {
            if Some(*id) == except || session.lagging_since.is_some() {
                continue;
            }
            session.deliver(frame.clone());
            if session.lagging_since.is_some() {
                lagging.push(*id);
            }
        }
        lagging.into_iter().for_each(|id| self.asked(id));
    }

    /// Closes those that are stuck, expires awareness.
    pub(super) fn sweep(&mut self, now: Instant) {
        let present_since_ms = self.sessions.values().map(|session| session.joined_ms).min();
        self.awareness.expire(self.now_ms(), present_since_ms);
        self.canvas.forget_unused();
        self.settle_askers();
        let current: Arc<[u8]> = self.canvas.state_vector().into();
        let stuck_after = self.context.limits.stuck_after;
        let (mut stuck, mut lagging) = (Vec::new(), Vec::new());
        for (id, session) in &mut self.sessions {
            match &session.unanswered {
                Unanswered::Unread(since) if now > *since + stuck_after => stuck.push(*id),
                // An overflow that no broadcast caused.
                Unanswered::Nothing if session.lagging_since.is_some() => lagging.push(*id),
                Unanswered::Nothing if session.outbox.is_empty() && session.peer.is_synced() => {
                    session.floor = current.clone();
                }
                _ => {}
            }
        }
        lagging.into_iter().for_each(|id| self.asked(id));
        for id in stuck {
            if let Some(session) = self.sessions.get(&id) {
                session.outbox.close_now(Close::too_slow());
            }
            self.leave(id);
        }
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
            metrics::histogram!("troupe_canvas_acknowledgement_duration_seconds")
                .record(frame.credit.taken_at.elapsed());
            self.acknowledged = frame.count;
            untold = true;
        }
        if untold {
            self.tell_acknowledged();
        }
    }

    /// Keeps what is asked with a frame; tells whether anything is. The newest question counts.
    fn note_questions(&mut self, outcome: &mut Outcome) -> bool {
        let asks = outcome.asked.is_some() || outcome.asked_who || outcome.lacks;
        if let Some(asked) = outcome.asked.take() {
            self.asked = Some(asked);
        }
        self.asked_who |= outcome.asked_who;
        self.lacks |= outcome.lacks;
        asks
    }

    /// Again after an overflow, which may have taken the last word.
    pub(super) fn tell_acknowledged(&mut self) {
        if self.acks && self.acknowledged > 0 {
            self.deliver(wire::ack(self.acknowledged).into());
        }
    }

    /// Sends what this client asked for.
    pub(super) fn answer(&mut self, frame: impl Into<Bytes>) {
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
