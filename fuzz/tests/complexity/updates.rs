//! Updates by the kind of their blocks and their shape, and what the canvas does with them later.

use std::hint::black_box;

use troupe_crdt::{Canvas, guard};
use troupe_fuzz::grammar::{Content, Item, Parent, update};

use crate::{
    families,
    measure::{Input, State, Step},
};

const AUTHOR: u64 = 5;
const OTHER: u64 = 9;
const NONE: [&[u8]; 0] = [];

families! {
    values_appended: 5_000,
    key_overwritten: 5_000,
    key_overwritten_by_another: 5_000,
    keys_overwritten_backwards: 5_000,
    text_appended_by_6: 5_000,
    text_appended_by_1: 5_000,
    text_prepended: 5_000,
    maps_made: 5_000,
    first_places_by_two: 2_000,
    first_places_after: 2_000,
    same_gap_by_many: 1_000,
    every_second_character_deleted: 5_000,
    every_second_value_deleted: 5_000,
    characters_put_between: 5_000,
    characters_put_between_backwards: 5_000,
    characters_put_between_anyhow: 10_000,
    two_take_turns: 5_000,
    authors: 1_000,
    collected: 10_000,
    deleted: 5_000,
    formats: 5_000,
    formats_over_text: 2_000,
    types_nested_and_deleted: 200,
    children_deleted: 5_000,
    value_of_many: 50_000,
    long_text: 500_000,
    deletions_known: 10_000,
    backwards_text_deleted: 5_000,
    entries_deleted_with_their_map: 2_000,
    late_into_deleted: 5_000,
    late_into_two_deleted: 5_000,
    late_between_in_deleted: 5_000,
    named_from_an_epoch_before: 4_000,
}

/// Applies the ground, which was there before, and then what is measured.
fn sent(ground: Vec<Vec<u8>>, update: Vec<u8>) -> Input {
    let sent = || ground.iter().chain([&update]);
    let (bytes, items) = (sent().map(Vec::len).sum(), sent().map(|update| items(update)).sum());
    let mut prepared = Canvas::new();
    for update in &ground {
        prepared.apply(update).unwrap();
    }
    // The prepared canvas is not part of what is measured.
    let steps: Vec<Step> = vec![
        (
            "apply",
            Box::new(move |state| {
                let mut canvas = prepared;
                black_box(canvas.apply(&update).is_ok());
                *state = Some(canvas);
            }),
        ),
        ("project", Box::new(|state| drop(black_box(canvas(state).project())))),
        ("diff", Box::new(|state| drop(black_box(canvas(state).diff(&[0]).unwrap())))),
        ("repair", Box::new(|state| drop(black_box(state.as_mut().unwrap().repair())))),
        ("snapshot", Box::new(|state| drop(black_box(canvas(state).snapshot())))),
        ("rebuild", Box::new(|state| drop(black_box(canvas(state).rebuilt())))),
        (
            "open",
            Box::new(|state| {
                let log = [canvas(state).diff(&[0]).unwrap()];
                drop(black_box(Canvas::open_noting(None, log, |_, touched| drop(black_box(touched)))));
            }),
        ),
        (
            "reopen",
            Box::new(|state| {
                let snapshot = canvas(state).snapshot().unwrap();
                *state = Some(Canvas::open(Some(&snapshot.bytes), NONE).unwrap());
            }),
        ),
        (
            "edit",
            Box::new(|state| {
                let canvas = state.as_mut().unwrap();
                let mut diagram = canvas.project();
                diagram.nodes.clear();
                diagram.edges.clear();
                black_box(canvas.edit(&diagram));
            }),
        ),
    ];
    Input { bytes, items, steps, ..Input::default() }
}

/// Those that it brings, and two for each deletion that cuts another.
fn items(update: &[u8]) -> usize {
    let sketch = guard::sketch(update).unwrap();
    sketch.sections.iter().map(|section| section.blocks.len()).sum::<usize>() + 2 * sketch.deletes.len()
}

fn canvas(state: &State) -> &Canvas {
    state.as_ref().unwrap()
}

pub fn in_root(key: &'static str, content: Content) -> Item {
    Item { content, ..Item::new(Parent::Root("notes"), Some(key)) }
}

fn array(key: &'static str) -> Item {
    in_root(key, Content::Raw(7, vec![0]))
}

fn after(left: (u64, u32), content: Content) -> Item {
    Item { left: Some(left), content, ..Item::new(Parent::Neighbour, None) }
}

