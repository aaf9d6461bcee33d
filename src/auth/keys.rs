//! Random keys and opaque tokens, and the two secrets that are made on first start [OPS-1].
//!
//! The one place where the server draws randomness.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use rand::{Rng, RngExt};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::{config::KEY_BYTES_MIN, data_dir};

const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("the key in `{0}` cannot be read or made")]
    Io(PathBuf, #[source] io::Error),
    #[error(
        "the key in `{path}` has {len} bytes, and must have {KEY_BYTES_MIN} or more: bring it back from a backup. Without \
         one, remove the file: the server makes another key, and what the former one signed or sealed is void",
        path = .0.display(), len = .1
    )]
    Short(PathBuf, usize),
    #[error(
        "others can read the key in `{path}`: run `chmod 600 {path}`, and consider whether somebody did",
        path = .0.display()
    )]
    Open(PathBuf),
}

/// 256 random bits as hexadecimal: refresh tokens, tickets, keys.
pub fn opaque() -> String {
    let mut bytes = [0_u8; 32];
    rng().fill_bytes(&mut bytes);
    hex(&bytes)
}

/// A password that can be read out loud and typed.
pub fn password() -> String {
    let mut rng = rng();
    let letters: Vec<u8> = (0..16).map(|_| ALPHABET[rng.random_range(0..ALPHABET.len())]).collect();
    letters.chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// What is stored of an opaque token. It has 256 random bits, so a plain hash is enough.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The key in `path`; made there, readable by its owner only, when there is none.
pub fn load_or_create(path: &Path) -> Result<String, KeyFileError> {
    let failed = |error| KeyFileError::Io(path.to_owned(), error);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return create(path).map_err(failed),
        Err(error) => return Err(failed(error)),
    };
    if data_dir::is_open_to_others(&file.metadata().map_err(failed)?) {
        return Err(KeyFileError::Open(path.to_owned()));
    }
    let mut key = String::new();
    file.read_to_string(&mut key).map_err(failed)?;
    match key.trim() {
        short if short.len() < KEY_BYTES_MIN => Err(KeyFileError::Short(path.to_owned(), short.len())),
        key => Ok(key.to_owned()),
    }
}

/// All of it, or nothing: it gets its name when it is on the disk.
fn create(path: &Path) -> io::Result<String> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let key = opaque();
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(key.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    File::open(folder)?.sync_all()?;
    Ok(key)
}

/// 64 hexadecimal digits as bytes.
pub fn parse(key: &str) -> Option<[u8; 32]> {
    let digits =
        key.as_bytes().chunks_exact(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    digits.collect::<Option<Vec<u8>>>()?.try_into().ok().filter(|_| key.len() == 64)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[expect(clippy::disallowed_methods, reason = "the edge draws the randomness")]
pub fn rng() -> rand::rngs::ThreadRng {
    rand::rng()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    /// [OPS-1] Secrets are made once, and only their owner can read them.
    #[test]
    fn makes_a_key_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("signing.key");
        let key = load_or_create(&path).unwrap();
        assert_eq!(key, hex(&parse(&key).unwrap()));
        assert_eq!(parse("xyz"), None);
        assert_eq!(load_or_create(&path).unwrap(), key);
        assert!(!data_dir::is_open_to_others(&fs::metadata(&path).unwrap()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
    }

    /// [SEC-2] A key that was cut off, or that others can read, ends the start with what to do; it is not replaced.
    #[test]
    fn a_damaged_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("signing.key");
        for cut in ["", "\n", "0123456789"] {
            fs::write(&path, cut).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let refused = load_or_create(&path).unwrap_err().to_string();
            assert!(refused.contains("must have 32 or more"), "{refused}");
            assert_eq!(fs::read_to_string(&path).unwrap(), cut);
        }
        fs::write(&path, opaque()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = load_or_create(&path).unwrap_err().to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
    }

    #[test]
    fn passwords_can_be_typed() {
        let password = password();
        assert_eq!(password.len(), 19);
        assert_ne!(password, super::password());
    }
}
