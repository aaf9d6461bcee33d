//! What the errors of the parts mean to a client.

use axum::http::StatusCode;
use troupe_actors::Unavailable;
use troupe_store::{Error as StoreError, Fault as StoreFault};

use super::Problem;
use crate::auth::password::PasswordError;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::of_store(&error)
    }
}

impl Problem {
    pub fn of_store(error: &StoreError) -> Self {
        match error {
            StoreError::EmailTaken => Self::conflict("email_taken", "there is an account with that email address"),
            StoreError::LastOwner => {
                Self::conflict("last_owner", error.to_string()).solution("make somebody else an owner first")
            }
            StoreError::NoSuchParent => Self::invalid("no_such_parent", "what it was to belong to does not exist")
                .solution("choose a workspace, folder or job that exists"),
            StoreError::FolderCycle => Self::invalid_field("/parent_id", error.to_string()),
            StoreError::Cursor => Self::bad_request("malformed_cursor", error.to_string())
                .solution("start again without a cursor, or keep the sort order"),
            StoreError::Sort(_) => Self::bad_request("unknown_sort", error.to_string()),
            StoreError::NulCharacter => Self::invalid("nul_character", "texts may not hold the character NUL"),
            error => match error.fault() {
                Some(fault) => {
                    tracing::warn!(error = error.with_causes(), %fault, "a request was not served");
                    Self::of_fault(fault)
                }
                None => Self::internal(error),
            },
        }
    }

    /// Nothing can be written just now.
    pub fn of_fault(fault: StoreFault) -> Self {
        match fault {
            StoreFault::Away => Self::unavailable(fault.to_string()),
            StoreFault::Full => Self::storage_full(fault.to_string()),
        }
    }
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Self {
        match &error {
            Unavailable::TooManySessions(_) => Self::too_many(error.to_string(), 5),
            Unavailable::AnswersUnread => Self::too_many(error.to_string(), 5),
            Unavailable::ReadOften { wait_s } => Self::too_many(error.to_string(), *wait_s),
            Unavailable::CannotOpen(_) | Unavailable::Stopped | Unavailable::Timeout(_) => {
                tracing::error!(%error, "the actors did not serve a request");
                Self::unavailable("this cannot be served just now")
            }
            Unavailable::Unknown => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", "Outcome unknown", error.to_string())
                    .solution("look at the workflow first: ask for this again only if it was not done")
            }
            Unavailable::HeldBack(reason) => Self::new(
                StatusCode::LOCKED,
                "canvas_held_back",
                "Canvas held back",
                format!("opening it failed, and failed again in a process of its own: {reason}"),
            )
            .solution(
                "an editor may have it tried again (`POST /api/v1/workflows/{workflow}/try-again`); its diagram and its \
                 export are what it was, if that could be read",
            ),
            Unavailable::Draining => Self::unavailable(error.to_string()),
            Unavailable::NoRoom => Self::no_room(error.to_string()),
            Unavailable::Store(fault) => Self::of_fault(*fault),
        }
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        Self::internal(&error)
    }
}

impl From<jsonwebtoken::errors::Error> for Problem {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<tokio::task::JoinError> for Problem {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::internal(&error)
    }
}

impl Problem {
    /// `If-Match` named another revision [SYNC-14].
    pub fn stale() -> Self {
        let detail = "the diagram has changed since the revision in If-Match";
        Self::new(StatusCode::PRECONDITION_FAILED, "stale", "Precondition failed", detail)
            .solution("read the diagram again, and apply your change to it")
    }
}
