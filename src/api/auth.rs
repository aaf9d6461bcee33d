//! Signing up, in, on and out [AUTH-1].

pub mod credentials;
mod login;
mod logout;
mod me;
mod refresh;
mod register;
mod session;
mod tickets;

use utoipa_axum::routes;

use crate::{
    policy::{Access, Level, Object, needs},
    routes::Routes,
};

pub fn routes() -> Routes {
    Routes::default()
        .at(Access::Public, routes!(register::register))
        .at(Access::Public, routes!(login::login))
        .at(Access::Public, routes!(refresh::refresh))
        .at(Access::Public, routes!(logout::logout))
        .at(needs(Object::Tenant, Level::Read), routes!(me::me))
        .at(needs(Object::Workflow, Level::Read), routes!(tickets::create))
}

pub use session::{UserView, color};
