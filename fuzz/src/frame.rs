//! Frames of one session into a canvas that others use [SYNC-4].

use troupe_crdt::wire::{Reader, write_buf};

use crate::room::Room;

/// Frames one after the other, each with its length before it.
pub fn target(data: &[u8]) {
    Room::visit(|room| {
        let mut frames = Reader::new(data);
        while let Ok(frame) = frames.buf() {
            room.hostile(frame);
        }
    });
}

pub fn input(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut input = Vec::new();
    frames.iter().for_each(|frame| write_buf(&mut input, frame));
    input
}
