//! Where the store is.

use std::{path::PathBuf, str::FromStr, time::Duration};

use secrecy::SecretString;

use crate::{Error, Result};

/// One of the two engines, and how to reach it. `Debug` does not show the URL, which may hold a password.
#[derive(Clone, Debug)]
pub enum DatabaseConfig {
    /// The embedded engine. The file and its folder are created.
    Sqlite {
        path: PathBuf,
        /// Connections that only read, beside the one that writes.
        readers_max: u32,
        /// How long a statement waits for another process's lock.
        busy_timeout: Duration,
    },
    Postgres {
        url: SecretString,
        connections_max: u32,
        timeouts: Timeouts,
    },
}

/// What PostgreSQL gives up after so long.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// A statement.
    pub statement: Duration,
    /// The wait for one lock.
    pub lock: Duration,
    /// A transaction that waits for its next statement. A server that is paused, or cut off, in the middle of one must
    /// not hold its locks for longer than its leases live: nobody could take over [SYNC-13].
    pub idle_in_transaction: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            statement: Duration::from_secs(30),
            lock: Duration::from_secs(10),
            idle_in_transaction: Duration::from_secs(5),
        }
    }
}

impl DatabaseConfig {
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite { path: path.into(), readers_max: 4, busy_timeout: Duration::from_secs(10) }
    }

    pub fn postgres(url: impl Into<SecretString>) -> Self {
        Self::Postgres { url: url.into(), connections_max: 16, timeouts: Timeouts::default() }
    }
}

/// Reads `sqlite:PATH`, `sqlite://PATH`, `postgres://…` or `postgresql://…`.
impl FromStr for DatabaseConfig {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::postgres(url));
        }
        let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
        match path {
            Some(path) if !path.is_empty() => Ok(Self::sqlite(path)),
            _ => Err(Error::Config("a database url starts with `sqlite:`, `postgres://` or `postgresql://`")),
        }
    }
}
