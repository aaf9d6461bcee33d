//! A family of inputs, and what its steps cost.

use std::{hint::black_box, time::Duration};

use peak_alloc::PeakAlloc;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// How much faster than the input a step may grow, from the smallest size to the largest. What is quadratic grows four
/// times faster.
const GROWTH_MAX: f64 = 1.7;
/// What a step may hold whatever the input, and all of them may leave, for what is made once; then for each byte of the
/// input, and for each item and each JSON value that it makes: those take room however few bytes they are.
const MEMORY_FREE_BYTES: usize = 1 << 20;
const MEMORY_SHARE_MAX: usize = 40;
const ITEM_BYTES_MAX: usize = 500;
const VALUE_BYTES_MAX: usize = 330;
/// Less is noise.
const TIME_FREE: Duration = Duration::from_millis(8);
/// To look at each item once may take so long: when they are many, none is in the processor's caches.
const ITEM_TIME_FREE: Duration = Duration::from_nanos(1_500);
const DOUBLINGS: u32 = 2;
/// How often the processor may wait for memory to work on one item. How long that takes is measured too: it grows where a
/// cache ends, and more so while other machines use the same one.
const MISSES_MAX: u32 = 30;
/// How many blocks are visited to measure it, and of how many at least.
const VISITS: u32 = 200_000;
const BLOCKS_MIN: usize = 100;
/// Of each step the cheapest try counts.
const TRIES: usize = 8;

