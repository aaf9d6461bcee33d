//! What a new person signs in with, checked while it is read.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    auth::password::{self, CHARS_MAX, CHARS_MIN},
    problem::Problem,
};

const EMAIL_CHARS_MAX: usize = 254;

/// Something with an `@` inside.
#[derive(Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, format = "email", max_length = 254)]
pub struct Email(String);

/// 8 to 256 characters that are not easily guessed.
#[derive(Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, format = "password", min_length = 8, max_length = 256)]
pub struct NewPassword(String);

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl NewPassword {
    /// Refuses one that is easily guessed, also by whoever knows this of its owner.
    pub fn unless_guessed(self, known: &[&str]) -> Result<String, Problem> {
        match password::guessed(&self.0, known) {
            Some(how) => Err(Problem::invalid_field("/password", format!("this password is easily guessed: {how}"))
                .solution("take a longer one, for example four words that do not belong together")),
            None => Ok(self.0),
        }
    }
}

impl TryFrom<String> for Email {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let email = text.trim();
        if email.chars().count() > EMAIL_CHARS_MAX {
            return Err("an email address has up to 254 characters");
        }
        let (user, host) = email.rsplit_once('@').unwrap_or_default();
        let strange = |c: char| c.is_whitespace() || c.is_control();
        if user.is_empty() || host.is_empty() || email.chars().any(strange) {
            return Err("this is no email address");
        }
        Ok(Self(email.to_owned()))
    }
}

impl TryFrom<String> for NewPassword {
    type Error = String;

    fn try_from(password: String) -> Result<Self, String> {
        let chars = password.chars().count();
        if !(CHARS_MIN..=CHARS_MAX).contains(&chars) {
            return Err(format!("a password has {CHARS_MIN} to {CHARS_MAX} characters, this one has {chars}"));
        }
        Ok(Self(password))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_look_like_emails() {
        let parse = |text: &str| Email::try_from(text.to_owned()).map(|email| email.0);
        assert_eq!(parse(" ann@example.com ").as_deref(), Ok("ann@example.com"));
        for bad in ["", "ann", "@example.com", "ann@", "ann @example.com"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
