//! How often somebody may try to sign in, register or go on with a sign-in [AUTH-3, OPS-8].
//!
//! An account is counted together with the network that tries, so that nobody is shut out of theirs by strangers
//! elsewhere. A higher limit over all networks slows down who guesses from many. A device that signed in before has
//! a count of its own, and no stranger's attempt goes to it. Everything else is counted by network, and what strangers
//! do at one door of it closes no other.

pub mod account;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use moka::{policy::EvictionPolicy, sync::Cache};

use self::account::Account;
use super::device::Device;
use crate::{config, http::network::Network, problem::Problem};

/// A count that nothing was added to for so long is at rest.
const AT_REST: Duration = Duration::from_secs(60);

pub struct Attempts {
    per_network: Quota,
    per_account: Quota,
    per_account_everywhere: Quota,
    /// Those that rested the longest are forgotten first: as many are kept as the configuration says.
    counts: Cache<Counted, Arc<DefaultDirectRateLimiter>>,
    clock: DefaultClock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Counted {
    Door(Door, Network),
    AccountFrom(Account, Network),
    AccountEverywhere(Account),
    Device(Device),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Door {
    /// Signing in on a device that is not known, and registering.
    Strangers,
    KnownDevices,
    Refresh,
}

impl Attempts {
    pub fn new(limits: &config::Auth) -> Self {
        let counts = Cache::builder()
            .max_capacity(limits.attempt_counts_max)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(AT_REST)
            .build();
        Self {
            per_network: per_minute(limits.login_attempts_per_minute_per_address),
            per_account: per_minute(limits.login_attempts_per_minute_per_account),
            per_account_everywhere: per_minute(limits.login_attempts_per_minute_per_account_everywhere),
            counts,
            clock: DefaultClock::default(),
        }
    }

    /// Counts an attempt to sign in, whether or not there is such an account.
    pub fn sign_in(&self, account: Account, network: Network, device: Option<Device>) -> Result<(), Problem> {
        if let Some(device) = device {
            self.count(Counted::Door(Door::KnownDevices, network))?;
            return self.count(Counted::Device(device));
        }
        self.count(Counted::Door(Door::Strangers, network))?;
        // What one network may not try any more does not use up what all of them may.
        self.count(Counted::AccountFrom(account, network))?;
        self.count(Counted::AccountEverywhere(account))
    }

    pub fn register(&self, network: Network) -> Result<(), Problem> {
        self.count(Counted::Door(Door::Strangers, network))
    }

    pub fn refresh(&self, network: Network) -> Result<(), Problem> {
        self.count(Counted::Door(Door::Refresh, network))
    }

    fn count(&self, counted: Counted) -> Result<(), Problem> {
        let count = self.counts.get_with(counted, || Arc::new(RateLimiter::direct(self.quota(counted))));
        count.check().map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            Problem::too_many("too many attempts from here or for this account", wait.as_secs() + 1)
        })
    }

    fn quota(&self, counted: Counted) -> Quota {
        match counted {
            Counted::Door(..) => self.per_network,
            Counted::AccountFrom(..) | Counted::Device(_) => self.per_account,
            Counted::AccountEverywhere(_) => self.per_account_everywhere,
        }
    }
}

fn per_minute(attempts: u32) -> Quota {
    Quota::per_minute(NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN))
}

#[cfg(test)]
mod tests {
    use axum_extra::extract::CookieJar;
    use troupe_model::Timestamp;

    use super::*;
    use crate::{
        auth::{device::Devices, signing::SigningKeys},
        config::Config,
    };

    fn attempts(per_account: u32, everywhere: u32, per_network: u32) -> Attempts {
        let mut limits = Config::defaults().unwrap().auth;
        limits.login_attempts_per_minute_per_account = per_account;
        limits.login_attempts_per_minute_per_account_everywhere = everywhere;
        limits.login_attempts_per_minute_per_address = per_network;
        Attempts::new(&limits)
    }

    fn network(number: u8) -> Network {
        Network::from(std::net::IpAddr::from([10, 0, 0, number]))
    }

    fn ann() -> Account {
        Account::of("ann@example.com")
    }

