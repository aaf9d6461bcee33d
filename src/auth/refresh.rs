//! Refresh tokens on their way to and from the browser: an HttpOnly cookie that only `/api/v1/auth` gets [AUTH-2].

use std::time::Duration;

use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use secrecy::{ExposeSecret, SecretString};

use super::keys;
use crate::config::Config;

const NAME: &str = "troupe_refresh";
pub const PATH: &str = "/api/v1/auth";

/// A new one. Only its hash is stored.
pub fn generate() -> SecretString {
    keys::opaque().into()
}

pub fn ttl(config: &Config) -> Duration {
    Duration::from_secs(config.auth.refresh_token_ttl_s)
}

pub fn presented(jar: &CookieJar) -> Option<SecretString> {
    jar.get(NAME).map(|cookie| cookie.value().to_owned().into())
}

pub fn set(jar: CookieJar, token: &SecretString, config: &Config) -> CookieJar {
    jar.add(cookie(token.expose_secret().to_owned(), ttl(config), config))
}

pub fn clear(jar: CookieJar, config: &Config) -> CookieJar {
    jar.add(cookie(String::new(), Duration::ZERO, config))
}

fn cookie(value: String, max_age: Duration, config: &Config) -> Cookie<'static> {
    Cookie::build((NAME, value))
        .path(PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(config.server.https())
        .max_age(max_age.try_into().unwrap_or_default())
        .build()
}
