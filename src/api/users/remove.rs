//! `DELETE /api/v1/users/{user}`: takes a person's access away. What they did keeps their name.

use axum::{extract::State, http::StatusCode};
use troupe_model::UserId;
use troupe_store::{refresh_tokens, users};

use crate::{app::App, auth::Caller, http::path::Path, policy, problem::Problem};

/// Takes a person's access away: signs them out everywhere and closes what they have open. Nobody removes themselves.
#[utoipa::path(delete, path = "/users/{user}", tag = "users", operation_id = "remove_user",
    params(("user" = UserId, Path)), responses((status = 204, description = "Removed")))]
pub async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<UserId>) -> Result<StatusCode, Problem> {
    policy::check_other(&caller, id)?;
    let now = app.clock().now();
    let mut tx = app.store().begin_system().await?;
    if !users::delete(&mut tx, caller.tenant, id, now).await? {
        return Err(Problem::not_found("person"));
    }
    refresh_tokens::revoke_user(&mut tx, caller.tenant, id, now).await?;
    tx.commit().await?;
    app.access_changed(caller.tenant, id);
    Ok(StatusCode::NO_CONTENT)
}
