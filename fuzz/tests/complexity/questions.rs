//! What a client has, and what it may not write: answered out of the document.

use std::hint::black_box;

use troupe_crdt::{
    Access, Awareness, Canvas, Peer, UserTag,
    guard::UPDATE_CLIENTS_MAX,
    wire::{self, write_uint},
};
use troupe_fuzz::grammar::{Content, update};
use troupe_model::{SessionId, UserId};

use crate::{
    families,
    measure::{Input, State, Step},
    updates::{deleting, deletions, in_root, long_text_of},
};

families! {
    strangers_named: 20_000,
    authors_named: 2_000,
    one_named_again_and_again: 20_000,
    deletions_sent_by_a_reader: 5_000,
    deletions_sent_backwards: 5_000,
}

fn state_vector(clients: impl ExactSizeIterator<Item = u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_uint(&mut bytes, clients.len() as u64);
    for client in clients {
        write_uint(&mut bytes, client);
        write_uint(&mut bytes, 1);
    }
    bytes
}

/// The document was there before; its bytes count, for the answer is made of it.
fn asked(ground: Vec<Vec<u8>>, question: Vec<u8>) -> Input {
    let canvas = canvas_of(&ground);
    let bytes = ground.iter().map(Vec::len).sum::<usize>() + question.len();
    let items = canvas.items();
    let again = question.clone();
    let steps: Vec<Step> = vec![
        (
            "question",
            Box::new(move |state| {
                black_box(canvas.question(&question).unwrap());
                *state = Some(canvas);
            }),
        ),
        (
            "answer",
            Box::new(move |state| {
                let canvas = state.as_mut().unwrap();
                let question = canvas.question(&again).unwrap();
                black_box(canvas.answer(&question).unwrap().unwrap());
            }),
        ),
        ("vector", Box::new(|state| drop(black_box(state.as_ref().unwrap().state_vector())))),
    ];
    Input { bytes, items, steps, ..Input::default() }
}

fn canvas_of(ground: &[Vec<u8>]) -> Canvas {
    let mut canvas = Canvas::new();
    for update in ground {
        canvas.apply(update).unwrap();
    }
    canvas
}

fn strangers_named(size: usize) -> Input {
    asked(vec![long_text_of(100)], state_vector((0..size).map(|client| 1_000_000 + client as u64)))
}

fn one_named_again_and_again(size: usize) -> Input {
    asked(vec![long_text_of(100)], state_vector((0..size).map(|_| 5)))
}

fn authors_named(size: usize) -> Input {
    let clients: Vec<u64> = (0..size as u64).collect();
    let section = |client: &u64| {
        let key: &'static str = Box::leak(format!("k{client}").into_boxed_str());
        (*client, 0, vec![in_root(key, Content::Plain(7))])
    };
    let updates = clients.chunks(UPDATE_CLIENTS_MAX);
    let updates = updates.map(|clients| update(&clients.iter().map(section).collect::<Vec<_>>(), &[]));
    asked(updates.collect(), state_vector(clients.iter().copied()))
}

/// Who may only read answers our question with every deletion, twice.
fn read_only(ground: Vec<Vec<u8>>, sent: Vec<u8>) -> Input {
    let mut canvas = canvas_of(&ground);
    let bytes = ground.iter().map(Vec::len).sum::<usize>() + sent.len();
    let items = canvas.items();
    let again = sent.clone();
    let steps: Vec<Step> = vec![
        (
            "first",
            Box::new(move |state| {
                receive(&mut canvas, &sent);
                *state = Some(canvas);
            }),
        ),
        ("again", Box::new(move |state: &mut State| receive(state.as_mut().unwrap(), &again))),
    ];
    Input { bytes, items, steps, ..Input::default() }
}

fn receive(canvas: &mut Canvas, update: &[u8]) {
    let user = UserTag { id: UserId::generate(), name: "Ada".to_owned(), color: "#2f6fed".to_owned() };
    let mut peer = Peer::new(SessionId::generate(), Access::ReadOnly, user);
    let outcome = peer.receive(canvas, &mut Awareness::new(), &wire::sync_step2(update), 0).unwrap();
    assert_eq!(outcome.denied, None);
}

fn deletions_sent_by_a_reader(size: usize) -> Input {
    let deletions = deleting(&deletions(size));
    read_only(vec![long_text_of(2 * size), deletions.clone()], deletions)
}

fn deletions_sent_backwards(size: usize) -> Input {
    let mut backwards = deletions(size);
    backwards.reverse();
    read_only(vec![long_text_of(2 * size), deleting(&backwards)], deleting(&backwards))
}
