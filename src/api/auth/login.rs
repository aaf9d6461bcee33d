//! `POST /api/v1/auth/login`. No answer, and no answer's time, tells whether an account exists [AUTH-3].

use axum::extract::State;
use axum_extra::extract::cookie::CookieJar;
use secrecy::ExposeSecret;
use serde::Deserialize;
use troupe_store::users;
use utoipa::ToSchema;

use super::session::{self, Session};
use crate::{
    app::App,
    auth::{attempts::account::Account, password::CHARS_MAX},
    http::{json::Json, network::Network},
    problem::Problem,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    email: String,
    #[schema(format = "password")]
    password: String,
}

#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = Login,
    responses((status = 200, description = "Signed in", body = Session)))]
pub async fn login(
    State(app): State<App>,
    network: Network,
    jar: CookieJar,
    Json(body): Json<Login>,
) -> Result<(CookieJar, Json<Session>), Problem> {
    let account = Account::of(&body.email);
    let device = app.devices().known(&jar, account, app.clock().now());
    app.attempts().sign_in(account, network, device)?;
    if body.password.chars().count() > CHARS_MAX {
        return Err(refused());
    }
    let account = {
        let mut tx = app.store().read_system().await?;
        users::find_by_email(&mut tx, body.email.trim()).await?
    };
    let hash = account.as_ref().map(|account| account.password_hash.expose_secret().to_owned());
    let matches = app.passwords().verify(body.password, hash).await?;
    let Some(account) = account.filter(|_| matches) else { return Err(refused()) };
    let (jar, session) = session::begin(&app, jar, &account.user).await?;
    Ok((jar, Json(session)))
}

fn refused() -> Problem {
    Problem::unauthenticated("email address or password is wrong").solution("check both, and try again")
}
