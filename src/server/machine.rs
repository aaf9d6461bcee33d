//! What this process may use of its machine.

use std::{fs, num::NonZero, thread};

use rustix::{
    process::{Resource, getrlimit},
    system::sysinfo,
};

/// What a control group may have, as seen from inside.
const CONFINED: &str = "/sys/fs/cgroup/memory.max";

/// The rest is for editing.
pub fn half_of_the_cores() -> usize {
    (cores() / 2).max(1)
}

pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The rest is for everything that is not a canvas.
pub fn half_of_the_memory() -> usize {
    memory_bytes() / 2
}

/// Of the machine, or of what the process is confined to.
fn memory_bytes() -> usize {
    let system = sysinfo();
    let machine = system.totalram.saturating_mul(u64::from(system.mem_unit));
    let confined = fs::read_to_string(CONFINED).ok().and_then(|text| text.trim().parse().ok());
    let own = getrlimit(Resource::As).current;
    let least = [confined, own].into_iter().flatten().fold(machine, u64::min);
    usize::try_from(least).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_memory() {
        assert!(memory_bytes() > 64 << 20, "{}", memory_bytes());
    }
}
