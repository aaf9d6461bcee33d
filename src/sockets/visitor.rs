//! Somebody at a socket: who they are, and whether that is still so [SYNC-10, RBAC-5].
//!
//! Invariant: after a change of access was answered, no frame is taken before it was looked at again.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use troupe_actors::Close;

use super::{
    code::{FORBIDDEN, GONE, TRY_AGAIN, UNAUTHENTICATED},
    watches::Watch,
};
use crate::{
    app::App,
    auth::{Caller, authenticate, people::Gone, ticket::Purpose, token::Access},
    problem::Problem,
};

/// A change that another server made is seen by looking now and then.
pub const RECHECK_EVERY: Duration = Duration::from_secs(15);

pub struct Visitor {
    caller: Caller,
    watch: Watch,
}

impl Visitor {
    /// `wake` is notified when [`Visitor::is_stale`] becomes true.
    pub async fn by_token(app: &App, token: &str, wake: &Arc<Notify>) -> Result<Self, Close> {
        match app.tokens().verify(token, app.clock().now()) {
            Ok(access) => Self::enter(app, access, wake).await,
            Err(error) => Err(Close::new(UNAUTHENTICATED, error.to_string())),
        }
    }

    pub async fn by_ticket(app: &App, ticket: &str, purpose: Purpose, wake: &Arc<Notify>) -> Result<Self, Close> {
        match app.tickets().redeem(ticket, purpose, app.clock().now()) {
            Some(access) => Self::enter(app, access, wake).await,
            None => Err(Close::new(UNAUTHENTICATED, "this ticket is spent, too old, or for something else")),
        }
    }

    async fn enter(app: &App, access: Access, wake: &Arc<Notify>) -> Result<Self, Close> {
        let watch = app.sessions().watch(access.tenant, access.user, wake.clone());
        Ok(Self { caller: caller(app, access).await?, watch })
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whether they have to be looked at again before anything of theirs is taken.
    pub fn is_stale(&self) -> bool {
        self.watch.is_stale()
    }

    /// Who they are now. A store that is away for a moment ends no session, unless it is known that something changed:
    /// then nobody can say what they may do.
    pub async fn look_again(&mut self, app: &App) -> Result<&Caller, Close> {
        let stale = self.watch.refresh();
        match caller(app, self.caller.access).await {
            Ok(caller) => self.caller = caller,
            Err(close) if close.code == TRY_AGAIN && !stale => {}
            Err(close) => return Err(close),
        }
        Ok(&self.caller)
    }
}

/// Who signed out is not known any more; whose access was taken away is, and may not be here.
async fn caller(app: &App, access: Access) -> Result<Caller, Close> {
    match authenticate::standing(app, access).await {
        Ok(Ok(caller)) => Ok(caller),
        Ok(Err(gone @ Gone::SignedOut)) => Err(Close::new(UNAUTHENTICATED, gone.to_string())),
        Ok(Err(gone @ Gone::Removed)) => Err(Close::new(FORBIDDEN, gone.to_string())),
        Err(problem) => Err(refusal(&problem)),
    }
}

/// The close that says what a problem says.
pub fn refusal(problem: &Problem) -> Close {
    let code = match problem.status().as_u16() {
        401 => UNAUTHENTICATED,
        403 => FORBIDDEN,
        404 => GONE,
        _ => TRY_AGAIN,
    };
    Close::new(code, problem.detail())
}
