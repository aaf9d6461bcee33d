//! A real server process on a port that it keeps: started, killed, stopped, continued, measured.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use reqwest::Url;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};
use troupe_loadtests::{
    process,
    usage::{self, Usage},
};

const READY_WITHIN: Duration = Duration::from_secs(60);
const ENDS_WITHIN: Duration = Duration::from_secs(60);
const ASK_EVERY: Duration = Duration::from_millis(20);

pub struct Server {
    binary: PathBuf,
    pub data_dir: PathBuf,
    log: PathBuf,
    url: Url,
    settings: Vec<(String, String)>,
    child: Option<Child>,
}

/// For whoever reads the server's metrics.
const METRICS_TOKEN: &str = "the-faults-look-at-what-is-counted";

impl Server {
    /// Not started yet. `settings` are environment variables without their `TROUPE_`.
    pub fn new(binary: &Path, folder: &Path, name: &str, settings: &[(&str, String)]) -> Result<Self> {
        let port = free_port()?;
        let data_dir = folder.join(name);
        fs::create_dir_all(&data_dir)?;
        let own = [
            ("DATA_DIR", data_dir.display().to_string()),
            ("SERVER__ADDRESS", "127.0.0.1".to_owned()),
            ("SERVER__PORT", port.to_string()),
            ("DEMO__ENABLED", "false".to_owned()),
            // A long program outlives an ordinary token.
            ("AUTH__ACCESS_TOKEN_TTL_S", "86400".to_owned()),
            ("EGRESS__ALLOW_PRIVATE", "true".to_owned()),
            ("METRICS__TOKEN", METRICS_TOKEN.to_owned()),
            ("LOG__FORMAT", "json".to_owned()),
        ];
        let settings = own.iter().chain(settings).map(|(key, value)| (format!("TROUPE_{key}"), value.clone()));
        Ok(Self {
            binary: binary.to_owned(),
            log: folder.join(format!("{name}.log")),
            data_dir,
            url: Url::parse(&format!("http://127.0.0.1:{port}"))?,
            settings: settings.collect(),
            child: None,
        })
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Starts the process on the store as it is; gives how long it took until it was ready.
    pub async fn start(&mut self) -> Result<Duration> {
        let started = Instant::now();
        self.spawn()?;
        self.ready().await?;
        Ok(started.elapsed())
    }

    pub fn spawn(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "the server runs already");
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let child = Command::new(&self.binary)
            .arg("serve")
            .current_dir(self.log.parent().unwrap_or(Path::new("/")))
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        self.child = Some(child);
        Ok(())
    }

    pub async fn ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while !self.is_ready().await {
            self.must_run()?;
            ensure!(
                Instant::now() < deadline,
                "the server was not ready within {READY_WITHIN:?}:\n{}",
                self.last_words()
            );
            sleep(ASK_EVERY).await;
        }
        Ok(())
    }

    pub async fn is_ready(&self) -> bool {
        let Ok(url) = self.url.join("/health/ready") else { return false };
        let asked = timeout(Duration::from_secs(1), reqwest::get(url)).await;
        matches!(asked, Ok(Ok(response)) if response.status().is_success())
    }

    pub async fn metrics(&self) -> Result<String> {
        let request = reqwest::Client::new().get(self.url.join("/metrics")?).bearer_auth(METRICS_TOKEN);
        Ok(request.send().await?.error_for_status()?.text().await?)
    }

    /// An error when the process has ended by itself.
    pub fn must_run(&mut self) -> Result<()> {
        let child = self.child.as_mut().context("the server was not started")?;
        match child.try_wait()? {
            Some(status) => bail!("the server ended by itself with {status}:\n{}", self.last_words()),
            None => Ok(()),
        }
    }

    /// `kill -9`: dies at once, without a word to anyone.
    pub async fn kill(&mut self) -> Result<()> {
        self.must_run()?;
        let mut child = self.child.take().context("the server was not started")?;
        Ok(child.kill().await?)
    }

    /// SIGTERM: ends in order.
    pub async fn end(&mut self) -> Result<ExitStatus> {
        self.signal("TERM").await?;
        let mut child = self.child.take().context("the server was not started")?;
        let ended = timeout(ENDS_WITHIN, child.wait()).await;
        Ok(ended.with_context(|| format!("the server did not end within {ENDS_WITHIN:?}"))??)
    }

    pub async fn signal(&self, name: &str) -> Result<()> {
        let pid = self.pid()?.to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status().await?;
        ensure!(sent.success(), "cannot send {name} to {pid}");
        Ok(())
    }

    /// What the process holds in memory of its own: files that are mapped are not counted.
    pub fn memory_bytes(&self) -> Result<u64> {
        Ok(Usage::of(self.pid()?)?.anonymous_bytes)
    }

    /// The most that it ever had resident.
    pub fn peak_bytes(&self) -> Result<u64> {
        usage::peak_bytes(self.pid()?)
    }

    /// From here on no more may be asked of the operating system.
    pub fn limit_data(&self, bytes: u64) -> Result<()> {
        let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
        prlimit(Pid::from_raw(i32::try_from(self.pid()?)?), Resource::Data, limit)?;
        Ok(())
    }

    /// Lines of the log that hold a text.
    pub fn logged(&self, text: &str) -> usize {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log).lines().filter(|line| line.contains(text)).count()
    }

    fn pid(&self) -> Result<u32> {
        self.child.as_ref().and_then(Child::id).context("the server does not run")
    }

    fn last_words(&self) -> String {
        process::last_words(&self.log)
    }
}

/// A port that is free now. Whoever is killed must come back at the same place.
pub fn free_port() -> Result<u16> {
    Ok(process::free_address()?.port())
}
