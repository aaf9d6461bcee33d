//! How often somebody may try to sign in: per account and per address [AUTH-3, OPS-8].

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use super::keys;
use crate::{config, problem::Problem};

/// Keys that are at rest are forgotten every so many attempts.
const FORGET_EVERY: u32 = 1024;

pub struct Attempts {
    by_account: DefaultKeyedRateLimiter<[u8; 32]>,
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    count: AtomicU32,
}

impl Attempts {
    pub fn new(config: &config::Auth) -> Self {
        Self {
            by_account: RateLimiter::keyed(per_minute(config.login_attempts_per_minute_per_account)),
            by_address: RateLimiter::keyed(per_minute(config.login_attempts_per_minute_per_address)),
            clock: DefaultClock::default(),
            count: AtomicU32::new(0),
        }
    }

    /// Counts an attempt to sign in, whether or not there is such an account.
    pub fn sign_in(&self, email: &str, address: IpAddr) -> Result<(), Problem> {
        self.from(address)?;
        self.by_account.check_key(&keys::digest(email)).map_err(|until| self.refused(&until))
    }

    /// Counts an attempt of an address: to register, to refresh.
    pub fn from(&self, address: IpAddr) -> Result<(), Problem> {
        if self.count.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGET_EVERY) {
            self.by_account.retain_recent();
            self.by_address.retain_recent();
        }
        self.by_address.check_key(&address).map_err(|until| self.refused(&until))
    }

    fn refused(&self, until: &governor::NotUntil<<DefaultClock as Clock>::Instant>) -> Problem {
        let wait = until.wait_time_from(self.clock.now());
        Problem::too_many("too many attempts from here or for this account", wait.as_secs() + 1)
    }
}

fn per_minute(attempts: u32) -> Quota {
    Quota::per_minute(NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// [AUTH-3] An account is protected from many addresses, an address from trying many accounts.
    #[test]
    fn limits_accounts_and_addresses() {
        let mut config = Config::defaults().unwrap().auth;
        config.login_attempts_per_minute_per_account = 2;
        config.login_attempts_per_minute_per_address = 3;
        let attempts = Attempts::new(&config);
        let address = |last: u8| IpAddr::from([10, 0, 0, last]);
        assert!(attempts.sign_in("a@x", address(1)).is_ok());
        assert!(attempts.sign_in("a@x", address(2)).is_ok());
        assert_eq!(attempts.sign_in("a@x", address(3)).unwrap_err().code(), "rate_limited");
        assert!(attempts.sign_in("b@x", address(1)).is_ok());
        assert!(attempts.sign_in("c@x", address(1)).is_ok());
        assert_eq!(attempts.sign_in("d@x", address(1)).unwrap_err().code(), "rate_limited");
    }
}
