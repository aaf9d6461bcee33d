//! The ingress guard [SYNC-4]: reads an untrusted V1 update to its last byte before `yrs` sees it.
//!
//! `yrs` 0.28 panics, allocates or overflows its stack on some inputs, and integrates an update half when the other
//! half waits for something. So the guard knows the format itself: it refuses what no Yjs client writes, and says
//! beforehand whether an update would integrate whole.

mod decode;
mod order;
mod place;

use thiserror::Error;

pub use decode::sketch;
pub(crate) use decode::{document, state_vector};
pub(crate) use order::order;
pub(crate) use place::{Owner, Place, Seen, check};

use crate::wire::Malformed;

/// The root maps of a canvas [CANVAS-1].
pub const ROOTS: [&str; 5] = ["meta", "nodes", "edges", "notes", "threads"];
/// Lists and maps within one JSON value.
pub const JSON_DEPTH_MAX: usize = 64;
/// Shared types within shared types. The canvas needs four; `yrs` deletes by recursion.
pub const TYPES_DEPTH_MAX: usize = 32;
/// Authors of one update. `yrs` is quadratic in them when each waits for the next.
pub const UPDATE_CLIENTS_MAX: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Hostile {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("an update names an author without content")]
    EmptyClient,
    #[error("an update names an author twice")]
    RepeatedClient,
    #[error("an update has more than {UPDATE_CLIENTS_MAX} authors")]
    Clients,
    #[error("an update holds an empty item")]
    EmptyItem,
    #[error("an update holds content that a canvas cannot hold")]
    Content,
    #[error("an update names a root that a canvas does not have: it has `meta`, `nodes`, `edges`, `notes`, `threads`")]
    Root,
    #[error("an update puts an item where it cannot stand")]
    Place,
    #[error("an update counts beyond what a document can hold")]
    Clock,
    #[error("a value is nested deeper than {JSON_DEPTH_MAX} levels")]
    JsonDepth,
    #[error("shared types are nested deeper than {TYPES_DEPTH_MAX} levels")]
    TypesDepth,
}

/// The shape of an update: who wrote what after which, without the content.
#[derive(Clone, Debug, Default)]
pub struct Sketch {
    pub sections: Vec<Section>,
    /// Sorted by client and start.
    pub deletes: Vec<Deleted>,
    /// JSON values that it brings, each within another too.
    pub values: usize,
}

/// What one client wrote, with growing clocks.
#[derive(Clone, Debug)]
pub struct Section {
    pub client: u64,
    pub blocks: Vec<Block>,
}

/// Small: a frame may hold one for each two of its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub clock: u32,
    pub len: u32,
    pub content: Content,
    pub at: At,
    /// Whether it names a key of what holds it.
    pub has_key: bool,
}

/// Where a block says that it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// It is no item.
    Nowhere,
    /// In the root of this position in [`ROOTS`].
    Root(u8),
    Within(Id),
    /// In its neighbours' list.
    After(Id),
    Before(Id),
    Between(Id, Id),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A hole: the update says nothing about these clocks.
    Skip,
    /// What was there is collected garbage.
    Collected,
    /// What was there is deleted.
    Deleted,
    Type(Kind),
    /// Characters.
    Text,
    /// A format of characters, or what is embedded between them. A canvas has no use for it, but an old one may hold some.
    Format,
    Value,
}

/// What a shared type is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Map,
    /// Text or array.
    Sequence,
}

/// Packed, for what is kept of each block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(Rust, packed(4))]
pub struct Id {
    pub client: u64,
    pub clock: u32,
}

/// A block of a sketch: its section and its index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) section: u32,
    pub(crate) block: u32,
}

/// Clocks `start..end` of `client` are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted {
    pub client: u64,
    pub start: u32,
    pub end: u32,
}

/// Texts of a canvas are plain. `order`: the blocks that the document does not have; old ones may hold formats.
pub(crate) fn refuse_formats(sketch: &Sketch, order: &[Position]) -> Result<(), Hostile> {
    if order.iter().any(|at| sketch.at(*at).1.content == Content::Format) { Err(Hostile::Content) } else { Ok(()) }
}

