//! What clients ask of a canvas, and what they missed because they read too slowly: answered when it is their turn
//! [SYNC-4, SYNC-7].
//!
//! A question is a mark on its session, not an entry of a queue: the newest counts, and who asks again before the answer
//! has asked once. It is answered when the session has read everything that it was sent, so that a session holds one
//! answer at most. What it takes is counted: answers take half of the actor's time at most, with edits in between, and
//! each user has a budget of bytes. Who has used it up waits, and is not closed. Large answers are shared; one that is
//! not takes its memory from a budget of the server until it is written, and where there is no room for it, the shared
//! one is sent, which says the same and more.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;
use troupe_crdt::{Answer, Budget, Question, Rate, Refusal, wire};
use troupe_model::{SessionId, UserId};

use super::{
    WorkflowState,
    session::{Session, Unanswered},
};
use crate::{live::outbox::Close, loans::Loan};

/// An answer that is smaller is not worth counting.
const LARGE_BYTES_MIN: usize = 64 << 10;
/// A canvas counts as so large at least.
const CANVAS_BYTES_MIN: usize = 256 << 10;
/// The first answer of a session counts by this share: many come at once when a server has restarted.
const NEWCOMERS_SHARE: usize = 16;
/// What an answer takes at least, in bytes that are encoded.
const ANSWER_BYTES: usize = 1 << 10;
/// The share of the actor's time that answers leave to everything else: as much as they take.
const REST: u32 = 2;
/// Time that answers may take before that.
const TIME_AT_ONCE: Duration = Duration::from_millis(20);
/// An answer that takes longer is the only one of its turn.
const LONG: Duration = Duration::from_millis(2);
/// How soon is looked again whether an answer is possible.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(in super::super) struct Questions {
    /// Who waits for an answer and would read it, in order.
    waiting: VecDeque<SessionId>,
    /// What users have been answered.
    budgets: HashMap<UserId, Budget>,
    /// Answers have used up the time until then.
    taken_until: Option<Instant>,
}

/// An answer with the memory that it takes, given back when it is written.
struct Lent {
    frame: Bytes,
    _loan: Loan,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.frame
    }
}

/// Whether a session can be answered.
enum Readiness {
    Ready,
    /// Not before.
    Later(Instant),
    /// It has not read everything.
    Unread,
    Gone,
}

impl Questions {
    /// Until when answers have to rest.
    pub(super) fn rests_until(&self, now: Instant) -> Option<Instant> {
        self.taken_until.filter(|until| *until > now + TIME_AT_ONCE).map(|until| until - TIME_AT_ONCE)
    }

    pub(super) fn took(&mut self, begun: Instant, took: Duration) {
        let from = self.taken_until.map_or(begun, |until| until.max(begun));
        self.taken_until = Some(from + took * REST);
    }

    /// How long a user waits for the whole of a canvas, behind so many bytes.
    pub(super) fn wait(&self, by: Option<UserId>, ahead_bytes: usize, rate: Rate, now_ms: i64) -> Duration {
        let Some(user) = by else { return Duration::ZERO };
        let mut budget = self.budgets.get(&user).copied().unwrap_or_default();
        budget.spend(ahead_bytes, rate, now_ms);
        Duration::from_millis(budget.wait_ms(rate, now_ms).unsigned_abs())
    }

    pub(super) fn spend(&mut self, by: Option<UserId>, bytes: usize, rate: Rate, now_ms: i64) {
        if let Some(user) = by {
            self.budgets.entry(user).or_default().spend(ANSWER_BYTES + bytes, rate, now_ms);
        }
    }
}

impl WorkflowState {
    /// A session has asked something, or has to be caught up.
    pub(super) fn asked(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.unanswered == Unanswered::Nothing {
            session.unanswered = Unanswered::Waits;
            self.questions.waiting.push_back(id);
            self.answer_questions();
        }
    }

