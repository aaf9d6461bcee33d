//! Whoever makes a request, known and admitted.

use axum::{extract::FromRequestParts, http::request::Parts};
use troupe_actors::Asker;
use troupe_model::{TenantId, UserId};
use troupe_store::users::Role;

use super::token::Access;
use crate::problem::Problem;

#[derive(Clone, Debug)]
pub struct Caller {
    pub user: UserId,
    pub tenant: TenantId,
    pub role: Role,
    pub name: String,
    /// What they signed in with.
    pub access: Access,
}

impl Caller {
    /// As the actors know them.
    pub fn asker(&self) -> Asker {
        Asker { tenant: self.tenant, user: Some(self.user) }
    }
}

/// Present on every route that `policy::gate` guards.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::unauthenticated("this needs an access token"))
    }
}
