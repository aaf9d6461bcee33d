//! Who is here, pointing at what [SYNC-9]. Not part of the document, never stored.
//!
//! The wire is y-protocols' awareness: `buf(n, {client, clock, str(json)} × n)`, where `null` means gone. A client id
//! belongs to the session that announced it; what others say of it is ignored, because the stock provider echoes
//! everything it hears. `user` is the server's word.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map as Object, Value};
use troupe_model::{SessionId, UserId};

use crate::{
    Limits, Refusal,
    wire::{self, Malformed, Reader, write_buf, write_uint},
};

/// A state that is not renewed is gone after this long; clients renew after half of it.
const EXPIRES_AFTER_MS: i64 = 30_000;
/// How long a client id is remembered after it went, so that an echo does not bring it back.
const FORGOTTEN_AFTER_MS: i64 = 60_000;
const GONE: &str = "null";

/// How others see a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserTag {
    pub id: UserId,
    pub name: String,
    /// A CSS colour.
    pub color: String,
}

/// The awareness of one document.
#[derive(Debug, Default)]
pub struct Awareness {
    clients: BTreeMap<u64, Client>,
}

#[derive(Debug)]
struct Client {
    session: SessionId,
    user: UserId,
    clock: u64,
    /// JSON; `None`: gone, remembered for a while.
    state: Option<String>,
    renewed_ms: i64,
}

struct Announced<'a> {
    client: u64,
    clock: u64,
    state: &'a str,
}

impl Awareness {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an awareness update of a session. Returns the frame for all sessions, its author's included (the stock
    /// provider takes silence for a dead connection).
    pub(crate) fn receive(
        &mut self,
        session: SessionId,
        user: &UserTag,
        update: &[u8],
        limits: &Limits,
        now_ms: i64,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let announced = read(update)?;
        let mut changed = Vec::new();
        for entry in announced {
            if !self.may_announce(session, user.id, &entry) {
                continue;
            }
            if self.clients.get(&entry.client).is_none_or(|client| client.session != session)
                && self.clients.values().filter(|client| client.session == session).count()
                    >= limits.awareness_clients_max
            {
                return Err(Refusal::malformed(format!(
                    "one session may announce {} clients at most",
                    limits.awareness_clients_max
                )));
            }
            let state = tagged(entry.state, user, limits)?;
            let client = Client { session, user: user.id, clock: entry.clock, state, renewed_ms: now_ms };
            self.clients.insert(entry.client, client);
            changed.push(entry.client);
        }
        Ok(self.frame(&changed))
    }

    /// The frame that tells a newcomer of everyone, if anyone is here.
    pub fn full(&self) -> Option<Vec<u8>> {
        let present: Vec<u64> =
            self.clients.iter().filter(|(_, client)| client.state.is_some()).map(|(id, _)| *id).collect();
        self.frame(&present)
    }

    /// A session is gone, and its cursors with it. Returns the frame for all others.
    pub fn leave(&mut self, session: SessionId) -> Option<Vec<u8>> {
        self.remove(|client| client.session == session)
    }

    /// Drops what was not renewed for 30 s. Call it every few seconds. Returns the frame for all sessions.
    pub fn expire(&mut self, now_ms: i64) -> Option<Vec<u8>> {
        self.clients.retain(|_, client| {
            client.state.is_some() || now_ms.saturating_sub(client.renewed_ms) < FORGOTTEN_AFTER_MS
        });
        self.remove(|client| now_ms.saturating_sub(client.renewed_ms) >= EXPIRES_AFTER_MS)
    }

    /// A newer word of the session that owns the client id, or of the same user's next session.
    fn may_announce(&self, session: SessionId, user: UserId, entry: &Announced<'_>) -> bool {
        let Some(known) = self.clients.get(&entry.client) else { return entry.state != GONE };
        let newer = entry.clock > known.clock;
        let leaving = entry.clock == known.clock && entry.state == GONE && known.state.is_some();
        if known.session == session {
            newer || leaving
        } else {
            newer && entry.state != GONE && (known.user == user || known.state.is_none())
        }
    }

    fn remove(&mut self, gone: impl Fn(&Client) -> bool) -> Option<Vec<u8>> {
        let mut removed = Vec::new();
        for (id, client) in &mut self.clients {
            if client.state.is_some() && gone(client) {
                client.state = None;
                removed.push(*id);
            }
        }
        self.frame(&removed)
    }

    fn frame(&self, clients: &[u64]) -> Option<Vec<u8>> {
        if clients.is_empty() {
            return None;
        }
        let mut update = Vec::new();
        write_uint(&mut update, clients.len() as u64);
        for id in clients {
            let client = &self.clients[id];
            write_uint(&mut update, *id);
            write_uint(&mut update, client.clock);
            write_buf(&mut update, client.state.as_deref().unwrap_or(GONE).as_bytes());
        }
        Some(wire::awareness(&update))
    }
}

fn read(update: &[u8]) -> Result<Vec<Announced<'_>>, Malformed> {
    let mut reader = Reader::new(update);
    let mut announced = Vec::new();
    for _ in 0..reader.count(3)? {
        announced.push(Announced { client: reader.uint()?, clock: reader.uint()?, state: reader.str()? });
    }
    reader.end()?;
    Ok(announced)
}

/// The state with the server's `user` in it.
fn tagged(state: &str, user: &UserTag, limits: &Limits) -> Result<Option<String>, Refusal> {
    if state == GONE {
        return Ok(None);
    }
    if state.len() > limits.awareness_state_bytes_max {
        return Err(Refusal::malformed(format!(
            "an awareness state may take {} bytes at most",
            limits.awareness_state_bytes_max
        )));
    }
    let mut state: Object<String, Value> = serde_json::from_str(state)
        .map_err(|_| Refusal::malformed("an awareness state is neither a JSON object nor null"))?;
    let user = serde_json::json!({ "id": user.id, "name": user.name, "color": user.color });
    state.insert("user".to_owned(), user);
    Ok(Some(Value::Object(state).to_string()))
}