fn between(left: Option<(u64, u32)>, right: Option<(u64, u32)>, content: Content) -> Item {
    Item { left, right, content, ..Item::new(Parent::Neighbour, None) }
}

fn first(content: Content) -> Item {
    Item { content, ..Item::new(Parent::Item(AUTHOR, 0), None) }
}

fn one() -> Content {
    Content::Plain(7)
}

fn text(characters: usize) -> Content {
    Content::Text("a".repeat(characters))
}

/// Items of the author, one after the other, from clock 0.
fn chain(head: Item, size: usize, next: impl Fn(u32) -> Item) -> Vec<u8> {
    let items = std::iter::once(head).chain((0..size as u32).map(next)).collect();
    update(&[(AUTHOR, 0, items)], &[])
}

fn values_appended(size: usize) -> Input {
    let update = chain(array("n"), size, |clock| if clock == 0 { first(one()) } else { after((AUTHOR, clock), one()) });
    sent(vec![], update)
}

fn key_overwritten(size: usize) -> Input {
    sent(vec![], chain(in_root("k", one()), size, |clock| after((AUTHOR, clock), one())))
}

fn key_overwritten_by_another(size: usize) -> Input {
    let ground = chain(in_root("k", one()), 0, |_| unreachable!());
    let items =
        (0..size as u32).map(|clock| after(if clock == 0 { (AUTHOR, 0) } else { (OTHER, clock - 1) }, one())).collect();
    sent(vec![ground], update(&[(OTHER, 0, items)], &[]))
}

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

/// Many maps of few keys, whose first values are overwritten from the last to the first.
fn keys_overwritten_backwards(size: usize) -> Input {
    let mut items = Vec::new();
    for map in 0..(size / KEYS.len()) as u32 {
        let key: &'static str = Box::leak(format!("m{map}").into_boxed_str());
        items.push(in_root(key, Content::Map));
        let parent = items.len() as u32 - 1;
        for key in KEYS {
            items.push(Item::new(Parent::Item(AUTHOR, parent), Some(key)));
        }
    }
    let total = items.len() as u32;
    let values = (0..total).rev().filter(|clock| clock % (KEYS.len() as u32 + 1) != 0);
    let overwrites = values.map(|clock| after((AUTHOR, clock), one())).collect();
    sent(vec![update(&[(AUTHOR, 0, items)], &[])], update(&[(OTHER, 0, overwrites)], &[]))
}

fn text_appended_by_6(size: usize) -> Input {
    text_appended(size, 6)
}

fn text_appended_by_1(size: usize) -> Input {
    text_appended(size, 1)
}

fn text_appended(size: usize, characters: u32) -> Input {
    let piece = move || text(characters as usize);
    let update = chain(in_root("t", Content::SharedText), size, |index| match index {
        0 => first(piece()),
        _ => after((AUTHOR, index * characters), piece()),
    });
    sent(vec![], update)
}

fn text_prepended(size: usize) -> Input {
    sent(vec![], backwards_text(size))
}

fn maps_made(size: usize) -> Input {
    let items = (0..size).map(|map| in_root(Box::leak(format!("m{map}").into_boxed_str()), Content::Map)).collect();
    sent(vec![], update(&[(AUTHOR, 0, items)], &[]))
}

/// Two put everything at the beginning of one list, each not knowing of the other.
fn first_places_by_two(size: usize) -> Input {
    let mine = std::iter::once(array("n")).chain((0..size).map(|_| first(one()))).collect();
    let theirs = (0..size).map(|_| first(one())).collect();
    sent(vec![], update(&[(OTHER, 0, theirs), (AUTHOR, 0, mine)], &[]))
}

/// The same, when one of them was there before.
fn first_places_after(size: usize) -> Input {
    let ground = chain(array("n"), size, |_| first(one()));
    let theirs = (0..size).map(|_| first(one())).collect();
    sent(vec![ground], update(&[(OTHER, 0, theirs)], &[]))
}

/// Many who put one thing each between the same two.
fn same_gap_by_many(size: usize) -> Input {
    let ground = chain(array("n"), 2, |clock| if clock == 0 { first(one()) } else { after((AUTHOR, clock), one()) });
    let sections: Vec<_> = (0..size as u64)
        .map(|author| (100 + author, 0, vec![between(Some((AUTHOR, 1)), Some((AUTHOR, 2)), one())]))
        .collect();
    let updates: Vec<u8> = update(&sections, &[]);
    sent(vec![ground], updates)
}

pub fn deletions(size: usize) -> Vec<(u32, u32)> {
    (0..size as u32).map(|index| (2 * index + 1, 1)).collect()
}

