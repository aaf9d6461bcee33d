//! `POST /api/v1/auth/refresh`: goes on with a sign-in. The refresh token is spent, and the next one set [AUTH-2].

use axum::extract::State;
use axum_extra::extract::cookie::CookieJar;
use troupe_store::{
    refresh_tokens::{self, Rotation},
    users,
};

use super::session::{self, Session};
use crate::{
    app::App,
    auth::refresh,
    http::{json::Json, network::Network},
    problem::Problem,
};

#[utoipa::path(post, path = "/auth/refresh", tag = "auth",
    responses((status = 200, description = "A fresh access token; the cookie holds the next refresh token",
        body = Session)))]
pub async fn refresh(
    State(app): State<App>,
    network: Network,
    jar: CookieJar,
) -> Result<(CookieJar, Json<Session>), Problem> {
    let Some(presented) = refresh::presented(&jar) else { return Err(ended()) };
    app.attempts().refresh(network)?;
    let next = refresh::generate();
    let now = app.clock().now();
    let expires = now.after(refresh::ttl(app.config()));
    let mut tx = app.store().begin_system().await?;
    let rotation = refresh_tokens::rotate(&mut tx, &presented, &next, now, expires).await?;
    tx.commit().await?;
    let bearer = match rotation {
        Rotation::Rotated(bearer) => bearer,
        Rotation::Reused(bearer) => {
            tracing::warn!(tenant.id = %bearer.tenant_id, user.id = %bearer.user_id,
                "a spent refresh token was presented: its sign-in is ended");
            app.access_changed(bearer.tenant_id, bearer.user_id);
            return Err(ended());
        }
        Rotation::Ended(_) | Rotation::Unknown => return Err(ended()),
    };
    let mut tx = app.store().read(bearer.tenant_id).await?;
    let user = users::find(&mut tx, bearer.user_id).await?.ok_or_else(ended)?;
    drop(tx);
    let (jar, session) = session::go_on(&app, jar, &user, bearer.family, &next).await?;
    Ok((jar, Json(session)))
}

fn ended() -> Problem {
    Problem::unauthenticated("there is no sign-in to go on with").solution("sign in again")
}
