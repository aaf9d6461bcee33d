//! What somebody asks of a canvas: answered when its owner is sure of the lease, in time that the asker owes [REL-12].

use std::{collections::VecDeque, sync::Arc, time::Duration};

use ractor::{ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::time::Instant;
use troupe_engine::analysis::Analysis;
use troupe_model::{Diagram, TenantId, UserId};
use troupe_store::versions::Version;

use super::{
    Change, ChangeReply, DiagramEdit, EditError, Edited, LastChange, Publish, PublishError, WorkflowMsg, WorkflowState,
    answer,
};
use crate::{
    canvas::{JoinCanvas, Joined},
    live::outbox::Outbox,
    task,
};

/// Who asks. `None`: the server itself.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    pub tenant: TenantId,
    pub user: Option<UserId>,
}

/// What the canvas answers to who watches it. This ends when it is dropped, also when nobody takes the answer.
#[derive(Debug)]
pub(crate) struct Watching {
    workflow: ActorRef<WorkflowMsg>,
    outbox: Outbox,
}

impl Drop for Watching {
    fn drop(&mut self) {
        // A canvas that is gone has no watchers.
        let _ = self.workflow.cast(WorkflowMsg::Unwatch(self.outbox.clone()));
    }
}

/// The diagram and its revision, or how long it takes until the user may read it again.
pub(crate) type Reading = Result<(Diagram, i64), Duration>;

/// Whoever would wait longer is told so at once.
const READING_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) enum Ask {
    Join {
        join: JoinCanvas,
        outbox: Outbox,
        reply: RpcReplyPort<Joined>,
    },
    Watch {
        outbox: Outbox,
        last_seq: Option<i64>,
        reply: RpcReplyPort<Watching>,
    },
    /// About how many bytes the diagram has.
    Size(RpcReplyPort<usize>),
    Diagram(RpcReplyPort<Reading>),
    /// The same, to be run.
    ToRun(RpcReplyPort<Reading>),
    Edit {
        edit: DiagramEdit,
        if_match: Option<i64>,
        reply: ChangeReply<Result<Edited, EditError>>,
    },
    Analysis(RpcReplyPort<Arc<Analysis>>),
    /// Who last changed what; of one node, or of everything.
    LastChanges {
        node: Option<String>,
        reply: RpcReplyPort<Vec<LastChange>>,
    },
    /// Who changed what since the published version, and the diagram's revision.
    Changes(RpcReplyPort<(Vec<Change>, i64)>),
    Publish(Publish, ChangeReply<Result<Version, PublishError>>),
}

impl Ask {
    /// What it is, for the log.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Join { .. } => "join",
            Self::Watch { .. } => "watch",
            Self::Size(_) | Self::Diagram(_) => "diagram",
            Self::ToRun(_) => "run",
            Self::Edit { .. } => "edit",
            Self::Analysis(_) => "analysis",
            Self::LastChanges { .. } | Self::Changes(_) => "changes",
            Self::Publish(..) => "publish",
        }
    }

    /// Whether nobody waits for the answer any more.
    fn is_given_up(&self) -> bool {
        match self {
            Self::Join { reply, .. } => reply.is_closed(),
            Self::Watch { reply, .. } => reply.is_closed(),
            Self::Size(reply) => reply.is_closed(),
            Self::Diagram(reply) | Self::ToRun(reply) => reply.is_closed(),
            Self::Edit { reply, .. } => reply.is_closed(),
            Self::Analysis(reply) => reply.is_closed(),
            Self::LastChanges { reply, .. } => reply.is_closed(),
            Self::Changes(reply) => reply.is_closed(),
            Self::Publish(_, reply) => reply.is_closed(),
        }
    }

    /// Whether the whole document is walked through for it.
    fn walks(&self) -> bool {
        !matches!(self, Self::Join { .. } | Self::Size(_) | Self::Analysis(_) | Self::LastChanges { node: Some(_), .. })
    }

    /// Whether it is an answer with the whole canvas, of which a user gets so many.
    fn is_reading(&self) -> bool {
        matches!(self, Self::Diagram(_))
    }

    fn is_counted(&self) -> bool {
        self.is_reading() && !self.is_given_up()
    }
}

