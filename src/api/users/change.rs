//! `PATCH /api/v1/users/{user}`: another role or name. Open sessions of the person follow at once [RBAC-5].

use axum::extract::State;
use serde::Deserialize;
use troupe_model::UserId;
use troupe_store::users::{self, UserChange};
use utoipa::ToSchema;

use super::Role;
use crate::{
    api::{auth::UserView, fields::Name},
    app::App,
    auth::Caller,
    http::{json::Json, path::Path},
    policy,
    problem::Problem,
};

/// What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChange)]
pub struct ChangeUser {
    name: Option<Name>,
    role: Option<Role>,
}

/// Gives a person another role or name. Nobody changes their own role, and the last owner stays one.
#[utoipa::path(patch, path = "/users/{user}", tag = "users", operation_id = "change_user",
    params(("user" = UserId, Path)), request_body = ChangeUser, responses((status = 200, body = UserView)))]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<UserId>,
    Json(body): Json<ChangeUser>,
) -> Result<Json<UserView>, Problem> {
    if body.role.is_some() {
        policy::check_other(&caller, id)?;
    }
    let change = UserChange { name: body.name.map(Into::into), role: body.role.map(Into::into) };
    let mut tx = app.store().begin_system().await?;
    let user = users::update(&mut tx, caller.tenant, id, change, app.clock().now()).await?;
    let user = user.ok_or_else(|| Problem::not_found("person"))?;
    tx.commit().await?;
    app.access_changed(caller.tenant, id);
    Ok(Json(user.into()))
}
