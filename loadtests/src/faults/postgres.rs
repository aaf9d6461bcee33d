//! A PostgreSQL of our own, that can be stopped and started again.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use super::server::free_port;

const READY_WITHIN: Duration = Duration::from_secs(30);
const ASK_EVERY: Duration = Duration::from_millis(50);

pub struct Postgres {
    programs: PathBuf,
    data: PathBuf,
    log: PathBuf,
    port: u16,
    /// PostgreSQL refuses to run as root.
    user: Option<String>,
    child: Option<Child>,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Transactions are rolled back, connections are told.
    Fast,
    /// As after a power cut: recovers from its log at the next start.
    Immediate,
}

impl Postgres {
    /// Makes a cluster in the folder and starts it. It syncs to the disk as one in production does.
    pub async fn create(folder: &Path) -> Result<Self> {
        let user = superuser()?.then(|| if known("postgres") { "postgres" } else { "nobody" }.to_owned());
        let data = folder.join("postgres");
        fs::create_dir(&data)?;
        let mut postgres = Self {
            programs: programs()?,
            log: folder.join("postgres.log"),
            data,
            port: free_port()?,
            user,
            child: None,
        };
        if let Some(user) = &postgres.user {
            // The temporary folder is its maker's only.
            run(Command::new("chmod").arg("755").arg(folder)).await?;
            run(Command::new("chown").arg(user).arg(&postgres.data)).await?;
        }
        let mut initdb = postgres.program("initdb");
        initdb.args(["-U", "troupe", "--auth=trust", "--encoding=UTF8", "--locale=C", "-D"]).arg(&postgres.data);
        run(&mut initdb).await?;
        postgres.start().await?;
        Ok(postgres)
    }

    pub fn url(&self) -> String {
        format!("postgres://troupe@127.0.0.1:{}/postgres", self.port)
    }

    pub async fn start(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "PostgreSQL runs already");
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = self.program("postgres");
        command.arg("-D").arg(&self.data).args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k"]);
        command.arg(&self.data).args(["-c", "max_connections=100"]);
        self.child = Some(command.stdout(log.try_clone()?).stderr(log).kill_on_drop(true).spawn()?);
        let deadline = Instant::now() + READY_WITHIN;
        while self.query("SELECT 1").await.is_err() {
            ensure!(Instant::now() < deadline, "PostgreSQL did not start: see {}", self.log.display());
            sleep(ASK_EVERY).await;
        }
        Ok(())
    }

    pub async fn stop(&mut self, how: Shutdown) -> Result<()> {
        let mut child = self.child.take().context("PostgreSQL does not run")?;
        let pid = child.id().context("PostgreSQL has ended by itself")?.to_string();
        let signal = match how {
            Shutdown::Fast => "-INT",
            Shutdown::Immediate => "-QUIT",
        };
        run(Command::new("kill").args([signal, &pid])).await?;
        timeout(READY_WITHIN, child.wait()).await.context("PostgreSQL did not stop")??;
        Ok(())
    }

    /// Rows as lines, columns between bars.
    pub async fn query(&self, sql: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]).arg(self.url());
        run(&mut psql).await
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match &self.user {
            None => Command::new(program),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args([&format!("--reuid={user}"), "--clear-groups", "--"]).arg(program);
                command
            }
        };
        command.current_dir(&self.data).stdin(Stdio::null());
        command
    }
}

/// Where the distribution puts them, the newest first; otherwise on the path.
fn programs() -> Result<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    match versions.pop() {
        Some((_, path)) => Ok(path),
        None => {
            let found = std::process::Command::new("pg_config").arg("--bindir").output();
            let found =
                found.context("PostgreSQL is not installed: neither /usr/lib/postgresql nor pg_config is there")?;
            Ok(PathBuf::from(String::from_utf8(found.stdout)?.trim()))
        }
    }
}

fn superuser() -> Result<bool> {
    Ok(fs::read_to_string("/proc/self/status")?.lines().any(|line| line.starts_with("Uid:\t0\t")))
}

fn known(user: &str) -> bool {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    users.lines().any(|line| line.split(':').next() == Some(user))
}

pub async fn run(command: &mut Command) -> Result<String> {
    let output = command.output().await.with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