pub fn deleting(ranges: &[(u32, u32)]) -> Vec<u8> {
    use troupe_crdt::wire::write_uint;
    let mut out = vec![0, 1];
    write_uint(&mut out, AUTHOR);
    write_uint(&mut out, ranges.len() as u64);
    for (clock, len) in ranges {
        write_uint(&mut out, (*clock).into());
        write_uint(&mut out, (*len).into());
    }
    out
}

pub fn long_text_of(size: usize) -> Vec<u8> {
    chain(in_root("t", Content::SharedText), 1, |_| first(text(size)))
}

/// One value that holds many in a list.
fn long_list_of(size: usize) -> Vec<u8> {
    use troupe_crdt::wire::write_uint;
    let mut values = Vec::new();
    write_uint(&mut values, size as u64);
    values.extend(std::iter::repeat_n(120, size));
    chain(array("n"), 1, |_| first(Content::Raw(8, values.clone())))
}

fn every_second_character_deleted(size: usize) -> Input {
    sent(vec![long_text_of(2 * size)], deleting(&deletions(size)))
}

fn every_second_value_deleted(size: usize) -> Input {
    let sent = sent(vec![long_list_of(2 * size)], deleting(&deletions(size)));
    Input { values: 2 * size, ..sent }
}

fn put_between(size: usize, order: impl Iterator<Item = u32>) -> Input {
    let items = order.map(|at| between(Some((AUTHOR, at + 1)), Some((AUTHOR, at + 2)), text(1))).collect();
    sent(vec![long_text_of(size + 1)], update(&[(OTHER, 0, items)], &[]))
}

fn characters_put_between(size: usize) -> Input {
    put_between(size, 0..size as u32)
}

fn characters_put_between_backwards(size: usize) -> Input {
    put_between(size, (0..size as u32).rev())
}

fn characters_put_between_anyhow(size: usize) -> Input {
    // A step that shares no factor with the size visits every place once.
    let size = size as u64;
    let step = (size * 618 / 1_000) | 1;
    put_between(size as usize, (0..size).map(move |index| (index * step % size) as u32))
}

/// Each block stands after the other author's latest.
fn two_take_turns(size: usize) -> Input {
    let half = size as u32 / 2;
    let mine = std::iter::once(array("n"))
        .chain((0..half).map(|clock| if clock == 0 { first(one()) } else { after((OTHER, clock - 1), one()) }))
        .collect();
    let theirs = (0..half).map(|clock| after((AUTHOR, clock + 1), one())).collect();
    sent(vec![], update(&[(AUTHOR, 0, mine), (OTHER, 0, theirs)], &[]))
}

fn authors(size: usize) -> Input {
    let sections: Vec<_> = (0..size as u64).map(|author| (author + 1, 0, vec![in_root("k", one())])).collect();
    sent(vec![], update(&sections, &[]))
}

fn collected(size: usize) -> Input {
    sent(vec![], update(&[(AUTHOR, 0, (0..size).map(|_| in_root("k", Content::Gc(1))).collect())], &[]))
}

fn deleted(size: usize) -> Input {
    let update = chain(array("n"), size, |clock| match clock {
        0 => first(Content::Deleted(1)),
        _ => after((AUTHOR, clock), Content::Deleted(1)),
    });
    sent(vec![], update)
}

fn format(key: &str) -> Content {
    use troupe_crdt::wire::write_buf;
    let mut bytes = Vec::new();
    write_buf(&mut bytes, key.as_bytes());
    write_buf(&mut bytes, b"true");
    Content::Raw(6, bytes)
}

fn formats(size: usize) -> Input {
    let update = chain(in_root("t", Content::SharedText), size, |clock| match clock {
        0 => first(format("b")),
        _ => after((AUTHOR, clock), format("b")),
    });
    sent(vec![], update)
}

/// Formats of many names, open over all the characters after them.
fn formats_over_text(size: usize) -> Input {
    let update = chain(in_root("t", Content::SharedText), size, |clock| match clock {
        0 => first(text(1)),
        _ if clock % 2 == 1 => after((AUTHOR, clock), format(&clock.to_string())),
        _ => after((AUTHOR, clock), text(1)),
    });
    sent(vec![], update)
}

