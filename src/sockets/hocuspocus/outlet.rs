//! What goes to the client: the canvases' frames, each under the name of its document, and the socket's own.
//!
//! A canvas that ends for its members alone ends that document: coming back with it would not help, and the others on
//! the socket go on. Whatever a client gets over by coming back, and whatever it did wrong, ends the socket.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream, stream::SelectAll};
use tokio::sync::mpsc;
use troupe_actors::{Close, Next, OutFrame, Outbox};
use troupe_crdt::{
    Access, Refusal,
    wire::{
        self as protocol, Message,
        hocuspocus::{self, Answer, Name},
    },
};

use super::ledger::Ledger;
use crate::sockets::{
    code,
    frame::Message as Written,
    wire::{self, Outgoing},
};

/// The writer's side of one document.
pub struct Outlet {
    /// The document's name, before everything that is said of it.
    envelope: Bytes,
    outbox: Outbox,
    ledger: SharedLedger,
}

#[derive(Clone, Debug, Default)]
pub struct SharedLedger(Arc<Mutex<Ledger>>);

impl SharedLedger {
    pub fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reason with which a document is left on this side: there is nothing to say.
pub fn left() -> Close {
    Close::new(1000, "left")
}

/// All that is to be written: what is of the socket, and of each document from when it is joined.
pub fn outgoing(own: Outbox, joined: mpsc::Receiver<Outlet>) -> impl Stream<Item = Outgoing> {
    let mut all = SelectAll::new();
    all.push(wire::messages(own, binary).boxed());
    stream::unfold((joined, all), |(mut joined, mut all)| async move {
        loop {
            tokio::select! {
                biased;
                Some(outlet) = joined.recv() => all.push(outlet.outgoing().boxed()),
                Some(outgoing) = all.next() => return Some((outgoing, (joined, all))),
                else => return None,
            }
        }
    })
}

/// A canvas sends nothing but sync frames; an event would be text.
fn binary(frame: OutFrame) -> Written {
    match frame {
        OutFrame::Sync(bytes) => Written::Binary(bytes),
        OutFrame::Event(frame) => wire::text(&frame),
    }
}

impl Outlet {
    pub fn new(name: Name<'_>, outbox: Outbox, ledger: SharedLedger) -> Self {
        Self { envelope: hocuspocus::envelope(name).into(), outbox, ledger }
    }

    fn outgoing(self) -> impl Stream<Item = Outgoing> {
        let answers = stream::unfold(Some(self), |outlet| async move {
            let outlet = outlet?;
            match outlet.outbox.next().await {
                Next::Frame(OutFrame::Sync(frame)) => Some((outlet.translate(frame), Some(outlet))),
                Next::Frame(frame) => Some((vec![Outgoing::Message(binary(frame))], Some(outlet))),
                Next::Close(close) => Some((outlet.closed(close), None)),
            }
        });
        answers.flat_map(stream::iter)
    }

    /// What one frame of the canvas is in this framing.
    fn translate(&self, frame: Bytes) -> Vec<Outgoing> {
        match protocol::decode(&frame) {
            Ok(Message::Ack(frames)) => {
                let changes = self.ledger.lock().durable(frames);
                (0..changes).map(|_| self.answer(Answer::SyncStatus { durable: true })).collect()
            }
            Ok(Message::Denied(_)) => {
                let counts = self.ledger.lock().refused();
                counts.then(|| self.answer(Answer::SyncStatus { durable: false })).into_iter().collect()
            }
            Ok(Message::Session { access, .. }) => {
                vec![self.answer(Answer::Authenticated { read_only: access == Access::ReadOnly })]
            }
            Ok(Message::SyncStep1(_)) if !self.ledger.lock().asks() => Vec::new(),
            _ => vec![self.enveloped(frame)],
        }
    }

