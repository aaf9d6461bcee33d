//! Random keys and opaque tokens, and the two secrets that are made on first start [OPS-1].
//!
//! The one place where the server draws randomness.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use rand::{Rng, RngExt};
use sha2::{Digest, Sha256};

const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";

#[derive(Debug, thiserror::Error)]
#[error("secret file `{path}`")]
pub struct KeyFileError {
    path: PathBuf,
    #[source]
    source: io::Error,
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
    let failed = |source| KeyFileError { path: path.to_owned(), source };
    match fs::read_to_string(path) {
        Ok(key) => Ok(key.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = opaque();
            create_private(path, &key).map_err(failed)?;
            Ok(key)
        }
        Err(error) => Err(failed(error)),
    }
}

fn create_private(path: &Path, content: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
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
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn passwords_can_be_typed() {
        let password = password();
        assert_eq!(password.len(), 19);
        assert_ne!(password, super::password());
    }
}
