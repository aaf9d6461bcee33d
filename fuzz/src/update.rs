//! Updates that parse, with neighbours, parents and contents as no client would choose them [SYNC-4].

use arbitrary::{Result, Unstructured};
use troupe_crdt::wire;

use crate::{
    grammar::{Content, Id, Item, Parent, update},
    room::{GROUND, Room},
};

const UPDATES_MAX: usize = 500;

/// Known authors and the clocks up to which they wrote.
type Clocks = [(u64, u32)];

pub fn target(data: &[u8]) {
    Room::visit(|room| {
        let mut choices = Unstructured::new(data);
        for _ in 0..UPDATES_MAX {
            if choices.is_empty() {
                break;
            }
            let clocks = room.clocks();
            let Ok(update) = any_update(&mut choices, &clocks) else { break };
            room.hostile(&wire::update(&update));
        }
    });
}

fn any_update(choices: &mut Unstructured<'_>, clocks: &Clocks) -> Result<Vec<u8>> {
    if choices.ratio(1, 8)? {
        return known_update(choices);
    }
    let mut sections: Vec<(u64, u32, Vec<Item>)> = Vec::new();
    for _ in 0..choices.int_in_range(1..=3)? {
        let (client, clock) =
            if choices.ratio(1, 4)? { (choices.int_in_range(20..=22)?, 0) } else { *choices.choose(clocks)? };
        let repeats = sections.iter().any(|(other, ..)| *other == client);
        if repeats && !choices.ratio(1, 16)? {
            continue;
        }
        let start = match choices.int_in_range(0..=5)? {
            0 => clock.saturating_sub(choices.int_in_range(0..=3)?),
            1 => clock + 1,
            _ => clock,
        };
        let items: Result<_> = (0..choices.int_in_range(1..=5)?).map(|_| item(choices, clocks)).collect();
        sections.push((client, start, items?));
    }
    let deletes = if choices.ratio(1, 3)? {
        let (client, clock) = known(choices, clocks)?;
        vec![(client, clock, choices.int_in_range(0..=5)?)]
    } else {
        Vec::new()
    };
    Ok(update(&sections, &deletes))
}

/// One of the honest updates, perhaps again, with a few bytes changed.
fn known_update(choices: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut update = choices.choose(&GROUND)?.clone();
    for _ in 0..choices.int_in_range(0..=3)? {
        let at = choices.choose_index(update.len())?;
        update[at] = choices.arbitrary()?;
    }
    Ok(update)
}

fn known(choices: &mut Unstructured<'_>, clocks: &Clocks) -> Result<Id> {
    let (client, clock) = *choices.choose(clocks)?;
    Ok((client, choices.int_in_range(0..=clock)?))
}

fn maybe_known(choices: &mut Unstructured<'_>, clocks: &Clocks, of_ten: u8) -> Result<Option<Id>> {
    if choices.ratio(of_ten, 10)? { known(choices, clocks).map(Some) } else { Ok(None) }
}

fn item(choices: &mut Unstructured<'_>, clocks: &Clocks) -> Result<Item> {
    let content = content(choices)?;
    let left = maybe_known(choices, clocks, 4)?;
    let right = maybe_known(choices, clocks, 2)?;
    let parent = match choices.int_in_range(0..=2)? {
        0 => {
            let (client, clock) = known(choices, clocks)?;
            Parent::Item(client, clock)
        }
        1 => Parent::Root("notes"),
        _ => Parent::Root("nodes"),
    };
    let key = *choices.choose(&[None, Some("a"), Some("n"), Some("text"), Some("data")])?;
    Ok(Item { left, right, parent, key, content })
}

fn content(choices: &mut Unstructured<'_>) -> Result<Content> {
    Ok(match choices.int_in_range(0..=13)? {
        0..=2 => Content::Plain(choices.arbitrary()?),
        3..=5 => Content::Text((*choices.choose(&["a", "😀", "x😀y", "long enough to be cut"])?).to_owned()),
        6 | 7 => Content::Map,
        8 => Content::SharedText,
        9 => Content::Deleted(choices.int_in_range(1..=3)?),
        10 => Content::Gc(choices.int_in_range(1..=3)?),
        11 => Content::Skip(choices.int_in_range(1..=3)?),
        12 => Content::Raw(6, vec![1, b'b', 4, b't', b'r', b'u', b'e']),
        _ => {
            let length = choices.int_in_range(0..=6)?;
            Content::Raw(choices.int_in_range(0..=11)?, choices.bytes(length)?.to_vec())
        }
    })
}
