//! Where the items of an update would stand: in a map under a key, or in a sequence, and how deep.
//!
//! `yrs` takes an update's word for it. Items that stand in two lists at once, or span several values of one key, tear
//! its lists apart, and it manages them with raw pointers: so they are refused, as is a chain of types that would
//! overflow the stack when it is deleted (by recursion; no `catch_unwind` catches that).

use std::collections::HashMap;

use super::{At, Block, Content, Hostile, Id, Kind, Position, Sketch, TYPES_DEPTH_MAX};

/// The list that an item stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) owner: Owner,
    pub(crate) kind: Kind,
    /// Shared types around it, roots not counted.
    pub(crate) depth: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// By its position in [`super::ROOTS`].
    Root(u8),
    Item(Id),
}

/// What is known of an item.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// `None`: it was collected, and so is what stands beside or inside it.
    pub(crate) place: Option<Place>,
    /// What shared type it is, if it is one.
    pub(crate) shared: Option<Kind>,
    /// Whether `yrs` would say the same of its place.
    pub(crate) is_certain: bool,
}

/// Checks the blocks in the `order` in which they integrate; `in_document` tells of the items that are there already,
/// and `is_emptied` which of them came without what they had held. Returns where each will stand, in that order; `None`
/// where only `yrs` can tell.
pub(crate) fn check(
    sketch: &Sketch,
    order: &[Position],
    in_document: impl Fn(Id) -> Option<Seen>,
    is_emptied: impl Fn(Id) -> bool,
) -> Result<Vec<Option<Place>>, Hostile> {
    let mut walk = Walk { sketch, seen: SeenBlocks::of(sketch), in_document, is_emptied };
    let mut places = Vec::with_capacity(order.len());
    for &position in order {
        let (client, block) = sketch.at(position);
        let place = walk.goes_on(client, block, walk.place(block)?)?;
        if let Some(place) = place {
            stands(block, place, || sketch.deletes_all(client, block))?;
        }
        let shared = match block.content {
            Content::Type(kind) => Some(kind),
            _ => None,
        };
        // Of a block whose beginning is known, `yrs` puts the rest beside that.
        let begins_anew = (walk.in_document)(Id { client, clock: block.clock }).is_none();
        let is_certain = place.is_some() && begins_anew && walk.is_certain(block);
        *walk.seen.at_mut(position) = Seen { place, shared, is_certain };
        places.push(place.filter(|_| is_certain));
    }
    Ok(places)
}

fn stands(block: &Block, place: Place, is_deleted: impl Fn() -> bool) -> Result<(), Hostile> {
    let inherits = block.has_neighbour();
    let fits = match place.kind {
        // One value after the other, each beside the one that it replaces. Those that are deleted may be one block.
        Kind::Map => {
            !matches!(block.at, At::Before(_) | At::Between(..))
                && (inherits || block.has_key)
                && !matches!(block.content, Content::Text | Content::Format)
                && (block.len == 1 || block.content == Content::Deleted || is_deleted())
        }
        Kind::Sequence => inherits || !block.has_key,
    };
    if !fits {
        return Err(Hostile::Place);
    }
    if matches!(block.content, Content::Type(_)) && usize::from(place.depth) >= TYPES_DEPTH_MAX {
        return Err(Hostile::TypesDepth);
    }
    Ok(())
}

struct Walk<'a, F, D> {
    sketch: &'a Sketch,
    seen: SeenBlocks,
    in_document: F,
    is_emptied: D,
}

