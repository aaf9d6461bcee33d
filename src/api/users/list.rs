//! `GET /api/v1/users`: everybody who has access to the tenant.

use axum::extract::State;
use troupe_store::users;

use crate::{
    api::auth::UserView,
    app::App,
    auth::Caller,
    http::{
        json::Json,
        page::{List, PageParams},
        path::Query,
    },
    problem::Problem,
};

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
