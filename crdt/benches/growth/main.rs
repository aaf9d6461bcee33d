//! What a long past costs: opening a canvas, its memory, and one more edit [SYNC-15].
//!
//! `cargo bench -p troupe-crdt --bench growth -- [edits]`; a million edits of 5,000 nodes by default.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on fails")]

mod history;

use std::time::{Duration, Instant};

use history::{History, Typist};
use troupe_crdt::{Applied, Canvas};

const NODES: u32 = 5_000;
const NONE: [&[u8]; 0] = [];

fn main() {
    if let Some(file) = std::env::args().skip_while(|arg| arg != "--memory-of").nth(1) {
        return println!("{}", memory_of(&std::fs::read(file).unwrap()));
    }
    let edits = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    a_long_past(edits);
    a_long_text(100_000);
}

fn a_long_past(edits: u32) {
    println!("{NODES} nodes, {edits} past edits");
    let (mut history, first) = History::new(15, NODES);
    let log = history.edit(edits);
    drop(history);
    let bytes: usize = log.iter().map(Vec::len).sum();
    println!("  log: {} MB", bytes >> 20);
    let whole_log = std::iter::once(&first).chain(&log);
    let (canvas, took) = timed(|| Canvas::open(None, whole_log).unwrap());
    println!("  opened from the log alone: {took:?}; {} KB as V1", canvas.size_bytes() >> 10);
    let (snapshot, took) = timed(|| canvas.snapshot().unwrap());
    println!("  snapshot: {} KB in {took:?}", snapshot.bytes.len() >> 10);
    drop(log);
    let (rebuilt, took) = timed(|| canvas.rebuilt().unwrap());
    let fresh = rebuilt.snapshot().unwrap();
    println!("  rebuilt in {took:?}: {} KB as V1, snapshot {} KB", rebuilt.size_bytes() >> 10, fresh.bytes.len() >> 10);
    drop((canvas, rebuilt));
    open("rebuilt", &fresh.bytes);
    open("with its past", &snapshot.bytes);
}

fn open(name: &str, snapshot: &[u8]) {
    let mut times = Vec::new();
    for _ in 0..5 {
        let started = Cpu::now();
        let canvas = Canvas::open(Some(snapshot), NONE).unwrap();
        let opened = started.elapsed();
        let answer = canvas.diff(&[0]).unwrap();
        times.push((started.elapsed(), opened, answer.len()));
    }
    times.sort();
    let (total, opened, answer) = times[times.len() / 2];
    println!(
        "  {name}: open {opened:?}, with the first answer {total:?} ({} KB); memory {} KB",
        answer >> 10,
        memory_in_a_new_process(snapshot) >> 10
    );
}

/// In a process of its own: here the allocator keeps what others have freed.
fn memory_in_a_new_process(snapshot: &[u8]) -> usize {
    let file = std::env::temp_dir().join(format!("troupe-growth-{}", std::process::id()));
    std::fs::write(&file, snapshot).unwrap();
    let this = std::env::current_exe().unwrap();
    let output = std::process::Command::new(this).arg("--memory-of").arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// What an open canvas adds, with what opening it left behind in the allocator.
fn memory_of(snapshot: &[u8]) -> usize {
    let before = memory();
    let canvas = Canvas::open(Some(snapshot), NONE).unwrap();
    let after = memory();
    drop(canvas);
    after.saturating_sub(before)
}

fn a_long_text(chars: u32) {
    println!("a text of {chars} typed characters");
    let log = history::typed(3, chars);
    let (mut canvas, took) = timed(|| Canvas::open(None, &log).unwrap());
    println!("  opened from the log: {took:?}");
    let typist = Typist::new(8, &canvas.diff(&[0]).unwrap());
    for (name, at) in [("start", 0.0), ("middle", 0.5), ("end", 1.0)] {
        let updates: Vec<_> = (0..100).map(|_| typist.type_at(at)).collect();
        let times: Vec<Duration> = updates.iter().map(|update| apply(&mut canvas, update)).collect();
        report(&format!("typing at the {name}"), times);
    }
    let updates: Vec<_> = (0..100).map(|n| typist.type_at(f64::from(n * 37 % 100) / 100.0)).collect();
    let times: Vec<Duration> = updates.iter().map(|update| apply(&mut canvas, update)).collect();
    report("typing here and there", times);
    assert_eq!(typist.text(), Typist::new(9, &canvas.diff(&[0]).unwrap()).text());
}

fn apply(canvas: &mut Canvas, update: &[u8]) -> Duration {
    let started = Instant::now();
    let applied = canvas.apply(update).unwrap();
    let took = started.elapsed();
    assert_eq!(applied, Applied::Integrated);
    took
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.sort();
    println!("  {name}: median {:?}, worst {:?}", times[times.len() / 2], times[times.len() - 1]);
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Cpu::now();
    let result = work();
    (result, started.elapsed())
}

/// Time that this thread was executing, so that a busy machine does not count.
struct Cpu(Duration);

impl Cpu {
    fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Self(Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap()))
    }

    fn elapsed(&self) -> Duration {
        Self::now().0 - self.0
    }
}

/// Bytes of anonymous memory of this process.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}
