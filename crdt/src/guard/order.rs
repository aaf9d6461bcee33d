//! Whether an update integrates whole: everything its items refer to is in the document or comes earlier in it.

use std::collections::{HashMap, HashSet};

use super::{Content, Position, Sketch};

/// `known` tells the clock up to which the document has everything of a client. Returns the new blocks in an
/// order in which they can integrate. `None`: something is missing, and `yrs` would integrate a part and
/// keep the rest.
pub(crate) fn order(sketch: &Sketch, known: impl Fn(u64) -> u32) -> Option<Vec<Position>> {
    let mut walk = Walk {
        known,
        provided: sketch.sections.iter().map(|section| section.client).collect(),
        reached: HashMap::with_capacity(sketch.sections.len()),
        position: vec![0; sketch.sections.len()],
        waiting: HashMap::new(),
        order: Vec::new(),
    };
    let mut ready: Vec<usize> = (0..sketch.sections.len()).collect();
    while let Some(index) = ready.pop() {
        let client = sketch.sections[index].client;
        match walk.advance(sketch, index) {
            Step::Missing => return None,
            Step::Stayed => {}
            Step::Advanced => ready.extend(walk.waiting.remove(&client).unwrap_or_default()),
        }
    }
    // What still waits now waits in a circle.
    let whole =
        walk.waiting.is_empty() && sketch.deletes.iter().all(|deleted| deleted.end <= walk.reach(deleted.client));
    whole.then_some(walk.order)
}

enum Step {
    /// Something that neither the document nor the update has.
    Missing,
    Stayed,
    /// Those who wait for this client may go on.
    Advanced,
}

struct Walk<F> {
    known: F,
    /// Who has a section.
    provided: HashSet<u64>,
    /// Clocks reached within the update.
    reached: HashMap<u64, u32>,
    /// The next block of each section.
    position: Vec<usize>,
    /// Sections that wait for a client.
    waiting: HashMap<u64, Vec<usize>>,
    order: Vec<Position>,
}

impl<F: Fn(u64) -> u32> Walk<F> {
    fn reach(&self, client: u64) -> u32 {
        self.reached.get(&client).copied().unwrap_or_else(|| (self.known)(client))
    }

    /// Goes through a section until a block has to wait for another client.
    fn advance(&mut self, sketch: &Sketch, index: usize) -> Step {
        let section = &sketch.sections[index];
        let known = (self.known)(section.client);
        let before = self.reach(section.client);
        let mut reach = before;
        while let Some(block) = section.blocks.get(self.position[index]) {
            if block.content != Content::Skip && block.end() > known {
                if block.clock > reach {
                    return Step::Missing;
                }
                self.reached.insert(section.client, reach);
                if let Some(missing) = block.needs().find(|id| id.clock >= self.reach(id.client)) {
                    if !self.provided.contains(&{ missing.client }) || missing.client == section.client {
                        return Step::Missing;
                    }
                    self.waiting.entry(missing.client).or_default().push(index);
                    break;
                }
                reach = reach.max(block.end());
                self.order.push(Position { section: index as u32, block: self.position[index] as u32 });
            }
            self.position[index] += 1;
        }
        self.reached.insert(section.client, reach);
        if reach > before { Step::Advanced } else { Step::Stayed }
    }
}
