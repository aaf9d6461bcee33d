//! `/api/v1/users`: the people of a tenant [AUTH-1].

mod change;
mod create;
mod list;
mod remove;

use serde::Deserialize;
use troupe_store::users;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::{
    policy::{Level, Object, needs},
    routes::Routes,
};

pub fn routes() -> Routes {
    let (read, admin) = (needs(Object::Tenant, Level::Read), needs(Object::Tenant, Level::Admin));
    Routes::default()
        .at(read, routes!(list::list))
        .at(admin, routes!(create::create))
        .at(admin, routes!(change::change))
        .at(admin, routes!(remove::remove))
}

/// An owner may do everything; a member everything but administer the tenant; a viewer may look.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Role {
    Owner,
    #[default]
    Member,
    Viewer,
}

impl From<Role> for users::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Member => Self::Member,
            Role::Viewer => Self::Viewer,
        }
    }
}
