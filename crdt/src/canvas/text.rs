//! Shared text: the smallest edit that turns it into another text.

use yrs::{GetString, Text, TextRef, TransactionMut};

/// One replacement. Offsets and lengths count UTF-16 units, as Yjs does.
#[derive(Debug, PartialEq, Eq)]
struct Replacement<'a> {
    at: usize,
    remove: usize,
    insert: &'a str,
}

/// Makes `text` say `target`, touching only what differs. `false`: the text holds more than characters, so that its
/// offsets mean something else.
pub(super) fn rewrite(txn: &mut TransactionMut<'_>, text: &TextRef, target: &str) -> bool {
    let current = text.get_string(txn);
    if text.len(txn) as usize != utf16(&current) {
        return false;
    }
    let change = replacement(&current, target);
    if change.remove > 0 {
        text.remove_range(txn, change.at as u32, change.remove as u32);
    }
    if !change.insert.is_empty() {
        text.insert(txn, change.at as u32, change.insert);
    }
    true
}

/// Common prefix and suffix stay. They end between characters, so no surrogate pair is cut.
fn replacement<'a>(current: &str, target: &'a str) -> Replacement<'a> {
    let prefix: usize =
        current.chars().zip(target.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (current_rest, target_rest) = (&current[prefix..], &target[prefix..]);
    let suffix: usize = current_rest
        .chars()
        .rev()
        .zip(target_rest.chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    Replacement {
        at: utf16(&current[..prefix]),
        remove: utf16(&current_rest[..current_rest.len() - suffix]),
        insert: &target_rest[..target_rest.len() - suffix],
    }
}

fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [CANVAS-2] Only what differs is replaced, counted as Yjs counts.
    #[test]
    fn common_ends_stay() {
        let table = [
            ("", "", (0, 0, "")),
            ("select 1", "select 2", (7, 1, "2")),
            ("ab", "aab", (1, 0, "a")),
            ("aaa", "a", (1, 2, "")),
            ("x😀y", "x😁y", (1, 2, "😁")),
            ("😀 a", "😀 b", (3, 1, "b")),
            ("gone", "", (0, 4, "")),
        ];
        for (current, target, (at, remove, insert)) in table {
            assert_eq!(replacement(current, target), Replacement { at, remove, insert }, "{current:?} -> {target:?}");
        }
    }
}
