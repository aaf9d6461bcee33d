//! OpenAPI 3.1, generated from the code [API-1]: `/api/openapi.json`, and a page to browse it at `/api/docs`.

use axum::{http::header, response::IntoResponse};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    api,
    policy::Access,
    problem::{Problem, ProblemBody},
    routes::Routes,
};

pub const JSON_PATH: &str = "/api/openapi.json";
pub const PAGE_PATH: &str = "/api/docs";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Troupe",
        description = "A multiplayer workflow server. Errors are RFC 9457 problem details; times are milliseconds \
                       since the Unix epoch. `x-permission` says what a route asks of its caller."
    ),
    components(schemas(ProblemBody)),
    modifiers(&AccessToken),
    servers((url = "/"))
)]
struct Base;

struct AccessToken;

impl Modify for AccessToken {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let bearer = Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        components.add_security_scheme("access_token", SecurityScheme::Http(bearer));
    }
}

/// The description of the whole API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut openapi = Base::openapi();
    openapi.merge(api::routes().split().1);
    openapi
}

/// As it is served, printed, and kept in `web/openapi.json`.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&openapi())?;
    text.push('\n');
    Ok(text)
}

pub fn routes() -> Routes {
    Routes::default().get(Access::Public, JSON_PATH, json)
}

pub fn page() -> SwaggerUi {
    SwaggerUi::new(PAGE_PATH).config(Config::new([JSON_PATH]).persist_authorization(false).deep_linking(true))
}

/// `GET /api/openapi.json`
async fn json() -> Result<impl IntoResponse, Problem> {
    let text = openapi_json().map_err(|error| Problem::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text))
}
