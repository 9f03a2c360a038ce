//! What one phone carries for another: see [`crate::seal::parcel`].

use serde::{Deserialize, Serialize};

use super::Base64;
use crate::seal::signed::Signed;

/// Path that takes parcels.
pub const PARCELS_PATH: &str = "/v1/parcels";

/// Parcels that a phone carries for others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParcelBatch {
    /// Each is 2,048 bytes: see the format of a parcel. Hops and days are 0.
    pub parcels: Vec<Base64>,
}

/// What became of a batch, signed by a receipt key: a carrier lets go of what is in
/// here, and it is no receipt for any report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParcelsTaken {
    /// One result a parcel, in the order of the batch.
    pub parcels: Vec<ParcelResult>,
}

/// What became of one parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParcelResult {
    /// SHA-256 of the parcel's bytes as they came, in hex.
    pub sha256: String,
    /// The outcome.
    pub outcome: ParcelOutcome,
}

/// The outcome for one parcel. It says nothing of what is inside: a report that is
/// new, one that is known, and one that nobody could read are all taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ParcelOutcome {
    /// The ministry has it on disk.
    Taken,
    /// Not a parcel, or not sealed to this ministry.
    Refused,
}

/// What is inside a parcel to a phone: in the change feed of the phone that has
/// carried the report (kind `parcel`), which hands it on and cannot read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CarriedAnswer {
    /// Signed receipts for envelopes of that phone.
    pub receipts: Vec<Signed>,
    /// The service document, which has the keys that sign receipts; left out where
    /// there is no room for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Signed>,
}
