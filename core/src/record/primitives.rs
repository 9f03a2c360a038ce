//! The four cryptographic operations that SQLCipher needs, in safe Rust.
//!
//! A page is encrypted with AES-256 in CBC mode under a fresh random IV, then
//! authenticated with an HMAC over ciphertext, IV and page number. Keys come
//! from PBKDF2. SQLCipher decides all of that; this module only computes. It
//! holds no state and knows nothing of C: `provider.rs` is the C side, and
//! `tests/published_vectors.rs` checks each operation against its standard.
//!
//! ring does the random bytes, HMAC and PBKDF2. It offers no CBC, so the block
//! cipher is RustCrypto's (constant time; AES instructions where the processor
//! has them). Round keys are wiped when dropped.

use std::num::NonZeroU32;

use aes::{
    Aes256,
    cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit},
};
use ring::{
    hmac, pbkdf2,
    rand::{SecureRandom, SystemRandom},
};

/// Bytes in an AES-256 key.
pub(super) const KEY_BYTES: usize = 32;
/// Bytes in an AES block, and so in a CBC initialization vector.
pub(super) const BLOCK_BYTES: usize = 16;

/// An operation that could not be done; its output must not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failed;

/// The hash under an HMAC or a PBKDF2. Version 4 files use SHA-512, older ones
/// SHA-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    /// For files of SQLCipher 1 to 3.
    Sha1,
    /// On request only.
    Sha256,
    /// The default of SQLCipher 4.
    Sha512,
}

impl Hash {
    /// Bytes in an HMAC with this hash.
    pub(super) const fn tag_bytes(self) -> u8 {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// Which way the block cipher runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Plaintext to ciphertext.
    Encrypt,
    /// Ciphertext to plaintext.
    Decrypt,
}

/// Fills `out` with random bytes of the operating system.
///
/// # Errors
///
/// [`Failed`] if the system has none to give.
pub(super) fn random(out: &mut [u8]) -> Result<(), Failed> {
    SystemRandom::new().fill(out).map_err(|_| Failed)
}

/// HMAC (RFC 2104) over `first` followed by `second`.
pub(super) fn hmac(hash: Hash, key: &[u8], first: &[u8], second: &[u8]) -> hmac::Tag {
    let algorithm = match hash {
        Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha512 => hmac::HMAC_SHA512,
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    context.update(first);
    context.update(second);
    context.sign()
}

/// PBKDF2 (RFC 8018) with HMAC: fills `out` with a key from `secret`.
pub(super) fn pbkdf2(hash: Hash, secret: &[u8], salt: &[u8], rounds: NonZeroU32, out: &mut [u8]) {
    let algorithm = match hash {
        Hash::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
    };
    pbkdf2::derive(algorithm, rounds, salt, secret, out);
}

/// AES-256-CBC (NIST SP 800-38A) without padding, in place.
///
/// # Errors
///
/// [`Failed`], with `data` untouched, unless its length is a whole number of
/// blocks.
pub(super) fn aes_256_cbc(
    direction: Direction,
    key: &[u8; KEY_BYTES],
    iv: &[u8; BLOCK_BYTES],
    data: &mut [u8],
) -> Result<(), Failed> {
    let (blocks, rest) = Array::slice_as_chunks_mut(data);
    if !rest.is_empty() {
        return Err(Failed);
    }
    match direction {
        Direction::Encrypt => {
            cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_blocks(blocks);
        }
        Direction::Decrypt => {
            cbc::Decryptor::<Aes256>::new(key.into(), iv.into()).decrypt_blocks(blocks);
        }
    }
    Ok(())
}
