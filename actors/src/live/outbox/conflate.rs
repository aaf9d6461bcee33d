//! What of a queue need not be written because something later in it says the same or more [SYNC-7].
//!
//! Done when a queue is full, so a reader that keeps up gets every frame and pays nothing. Order is kept.

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;
use troupe_crdt::wire;

use super::{Kind, OutFrame};

/// Leaves of awareness the last state of each client.
pub(super) fn conflate(queue: VecDeque<(Kind, OutFrame)>) -> VecDeque<(Kind, OutFrame)> {
    let mut clients = HashSet::new();
    let newest = queue.into_iter().rev().filter_map(|(kind, frame)| match frame {
        OutFrame::Sync(bytes) if kind == Kind::Broadcast => {
            newest(bytes, &mut clients).map(|bytes| (kind, OutFrame::Sync(bytes)))
        }
        frame => Some((kind, frame)),
    });
    let kept: VecDeque<_> = newest.collect();
    kept.into_iter().rev().collect()
}

/// What a frame tells of awareness that no later one does, whose clients are these; any other frame as it is.
fn newest(frame: Bytes, later: &mut HashSet<u64>) -> Option<Bytes> {
    let Some(mut entries) = wire::awareness_entries(&frame) else { return Some(frame) };
    let all = entries.len();
    entries.retain(|(client, _)| later.insert(*client));
    match entries.len() {
        0 => None,
        left if left == all => Some(frame),
        _ => Some(Bytes::from(wire::awareness_of(&entries))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn awareness(client: u8, clock: u8) -> (Kind, OutFrame) {
        (Kind::Broadcast, OutFrame::Sync(vec![1, 6, 1, client, clock, 2, b'{', b'}'].into()))
    }

    fn told(queue: VecDeque<(Kind, OutFrame)>) -> Vec<Value> {
        let told = |(_, frame)| match frame {
            OutFrame::Sync(bytes) => json!(bytes.to_vec()),
            OutFrame::Event(frame) => serde_json::from_slice(frame.json()).unwrap(),
        };
        conflate(queue).into_iter().map(told).collect()
    }

    /// [SYNC-7] Awareness is conflated per client; updates of the document are not touched, nor is what was asked for.
    #[test]
    fn awareness_is_the_newest_of_each_client() {
        let update = (Kind::Broadcast, OutFrame::Sync(vec![0, 2, 2, 0, 0].into()));
        let asked = (Kind::Answer, awareness(5, 1).1);
        let queue = [awareness(5, 1), asked, update.clone(), awareness(6, 1), update.clone(), awareness(5, 2)];
        let told = told(queue.into());
        let [one, two] = [[1, 6, 1, 6, 1, 2, 123, 125], [1, 6, 1, 5, 2, 2, 123, 125]].map(|frame| json!(frame));
        let update = json!([0, 2, 2, 0, 0]);
        assert_eq!(told, [json!([1, 6, 1, 5, 1, 2, 123, 125]), update.clone(), one, update, two]);
    }

    /// [SYNC-7] Also when a frame tells of several clients: of each the newest is left.
    #[test]
    fn awareness_of_many_is_the_newest_of_each_client() {
        let both = |clock| {
            let entries: [(u64, &[u8]); 2] = [(5, &[5, clock, 1, b'x']), (6, &[6, clock, 1, b'x'])];
            (Kind::Broadcast, OutFrame::Sync(wire::awareness_of(&entries).into()))
        };
        let told = told([both(1), awareness(6, 2), both(3), awareness(5, 4)].into());
        let six = wire::awareness_of(&[(6, &[6, 3, 1, b'x'])]);
        assert_eq!(told, [json!(six), json!([1, 6, 1, 5, 4, 2, 123, 125])]);
    }
}
