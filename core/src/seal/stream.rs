//! What is too large for one envelope, sealed in chunks: the STREAM construction
//! (Hoang, Reyhanitabar, Rogaway, Vizár, "Online authenticated-encryption and its
//! nonce-reuse misuse-resistance", 2015) over ChaCha20-Poly1305 (RFC 8439).
//!
//! ```text
//! nonce of a chunk:  7 bytes of zero | position, 4 bytes, big-endian | 1 in the last chunk, else 0
//! additional data:   homeline/attachment/v1, a zero byte, the 16 bytes of the id
//! ```
//!
//! The key is random and seals one file once, so the fixed part of the nonce need
//! not be. A chunk opens at its own position only and the last one only as the
//! last: what is moved, repeated, left out or cut off is seen. Each chunk is 16
//! bytes longer than what is in it.

use aead_stream::{NewStream as _, StreamBE32, StreamPrimitive as _};
use chacha20poly1305::ChaCha20Poly1305;
use ring::digest::{Context, SHA256};
use uuid::Uuid;

use super::envelope::OpenError;
use crate::error::{HomelineError, Result};

/// Bytes that a chunk is longer than what is in it.
pub const CHUNK_OVERHEAD: usize = 16;

/// Where a chunk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Others follow.
    Inner,
    /// The last one.
    Last,
}

/// Seals and opens the chunks of one file.
pub struct ChunkCipher {
    stream: StreamBE32<ChaCha20Poly1305>,
    additional: Vec<u8>,
}

impl ChunkCipher {
    /// `key` must have sealed nothing else.
    pub fn new(key: &[u8; 32], id: Uuid) -> Self {
        let mut additional = b"homeline/attachment/v1\0".to_vec();
        additional.extend_from_slice(id.as_bytes());
        Self {
            stream: StreamBE32::new(key.into(), &[0; 7].into()),
            additional,
        }
    }

    /// Seals a chunk in place.
    pub(crate) fn seal(&self, position: u32, place: Place, chunk: &mut Vec<u8>) -> Result<()> {
        self.stream
            .encrypt_in_place(position, place == Place::Last, &self.additional, chunk)
            .map_err(|_| HomelineError::bug("seal::stream"))
    }

    /// Opens a chunk in place; on an error what is in it is of no use.
    pub fn open(
        &self,
        position: u32,
        place: Place,
        chunk: &mut Vec<u8>,
    ) -> std::result::Result<(), OpenError> {
        self.stream
            .decrypt_in_place(position, place == Place::Last, &self.additional, chunk)
            .map_err(|_| OpenError::NotAuthentic)
    }
}

/// The address of a whole file of chunks: SHA-256 over their hashes, in order.
#[derive(Clone)]
pub struct Root(Context);

impl Default for Root {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Root {
    /// Adds the SHA-256 of the next chunk.
    pub fn add(&mut self, hash: &[u8]) {
        self.0.update(hash);
    }

    /// The address.
    pub fn finish(self) -> [u8; 32] {
        let mut out = [0; 32];
        for (to, from) in out.iter_mut().zip(self.0.finish().as_ref()) {
            *to = *from;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: [&[u8]; 3] = [b"first", b"second", b"third"];

    fn sealed(cipher: &ChunkCipher) -> Vec<Vec<u8>> {
        (0..)
            .zip(PARTS)
            .map(|(position, part)| {
                let mut chunk = part.to_vec();
                cipher.seal(position, place(position), &mut chunk).unwrap();
                assert_eq!(chunk.len(), part.len() + CHUNK_OVERHEAD);
                chunk
            })
            .collect()
    }

    fn place(position: u32) -> Place {
        if position == 2 {
            Place::Last
        } else {
            Place::Inner
        }
    }

    #[test]
    fn each_chunk_opens_at_its_place_and_nowhere_else() {
        let cipher = ChunkCipher::new(&[7; 32], Uuid::from_u128(1));
        let chunks = sealed(&cipher);
        for ((at, chunk), part) in (0..).zip(&chunks).zip(PARTS) {
            for position in 0..4 {
                for as_place in [Place::Inner, Place::Last] {
                    let mut opened = chunk.clone();
                    let outcome = cipher.open(position, as_place, &mut opened);
                    let right = position == at && as_place == place(at);
                    assert_eq!(outcome.is_ok(), right, "{at} as {position} {as_place:?}");
                    assert!(!right || opened == part);
                }
            }
        }
    }

    #[test]
    fn another_file_another_key_and_another_bit_are_refused() {
        let cipher = ChunkCipher::new(&[7; 32], Uuid::from_u128(1));
        let chunk = sealed(&cipher).remove(0);
        for other in [
            ChunkCipher::new(&[8; 32], Uuid::from_u128(1)),
            ChunkCipher::new(&[7; 32], Uuid::from_u128(2)),
        ] {
            let refused = other.open(0, Place::Inner, &mut chunk.clone());
            assert_eq!(refused, Err(OpenError::NotAuthentic));
        }
        for at in 0..chunk.len() {
            let mut changed = chunk.clone();
            changed[at] ^= 1;
            assert!(cipher.open(0, Place::Inner, &mut changed).is_err());
        }
    }

    /// What the module says of nonce and additional data, by the AEAD itself.
    #[test]
    fn the_nonce_is_the_documented_one() {
        use chacha20poly1305::KeyInit as _;
        use chacha20poly1305::aead::{Aead as _, Payload};

        let id = Uuid::from_u128(5);
        let mut chunk = b"words".to_vec();
        ChunkCipher::new(&[7; 32], id)
            .seal(0x0102_0304, Place::Last, &mut chunk)
            .unwrap();
        let aad = [b"homeline/attachment/v1\0".as_slice(), id.as_bytes()].concat();
        let plain = Payload {
            msg: b"words",
            aad: &aad,
        };
        let nonce = [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 1];
        let aead = ChaCha20Poly1305::new(&[7; 32].into());
        assert_eq!(chunk, aead.encrypt(&nonce.into(), plain).unwrap());
    }
}
