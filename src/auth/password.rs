//! Passwords: Argon2id with the parameters OWASP recommends (19 MiB, 2 passes, 1 lane) [AUTH-3].
//!
//! Hashing runs on the blocking pool, a few at a time: a flood of sign-ins takes no memory from the rest.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const AT_ONCE_MAX: usize = 4;

/// 10^8 guesses or more.
const SCORE_MIN: zxcvbn::Score = zxcvbn::Score::Three;

pub const CHARS_MIN: usize = 8;
pub const CHARS_MAX: usize = 256;

#[derive(Clone, Debug)]
pub struct Passwords {
    places: Arc<Semaphore>,
    /// Verified when there is no account, so that the answer takes as long as for one.
    decoy: Arc<str>,
}

#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("password hashing failed: {0}")]
    Hash(argon2::password_hash::Error),
    #[error("password hashing was given up")]
    GivenUp,
}

impl Passwords {
    pub fn new() -> Result<Self, PasswordError> {
        let decoy = hash("a password that nobody has")?;
        Ok(Self { places: Arc::new(Semaphore::new(AT_ONCE_MAX)), decoy: decoy.into() })
    }

    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.blocking(move || hash(&password)).await?
    }

    /// `hash: None` means that there is no account: it takes as long, and is wrong.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, PasswordError> {
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let matches = self.blocking(move || verify(&password, &hash)).await?;
        Ok(matches && exists)
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| PasswordError::GivenUp)?;
        // The work goes on when the request is dropped, and keeps its place until it has ended.
        let placed = move || {
            let _place = place;
            work()
        };
        tokio::task::spawn_blocking(placed).await.map_err(|_| PasswordError::GivenUp)
    }
}

/// Why a password is found with little trying, if it is. Words that its owner is known by count as known.
pub fn guessed(password: &str, known: &[&str]) -> Option<String> {
    let estimate = zxcvbn::zxcvbn(password, known);
    let warning = || estimate.feedback().and_then(|feedback| feedback.warning()).map(|warning| warning.to_string());
    (estimate.score() < SCORE_MIN).then(|| warning().unwrap_or_else(|| "it is too simple".to_owned()))
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let hash: PasswordHash = argon2().hash_password(password.as_bytes()).map_err(PasswordError::Hash)?;
    Ok(hash.to_string())
}

fn verify(password: &str, hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else {
        tracing::error!("a stored password hash is malformed");
        return false;
    };
    argon2().verify_password(password.as_bytes(), &parsed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [AUTH-3] Argon2id with OWASP's parameters; a missing account is no match, whatever the password.
    #[tokio::test]
    async fn hashes_and_verifies() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("wrong horse".to_owned(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("a password that nobody has".to_owned(), None).await.unwrap());
    }

    /// [AUTH-3] No more is hashed at once because requests are given up while it is.
    #[tokio::test]
    async fn what_nobody_waits_for_keeps_its_place() {
        let passwords = Passwords::new().unwrap();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let mut given_up = Box::pin(passwords.blocking(move || ended.recv()));
        assert!(futures::poll!(given_up.as_mut()).is_pending());
        drop(given_up);
        assert_eq!(passwords.places.available_permits(), AT_ONCE_MAX - 1);
        drop(end);
        let all = passwords.places.acquire_many(AT_ONCE_MAX.try_into().unwrap()).await.unwrap();
        assert_eq!(all.num_permits(), AT_ONCE_MAX);
    }
}