    fn device_of_ann() -> Device {
        let (now, devices) =
            (Timestamp::from_millis(0), Devices::new(SigningKeys::new(&[1; 32], &[]), &Config::defaults().unwrap()));
        let jar = devices.remember(CookieJar::new(), ann(), now).unwrap();
        devices.known(&jar, ann(), now).unwrap()
    }

    /// How many of so many are let through.
    fn passed(times: usize, mut attempt: impl FnMut() -> Result<(), Problem>) -> usize {
        (0..times).filter(|_| attempt().is_ok()).count()
    }

    /// [AUTH-3] An account is limited for each network, and a network over all accounts.
    #[test]
    fn limits_accounts_and_networks() {
        let attempts = attempts(2, 100, 3);
        assert_eq!(passed(9, || attempts.sign_in(ann(), network(1), None)), 2);
        let refused = attempts.sign_in(ann(), network(1), None).unwrap_err();
        assert_eq!(refused.code(), "rate_limited");
        let other = |name: usize| Account::of(&format!("{name}@example.com"));
        assert_eq!((0..9).filter(|name| attempts.sign_in(other(*name), network(2), None).is_ok()).count(), 3);
        assert_eq!(passed(9, || attempts.register(network(2))), 0, "registering is counted with it");
    }

    /// [AUTH-3] Who guesses from elsewhere does not shut out the owner, until it is a great many.
    #[test]
    fn strangers_elsewhere_do_not_shut_out_the_owner() {
        let attempts = attempts(2, 6, 60);
        assert_eq!(passed(50, || attempts.sign_in(ann(), network(1), None)), 2);
        assert!(attempts.sign_in(ann(), network(2), None).is_ok());
        assert_eq!((3..50).filter(|number| attempts.sign_in(ann(), network(*number), None).is_ok()).count(), 3);
    }

    /// [AUTH-3] Not even those shut out a device that signed in before; it has a limit of its own.
    #[test]
    fn a_known_device_has_its_own_count() {
        let (attempts, device) = (attempts(2, 6, 10), device_of_ann());
        for number in 0..20 {
            passed(20, || attempts.sign_in(ann(), network(number), None));
        }
        assert_eq!(passed(9, || attempts.sign_in(ann(), network(1), Some(device))), 2);
        let others = (0..20).filter(|_| attempts.sign_in(ann(), network(1), Some(device_of_ann())).is_ok());
        assert_eq!(others.count(), 1, "who has many devices has one network, and nine attempts of it are gone");
    }

    /// [OPS-8] Nobody's sign-in ends because strangers in the same network guess.
    #[test]
    fn strangers_do_not_keep_others_from_going_on() {
        let attempts = attempts(2, 6, 3);
        passed(20, || attempts.sign_in(ann(), network(1), None));
        assert_eq!(passed(20, || attempts.refresh(network(1))), 3);
    }

    /// [AUTH-3] However an address is written, it is one account, as it is in signing in.
    #[test]
    fn variants_of_an_address_are_one_account() {
        for variant in ["ANN@example.com", " ann@example.com", "ann@example.com\u{a0}", "Ann@Example.COM\t"] {
            assert_eq!(Account::of(variant), ann(), "{variant:?}");
        }
    }

    /// [OPS-8] What is remembered is bounded, and what is under attack is remembered.
    #[test]
    fn memory_is_bounded() {
        let mut limits = Config::defaults().unwrap().auth;
        limits.attempt_counts_max = 100;
        let attempts = Attempts::new(&limits);
        let per_account = limits.login_attempts_per_minute_per_account as usize;
        let mut guessed = 0;
        for number in 0..5_000_u32 {
            let network = Network::from(std::net::IpAddr::from(number.to_be_bytes()));
            let _ = attempts.sign_in(Account::of(&number.to_string()), network, None);
            guessed += usize::from(attempts.sign_in(ann(), self::network(1), None).is_ok());
        }
        attempts.counts.run_pending_tasks();
        assert!(attempts.counts.entry_count() <= 100);
        // A little more when the test takes long.
        assert!((per_account..2 * per_account).contains(&guessed), "{guessed}");
    }
}
