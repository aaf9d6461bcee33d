//! `GET /api/v1/node-types`: what the palette offers [NODE-1].

use axum::extract::State;
use serde::Serialize;
use troupe_model::NodeTypeSpec;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::{
    app::App,
    http::json::Json,
    policy::{Level, Object, needs},
    routes::Routes,
};

pub fn routes() -> Routes {
    Routes::default().at(needs(Object::Workflow, Level::Read), routes!(list))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NodeTypes {
    /// In the order of the palette.
    items: Vec<NodeTypeSpec>,
}

#[utoipa::path(get, path = "/node-types", tag = "node types", operation_id = "list_node_types",
    responses((status = 200, body = NodeTypes)))]
pub async fn list(State(app): State<App>) -> Json<NodeTypes> {
    Json(NodeTypes { items: app.registry().specs().to_vec() })
}
