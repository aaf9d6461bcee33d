//! One session's side of the protocol: what its frames mean, what it may do, what it still owes.

mod pending;

use std::sync::Arc;

use bytes::Bytes;
use troupe_model::{
    SessionId,
    diagram::{EDGES_MAX, NODES_MAX},
};

use crate::{
    Access, Answer, Applied, Awareness, Canvas, Limits, Question, Refusal, UserTag,
    canvas::{EDGES, NODES},
    guard::{self, Sketch},
    wire::{self, Message},
};

use pending::Pending;

/// What follows from one frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What the author asks. The newest question is the one to answer, with [`Peer::answer`].
    pub asked: Option<Question>,
    /// The author asks who is here.
    pub asked_who: bool,
    /// Something that the author sent waits for what did not come: the author is to be asked for it, once, however many
    /// frames say so.
    pub lacks: bool,
    /// A small frame for the author.
    pub reply: Option<Bytes>,
    /// V1 updates that are in the document now: to broadcast to the others and to journal, in this order.
    pub updates: Vec<Vec<u8>>,
    /// How many update-carrying frames are settled by this one, in the order in which they came: once what was
    /// integrated so far is durable, so are they [SYNC-3]. None while an earlier one waits for what it refers to.
    pub counted: u64,
    /// The frame was an edit of someone who may not edit, and this says so. Nothing of it is in the document. It is
    /// settled, and the last that was.
    pub denied: Option<&'static str>,
}

/// The protocol state of one session.
#[derive(Debug)]
pub struct Peer {
    session: SessionId,
    access: Access,
    user: UserTag,
    limits: Arc<Limits>,
    synced: bool,
    pending: Pending,
}

impl Peer {
    pub fn new(session: SessionId, access: Access, user: UserTag) -> Self {
        Self::with_limits(session, access, user, Limits::default())
    }

    pub fn with_limits(session: SessionId, access: Access, user: UserTag, limits: impl Into<Arc<Limits>>) -> Self {
        Self { session, access, user, limits: limits.into(), synced: false, pending: Pending::default() }
    }

    pub fn access(&self) -> Access {
        self.access
    }

    pub fn set_access(&mut self, access: Access) {
        self.access = access;
    }

    pub fn user(&self) -> &UserTag {
        &self.user
    }

    pub fn set_user(&mut self, user: UserTag) {
        self.user = user;
    }

    /// Whether updates of this session wait for others that they refer to.
    pub fn is_waiting(&self) -> bool {
        self.pending.is_waiting()
    }

    /// Whether the client asked for what it lacks, and was answered.
    pub fn is_synced(&self) -> bool {
        self.synced
    }

    /// Takes one frame. A refusal closes the session; the canvas and the other sessions are as before, except that
    /// [`Canvas::repair`] may have something to hand out.
    pub fn receive(
        &mut self,
        canvas: &mut Canvas,
        awareness: &mut Awareness,
        frame: &[u8],
        now_ms: i64,
    ) -> Result<Outcome, Refusal> {
        self.pending.refused()?;
        let max = self.limits.message_bytes_max();
        if frame.len() > max {
            let bytes = frame.len();
            return Err(Refusal::malformed(format!("a frame of {bytes} bytes is larger than the {max} bytes allowed")));
        }
        match wire::decode(frame)? {
            Message::SyncStep1(state_vector) => {
                Ok(Outcome { asked: Some(canvas.question(state_vector)?), ..Outcome::default() })
            }
            Message::SyncStep2(update) | Message::Update(update) => match self.access {
                Access::ReadWrite => self.take(canvas, update),
                Access::ReadOnly => self.refuse_edit(canvas, update),
            },
            Message::Awareness(update) => {
                let reply = awareness.receive(self.session, &self.user, update, now_ms)?;
                Ok(Outcome { reply: reply.map(Bytes::from), ..Outcome::default() })
            }
            Message::QueryAwareness => Ok(Outcome { asked_who: true, ..Outcome::default() }),
            Message::Denied(_) | Message::Ack(_) | Message::Session { .. } => {
                Err(Refusal::malformed("only the server sends this message"))
            }
            Message::Part { .. } => Err(Refusal::malformed("a part of a frame is not a frame")),
        }
    }

    /// Answers with what the client lacks, and asks for what it has, if it may give it. `None`: not now; ask again in a
    /// moment.
    pub fn answer(&mut self, canvas: &mut Canvas, question: &Question) -> Result<Option<Answer>, Refusal> {
        let Some(mut answer) = canvas.answer(question)? else { return Ok(None) };
        if self.access == Access::ReadWrite {
            answer.frames.push(wire::sync_step1(&canvas.state_vector()).into());
        }
        self.synced = true;
        Ok(Some(answer))
    }

    fn take(&mut self, canvas: &mut Canvas, update: &[u8]) -> Result<Outcome, Refusal> {
        let sketch = guard::sketch(update)?;
        self.make_room(canvas, &sketch, update.len())?;
        let mut outcome = Outcome::default();
        match canvas.apply_sketched(&sketch, update)? {
            Applied::Integrated => {
                outcome.updates.push(update.to_vec());
                self.pending.retry(canvas, &mut outcome.updates);
            }
            Applied::Unchanged => {}
            Applied::Pending => {
                self.pending.keep(update, &self.limits)?;
                outcome.lacks = true;
                return Ok(outcome);
            }
        }
        outcome.counted = self.pending.settle();
        Ok(outcome)
    }

    /// A canvas that is full can still be emptied, also by whom it was too full for: what only deletes may make items
    /// beyond the limit, by cutting others.
    fn make_room(&self, canvas: &mut Canvas, sketch: &Sketch, bytes: usize) -> Result<(), Refusal> {
        let (adds, items_max) = (canvas.adds(sketch), self.limits.document_items_max);
        if canvas.items() + sketch.items() > if adds { items_max } else { 2 * items_max } {
            return Err(Refusal::too_large(format!("the canvas would hold more than the {items_max} items allowed")));
        }
        if !adds {
            return Ok(());
        }
        let Limits { document_bytes_max, document_values_max, .. } = *self.limits;
        if canvas.size_bytes() + bytes > document_bytes_max {
            canvas.measure();
            if canvas.size_bytes() + bytes > document_bytes_max {
                let reason = format!("the canvas would take more than the {document_bytes_max} bytes allowed");
                return Err(Refusal::too_large(reason));
            }
        }
        if canvas.values() + sketch.values > document_values_max {
            canvas.count_values();
            if canvas.values() + sketch.values > document_values_max {
                let reason = format!("the canvas would hold more than the {document_values_max} values allowed");
                return Err(Refusal::too_large(reason));
            }
        }
        for (root, max) in [(NODES, NODES_MAX), (EDGES, EDGES_MAX)] {
            let added = canvas.added(sketch, root);
            if added > 0 && canvas.entries(root) + added > max {
                return Err(Refusal::too_large(format!("a canvas has up to {max} {root}")));
            }
        }
        Ok(())
    }

    /// What changes nothing passes: a client answers our question with what it has.
    fn refuse_edit(&mut self, canvas: &Canvas, update: &[u8]) -> Result<Outcome, Refusal> {
        let sketch = guard::sketch(update)?;
        let denied = (!canvas.has(&sketch)).then_some("you may read this workflow, and not edit it");
        Ok(Outcome { counted: self.pending.settle(), denied, ..Outcome::default() })
    }
}
