//! Devices that signed in before [AUTH-3].
//!
//! Who signs in leaves a signed cookie on the device, which says for which account. It opens nothing. It only tells the
//! device from a stranger's when attempts are counted, so that nobody is shut out of their account by what strangers
//! guess. It names the account by a hash, and outlives the sign-in: signing out does not make a device a stranger.

use std::time::Duration;

use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use serde::{Deserialize, Serialize};
use troupe_model::Timestamp;

use super::{attempts::account::Account, keys, refresh, signing::SigningKeys};
use crate::config::Config;

const NAME: &str = "troupe_device";
const ISSUER: &str = "troupe-device";

pub struct Devices {
    keys: SigningKeys,
    ttl: Duration,
    secure: bool,
}

/// A device on which an account was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Device([u8; 32]);

#[derive(Clone, Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// The account.
    sub: String,
    /// The device: random.
    jti: String,
    /// Seconds since the epoch, as JWT has it.
    exp: i64,
}

impl Devices {
    pub fn new(keys: SigningKeys, config: &Config) -> Self {
        let ttl = Duration::from_secs(config.auth.device_ttl_s);
        Self { keys, ttl, secure: config.server.https() }
    }

    /// The device that a request comes from, if that account was signed in on it.
    pub fn known(&self, jar: &CookieJar, account: Account, now: Timestamp) -> Option<Device> {
        self.presented(jar, account, now).map(|id| Device(keys::digest(&id)))
    }

    /// The account is signed in on this device: from now on it is known. One that was known stays the same.
    pub fn remember(
        &self,
        jar: CookieJar,
        account: Account,
        now: Timestamp,
    ) -> Result<CookieJar, jsonwebtoken::errors::Error> {
        let id = self.presented(&jar, account, now).unwrap_or_else(keys::opaque);
        let exp = now.after(self.ttl).as_millis() / 1000;
        let claims = Claims { iss: ISSUER.to_owned(), sub: account.to_string(), jti: id, exp };
        let cookie = Cookie::build((NAME, self.keys.sign(&claims)?))
            .path(refresh::PATH)
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(self.secure)
            .max_age(self.ttl.try_into().unwrap_or_default());
        Ok(jar.add(cookie))
    }

    fn presented(&self, jar: &CookieJar, account: Account, now: Timestamp) -> Option<String> {
        let claims: Claims = self.keys.read(jar.get(NAME)?.value(), ISSUER)?;
        let is_good = claims.sub == account.to_string() && now.as_millis() < claims.exp.saturating_mul(1000);
        is_good.then_some(claims.jti)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn devices(key: &[u8]) -> Devices {
        Devices::new(SigningKeys::new(key, &[]), &Config::defaults().unwrap())
    }

    fn remembered(devices: &Devices, email: &str) -> CookieJar {
        devices.remember(CookieJar::new(), Account::of(email), NOW).unwrap()
    }

    /// [AUTH-3] A device is known for the account that signed in on it, by whom it was signed, and for its time.
    #[test]
    fn knows_the_device_of_an_account() {
        let ours = devices(&[1; 32]);
        let jar = remembered(&ours, "ann@example.com");
        assert!(ours.known(&jar, Account::of(" Ann@Example.com"), NOW).is_some());
        assert_eq!(ours.known(&jar, Account::of("bob@example.com"), NOW), None);
        assert_eq!(devices(&[2; 32]).known(&jar, Account::of("ann@example.com"), NOW), None);
        assert_eq!(ours.known(&jar, Account::of("ann@example.com"), NOW.after(ours.ttl)), None);
    }

    /// [AUTH-3] Signing in again makes no second device of it; another browser is another.
    #[test]
    fn a_device_stays_the_same() {
        let (ours, account) = (devices(&[1; 32]), Account::of("ann@example.com"));
        let first = remembered(&ours, "ann@example.com");
        let again = ours.remember(first.clone(), account, NOW.after(ours.ttl / 2)).unwrap();
        assert_eq!(ours.known(&first, account, NOW), ours.known(&again, account, NOW));
        assert!(ours.known(&again, account, NOW.after(ours.ttl)).is_some(), "it counts from the last sign-in");
        assert_ne!(ours.known(&first, account, NOW), ours.known(&remembered(&ours, "ann@example.com"), account, NOW));
    }

    /// [SEC-1] No script reads the cookie, and no other site sends it.
    #[test]
    fn the_cookie_is_for_signing_in_only() {
        let cookie = remembered(&devices(&[1; 32]), "ann@example.com").get(NAME).unwrap().to_string();
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/auth", "Max-Age="] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
    }
}
