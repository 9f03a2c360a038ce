//! Attachments on the wire: a manifest in an envelope, then chunks by their hash.
//!
//! | call | request | answer |
//! | --- | --- | --- |
//! | `POST /v1/envelopes` | [`super::Content::Attachment`] | its receipt: announced |
//! | `GET /v1/attachments/{id}` | | [`AttachmentAnswer`] |
//! | `PUT /v1/chunks/{sha256}` | the chunk, `application/octet-stream` | [`ChunkStored`] |
//!
//! The manifest names the chunks, so the phone asks once, after days too, which
//! are missing, and a ministry stores none that nobody has announced.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Base64, Problem};
use crate::clock::ClockReading;
use crate::seal::signed::Signed;

/// Path of the chunks; the SHA-256 in lower-case hex follows.
pub const CHUNKS_PATH: &str = "/v1/chunks";
/// Path of the attachments; the id follows.
pub const ATTACHMENTS_PATH: &str = "/v1/attachments";
/// Media type of a chunk.
pub const OCTETS: &str = "application/octet-stream";
/// Problem type: no manifest that is still incomplete names this chunk.
pub const UNEXPECTED_CHUNK: &str = "urn:homeline:problem:unexpected-chunk";

/// Announces a file that belongs to a report. It follows in chunks, sealed as
/// [`crate::seal::stream`] says under the id of this envelope.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attachment {
    /// The report.
    pub report: Uuid,
    /// The phone's clocks when it was attached.
    pub at: ClockReading,
    /// Media type, as the host said.
    pub media_type: String,
    /// Name to show, as the traveler gave it; not a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Bytes of the file, at least 1.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Base64,
    /// Key of the chunks, 32 bytes; used for this file alone.
    pub key: Base64,
    /// Bytes of the file in each chunk but the last.
    pub chunk_bytes: u32,
    /// SHA-256 of each sealed chunk, in order, 32 bytes each.
    pub chunks: Base64,
}

/// Where an attachment stands at the ministry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AttachmentAnswer {
    /// No manifest of this id is here.
    Unknown,
    /// These chunks are missing; there may be more after them.
    Incomplete {
        /// In order.
        missing: Vec<MissingChunks>,
    },
    /// All chunks came, opened, and the file is on disk.
    Complete {
        /// A signed [`AttachmentReceipt`].
        receipt: Signed,
    },
    /// All chunks came and do not open to what the manifest says: refused for good.
    Refused {
        /// Why.
        problem: Problem,
    },
}

/// A run of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingChunks {
    /// Position of the first, from 0.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// The chunk of this hash is on disk. Not signed: it is no evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChunkStored {
    /// SHA-256 of the chunk, lower-case hex: who answers has read it.
    pub sha256: String,
}

/// Body of a receipt for an attachment: the ministry has the file, whole, opened
/// and on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttachmentReceipt {
    /// Id of the attachment.
    pub attachment: Uuid,
    /// SHA-256 over the SHA-256 of each sealed chunk, in order; lower-case hex.
    pub root: String,
    /// When it was stored, milliseconds UTC by the ministry's clock.
    pub received_ms: i64,
}

redacted_debug!(Attachment);