/// A step of a family's work, which ends with nothing.
pub type Step = (&'static str, Box<dyn FnOnce(&mut State)>);

/// What one step leaves for the next.
pub type State = Option<troupe_crdt::Canvas>;

/// One input of a family.
#[derive(Default)]
pub struct Input {
    /// What a client sent.
    pub bytes: usize,
    /// Items that it makes in a document, or terms of an expression. A canvas holds `canvas_items_max` items at most.
    pub items: usize,
    /// JSON values, or columns.
    pub values: usize,
    /// Whether the work has threads of its own.
    pub has_threads: bool,
    pub steps: Vec<Step>,
}

pub struct Family {
    pub name: &'static str,
    /// The smallest size.
    pub size: usize,
    pub input: fn(usize) -> Input,
}

#[macro_export]
macro_rules! families {
    ($($name:ident: $size:expr,)*) => {
        pub fn families() -> Vec<$crate::measure::Family> {
            vec![$($crate::measure::Family { name: stringify!($name), size: $size, input: $name }),*]
        }
    };
}

#[derive(Clone, Copy, Debug)]
struct Cost {
    time: Duration,
    memory: usize,
}

/// What one size of a family costs, step by step.
struct Measured {
    size: usize,
    bytes: usize,
    items: usize,
    /// What is still held when all of it is gone.
    left: usize,
    memory_max: usize,
    time_free: Duration,
    /// What it took to visit one of as many blocks of memory as there are items.
    visit: Duration,
    costs: Vec<(&'static str, Cost)>,
}

/// What is wrong with a family; it is tried again before it is said.
pub fn verdicts(family: &Family) -> Vec<String> {
    let mut cheapest = measured(family);
    for _ in 1..TRIES {
        if judged(family, &cheapest).is_empty() {
            break;
        }
        for (known, again) in cheapest.iter_mut().zip(measured(family)) {
            known.visit = known.visit.min(again.visit);
            for ((_, known), (_, again)) in known.costs.iter_mut().zip(again.costs) {
                *known = Cost { time: known.time.min(again.time), memory: known.memory.min(again.memory) };
            }
        }
    }
    tell(family, &cheapest);
    judged(family, &cheapest)
}

fn measured(family: &Family) -> Vec<Measured> {
    (0..=DOUBLINGS).map(|doubling| measure(family, family.size << doubling)).collect()
}

fn measure(family: &Family, size: usize) -> Measured {
    let held = ALLOCATOR.current_usage();
    let Input { bytes, items, values, has_threads, steps } = (family.input)(size);
    let memory_max = MEMORY_FREE_BYTES + bytes * MEMORY_SHARE_MAX + items * ITEM_BYTES_MAX + values * VALUE_BYTES_MAX;
    let clock = if has_threads { ClockId::ProcessCPUTime } else { ClockId::ThreadCPUTime };
    let mut state = None;
    let costs = steps.into_iter().map(|(name, step)| (name, cost(step, &mut state, clock))).collect();
    drop(state);
    let left = ALLOCATOR.current_usage().saturating_sub(held);
    let time_free = TIME_FREE.max(ITEM_TIME_FREE * items as u32);
    Measured { size, bytes, items, left, memory_max, time_free, visit: visit(items), costs }
}

/// What it takes to visit one of so many blocks of memory, each named by the one before.
fn visit(blocks: usize) -> Duration {
    struct Block {
        next: usize,
        _rest: [u8; ITEM_BYTES_MAX],
    }
    let count = blocks.max(BLOCKS_MIN);
    let mut blocks: Vec<_> = (0..count).map(|next| Box::new(Block { next, _rest: [0; ITEM_BYTES_MAX] })).collect();
    let mut random = StdRng::seed_from_u64(1);
    // Swapped with those before it only (Sattolo): all are one ring.
    for index in (1..count).rev() {
        let other = random.random_range(0..index);
        let next = blocks[index].next;
        blocks[index].next = std::mem::replace(&mut blocks[other].next, next);
    }
    let begun = time_of(ClockId::ThreadCPUTime);
    black_box((0..VISITS).fold(0, |at, _| black_box(blocks[at].next)));
    (time_of(ClockId::ThreadCPUTime) - begun) / VISITS
}

fn tell(family: &Family, measured: &[Measured]) {
    for Measured { size, bytes, left, memory_max, visit, costs, .. } in measured {
        eprintln!("{:<32} {:<10} {size:>8} {visit:>9.1?}", family.name, "visit");
        eprintln!("{:<32} {:<10} {size:>8} {left:>9}", family.name, "left");
        for (step, Cost { time, memory }) in costs {
            eprintln!(
                "{:<32} {step:<10} {size:>8} {bytes:>9} B {:>9.1} ms {:>8} KiB {:>4} %",
                family.name,
                time.as_secs_f64() * 1e3,
                memory >> 10,
                100 * memory / memory_max
            );
        }
    }
}

fn judged(family: &Family, measured: &[Measured]) -> Vec<String> {
    let name = family.name;
    let mut broken = Vec::new();
    for Measured { bytes, left, memory_max, costs, .. } in measured {
        if *left > MEMORY_FREE_BYTES {
            broken.push(format!("{name}: {left} bytes of memory are held when all is gone"));
        }
        for (step, Cost { memory, .. }) in costs.iter().filter(|(_, cost)| cost.memory > *memory_max) {
            broken.push(format!("{name} / {step}: {memory} bytes of memory for {bytes}, and not {memory_max}"));
        }
    }
    let [before, .., after] = measured else { return broken };
    let growth_max = after.bytes as f64 / before.bytes as f64 * GROWTH_MAX;
    let caches = after.visit.saturating_sub(before.visit) * MISSES_MAX * after.items as u32;
    for ((step, earlier), (_, later)) in before.costs.iter().zip(&after.costs) {
        let time_max = earlier.time.max(before.time_free / 2).mul_f64(growth_max) + caches;
        if later.time > after.time_free.max(time_max) {
            broken.push(format!(
                "{name} / {step}: {:?}, then {:?} for {} bytes, and not {time_max:?}",
                earlier.time, later.time, after.bytes
            ));
        }
        let memory_max = earlier.memory.max(MEMORY_FREE_BYTES / 2) as f64 * growth_max;
        if later.memory as f64 > memory_max.max(MEMORY_FREE_BYTES as f64) {
            broken.push(format!(
                "{name} / {step}: {} bytes of memory, then {} for {} bytes, and not {memory_max:.0}",
                earlier.memory, later.memory, after.bytes
            ));
        }
    }
    broken
}

fn cost(step: Box<dyn FnOnce(&mut State)>, state: &mut State, clock: ClockId) -> Cost {
    ALLOCATOR.reset_peak_usage();
    let (held, started) = (ALLOCATOR.current_usage(), time_of(clock));
    step(state);
    let time = time_of(clock) - started;
    Cost { time, memory: ALLOCATOR.peak_usage().saturating_sub(held) }
}

fn time_of(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
