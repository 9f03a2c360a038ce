//! Wrapped secrets in a file, written whole or not at all.
//!
//! Mostly there is one. Two lie side by side while one takes the place of the
//! other: the same secret wrapped by two vaults while the vault changes, or two
//! secrets of the same vault while the record's key is rotated. So a kill at any
//! moment leaves a file from which the right one can be had.
//!
//! ```text
//! version 1, one secret:   01, check value (8), the vault's blob
//! version 2, several:      02, then each: check value (8), length (4, big-endian), blob
//! ```
//!
//! The check value is `HKDF(secret, "homeline/check/v1")`: with it a vault that
//! answers with another secret is told apart from a damaged database.

use std::fs;
use std::path::{Path, PathBuf};

use zeroize::{Zeroize as _, Zeroizing};

use super::{KeyPurpose, KeyVault, Secret, VaultError, derive, random};
use crate::error::{HomelineError, Result};
use crate::sqlite;

const ONE: u8 = 1;
const SEVERAL: u8 = 2;

/// The outcome of reading a secret.
pub(crate) enum StoredSecret {
    /// At hand.
    Open {
        secret: Secret,
        /// What was to take its place, or was to be replaced by it.
        others: Vec<Secret>,
        /// Whether this call made it.
        fresh: bool,
    },
    /// The vault keeps it back or failed: try again later.
    Locked,
    /// The vault cannot unwrap it any more.
    Lost,
}

/// Where wrapped secrets of one purpose live.
pub(crate) struct SecretFile {
    path: PathBuf,
    purpose: KeyPurpose,
}

/// One secret as it lies in the file.
struct Entry {
    check: [u8; 8],
    wrapped: Vec<u8>,
}

impl SecretFile {
    pub(crate) fn new(directory: &Path, purpose: KeyPurpose) -> Self {
        let name = match purpose {
            KeyPurpose::Record => "record.key",
            KeyPurpose::Device => "device.key",
        };
        Self {
            path: directory.join(name),
            purpose,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the secret; makes, wraps and writes one when there is no file.
    pub(crate) fn load_or_create(&self, vault: &dyn KeyVault) -> Result<StoredSecret> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return self.create(vault);
            }
            Err(error) => return Err(error.into()),
        };
        Ok(self.unwrap_all(&entries(&bytes), vault))
    }

    /// Writes these secrets, the one in force first, and no others.
    pub(crate) fn store(&self, vault: &dyn KeyVault, secrets: &[&Secret]) -> Result<()> {
        let entries: Vec<Entry> = secrets
            .iter()
            .map(|secret| self.wrap(vault, secret))
            .collect::<Result<_>>()?;
        sqlite::write_whole(&self.path, &bytes(&entries)?)
    }

    /// The first half of a change of vault: each secret wrapped by both. The new
    /// vault is asked for each at once: what it cannot give back is not trusted
    /// to it.
    pub(crate) fn wrap_by_both(&self, old: &dyn KeyVault, new: &dyn KeyVault) -> Result<()> {
        let secrets = self.load_or_create(old)?.all()?;
        let mut entries = Vec::new();
        for vault in [old, new] {
            for secret in &secrets {
                entries.push(self.wrap(vault, secret)?);
            }
        }
        let own: Vec<&Entry> = entries.iter().skip(secrets.len()).collect();
        for (entry, secret) in own.iter().zip(&secrets) {
            match self.unwrap(entry, new) {
                Ok(back) if back == *secret => {}
                Ok(_) => return Err(HomelineError::KeyLost),
                Err(error) => return Err(refusal(&error)),
            }
        }
        sqlite::write_whole(&self.path, &bytes(&entries)?)
    }

    /// The second half: wrapped by `vault` alone.
    pub(crate) fn wrap_by_one(&self, vault: &dyn KeyVault) -> Result<()> {
        let secrets = self.load_or_create(vault)?.all()?;
        let secrets: Vec<&Secret> = secrets.iter().collect();
        self.store(vault, &secrets)
    }

    /// A file of this purpose that was set aside and that `vault` opens, the newest.
    pub(crate) fn set_aside_for(&self, vault: &dyn KeyVault) -> Option<PathBuf> {
        let directory = self.path.parent()?;
        let name = self.path.file_name()?.to_str()?;
        let prefix = format!("{name}.aside-");
        sqlite::files_set_aside(directory)
            .into_iter()
            .rev()
            .filter(|aside| aside.starts_with(&prefix))
            .map(|aside| directory.join(aside))
            .find(|aside| {
                fs::read(aside).is_ok_and(|bytes| {
                    let stored = self.unwrap_all(&entries(&bytes), vault);
                    matches!(stored, StoredSecret::Open { .. })
                })
            })
    }

    fn unwrap_all(&self, entries: &[Entry], vault: &dyn KeyVault) -> StoredSecret {
        let (mut found, mut locked) = (Vec::<Secret>::new(), false);
        for entry in entries {
            match self.unwrap(entry, vault) {
                Ok(secret) if !found.contains(&secret) => found.push(secret),
                Ok(_) | Err(VaultError::KeyLost) => {}
                Err(VaultError::Locked | VaultError::Failed) => locked = true,
            }
        }
        let mut found = found.into_iter();
        match found.next() {
            Some(secret) => StoredSecret::Open {
                secret,
                others: found.collect(),
                fresh: false,
            },
            None if locked => StoredSecret::Locked,
            // A torn or foreign key file is a lost key too: the file is kept.
            None => StoredSecret::Lost,
        }
    }

    fn unwrap(&self, entry: &Entry, vault: &dyn KeyVault) -> Result<Secret, VaultError> {
        let mut plain = vault.unwrap(self.purpose, entry.wrapped.clone())?;
        let secret: Option<Secret> = <[u8; 32]>::try_from(plain.as_slice())
            .ok()
            .map(Zeroizing::new);
        plain.zeroize();
        secret
            .filter(|secret| *check_value(secret) == entry.check)
            .ok_or(VaultError::KeyLost)
    }

    fn wrap(&self, vault: &dyn KeyVault, secret: &Secret) -> Result<Entry> {
        let wrapped = vault
            .wrap(self.purpose, secret.to_vec())
            .map_err(|error| refusal(&error))?;
        Ok(Entry {
            check: *check_value(secret),
            wrapped,
        })
    }

    fn create(&self, vault: &dyn KeyVault) -> Result<StoredSecret> {
        let secret = new_secret()?;
        let Ok(entry) = self.wrap(vault, &secret) else {
            return Ok(StoredSecret::Locked);
        };
        sqlite::write_whole(&self.path, &bytes(&[entry])?)?;
        Ok(StoredSecret::Open {
            secret,
            others: Vec::new(),
            fresh: true,
        })
    }
}

