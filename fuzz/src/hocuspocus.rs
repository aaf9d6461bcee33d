//! Frames in Hocuspocus' framing, and what is inside them [SYNC-2] [SYNC-4].

use troupe_crdt::wire::{
    self,
    hocuspocus::{Frame, Request, decode, envelope},
};

use crate::room::Room;

pub fn target(data: &[u8]) {
    let Ok(Frame::Document(name, request)) = decode(data) else { return };
    assert!(!name.document().contains('\0'));
    let (Request::Canvas(message) | Request::Reply(message)) = request else { return };
    // The server unwraps the message, hands it on, and wraps what it tells others in the same name.
    let inside = wire::encode(message);
    assert_eq!(wire::decode(&inside), Ok(message));
    let wrapped = [envelope(name), inside.clone()].concat();
    assert_eq!(decode(&wrapped), Ok(Frame::Document(name, Request::Canvas(message))));
    Room::visit(|room| drop(room.hostile(&inside)));
}
