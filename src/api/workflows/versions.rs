//! `/api/v1/workflows/{workflow}/versions`: immutable diagrams; the newest is the published one.

pub mod get;
pub mod list;
pub mod publish;

use serde::Serialize;
use troupe_model::Timestamp;
use troupe_store::versions;
use utoipa::ToSchema;

use super::person::{People, Person};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Version)]
pub struct VersionView {
    /// Counts from 1 within the workflow.
    number: i64,
    /// Whether it is the published one.
    published: bool,
    note: String,
    /// The revision of the diagram that it holds.
    revision: i64,
    created_at: Timestamp,
    created_by: Person,
    /// Everybody who changed something since the version before.
    authors: Vec<Person>,
}

impl VersionView {
    fn of(version: versions::Version, latest: i64, people: &People) -> Self {
        Self {
            number: version.number,
            published: version.number == latest,
            note: version.note,
            revision: version.seq,
            created_at: version.created_at,
            created_by: people.person(version.created_by),
            authors: version.authors.into_iter().map(|author| people.person(author)).collect(),
        }
    }
}