impl StoredSecret {
    /// Every secret at hand, the one in force first.
    pub(crate) fn all(self) -> Result<Vec<Secret>> {
        match self {
            Self::Open { secret, others, .. } => Ok([vec![secret], others].concat()),
            Self::Locked => Err(HomelineError::Locked),
            Self::Lost => Err(HomelineError::KeyLost),
        }
    }
}

/// A secret that nobody has had before.
pub(crate) fn new_secret() -> Result<Secret> {
    Ok(Zeroizing::new(random::<32>()?))
}

fn refusal(error: &VaultError) -> HomelineError {
    match error {
        VaultError::Locked | VaultError::Failed => HomelineError::Locked,
        VaultError::KeyLost => HomelineError::KeyLost,
    }
}

/// What is in a key file; what does not parse is left out.
fn entries(bytes: &[u8]) -> Vec<Entry> {
    let entry = |check: &[u8; 8], wrapped: &[u8]| Entry {
        check: *check,
        wrapped: wrapped.to_vec(),
    };
    let Some((version, mut rest)) = bytes.split_first() else {
        return Vec::new();
    };
    let mut entries = Vec::new();
    match *version {
        ONE => {
            if let Some((check, wrapped)) = rest.split_first_chunk::<8>() {
                entries.push(entry(check, wrapped));
            }
        }
        SEVERAL => {
            while let Some((check, after)) = rest.split_first_chunk::<8>()
                && let Some((length, after)) = after.split_first_chunk::<4>()
                && let Ok(length) = usize::try_from(u32::from_be_bytes(*length))
                && let Some((wrapped, after)) = after.split_at_checked(length)
            {
                entries.push(entry(check, wrapped));
                rest = after;
            }
        }
        _ => {}
    }
    entries
}

/// One secret is written as version 1, which every version of the library reads.
fn bytes(entries: &[Entry]) -> Result<Vec<u8>> {
    if let [entry] = entries {
        return Ok([&[ONE], entry.check.as_slice(), &entry.wrapped].concat());
    }
    let mut bytes = vec![SEVERAL];
    for entry in entries {
        let length =
            u32::try_from(entry.wrapped.len()).map_err(|_| HomelineError::bug("keys::secret"))?;
        bytes.extend_from_slice(&entry.check);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&entry.wrapped);
    }
    Ok(bytes)
}

fn check_value(secret: &Secret) -> Zeroizing<[u8; 8]> {
    derive::<8>(secret, b"homeline/check/v1")
}
