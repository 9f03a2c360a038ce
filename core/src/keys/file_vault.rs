//! A vault for desktops and tests: its own key lies in a file of mode 0600.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::{KeyPurpose, KeyVault, VaultError, random};
use crate::error::{HomelineError, Problem, Result, guard};
use crate::sqlite;

/// A [`KeyVault`] whose key lies in a file that only its owner can read.
///
/// It protects against a copy of the record without the key file, not against
/// somebody who has both. Phones use the vaults of their platform.
#[derive(uniffi::Object)]
pub struct FileVault {
    key: LessSafeKey,
}

#[uniffi::export]
impl FileVault {
    /// Reads the key at `path`; makes it, with mode 0600, when there is none.
    ///
    /// Errors: `Invalid` when the file is not a key, `Storage` when it cannot
    /// be read or written.
    #[uniffi::constructor]
    pub fn open(path: String) -> Result<Arc<Self>> {
        guard("FileVault::open", || {
            let key = read_or_create(Path::new(&path))?;
            let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_slice())
                .map_err(|_| HomelineError::bug("keys::file_vault"))?;
            Ok(Arc::new(Self {
                key: LessSafeKey::new(key),
            }))
        })
    }
}

fn read_or_create(path: &Path) -> Result<Zeroizing<[u8; 32]>> {
    match fs::read(path).map(Zeroizing::new) {
        Ok(bytes) => <[u8; 32]>::try_from(bytes.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| {
                HomelineError::invalid("vault file", Problem::Malformed, "a key of 32 bytes")
            }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if let Some(parent) = path.parent() {
                sqlite::make_directory(parent)?;
            }
            let key = Zeroizing::new(random::<32>()?);
            // Whole or not at all: half a key would keep the app from starting.
            sqlite::write_whole(path, key.as_slice())?;
            Ok(key)
        }
        Err(error) => Err(error.into()),
    }
}

impl FileVault {
    fn aad(purpose: KeyPurpose) -> Aad<&'static [u8]> {
        Aad::from(match purpose {
            KeyPurpose::Record => b"record",
            KeyPurpose::Device => b"device",
        })
    }
}

#[uniffi::export]
impl KeyVault for FileVault {
    fn wrap(&self, purpose: KeyPurpose, secret: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        let nonce = random::<12>().map_err(|_| VaultError::Failed)?;
        let mut sealed = secret;
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Self::aad(purpose),
                &mut sealed,
            )
            .map_err(|_| VaultError::Failed)?;
        let mut wrapped = nonce.to_vec();
        wrapped.append(&mut sealed);
        Ok(wrapped)
    }

    fn unwrap(&self, purpose: KeyPurpose, wrapped: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        let (nonce, sealed) = wrapped
            .split_first_chunk::<12>()
            .ok_or(VaultError::KeyLost)?;
        let mut sealed = sealed.to_vec();
        // Another key's blob does not authenticate: that key is gone.
        let plain = self
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Self::aad(purpose),
                &mut sealed,
            )
            .map_err(|_| VaultError::KeyLost)?;
        Ok(plain.to_vec())
    }
}
