//! Sealed values [SEC-2]: XChaCha20-Poly1305 under a data key per tenant, which the server's master key wraps.
//!
//! A sealed value opens only with the key that sealed it, for the same tenant and purpose: both are authenticated.
//! Layout: version (1), key id (8), nonce (24), ciphertext with tag (plaintext + 16). Nothing here prints a secret.

use std::fmt;

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use rand::CryptoRng;
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox as Secret, SecretSlice};
use sha2::{Digest, Sha256};
use troupe_model::TenantId;

use crate::{Error, Result};

pub const KEY_BYTES: usize = 32;

const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const HEAD_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES;
/// The purpose for which the master key seals a data key.
const DATA_KEY: &str = "data-key";

/// The server's master key. It seals nothing but tenants' data keys.
pub struct SecretBox(Cipher);

/// A tenant's data key, open.
pub struct TenantBox {
    cipher: Cipher,
    tenant: TenantId,
}

/// A tenant's data key, sealed by the master key: what the tenants table holds.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey(Vec<u8>);

/// A sealed value. It may be stored anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl SecretBox {
    pub fn new(master_key: &Secret<[u8; KEY_BYTES]>) -> Self {
        Self(Cipher::new(master_key))
    }

    /// A fresh data key for a tenant that has none.
    pub fn new_data_key(&self, tenant: TenantId, rng: &mut impl CryptoRng) -> Result<WrappedKey> {
        let key = Secret::<[u8; KEY_BYTES]>::init_with_mut(|key| rng.fill_bytes(key));
        self.0.seal(tenant, DATA_KEY, key.expose_secret(), rng).map(WrappedKey)
    }

    /// Opens a tenant's data key. Fails with [`Error::Sealed`] for another tenant's key and under another master key.
    pub fn tenant(&self, tenant: TenantId, key: &WrappedKey) -> Result<TenantBox> {
        let opened = self.0.open(tenant, DATA_KEY, &key.0)?;
        let mut data_key = Secret::<[u8; KEY_BYTES]>::default();
        if opened.expose_secret().len() != KEY_BYTES {
            return Err(Error::Sealed);
        }
        data_key.expose_secret_mut().copy_from_slice(opened.expose_secret());
        Ok(TenantBox { cipher: Cipher::new(&data_key), tenant })
    }
}

impl TenantBox {
    /// `purpose` says what the value is for, such as `connector:0198…`; only the same purpose opens it.
    pub fn seal(&self, purpose: &str, plaintext: &[u8], rng: &mut impl CryptoRng) -> Result<Sealed> {
        self.cipher.seal(self.tenant, purpose, plaintext, rng).map(Sealed)
    }

    /// Fails with [`Error::Sealed`], and does not say why.
    pub fn open(&self, purpose: &str, sealed: &Sealed) -> Result<SecretSlice<u8>> {
        self.cipher.open(self.tenant, purpose, &sealed.0)
    }
}

struct Cipher {
    aead: XChaCha20Poly1305,
    /// Tells keys apart without telling them.
    key_id: [u8; KEY_ID_BYTES],
}

impl Cipher {
    fn new(key: &Secret<[u8; KEY_BYTES]>) -> Self {
        let digest = Sha256::new().chain_update("troupe key id").chain_update(key.expose_secret()).finalize();
        let mut key_id = [0; KEY_ID_BYTES];
        key_id.copy_from_slice(&digest[..KEY_ID_BYTES]);
        Self { aead: XChaCha20Poly1305::new(key.expose_secret().into()), key_id }
    }

    fn seal(&self, tenant: TenantId, purpose: &str, plaintext: &[u8], rng: &mut impl CryptoRng) -> Result<Vec<u8>> {
        // 24 random bytes: so many that a nonce never repeats.
        let mut nonce = [0; NONCE_BYTES];
        rng.fill_bytes(&mut nonce);
        let aad = self.aad(tenant, purpose);
        let ciphertext = self
            .aead
            .encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad: &aad })
            .map_err(|_| Error::Sealed)?;
        Ok([&[VERSION][..], &self.key_id, &nonce, &ciphertext].concat())
    }

    fn open(&self, tenant: TenantId, purpose: &str, sealed: &[u8]) -> Result<SecretSlice<u8>> {
        let (head, ciphertext) = sealed.split_at_checked(HEAD_BYTES).ok_or(Error::Sealed)?;
        let (version, rest) = head.split_at(1);
        let (key_id, nonce) = rest.split_at(KEY_ID_BYTES);
        if version != [VERSION] || key_id != self.key_id {
            return Err(Error::Sealed);
        }
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| Error::Sealed)?;
        let aad = self.aad(tenant, purpose);
        let plaintext = self
            .aead
            .decrypt(&XNonce::from(nonce), Payload { msg: ciphertext, aad: &aad })
            .map_err(|_| Error::Sealed)?;
        Ok(plaintext.into())
    }

    /// Fixed lengths first, so that no two contexts give the same bytes.
    fn aad(&self, tenant: TenantId, purpose: &str) -> Vec<u8> {
        [&[VERSION][..], &self.key_id, tenant.as_uuid().as_bytes(), purpose.as_bytes()].concat()
    }
}

impl WrappedKey {
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Sealed {
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

macro_rules! opaque {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

opaque!(SecretBox, TenantBox, WrappedKey, Sealed);
