//! `POST /api/v1/auth/register`: a new tenant and its owner.

use axum::{extract::State, http::StatusCode};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;
use utoipa::ToSchema;

use super::session::{self, Session};
use crate::{
    api::fields::Name,
    app::App,
    auth::{
        accounts::{self, NewTenant},
        password::{CHARS_MAX, CHARS_MIN},
    },
    http::{address::ClientAddress, json::Json},
    problem::Problem,
};

const EMAIL_CHARS_MAX: usize = 254;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    email: Email,
    password: NewPassword,
    /// The owner's name.
    name: Name,
    tenant_name: Name,
}

/// Something with an `@` inside.
#[derive(Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, format = "email", max_length = 254)]
struct Email(String);

/// 8 to 256 characters.
#[derive(Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, format = "password", min_length = 8, max_length = 256)]
struct NewPassword(String);

#[utoipa::path(post, path = "/auth/register", tag = "auth", request_body = Register,
    responses((status = 201, description = "Signed in as the owner of the new tenant", body = Session)))]
pub async fn register(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    jar: CookieJar,
    Json(body): Json<Register>,
) -> Result<(StatusCode, CookieJar, Json<Session>), Problem> {
    if !app.config().auth.registration {
        return Err(Problem::forbidden("registration is closed").solution("ask an owner of a tenant to invite you"));
    }
    app.attempts().from(address)?;
    let new = NewTenant {
        name: body.tenant_name.into(),
        owner_name: body.name.into(),
        owner_email: body.email.0,
        owner_password: body.password.0,
    };
    let user = accounts::open(&app, new).await?;
    let (jar, session) = session::begin(&app, jar, &user).await?;
    Ok((StatusCode::CREATED, jar, Json(session)))
}

impl TryFrom<String> for Email {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let email = text.trim();
        if email.chars().count() > EMAIL_CHARS_MAX {
            return Err("an email address has up to 254 characters");
        }
        let (user, host) = email.rsplit_once('@').unwrap_or_default();
        let strange = |c: char| c.is_whitespace() || c.is_control();
        if user.is_empty() || host.is_empty() || email.chars().any(strange) {
            return Err("this is no email address");
        }
        Ok(Self(email.to_owned()))
    }
}

impl TryFrom<String> for NewPassword {
    type Error = String;

    fn try_from(password: String) -> Result<Self, String> {
        let chars = password.chars().count();
        if !(CHARS_MIN..=CHARS_MAX).contains(&chars) {
            return Err(format!("a password has {CHARS_MIN} to {CHARS_MAX} characters, this one has {chars}"));
        }
        Ok(Self(password))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_look_like_emails() {
        let parse = |text: &str| Email::try_from(text.to_owned()).map(|email| email.0);
        assert_eq!(parse(" ann@example.com ").as_deref(), Ok("ann@example.com"));
        for bad in ["", "ann", "@example.com", "ann@", "ann @example.com"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
