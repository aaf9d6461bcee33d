//! Why a session is closed.

use thiserror::Error;

use crate::{guard::Hostile, wire::Malformed};

/// A frame that ends its session. `code` is a WebSocket close code of [SYNC-11], `reason` is plain words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason} ({code})")]
pub struct Refusal {
    pub code: u16,
    pub reason: String,
}

impl Refusal {
    /// Not a frame that a well-behaved client sends.
    pub const MALFORMED: u16 = 4400;
    /// Well-formed, and beyond a limit of the document.
    pub const TOO_LARGE: u16 = 4413;
    /// The client has a copy of a former document epoch [SYNC-15].
    pub const REBUILT: u16 = 4409;
    /// Nothing is wrong with the frame: whoever comes back has it taken with all the others.
    pub const TRY_AGAIN: u16 = 1013;
    /// The document in memory cannot be trusted any more: its owner opens it again from the store.
    pub const RELOAD: u16 = 1012;

    pub fn malformed(reason: impl Into<String>) -> Self {
        Self { code: Self::MALFORMED, reason: reason.into() }
    }

    pub fn too_large(reason: impl Into<String>) -> Self {
        Self { code: Self::TOO_LARGE, reason: reason.into() }
    }

    pub fn try_again(reason: impl Into<String>) -> Self {
        Self { code: Self::TRY_AGAIN, reason: reason.into() }
    }

    pub fn rebuilt() -> Self {
        Self { code: Self::REBUILT, reason: "this canvas was rebuilt; load it again".to_owned() }
    }

    pub(crate) fn reload() -> Self {
        Self { code: Self::RELOAD, reason: "the canvas has to be loaded again".to_owned() }
    }

    /// Whether the canvas itself is broken, and not only the frame.
    pub fn needs_reload(&self) -> bool {
        self.code == Self::RELOAD
    }
}

impl From<Hostile> for Refusal {
    fn from(hostile: Hostile) -> Self {
        Self::malformed(hostile.to_string())
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self::malformed(malformed.to_string())
    }
}
