//! Who is here, pointing at what [SYNC-9]. Not part of the document, never stored.
//!
//! The wire is y-protocols' awareness: `buf(n, {client, clock, str(json)} × n)`, where `null` means gone. A client id
//! belongs to the session that announced it, and to its user for as long as somebody may remember it: what others say
//! of it is ignored, because the stock provider echoes everything it hears, and because nobody is to speak for another.
//! `user` is the server's word. What is heard is told in windows.

mod state;
mod window;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use bytes::Bytes;
use serde::Serialize;
use troupe_model::{SessionId, UserId};

use crate::{
    Budget, Limits, Refusal,
    wire::{self, write_buf, write_uint},
};

use state::{Announced, GONE};
use window::Window;

pub use window::Told;

/// A state that is not renewed is gone after this long; clients renew after half of it.
const EXPIRES_AFTER_MS: i64 = 30_000;
/// How long a client id is its user's after it went, at least: stock clients that lost their connection remember it.
const REMEMBERED_MS: i64 = 300_000;
/// Clients count by one for each change: nobody gets there.
const CLOCK_MAX: u64 = 1 << 40;
/// A clock may be ahead of the last one that was heard by so much, and by one for each millisecond in between: a page
/// counts on while it has no connection, or while it sends more than is read.
const CLOCK_JUMP_MAX: u64 = 4_096;

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
    limits: Limits,
    clients: BTreeMap<u64, Client>,
    users: HashMap<UserId, User>,
    /// All states that are held.
    bytes: usize,
    /// Clients that are gone and remembered.
    remembered: usize,
    /// Whose clients went since somebody was forgotten.
    crowded: HashSet<UserId>,
    /// Clients of which more was heard than told.
    untold: BTreeSet<u64>,
    window: Window,
    /// What a newcomer is told, until the others are told something.
    full: Option<Bytes>,
}

#[derive(Debug)]
struct Client {
    session: SessionId,
    user: UserId,
    /// The newest that was heard. The told one is not newer.
    clock: u64,
    heard_ms: i64,
    /// JSON that was heard and not told; `Some(None)`: that it is gone.
    untold: Option<Option<Box<str>>>,
    /// The JSON that the others have, with `user`; `None`: it is gone to them.
    told: Option<String>,
    told_clock: u64,
    told_ms: Option<i64>,
    gone_ms: Option<i64>,
}

#[derive(Debug)]
struct User {
    tag: UserTag,
    /// All states of this user that are held.
    bytes: usize,
    clients: usize,
    /// Clients that are gone and remembered, the oldest first.
    gone: VecDeque<u64>,
    budget: Budget,
}

impl Client {
    fn bytes(&self) -> usize {
        self.told.as_ref().map_or(0, String::len) + self.untold.iter().flatten().map(|state| state.len()).sum::<usize>()
    }

    fn is_here(&self) -> bool {
        self.gone_ms.is_none()
    }
}

