//! What a ministry publishes for everybody: see [`crate::packs`].
//!
//! Neither call is signed by a device, and each phone asks for the whole world: the
//! ministry does not learn from it who reads what, and anything may cache the answers.

use serde::{Deserialize, Serialize};

use crate::seal::signed::Signed;

/// Path of the list of packs; below it, by their hash, the files.
pub const PACKS_PATH: &str = "/v1/packs";
/// Media type of a piece of such a file.
pub const PACK_PIECE: &str = "application/vnd.homeline.pack";
/// Bytes of a piece, at most; what comes is shorter where the file ends. One takes two
/// seconds at 1 Mbit/s.
pub const PACK_PIECE_BYTES: usize = 256 * 1024;

/// All packs that there are now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PackList {
    /// Grows with each publication; the pages of the change feed tell it.
    pub serial: u64,
    /// One offer a pack. A phone skips those whose name it does not know.
    pub packs: Vec<PackOffer>,
}

/// A pack, and shorter ways to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PackOffer {
    /// A signed [`PackHeader`]: context `homeline/pack/v1`, key: a receipt key of the
    /// service document, or an anchor.
    pub pack: Signed,
    /// What leads to it from earlier versions. It needs no signature: the result has
    /// the hash of the header, or is thrown away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deltas: Vec<PackDelta>,
}

/// What a pack is, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PackHeader {
    /// Its name: `missions`, `numbers`, `levels`, `alerts`, `guides`, `boundaries`.
    pub name: String,
    /// Grows with each change; a phone refuses a lower one than it has.
    pub version: u64,
    /// When this version was made, milliseconds UTC by the ministry's clock.
    pub issued_ms: i64,
    /// SHA-256 of the content, lower-case hex.
    pub sha256: String,
    /// Bytes of the content.
    pub bytes: u64,
}

/// What turns one version into the newest: a line `-ID` for each item that goes, and
/// `+ID TAB JSON` for each that comes or changes, in order of the ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PackDelta {
    /// The version that it begins with.
    pub from: u64,
    /// SHA-256 of the delta, lower-case hex.
    pub sha256: String,
    /// Bytes of the delta.
    pub bytes: u64,
}
