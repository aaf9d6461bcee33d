//! Why a request had no answer, and what that means to the node that made it [NODE-2].

use std::{error::Error, time::Duration};

use reqwest::Url;
use troupe_model::NodeFailure;

use super::resolver::{Blocked, Unresolved};

#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    #[error("the address cannot be requested: {0}")]
    InvalidUrl(String),
    #[error(transparent)]
    Blocked(Blocked),
    #[error("{host} cannot be reached")]
    Unreachable { host: String, reason: String },
    #[error("there was no complete answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("the response is larger than {0} bytes")]
    TooLarge(usize),
    #[error("there were more than {0} redirects")]
    TooManyRedirects(usize),
    #[error("the request failed: {0}")]
    Failed(String),
}

impl EgressError {
    pub(super) fn of(url: &Url, error: reqwest::Error) -> Self {
        if let Some(blocked) = causes(&error).find_map(|cause| cause.downcast_ref::<Blocked>()) {
            return Self::Blocked(blocked.clone());
        }
        let reason = causes(&error)
            .find_map(|cause| cause.downcast_ref::<Unresolved>().map(ToString::to_string))
            .unwrap_or_else(|| root_cause(&error));
        if error.is_builder() {
            Self::InvalidUrl(reason)
        } else if error.is_connect() || error.is_timeout() {
            Self::Unreachable { host: url.host_str().unwrap_or_default().to_owned(), reason }
        } else {
            Self::Failed(reason)
        }
    }
}

impl From<EgressError> for NodeFailure {
    fn from(error: EgressError) -> Self {
        let message = error.to_string();
        match error {
            EgressError::InvalidUrl(_) => Self::new("invalid_url", message).solution("check the URL"),
            EgressError::Blocked(_) => Self::new("address_blocked", message)
                .reason("workflows may reach public addresses only")
                .solution("use a public address, or ask the operator to allow private ones (egress.allow_private)"),
            EgressError::Unreachable { reason, .. } => Self::new("unreachable", message)
                .reason(reason)
                .solution("check the host name, and that the service is up")
                .retryable(),
            EgressError::Timeout(_) => {
                Self::new("request_timeout", message).solution("try again, or allow more time (timeout_ms)").retryable()
            }
            EgressError::TooLarge(_) => {
                Self::new("response_too_large", message).solution("ask for less, for example page by page")
            }
            EgressError::TooManyRedirects(_) => {
                Self::new("too_many_redirects", message).solution("use the address that the redirects lead to")
            }
            EgressError::Failed(_) => Self::new("request_failed", message).solution("try again").retryable(),
        }
    }
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The innermost cause says most: "connection refused", not "error sending request". It names no URL.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
