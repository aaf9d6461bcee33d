//! Access tokens: what a request says who asks with [AUTH-2].

use std::time::Duration;

use serde::{Deserialize, Serialize};
use troupe_model::{TenantId, Timestamp, TokenFamilyId, UserId};

use super::signing::SigningKeys;

const ISSUER: &str = "troupe";

/// What an access token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    pub user: UserId,
    pub tenant: TenantId,
    /// The sign-in that the token belongs to.
    pub family: TokenFamilyId,
    pub expires: Timestamp,
}

pub struct AccessTokens {
    keys: SigningKeys,
    ttl: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the access token has expired")]
    Expired,
    #[error("the access token is not valid")]
    Invalid,
}

#[derive(Clone, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: UserId,
    tid: TenantId,
    sid: TokenFamilyId,
    /// Seconds since the epoch, as JWT has it.
    iat: i64,
    exp: i64,
}

impl AccessTokens {
    pub fn new(keys: SigningKeys, ttl: Duration) -> Self {
        Self { keys, ttl }
    }

    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    pub fn issue(
        &self,
        user: UserId,
        tenant: TenantId,
        family: TokenFamilyId,
        now: Timestamp,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let iat = now.as_millis() / 1000;
        let exp = now.after(self.ttl).as_millis() / 1000;
        let claims = Claims { iss: ISSUER.to_owned(), sub: user, tid: tenant, sid: family, iat, exp };
        self.keys.sign(&claims)
    }

    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Access, TokenError> {
        let claims: Claims = self.keys.read(token, ISSUER).ok_or(TokenError::Invalid)?;
        let expires = Timestamp::from_millis(claims.exp.saturating_mul(1000));
        if expires <= now {
            return Err(TokenError::Expired);
        }
        Ok(Access { user: claims.sub, tenant: claims.tid, family: claims.sid, expires })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const TTL: Duration = Duration::from_secs(900);

    /// [AUTH-2] 15 minutes, and not a second longer.
    #[test]
    fn expires() {
        let tokens = AccessTokens::new(SigningKeys::new(&[1; 32], &[]), TTL);
        let token = tokens.issue(UserId::generate(), TenantId::generate(), TokenFamilyId::generate(), NOW).unwrap();
        assert!(tokens.verify(&token, NOW.after(TTL - Duration::from_secs(1))).is_ok());
        assert_eq!(tokens.verify(&token, NOW.after(TTL)), Err(TokenError::Expired));
    }
}
