//! A vault that a test can lock and break.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use homeline::keys::{FileVault, KeyPurpose, KeyVault, VaultError};

/// A [`FileVault`] with the record's key held back while `locked` is set, as a
/// phone does before its first unlock.
pub struct LockableVault {
    inner: Arc<FileVault>,
    locked: AtomicBool,
}

impl LockableVault {
    /// Opens the vault at `path`.
    pub fn open(path: &std::path::Path, locked: bool) -> homeline::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            inner: FileVault::open(path.to_string_lossy().into_owned())?,
            locked: AtomicBool::new(locked),
        }))
    }

    /// Locks or unlocks the record's key.
    pub fn set_locked(&self, locked: bool) {
        self.locked.store(locked, Ordering::SeqCst);
    }

    fn check(&self, purpose: KeyPurpose) -> Result<(), VaultError> {
        if purpose == KeyPurpose::Record && self.locked.load(Ordering::SeqCst) {
            return Err(VaultError::Locked);
        }
        Ok(())
    }
}

impl KeyVault for LockableVault {
    fn wrap(&self, purpose: KeyPurpose, secret: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        self.check(purpose)?;
        self.inner.wrap(purpose, secret)
    }

    fn unwrap(&self, purpose: KeyPurpose, wrapped: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        self.check(purpose)?;
        self.inner.unwrap(purpose, wrapped)
    }
}
