//! Who is here: what sessions show of themselves, to the others in windows [SYNC-8, SYNC-9], and the list of users, to
//! those who watch the workflow. Coming and going is told at once while little happens, and gathered when much does.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use tokio::time::Instant;
use troupe_crdt::{Told, UserTag};
use troupe_model::UserId;

use super::WorkflowState;

/// How often the list of users is told.
const USERS_EVERY: Duration = Duration::from_millis(100);
/// A message of more would be too large.
const USERS_TOLD_MAX: usize = 200;

#[derive(Debug, Default)]
pub(in super::super) struct Presence {
    told_users: Option<Instant>,
    /// The list of users changed, and was not told yet.
    due: Option<Instant>,
}

impl WorkflowState {
    /// Milliseconds since the canvas was loaded: no clock that somebody sets.
    pub(super) fn now_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Tells what was heard of awareness, as far as its time has come.
    pub(super) fn tell_awareness(&mut self) {
        let Told { frame, refused, again_at_ms } = self.awareness.tell(self.now_ms());
        if let Some(frame) = frame {
            // To its author too: the stock provider takes 30 s without a message for a dead connection.
            self.broadcast(&frame.into(), None);
        }
        if let Some(at_ms) = again_at_ms {
            self.alarm.at_latest(self.began + Duration::from_millis(at_ms.unsigned_abs()));
        }
        for (session, refusal) in refused {
            self.refuse(session, refusal);
        }
    }

    /// Somebody came, went, or has another name.
    pub(super) fn presence_changed(&mut self) {
        let now = Instant::now();
        let free = self.presence.told_users.map_or(now, |told| told + USERS_EVERY);
        let due = *self.presence.due.get_or_insert(free);
        self.alarm.at_latest(due);
        self.tell_presence_if_due(now);
    }

    pub(super) fn tell_presence_if_due(&mut self, now: Instant) {
        match self.presence.due {
            Some(due) if due <= now => {
                self.presence = Presence { told_users: Some(now), due: None };
                let users = self.presence();
                self.publish("presence", &json!({ "users": users }));
            }
            Some(due) => self.alarm.at_latest(due),
            None => {}
        }
    }

    /// Who is here, each user once; of a crowd, some.
    pub(super) fn presence(&self) -> serde_json::Value {
        let mut users: BTreeMap<UserId, (&UserTag, usize)> = BTreeMap::new();
        for session in self.sessions.values() {
            let user = session.peer.user();
            users.entry(user.id).or_insert((user, 0)).1 += 1;
        }
        let shown = users.into_values().take(USERS_TOLD_MAX).map(|(user, sessions)| {
            json!({ "user_id": user.id, "name": user.name, "color": user.color, "sessions": sessions })
        });
        shown.collect()
    }
}