/// Chains of maps as deep as allowed, and all of them deleted.
fn types_nested_and_deleted(size: usize) -> Input {
    let depth = 30;
    let mut items = Vec::new();
    for chain in 0..size {
        items.push(in_root(Box::leak(format!("m{chain}").into_boxed_str()), Content::Map));
        for _ in 1..depth {
            let parent = items.len() as u32 - 1;
            items.push(Item { content: Content::Map, ..Item::new(Parent::Item(AUTHOR, parent), Some("k")) });
        }
    }
    let tops: Vec<_> = (0..size as u32).map(|chain| (chain * depth, 1)).collect();
    sent(vec![update(&[(AUTHOR, 0, items)], &[])], deleting(&tops))
}

/// A deletion of six bytes that takes everything with it.
fn children_deleted(size: usize) -> Input {
    let ground = chain(array("n"), size, |_| first(one()));
    sent(vec![ground], deleting(&[(0, 1)]))
}

fn value_of_many(size: usize) -> Input {
    Input { values: size, ..sent(vec![], long_list_of(size)) }
}

fn long_text(size: usize) -> Input {
    sent(vec![], long_text_of(size))
}

/// What the canvas knows to be deleted is said again.
fn deletions_known(size: usize) -> Input {
    let ground = vec![long_list_of(2 * size), deleting(&deletions(size))];
    Input { values: 2 * size, ..sent(ground, deleting(&deletions(size))) }
}

fn backwards_text(size: usize) -> Vec<u8> {
    chain(in_root("t", Content::SharedText), size, |clock| match clock {
        0 => first(text(1)),
        _ => between(None, Some((AUTHOR, clock)), text(1)),
    })
}

fn backwards_text_deleted(size: usize) -> Input {
    sent(vec![backwards_text(size)], deleting(&[(0, 1)]))
}

fn entries_deleted_with_their_map(size: usize) -> Input {
    let items = std::iter::once(in_root("m", Content::Map)).chain((0..size).map(|entry| {
        let key: &'static str = Box::leak(entry.to_string().into_boxed_str());
        Item::new(Parent::Item(AUTHOR, 0), Some(key))
    }));
    sent(vec![update(&[(AUTHOR, 0, items.collect())], &[])], deleting(&[(0, 1)]))
}

/// Somebody types backwards in a text that is deleted.
fn late_into_deleted(size: usize) -> Input {
    let ground = vec![long_text_of(1), deleting(&[(0, 1)])];
    let items = (0..size as u32).map(|clock| match clock {
        0 => first(text(1)),
        _ => between(None, Some((OTHER, clock - 1)), text(1)),
    });
    sent(ground, update(&[(OTHER, 0, items.collect())], &[]))
}

/// The same in two in turn, so that nothing merges.
fn late_into_two_deleted(size: usize) -> Input {
    let texts = vec![in_root("t", Content::SharedText), in_root("u", Content::SharedText)];
    let ground = vec![update(&[(AUTHOR, 0, texts)], &[]), deleting(&[(0, 2)])];
    let items = (0..size as u32).map(|clock| match clock {
        0 | 1 => Item { content: text(1), ..Item::new(Parent::Item(AUTHOR, clock), None) },
        _ => between(None, Some((OTHER, clock - 2)), text(1)),
    });
    sent(ground, update(&[(OTHER, 0, items.collect())], &[]))
}

/// What was merged is split everywhere.
fn late_between_in_deleted(size: usize) -> Input {
    let items =
        (1..=size as u32).map(|at| between(Some((AUTHOR, at)), Some((AUTHOR, at + 1)), text(1))).rev().collect();
    let ground = vec![long_text_of(size + 1), deleting(&[(0, 1)])];
    // Of each place two parts are left.
    let sent = sent(ground, update(&[(OTHER, 0, items)], &[]));
    Input { items: 2 * sent.items, ..sent }
}

/// The canvas was rebuilt, and somebody brings what many wrote before: fewer than are remembered.
fn named_from_an_epoch_before(size: usize) -> Input {
    let written = |author: usize| update(&[(author as u64 + 1, 0, vec![in_root("k", one())])], &[]);
    let mut former = Canvas::new();
    let mut written: Vec<Vec<u8>> = (0..size).map(written).collect();
    for update in &written {
        former.apply(update).unwrap();
    }
    let bytes = written.iter().map(Vec::len).sum();
    let back = written.pop().unwrap();
    let steps: Vec<Step> = vec![
        ("rebuild", Box::new(move |state| *state = Some(former.rebuilt().unwrap()))),
        ("refuse", Box::new(move |state| drop(black_box(state.as_mut().unwrap().apply(&back).unwrap_err())))),
        ("epoch", Box::new(|state| drop(black_box(canvas(state).epoch().clients())))),
    ];
    Input { bytes, items: size, steps, ..Input::default() }
}