    fn closed(&self, close: Close) -> Vec<Outgoing> {
        match close.code {
            1000 => Vec::new(),
            code::GONE | Refusal::REBUILT | Refusal::TOO_LARGE => vec![self.answer(Answer::Close(&close.reason))],
            code::UNAUTHENTICATED | code::FORBIDDEN => {
                vec![self.answer(Answer::Denied(&close.reason)), self.answer(Answer::Close(&close.reason))]
            }
            _ => vec![Outgoing::Close(close)],
        }
    }

    fn answer(&self, answer: Answer<'_>) -> Outgoing {
        self.enveloped(hocuspocus::encode(answer).into())
    }

    fn enveloped(&self, content: Bytes) -> Outgoing {
        Outgoing::Enveloped { envelope: self.envelope.clone(), content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlet() -> Outlet {
        Outlet::new(Name("d"), Outbox::new(1_000), SharedLedger::default())
    }

    fn bytes(outgoing: Vec<Outgoing>) -> Vec<Vec<u8>> {
        let bytes = |outgoing| match outgoing {
            Outgoing::Enveloped { envelope, content } => [envelope, content].concat(),
            Outgoing::Message(other) => panic!("{other:?}"),
            Outgoing::Close(close) => panic!("{close:?}"),
        };
        outgoing.into_iter().map(bytes).collect()
    }

    /// [SYNC-2] An acknowledgement is one SyncStatus for each change that it settles.
    #[test]
    fn an_acknowledgement_settles_each_change() {
        let outlet = outlet();
        (0..3).for_each(|_| outlet.ledger.lock().sends(&Message::Update(&[0, 0])));
        assert_eq!(bytes(outlet.translate(protocol::ack(2).into())), [[1, b'd', 8, 1], [1, b'd', 8, 1]]);
        assert_eq!(bytes(outlet.translate(protocol::ack(3).into())).len(), 1);
    }

    /// [SYNC-2, SYNC-10] A reader whose edit was refused is told, in words that do not end its session.
    #[test]
    fn a_refused_edit_is_not_saved() {
        let outlet = outlet();
        outlet.ledger.lock().sends(&Message::Update(&[0, 0]));
        assert_eq!(bytes(outlet.translate(protocol::denied("no").into())), [[1, b'd', 8, 0]]);
        assert!(outlet.translate(protocol::denied("no").into()).is_empty());
        // The canvas counts it as settled too.
        outlet.ledger.lock().sends(&Message::Update(&[0, 0]));
        assert_eq!(bytes(outlet.translate(protocol::ack(2).into())), [[1, b'd', 8, 1]]);
    }

    /// [SYNC-2, SYNC-10] What a session may do is told as the provider understands it, when it opens and when it changes.
    #[test]
    fn access_is_told() {
        let outlet = outlet();
        for (access, told) in [(Access::ReadOnly, "readonly"), (Access::ReadWrite, "read-write")] {
            let [frame] = &bytes(outlet.translate(protocol::session(access, 7).into()))[..] else {
                panic!("one frame")
            };
            assert!(frame.starts_with(&[1, b'd', 2, 2]) && frame.ends_with(told.as_bytes()), "{frame:?}");
        }
    }

    /// [SYNC-11] What ends for this document ends it alone; what is over by coming back ends the socket.
    #[test]
    fn a_close_ends_what_it_is_about() {
        let outlet = outlet();
        assert!(outlet.closed(left()).is_empty());
        for code in [code::GONE, Refusal::REBUILT, Refusal::TOO_LARGE] {
            assert_eq!(bytes(outlet.closed(Close::new(code, "x"))), [[1, b'd', 7, 1, b'x']]);
        }
        let refused = bytes(outlet.closed(Close::new(code::FORBIDDEN, "x")));
        assert_eq!(refused, [&[1, b'd', 2, 1, 1, b'x'][..], &[1, b'd', 7, 1, b'x']]);
        for code in [code::MALFORMED, 1012, code::TRY_AGAIN] {
            assert!(matches!(outlet.closed(Close::new(code, "x"))[..], [Outgoing::Close(_)]), "{code}");
        }
    }
}
