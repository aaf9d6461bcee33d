//! What a process has used, from the operating system.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use rustix::{
    param::clock_ticks_per_second,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// User and system time of all its threads, those that ended included.
    pub cpu: Duration,
    /// Memory of its own: anonymous pages, without what the file cache could give back.
    pub anonymous_bytes: u64,
    /// Everything resident.
    pub resident_bytes: u64,
    pub open_files: u64,
}

impl Usage {
    pub fn of(pid: u32) -> Result<Self> {
        let read = |name: &str| {
            fs::read_to_string(format!("/proc/{pid}/{name}"))
                .with_context(|| format!("process {pid} cannot be measured"))
        };
        let stat = read("stat")?;
        let rollup = read("smaps_rollup")?;
        let (anonymous, resident) = (kilobytes(&rollup, "Anonymous:"), kilobytes(&rollup, "Rss:"));
        Ok(Self {
            cpu: cpu(&stat).with_context(|| format!("process {pid} has an unknown `stat`"))?,
            anonymous_bytes: anonymous.context("smaps_rollup has no `Anonymous`")? * 1024,
            resident_bytes: resident.context("smaps_rollup has no `Rss`")? * 1024,
            open_files: fs::read_dir(format!("/proc/{pid}/fd"))?.count() as u64,
        })
    }
}

/// The most that a process ever had resident.
pub fn peak_bytes(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    Ok(kilobytes(&status, "VmHWM:").context("the status has no `VmHWM`")? * 1024)
}

/// The CPU time of this process.
pub fn own_cpu() -> Result<Duration> {
    cpu(&fs::read_to_string("/proc/self/stat")?).context("this process has an unknown `stat`")
}

/// Raises this process' limit of open files, which servers started from here inherit, and says how many sessions that
/// allows.
pub fn raise_open_files() -> Result<usize> {
    const OTHER_FILES: u64 = 200;
    let hard = getrlimit(Resource::Nofile).maximum.context("the number of open files has no limit")?;
    setrlimit(Resource::Nofile, Rlimit { current: Some(hard), maximum: Some(hard) })?;
    ensure!(hard > OTHER_FILES, "this process may open only {hard} files");
    Ok(usize::try_from(hard - OTHER_FILES).unwrap_or(usize::MAX))
}

/// From the 14th and 15th field of `stat`; the second, the program's name, may have blanks and parentheses.
fn cpu(stat: &str) -> Option<Duration> {
    let fields: Vec<&str> = stat[stat.rfind(')')? + 2..].split(' ').collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64))
}

fn kilobytes(rollup: &str, key: &str) -> Option<u64> {
    rollup.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_has_used_cpu_and_memory() {
        let begun = own_cpu().unwrap();
        let mut memory = vec![1_u8; 32 << 20];
        while own_cpu().unwrap() < begun + Duration::from_millis(50) {
            memory.iter_mut().for_each(|byte| *byte = byte.wrapping_add(1));
        }
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.cpu >= Duration::from_millis(40) && usage.anonymous_bytes >= 32 << 20, "{usage:?}");
        assert!(peak_bytes(std::process::id()).unwrap() >= usage.anonymous_bytes);
        assert!(usage.open_files > 2 && usage.resident_bytes > usage.anonymous_bytes, "{usage:?}");
    }

    #[test]
    fn a_name_with_parentheses_is_skipped() {
        let stat = "7 (a) b) S 1 1 1 0 -1 4 0 0 0 0 100 50 0 0 20";
        assert_eq!(cpu(stat), Some(Duration::from_millis(1500)));
    }
}
