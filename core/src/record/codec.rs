//! A page of `record.db` as it lies on the disk, opened by itself.
//!
//! SQLCipher refuses a whole connection once one page of it fails, so what is
//! left of a damaged file is read here, page by page (see [`crate::salvage`]). It
//! also tells which of two secrets a file was written with: a page's tag fits
//! one key only.
//!
//! The format is SQLCipher 4's: `ciphertext, IV (16 bytes), tag (64 bytes)`, the
//! tag being HMAC-SHA512 over ciphertext, IV and the page number, little-endian.
//! The first page begins with 32 bytes in clear.

use std::num::NonZeroU32;
use std::path::Path;

use zeroize::Zeroizing;

use super::primitives::{self, BLOCK_BYTES, Direction, Hash, KEY_BYTES};
use crate::keys::{Secret, derive};
use crate::salvage::Pages;

/// Bytes of the first page that are not encrypted: `PRAGMA
/// cipher_plaintext_header_size`.
pub(super) const PLAIN_HEADER: usize = 32;
const TAG_BYTES: usize = 64;
/// `FAST_PBKDF2_ITER` and `HMAC_SALT_MASK` of `sqlcipher.c`: the key of the tags
/// is made from the page key and the masked salt.
const TAG_KEY_ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
const TAG_SALT_MASK: u8 = 0x3a;

/// The raw page key of a record, as SQLCipher is given it.
pub(super) fn page_key(secret: &Secret) -> Zeroizing<[u8; KEY_BYTES]> {
    derive::<KEY_BYTES>(secret, b"homeline/record/key/v1")
}

/// The salt that goes with it.
pub(super) fn salt(secret: &Secret) -> Zeroizing<[u8; BLOCK_BYTES]> {
    derive::<BLOCK_BYTES>(secret, b"homeline/record/salt/v1")
}

/// Opens the pages of one record.
pub(super) struct PageKeys {
    page: Zeroizing<[u8; KEY_BYTES]>,
    tag: Zeroizing<[u8; KEY_BYTES]>,
}

impl PageKeys {
    pub(super) fn of(secret: &Secret) -> Self {
        let page = page_key(secret);
        let mut masked = salt(secret);
        masked.iter_mut().for_each(|byte| *byte ^= TAG_SALT_MASK);
        let mut tag = Zeroizing::new([0; KEY_BYTES]);
        primitives::pbkdf2(
            Hash::Sha512,
            page.as_slice(),
            masked.as_slice(),
            TAG_KEY_ROUNDS,
            tag.as_mut_slice(),
        );
        Self { page, tag }
    }

    /// The content of page `number` (from 1), without its IV and tag; `None`
    /// where the tag does not fit: damaged, or of another key.
    pub(super) fn open(&self, number: u32, raw: &[u8]) -> Option<Vec<u8>> {
        let clear = if number == 1 { PLAIN_HEADER } else { 0 };
        let (head, sealed) = raw.split_at_checked(clear)?;
        let (sealed, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG_BYTES)?)?;
        let expected = primitives::hmac(
            Hash::Sha512,
            self.tag.as_slice(),
            sealed,
            &number.to_le_bytes(),
        );
        if expected.as_ref() != tag {
            return None;
        }
        let (sealed, iv) = sealed.split_last_chunk::<BLOCK_BYTES>()?;
        let mut plain = sealed.to_vec();
        primitives::aes_256_cbc(Direction::Decrypt, &self.page, iv, &mut plain).ok()?;
        let mut page = head.to_vec();
        page.append(&mut plain);
        Some(page)
    }
}

/// Whether the file at `path` was written with `secret`: one page that opens
/// proves it. A file without a page was written with none.
pub(super) fn fits(path: &Path, secret: &Secret) -> bool {
    let keys = PageKeys::of(secret);
    let decode = |number: u32, raw: &[u8]| keys.open(number, raw);
    Pages::open(path, &decode)
        .is_ok_and(|pages| (1..=pages.count()).any(|number| pages.read(number).is_some()))
}
