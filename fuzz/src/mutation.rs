//! Seeded changes of bytes: what a broken or hostile client might make of a good frame.

use rand::{RngExt, rngs::StdRng};

/// Numbers at which something often changes.
const EDGES: [u8; 8] = [0, 1, 2, 8, 0x7f, 0x80, 0xfe, 0xff];

/// One of `corpus`, changed in one to four places.
pub fn mutated(random: &mut StdRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = one_of(random, corpus).to_vec();
    for _ in 0..random.random_range(1..=4) {
        mutate(random, &mut bytes, corpus);
    }
    bytes
}

fn one_of<'a>(random: &mut StdRng, corpus: &'a [Vec<u8>]) -> &'a [u8] {
    corpus.get(random.random_range(0..corpus.len().max(1))).map_or(&[], Vec::as_slice)
}

fn mutate(random: &mut StdRng, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    if bytes.is_empty() {
        return bytes.push(random.random());
    }
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..9) {
        0 | 1 => bytes[at] = random.random(),
        2 => bytes[at] ^= 1 << random.random_range(0..8),
        3 => bytes[at] = EDGES[random.random_range(0..EDGES.len())],
        4 => bytes.insert(at, random.random()),
        5 => drop(bytes.remove(at)),
        6 => bytes.truncate(at),
        7 => {
            let end = random.random_range(at..=bytes.len().min(at + 16));
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        _ => {
            let other = one_of(random, corpus);
            let from = random.random_range(0..=other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
    }
}