/// What was asked of a large canvas, of each who asked, what reads apart from the rest: their turns go round.
#[derive(Debug, Default)]
pub(super) struct Asked {
    by_user: VecDeque<(Option<UserId>, VecDeque<Ask>)>,
    /// Waits for a turn at these, or at answers to sessions.
    turn: Option<task::Owned>,
    /// One of these was answered in the last turn.
    was_last: bool,
}

impl Asked {
    fn push(&mut self, by: Option<UserId>, ask: Ask) {
        match self.by_user.iter_mut().find(|(user, asks)| {
            *user == by && asks.front().is_some_and(|first| first.is_reading() == ask.is_reading())
        }) {
            Some((_, asks)) => asks.push_back(ask),
            None => self.by_user.push_back((by, VecDeque::from([ask]))),
        }
    }

    /// How many readings somebody waits for.
    fn readings(&self, by: Option<UserId>) -> usize {
        let own = self.by_user.iter().filter(|(user, _)| *user == by).flat_map(|(_, asks)| asks);
        own.filter(|ask| ask.is_counted()).count()
    }

    /// Somebody waits for an answer.
    pub(super) fn is_waited_for(&self) -> bool {
        self.by_user.iter().flat_map(|(_, asks)| asks).any(|ask| !ask.is_given_up())
    }

    /// The next of one whose first `may_be_answered`.
    fn pop(&mut self, mut may_be_answered: impl FnMut(Option<UserId>, &Ask) -> bool) -> Option<(Option<UserId>, Ask)> {
        let may = |(by, asks): &(_, VecDeque<Ask>)| asks.front().is_some_and(|ask| may_be_answered(*by, ask));
        let (by, mut asks) = self.by_user.iter().position(may).and_then(|index| self.by_user.remove(index))?;
        let ask = asks.pop_front()?;
        if !asks.is_empty() {
            self.by_user.push_back((by, asks));
        }
        Some((by, ask))
    }
}

impl WorkflowState {
    /// Of a large canvas one is answered at a time, by turns with the frames that take long, and after all that came
    /// meanwhile: whoever types waits for one of them, however many are asked. What was said of answers to sessions holds
    /// for these (`questions.rs`): they rest, and a user gets so many.
    pub(super) fn take_ask(&mut self, by: Option<UserId>, ask: Ask) -> Result<(), ActorProcessingErr> {
        if self.is_doubtful() {
            self.doubt(by, ask);
        } else if self.is_large() && ask.walks() {
            let wait = if ask.is_reading() { self.wait_to_read(by) } else { Duration::ZERO };
            match ask {
                Ask::Diagram(reply) if wait > READING_WITHIN => answer(reply, Err(wait)),
                ask => {
                    self.asked.push(by, ask);
                    self.see_to_asks();
                }
            }
        } else {
            self.pay_and_answer(by, ask)?;
        }
        Ok(())
    }

    /// Until all that somebody reads has been answered, and one more may be.
    fn wait_to_read(&self, by: Option<UserId>) -> Duration {
        let ahead_bytes = self.asked.readings(by) * self.canvas.size_bytes();
        self.questions.wait(by, ahead_bytes, self.answer_rate(), self.now_ms())
    }

    /// Waits for the turn of the next that may be answered, or for the moment when one may.
    pub(super) fn see_to_asks(&mut self) {
        let now = Instant::now();
        let (asked, questions) = (&self.asked.by_user, &self.questions);
        let (rate, now_ms) = (self.answer_rate(), self.now_ms());
        let ready = asked
            .iter()
            .filter_map(|(by, asks)| Some((by, asks.front()?)))
            .map(|(by, ask)| if ask.is_counted() { questions.wait(*by, 0, rate, now_ms) } else { Duration::ZERO })
            .min();
        let Some(ready) = ready else { return };
        let then = (now + ready).max(questions.rests_until(now).unwrap_or(now));
        if then > now {
            return self.alarm.at_latest(then);
        }
        self.wait_for_long_turn();
    }

