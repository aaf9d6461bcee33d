//! The WebSockets: one for a canvas, one for several, and the event channel. A session is a plain task:
//! reader → handle → actor; outbox → writer.

mod code;
mod collab;
mod events;
mod frame;
mod hocuspocus;
mod member;
mod parts;
pub mod sessions;
mod turns;
mod upgrade;
mod visitor;
mod watches;
mod wire;

use crate::{
    policy::{Level, Object, socket},
    routes::Routes,
};

pub fn routes() -> Routes {
    let access = socket(Object::Workflow, Level::Read);
    Routes::default().get(access, "/ws", events::open).get(access, "/collab", hocuspocus::open).get(
        access,
        "/collab/{workflow}",
        collab::open,
    )
}
