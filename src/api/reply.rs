//! Answers that several handlers give.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::http::json::Json;

/// `201` with the place of what was created.
#[derive(Debug)]
pub struct Created<T> {
    location: String,
    body: T,
}

impl<T> Created<T> {
    pub fn at(location: impl Into<String>, body: T) -> Self {
        Self { location: location.into(), body }
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, location(&self.location), Json(self.body)).into_response()
    }
}

/// `202`: it has begun, and can be watched at that place.
#[derive(Debug)]
pub struct Accepted<T> {
    location: String,
    body: T,
}

impl<T> Accepted<T> {
    pub fn at(location: impl Into<String>, body: T) -> Self {
        Self { location: location.into(), body }
    }
}

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, location(&self.location), Json(self.body)).into_response()
    }
}

/// Paths are made of our own ids.
fn location(path: &str) -> [(header::HeaderName, HeaderValue); 1] {
    [(header::LOCATION, HeaderValue::from_str(path).expect("a path of ids is a header value"))]
}
