//! Reads the access token of a request. Refuses nothing by itself: `policy::gate` does.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};

use super::{Caller, people::Gone, token::Access};
use crate::{app::App, problem::Problem};

/// The outcome, in the request's extensions when there was a token.
#[derive(Clone, Debug)]
pub struct Authenticated(pub Result<Caller, Problem>);

/// In the request's extensions when its token is the one that is configured for metrics.
#[derive(Clone, Copy, Debug)]
pub struct Monitor;

pub async fn layer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if let Some(token) = bearer(request.headers()) {
        if app.config().metrics.admits(token) {
            request.extensions_mut().insert(Monitor);
        } else {
            let outcome = by_token(&app, token).await;
            request.extensions_mut().insert(Authenticated(outcome));
        }
    }
    next.run(request).await
}

/// The caller that an access token stands for.
pub async fn by_token(app: &App, token: &str) -> Result<Caller, Problem> {
    let access =
        app.tokens().verify(token, app.clock().now()).map_err(|error| Problem::unauthenticated(&error.to_string()))?;
    by_access(app, access).await
}

/// The caller as they are now: who signed out, was removed or has another role is seen at once.
pub async fn by_access(app: &App, access: Access) -> Result<Caller, Problem> {
    standing(app, access).await?.map_err(|gone| Problem::unauthenticated(&gone.to_string()))
}

pub async fn standing(app: &App, access: Access) -> Result<Result<Caller, Gone>, Problem> {
    let standing = app.people().current(access).await.map_err(|error| Problem::of_store(&error))?;
    Ok(standing.map(|person| Caller {
        user: access.user,
        tenant: access.tenant,
        role: person.role,
        name: person.name.clone(),
        access,
    }))
}

pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
