//! `POST /api/v1/users`: adds a person to the tenant.

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Role;
use crate::{
    api::{
        auth::{
            UserView,
            credentials::{Email, NewPassword},
        },
        fields::Name,
        reply::Created,
    },
    app::App,
    auth::{
        Caller,
        accounts::{self, NewPerson},
    },
    http::json::Json,
    problem::Problem,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser)]
pub struct CreateUser {
    email: Email,
    /// To be handed over to the person.
    password: NewPassword,
    name: Name,
    #[serde(default)]
    role: Role,
}

/// Adds a person to the caller's tenant.
#[utoipa::path(post, path = "/users", tag = "users", operation_id = "create_user", request_body = CreateUser,
    responses((status = 201, body = UserView)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<CreateUser>,
) -> Result<Created<UserView>, Problem> {
    let (name, email) = (String::from(body.name), String::from(body.email));
    let password = body.password.unless_guessed(&[&name, &email])?;
    let user = accounts::join(&app, caller.tenant, body.role.into(), NewPerson { name, email, password }).await?;
    Ok(Created::at("/api/v1/users", user.into()))
}
