//! Who tries canvases apart.

use futures::future::BoxFuture;
use troupe_model::Diagram;
use troupe_store::canvas::StoredCanvas;

/// Tries a canvas where that can end no server.
pub trait Examiner: Send + Sync {
    fn examine(&self, stored: StoredCanvas) -> BoxFuture<'_, Examined>;
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// As soon as it was known.
    pub diagram: Option<Diagram>,
    pub failure: Option<String>,
}
