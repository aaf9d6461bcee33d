//! A session on one canvas, whichever framing carries it: who may join, and who may stay [SYNC-10].

use std::time::Duration;

use bytes::Bytes;
use troupe_actors::{CanvasSession, Close, JoinCanvas, Outbox, Unavailable};
use troupe_crdt::{Access, UserTag};
use troupe_model::{SessionId, WorkflowId};
use troupe_store::workflows;

use super::wire;
use crate::{
    api::auth::color,
    app::App,
    auth::{Caller, authenticate, ticket::Purpose},
    policy::{self, Level, Object, Permission},
    problem::Problem,
};

const READ: Permission = Permission { object: Object::Workflow, level: Level::Read };
const WRITE: Permission = Permission { object: Object::Workflow, level: Level::Write };
/// Who may still be here, and is the workflow still there?
pub const RECHECK_EVERY: Duration = Duration::from_secs(15);

/// Who brings this ticket for this canvas.
pub async fn by_ticket(app: &App, ticket: &str, workflow: WorkflowId) -> Result<Caller, Problem> {
    match app.tickets().redeem(ticket, Purpose::Collab(workflow), app.clock().now()) {
        Some(access) => authenticate::by_access(app, access).await,
        None => Err(Problem::unauthenticated("this ticket is spent, too old, or for something else")),
    }
}

/// Whether the caller may (still) read a workflow that is (still) there.
pub async fn admit(app: &App, caller: &Caller, workflow: WorkflowId) -> Result<(), Close> {
    policy::check(caller, READ).map_err(|problem| refusal(&problem))?;
    let found = async {
        let mut tx = app.store().read(caller.tenant).await?;
        workflows::find(&mut tx, workflow).await
    };
    match found.await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Close::new(wire::GONE, "there is no such workflow, or you may not see it")),
        Err(error) => Err(refusal(&Problem::from(error))),
    }
}

/// One who has joined. Leaves when dropped.
pub struct Member {
    caller: Caller,
    workflow: WorkflowId,
    access: Access,
    session: CanvasSession,
}

impl Member {
    /// Joins someone who was admitted. `acks`: the framing can tell what is durable [SYNC-3].
    pub async fn join(app: &App, caller: Caller, workflow: WorkflowId, acks: bool) -> Result<Self, Close> {
        let access = if policy::allows(caller.role, WRITE) { Access::ReadWrite } else { Access::ReadOnly };
        let user = UserTag { id: caller.user, name: caller.name.clone(), color: color(caller.user).to_owned() };
        let join = JoinCanvas { session: SessionId::generate(), user_id: caller.user, user, access, acks };
        let joined = app.system().join_canvas(caller.tenant, workflow, join).await;
        let session = joined.map_err(|error| unavailable(&error))?;
        metrics::gauge!("troupe_sessions", "kind" => "collab").increment(1.0);
        Ok(Self { caller, workflow, access, session })
    }

    pub fn access(&self) -> Access {
        self.access
    }

    pub fn outbox(&self) -> &Outbox {
        self.session.outbox()
    }

    /// Hands one frame of the y-protocols to the canvas.
    pub async fn send(&self, frame: Bytes) -> Result<(), Close> {
        if self.session.send(frame).await {
            return Ok(());
        }
        Err(Close::new(wire::TRY_AGAIN, "the canvas was closed; reconnect in a moment"))
    }

    /// Whether they may stay. A store that is away for a moment ends no session.
    pub async fn recheck(&self, app: &App) -> Result<(), Close> {
        let now = match authenticate::by_access(app, self.caller.access).await {
            Ok(caller) => admit(app, &caller, self.workflow).await,
            Err(problem) => Err(refusal(&problem)),
        };
        match now {
            Err(close) if wire::is_final(&close) => Err(close),
            _ => Ok(()),
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        metrics::gauge!("troupe_sessions", "kind" => "collab").decrement(1.0);
    }
}

pub fn refusal(problem: &Problem) -> Close {
    let code = match problem.status().as_u16() {
        401 => wire::UNAUTHENTICATED,
        403 => wire::FORBIDDEN,
        404 => wire::GONE,
        _ => wire::TRY_AGAIN,
    };
    Close::new(code, problem.detail())
}

fn unavailable(error: &Unavailable) -> Close {
    match error {
        Unavailable::Draining => Close::restarting(),
        error => {
            tracing::warn!(%error, "a session could not join its canvas");
            Close::new(wire::TRY_AGAIN, "the canvas cannot be opened just now; reconnect in a moment")
        }
    }
}
