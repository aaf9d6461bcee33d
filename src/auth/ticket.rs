//! Tickets for WebSockets: one use, 30 s, bound to a user and a purpose, so that no token is in a URL [AUTH-7].

use std::time::Duration;

use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use troupe_model::WorkflowId;
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
pub struct Tickets(Cache<[u8; 32], (Access, Purpose)>);

impl Default for Tickets {
    fn default() -> Self {
        Self::with_ttl(TTL)
    }
}

impl Tickets {
    fn with_ttl(ttl: Duration) -> Self {
        Self(Cache::builder().time_to_live(ttl).max_capacity(OPEN_MAX).build())
    }

    pub fn issue(&self, access: Access, purpose: Purpose) -> String {
        let ticket = keys::opaque();
        self.0.insert(keys::digest(&ticket), (access, purpose));
        ticket
    }

    /// Takes the ticket back. A ticket for something else is spent as well.
    pub fn redeem(&self, ticket: &str, purpose: Purpose) -> Option<Access> {
        let (access, issued_for) = self.0.remove(&keys::digest(ticket))?;
        (issued_for == purpose).then_some(access)
    }
}

#[cfg(test)]
mod tests {
    use troupe_model::{TenantId, Timestamp, TokenFamilyId, UserId};

    use super::*;

    fn access() -> Access {
        Access {
            user: UserId::generate(),
            tenant: TenantId::generate(),
            family: TokenFamilyId::generate(),
            expires: Timestamp::from_millis(0),
        }
    }

    /// [AUTH-7] One use, bound to user and purpose.
    #[test]
    fn opens_one_thing_once() {
        let tickets = Tickets::default();
        let access = access();
        let ticket = tickets.issue(access, Purpose::Events);
        assert_eq!(tickets.redeem(&ticket, Purpose::Events), Some(access));
        assert_eq!(tickets.redeem(&ticket, Purpose::Events), None);
        let workflow = WorkflowId::generate();
        let ticket = tickets.issue(access, Purpose::Collab(workflow));
        assert_eq!(tickets.redeem(&ticket, Purpose::Collab(WorkflowId::generate())), None);
        assert_eq!(tickets.redeem(&ticket, Purpose::Collab(workflow)), None);
    }

    /// [AUTH-7] A ticket that nobody used is worth nothing later.
    #[test]
    fn expires() {
        let tickets = Tickets::with_ttl(Duration::from_millis(5));
        let ticket = tickets.issue(access(), Purpose::Events);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(tickets.redeem(&ticket, Purpose::Events), None);
    }
}