impl Awareness {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with_limits(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Hears an awareness update of a session; [`Awareness::tell`] says what the others are told of it. Returns a frame
    /// for the author, who is taken for gone: a stock client answers it with the next clock, and is heard.
    pub(crate) fn receive(
        &mut self,
        session: SessionId,
        user: &UserTag,
        update: &[u8],
        now_ms: i64,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        // Each once, however often one frame names it: it is told with its whole state.
        let mut gone = BTreeSet::new();
        for entry in state::read(update)? {
            if self.may_announce(session, user.id, &entry, now_ms) {
                self.hear(session, user, &entry, now_ms)?;
            } else if self.is_back(user.id, &entry) {
                gone.insert(entry.client);
            }
        }
        Ok(self.frame(&Vec::from_iter(gone)))
    }

    /// The frame that tells a newcomer of everyone, if anyone is here.
    pub fn full(&mut self) -> Option<Bytes> {
        if self.full.is_none() {
            let present: Vec<u64> =
                self.clients.iter().filter(|(_, client)| client.told.is_some()).map(|(id, _)| *id).collect();
            self.full = self.frame(&present).map(Bytes::from);
        }
        self.full.clone()
    }

    /// A session is gone, and its cursors with it.
    pub fn leave(&mut self, session: SessionId, now_ms: i64) {
        self.remove(now_ms, |client| client.session == session);
    }

    /// Drops what was not renewed for 30 s, and forgets those that nobody remembers: who has been here since
    /// `present_since_ms` and longer was told of them. To be called every few seconds.
    pub fn expire(&mut self, now_ms: i64, present_since_ms: Option<i64>) {
        self.remove(now_ms, |client| now_ms.saturating_sub(client.heard_ms) >= EXPIRES_AFTER_MS);
        let is_forgotten = |client: &Client| {
            client.untold.is_none()
                && client.gone_ms.is_some_and(|gone_ms| {
                    now_ms.saturating_sub(gone_ms) >= REMEMBERED_MS
                        && present_since_ms.is_none_or(|since| since > gone_ms)
                })
        };
        let forgotten: Vec<u64> =
            self.clients.iter().filter(|(_, client)| is_forgotten(client)).map(|(id, _)| *id).collect();
        forgotten.into_iter().for_each(|id| self.forget(id));
    }

    /// A believable and newer word of the session that owns the client id, or of the same user's next session.
    fn may_announce(&self, session: SessionId, user: UserId, entry: &Announced<'_>, now_ms: i64) -> bool {
        if entry.clock > CLOCK_MAX {
            return false;
        }
        let Some(known) = self.clients.get(&entry.client) else { return !entry.says_gone() };
        let elapsed = u64::try_from(now_ms.saturating_sub(known.heard_ms)).unwrap_or(0);
        if known.user != user || entry.clock > known.clock + CLOCK_JUMP_MAX + elapsed {
            return false;
        }
        let newer = entry.clock > known.clock;
        let leaving = entry.clock == known.clock && entry.says_gone() && known.is_here();
        if known.session == session { newer || leaving } else { newer && !entry.says_gone() }
    }

    /// Someone who went comes back with a clock that all others take for old.
    fn is_back(&self, user: UserId, entry: &Announced<'_>) -> bool {
        let gone = self.clients.get(&entry.client).filter(|known| known.user == user && !known.is_here());
        !entry.says_gone() && gone.is_some_and(|known| entry.clock <= known.clock)
    }

    fn hear(&mut self, session: SessionId, user: &UserTag, entry: &Announced<'_>, now_ms: i64) -> Result<(), Refusal> {
        let id = entry.client;
        state::check_size(entry.state, &self.limits)?;
        if self.clients.get(&id).is_none_or(|client| client.session != session) {
            let max = self.limits.awareness_clients_max;
            if self.clients.values().filter(|client| client.session == session).count() >= max {
                return Err(Refusal::malformed(format!("one session may announce {max} clients at most")));
            }
        }
        if !entry.says_gone() && !self.has_room(user.id, entry.state.len()) {
            return Ok(());
        }
        let known = self.users.entry(user.id).or_insert_with(|| User {
            tag: user.clone(),
            bytes: 0,
            clients: 0,
            gone: VecDeque::new(),
            budget: Budget::default(),
        });
        if known.tag != *user {
            known.tag = user.clone();
        }
        let client = self.clients.entry(id).or_insert_with(|| {
            known.clients += 1;
            Client {
                session,
                user: user.id,
                clock: entry.clock,
                heard_ms: now_ms,
                untold: None,
                told: None,
                told_clock: 0,
                told_ms: None,
                gone_ms: None,
            }
        });
        let before = client.bytes();
        (client.session, client.clock, client.heard_ms) = (session, entry.clock, now_ms);
        client.untold = Some((!entry.says_gone()).then(|| entry.state.into()));
        let after = client.bytes();
        if !entry.says_gone() && client.gone_ms.take().is_some() {
            known.gone.retain(|gone| *gone != id);
            self.remembered -= 1;
        }
        self.count(id, before, after);
        self.schedule(id, now_ms);
        if entry.says_gone() {
            self.remember(id, now_ms);
        }
        Ok(())
    }

    /// One user may always show a little; more only while all together show no more than the canvas has room for.
    fn has_room(&self, user: UserId, bytes: usize) -> bool {
        let own = self.users.get(&user).map_or(0, |user| user.bytes);
        own + bytes <= self.limits.awareness_user_bytes_min || self.bytes + bytes <= self.limits.awareness_bytes_max
    }

    fn remove(&mut self, now_ms: i64, gone: impl Fn(&Client) -> bool) {
        let leaving = self.clients.iter().filter(|(_, client)| client.is_here() && gone(client));
        for id in leaving.map(|(id, _)| *id).collect::<Vec<_>>() {
            let Some(client) = self.clients.get_mut(&id) else { continue };
            let before = client.bytes();
            client.untold = Some(None);
            let after = client.bytes();
            self.count(id, before, after);
            self.schedule(id, now_ms);
            self.remember(id, now_ms);
        }
    }

    /// A client went, and its id stays its user's.
    fn remember(&mut self, id: u64, now_ms: i64) {
        let Some(client) = self.clients.get_mut(&id).filter(|client| client.is_here()) else { return };
        client.gone_ms = Some(now_ms);
        if let Some(user) = self.users.get_mut(&client.user) {
            user.gone.push_back(id);
            self.remembered += 1;
            self.crowded.insert(client.user);
        }
    }

    /// Beyond a bound a user forgets the oldest of its own, or, when all together remember too many, whoever remembers
    /// most does: nobody can have another's forgotten. Who is not told to be gone yet is kept until then.
    fn forget_oldest(&mut self) {
        for user in std::mem::take(&mut self.crowded) {
            while let Some(oldest) = self.oldest(user, self.limits.awareness_remembered_per_user_max) {
                self.forget(oldest);
            }
        }
        while self.remembered > self.limits.awareness_remembered_max
            && let Some((user, _)) = self.users.iter().max_by_key(|(_, user)| user.gone.len())
            && let Some(oldest) = self.oldest(*user, 0)
        {
            self.forget(oldest);
        }
    }

    /// The oldest that a user remembers, if those are more than so many and it may be forgotten.
    fn oldest(&self, user: UserId, max: usize) -> Option<u64> {
        let gone = &self.users.get(&user)?.gone;
        let oldest = gone.front().copied().filter(|_| gone.len() > max)?;
        (!self.untold.contains(&oldest)).then_some(oldest)
    }

    fn forget(&mut self, id: u64) {
        let Some(client) = self.clients.remove(&id) else { return };
        self.remembered -= 1;
        self.bytes -= client.bytes();
        let Some(user) = self.users.get_mut(&client.user) else { return };
        user.bytes -= client.bytes();
        user.gone.retain(|gone| *gone != id);
        user.clients -= 1;
        if user.clients == 0 {
            self.users.remove(&client.user);
        }
    }

    /// The bytes of a client have changed.
    fn count(&mut self, id: u64, before: usize, after: usize) {
        self.bytes = self.bytes + after - before;
        let user = self.clients.get(&id).and_then(|client| self.users.get_mut(&client.user));
        if let Some(user) = user {
            user.bytes = user.bytes + after - before;
        }
    }

    /// What of these clients is told.
    fn frame(&mut self, clients: &[u64]) -> Option<Vec<u8>> {
        if clients.is_empty() {
            return None;
        }
        let mut update = Vec::new();
        write_uint(&mut update, clients.len() as u64);
        for id in clients {
            let client = &self.clients[id];
            write_uint(&mut update, *id);
            write_uint(&mut update, client.told_clock);
            write_buf(&mut update, client.told.as_deref().unwrap_or(GONE).as_bytes());
        }
        Some(wire::awareness(&update))
    }
}
