//! Why a request to the actors failed.

use std::time::Duration;

use thiserror::Error;
use troupe_model::Diagnostic;
use troupe_store::Fault;

use crate::workflow::{EditError, PublishError};

/// Why a request could not be served now. Trying again may help, and does no harm unless the outcome is unknown.
#[derive(Clone, Debug, Error)]
pub enum Unavailable {
    #[error("the server is restarting")]
    Draining,
    #[error("the canvas could not be opened: {0}")]
    CannotOpen(String),
    /// Until somebody says that it is to be tried again.
    #[error("this canvas is held back: {0}")]
    HeldBack(String),
    #[error("open canvases take as much memory as they may: this one can be opened when others are closed")]
    NoRoom,
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// Of a user who may read it again then.
    #[error("this canvas is large, and you have read it often: you may read it again in {wait_s} s")]
    ReadOften { wait_s: u64 },
    #[error("large answers that are on their way take as much memory as they may: ask again when they are read")]
    AnswersUnread,
    #[error("too many sessions are open in this tenant: {0}")]
    TooManySessions(usize),
    /// What was asked for had begun, and is not to be asked for again without a look.
    #[error("the canvas failed before it could tell whether this was done")]
    Unknown,
    #[error("the actor system is not running")]
    Stopped,
    /// Nothing was done.
    #[error("{0}")]
    Store(Fault),
}

/// Why the actor system did not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("the root actor could not be started: {0}")]
    Root(#[from] ractor::SpawnErr),
    #[error(transparent)]
    Store(#[from] troupe_store::Error),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

#[derive(Debug, Error)]
pub enum StartRunError {
    /// What must be corrected first.
    #[error("the workflow cannot run: {} problems", .0.len())]
    Invalid(Vec<Diagnostic>),
    #[error("too many runs are live in this tenant: {0}")]
    TooManyRuns(usize),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error(transparent)]
    Store(#[from] troupe_store::Error),
    #[error("planning was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

#[derive(Debug, Error)]
pub enum SubscribeError {
    #[error("there is no such {0}")]
    Missing(&'static str),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error(transparent)]
    Store(#[from] troupe_store::Error),
}

#[derive(Debug, Error)]
pub enum EditDiagramError {
    #[error(transparent)]
    Edit(#[from] EditError),
    /// It is on the canvas, and is saved when the store takes writes again.
    #[error("{0}")]
    NotSaved(Fault),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

#[derive(Debug, Error)]
pub enum PublishVersionError {
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
