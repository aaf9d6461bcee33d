//! `POST /api/v1/workflows/{workflow}/versions`: publishes the diagram as it is now [CANVAS-7].

use axum::{extract::State, http::HeaderMap};
use serde::Deserialize;
use troupe_actors::{Publish, PublishError, PublishVersionError};
use troupe_model::WorkflowId;
use utoipa::ToSchema;

use super::VersionView;
use crate::{
    api::{
        fields::Description,
        reply::Created,
        workflows::{find, person::People},
    },
    app::App,
    auth::Caller,
    http::{json::Json, path::Path, revision},
    problem::Problem,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVersion {
    /// What is new in it.
    #[serde(default)]
    note: Description,
}

/// What was not seen is not published: `If-Match` is the `ETag` of `GET …/changes`, or `*`.
#[utoipa::path(post, path = "/workflows/{workflow}/versions", tag = "versions", operation_id = "publish_version",
    params(("workflow" = WorkflowId, Path), ("If-Match" = String, Header, description = "Only if this is still the \
    revision")), request_body = NewVersion, responses((status = 201, body = VersionView)))]
pub async fn publish(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
    headers: HeaderMap,
    Json(body): Json<NewVersion>,
) -> Result<Created<VersionView>, Problem> {
    find(&app, caller.tenant, id).await?;
    let if_match = revision::required_if_match(&headers)?;
    let publish = Publish { if_match, by: caller.user, note: body.note.into() };
    let version = app.system().publish(caller.asker(), id, publish).await?;
    let mut tx = app.store().read(caller.tenant).await?;
    let people = People::of(&mut tx, version.authors.iter().copied().chain([version.created_by])).await?;
    let number = version.number;
    Ok(Created::at(format!("/api/v1/workflows/{id}/versions/{number}"), VersionView::of(version, number, &people)))
}

impl From<PublishVersionError> for Problem {
    fn from(error: PublishVersionError) -> Self {
        match error {
            PublishVersionError::Unavailable(error) => error.into(),
            PublishVersionError::Publish(error) => match error {
                PublishError::Stale { .. } => Self::stale(),
                PublishError::Unchanged => Self::conflict("nothing_to_publish", error.to_string()),
                PublishError::Busy => Self::conflict("being_published", error.to_string())
                    .solution("look at what has changed since, then publish again"),
                PublishError::NotStored => Self::unavailable(error.to_string()),
            },
        }
    }
}
