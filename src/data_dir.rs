//! The folder with all that the server keeps. Nobody but its owner reads what is in it: it holds the database, the keys
//! and the data of every tenant.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Makes the folder if there is none, and closes to others what is there already. Keys are left as they are: one that
/// others could read is refused when it is read.
pub fn prepare(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(path)
        .with_context(|| format!("cannot create `{shown}`"))?;
    close_to_others(path, FOLDER_MODE)?;
    for entry in fs::read_dir(path).with_context(|| format!("cannot read `{shown}`"))? {
        let path = entry.with_context(|| format!("cannot read `{shown}`"))?.path();
        if path.is_file() && path.extension().is_none_or(|extension| extension != "key") {
            close_to_others(&path, FILE_MODE)?;
        }
    }
    Ok(())
}

/// The embedded database. SQLite gives the files beside it the same permissions.
pub fn database(data_dir: &Path) -> anyhow::Result<PathBuf> {
    prepare(data_dir)?;
    let path = data_dir.join("troupe.db");
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(FILE_MODE)
        .open(&path)
        .with_context(|| format!("cannot open `{}`", path.display()))?;
    Ok(path)
}

/// Whether others than its owner may read or write a file, by its mode.
pub fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    metadata.permissions().mode() & 0o077 != 0
}

fn close_to_others(path: &Path, mode: u32) -> anyhow::Result<()> {
    let shown = path.display();
    let closing = || -> io::Result<()> {
        if is_open_to_others(&fs::metadata(path)?) {
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
            tracing::warn!(path = %shown, mode = format!("{mode:o}"), "others could read this; it is closed to them now");
        }
        Ok(())
    };
    closing().with_context(|| {
        format!("others can read `{shown}`: run `chmod {mode:o} {shown}` as its owner, or choose another data_dir")
    })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// [SEC-2] A folder of an older server, or one that was copied, is closed to others; keys are not touched.
    #[test]
    fn an_open_folder_is_closed() {
        let outer = TempDir::new().unwrap();
        let folder = outer.path().join("a/b");
        prepare(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["troupe.db", "troupe.db-wal", "signing.key"] {
            fs::write(folder.join(name), "").unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o644)).unwrap();
        }
        prepare(&folder).unwrap();
        let modes = ["", "troupe.db", "troupe.db-wal", "signing.key"].map(|name| mode(&folder.join(name)));
        assert_eq!(modes, [0o700, 0o600, 0o600, 0o644]);
    }

    /// [SEC-2] The database is its owner's from the first byte.
    #[test]
    fn the_database_is_made_private() {
        let folder = TempDir::new().unwrap();
        let path = database(folder.path()).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::write(&path, "kept").unwrap();
        assert_eq!(fs::read(database(folder.path()).unwrap()).unwrap(), b"kept");
    }
}
