//! What happens, to those who watch: channels, the feeds that number what is published there, and the outboxes in which
//! it waits for a socket.

pub(crate) mod feed;
pub(crate) mod outbox;
pub(crate) mod parts;

use std::{fmt, sync::OnceLock};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use troupe_model::{RunId, WorkflowId};

/// What a session may subscribe to [WS-2].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    Workflow(WorkflowId),
    Run(RunId),
    RunLog(RunId),
}

impl Channel {
    /// Parses `workflow:{id}`, `run:{id}` and `run-log:{id}`.
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, id) = name.split_once(':')?;
        match kind {
            "workflow" => id.parse().ok().map(Self::Workflow),
            "run" => id.parse().ok().map(Self::Run),
            "run-log" => id.parse().ok().map(Self::RunLog),
            _ => None,
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workflow(id) => write!(f, "workflow:{id}"),
            Self::Run(id) => write!(f, "run:{id}"),
            Self::RunLog(id) => write!(f, "run-log:{id}"),
        }
    }
}

/// One message of a channel, encoded at most once per encoding.
#[derive(Debug)]
pub struct EventFrame {
    json: Bytes,
    msgpack: OnceLock<Bytes>,
}

impl EventFrame {
    pub fn new(message: &impl Serialize) -> Self {
        let json = serde_json::to_vec(message).expect("a message is JSON, and memory takes every write");
        Self { json: json.into(), msgpack: OnceLock::new() }
    }

    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// The message in another encoding, computed once by `encode`. It is read anew for that, since few need it: kept, it
    /// would take ten times the room of the message.
    pub fn msgpack(&self, encode: impl FnOnce(&Value) -> Vec<u8>) -> &Bytes {
        self.msgpack.get_or_init(|| {
            let value = serde_json::from_slice(&self.json).expect("it was written as JSON");
            Bytes::from(encode(&value))
        })
    }
}
