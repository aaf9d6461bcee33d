//! A person's connection to the server, and the frames that wait on either side of it.

use std::collections::VecDeque;

use futures::{FutureExt, SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use troupe_crdt::wire;

use super::document::{Document, Edit};
use crate::{
    app::{Client, TestApp},
    sockets::{Socket, collab_with, next},
};

const ACKNOWLEDGEMENT: u8 = 100;
/// How often people meet before they must have the same.
const ROUNDS_MAX: usize = 10;

pub struct Link {
    pub document: Document,
    socket: Option<Socket>,
    /// Frames that the person has not sent yet.
    pub up: VecDeque<Vec<u8>>,
}

impl Link {
    pub fn new(document: Document) -> Self {
        Self { document, socket: None, up: VecDeque::new() }
    }

    pub async fn edit(&mut self, edit: &Edit) {
        let updates = self.document.edit(edit).await;
        self.up.extend(updates.iter().map(|update| wire::update(update)));
    }

    /// A new connection, whatever was on its way over the last.
    pub async fn connect(&mut self, app: &TestApp, person: &Client, workflow: &str) {
        self.cut();
        self.socket = Some(collab_with(app, person, workflow, "&ack=1").await);
        let question = wire::sync_step1(&self.document.state_vector().await);
        self.say(question).await;
    }

    /// Nobody is told, and what was not sent is lost.
    pub fn cut(&mut self) {
        self.up.clear();
        self.socket = None;
    }

    pub fn is_connected(&self) -> bool {
        self.socket.is_some()
    }

    /// Sends what waited first.
    pub async fn send(&mut self) {
        if let Some(frame) = self.up.pop_front() {
            self.say(frame).await;
        }
    }

    async fn say(&mut self, frame: Vec<u8>) {
        if let Some(socket) = &mut self.socket {
            // A server that has just gone does not hear it; the next connection brings it.
            let _ = socket.send(Message::binary(frame)).await;
        }
    }

    /// Takes at most so many of the frames that have arrived.
    pub async fn hear(&mut self, frames: usize) {
        for _ in 0..frames {
            let Some(socket) = &mut self.socket else { return };
            match socket.next().now_or_never() {
                Some(Some(Ok(Message::Binary(frame)))) => {
                    self.take(&frame).await;
                }
                Some(Some(Ok(Message::Close(close)))) => panic!("an honest person was sent away: {close:?}"),
                Some(Some(Ok(_))) => {}
                Some(Some(Err(_)) | None) => return self.cut(),
                None => return,
            }
        }
    }

    /// Sends and hears until both sides have all of each other, and the server has stored it.
    pub async fn sync(&mut self) {
        while !self.up.is_empty() {
            self.send().await;
        }
        let (mut answered, mut acknowledged) = (false, false);
        while !(answered && acknowledged) {
            let socket = self.socket.as_mut().unwrap();
            let Message::Binary(frame) = next(socket).await else { panic!("the server closed") };
            match self.take(&frame).await {
                Heard::Answer => answered = true,
                Heard::Acknowledgement => acknowledged = true,
                Heard::Other => {}
            }
            while !self.up.is_empty() {
                self.send().await;
            }
        }
    }

    async fn take(&mut self, frame: &[u8]) -> Heard {
        if frame[0] == ACKNOWLEDGEMENT {
            return Heard::Acknowledgement;
        }
        match wire::decode(frame) {
            Ok(wire::Message::SyncStep1(since)) => {
                let diff = self.document.diff(since).await;
                self.up.push_back(wire::sync_step2(&diff));
            }
            Ok(wire::Message::SyncStep2(update)) => {
                self.document.apply(update).await;
                return Heard::Answer;
            }
            Ok(wire::Message::Update(update)) => self.document.apply(update).await,
            _ => {}
        }
        Heard::Other
    }
}

enum Heard {
    /// What this side lacked.
    Answer,
    Acknowledgement,
    Other,
}

/// Everyone meets until nobody learns anything more: the server itself may repair something meanwhile.
pub async fn settle(links: &mut [Link], app: &TestApp, person: &Client, workflow: &str) {
    for _ in 0..ROUNDS_MAX {
        let mut known = Vec::new();
        for link in links.iter_mut() {
            link.connect(app, person, workflow).await;
            link.sync().await;
        }
        for link in links.iter_mut() {
            // Clocks say nothing of deletions, such as the server's repairs.
            known.push((link.document.clocks().await, link.document.json().await));
        }
        if known.windows(2).all(|pair| pair[0] == pair[1]) {
            return;
        }
    }
    panic!("people still learn something new after {ROUNDS_MAX} rounds");
}
