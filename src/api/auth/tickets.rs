//! `POST /api/v1/auth/tickets`: lets a browser open one WebSocket without a token in its URL [AUTH-7].

use axum::extract::State;
use serde::{Deserialize, Serialize};
use troupe_model::WorkflowId;
use troupe_store::workflows;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{
        Caller,
        ticket::{self, Purpose, PurposeName},
    },
    http::json::Json,
    problem::Problem,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    purpose: PurposeName,
    /// Of a ticket for `collab`.
    workflow_id: Option<WorkflowId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Ticket {
    ticket: String,
    /// Seconds.
    expires_in: u64,
}

#[utoipa::path(post, path = "/auth/tickets", tag = "auth", request_body = NewTicket,
    responses((status = 200, description = "Good for one connection", body = Ticket)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<NewTicket>,
) -> Result<Json<Ticket>, Problem> {
    let purpose = match (body.purpose, body.workflow_id) {
        (PurposeName::Events, None) => Purpose::Events,
        (PurposeName::Events, Some(_)) => {
            return Err(Problem::invalid_field("/workflow_id", "a ticket for events names no workflow"));
        }
        (PurposeName::Collab, None) => {
            return Err(Problem::invalid_field("/workflow_id", "a ticket for collab names its workflow"));
        }
        (PurposeName::Collab, Some(id)) => {
            let mut tx = app.store().read(caller.tenant).await?;
            workflows::find(&mut tx, id).await?.ok_or_else(|| Problem::not_found("workflow"))?;
            Purpose::Collab(id)
        }
    };
    let ticket = app.tickets().issue(caller.access, purpose, app.clock().now());
    Ok(Json(Ticket { ticket, expires_in: ticket::TTL.as_secs() }))
}
