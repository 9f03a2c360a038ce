//! The key hierarchy.
//!
//! ```text
//! host's KeyVault (Android Keystore, Keychain, a file)
//!   wraps  record secret, 32 random bytes          file record.key
//!            └ HKDF-SHA256 → SQLCipher key (32) and salt (16)
//!   wraps  device secret, 32 random bytes          file device.key
//!            ├ HKDF-SHA256 → Ed25519 seed: signs the requests
//!            └ HKDF-SHA256 → X25519 key: authenticates sealed envelopes,
//!                            and opens what is sealed to this device
//! ```
//!
//! The record secret may wait for the first unlock; the device secret may not,
//! for the SOS must work before it. Where even the device secret cannot be
//! had, the core makes another that lives in memory only: the report still
//! leaves, authenticated by a device that the ministry meets for the first
//! time. No secret is ever written outside a wrapping of the vault.

mod device;
mod file_vault;
mod secret;

pub(crate) use device::DeviceKeys;
pub use file_vault::FileVault;
pub(crate) use secret::{SecretFile, StoredSecret, new_secret};

use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

/// What a wrapped secret is for; a vault may keep one key for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum KeyPurpose {
    /// The secret of the private record. It may wait for the first unlock.
    Record,
    /// The secret of the device. It must be at hand before the first unlock.
    Device,
}

/// A failure of a [`KeyVault`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum VaultError {
    /// The platform keeps the key back until the phone has been unlocked.
    #[error("locked")]
    Locked,
    /// The key that wrapped this secret does not exist any more.
    #[error("key lost")]
    KeyLost,
    /// Anything else, an unexpected exception of the host included. It is
    /// treated like `Locked`: nothing is moved, nothing is deleted.
    #[error("vault failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for VaultError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // The reason holds a stack trace of the host: it is not kept.
        Self::Failed
    }
}

/// The host's key store: it wraps the library's secrets with a key that never
/// leaves it. Implementations authenticate what they wrap, so that a changed
/// blob or a blob of another key is an error, never another secret.
#[uniffi::export(with_foreign)]
pub trait KeyVault: Send + Sync {
    /// Encrypts `secret` (32 bytes) with the vault's key for `purpose`.
    fn wrap(&self, purpose: KeyPurpose, secret: Vec<u8>) -> Result<Vec<u8>, VaultError>;

    /// Decrypts what `wrap` returned.
    fn unwrap(&self, purpose: KeyPurpose, wrapped: Vec<u8>) -> Result<Vec<u8>, VaultError>;
}

/// The vault in force, shared by all who ask it: it can change while they live.
pub(crate) struct CurrentVault {
    vault: RwLock<Arc<dyn KeyVault>>,
}

impl CurrentVault {
    pub(crate) fn new(vault: Arc<dyn KeyVault>) -> Self {
        Self {
            vault: RwLock::new(vault),
        }
    }

    /// Never kept while the vault is asked: a host's vault may take its time.
    pub(crate) fn get(&self) -> Arc<dyn KeyVault> {
        Arc::clone(&self.vault.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, vault: Arc<dyn KeyVault>) {
        *self.vault.write().unwrap_or_else(PoisonError::into_inner) = vault;
    }
}

/// 32 bytes of key material, wiped when dropped.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// HKDF-SHA256 (RFC 5869) without salt: `secret` is uniformly random already.
pub(crate) fn derive<const N: usize>(secret: &Secret, info: &[u8]) -> Zeroizing<[u8; N]> {
    struct Length(usize);
    impl ring::hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut out = Zeroizing::new([0u8; N]);
    let prk = ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, &[]).extract(secret.as_slice());
    // Fails only for more than 255 blocks of output; N is 48 at most.
    let _filled = prk
        .expand(&[info], Length(N))
        .and_then(|okm| okm.fill(out.as_mut_slice()));
    debug_assert!(_filled.is_ok());
    out
}

/// Fills an array from the operating system's random source.
pub(crate) fn random<const N: usize>() -> crate::error::Result<[u8; N]> {
    use ring::rand::SecureRandom as _;
    let mut out = [0u8; N];
    ring::rand::SystemRandom::new()
        .fill(&mut out)
        .map_err(|_| crate::error::HomelineError::bug("keys::random"))?;
    Ok(out)
}
