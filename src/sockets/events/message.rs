//! What goes over the event socket, in both encodings.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use troupe_actors::{EventFrame, OutFrame};

use crate::{
    auth::Caller,
    sockets::{
        frame::Message,
        wire::{self, Incoming},
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Json,
    MessagePack,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    Authorization { token: String },
    Subscribe { channel: String, last_seq: Option<i64> },
    Unsubscribe { channel: String },
    Heartbeat,
}

impl Encoding {
    pub fn encode(self, frame: OutFrame) -> Message {
        match (frame, self) {
            (OutFrame::Sync(bytes), _) => Message::Binary(bytes),
            (OutFrame::Event(frame), Self::Json) => wire::text(&frame),
            (OutFrame::Event(frame), Self::MessagePack) => Message::Binary(frame.msgpack(to_msgpack).clone()),
        }
    }

    /// The error is for the client.
    pub fn decode(self, incoming: &Incoming) -> Result<ClientMessage, String> {
        match (incoming, self) {
            (Incoming::Text(text), _) => serde_json::from_str(text).map_err(|error| error.to_string()),
            (Incoming::Binary(bytes, _), Self::MessagePack) => {
                rmp_serde::from_slice(bytes).map_err(|error| error.to_string())
            }
            _ => Err("this socket takes text frames; binary ones under the subprotocol troupe.msgpack".to_owned()),
        }
    }
}

fn to_msgpack(value: &Value) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("every JSON value is a MessagePack value, and memory takes every write")
}

fn frame(value: Value) -> OutFrame {
    OutFrame::Event(Arc::new(EventFrame::new(&value)))
}

/// Also said when the role changes.
pub fn authorized(caller: &Caller) -> OutFrame {
    frame(json!({
        "type": "authorized", "user_id": caller.user, "tenant_id": caller.tenant, "role": caller.role.name(),
    }))
}

pub fn pong() -> OutFrame {
    frame(json!({ "type": "pong" }))
}

pub fn unsubscribed(channel: &str) -> OutFrame {
    frame(json!({ "type": "unsubscribed", "channel": channel }))
}

pub fn error(code: &str, message: &str, channel: Option<&str>) -> OutFrame {
    let mut value = json!({ "type": "error", "code": code, "message": message });
    if let Some(channel) = channel {
        value["channel"] = channel.into();
    }
    frame(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [WS-1] The same messages in both encodings.
    #[test]
    fn both_encodings_say_the_same() {
        let text = r#"{"type":"subscribe","channel":"run:1","last_seq":7}"#;
        let packed = rmp_serde::to_vec_named(&serde_json::from_str::<Value>(text).unwrap()).unwrap();
        let expected = ClientMessage::Subscribe { channel: "run:1".to_owned(), last_seq: Some(7) };
        assert_eq!(Encoding::Json.decode(&Incoming::Text(text.into())).unwrap(), expected);
        assert_eq!(Encoding::MessagePack.decode(&Incoming::Binary(packed.clone().into(), None)).unwrap(), expected);
        assert!(Encoding::Json.decode(&Incoming::Binary(packed.into(), None)).is_err());

        let Message::Text(json) = Encoding::Json.encode(pong()) else { panic!("text") };
        let Message::Binary(packed) = Encoding::MessagePack.encode(pong()) else { panic!("binary") };
        let unpacked: Value = rmp_serde::from_slice(&packed).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), unpacked);
    }
}
