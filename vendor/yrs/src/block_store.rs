use crate::block::{Block, BlockRange, BlockRef, ClientID, ItemPtr, ID};
use crate::slice::ItemSlice;
use crate::types::TypePtr;
use crate::update::BlockSet;
use crate::utils::client_hasher::ClientHasher;
use crate::*;
use std::cell::UnsafeCell;
use std::collections::hash_map::Entry;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ops::{Index, Range, RangeInclusive};
use std::vec::Vec;

/// Blocks that stand next to each other in memory. An insertion or a removal moves those of one chunk
/// and the numbers of the chunks after it, and not all the blocks of a client.
const CHUNK_LEN_MAX: usize = 1024;
/// A chunk with fewer blocks than this is joined with its neighbour.
const CHUNK_LEN_MIN: usize = CHUNK_LEN_MAX / 4;

type Chunk = Vec<UnsafeCell<Block>>;

/// A resizable list of blocks inserted by a single client.
#[derive(Default)]
pub(crate) struct ClientBlockList {
    /// None of them is empty.
    chunks: Vec<Chunk>,
    /// The index of the first block of each chunk.
    starts: Vec<usize>,
}

unsafe impl Send for ClientBlockList {}
unsafe impl Sync for ClientBlockList {}

impl ClientBlockList {
    pub fn last(&self) -> Option<BlockRef<'_>> {
        let cell = self.chunks.last()?.last()?;
        Some(BlockRef::new(cell))
    }

    pub fn clock(&self) -> u32 {
        match self.last() {
            None => 0,
            Some(block) => block.as_ref().next_clock(),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<BlockRef<'_>> {
        let (chunk, within) = self.locate(index)?;
        let cell = self.chunks[chunk].get(within)?;
        Some(BlockRef::new(cell))
    }

    /// The chunk that holds a given index, or would hold it next, and the place within it.
    fn locate(&self, index: usize) -> Option<(usize, usize)> {
        let chunk = match self.starts.len() {
            0 => return None,
            1 => 0,
            _ => self.starts.partition_point(|start| *start <= index) - 1,
        };
        Some((chunk, index - self.starts[chunk]))
    }

    /// Given a block's identifier clock value, return an offset under which this block could be
    /// found using binary search algorithm, or a index under which this block should be inserted.
    pub(crate) fn find_index(&self, clock: u32) -> Option<usize> {
        let starts_at = |cell: &UnsafeCell<Block>| unsafe { &*cell.get() }.clock_start();
        // a common case is to just append a block at the end, so check first if we can do that
        let (start, end) = self.last()?.as_ref().clock_range();
        if start == clock {
            return Some(self.len() - 1);
        } else if clock > end {
            return None; // clock lands past the last block, so no block owns it.
        }
        let chunk = match self.chunks.len() {
            1 => 0,
            _ => {
                let begun = |chunk: &Chunk| starts_at(&chunk[0]) <= clock;
                self.chunks.partition_point(begun).checked_sub(1)?
            }
        };
        let begun = |cell: &UnsafeCell<Block>| starts_at(cell) <= clock;
        let within = self.chunks[chunk].partition_point(begun).checked_sub(1)?;
        let (_, end) = unsafe { &*self.chunks[chunk][within].get() }.clock_range();
        (clock <= end).then(|| self.starts[chunk] + within)
    }

    /// Attempts to find a Block which contains given clock sequence number within current block
    /// list. Clocks are considered to work in left-side inclusive way, meaning that block with
    /// an ID (<client-id>, 0) and length 2, with contain all elements with clock values
    /// corresponding to {0,1} but not 2.
    fn get_block(&self, clock: u32) -> Option<BlockRef<'_>> {
        let idx = self.find_index(clock)?;
        self.get(idx)
    }

    pub(crate) fn insert(&mut self, index: usize, cell: Block) {
        let Some((mut chunk, mut within)) = self.locate(index) else {
            return self.push(cell);
        };
        if self.chunks[chunk].len() >= CHUNK_LEN_MAX {
            let middle = self.chunks[chunk].len() / 2;
            let right = self.chunks[chunk].split_off(middle);
            self.chunks.insert(chunk + 1, right);
            self.starts.insert(chunk + 1, self.starts[chunk] + middle);
            if within > middle {
                chunk += 1;
                within -= middle;
            }
        }
        self.chunks[chunk].insert(within, UnsafeCell::new(cell));
        self.starts[chunk + 1..].iter_mut().for_each(|start| *start += 1);
    }

    /// Pushes a new block at the end of this block list.
    fn push(&mut self, cell: Block) {
        let len = self.len();
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK_LEN_MAX => chunk.push(UnsafeCell::new(cell)),
            _ => {
                self.chunks.push(vec![UnsafeCell::new(cell)]);
                self.starts.push(len);
            }
        }
    }

    fn replace(&mut self, index: usize, cell: Block) {
        let (chunk, within) = self.locate(index).expect("the index is of a block");
        self.chunks[chunk][within] = UnsafeCell::new(cell);
    }

    /// Returns a number of blocks stored within this list.
    pub fn len(&self) -> usize {
        match (self.starts.last(), self.chunks.last()) {
            (Some(start), Some(chunk)) => start + chunk.len(),
            _ => 0,
        }
    }

    pub fn iter(&self) -> ClientBlockListIter<'_> {
        self.iter_from(0)
    }

    /// Iterates over the blocks from a given index on.
    pub fn iter_from(&self, index: usize) -> ClientBlockListIter<'_> {
        let (chunk, within) = self.locate(index).unwrap_or_default();
        let mut rest = self.chunks[chunk.min(self.chunks.len())..].iter();
        let first = rest.next().map(|chunk| &chunk[within.min(chunk.len())..]);
        ClientBlockListIter {
            chunk: first.unwrap_or_default().iter(),
            rest,
        }
    }

    /// Removes the blocks of a range of indices.
    fn remove(&mut self, range: Range<usize>) {
        let Range { start, mut end } = range;
        while start < end {
            let (chunk, within) = self.locate(end - 1).expect("the range is of blocks");
            let from = start.max(self.starts[chunk]) - self.starts[chunk];
            let removed = within + 1 - from;
            self.chunks[chunk].drain(from..=within);
            self.starts[chunk + 1..]
                .iter_mut()
                .for_each(|start| *start -= removed);
            self.join_small(chunk);
            end -= removed;
        }
    }

    /// Joins a chunk of few blocks with the next one, or removes an empty one. What most blocks have
    /// left gives back its memory.
    fn join_small(&mut self, chunk: usize) {
        let len = self.chunks[chunk].len();
        let next = self.chunks.get(chunk + 1).map_or(0, Vec::len);
        if len == 0 {
            self.chunks.remove(chunk);
            self.starts.remove(chunk);
        } else if len < CHUNK_LEN_MIN && next > 0 && len + next <= CHUNK_LEN_MAX / 2 {
            let next = self.chunks.remove(chunk + 1);
            self.starts.remove(chunk + 1);
            self.chunks[chunk].extend(next);
        }
        if let Some(blocks) = self.chunks.get_mut(chunk) {
            if blocks.len() < blocks.capacity() / 4 {
                blocks.shrink_to(2 * blocks.len());
            }
        }
    }

    fn can_squash(&self, left: usize) -> bool {
        self[left].can_squash(&self[left + 1])
    }

    /// Squashes the blocks of a range of indices into the first of them, from left to right, so that
    /// each of them is moved once. Each must be squashable with the next one.
    fn squash_run(&mut self, run: RangeInclusive<usize>) {
        let (first, last) = run.into_inner();
        for index in first + 1..=last {
            let mut left = self.get(first).expect("the run is of blocks");
            let right = self.get(index).expect("the run is of blocks");
            let right = right.as_ref();
            if left.as_mut().try_squash(right) {
                // update parent's map entry if necessary
                if let (Some(left), Some(right)) = (left.as_ref().as_item(), right.as_item()) {
                    if let (Some(key), TypePtr::Branch(mut parent)) =
                        (&right.parent_sub, right.parent.clone())
                    {
                        if let Some(entry) = parent.map.get_mut(key) {
                            if *entry == right {
                                *entry = left;
                            }
                        }
                    }
                }
            }
        }
        self.remove(first + 1..last + 1);
    }

    /// Squashes whatever blocks of the range of indices can be squashed with their left neighbors.
    ///
    /// # Panics
    /// * Panics if `indices_range.start()` is greater than `indices_range.end()`.
    ///
    pub(crate) fn squash_left_range_compaction(&mut self, indices_range: RangeInclusive<usize>) {
        assert!(indices_range.start() <= indices_range.end());
        let (start, end) = indices_range.into_inner();
        let mut runs: Vec<RangeInclusive<usize>> = Vec::new();
        let mut first = start - 1;
        for index in start..=end {
            if !self.can_squash(index - 1) {
                if first < index - 1 {
                    runs.push(first..=index - 1);
                }
                first = index;
            }
        }
        if first < end {
            runs.push(first..=end);
        }
        // from right to left, so that the indices of those to come stay the same
        for run in runs.into_iter().rev() {
            self.squash_run(run);
        }
    }

    /// Attempts to squash block at a given `index` with the blocks on its left side, for as long as
    /// they can be squashed. Returns how many blocks were removed by that.
    pub(crate) fn squash_left(&mut self, pos: usize) -> usize {
        let mut first = pos;
        while first > 0 && self.can_squash(first - 1) {
            first -= 1;
        }
        if first < pos {
            self.squash_run(first..=pos);
        }
        pos - first
    }
}