impl Block {
    pub const fn end(&self) -> u32 {
        self.clock + self.len
    }

    pub(crate) fn needs(&self) -> impl Iterator<Item = Id> {
        let needs = match self.at {
            At::Nowhere | At::Root(_) => [None, None],
            At::Within(id) | At::After(id) | At::Before(id) => [Some(id), None],
            At::Between(left, right) => [Some(left), Some(right)],
        };
        needs.into_iter().flatten()
    }

    /// Whether it says what holds it by its neighbours.
    pub(crate) const fn has_neighbour(&self) -> bool {
        matches!(self.at, At::After(_) | At::Before(_) | At::Between(..))
    }
}

impl Section {
    /// The clock after the last that this section brings.
    pub fn end(&self) -> u32 {
        self.blocks.iter().rev().find(|block| block.content != Content::Skip).map_or(0, Block::end)
    }
}

impl Sketch {
    /// A block, and whose it is.
    pub(crate) fn at(&self, position: Position) -> (u64, &Block) {
        let section = &self.sections[position.section as usize];
        (section.client, &section.blocks[position.block as usize])
    }

    /// Whether one range deletes all of a block.
    fn deletes_all(&self, client: u64, block: &Block) -> bool {
        let after = self.deletes.partition_point(|deleted| (deleted.client, deleted.start) <= (client, block.clock));
        let Some(deleted) = after.checked_sub(1).map(|index| self.deletes[index]) else { return false };
        deleted.client == client && block.end() <= deleted.end
    }

    /// The blocks that come deleted and without content.
    pub(crate) fn emptied(&self) -> impl Iterator<Item = (u64, &Block)> {
        let blocks =
            self.sections.iter().flat_map(|section| section.blocks.iter().map(|block| (section.client, block)));
        blocks.filter(|(_, block)| block.content == Content::Deleted)
    }

    /// Whether it brings content, and not only deletions and what is deleted already. `known`: the clock of a client.
    pub(crate) fn adds(&self, known: impl Fn(u64) -> u32) -> bool {
        self.sections.iter().any(|section| {
            let known = known(section.client);
            section.blocks.iter().any(|block| {
                block.end() > known && !matches!(block.content, Content::Skip | Content::Collected | Content::Deleted)
            })
        })
    }

    /// Items that it would make, at most: those that it brings, and two for each deletion that cuts another.
    pub(crate) fn items(&self) -> usize {
        self.sections.iter().map(|section| section.blocks.len()).sum::<usize>() + 2 * self.deletes.len()
    }

    /// Entries that it adds to a root, where there was nothing under their key. `known`: the clock of a client.
    pub(crate) fn entries(&self, root: &str, known: impl Fn(u64) -> u32) -> usize {
        let is_entry = |block: &Block| matches!(block.at, At::Root(index) if ROOTS[usize::from(index)] == root);
        let of = |section: &Section| {
            let known = known(section.client);
            section.blocks.iter().filter(|block| block.end() > known && is_entry(block)).count()
        };
        self.sections.iter().map(of).sum()
    }

    /// Whether something in between is missing: `yrs` keeps holes without calling them pending.
    pub(crate) fn has_holes(&self) -> bool {
        self.sections.iter().flat_map(|section| &section.blocks).any(|block| block.content == Content::Skip)
    }

    /// Everybody whose items it brings, deletes or refers to; some more than once.
    pub(crate) fn clients(&self) -> impl Iterator<Item = u64> {
        let authors = self.sections.iter().map(|section| section.client);
        let referred = self.sections.iter().flat_map(|section| &section.blocks).flat_map(Block::needs);
        authors.chain(referred.map(|id| id.client)).chain(self.deletes.iter().map(|deleted| deleted.client))
    }

    /// Whether the update says nothing at all (`00 00`).
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty() && self.deletes.is_empty()
    }
}
