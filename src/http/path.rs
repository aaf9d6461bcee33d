//! Ids in paths and parameters in queries.

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Path parameters. A malformed id is told as such, with its name.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => {
                let path = parts.uri.path();
                let detail = format!("`{path}` holds an id that is malformed: ids are UUIDs");
                Err(Problem::bad_request("malformed_id", detail).solution("take the id from an answer of this API"))
            }
        }
    }
}

/// Query parameters; unknown ones are refused by the type.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::bad_request("malformed_query", rejection.body_text())
                .solution("look at /api/docs for the parameters that this path takes")),
        }
    }
}
