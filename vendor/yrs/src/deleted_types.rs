//! What stands in a deleted shared type is never seen again, so its order means nothing any more. Collected items that
//! their client wrote one after the other, but not one behind the other (a text that was typed backwards, the entries of
//! a map), cannot be merged where they stand. Here they are put one behind the other.

use crate::block::{Item, ItemContent, ItemPtr};
use crate::store::Store;
use crate::types::TypePtr;
use crate::{IdSet, TransactionMut, ID};

/// Joins what was collected of `deleted` in shared types that are deleted, and in the types of `deleted` themselves.
pub(crate) fn join(txn: &mut TransactionMut, deleted: &IdSet) {
    let mut items = collected_in_deleted_types(&txn.store, deleted);
    items.sort_unstable_by_key(|item| (item.id.client.get(), item.id.clock));
    items.dedup();
    for item in items {
        let Some(mut before) = written_before(&txn.store, item) else {
            continue;
        };
        if before.right != Some(item) {
            // What it has stood between may be one item, once it is gone.
            txn.merge_blocks.extend(item.left.map(|left| left.id));
            unlink(item);
            link_behind(item, before);
        }
        let mut item = item;
        item.origin = Some(before.last_id());
        item.right_origin = before.right_origin;
        txn.merge_blocks.push(before.id);
    }
}

fn collected_in_deleted_types(store: &Store, deleted: &IdSet) -> Vec<ItemPtr> {
    let mut found = Vec::new();
    for (client, ranges) in deleted.iter() {
        let Some(blocks) = store.blocks.get_client(client) else {
            continue;
        };
        for range in ranges.iter() {
            let Some(first) = blocks.find_index(range.start) else {
                continue;
            };
            for mut block in blocks.iter_from(first) {
                if block.as_ref().clock_start() >= range.end {
                    break;
                }
                let Some(item) = block.as_item_mut().map(|item| ItemPtr::from(&*item)) else {
                    continue;
                };
                match &item.content {
                    ItemContent::Type(branch) if item.is_deleted() => {
                        let lists = branch.map.values().map(|last| first_of(*last));
                        for first in branch.start.into_iter().chain(lists) {
                            let list = std::iter::successors(Some(first), |item| item.right);
                            found.extend(list.filter(|item| is_collected(item)));
                        }
                    }
                    _ if is_collected(&item) && is_in_deleted_type(&item) => found.push(item),
                    _ => {}
                }
            }
        }
    }
    found
}

fn first_of(last: ItemPtr) -> ItemPtr {
    let left = std::iter::successors(Some(last), |item| item.left);
    left.last().unwrap_or(last)
}

fn is_collected(item: &Item) -> bool {
    item.is_deleted() && matches!(item.content, ItemContent::Deleted(_))
}

fn is_in_deleted_type(item: &Item) -> bool {
    match &item.parent {
        TypePtr::Branch(branch) => branch.item.is_some_and(|item| item.is_deleted()),
        _ => false,
    }
}

/// What its client wrote before an item into the same type, if that is collected too.
fn written_before(store: &Store, item: ItemPtr) -> Option<ItemPtr> {
    let clock = item.id.clock.checked_sub(1)?;
    let before = store.blocks.get_item(&ID::new(item.id.client, clock))?;
    (is_collected(&before) && before.parent == item.parent).then_some(before)
}

fn unlink(mut item: ItemPtr) {
    let (left, right) = (item.left.take(), item.right.take());
    if let Some(mut left) = left {
        left.right = right;
    }
    if let Some(mut right) = right {
        right.left = left;
    }
    let TypePtr::Branch(branch) = &item.parent else {
        return;
    };
    let mut branch = *branch;
    match (&item.parent_sub, left, right) {
        (None, None, right) => branch.start = right,
        (Some(key), Some(left), None) => {
            branch.map.insert(key.clone(), left);
        }
        (Some(key), None, None) => {
            branch.map.remove(key);
            if branch.map.len() < branch.map.capacity() / 4 {
                let rest = 2 * branch.map.len();
                branch.map.shrink_to(rest);
            }
        }
        _ => {}
    }
}

fn link_behind(mut item: ItemPtr, mut left: ItemPtr) {
    item.parent_sub = left.parent_sub.clone();
    item.left = Some(left);
    item.right = left.right.replace(item);
    match (item.right, &item.parent_sub, &item.parent) {
        (Some(mut right), _, _) => right.left = Some(item),
        (None, Some(key), TypePtr::Branch(branch)) => {
            let mut branch = *branch;
            branch.map.insert(key.clone(), item);
        }
        _ => {}
    }
}
