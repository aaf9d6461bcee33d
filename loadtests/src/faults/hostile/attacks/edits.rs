//! Edits that are small in bytes and dear to integrate. What each attacker writes replaces what it wrote before, so that
//! the canvas stays within its limits: a full one would be the limit's fault.

use anyhow::Result;
use troupe_loadtests::wire;

use super::{
    super::{
        ground,
        update::{self, NOTHING_DELETED, Section},
    },
    Attacker,
};

/// Of one frame: 200 to 400 kB.
const ITEMS: u32 = 20_000;
/// Each passes all others at the same place, so this is squared.
const FIRST_PLACES: u32 = 8_000;
const SHAPES: usize = 20;
const FRAMES_SENT_AGAIN: usize = 100;

pub async fn single_values(attacker: &mut Attacker) -> Result<()> {
    let client = attacker.fresh_client();
    let mut section =
        Section::new(client).under("notes", &own(attacker), &update::list()).first_in((client, 0), &update::single());
    for clock in 1..ITEMS {
        section = section.after(clock, &update::single());
    }
    write(attacker, update::update(vec![section], NOTHING_DELETED)).await
}

pub async fn overwritten_key(attacker: &mut Attacker) -> Result<()> {
    let client = attacker.fresh_client();
    let mut section = Section::new(client).under("meta", &own(attacker), &update::single());
    for clock in 1..ITEMS {
        section = section.after(clock - 1, &update::single());
    }
    write(attacker, update::update(vec![section], NOTHING_DELETED)).await
}

pub async fn text_in_pieces(attacker: &mut Attacker) -> Result<()> {
    let (client, piece) = (attacker.fresh_client(), update::letters("a"));
    let mut section =
        Section::new(client).under("notes", &own(attacker), &update::shared_text()).first_in((client, 0), &piece);
    let forwards = client.is_multiple_of(2);
    for clock in 1..ITEMS {
        section = if forwards { section.after(clock, &piece) } else { section.before(clock, &piece) };
    }
    write(attacker, update::update(vec![section], NOTHING_DELETED)).await
}

pub async fn half_deleted(attacker: &mut Attacker) -> Result<()> {
    let client = attacker.fresh_client();
    let text = "ab".repeat(ITEMS as usize / 2);
    let section = Section::new(client)
        .under("notes", &own(attacker), &update::shared_text())
        .first_in((client, 0), &update::letters(&text));
    write(attacker, update::update(vec![section], &update::every_second(client, 1, ITEMS / 2))).await
}

pub async fn first_places(attacker: &mut Attacker) -> Result<()> {
    let low = attacker.fresh_client();
    let list = (low, 0);
    let mut before = Section::new(low).under("notes", &own(attacker), &update::list());
    let mut passing = Section::new(low + 1);
    for _ in 0..FIRST_PLACES {
        before = before.first_in(list, &update::single());
        passing = passing.first_in(list, &update::single());
    }
    write(attacker, update::update(vec![before, passing], NOTHING_DELETED)).await
}

/// What the page would choke on, if the server let it stay.
pub async fn wrong_shapes(attacker: &mut Attacker) -> Result<()> {
    let contents = [update::string("x"), update::shared_text(), update::list(), update::single()];
    let mut section = Section::new(attacker.fresh_client());
    for number in 0..SHAPES {
        let root = if number.is_multiple_of(2) { "nodes" } else { "edges" };
        let key = format!("{}-{number}", own(attacker));
        section = section.under(root, &key, &contents[number / 2 % contents.len()]);
    }
    write(attacker, update::update(vec![section], NOTHING_DELETED)).await
}

pub async fn known_deletions(attacker: &mut Attacker) -> Result<()> {
    let mut deletions = vec![0];
    deletions.extend(ground::scars());
    let message = wire::update(&deletions);
    let mut socket = attacker.as_viewer().await?;
    for _ in 0..FRAMES_SENT_AGAIN {
        socket.send(&message).await?;
    }
    socket.rest(attacker.millis(500, 1_500)).await
}

/// The key that is this attacker's.
fn own(attacker: &Attacker) -> String {
    format!("hostile-{}", attacker.number)
}

/// The pause keeps the number of clients that a canvas remembers, and so its size, in bounds.
async fn write(attacker: &mut Attacker, update: Vec<u8>) -> Result<()> {
    let mut socket = attacker.as_member().await?;
    socket.send(&wire::update(&update)).await?;
    socket.rest(attacker.millis(3_000, 9_000)).await
}
