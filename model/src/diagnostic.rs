//! What is wrong with a diagram, as a language server would say it of code [CANVAS-4].

use serde::{Deserialize, Serialize};

use crate::shown;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Diagnostic {
    #[serde(flatten)]
    pub subject: Subject,
    /// JSON pointer into the node's config, such as `/columns/0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub severity: Severity,
    /// Stable and machine-readable, such as `unknown_column`.
    pub code: String,
    /// One sentence for people: what is wrong.
    pub message: String,
    /// One sentence for people: what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// What a diagnostic is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Subject {
    Node(String),
    Edge(String),
    /// The diagram as a whole.
    Diagram(()),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Severity {
    Info,
    Warning,
    /// A run would not start.
    Error,
}

impl Diagnostic {
    pub fn error(subject: Subject, code: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, subject, code, message)
    }

    pub fn warning(subject: Subject, code: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, subject, code, message)
    }

    fn new(severity: Severity, subject: Subject, code: &str, message: impl Into<String>) -> Self {
        Self { subject, field: None, severity, code: code.to_owned(), message: shown::text(message), fix: None }
    }

    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(shown::text(fix));
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