impl Index<usize> for ClientBlockList {
    type Output = Block;

    fn index(&self, index: usize) -> &Self::Output {
        let (chunk, within) = self.locate(index).expect("the index is of a block");
        unsafe { &*self.chunks[chunk][within].get() }
    }
}

pub(crate) struct ClientBlockListIter<'a> {
    chunk: std::slice::Iter<'a, UnsafeCell<Block>>,
    rest: std::slice::Iter<'a, Chunk>,
}

impl<'a> Iterator for ClientBlockListIter<'a> {
    type Item = BlockRef<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(cell) = self.chunk.next() {
                return Some(BlockRef::new(cell));
            }
            self.chunk = self.rest.next()?.iter();
        }
    }
}

/// Block store is a collection of all blocks known to a document owning instance of this type.
/// Blocks are organized per client ID and contain a resizable list of all blocks inserted by that
/// client.
#[derive(Default)]
pub(crate) struct BlockStore {
    clients: HashMap<ClientID, ClientBlockList, BuildHasherDefault<ClientHasher>>,
    pub(crate) skips: IdSet,
}

pub(crate) type Iter<'a> = std::collections::hash_map::Iter<'a, ClientID, ClientBlockList>;
pub(crate) type IterMut<'a> = std::collections::hash_map::IterMut<'a, ClientID, ClientBlockList>;

