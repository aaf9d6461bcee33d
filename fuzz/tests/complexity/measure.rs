//! A family of inputs, and what its steps cost.

use std::time::Duration;

use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// How much faster than the input a step may grow, for each doubling.
const GROWTH_MAX: f64 = 1.3;
/// What a step may hold, for each byte of the input.
const MEMORY_SHARE_MAX: usize = 40;
/// What it may hold whatever the input.
const MEMORY_FREE_BYTES: usize = 1 << 20;
/// Less is noise.
const TIME_FREE: Duration = Duration::from_millis(8);
const DOUBLINGS: u32 = 2;
const TRIES: usize = 2;

/// A step of a family's work, which ends with nothing.
pub type Step = (&'static str, Box<dyn FnOnce(&mut State)>);

/// What one step leaves for the next.
pub type State = Option<troupe_crdt::Canvas>;

/// One input of a family.
pub struct Input {
    /// What a client sent.
    pub bytes: usize,
    pub steps: Vec<Step>,
}

pub struct Family {
    pub name: &'static str,
    /// The smallest size.
    pub size: usize,
    pub input: fn(usize) -> Input,
}

#[derive(Clone, Copy, Debug)]
struct Cost {
    time: Duration,
    memory: usize,
}

/// What is wrong with a family; it is tried again before it is said.
pub fn verdicts(family: &Family) -> Vec<String> {
    let mut broken: Vec<String> = Vec::new();
    for _ in 0..TRIES {
        broken = tried(family);
        if broken.is_empty() {
            break;
        }
    }
    broken
}

fn tried(family: &Family) -> Vec<String> {
    let mut broken = Vec::new();
    let mut before: Option<(usize, Vec<(&str, Cost)>)> = None;
    for doubling in 0..=DOUBLINGS {
        let size = family.size << doubling;
        let (bytes, costs) = costs(family, size);
        for (index, (step, cost)) in costs.iter().enumerate() {
            let Cost { time, memory } = *cost;
            eprintln!(
                "{:<28} {step:<10} {size:>8} {bytes:>9} B {:>9.1} ms {:>8} KiB",
                family.name,
                time.as_secs_f64() * 1e3,
                memory >> 10
            );
            if memory > MEMORY_FREE_BYTES + bytes * MEMORY_SHARE_MAX {
                broken.push(format!("{} / {step}: {memory} bytes of memory for {bytes}", family.name));
            }
            let Some((bytes_before, before)) = &before else { continue };
            let grown = bytes as f64 / *bytes_before as f64 * GROWTH_MAX;
            let earlier = before[index].1;
            if time > TIME_FREE && time.as_secs_f64() > earlier.time.max(TIME_FREE / 2).as_secs_f64() * grown {
                broken.push(format!("{} / {step}: {:?}, then {time:?} for {bytes} bytes", family.name, earlier.time));
            }
            if memory > MEMORY_FREE_BYTES && memory as f64 > earlier.memory.max(MEMORY_FREE_BYTES / 2) as f64 * grown {
                broken.push(format!("{} / {step}: {} bytes, then {memory} for {bytes}", family.name, earlier.memory));
            }
        }
        before = Some((bytes, costs));
    }
    broken
}

fn costs(family: &Family, size: usize) -> (usize, Vec<(&'static str, Cost)>) {
    let Input { bytes, steps } = (family.input)(size);
    let mut state = None;
    let costs = steps.into_iter().map(|(name, step)| (name, cost(step, &mut state))).collect();
    (bytes, costs)
}

fn cost(step: Box<dyn FnOnce(&mut State)>, state: &mut State) -> Cost {
    ALLOCATOR.reset_peak_usage();
    let (held, started) = (ALLOCATOR.current_usage(), thread_time());
    step(state);
    let time = thread_time() - started;
    Cost { time, memory: ALLOCATOR.peak_usage().saturating_sub(held) }
}

fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
