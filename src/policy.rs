//! The one place that decides who may do what [RBAC-3].
//!
//! Every route declares its [`Access`] where it is registered (there is no other way to register one), and
//! [`gate`] enforces it before the handler runs; sockets ask [`allows`] when they open and for as long as they last.
//! Handlers do not check on their own. Today a role decides: owner, member or viewer.

use std::fmt;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use troupe_model::UserId;
use troupe_store::users::Role;

use crate::{
    auth::{
        Caller,
        authenticate::{Authenticated, Monitor},
    },
    problem::Problem,
};

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, signed in or not.
    Public,
    /// Anybody may connect; the socket authenticates and then asks for this permission.
    Socket(Permission),
    /// Whoever watches the server, with the token that is configured for that.
    Monitor,
    Needs(Permission),
}

/// A level on a kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    pub object: Object,
    pub level: Level,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// The tenant's own settings and the caller's own account in it.
    Tenant,
    Workspace,
    Folder,
    Job,
    /// A workflow with its canvas and its runs.
    Workflow,
    /// The server process.
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Read,
    Write,
    Execute,
    Admin,
}

pub const fn needs(object: Object, level: Level) -> Access {
    Access::Needs(Permission { object, level })
}

pub const fn socket(object: Object, level: Level) -> Access {
    Access::Socket(Permission { object, level })
}

/// The decision.
pub fn allows(role: Role, permission: Permission) -> bool {
    match role {
        Role::Owner => true,
        Role::Member => permission.level != Level::Admin,
        Role::Viewer => permission.level == Level::Read,
    }
}

/// Who may administer people may not do this to themselves: a tenant would be left without an owner by a slip.
pub fn check_other(caller: &Caller, user: UserId) -> Result<(), Problem> {
    if caller.user != user {
        return Ok(());
    }
    Err(Problem::forbidden("nobody changes their own role or removes themselves").solution("ask another owner"))
}

/// The same, as a problem that says what is missing.
pub fn check(caller: &Caller, permission: Permission) -> Result<(), Problem> {
    if allows(caller.role, permission) {
        return Ok(());
    }
    Err(Problem::forbidden(format!("this needs the permission `{permission}`")).solution("ask an owner of your tenant"))
}

/// The layer of every route: runs the handler only for callers that the route admits.
pub async fn gate(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    match access {
        Access::Public | Access::Socket(_) => {}
        Access::Monitor if request.extensions().get::<Monitor>().is_some() => {}
        Access::Monitor => {
            let problem = Problem::unauthenticated("this needs the token of `metrics.token`")
                .solution("configure one, and send it as `Authorization: Bearer …`");
            return problem.into_response();
        }
        Access::Needs(permission) => match admit(&request, permission) {
            Ok(caller) => {
                tracing::Span::current().record("tenant.id", tracing::field::display(caller.tenant));
                tracing::Span::current().record("user.id", tracing::field::display(caller.user));
                request.extensions_mut().insert(caller);
            }
            Err(problem) => return problem.into_response(),
        },
    }
    next.run(request).await
}

fn admit(request: &Request, permission: Permission) -> Result<Caller, Problem> {
    let caller = match request.extensions().get::<Authenticated>() {
        Some(Authenticated(outcome)) => outcome.clone()?,
        None => return Err(Problem::unauthenticated("this needs an access token")),
    };
    check(&caller, permission)?;
    Ok(caller)
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = match self.object {
            Object::Tenant => "tenant",
            Object::Workspace => "workspace",
            Object::Folder => "folder",
            Object::Job => "job",
            Object::Workflow => "workflow",
            Object::Server => "server",
        };
        let level = match self.level {
            Level::Read => "read",
            Level::Write => "write",
            Level::Execute => "execute",
            Level::Admin => "admin",
        };
        write!(f, "{object}:{level}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [RBAC-1] The owner has all levels; a member has all but admin; a viewer reads.
    #[test]
    fn each_role_has_its_levels() {
        for level in [Level::Read, Level::Write, Level::Execute, Level::Admin] {
            let permission = Permission { object: Object::Workflow, level };
            assert!(allows(Role::Owner, permission));
            assert_eq!(allows(Role::Member, permission), level != Level::Admin);
            assert_eq!(allows(Role::Viewer, permission), level == Level::Read);
        }
    }
}
