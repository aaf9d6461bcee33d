//! A session on one canvas, whichever framing carries it: who may join, and who may stay [SYNC-10].

use bytes::Bytes;
use troupe_actors::{CanvasSession, Close, JoinCanvas, Lender, Loan, Outbox, Unavailable};
use troupe_crdt::{Access, UserTag};
use troupe_model::{SessionId, WorkflowId};
use troupe_store::workflows;

use super::{
    code,
    visitor::{Visitor, refusal},
};
use crate::{
    api::auth::color,
    app::App,
    auth::Caller,
    policy::{self, Level, Object, Permission},
    problem::Problem,
};

const READ: Permission = Permission { object: Object::Workflow, level: Level::Read };
const WRITE: Permission = Permission { object: Object::Workflow, level: Level::Write };

/// Whether the caller may (still) read a workflow that is (still) there.
pub async fn admit(app: &App, caller: &Caller, workflow: WorkflowId) -> Result<(), Close> {
    policy::check(caller, READ).map_err(|problem| refusal(&problem))?;
    let found = async {
        let mut tx = app.store().read(caller.tenant).await?;
        workflows::find(&mut tx, workflow).await
    };
    match found.await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Close::new(code::GONE, "there is no such workflow, or you may not see it")),
        Err(error) => Err(refusal(&Problem::from(error))),
    }
}

/// What a client's framing can tell.
#[derive(Clone, Copy, Debug)]
pub struct Framing {
    /// What of its edits is durable [SYNC-3].
    pub acks: bool,
    /// Of the copy that it has [SYNC-15].
    pub document_epoch: Option<i64>,
}

/// One who has joined. Leaves when dropped.
pub struct Member {
    visitor: Visitor,
    workflow: WorkflowId,
    session: CanvasSession,
}

impl Member {
    /// Joins someone who was admitted.
    pub async fn join(app: &App, visitor: Visitor, workflow: WorkflowId, framing: Framing) -> Result<Self, Close> {
        let caller = visitor.caller();
        let (user, access, session) = (tag(caller), access(caller), SessionId::generate());
        let Framing { acks, document_epoch } = framing;
        let join = JoinCanvas { session, user, access, acks, document_epoch };
        let joined = app.system().join_canvas(caller.tenant, workflow, join).await;
        let session = joined.map_err(|error| unavailable(&error))?;
        metrics::gauge!("troupe_sessions", "kind" => "collab").increment(1.0);
        Ok(Self { visitor, workflow, session })
    }

    pub fn outbox(&self) -> &Outbox {
        self.session.outbox()
    }

    /// Where memory is borrowed for what is not small.
    pub fn lender(&self, app: &App) -> Lender {
        let caller = self.visitor.caller();
        app.system().lender(caller.tenant, caller.user)
    }

    /// Hands one frame of the y-protocols to the canvas.
    pub async fn send(&self, frame: Bytes, loan: Option<Loan>) -> Result<(), Close> {
        if self.session.send(frame, loan).await {
            return Ok(());
        }
        Err(Close::new(code::TRY_AGAIN, "the canvas was closed; reconnect in a moment"))
    }

    /// Whether they have to [`Member::follow`] before a further frame of theirs is sent.
    pub fn is_stale(&self) -> bool {
        self.visitor.is_stale()
    }

    /// Follows what changed: whether they may stay, and as what. Whoever may not is sent nothing more.
    pub async fn follow(&mut self, app: &App) -> Result<(), Close> {
        let left = Box::pin(self.look_again(app)).await;
        if let Err(close) = &left {
            self.session.outbox().close_now(close.clone());
        }
        left
    }

    async fn look_again(&mut self, app: &App) -> Result<(), Close> {
        let before = (tag(self.visitor.caller()), access(self.visitor.caller()));
        let caller = self.visitor.look_again(app).await?;
        let now = (tag(caller), access(caller));
        if let Err(close) = admit(app, caller, self.workflow).await
            && code::is_final(&close)
        {
            return Err(close);
        }
        if before != now {
            self.session.change(now.0, now.1);
        }
        Ok(())
    }
}

fn access(caller: &Caller) -> Access {
    if policy::allows(caller.role, WRITE) { Access::ReadWrite } else { Access::ReadOnly }
}

fn tag(caller: &Caller) -> UserTag {
    UserTag { id: caller.user, name: caller.name.clone(), color: color(caller.user).to_owned() }
}

impl Drop for Member {
    fn drop(&mut self) {
        metrics::gauge!("troupe_sessions", "kind" => "collab").decrement(1.0);
    }
}

/// The whole reason has no room in a close frame.
fn held_back() -> Close {
    Close::new(
        code::HELD_BACK,
        "this canvas is held back, because opening it failed; an editor may have it tried again",
    )
}

fn unavailable(error: &Unavailable) -> Close {
    match error {
        Unavailable::Draining => Close::restarting(),
        Unavailable::HeldBack(_) => held_back(),
        Unavailable::NoRoom => Close::new(code::TRY_AGAIN, error.to_string()),
        error => {
            tracing::warn!(%error, "a session could not join its canvas");
            Close::new(code::TRY_AGAIN, "the canvas cannot be opened just now; reconnect in a moment")
        }
    }
}