    /// A session has read everything.
    pub(super) fn drained(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if matches!(session.unanswered, Unanswered::Unread(_)) {
            session.unanswered = Unanswered::Waits;
            self.questions.waiting.push_back(id);
            self.answer_questions();
        }
    }

    /// Answers those whose turn it is; on a large canvas, when it is the canvas' turn.
    pub(super) fn answer_questions(&mut self) {
        if !self.is_large() {
            self.answer_sessions();
        } else if let Some(id) = self.next_session() {
            self.questions.waiting.push_front(id);
            self.wait_for_long_turn();
        }
    }

    /// Answers sessions until it has taken long: what else came meanwhile goes first. False: there was none to answer.
    pub(super) fn answer_sessions(&mut self) -> bool {
        let mut any = false;
        for _ in 0..self.questions.waiting.len() {
            let Some(id) = self.next_session() else { break };
            any = true;
            if self.answer_session(id) > LONG {
                self.alarm.at_latest(Instant::now());
                break;
            }
        }
        any
    }

    /// The next who may be answered, taken from those who wait. If there is none, this is asked again when there may be.
    fn next_session(&mut self) -> Option<SessionId> {
        let now = Instant::now();
        let mut next = self.questions.rests_until(now);
        if next.is_none() {
            for _ in 0..self.questions.waiting.len() {
                let id = self.questions.waiting.pop_front()?;
                match self.readiness(id, now) {
                    Readiness::Ready => return Some(id),
                    Readiness::Later(then) => {
                        self.questions.waiting.push_back(id);
                        next = Some(next.map_or(then, |next| next.min(then)));
                    }
                    Readiness::Unread => self.wait_until_read(id, now),
                    Readiness::Gone => {}
                }
            }
        }
        if let Some(next) = next.filter(|_| !self.questions.waiting.is_empty()) {
            self.alarm.at_latest(next);
        }
        None
    }

    /// Forgets who has paid for everything. To be called now and then.
    pub(super) fn settle_askers(&mut self) {
        let (rate, now_ms) = (self.answer_rate(), self.now_ms());
        self.questions.budgets.retain(|_, budget| budget.owed(rate, now_ms) > 0);
    }

    fn readiness(&mut self, id: SessionId, now: Instant) -> Readiness {
        let (rate, now_ms) = (self.answer_rate(), self.now_ms());
        let Some(session) = self.sessions.get(&id) else { return Readiness::Gone };
        if session.outbox.is_closed() {
            return Readiness::Gone;
        }
        if !session.outbox.is_writable() {
            return Readiness::Unread;
        }
        let wait_ms = self.questions.budgets.entry(session.peer.user().id).or_default().wait_ms(rate, now_ms);
        if wait_ms > 0 {
            Readiness::Later(now + Duration::from_millis(wait_ms.unsigned_abs()))
        } else {
            Readiness::Ready
        }
    }

