//! What of a diagram was changed, in the words that the canvas, the log of authors and the API share [CANVAS-7].

use serde::{Deserialize, Serialize};

/// What a diagram is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ElementKind {
    Node,
    Edge,
    Note,
}

/// What became of an element. The greater one says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Touch {
    /// Only its place on the canvas.
    Moved,
    Changed,
    Added,
    Removed,
}

impl ElementKind {
    const ALL: [Self; 3] = [Self::Node, Self::Edge, Self::Note];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Edge => "edge",
            Self::Note => "note",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
