//! Who this server is: an id that stays with its data folder, and a lock that keeps a second process out of it.
//!
//! A server that was killed is the same one when it starts again, so it goes on under its own leases at once instead
//! of waiting for them to expire.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

use anyhow::{Context, bail};
use troupe_model::ServerId;

const FILE: &str = "server.id";

/// Held as long as the server runs.
#[derive(Debug)]
pub struct Identity {
    pub id: ServerId,
    _locked: File,
}

impl Identity {
    /// Reads or makes the id of a data folder. Fails when another process uses the folder.
    pub fn of(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join(FILE);
        let shown = path.display();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("cannot open `{shown}`"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another server uses `{}`; stop it, or choose another data_dir", data_dir.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("cannot lock `{shown}`")),
        }
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(|| format!("cannot read `{shown}`"))?;
        let id = match text.trim() {
            "" => {
                let id = ServerId::generate();
                file.rewind()?;
                write!(file, "{id}")?;
                file.sync_all().with_context(|| format!("cannot write `{shown}`"))?;
                id
            }
            known => known.parse().with_context(|| format!("`{shown}` does not hold a server's id"))?,
        };
        Ok(Self { id, _locked: file })
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// [SYNC-13] A server that starts again is the same; two at once on one folder are refused.
    #[test]
    fn the_id_stays_with_the_folder() {
        let folder = TempDir::new().unwrap();
        let first = Identity::of(folder.path()).unwrap();
        let refused = Identity::of(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("another server uses"), "{refused}");
        let id = first.id;
        drop(first);
        assert_eq!(Identity::of(folder.path()).unwrap().id, id);
    }
}
