//! The files a tenant's nodes may touch: one folder, and nothing outside it [SEC-1].

use std::path::{Component, Path, PathBuf};

use troupe_model::NodeFailure;

/// A folder that paths cannot leave.
#[derive(Clone, Debug)]
pub struct Files {
    root: PathBuf,
}

impl Files {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of a user's relative path, for reading. It exists, and links do not lead outside.
    ///
    /// Errors: `invalid_path`, `file_not_found`.
    pub fn existing(&self, path: &str) -> Result<PathBuf, NodeFailure> {
        let file = self.join(path)?;
        let missing = || {
            NodeFailure::new("file_not_found", format!("there is no file `{path}`"))
                .reason("paths are relative to the files folder of your tenant")
                .solution("check the spelling, or upload the file first")
        };
        let real = file.canonicalize().map_err(|_| missing())?;
        let root = self.root.canonicalize().map_err(|_| missing())?;
        if !real.starts_with(&root) {
            return Err(outside(path));
        }
        if !real.is_file() {
            return Err(missing());
        }
        Ok(real)
    }

    /// The file of a user's relative path, for writing. Its folders are made; links do not lead outside.
    ///
    /// Errors: `invalid_path`, `file_not_writable`.
    pub fn writable(&self, path: &str) -> Result<PathBuf, NodeFailure> {
        let file = self.join(path)?;
        let failed = |error: std::io::Error| {
            NodeFailure::new("file_not_writable", format!("`{path}` cannot be written")).reason(error.to_string())
        };
        let folder = file.parent().ok_or_else(|| outside(path))?;
        std::fs::create_dir_all(&self.root).map_err(failed)?;
        let root = self.root.canonicalize().map_err(failed)?;
        // Before folders are made: a link may lead outside.
        let there = folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(&self.root);
        if !there.canonicalize().map_err(failed)?.starts_with(&root) {
            return Err(outside(path));
        }
        std::fs::create_dir_all(folder).map_err(failed)?;
        let folder = folder.canonicalize().map_err(failed)?;
        let target = folder.join(file.file_name().ok_or_else(|| outside(path))?);
        if !folder.starts_with(&root) || target.is_symlink() {
            return Err(outside(path));
        }
        Ok(target)
    }

    fn join(&self, path: &str) -> Result<PathBuf, NodeFailure> {
        let relative = Path::new(path);
        let plain = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if path.is_empty() || !plain || path.contains('\0') {
            return Err(outside(path));
        }
        Ok(self.root.join(relative))
    }
}

fn outside(path: &str) -> NodeFailure {
    NodeFailure::new("invalid_path", format!("`{path}` is not a path inside the files folder"))
        .solution("use a relative path without `..`")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// [SEC-1] A link to a folder outside is followed neither to a file nor to make folders.
    #[test]
    fn links_lead_nowhere() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(outside.path(), inside.path().join("link")).unwrap();
        let files = Files::new(inside.path());
        for path in ["link/a.csv", "link/new/a.csv"] {
            assert_eq!(files.writable(path).unwrap_err().code, "invalid_path", "{path}");
        }
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
        assert!(files.writable("new/deep/a.csv").is_ok());
    }
}
