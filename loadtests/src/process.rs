//! A server process: started on a free port with an empty folder, ended by its id when dropped.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub struct Process {
    child: Child,
    log: PathBuf,
    /// Goes with the process.
    folder: Option<TempDir>,
}

const POLL_EVERY: Duration = Duration::from_millis(1);

impl Process {
    pub fn start(command: &mut Command, folder: TempDir) -> Result<Self> {
        let log = folder.path().join("server.log");
        let output = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("{:?} cannot be started", command.get_program()))?;
        Ok(Self { child, log, folder: Some(folder) })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it takes connections, and says after how long.
    pub fn listens(&mut self, address: SocketAddr, within: Duration) -> Result<Duration> {
        let begun = Instant::now();
        loop {
            if TcpStream::connect(address).is_ok() {
                return Ok(begun.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended ({status}):\n{}", self.last_words());
            }
            if begun.elapsed() > within {
                bail!("the server does not listen after {within:?}:\n{}", self.last_words());
            }
            thread::sleep(POLL_EVERY);
        }
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_child(&self.child), signal).context("the server cannot be signalled")
    }

    /// Ends it as an operator would, and gives back its folder.
    pub fn stop(mut self) -> Result<TempDir> {
        self.signal(Signal::Term)?;
        self.child.wait()?;
        self.folder.take().context("a process has a folder until it is stopped")
    }

    pub fn last_words(&self) -> String {
        last_words(&self.log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The end of a log.
pub fn last_words(log: &Path) -> String {
    let log = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

pub fn folder() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("troupe-loadtests.").tempdir()?)
}

/// Nobody else takes it in the moment before the server does, or the server says so.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The program beside this one.
pub fn sibling(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().unwrap_or(Path::new(".")).join(name))
}
