//! Every target with its corpus and a fixed number of seeded mutations: the short form of `make fuzz` [REL-7].
//!
//! A panic that something catches counts as well, and so does memory that one input could claim. `FUZZ_TIMES=300` tries
//! so many times more, without coverage and so much faster than libFuzzer: ten million in all.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    alloc::System,
    fs, panic,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use cap::Cap;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use troupe_fuzz::{mutation::mutated, run, seeds};

/// Whoever wants more does not get it, and the test ends.
const MEMORY_MAX_BYTES: usize = 512 << 20;
/// An input takes milliseconds; the machine may be busy.
const INPUT_TIME_MAX: Duration = Duration::from_secs(10);
const RANDOM_BYTES_MAX: usize = 2_000;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MEMORY_MAX_BYTES);

static PANICS: AtomicUsize = AtomicUsize::new(0);

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of `{target}` is gone");
    seeds::of(target).into_iter().chain(files.iter().map(|file| fs::read(file).unwrap())).collect()
}

fn random_bytes(random: &mut StdRng) -> Vec<u8> {
    let mut bytes = vec![0; random.random_range(0..RANDOM_BYTES_MAX)];
    random.fill_bytes(&mut bytes);
    bytes
}

fn count_panics() {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        told(panic);
    }));
}

fn try_input(target: &str, input: &[u8]) {
    let started = Instant::now();
    let ended = panic::catch_unwind(|| run(target, input));
    assert!(ended.is_ok() && PANICS.load(Ordering::Relaxed) == 0, "`{target}` panicked at {input:?}");
    assert!(started.elapsed() < INPUT_TIME_MAX, "`{target}` took {:?} for {input:?}", started.elapsed());
}

#[expect(clippy::disallowed_methods, reason = "a test has no other parameters")]
fn times() -> u64 {
    std::env::var("FUZZ_TIMES").map_or(1, |times| times.parse().unwrap())
}

fn bounded(target: &str, mutations: u64) {
    count_panics();
    let corpus = corpus(target);
    corpus.iter().for_each(|input| try_input(target, input));
    for seed in 0..mutations * times() {
        let mut random = StdRng::seed_from_u64(seed);
        let input = if random.random_bool(0.25) { random_bytes(&mut random) } else { mutated(&mut random, &corpus) };
        try_input(target, &input);
    }
}

/// [SYNC-9]
#[test]
fn no_awareness_moves_the_cursors_of_others() {
    bounded("awareness", 5_000);
}

/// [CANVAS-2] [CANVAS-8]
#[test]
fn every_diagram_is_shown_as_it_is_read_back() {
    bounded("diagram", 5_000);
}

/// [SYNC-4]
#[test]
fn no_frame_harms_the_document() {
    bounded("frame", 20_000);
}

/// [SYNC-2] [SYNC-4]
#[test]
fn no_hocuspocus_frame_harms_the_document() {
    bounded("hocuspocus", 10_000);
}

/// [SYNC-4]
#[test]
fn every_question_has_a_bounded_answer() {
    bounded("state_vector", 10_000);
}

/// [SYNC-4]
#[test]
fn no_update_harms_the_document() {
    bounded("update", 3_000);
}
