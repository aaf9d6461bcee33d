//! Where each item stands, kept beside the document: `yrs` would walk to the beginning of the item's list to tell,
//! which in a text of 100,000 characters takes milliseconds.
//!
//! What one client wrote into one shared type in a row is one entry. Invariant: what is here is true; what is not
//! here is to be asked of `yrs`.

use std::collections::HashMap;

use crate::guard::{At, Block, Content, Id, Kind, Owner, Place, Section, Sketch};

/// Rounds over the authors of a document in which each goes as far as the others let them. Where more would be
/// needed, `yrs` is asked later.
const ROUNDS_MAX: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Places(HashMap<u64, Vec<Run>>);

/// Clocks `start..end` stand in one list. Packed: there may be as many of these as there are edits.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: u32,
    end: u32,
    /// Of the shared type's item, or of a root: then the depth is 0 and the clock its position in the roots.
    owner: Id,
    kind: Kind,
    depth: u8,
}

impl Places {
    /// Of a whole document.
    pub(super) fn of(document: &Sketch) -> Self {
        let mut walk = Walk {
            places: Self::default(),
            kinds: HashMap::new(),
            reached: HashMap::with_capacity(document.sections.len()),
            positions: vec![0; document.sections.len()],
        };
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for (index, section) in document.sections.iter().enumerate() {
                moved |= walk.advance(index, section);
            }
            if !moved {
                break;
            }
        }
        walk.places
    }

    pub(super) fn get(&self, id: Id) -> Option<Place> {
        let runs = self.0.get(&{ id.client })?;
        let run = runs.get(runs.partition_point(|run| run.end <= id.clock))?;
        (run.start <= id.clock).then(|| run.place())
    }

    /// The items whose place is noted; of each run up to so many.
    pub(super) fn noted(&self, of_a_run: usize) -> impl Iterator<Item = (Id, Place)> {
        self.0.iter().flat_map(move |(&client, runs)| {
            let items = move |run: &Run| (run.start..run.end).take(of_a_run);
            runs.iter().flat_map(move |run| items(run).map(move |clock| (Id { client, clock }, run.place())))
        })
    }

    /// Notes where `start..end` of `client` stand; what is known already stays.
    pub(super) fn note(&mut self, client: u64, start: u32, end: u32, place: Place) {
        let runs = self.0.entry(client).or_default();
        let start = runs.last().map_or(start, |last| start.max(last.end));
        if start >= end {
            return;
        }
        match runs.last_mut() {
            Some(last) if last.end == start && last.place() == place => last.end = end,
            _ => runs.push(Run::new(start, end, place)),
        }
    }
}

impl Run {
    fn new(start: u32, end: u32, place: Place) -> Self {
        let owner = match place.owner {
            Owner::Root(root) => Id { client: 0, clock: root.into() },
            Owner::Item(id) => id,
        };
        Self { start, end, owner, kind: place.kind, depth: place.depth }
    }

    fn place(&self) -> Place {
        let owner = match self.depth {
            0 => Owner::Root(self.owner.clock as u8),
            _ => Owner::Item(self.owner),
        };
        Place { owner, kind: self.kind, depth: self.depth }
    }
}

struct Walk {
    places: Places,
    /// The shared types met so far.
    kinds: HashMap<Id, Kind>,
    /// How far each client's section was read.
    reached: HashMap<u64, u32>,
    positions: Vec<usize>,
}

impl Walk {
    /// Reads a section until a block refers to what another section has not come to. Whether it got on.
    fn advance(&mut self, index: usize, section: &Section) -> bool {
        let from = self.positions[index];
        let rest = &section.blocks[from..];
        let ready = rest.iter().take_while(|block| {
            block.needs().all(|id| match id.client == section.client {
                true => id.clock < block.clock,
                false => self.reached.get(&{ id.client }).is_some_and(|reached| id.clock < *reached),
            })
        });
        let ready = &rest[..ready.count()];
        for block in ready {
            self.take(section.client, block);
        }
        if let Some(last) = ready.last() {
            self.reached.insert(section.client, last.end());
        }
        self.positions[index] = from + ready.len();
        !ready.is_empty()
    }

    fn take(&mut self, client: u64, block: &Block) {
        let Some(place) = self.place(block) else { return };
        self.places.note(client, block.clock, block.end(), place);
        if let Content::Type(kind) = block.content {
            self.kinds.insert(Id { client, clock: block.clock }, kind);
        }
    }

    fn place(&self, block: &Block) -> Option<Place> {
        match block.at {
            At::Nowhere => None,
            At::Root(root) => Some(Place { owner: Owner::Root(root), kind: Kind::Map, depth: 0 }),
            At::Within(parent) => {
                let around = self.places.get(parent)?;
                let kind = *self.kinds.get(&parent)?;
                Some(Place { owner: Owner::Item(parent), kind, depth: around.depth + 1 })
            }
            At::After(neighbour) | At::Before(neighbour) => self.places.get(neighbour),
            At::Between(left, right) => {
                let place = self.places.get(left)?;
                self.places.get(right).is_none_or(|right| right.owner == place.owner).then_some(place)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(depth: u8) -> Place {
        let owner = if depth == 0 { Owner::Root(3) } else { Owner::Item(Id { client: 9, clock: depth.into() }) };
        Place { owner, kind: Kind::Sequence, depth }
    }

    /// [SYNC-4] What is noted is found, neighbours of one list as one entry, and what was never noted is unknown.
    #[test]
    fn runs_are_found_by_any_of_their_clocks() {
        let mut places = Places::default();
        for (start, end, depth) in [(0, 4, 0), (4, 9, 0), (9, 10, 2), (20, 22, 2), (15, 21, 1)] {
            places.note(5, start, end, place(depth));
        }
        assert_eq!(places.0[&5].len(), 3);
        for (clock, expected) in
            [(0, Some(0)), (8, Some(0)), (9, Some(2)), (10, None), (19, None), (20, Some(2)), (21, Some(2)), (22, None)]
        {
            assert_eq!(places.get(Id { client: 5, clock }), expected.map(place), "{clock}");
        }
        assert_eq!(places.get(Id { client: 6, clock: 0 }), None);
    }
}
