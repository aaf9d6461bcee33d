//! Tickets for WebSockets: one use, 30 s, bound to a user and a purpose, so that no token is in a URL [AUTH-7].

use std::time::Duration;

use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use troupe_model::{Timestamp, WorkflowId};
use utoipa::ToSchema;

use super::{keys, token::Access};

pub const TTL: Duration = Duration::from_secs(30);
const OPEN_MAX: u64 = 100_000;

/// What a ticket opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `/collab/{workflow}`
    Collab(WorkflowId),
    /// `/ws`
    Events,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PurposeName {
    Collab,
    Events,
}

/// The tickets that this server has given out and not taken back. Only their hashes are kept.
#[derive(Clone, Debug)]
pub struct Tickets(Cache<[u8; 32], Open>);

#[derive(Clone, Copy, Debug)]
struct Open {
    access: Access,
    purpose: Purpose,
    expires: Timestamp,
}

impl Default for Tickets {
    fn default() -> Self {
        Self(Cache::builder().time_to_live(TTL).max_capacity(OPEN_MAX).build())
    }
}

impl Tickets {
    pub fn issue(&self, access: Access, purpose: Purpose, now: Timestamp) -> String {
        let ticket = keys::opaque();
        self.0.insert(keys::digest(&ticket), Open { access, purpose, expires: now.after(TTL) });
        ticket
    }

    /// Takes the ticket back. A ticket for something else is spent as well.
    pub fn redeem(&self, ticket: &str, purpose: Purpose, now: Timestamp) -> Option<Access> {
        // The cache forgets in its own time, so it does not decide what is too old.
        let open = self.0.remove(&keys::digest(ticket))?;
        (open.purpose == purpose && now < open.expires).then_some(open.access)
    }
}

#[cfg(test)]
mod tests {
    use troupe_model::{TenantId, TokenFamilyId, UserId};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn access() -> Access {
        Access {
            user: UserId::generate(),
            tenant: TenantId::generate(),
            family: TokenFamilyId::generate(),
            expires: NOW,
        }
    }

    /// [AUTH-7] One use, bound to user and purpose.
    #[test]
    fn opens_one_thing_once() {
        let tickets = Tickets::default();
        let access = access();
        let ticket = tickets.issue(access, Purpose::Events, NOW);
        assert_eq!(tickets.redeem(&ticket, Purpose::Events, NOW), Some(access));
        assert_eq!(tickets.redeem(&ticket, Purpose::Events, NOW), None);
        let workflow = WorkflowId::generate();
        let ticket = tickets.issue(access, Purpose::Collab(workflow), NOW);
        assert_eq!(tickets.redeem(&ticket, Purpose::Collab(WorkflowId::generate()), NOW), None);
        assert_eq!(tickets.redeem(&ticket, Purpose::Collab(workflow), NOW), None);
    }

    /// [AUTH-7] A ticket that nobody used is worth nothing after 30 s.
    #[test]
    fn expires() {
        let tickets = Tickets::default();
        let (early, late) =
            (tickets.issue(access(), Purpose::Events, NOW), tickets.issue(access(), Purpose::Events, NOW));
        assert!(tickets.redeem(&early, Purpose::Events, NOW.after(TTL - Duration::from_millis(1))).is_some());
        assert_eq!(tickets.redeem(&late, Purpose::Events, NOW.after(TTL)), None);
    }
}
