//! Where a program plays: a folder, a database, servers. Kept for a look when the program fails.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use tempfile::TempDir;

use super::{postgres::Postgres, server::Server};

#[derive(Args, Clone, Debug)]
pub struct Common {
    /// The same seed makes the same decisions: who edits what, what is typed, when the fault comes.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The server's binary. Default: `troupe` beside this one.
    #[arg(long)]
    pub server: Option<PathBuf>,
    /// Where logs and data go. Default: a temporary folder.
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Database {
    Sqlite,
    Postgres,
}

pub struct Stage {
    folder: Option<TempDir>,
    path: PathBuf,
    binary: PathBuf,
    pub postgres: Option<Postgres>,
}

impl Stage {
    pub async fn set(common: &Common, database: Database) -> Result<Self> {
        let folder = match &common.folder {
            None => Some(tempfile::Builder::new().prefix("troupe-faults-").tempdir()?),
            Some(_) => None,
        };
        let path = match (&folder, &common.folder) {
            (_, Some(path)) => std::path::absolute(path)?,
            (Some(folder), None) => folder.path().to_owned(),
            (None, None) => std::env::temp_dir(),
        };
        std::fs::create_dir_all(&path)?;
        let beside = std::env::current_exe()?.with_file_name("troupe");
        let binary = common.server.clone().unwrap_or(beside);
        let shown = binary.display();
        ensure!(
            binary.is_file(),
            "there is no server at {shown}: build it with `cargo build`, or name it with --server"
        );
        let mut stage = Self { folder, path, binary: std::path::absolute(binary)?, postgres: None };
        if database == Database::Postgres {
            stage.postgres = Some(Postgres::create(&stage.path).await?);
        }
        Ok(stage)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Not started yet. Servers of one stage share their store, if it is PostgreSQL, and their keys.
    pub fn server(&self, name: &str, settings: &[(&str, String)]) -> Result<Server> {
        let mut all = settings.to_vec();
        // Nothing is secret here.
        all.push(("AUTH__SIGNING_KEY", "the same for all servers of a fault program".to_owned()));
        all.push(("SECRETS__MASTER_KEY", "0123456789abcdef".repeat(4)));
        if let Some(postgres) = &self.postgres {
            all.push(("DATABASE__URL", postgres.url()));
        }
        Server::new(&self.binary, &self.path, name, &all)
    }

    /// After a failure: leaves everything for a look.
    pub fn keep(&mut self) {
        if let Some(folder) = self.folder.take() {
            println!("logs and data are left in {}", folder.keep().display());
        }
    }
}
