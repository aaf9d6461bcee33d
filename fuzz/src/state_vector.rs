//! A state vector, which asks for what it does not name [SYNC-4].

use troupe_crdt::wire::{self, Message};

use crate::room::Room;

pub fn target(data: &[u8]) {
    Room::visit(|room| {
        let Some(outcome) = room.hostile(&wire::sync_step1(data)) else { return };
        let [answer, question] = <[_; 2]>::try_from(room.answer(&outcome.asked.unwrap())).unwrap();
        let Ok(Message::SyncStep2(diff)) = wire::decode(&answer) else { panic!("a question is answered") };
        let whole = room.canvas.diff(&[0]).unwrap();
        assert!(diff.len() <= whole.len(), "an answer is never more than everything");
        assert_eq!(question, wire::sync_step1(&room.canvas.state_vector()));
        // Whoever has everything learns nothing from it.
        let before = room.author.clocks();
        room.author.apply(diff);
        assert_eq!(room.author.clocks(), before);
    });
}
