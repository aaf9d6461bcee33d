//! The REST API, `/api/v1`: a file or folder per resource. Wire types live beside their handlers and convert.

pub mod auth;
pub mod fields;
pub mod folders;
pub mod jobs;
pub mod node_types;
pub mod reply;
pub mod runs;
pub mod users;
pub mod workflows;
pub mod workspaces;

use crate::routes::Routes;

pub fn routes() -> Routes {
    let v1 = Routes::default()
        .merge(auth::routes())
        .merge(users::routes())
        .merge(workspaces::routes())
        .merge(folders::routes())
        .merge(jobs::routes())
        .merge(workflows::routes())
        .merge(node_types::routes())
        .merge(runs::routes());
    Routes::default().nest("/api/v1", v1)
}
