//! `POST /api/v1/auth/logout`: ends the sign-in of the refresh cookie, its access tokens, and what they opened.

use axum::{extract::State, http::StatusCode};
use axum_extra::extract::cookie::CookieJar;
use troupe_store::refresh_tokens;

use crate::{app::App, auth::refresh, problem::Problem};

#[utoipa::path(post, path = "/auth/logout", tag = "auth",
    responses((status = 204, description = "Signed out, or was not signed in")))]
pub async fn logout(State(app): State<App>, jar: CookieJar) -> Result<(CookieJar, StatusCode), Problem> {
    if let Some(token) = refresh::presented(&jar) {
        let mut tx = app.store().begin_system().await?;
        let ended = refresh_tokens::revoke(&mut tx, &token, app.clock().now()).await?;
        tx.commit().await?;
        if let Some(bearer) = ended {
            app.access_changed(bearer.tenant_id, bearer.user_id);
        }
    }
    Ok((refresh::clear(jar, app.config()), StatusCode::NO_CONTENT))
}
