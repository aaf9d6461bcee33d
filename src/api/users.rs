//! `/api/v1/users`: the people of a tenant [AUTH-1].

use axum::extract::State;
use serde::Deserialize;
use troupe_store::users;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{
    auth::{
        UserView,
        credentials::{Email, NewPassword},
    },
    fields::Name,
    reply::Created,
};
use crate::{
    app::App,
    auth::{
        Caller,
        accounts::{self, NewPerson},
    },
    http::{
        json::Json,
        page::{List, PageParams},
        path::Query,
    },
    policy::{Level, Object, needs},
    problem::Problem,
    routes::Routes,
};

pub fn routes() -> Routes {
    Routes::default()
        .at(needs(Object::Tenant, Level::Read), routes!(list))
        .at(needs(Object::Tenant, Level::Admin), routes!(create))
}

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

/// An owner may do everything; a member everything but administer the tenant.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Role {
    Owner,
    #[default]
    Member,
}

#[utoipa::path(get, path = "/users", tag = "users", operation_id = "list_users", params(PageParams),
    responses((status = 200, body = List<UserView>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageParams>,
) -> Result<Json<List<UserView>>, Problem> {
    let mut tx = app.store().read(caller.tenant).await?;
    Ok(Json(List::of(users::list(&mut tx, &page.request()?).await?)))
}

/// Adds a person to the caller's tenant.
#[utoipa::path(post, path = "/users", tag = "users", operation_id = "create_user", request_body = CreateUser,
    responses((status = 201, body = UserView)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<CreateUser>,
) -> Result<Created<UserView>, Problem> {
    let person = NewPerson { name: body.name.into(), email: body.email.into(), password: body.password.into() };
    let user = accounts::join(&app, caller.tenant, body.role.into(), person).await?;
    Ok(Created::at("/api/v1/users", user.into()))
}

impl From<Role> for users::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Member => Self::Member,
        }
    }
}
