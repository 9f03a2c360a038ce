//! What a thief with the key would read: every page of `record.db` and every
//! frame of its log, decrypted without SQLCipher. For the tests that look for the
//! bytes of what was deleted.
//!
//! A page of 4,096 bytes ends in 80 reserved ones: the IV (16) and the HMAC (64).
//! The first 32 bytes of page 1 are in clear (`cipher_plaintext_header_size`).

use std::path::Path;

use super::primitives::{Direction, aes_256_cbc};
use crate::keys::{FileVault, KeyPurpose, Secret, SecretFile, StoredSecret, derive};

const PAGE: usize = 4_096;
const RESERVED: usize = 80;
const PLAIN_HEADER: usize = 32;
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The secret of the record in `directory`, as the vault gives it.
pub(crate) fn secret(directory: &Path, vault: &FileVault) -> Secret {
    let file = SecretFile::new(directory, KeyPurpose::Record);
    match file.load_or_create(vault).unwrap() {
        StoredSecret::Open { secret, .. } => secret,
        _ => panic!("the vault does not open the key"),
    }
}

/// All decrypted pages of the database and of its log, the free ones too.
pub(crate) fn plain(directory: &Path, secret: &Secret) -> Vec<Vec<u8>> {
    let key = derive::<32>(secret, b"homeline/record/key/v1");
    let mut out = Vec::new();
    let database = std::fs::read(directory.join("record.db")).unwrap();
    for (number, page) in (1_u32..).zip(database.chunks_exact(PAGE)) {
        out.push(decrypt(page, number, &key));
    }
    let log = std::fs::read(directory.join("record.db-wal")).unwrap_or_default();
    for frame in log
        .get(LOG_HEADER..)
        .unwrap_or_default()
        .chunks_exact(FRAME_HEADER + PAGE)
    {
        let (header, page) = frame.split_at(FRAME_HEADER);
        let number = u32::from_be_bytes(header[..4].try_into().unwrap());
        out.push(decrypt(page, number, &key));
    }
    out
}

/// How often `needle` is in the pages.
pub(crate) fn count(pages: &[Vec<u8>], needle: &[u8]) -> usize {
    pages
        .iter()
        .map(|page| {
            page.windows(needle.len())
                .filter(|part| part == &needle)
                .count()
        })
        .sum()
}

fn decrypt(page: &[u8], number: u32, key: &[u8; 32]) -> Vec<u8> {
    let (content, reserved) = page.split_at(PAGE - RESERVED);
    let iv: [u8; 16] = reserved[..16].try_into().unwrap();
    let clear = if number == 1 { PLAIN_HEADER } else { 0 };
    let (header, cipher) = content.split_at(clear);
    let mut plain = cipher.to_vec();
    aes_256_cbc(Direction::Decrypt, key, &iv, &mut plain).unwrap();
    [header, &plain].concat()
}
