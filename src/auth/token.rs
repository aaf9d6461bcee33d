//! Access tokens: JWT, HS256 and nothing else, with a key id, so that keys can change without downtime [AUTH-2].

use std::{collections::HashMap, time::Duration};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use troupe_model::{TenantId, Timestamp, TokenFamilyId, UserId};

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
    kid: String,
    encoding: EncodingKey,
    decoding: HashMap<String, DecodingKey>,
    ttl: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the access token has expired")]
    Expired,
    #[error("the access token is not valid")]
    Invalid,
}

#[derive(Serialize, Deserialize)]
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
    /// Signs with `key`; accepts what `key` or one of `former` has signed.
    pub fn new(key: &[u8], former: &[&[u8]], ttl: Duration) -> Self {
        let keys = former.iter().copied().chain([key]);
        let decoding = keys.map(|key| (key_id(key), DecodingKey::from_secret(key))).collect();
        Self { kid: key_id(key), encoding: EncodingKey::from_secret(key), decoding, ttl }
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
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims, &self.encoding)
    }

    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Access, TokenError> {
        let header = decode_header(token).map_err(|_| TokenError::Invalid)?;
        let key = header.kid.and_then(|kid| self.decoding.get(&kid)).ok_or(TokenError::Invalid)?;
        let claims = decode::<Claims>(token, key, &validation()).map_err(|_| TokenError::Invalid)?.claims;
        let expires = Timestamp::from_millis(claims.exp.saturating_mul(1000));
        if expires <= now {
            return Err(TokenError::Expired);
        }
        Ok(Access { user: claims.sub, tenant: claims.tid, family: claims.sid, expires })
    }
}

/// Expiry is checked against our clock, not the library's.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    validation
}

fn key_id(key: &[u8]) -> String {
    Sha256::digest(key).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const TTL: Duration = Duration::from_secs(900);

    fn tokens(key: &[u8], former: &[&[u8]]) -> AccessTokens {
        AccessTokens::new(key, former, TTL)
    }

    fn token(tokens: &AccessTokens) -> String {
        tokens.issue(UserId::generate(), TenantId::generate(), TokenFamilyId::generate(), NOW).unwrap()
    }

    /// [AUTH-2] 15 minutes, and not a second longer.
    #[test]
    fn expires() {
        let tokens = tokens(&[1; 32], &[]);
        let token = token(&tokens);
        assert!(tokens.verify(&token, NOW.after(TTL - Duration::from_secs(1))).is_ok());
        assert_eq!(tokens.verify(&token, NOW.after(TTL)), Err(TokenError::Expired));
    }

    /// [AUTH-2] Rotation without downtime: a former key still verifies, an unknown one does not.
    #[test]
    fn rotates() {
        let old = token(&tokens(&[1; 32], &[]));
        assert!(tokens(&[2; 32], &[&[1; 32]]).verify(&old, NOW).is_ok());
        assert_eq!(tokens(&[2; 32], &[]).verify(&old, NOW), Err(TokenError::Invalid));
    }

    /// [AUTH-2] The algorithm is pinned.
    #[test]
    fn refuses_other_algorithms() {
        let ours = tokens(&[1; 32], &[]);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: UserId::generate(),
            tid: TenantId::generate(),
            sid: TokenFamilyId::generate(),
            iat: 0,
            exp: i64::MAX / 1000,
        };
        let header = Header { kid: Some(key_id(&[1; 32])), ..Header::new(Algorithm::HS512) };
        let forged = encode(&header, &claims, &EncodingKey::from_secret(&[1; 32])).unwrap();
        assert_eq!(ours.verify(&forged, NOW), Err(TokenError::Invalid));
        // {"alg":"none","kid":…} with no signature
        assert_eq!(ours.verify("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", NOW), Err(TokenError::Invalid));
    }
}
