//! Messages of a bounded size: what is told of many things is told in parts.

use std::{collections::BTreeMap, iter::Peekable};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// Of what is told at once, beside what must be: a message has one thing at least.
const PART_BYTES: usize = 64 << 10;

/// What is told of each thing, by its id.
pub(crate) type Part<'a> = BTreeMap<&'a str, Box<RawValue>>;

pub(crate) fn raw(data: &impl Serialize) -> Box<RawValue> {
    to_raw_value(data).expect("what is told is JSON, and memory takes every write")
}

/// Whether a message holds it.
pub(crate) fn fits(data: &impl Serialize) -> bool {
    raw(data).get().len() <= PART_BYTES
}

/// Takes from the front as much as one message may hold.
pub(crate) fn take<T>(things: &mut Peekable<impl Iterator<Item = T>>, bytes: impl Fn(&T) -> usize) -> Vec<T> {
    let (mut taken, mut sum) = (Vec::new(), 0);
    while let Some(thing) = things.next_if(|thing| taken.is_empty() || sum + bytes(thing) <= PART_BYTES) {
        sum += bytes(&thing);
        taken.push(thing);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [WS-5] A message holds what fits, and one thing at least; nothing is left out, and the order is kept.
    #[test]
    fn parts_are_bounded() {
        let sizes = [10, PART_BYTES, PART_BYTES / 2, PART_BYTES / 2, 1, 2 * PART_BYTES, 3];
        let mut left = sizes.into_iter().peekable();
        let mut parts = Vec::new();
        while left.peek().is_some() {
            parts.push(take(&mut left, |size| *size));
        }
        let half = PART_BYTES / 2;
        assert_eq!(parts, [vec![10], vec![PART_BYTES], vec![half, half], vec![1], vec![2 * PART_BYTES], vec![3]]);
        assert!(take(&mut left, |size| *size).is_empty());
    }
}
