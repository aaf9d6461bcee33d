//! `GET /api/v1/auth/me`: who is asking.

use axum::extract::State;
use serde::Serialize;
use troupe_store::users;
use utoipa::ToSchema;

use super::session::{self, TenantView, UserView};
use crate::{app::App, auth::Caller, http::json::Json, problem::Problem};

#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    user: UserView,
    tenant: TenantView,
}

#[utoipa::path(get, path = "/auth/me", tag = "auth",
    responses((status = 200, description = "The caller and their tenant", body = Me)))]
pub async fn me(State(app): State<App>, caller: Caller) -> Result<Json<Me>, Problem> {
    let mut tx = app.store().read(caller.tenant).await?;
    let user = users::find(&mut tx, caller.user).await?.ok_or_else(|| Problem::not_found("user"))?;
    drop(tx);
    Ok(Json(Me { user: (&user).into(), tenant: session::tenant(&app, caller.tenant).await? }))
}
