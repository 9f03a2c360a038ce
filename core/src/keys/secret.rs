//! A wrapped secret in a file: made once, written whole or not at all.
//!
//! Layout: one version byte (1), 8 bytes of check value, the vault's blob. The
//! check value is `HKDF(secret, "homeline/check/v1")`: with it a vault that
//! answers with another secret is told apart from a damaged database.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use zeroize::{Zeroize as _, Zeroizing};

use super::{KeyPurpose, KeyVault, Secret, VaultError, derive, random};
use crate::error::{HomelineError, Result, StorageProblem};

const VERSION: u8 = 1;

/// The outcome of reading a secret.
pub(crate) enum StoredSecret {
    /// At hand.
    Open {
        secret: Secret,
        /// Whether this call made it.
        fresh: bool,
    },
    /// The vault keeps it back or failed: try again later.
    Locked,
    /// The vault cannot unwrap it any more.
    Lost,
}

/// Where a wrapped secret of one purpose lives.
pub(crate) struct SecretFile {
    path: PathBuf,
    purpose: KeyPurpose,
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
        Ok(self.unwrap(&bytes, vault))
    }

    fn unwrap(&self, bytes: &[u8], vault: &dyn KeyVault) -> StoredSecret {
        // A torn or foreign key file is a lost key: the file is kept.
        let Some((&[VERSION], rest)) = bytes.split_first_chunk::<1>() else {
            return StoredSecret::Lost;
        };
        let Some((check, wrapped)) = rest.split_first_chunk::<8>() else {
            return StoredSecret::Lost;
        };
        match vault.unwrap(self.purpose, wrapped.to_vec()) {
            Ok(mut plain) => {
                let secret: Option<Secret> = <[u8; 32]>::try_from(plain.as_slice())
                    .ok()
                    .map(Zeroizing::new);
                plain.zeroize();
                match secret {
                    Some(secret) if check_value(&secret).as_slice() == check => {
                        StoredSecret::Open {
                            secret,
                            fresh: false,
                        }
                    }
                    _ => StoredSecret::Lost,
                }
            }
            Err(VaultError::KeyLost) => StoredSecret::Lost,
            Err(VaultError::Locked | VaultError::Failed) => StoredSecret::Locked,
        }
    }

    fn create(&self, vault: &dyn KeyVault) -> Result<StoredSecret> {
        let secret: Secret = Zeroizing::new(random::<32>()?);
        let Ok(wrapped) = vault.wrap(self.purpose, secret.to_vec()) else {
            return Ok(StoredSecret::Locked);
        };
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(check_value(&secret).as_slice());
        bytes.extend_from_slice(&wrapped);
        write_whole(&self.path, &bytes)?;
        Ok(StoredSecret::Open {
            secret,
            fresh: true,
        })
    }
}

fn check_value(secret: &Secret) -> Zeroizing<[u8; 8]> {
    derive::<8>(secret, b"homeline/check/v1")
}

/// Writes a file so that after a power cut it is there whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let directory = path
        .parent()
        .ok_or(HomelineError::from(StorageProblem::NoPermission))?;
    let partial = path.with_extension("partial");
    let mut file = fs::File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    // The rename itself must survive; a directory that cannot be opened for
    // that (some platforms) leaves it to the file system.
    if let Ok(directory) = fs::File::open(directory) {
        let _ = directory.sync_all();
    }
    Ok(())
}
