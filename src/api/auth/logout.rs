//! `POST /api/v1/auth/logout`: ends the sign-in of the refresh cookie and that of the access token, and what they opened.

use axum::{Extension, extract::State, http::StatusCode};
use axum_extra::extract::cookie::CookieJar;
use troupe_store::refresh_tokens;

use crate::{
    app::App,
    auth::{authenticate::Authenticated, refresh},
    problem::Problem,
};

#[utoipa::path(post, path = "/auth/logout", tag = "auth",
    responses((status = 204, description = "Signed out, or was not signed in")))]
pub async fn logout(
    State(app): State<App>,
    jar: CookieJar,
    signed_in: Option<Extension<Authenticated>>,
) -> Result<(CookieJar, StatusCode), Problem> {
    let (cookie, now) = (refresh::presented(&jar), app.clock().now());
    let caller = signed_in.and_then(|Extension(Authenticated(outcome))| outcome.ok());
    let mut tx = app.store().begin_system().await?;
    let mut ended = Vec::new();
    if let Some(token) = cookie {
        let bearer = refresh_tokens::revoke(&mut tx, &token, now).await?;
        ended.extend(bearer.map(|bearer| (bearer.tenant_id, bearer.user_id)));
    }
    if let Some(caller) = caller {
        refresh_tokens::revoke_family(&mut tx, caller.tenant, caller.access.family, now).await?;
        ended.push((caller.tenant, caller.user));
    }
    tx.commit().await?;
    for (tenant, user) in ended {
        app.access_changed(tenant, user);
    }
    Ok((refresh::clear(jar, app.config()), StatusCode::NO_CONTENT))
}
