use std::fmt;

use crate::auth::keys;

/// An email address, however it was written, whether or not there is an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Account([u8; 32]);

impl Account {
    /// As signing in finds it: without the space around it, and in lower case.
    pub fn of(email: &str) -> Self {
        Self(keys::digest(&email.trim().to_lowercase()))
    }
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&keys::hex(&self.0))
    }
}
