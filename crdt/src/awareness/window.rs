//! When the others are told [SYNC-8]: at once while little happens, else what gathered in a window, as one frame.
//! Of each client only the newest is told, and at most once in a window, whatever it sends.

use super::{Awareness, state};
use crate::{Budget, Rate, Refusal};
use troupe_model::SessionId;

const WINDOW_MS: i64 = 16;
/// Windows that may be used up at once after a quiet time.
const FLUSHES_AT_ONCE: i64 = 8;
/// What a client costs beside its state.
const ENTRY_BYTES: usize = 64;
/// What may be told at once after a quiet time, in seconds of the rate.
const BURST_SECONDS: u64 = 2;

/// What the others are to be told now.
#[derive(Debug, Default)]
pub struct Told {
    /// A frame for all sessions, the authors' included: the stock provider takes silence for a dead connection.
    pub frame: Option<Vec<u8>>,
    /// Who sent what cannot be told. They are to be closed.
    pub refused: Vec<(SessionId, Refusal)>,
    /// When there is more to tell.
    pub again_at_ms: Option<i64>,
}

/// The rate at which one canvas tells.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Each frame takes a window; these are taken up to here.
    taken_until_ms: i64,
    opens_at_ms: i64,
    /// When there is something to tell, at the earliest.
    next_ms: Option<i64>,
    budget: Budget,
}

impl Window {
    fn told(&mut self, now_ms: i64) {
        self.taken_until_ms = self.taken_until_ms.max(now_ms) + WINDOW_MS;
        let is_busy = self.taken_until_ms > now_ms + WINDOW_MS * FLUSHES_AT_ONCE;
        self.opens_at_ms = if is_busy { now_ms + WINDOW_MS } else { now_ms };
    }

    fn at_latest(&mut self, at_ms: i64) {
        let at_ms = at_ms.max(self.opens_at_ms);
        self.next_ms = Some(self.next_ms.map_or(at_ms, |next| next.min(at_ms)));
    }
}

fn rate(bytes_per_second: usize) -> Rate {
    Rate { burst: BURST_SECONDS * bytes_per_second as u64, per_second: bytes_per_second as u64 }
}

impl Awareness {
    /// What is to be told now. To be called after each frame and at [`Told::again_at_ms`].
    pub fn tell(&mut self, now_ms: i64) -> Told {
        let mut told = Told::default();
        if self.window.next_ms.is_none_or(|next| now_ms < next) {
            told.again_at_ms = self.window.next_ms;
            return told;
        }
        let mut clients = Vec::new();
        for id in self.due(now_ms) {
            match self.settle(id, now_ms) {
                Ok(true) => clients.push(id),
                Ok(false) => {}
                Err(refused) => told.refused.push(refused),
            }
        }
        told.frame = self.frame(&clients);
        if told.frame.is_some() {
            self.full = None;
            self.window.told(now_ms);
        }
        self.window.next_ms = None;
        for id in self.untold.iter().copied().collect::<Vec<_>>() {
            self.schedule(id, now_ms);
        }
        self.forget_oldest();
        told.again_at_ms = self.window.next_ms;
        told
    }

    /// A client has something new.
    pub(super) fn schedule(&mut self, id: u64, now_ms: i64) {
        let at_ms = self.may_be_told_at(id, now_ms);
        self.untold.insert(id);
        self.window.at_latest(at_ms);
    }

    /// Whose turn it is; first those whose users had least told of late.
    fn due(&mut self, now_ms: i64) -> Vec<u64> {
        let user_rate = rate(self.limits.awareness_user_bytes_per_second);
        let mut due = Vec::new();
        for id in &self.untold {
            let Some(client) = self.clients.get(id) else { continue };
            if client.told_ms.is_none_or(|told_ms| now_ms >= told_ms + WINDOW_MS) {
                let owed = self.users.get_mut(&client.user).map_or(0, |user| user.budget.owed(user_rate, now_ms));
                due.push((owed, *id));
            }
        }
        due.sort_unstable();
        due.into_iter().map(|(_, id)| id).collect()
    }

    /// Makes what was heard of a client what is told, if its user may have it told. Says whether it is to be told.
    fn settle(&mut self, id: u64, now_ms: i64) -> Result<bool, (SessionId, Refusal)> {
        let canvas_rate = rate(self.limits.awareness_bytes_per_second);
        let user_rate = rate(self.limits.awareness_user_bytes_per_second);
        let Some(client) = self.clients.get_mut(&id) else { return Ok(false) };
        let Some(user) = self.users.get_mut(&client.user) else { return Ok(false) };
        let Some(untold) = &client.untold else {
            self.untold.remove(&id);
            return Ok(false);
        };
        let state = match untold {
            None => None,
            Some(_)
                if user.budget.wait_ms(user_rate, now_ms) > 0
                    || self.window.budget.wait_ms(canvas_rate, now_ms) > 0 =>
            {
                return Ok(false);
            }
            Some(state) => Some(state::tagged(state, &user.tag)),
        };
        let (before, was_told) = (client.bytes(), client.told.is_some());
        client.untold = None;
        self.untold.remove(&id);
        let told = match state.transpose() {
            Ok(state) => {
                (client.told, client.told_clock) = (state, client.clock);
                Ok(client.told.is_some() || was_told)
            }
            // Its session is about to leave, which tells that it is gone.
            Err(refusal) => Err((client.session, refusal)),
        };
        let after = client.bytes();
        if client.told.is_some() {
            client.told_ms = Some(now_ms);
            let cost = after + ENTRY_BYTES;
            user.budget.spend(cost, user_rate, now_ms);
            self.window.budget.spend(cost, canvas_rate, now_ms);
        }
        self.count(id, before, after);
        told
    }

    fn may_be_told_at(&mut self, id: u64, now_ms: i64) -> i64 {
        let canvas_rate = rate(self.limits.awareness_bytes_per_second);
        let user_rate = rate(self.limits.awareness_user_bytes_per_second);
        let Some(client) = self.clients.get(&id) else { return now_ms };
        let window = client.told_ms.map_or(now_ms, |told_ms| told_ms + WINDOW_MS);
        if matches!(client.untold, Some(None)) {
            return window;
        }
        let user = self.users.get_mut(&client.user).map_or(0, |user| user.budget.wait_ms(user_rate, now_ms));
        let canvas = self.window.budget.wait_ms(canvas_rate, now_ms);
        window.max(now_ms + user.max(canvas))
    }
}
