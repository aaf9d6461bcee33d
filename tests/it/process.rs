//! The real process.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use crate::app::{Client, PASSWORD};

pub const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// `troupe serve`, killed when a test ends before it.
pub struct Process {
    child: Child,
    pub base: String,
}

impl Process {
    /// Starts on the store in `folder`, and returns when it serves. `settings` are environment variables without their
    /// `TROUPE_`.
    pub fn start(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_troupe"))
            .arg("serve")
            .current_dir(folder)
            .env("TROUPE_SERVER__ADDRESS", "127.0.0.1")
            .env("TROUPE_SERVER__PORT", "0")
            .env("TROUPE_SERVER__DRAIN_TIMEOUT_S", DRAIN_WITHIN.as_secs().to_string())
            .env("TROUPE_DEMO__PASSWORD", PASSWORD)
            .envs(settings.iter().map(|(key, value)| (format!("TROUPE_{key}"), value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut welcome = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut welcome).unwrap();
        std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        let base = welcome.trim().strip_prefix("Troupe is ready at ").expect("it starts").to_owned();
        Self { child, base }
    }

    pub async fn client(&self) -> Client {
        Client::of(&self.base).signed_in("demo@troupe.local").await
    }

    /// Asks it to end, and waits for that.
    pub fn terminate(&mut self, within: Duration) -> ExitStatus {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(asked.elapsed() < within, "it goes on for more than {within:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already when a test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
