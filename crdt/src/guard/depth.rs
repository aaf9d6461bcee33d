//! How deep shared types would be nested.
//!
//! `yrs` deletes and collects a type by recursion over its children, so a deep chain would overflow the stack, which
//! no `catch_unwind` catches.

use std::collections::HashMap;

use super::{Block, Content, Id, Sketch, TYPES_DEPTH_MAX};

/// The depth of the deepest type that the update creates; `depth_of` tells how many types are around an item of the
/// document. The update must integrate ([`super::integrates`]): then references point backwards, and the walk ends.
pub(crate) fn deepest(sketch: &Sketch, known: impl Fn(u64) -> u32, depth_of: impl Fn(Id) -> usize) -> usize {
    let sections: HashMap<u64, &[Block]> =
        sketch.sections.iter().map(|section| (section.client, section.blocks.as_slice())).collect();
    let mut depths = Depths { sections, known, depth_of, found: HashMap::new() };
    let mut deepest = 0;
    for section in &sketch.sections {
        for block in section.blocks.iter().filter(|block| block.content == Content::Type) {
            let depth = depths.around(Id { client: section.client, clock: block.clock }) + 1;
            deepest = deepest.max(depth);
            if deepest > TYPES_DEPTH_MAX {
                return deepest;
            }
        }
    }
    deepest
}

struct Depths<'a, K, D> {
    sections: HashMap<u64, &'a [Block]>,
    known: K,
    depth_of: D,
    /// Of blocks of the update, by their first id.
    found: HashMap<Id, usize>,
}

impl<K: Fn(u64) -> u32, D: Fn(Id) -> usize> Depths<'_, K, D> {
    /// How many types are around an item. Follows what places it, then comes back with the sum.
    fn around(&mut self, id: Id) -> usize {
        let mut path = Vec::new();
        let mut at = id;
        let mut depth = loop {
            let Some((first, block)) = self.block(at) else { break (self.depth_of)(at) };
            if let Some(depth) = self.found.get(&first) {
                break *depth;
            }
            match (block.parent, block.left.or(block.right)) {
                (Some(parent), _) => {
                    path.push((first, 1));
                    at = parent;
                }
                (None, Some(neighbour)) => {
                    path.push((first, 0));
                    at = neighbour;
                }
                (None, None) => {
                    path.push((first, 0));
                    break 0;
                }
            }
        };
        for (first, step) in path.into_iter().rev() {
            depth += step;
            self.found.insert(first, depth);
        }
        depth
    }

    /// The block of the update that holds `id`, unless the document has it already.
    fn block(&self, id: Id) -> Option<(Id, Block)> {
        if id.clock < (self.known)(id.client) {
            return None;
        }
        let blocks = self.sections.get(&id.client)?;
        let index = blocks.partition_point(|block| block.end() <= id.clock);
        let block = blocks.get(index)?;
        Some((Id { client: id.client, clock: block.clock }, *block))
    }
}