impl<F: Fn(Id) -> Option<Seen>, D: Fn(Id) -> bool> Walk<'_, F, D> {
    fn place(&self, block: &Block) -> Result<Option<Place>, Hostile> {
        if block.content == Content::Collected {
            return Ok(None);
        }
        match block.at {
            At::Nowhere => Ok(None),
            At::Root(root) => Ok(Some(Place { owner: Owner::Root(root), kind: Kind::Map, depth: 0 })),
            At::Within(parent) => self.within(parent),
            At::After(neighbour) | At::Before(neighbour) => Ok(self.seen(neighbour).place),
            At::Between(left, right) => match (self.seen(left).place, self.seen(right).place) {
                (Some(left), Some(right)) if left.owner != right.owner => Err(Hostile::Place),
                (left, right) => Ok(left.or(right)),
            },
        }
    }

    fn within(&self, parent: Id) -> Result<Option<Place>, Hostile> {
        let seen = self.seen(parent);
        match (seen.place, seen.shared) {
            (None, _) => Ok(None),
            (Some(around), Some(kind)) => Ok(Some(Place { owner: Owner::Item(parent), kind, depth: around.depth + 1 })),
            // A shared type whose author collected it before anybody here had it.
            (Some(_), None) if self.is_emptied(parent) => Ok(None),
            (Some(_), None) => Err(Hostile::Place),
        }
    }

    /// Of a block that the document has in part, `yrs` puts the rest beside that part, whatever the block says.
    fn goes_on(&self, client: u64, block: &Block, said: Option<Place>) -> Result<Option<Place>, Hostile> {
        let (mut part, mut known, mut unknown) = (Seen::default(), block.clock, block.end());
        while known < unknown {
            let middle = known + (unknown - known) / 2;
            match (self.in_document)(Id { client, clock: middle }) {
                Some(seen) => (part, known) = (seen, middle + 1),
                None => unknown = middle,
            }
        }
        match (part.place, said) {
            (Some(part), Some(said)) if part.owner != said.owner => Err(Hostile::Place),
            (Some(part), _) if unknown < block.end() => Ok(Some(part)),
            _ => Ok(said),
        }
    }

    /// What stands right of something that was collected goes where `yrs` puts it, and so does what stands there.
    fn is_certain(&self, block: &Block) -> bool {
        match block.at {
            At::Nowhere => false,
            At::Root(_) => true,
            At::Within(id) | At::After(id) | At::Before(id) | At::Between(id, _) => self.seen(id).is_certain,
        }
    }

    fn seen(&self, id: Id) -> Seen {
        if let Some(seen) = (self.in_document)(id) {
            return seen;
        }
        self.seen.position(self.sketch, id).map(|position| *self.seen.at(position)).unwrap_or_default()
    }

    fn is_emptied(&self, id: Id) -> bool {
        if (self.in_document)(id).is_some() {
            return (self.is_emptied)(id);
        }
        let position = self.seen.position(self.sketch, id);
        position.is_some_and(|position| self.sketch.at(position).1.content == Content::Deleted)
    }
}

/// What is known of the blocks of an update; nothing of those that have not been looked at.
struct SeenBlocks {
    /// Section by section.
    seen: Vec<Seen>,
    /// Where each section begins.
    firsts: Vec<usize>,
    sections: HashMap<u64, u32>,
}

impl SeenBlocks {
    fn of(sketch: &Sketch) -> Self {
        let (mut firsts, mut total) = (Vec::with_capacity(sketch.sections.len()), 0);
        let mut sections = HashMap::with_capacity(sketch.sections.len());
        for (index, section) in sketch.sections.iter().enumerate() {
            firsts.push(total);
            total += section.blocks.len();
            sections.insert(section.client, index as u32);
        }
        Self { seen: vec![Seen::default(); total], firsts, sections }
    }

    /// Where an update has an item.
    fn position(&self, sketch: &Sketch, id: Id) -> Option<Position> {
        let section = *self.sections.get(&{ id.client })?;
        let blocks = &sketch.sections[section as usize].blocks;
        let block = blocks.partition_point(|block| block.end() <= id.clock);
        (block < blocks.len()).then_some(Position { section, block: block as u32 })
    }

    fn at(&self, position: Position) -> &Seen {
        &self.seen[self.firsts[position.section as usize] + position.block as usize]
    }

    fn at_mut(&mut self, position: Position) -> &mut Seen {
        &mut self.seen[self.firsts[position.section as usize] + position.block as usize]
    }
}
