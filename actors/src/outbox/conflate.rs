//! What of a queue need not be written because something later in it says the same or more [SYNC-7].
//!
//! Done when a queue is full, so a reader that keeps up gets every frame and pays nothing. Order is kept: a later frame
//! takes the place of the earlier ones, never the other way round, so that the numbers of a channel grow.

use std::{
    collections::{HashMap, HashSet, VecDeque, hash_map::Entry},
    sync::Arc,
};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use troupe_crdt::wire;

use super::{Kind, OutFrame};
use crate::feed::{Channel, EventFrame};

/// What a frame is about. The last frame on a topic stands for those before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// The presence, the diagnostics, the last word on a node: the newest is all there is to say.
    Latest(Channel, String),
    /// Deltas of a run: the newest state of each node.
    Status(Channel),
    /// Lines of a log: the newest, and how many were dropped.
    Lines(Channel),
}

/// Leaves of each topic its last frame, and of awareness the last state of each client.
pub(super) fn conflate(queue: VecDeque<(Kind, OutFrame)>) -> VecDeque<(Kind, OutFrame)> {
    let mut kept: Vec<(Kind, OutFrame)> = Vec::with_capacity(queue.len());
    let mut last: HashMap<Topic, usize> = HashMap::new();
    let mut before: HashMap<usize, Vec<Arc<EventFrame>>> = HashMap::new();
    let mut clients = HashSet::new();
    for (kind, frame) in queue.into_iter().rev() {
        let frame = match frame {
            OutFrame::Sync(bytes) if kind == Kind::Broadcast => match newest(bytes, &mut clients) {
                Some(bytes) => OutFrame::Sync(bytes),
                None => continue,
            },
            frame => frame,
        };
        let topic = (kind == Kind::Broadcast).then(|| topic(&frame)).flatten();
        match topic.map(|topic| last.entry(topic)) {
            Some(Entry::Occupied(later)) => {
                if let (OutFrame::Event(frame), Topic::Status(_) | Topic::Lines(_)) = (frame, later.key()) {
                    before.entry(*later.get()).or_default().push(frame);
                }
                continue;
            }
            Some(Entry::Vacant(slot)) => drop(slot.insert(kept.len())),
            None => {}
        }
        kept.push((kind, frame));
    }
    for (place, earlier) in before {
        if let OutFrame::Event(frame) = &mut kept[place].1 {
            *frame = Arc::new(gathered(frame, &earlier));
        }
    }
    kept.into_iter().rev().collect()
}

fn topic(frame: &OutFrame) -> Option<Topic> {
    match frame {
        OutFrame::Sync(_) => None,
        OutFrame::Event(frame) => frame.topic().cloned(),
    }
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

/// The newest frame of a topic with what those before it say and it does not; `earlier` is newest first.
fn gathered(newest: &EventFrame, earlier: &[Arc<EventFrame>]) -> EventFrame {
    let mut value = newest.value();
    let data = &mut value["data"];
    match newest.topic() {
        Some(Topic::Status(_)) => {
            let mut nodes = data["nodes"].as_object().cloned().unwrap_or_default();
            for frame in earlier {
                let older = &frame.value()["data"];
                for (node, state) in older["nodes"].as_object().unwrap_or(&Map::new()) {
                    nodes.entry(node).or_insert_with(|| state.clone());
                }
                if data["status"].is_null() && !older["status"].is_null() {
                    data["status"] = older["status"].clone();
                }
            }
            data["nodes"] = Value::Object(nodes);
        }
        _ => {
            let dropped = |data: &Value| data["dropped"].as_u64().unwrap_or(0);
            let lines = |data: &Value| data["entries"].as_array().map_or(0, Vec::len) as u64;
            let older: u64 = earlier
                .iter()
                .map(|frame| frame.value())
                .map(|frame| lines(&frame["data"]) + dropped(&frame["data"]))
                .sum();
            data["dropped"] = json!(dropped(data) + older);
        }
    }
    EventFrame::on(newest.topic().cloned(), &value)
}

#[cfg(test)]
mod tests {
    use troupe_model::RunId;

    use super::*;

    fn event(topic: Option<Topic>, seq: u64, data: Value) -> (Kind, OutFrame) {
        let value = json!({ "seq": seq, "data": data });
        (Kind::Broadcast, OutFrame::Event(Arc::new(EventFrame::on(topic, &value))))
    }

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

    /// [SYNC-7] Run status is conflated per node: the newest of each, and of the run.
    #[test]
    fn status_is_the_newest_of_each_node() {
        let run = Channel::Run(RunId::generate());
        let status = |seq, data| event(Some(Topic::Status(run)), seq, data);
        let told = told(
            [
                status(1, json!({ "nodes": { "a": 1, "b": 1 }, "status": "running" })),
                event(None, 2, json!("kept")),
                status(3, json!({ "nodes": { "a": 2, "c": 1 } })),
                status(4, json!({ "nodes": { "a": 3 } })),
                event(Some(Topic::Status(Channel::Run(RunId::generate()))), 1, json!({ "nodes": { "a": 9 } })),
            ]
            .into(),
        );
        assert_eq!(told.len(), 3);
        assert_eq!(told[0], json!({ "seq": 2, "data": "kept" }));
        let nodes = json!({ "a": 3, "b": 1, "c": 1 });
        assert_eq!(told[1], json!({ "seq": 4, "data": { "nodes": nodes, "status": "running" } }));
        assert_eq!(told[2]["data"]["nodes"], json!({ "a": 9 }));
    }

    /// [SYNC-7] Of a log the newest lines are kept, and it is told how many are not.
    #[test]
    fn lines_are_dropped_and_counted() {
        let run = Channel::RunLog(RunId::generate());
        let lines = |seq, data| event(Some(Topic::Lines(run)), seq, data);
        let queue = [
            lines(1, json!({ "entries": [1, 2], "dropped": 5 })),
            lines(2, json!({ "entries": [3] })),
            lines(3, json!({ "entries": [4] })),
        ];
        let told = told(queue.into());
        assert_eq!(told, [json!({ "seq": 3, "data": { "entries": [4], "dropped": 8 } })]);
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
