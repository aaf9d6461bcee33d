//! What the server signs: JWT, HS256 and nothing else, with a key id, so that keys can change without downtime [AUTH-2].

use std::collections::HashMap;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode, errors::Error,
};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// Signs with one key; accepts what that key or a former one has signed.
#[derive(Clone)]
pub struct SigningKeys {
    kid: String,
    encoding: EncodingKey,
    decoding: HashMap<String, DecodingKey>,
}

impl SigningKeys {
    pub fn new(key: &[u8], former: &[&[u8]]) -> Self {
        let keys = former.iter().copied().chain([key]);
        let decoding = keys.map(|key| (key_id(key), DecodingKey::from_secret(key))).collect();
        Self { kid: key_id(key), encoding: EncodingKey::from_secret(key), decoding }
    }

    /// `claims` hold `iss`, which says what kind of thing is signed.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, Error> {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::HS256) };
        encode(&header, claims, &self.encoding)
    }

    /// The claims, when one of the keys has signed them for that issuer. Whether they have expired is for the caller and
    /// our clock to say.
    pub fn read<Claims: DeserializeOwned + Clone>(&self, signed: &str, issuer: &str) -> Option<Claims> {
        let header = decode_header(signed).ok()?;
        let key = self.decoding.get(&header.kid?)?;
        decode(signed, key, &validation(issuer)).ok().map(|token| token.claims)
    }
}

fn validation(issuer: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    validation
}

fn key_id(key: &[u8]) -> String {
    Sha256::digest(key).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Claims {
        iss: String,
        sub: String,
        exp: i64,
    }

    fn claims() -> Claims {
        Claims { iss: "here".to_owned(), sub: "ann".to_owned(), exp: 0 }
    }

    fn keys(key: &[u8], former: &[&[u8]]) -> SigningKeys {
        SigningKeys::new(key, former)
    }

    /// [AUTH-2] Rotation without downtime: what a former key has signed is good, what an unknown one has is not.
    #[test]
    fn rotates() {
        let old = keys(&[1; 32], &[]).sign(&claims()).unwrap();
        assert_eq!(keys(&[2; 32], &[&[1; 32]]).read(&old, "here"), Some(claims()));
        assert_eq!(keys(&[2; 32], &[]).read::<Claims>(&old, "here"), None);
    }

    /// [AUTH-2] What is signed for one purpose is good for no other.
    #[test]
    fn keeps_purposes_apart() {
        let keys = keys(&[1; 32], &[]);
        let signed = keys.sign(&claims()).unwrap();
        assert_eq!(keys.read::<Claims>(&signed, "elsewhere"), None);
    }

    /// [AUTH-2] The algorithm is pinned.
    #[test]
    fn refuses_other_algorithms() {
        let ours = keys(&[1; 32], &[]);
        let header = Header { kid: Some(key_id(&[1; 32])), ..Header::new(Algorithm::HS512) };
        let forged = encode(&header, &claims(), &EncodingKey::from_secret(&[1; 32])).unwrap();
        assert_eq!(ours.read::<Claims>(&forged, "here"), None);
        // {"alg":"none"} with no signature
        assert_eq!(ours.read::<Claims>("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "here"), None);
    }
}
