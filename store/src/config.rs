//! Where the store is.

use std::{path::PathBuf, str::FromStr};

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
    },
    Postgres {
        url: SecretString,
        connections_max: u32,
    },
}

impl DatabaseConfig {
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite { path: path.into(), readers_max: 4 }
    }

    pub fn postgres(url: impl Into<SecretString>) -> Self {
        Self::Postgres { url: url.into(), connections_max: 16 }
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