impl BlockStore {
    /// Checks if block store is empty. Empty block store doesn't contain any blocks, neither active
    /// nor tombstoned.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    pub fn is_missing(&self, id: &ID) -> bool {
        id.clock >= self.get_clock(&id.client) || self.skips.contains(id)
    }

    pub fn contains(&self, id: &ID) -> bool {
        if let Some(clients) = self.clients.get(&id.client) {
            id.clock < clients.clock()
        } else {
            false
        }
    }

    pub fn push(&mut self, block: Block) {
        let id = block.id();
        match self.clients.entry(id.client) {
            Entry::Occupied(mut e) => {
                let list = e.get_mut();
                match list.last() {
                    Some(last) if last.as_ref().next_clock() != block.clock_start() => {
                        // this replaces an integrated skip
                        let clock_start = block.clock_start();
                        let mut index = list.find_index(clock_start).unwrap();
                        let skip = &list[index];
                        let (skip_start, skip_end, skip_id) =
                            (skip.clock_start(), skip.next_clock(), skip.id());
                        let diff_start = clock_start - skip_start;
                        let diff_end = skip_end - block.next_clock();
                        if diff_start > 0 {
                            list.insert(index, Block::Skip(BlockRange::new(skip_id, diff_start)));
                            index += 1;
                        }
                        if diff_end > 0 {
                            let mut id = block.id();
                            id.clock += block.len();
                            let skip = Block::Skip(BlockRange::new(id, diff_end));
                            list.insert(index + 1, skip);
                        }
                        self.skips.remove_range(&block.range());
                        list.replace(index, block);
                    }
                    _ => list.push(block),
                }
            }
            Entry::Vacant(e) => {
                let list = e.insert(ClientBlockList::default());
                list.push(block);
            }
        }
    }

    /// Returns an iterator over the client and block lists pairs known to a current block store.
    pub fn iter(&self) -> Iter<'_> {
        self.clients.iter()
    }

    /// Returns an iterator over the client and mutable block lists pairs known to a current block store.
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        self.clients.iter_mut()
    }

    /// Returns a state vector, which is a compact representation of the state of blocks integrated
    /// into a current block store. This state vector can later be encoded and send to a remote
    /// peers in order to calculate differences between two stored and produce a compact update,
    /// that can be applied in order to fill missing update information.
    pub fn get_state_vector(&self) -> StateVector {
        let mut map: HashMap<ClientID, u32, _> = self
            .clients
            .iter()
            .map(|(client_id, list)| (*client_id, list.clock()))
            .collect();

        for (client, ranges) in self.skips.iter() {
            if let Some(clock) = ranges.clock_start() {
                map.insert(*client, clock);
            }
        }

        StateVector::new(map)
    }

    pub(crate) fn known_state(&self, ss: &BlockSet) -> IdSet {
        let mut known_state = IdSet::default();
        for (client, _) in ss.clients.iter() {
            if let Some(store_structs) = self.clients.get(client) {
                let last = store_structs.last().unwrap().as_ref();
                known_state.insert(ID::new(*client, 0), last.next_clock());
                // remove known items from ss
                if let Some(skips) = self.skips.get(client) {
                    for (skip, _) in skips.iter() {
                        known_state.remove_range(&BlockRange::new(
                            ID::new(*client, skip.start),
                            skip.end - skip.start,
                        ));
                    }
                }
            }
        }
        known_state
    }

    pub(crate) fn get_client(&self, client_id: &ClientID) -> Option<&ClientBlockList> {
        self.clients.get(client_id)
    }

    pub(crate) fn get_client_mut(&mut self, client_id: &ClientID) -> Option<&mut ClientBlockList> {
        self.clients.get_mut(client_id)
    }

    /// Returns immutable reference to a block, given its pointer. Returns `None` if not such
    /// block could be found.
    pub(crate) fn get_block(&self, id: &ID) -> Option<BlockRef<'_>> {
        let clients = self.clients.get(&id.client)?;
        clients.get_block(id.clock)
    }

    pub(crate) fn get_item(&self, id: &ID) -> Option<ItemPtr> {
        let mut cell = self.get_block(id)?;
        let item = cell.as_item_mut()?;
        Some(ItemPtr::from(&*item))
    }

    /// Returns a block slice that represents a range of data within a particular block containing
    /// provided [ID], starting from that [ID] until the end of the block.
    ///
    /// Example: *for a block `A:1..=5` and id `A:3`, the returned slice will represent `A:3..=5`*.
    pub(crate) fn get_item_clean_start(&self, id: &ID) -> Option<ItemSlice> {
        let ptr = self.get_item(id)?;
        let offset = id.clock - ptr.id().clock;
        Some(ItemSlice::new(ptr, offset, ptr.len() - 1))
    }

    /// Returns a block slice that represents a range of data within a particular block containing
    /// provided [ID], starting from the beginning of the block until the that [ID] (inclusive).
    ///
    /// Example: *for a block `A:1..=5` and id `A:3`, the returned slice will represent `A:1..=3`*.
    pub(crate) fn get_item_clean_end(&self, id: &ID) -> Option<ItemSlice> {
        let ptr = self.get_item(id)?;
        let block_id = ptr.id();
        let offset = id.clock - block_id.clock;
        Some(ItemSlice::new(ptr, 0, offset))
    }

    /// Returns the last observed clock sequence number for a given `client`. This is exclusive
    /// value meaning it describes a clock value of the beginning of the next block that's about
    /// to be inserted. You cannot use that clock value to find any existing block content.
    pub fn get_clock(&self, client: &ClientID) -> u32 {
        if let Some(list) = self.clients.get(client) {
            list.clock()
        } else {
            0
        }
    }

    /// Returns a mutable reference to block list for the given `client`. In case when no such list
    /// existed, a new one will be created and returned.
    pub(crate) fn get_client_blocks_mut(&mut self, client: ClientID) -> &mut ClientBlockList {
        self.clients
            .entry(client)
            .or_insert_with(ClientBlockList::default)
    }

    /// Given block pointer, tries to split it, returning a true, if block was split in result of
    /// calling this action, and false otherwise.
    pub fn split_block(
        &mut self,
        mut block: ItemPtr,
        offset: u32,
        encoding: OffsetKind,
    ) -> Option<ItemPtr> {
        let id = block.id().clone();
        let blocks = self.clients.get_mut(&id.client)?;
        let index = blocks.find_index(id.clock)?;
        let mut right = block.splice(offset, encoding)?;
        let right_ptr = ItemPtr::from(&mut right);
        blocks.insert(index + 1, right.into());

        Some(right_ptr)
    }

    pub(crate) fn split_block_inner(&mut self, block: ItemPtr, offset: u32) -> Option<ItemPtr> {
        self.split_block(block, offset, OffsetKind::Utf16)
    }
}

impl std::fmt::Debug for ClientBlockList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::fmt::Display for ClientBlockList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|block| block.as_ref().id()))
            .finish()
    }
}

impl std::fmt::Debug for BlockStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::fmt::Display for BlockStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut s = f.debug_struct("");
        for (k, v) in self.clients.iter() {
            s.field(&k.to_string(), v);
        }
        s.finish()
    }
}
