//! Canvases that made trouble are tried in a process of their own, with limits of its own [REL-12].
//!
//! The process is this program again (`troupe examine-canvas`): what is stored comes in on its standard input, the diagram
//! goes out on its standard output as soon as it is read, and the exit code says whether everything went well.

use std::{
    io::{self, Write},
    os::unix::process::ExitStatusExt,
    process::{ExitCode, ExitStatus, Stdio},
    time::Duration,
};

use futures::future::BoxFuture;
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::timeout,
};
use troupe_actors::{Examined, Examiner, examine};
use troupe_store::canvas::StoredCanvas;

use crate::config;

const COMMAND: &str = "examine-canvas";
const MIB: u64 = 1 << 20;
/// What a canvas becomes as a diagram is of its own size.
const DIAGRAM_BYTES_MAX: u64 = 256 << 20;
const WORDS_BYTES_MAX: u64 = 1 << 10;
/// What is said when an allocation fails, by whoever made it.
const OUT_OF_MEMORY: [&str; 2] = ["memory allocation of", "out of memory"];
/// What the system ends first when memory is short.
const EXPENDABLE: &str = "1000";

/// Starts the process, and says how it ended.
pub struct ChildExaminer {
    memory_bytes_max: u64,
    time_max: Duration,
}

impl ChildExaminer {
    pub fn new(limits: &config::Limits) -> Self {
        Self {
            memory_bytes_max: limits.examination_bytes_max,
            time_max: Duration::from_secs(limits.examination_timeout_s),
        }
    }

    async fn try_apart(&self, stored: StoredCanvas) -> io::Result<Examined> {
        let bytes = rmp_serde::to_vec(&stored).map_err(io::Error::other)?;
        drop(stored);
        let mut child = Command::new(std::env::current_exe()?)
            .args([COMMAND, "--memory-bytes-max", &self.memory_bytes_max.to_string()])
            // No secret of the server's.
            .env_clear()
            // The allocator would take a gigabyte at once, which would count.
            .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (mut input, output, words) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let told = async move {
            if let Some(input) = &mut input {
                // A process that has ended reads no more: how it ended says why.
                let _ = input.write_all(&bytes).await;
            }
        };
        let work = async {
            let heard = tokio::join!(told, read(output, DIAGRAM_BYTES_MAX), read(words, WORDS_BYTES_MAX));
            (child.wait().await, heard.1, heard.2)
        };
        let Ok((status, diagram, words)) = timeout(self.time_max, work).await else {
            let failure = format!("it took more than {} s", self.time_max.as_secs());
            return Ok(Examined { diagram: None, failure: Some(failure) });
        };
        let diagram = serde_json::from_slice(&diagram).ok();
        Ok(Examined { diagram, failure: self.failure(status?, &String::from_utf8_lossy(&words)) })
    }

    fn failure(&self, status: ExitStatus, words: &str) -> Option<String> {
        if status.success() {
            return None;
        }
        if OUT_OF_MEMORY.iter().any(|said| words.contains(said)) {
            return Some(format!("it took more than {} MiB of memory", self.memory_bytes_max / MIB));
        }
        let first = words.lines().find(|line| !line.is_empty()).unwrap_or_default();
        Some(match status.signal() {
            Some(signal) => format!("the process that tried it was ended by signal {signal}: {first}"),
            None => first.trim_start_matches("error: ").to_owned(),
        })
    }
}

impl Examiner for ChildExaminer {
    fn examine(&self, stored: StoredCanvas) -> BoxFuture<'_, Examined> {
        Box::pin(async {
            self.try_apart(stored).await.unwrap_or_else(|error| Examined {
                diagram: None,
                failure: Some(format!("it could not be tried apart: {error}")),
            })
        })
    }
}

/// What comes beyond is read and dropped.
async fn read(source: Option<impl AsyncRead + Unpin>, bytes_max: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut source) = source {
        // A process that has ended says no more.
        let _ = (&mut source).take(bytes_max).read_to_end(&mut bytes).await;
        let _ = tokio::io::copy(&mut source, &mut tokio::io::sink()).await;
    }
    bytes
}

/// The process itself.
pub async fn execute(memory_bytes_max: u64) -> anyhow::Result<ExitCode> {
    let limit = Some(memory_bytes_max);
    setrlimit(Resource::Data, Rlimit { current: limit, maximum: limit })?;
    if let Err(error) = std::fs::write("/proc/self/oom_score_adj", EXPENDABLE) {
        tracing::debug!(%error, "this process is as dear as others");
    }
    // On a thread with the stack that the server's have.
    tokio::task::spawn_blocking(|| {
        let stored: StoredCanvas = rmp_serde::from_read(io::stdin().lock())?;
        let tell = |diagram| -> anyhow::Result<()> {
            let mut output = io::stdout().lock();
            serde_json::to_writer(&mut output, &diagram)?;
            Ok(output.flush()?)
        };
        let mut told = Ok(());
        examine(&stored, |diagram| told = tell(diagram)).map_err(anyhow::Error::msg)?;
        told.map(|()| ExitCode::SUCCESS)
    })
    .await?
}
