//! What is wrong with one node's config.

use troupe_model::{Severity, shown};

/// A diagnostic of one node's config, before it is tied to the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// JSON pointer into the config.
    pub field: Option<String>,
    pub code: &'static str,
    pub message: String,
    pub fix: Option<String>,
}

impl Finding {
    pub fn error(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, field: Some(field.into()), code, message: shown::text(message), fix: None }
    }

    pub fn warning(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, field, message) }
    }

    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(shown::text(fix));
        self
    }
}
