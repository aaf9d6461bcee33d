//! Who is connected: a session with a document of its own, and a watcher of a channel.

use serde_json::Value;
use troupe_actors::{CanvasSession, Close, Next, OutFrame, Outbox, Subscription};
use troupe_crdt::{
    Canvas,
    wire::{self, Message},
};
use troupe_model::{Diagram, Node, NodeData};

use crate::world::diagram;

/// A session with a document of its own.
pub struct Client {
    pub session: CanvasSession,
    pub canvas: Canvas,
    pub acknowledged: u64,
}

/// Nodes that come and go with each of the overwrites of a [`Client`].
const PASSING: usize = 60;

impl Client {
    pub async fn greet(session: CanvasSession) -> Self {
        let mut client = Self { session, canvas: Canvas::new(), acknowledged: 0 };
        let hello = wire::sync_step1(&client.canvas.state_vector());
        client.session.send(hello.into(), None).await;
        // Our question, then its answer to ours.
        while !client.take().await {}
        client
    }

    /// Takes one frame; tells whether it was the answer to the first question.
    pub async fn take(&mut self) -> bool {
        let Next::Frame(OutFrame::Sync(frame)) = self.session.outbox().next().await else {
            panic!("the session was closed")
        };
        match wire::decode(&frame).unwrap() {
            Message::SyncStep2(update) => {
                self.canvas.apply(update).unwrap();
                return true;
            }
            Message::Update(update) => drop(self.canvas.apply(update).unwrap()),
            Message::Ack(count) => self.acknowledged = count,
            _ => {}
        }
        false
    }

    /// Edits its own document and sends the update.
    pub async fn draw(&mut self, plan: &str) {
        let update = self.canvas.edit(&diagram(plan)).expect("it changes something");
        self.session.send(wire::update(&update).into(), None).await;
    }

    /// Overwrites a value and waits until that is durable; or the close, if it comes first. Many nodes come and go with
    /// it: they are what stays of the past.
    pub async fn overwrite(&mut self, label: &str) -> Result<(), Close> {
        let mut target = self.canvas.project();
        // Those of an edit that a close cut short.
        target.nodes.retain(|node| !node.id.starts_with("~passing"));
        target.nodes[0].data.label = label.to_owned();
        let mut crowd = target.clone();
        let data = NodeData { label: String::new(), ..target.nodes[0].data.clone() };
        // Behind all others: whoever looks between the two sees the labelled node first.
        let passing = |n| Node { id: format!("~passing {n}"), data: data.clone(), ..target.nodes[0].clone() };
        crowd.nodes.extend((0..PASSING).map(passing));
        self.save([&crowd, &target]).await
    }

    /// Adds notes and removes every other of them again, so that their deletions do not merge.
    pub async fn leave_gaps(&mut self, gaps: usize) -> Result<(), Close> {
        let mut target = self.canvas.project();
        let first = target.notes.last_key_value().map_or(0, |(id, _)| id.parse::<usize>().unwrap() + 1);
        let ids: Vec<_> = (first..first + 2 * gaps).map(|n| format!("{n:06}")).collect();
        target.notes.extend(ids.iter().map(|id| (id.clone(), Value::Null)));
        let all = target.clone();
        ids.iter().step_by(2).for_each(|id| drop(target.notes.remove(id)));
        self.save([&all, &target]).await
    }

    /// Edits to each of these and waits until that is durable; or the close, if it comes first.
    async fn save<const N: usize>(&mut self, targets: [&Diagram; N]) -> Result<(), Close> {
        let all = self.acknowledged + N as u64;
        for target in targets {
            let update = self.canvas.edit(target).expect("it changes something");
            self.session.send(wire::update(&update).into(), None).await;
        }
        while self.acknowledged < all {
            match self.session.outbox().next().await {
                Next::Close(close) => return Err(close),
                Next::Frame(OutFrame::Sync(frame)) => {
                    if let Message::Ack(count) = wire::decode(&frame).unwrap() {
                        self.acknowledged = count;
                    }
                }
                Next::Frame(OutFrame::Event(event)) => panic!("{event:?}"),
            }
        }
        Ok(())
    }

    pub async fn until(&mut self, mut done: impl FnMut(&Self) -> bool) {
        while !done(self) {
            self.take().await;
        }
    }

    pub fn node_ids(&self) -> Vec<String> {
        self.canvas.project().nodes.into_iter().map(|node| node.id).collect()
    }

    /// The close that ends the session.
    pub async fn closed(&self) -> Close {
        closed(self.session.outbox()).await
    }
}

pub async fn closed(outbox: &Outbox) -> Close {
    loop {
        if let Next::Close(close) = outbox.next().await {
            return close;
        }
    }
}

pub struct Watcher {
    outbox: Outbox,
    _subscription: Subscription,
}

impl Watcher {
    pub fn new(outbox: Outbox, subscription: Subscription) -> Self {
        Self { outbox, _subscription: subscription }
    }

    /// The close that ends the connection.
    pub async fn closed(&self) -> Close {
        closed(&self.outbox).await
    }

    pub async fn next(&self) -> Value {
        self.next_or_close().await.unwrap()
    }

    pub async fn next_or_close(&self) -> Result<Value, Close> {
        match self.outbox.next().await {
            Next::Frame(OutFrame::Event(frame)) => Ok(serde_json::from_slice(frame.json()).unwrap()),
            Next::Frame(other) => panic!("{other:?}"),
            Next::Close(close) => Err(close),
        }
    }

    pub async fn until(&self, kind: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["type"] == kind {
                return message;
            }
        }
    }
}