    /// Something is to be answered that takes long.
    pub(super) fn wait_for_long_turn(&mut self) {
        let (myself, turns) = (self.myself.clone(), self.long_turns.clone());
        self.asked.turn.get_or_insert_with(|| {
            task::spawn_owned("answer-turn", async move {
                // A canvas that has stopped leaves those who ask to the next.
                let _ = myself.cast(WorkflowMsg::AnswerNext(turns.next().await));
            })
        });
    }

    /// Sessions and others are answered alternately.
    pub(super) fn answer_next(&mut self) -> Result<(), ActorProcessingErr> {
        self.asked.turn = None;
        let is_first = !self.asked.was_last;
        self.asked.was_last = (is_first && self.answer_ask()?) || (!self.answer_sessions() && self.answer_ask()?);
        self.answer_questions();
        self.see_to_asks();
        Ok(())
    }

    /// False: there was none to answer.
    fn answer_ask(&mut self) -> Result<bool, ActorProcessingErr> {
        let begun = Instant::now();
        if self.questions.rests_until(begun).is_some() {
            return Ok(false);
        }
        let (rate, now_ms) = (self.answer_rate(), self.now_ms());
        let questions = &self.questions;
        let may = |by, ask: &Ask| !ask.is_counted() || questions.wait(by, 0, rate, now_ms).is_zero();
        let Some((by, ask)) = self.asked.pop(may) else { return Ok(false) };
        if self.is_doubtful() {
            self.doubt(by, ask);
            return Ok(true);
        }
        if ask.is_counted() {
            self.questions.spend(by, self.canvas.size_bytes(), rate, now_ms);
        }
        self.pay_and_answer(by, ask)?;
        self.questions.took(begun, begun.elapsed());
        Ok(true)
    }

    fn pay_and_answer(&mut self, by: Option<UserId>, ask: Ask) -> Result<(), ActorProcessingErr> {
        if ask.is_given_up() {
            return Ok(());
        }
        match by.map(|user| self.context.worktimes.of(self.tenant, user)) {
            Some(worktime) => worktime.pay_for(|| self.answer(by, ask)),
            None => self.answer(by, ask),
        }
    }

    fn answer(&mut self, by: Option<UserId>, ask: Ask) -> Result<(), ActorProcessingErr> {
        match ask {
            Ask::Join { join, outbox, reply } => self.join(join, outbox, reply),
            Ask::Watch { outbox, last_seq, reply } => {
                self.watch(outbox.clone(), last_seq);
                answer(reply, Watching { workflow: self.myself.clone(), outbox });
            }
            Ask::Size(reply) => answer(reply, self.canvas.size_bytes()),
            Ask::Diagram(reply) | Ask::ToRun(reply) => answer(reply, Ok((self.canvas.project(), self.seq))),
            Ask::Edit { edit, if_match, reply } => self.edit(&edit, if_match, by, reply)?,
            Ask::Analysis(reply) => self.analysis(reply),
            Ask::LastChanges { node, reply } => answer(reply, self.authorship.last_changes(node.as_deref())),
            Ask::Changes(reply) => answer(reply, (self.authorship.changes(), self.seq)),
            Ask::Publish(publish, reply) => self.publish_version(publish, reply),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ractor::concurrency::oneshot;

    use super::*;

    /// [REL-12] Whoever asks much waits behind themselves, not the others behind them.
    #[test]
    fn turns_go_round() {
        let [ann, bob] = [UserId::generate(), UserId::generate()].map(Some);
        let mut asked = Asked::default();
        for by in [ann, ann, ann, bob, None, bob] {
            asked.push(by, Ask::Diagram(oneshot().0.into()));
        }
        let order: Vec<_> = std::iter::from_fn(|| asked.pop(|_, _| true)).map(|(by, _)| by).collect();
        assert_eq!(order, [ann, bob, None, ann, bob, ann]);
    }
}
