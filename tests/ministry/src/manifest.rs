//! Manifests of attachments: what is taken, and what their chunks must be. Pure.

use homeline::seal::stream::CHUNK_OVERHEAD;
use homeline::sync::protocol::Attachment;

/// Bytes of one attachment, at most.
const FILE_BYTES: u64 = 100 * 1024 * 1024;
/// Bytes in one chunk, at most: a request holds twice that.
const CHUNK_BYTES: u32 = 1024 * 1024;
/// Bytes in one chunk but the last, at least: fewer would be a flood of rows.
const CHUNK_BYTES_MIN: u32 = 4 * 1024;
/// Bytes of one sealed chunk, at most.
pub(crate) const SEALED_CHUNK_BYTES: usize = 1024 * 1024 + CHUNK_OVERHEAD;
/// Bytes of all attachments of one sender that are not complete, at most.
pub(crate) const SENDER_BYTES: u64 = 500 * 1024 * 1024;
/// Attachments of one sender, complete ones too.
pub(crate) const SENDER_COUNT: u64 = 1_000;

/// Whether a manifest is of a form that can be completed.
pub(crate) fn is_sound(manifest: &Attachment) -> bool {
    let chunks = manifest
        .bytes
        .div_ceil(u64::from(manifest.chunk_bytes.max(1)));
    (1..=FILE_BYTES).contains(&manifest.bytes)
        && (CHUNK_BYTES_MIN..=CHUNK_BYTES).contains(&manifest.chunk_bytes)
        && manifest.key.0.len() == 32
        && manifest.sha256.0.len() == 32
        && u64::try_from(manifest.chunks.0.len()) == Ok(chunks * 32)
        && manifest.media_type.len() <= 255
        && manifest
            .name
            .as_ref()
            .is_none_or(|name| name.chars().count() <= 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeline::clock::ClockReading;
    use homeline::sync::protocol::Base64;
    use uuid::Uuid;

    fn manifest() -> Attachment {
        Attachment {
            report: Uuid::nil(),
            at: ClockReading {
                wall_ms: 0,
                monotonic_ms: 0,
                boot_id: String::new(),
            },
            media_type: "image/jpeg".into(),
            name: None,
            bytes: 65_537,
            sha256: Base64(vec![0; 32]),
            key: Base64(vec![0; 32]),
            chunk_bytes: 65_536,
            chunks: Base64(vec![0; 64]),
        }
    }

    #[test]
    fn a_manifest_that_cannot_be_completed_is_refused() {
        assert!(is_sound(&manifest()));
        let with = |change: fn(&mut Attachment)| {
            let mut changed = manifest();
            change(&mut changed);
            is_sound(&changed)
        };
        assert!(with(|m| m.bytes = 131_072));
        assert!(!with(|m| m.bytes = 131_073));
        assert!(!with(|m| m.bytes = 0));
        assert!(!with(|m| m.bytes = u64::MAX));
        assert!(!with(|m| m.chunk_bytes = 0));
        assert!(!with(|m| m.chunk_bytes = 1));
        assert!(!with(|m| m.chunk_bytes = u32::MAX));
        assert!(!with(|m| m.chunks = Base64(vec![0; 63])));
        assert!(!with(|m| m.key = Base64(Vec::new())));
        assert!(!with(|m| m.media_type = "x".repeat(256)));
    }
}
