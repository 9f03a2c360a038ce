//! From a file to its sealed bytes on disk, chunk by chunk: two chunks are in memory
//! at a time, however large the file is.

use std::io::Read;

use ring::digest::{Context, SHA256, digest};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::outbox::Outbox;
use crate::outbox::PartialFile;
use crate::seal::stream::{ChunkCipher, Place, Root};

/// What was sealed.
pub(super) struct Sealed {
    pub(super) bytes: u64,
    pub(super) sha256: Vec<u8>,
    pub(super) chunks: u32,
    /// SHA-256 of each sealed chunk, one after the other.
    pub(super) hashes: Vec<u8>,
    pub(super) root: [u8; 32],
}

/// Seals all that `source` gives.
pub(super) fn seal(
    source: &mut dyn Read,
    id: Uuid,
    key: &[u8; 32],
    out: &mut PartialFile,
    policy: &Policy,
) -> Result<Sealed> {
    let cipher = ChunkCipher::new(key, id);
    let mut whole = Context::new(&SHA256);
    let mut root = Root::default();
    let (mut bytes, mut chunks, mut hashes) = (0_u64, 0_u32, Vec::new());
    let room = policy.attachment_chunk_bytes.saturating_add(64);
    let mut chunk = Zeroizing::new(Vec::with_capacity(room));
    let mut next = Zeroizing::new(Vec::with_capacity(room));
    fill(source, &mut chunk, policy)?;
    if chunk.is_empty() {
        let form = "a file with at least one byte";
        return Err(HomelineError::invalid("attachment", Problem::Empty, form));
    }
    loop {
        // Which chunk is the last is known when there is nothing after it.
        fill(source, &mut next, policy)?;
        bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if bytes > policy.attachment_bytes {
            return Err(HomelineError::invalid(
                "attachment",
                Problem::TooLong,
                &format!("at most {} bytes", policy.attachment_bytes),
            ));
        }
        whole.update(&chunk);
        let place = match next.is_empty() {
            true => Place::Last,
            false => Place::Inner,
        };
        cipher.seal(chunks, place, &mut chunk)?;
        let hash = digest(&SHA256, &chunk);
        hashes.extend_from_slice(hash.as_ref());
        root.add(hash.as_ref());
        out.write(&chunk)?;
        chunks = chunks.saturating_add(1);
        if place == Place::Last {
            break;
        }
        std::mem::swap(&mut chunk, &mut next);
    }
    Ok(Sealed {
        bytes,
        sha256: whole.finish().as_ref().to_vec(),
        chunks,
        hashes,
        root: root.finish(),
    })
}

/// Reads up to one chunk; less only at the end.
fn fill(source: &mut dyn Read, chunk: &mut Vec<u8>, policy: &Policy) -> Result<()> {
    chunk.clear();
    let most = u64::try_from(policy.attachment_chunk_bytes).unwrap_or(u64::MAX);
    // Not the outbox's fault, and nothing of it is said: it may name a person.
    Read::take(source, most)
        .read_to_end(chunk)
        .map_err(|_| unreadable())?;
    Ok(())
}

pub(super) fn unreadable() -> HomelineError {
    HomelineError::invalid("path", Problem::Malformed, "a file that can be read")
}

/// The hashes of the sealed chunks that are on disk; `None` where some are not.
pub(super) fn hashes(
    outbox: &Outbox,
    id: Uuid,
    chunks: u32,
    chunk_bytes: u64,
) -> Result<Option<Vec<u8>>> {
    let mut hashes = Vec::new();
    for position in 0..chunks {
        let Some(chunk) = outbox.chunk(id, position, chunk_bytes)? else {
            return Ok(None);
        };
        hashes.extend_from_slice(digest(&SHA256, &chunk).as_ref());
    }
    Ok(Some(hashes))
}