    fn wait_until_read(&mut self, id: SessionId, now: Instant) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.unanswered = Unanswered::Unread(now);
        let myself = self.myself.clone();
        // A canvas that is gone has no sessions.
        session.outbox.when_writable(move || drop(myself.cast(super::WorkflowMsg::Drained(id))));
    }

    pub(super) fn answer_rate(&self) -> Rate {
        let limits = &self.context.limits;
        let canvas_bytes = self.canvas.size_bytes().max(CANVAS_BYTES_MIN) as u64;
        Rate {
            burst: canvas_bytes * limits.answers_at_once_max as u64,
            per_second: canvas_bytes * limits.answers_per_minute_max as u64 / 60,
        }
    }

    /// Answers all that one session wants to know; returns how long that took.
    fn answer_session(&mut self, id: SessionId) -> Duration {
        let begun = Instant::now();
        let Some(mut session) = self.sessions.remove(&id) else { return Duration::ZERO };
        let worktime = session.worktime.clone();
        let cost_bytes = worktime.pay_for(|| self.answer_all(&mut session));
        self.sessions.insert(id, session);
        match cost_bytes {
            Ok(Some(cost_bytes)) => {
                let (rate, now_ms) = (self.answer_rate(), self.now_ms());
                let by = self.sessions.get(&id).map(|session| session.peer.user().id);
                self.questions.spend(by, cost_bytes, rate, now_ms);
            }
            Ok(None) => {
                self.questions.waiting.push_back(id);
                self.alarm.at_latest(begun + AGAIN_AFTER);
            }
            Err(refusal) => self.refuse(id, refusal),
        }
        let took = begun.elapsed();
        self.questions.took(begun, took);
        took
    }

    /// What that costs its user. `None`: it cannot be answered now.
    fn answer_all(&mut self, session: &mut Session) -> Result<Option<usize>, Refusal> {
        let mut cost_bytes = 0;
        let lagged = session.lagging_since.is_some();
        if session.asked.is_some() || lagged {
            let Some(answer) = self.answer_what_lacks(session)? else { return Ok(None) };
            let bytes = answer.bytes();
            cost_bytes += answer.cost_bytes + if session.was_answered { bytes } else { bytes / NEWCOMERS_SHARE };
            session.was_answered = true;
            session.lacks &= session.asked.is_none();
            session.asked = None;
            session.lagging_since = None;
            answer.frames.into_iter().for_each(|frame| session.answer(frame));
        }
        if std::mem::take(&mut session.lacks) {
            let question = wire::sync_step1(&self.canvas.state_vector());
            cost_bytes += question.len();
            session.answer(question);
        }
        if std::mem::take(&mut session.asked_who) || lagged {
            let awareness = self.awareness.full();
            cost_bytes += awareness.as_ref().map_or(0, Bytes::len);
            awareness.into_iter().for_each(|awareness| session.answer(awareness));
        }
        if lagged {
            session.tell_access(self.document_epoch());
            session.tell_acknowledged();
        }
        session.unanswered = Unanswered::Nothing;
        Ok(Some(cost_bytes))
    }

    /// What it asked for, or, when it has lagged, what was written since it was last up to date.
    fn answer_what_lacks(&mut self, session: &mut Session) -> Result<Option<Answer>, Refusal> {
        let answer = match &session.asked {
            Some(asked) => session.peer.answer(&mut self.canvas, asked)?,
            None => {
                let missed = self.canvas.question(&session.floor)?;
                self.canvas.answer(&missed)?
            }
        };
        let Some(mut answer) = answer else { return Ok(None) };
        if answer.own_bytes <= LARGE_BYTES_MIN {
            return Ok(Some(answer));
        }
        if let Some(lent) = self.lend(session.peer.user().id, &answer) {
            answer.frames[0] = lent;
            return Ok(Some(answer));
        }
        let spent = answer.cost_bytes;
        let whole = match &session.asked {
            Some(_) => session.peer.answer(&mut self.canvas, &Question::everything())?,
            None => self.canvas.answer(&Question::everything())?,
        };
        Ok(whole.map(|whole| Answer { cost_bytes: whole.cost_bytes + spent, ..whole }))
    }

    /// The first frame of an answer, which is its own, with the memory that it takes. `None`: there is none left.
    fn lend(&mut self, user: UserId, answer: &Answer) -> Option<Bytes> {
        let loan = self.context.loans.try_lend_answer(self.tenant, user, answer.own_bytes)?;
        Some(Bytes::from_owner(Lent { frame: answer.frames[0].clone(), _loan: loan }))
    }

    /// Ends a session for what it sent or asked.
    pub(super) fn refuse(&mut self, id: SessionId, refusal: Refusal) {
        tracing::info!(workflow.id = %self.workflow, session.id = %id, %refusal, "refused a frame");
        metrics::counter!("troupe_canvas_refused_frames_total").increment(1);
        if let Some(session) = self.sessions.get(&id) {
            session.outbox.close_now(Close::new(refusal.code, refusal.reason));
        }
        self.leave(id);
    }
}
