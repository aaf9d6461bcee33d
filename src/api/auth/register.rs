//! `POST /api/v1/auth/register`: a new tenant and its owner.

use axum::{extract::State, http::StatusCode};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    credentials::{Email, NewPassword},
    session::{self, Session},
};
use crate::{
    api::fields::Name,
    app::App,
    auth::accounts::{self, NewPerson},
    http::{json::Json, network::Network},
    problem::Problem,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    email: Email,
    password: NewPassword,
    /// The owner's name.
    name: Name,
    tenant_name: Name,
}

#[utoipa::path(post, path = "/auth/register", tag = "auth", request_body = Register,
    responses((status = 201, description = "Signed in as the owner of the new tenant", body = Session)))]
pub async fn register(
    State(app): State<App>,
    network: Network,
    jar: CookieJar,
    Json(body): Json<Register>,
) -> Result<(StatusCode, CookieJar, Json<Session>), Problem> {
    if !app.config().auth.registration {
        return Err(Problem::forbidden("registration is closed").solution("ask an owner of a tenant to invite you"));
    }
    app.attempts().register(network)?;
    let (name, email, tenant_name) =
        (String::from(body.name), String::from(body.email), String::from(body.tenant_name));
    let password = body.password.unless_guessed(&[&name, &email, &tenant_name])?;
    let user = accounts::open(&app, tenant_name, NewPerson { name, email, password }).await?;
    let (jar, session) = session::begin(&app, jar, &user).await?;
    Ok((StatusCode::CREATED, jar, Json(session)))
}
