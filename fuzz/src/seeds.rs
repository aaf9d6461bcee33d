//! What mutation starts from: good inputs of each kind, and byte strings that broke something once.

use troupe_crdt::{Canvas, wire};

use crate::{
    awareness::announcement,
    frame,
    grammar::{Content, Item, Parent, update},
    room::{GROUND, HONEST},
};

/// `yrs` 0.28 panics on the first, and can encode nothing any more after the second.
pub const POISON: [&[u8]; 2] = [
    &[1, 0, 11, 0, 0],
    &[0x01, 0x01, 0x0b, 0x18, 0xf2, 0xa8, 0x0b, 0x0a, 0x01, 0x7c, 0x00, 0x00, 0x00, 0x00, 0x01, 0x0b, 0xd7, 0xa8, 0x01],
];

pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "awareness" => vec![announcement(&[(12, 1, r#"{"cursor":{"x":1}}"#), (HONEST, 7, "null")])],
        "diagram" => diagrams(),
        "frame" => {
            frames().iter().map(|frame| frame::input(std::slice::from_ref(frame))).chain([whole_session()]).collect()
        }
        "hocuspocus" => frames().iter().map(|frame| [b"\x04w1\0s", &frame[..]].concat()).chain(hocuspocus()).collect(),
        "state_vector" => state_vectors(),
        "update" => vec![(0..=255).collect(), [0x5a, 0x13, 0xc7, 0x88].repeat(200)],
        _ => Vec::new(),
    }
}

fn ground() -> Canvas {
    Canvas::open(None, GROUND.iter()).expect("the ground is a document")
}

/// What a session says, and what none may say.
pub fn frames() -> Vec<Vec<u8>> {
    let poison = POISON.into_iter().flat_map(|update| [wire::update(update), wire::sync_step2(update)]);
    let good = GROUND.iter().map(|update| wire::update(update));
    let others = [
        wire::sync_step1(&[0]),
        wire::sync_step2(&[0, 0]),
        wire::sync_step2(&ground().diff(&[0]).unwrap()),
        wire::awareness(&announcement(&[(12, 1, "{}")])),
        vec![3],
        wire::ack(1),
        wire::denied("no"),
        wire::update(&by_hand()),
    ];
    poison.chain(good).chain(others).collect()
}

/// One of each content.
fn by_hand() -> Vec<u8> {
    let note = |key, content| Item { content, ..Item::new(Parent::Root("notes"), Some(key)) };
    let inside = |content| Item { content, ..Item::new(Parent::Item(12, 1), None) };
    let items = vec![
        note("map", Content::Map),
        note("text", Content::SharedText),
        inside(Content::Text("a😀b".to_owned())),
        Item { left: Some((12, 3)), right: Some((12, 4)), ..inside(Content::Text("mid".to_owned())) },
        note("gone", Content::Deleted(1)),
        note("any", Content::Raw(8, b"\x01v\x02\x01au\x02x~\x01b|?\x80\0\0".to_vec())),
        Item { content: Content::Gc(2), ..Item::new(Parent::Root("notes"), None) },
    ];
    update(&[(12, 0, items)], &[(12, 0, 1)])
}

fn whole_session() -> Vec<u8> {
    frame::input(&[wire::sync_step1(&[0]), wire::update(&by_hand()), wire::sync_step2(&GROUND[0]), vec![3]])
}

fn hocuspocus() -> Vec<Vec<u8>> {
    let named = |rest: &[u8]| [b"\x02w1", rest].concat();
    vec![
        vec![9],
        vec![10],
        named(b"\x02\x00\x05token\x054.0.0"),
        named(b"\x02\x00\x00"),
        named(b"\x05\x02hi"),
        named(b"\x06\x02hi"),
        named(b"\x07\x03bye"),
        named(b"\x07"),
    ]
}

fn state_vectors() -> Vec<Vec<u8>> {
    vec![vec![0], ground().state_vector(), vec![2, 11, 3, 12, 0], vec![1, 11, 0xff, 0xff, 0xff, 0xff, 7]]
}

fn diagrams() -> Vec<Vec<u8>> {
    let examples = [
        r#"{"nodes":[{"id":"a","position":{"x":1,"y":2.5},"data":{"label":"A","nodeType":"sql","config":{"query":"select 1\nfrom input","n":[1,{"x":null}],"o":{"p":"q"}}}},{"id":"b","parentId":"a","width":1e3,"height":-0.0,"data":{"nodeType":"filter","disabled":true,"notes":"look","connectorType":"pg"}}],"edges":[{"id":"e","source":"a","target":"b","sourceHandle":"out","targetHandle":"in"}],"viewport":{"x":0,"y":0,"zoom":1},"notes":{"n":{"text":"note"}}}"#,
        r#"{"nodes":[{"id":"a","data":{"nodeType":"sql","config":{"query":"select 2\nfrom input 😀"}}}]}"#,
        r#"{"format_version":1,"name":"W","parameters":{"p":9007199254740993},"tags":["t"],"diagram":{"nodes":[{"id":"","data":{"nodeType":""}}],"edges":[{"id":"x","source":"","target":""}]}}"#,
    ];
    let both = examples[..2].join("\n");
    examples.into_iter().map(ToOwned::to_owned).chain([both]).map(String::into_bytes).collect()
}
