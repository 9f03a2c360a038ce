//! The ministry protocol: every type that crosses the network.
//!
//! REST over HTTPS, JSON in UTF-8, version in the path, errors as problem+json
//! (RFC 9457). The reference ministry serves these very types and its OpenAPI
//! 3.1 document is generated from them. Fields unknown to a reader are ignored;
//! a field never changes its meaning.
//!
//! | call | request | answer |
//! | --- | --- | --- |
//! | `GET /v1/service` | | [`Signed`] [`ServiceDocument`] |
//! | `POST /v1/devices` | [`Enrolment`] | [`Enrolled`] |
//! | `POST /v1/envelopes` | [`write_batch`], or [`EnvelopeBatch`] | [`write_results`], or [`BatchAnswer`] |
//! | `GET /v1/attachments/{id}` | | [`AttachmentAnswer`] |
//! | `PUT /v1/chunks/{sha256}` | a chunk | [`ChunkStored`] |
//! | `POST /v1/parcels` | [`ParcelBatch`] | [`Signed`] [`ParcelsTaken`] |
//! | `GET /v1/changes?after=N` | | [`ChangePage`] |
//! | `GET /v1/packs` | | [`PackList`] |
//! | `GET /v1/packs/{sha256}?from=N` | | a piece of a pack or a delta |
//! | `POST /v1/sms` | [`SmsDelivery`] | [`SmsTaken`] |
//!
//! The last one is for an SMS gateway, with a bearer token. All others but those of the
//! service and of packs are signed by the device (RFC 9421, see [`super::signature`]). What is inside an
//! envelope is a [`Content`], in JSON or compressed: see [`expand`].

mod attachments;
mod batch;
mod content;
mod news;
mod packs;
mod relay;

pub use attachments::*;
pub use batch::{ENVELOPES_BINARY, RESULTS_BINARY, read_batch, write_batch, write_results};
pub use content::*;
pub use news::*;
pub use packs::*;
pub use relay::*;

pub(crate) use batch::read_results;

pub use super::compress::{DICTIONARY_1, expand};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::seal::signed::Signed;

/// Path of the service document.
pub const SERVICE_PATH: &str = "/v1/service";
/// Path that enrols a device.
pub const DEVICES_PATH: &str = "/v1/devices";
/// Path that takes envelopes.
pub const ENVELOPES_PATH: &str = "/v1/envelopes";
/// Path of the change feed.
pub const CHANGES_PATH: &str = "/v1/changes";
/// Path that takes text messages from an SMS gateway.
pub const SMS_PATH: &str = "/v1/sms";
/// Media type of all bodies but problems and chunks.
pub const JSON: &str = "application/json";
/// Media type of problems (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";
/// Problem type: the ministry does not know this device; enrol and repeat.
pub const UNKNOWN_DEVICE: &str = "urn:homeline:problem:unknown-device";

/// Problem type of a refused envelope: it is sealed to a key that the ministry has
/// never had. Seal it to one of the service document.
pub const UNKNOWN_KEY: &str = "urn:homeline:problem:unknown-key";
/// Problem type of a refused envelope: it is sealed to a key that the ministry no
/// longer opens. Seal it to one of the service document.
pub const RETIRED_KEY: &str = "urn:homeline:problem:retired-key";

/// Bytes, in JSON as standard base64 with padding (RFC 4648, section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = Byte))]
pub struct Base64(pub Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        STANDARD
            .decode(text.as_bytes())
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// What a ministry says of its service; signed by an anchor of the `Config`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceDocument {
    /// Grows with each change; a phone refuses a lower one than it has seen.
    pub serial: u64,
    /// When it was signed, milliseconds UTC.
    pub issued_ms: i64,
    /// Versions of the API that are served, here `[1]`.
    pub versions: Vec<u32>,
    /// X25519 keys to seal to, the preferred one first. What waits sealed to a key
    /// that is not here is sealed anew.
    pub sealing_keys: Vec<Base64>,
    /// Ed25519 keys that sign receipts and case news, or have signed those that are
    /// still to be believed.
    pub receipt_keys: Vec<Base64>,
    /// Numbers that take sealed SMS, E.164.
    pub sms_numbers: Vec<String>,
    /// Where one UDP packet brings the short form of a report, `host:port`; absent
    /// where the ministry takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datagram: Option<String>,
    /// What the service takes at most.
    pub limits: Limits,
    /// Crises that are declared now: travelers who consented to that send their
    /// positions inside them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crises: Vec<Crisis>,
}

/// A crisis that the ministry has declared: a circle on the ground.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Crisis {
    /// Names it; the same until it ends.
    pub id: String,
    /// Centre, degrees north (WGS 84).
    pub latitude: f64,
    /// Centre, degrees east (WGS 84).
    pub longitude: f64,
    /// Radius in metres.
    pub radius_m: f64,
    /// Its beginning, milliseconds UTC.
    pub since_ms: i64,
}

/// Limits of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Envelopes in one request.
    pub batch_envelopes: u32,
    /// Bytes of one request body.
    pub request_bytes: u32,
}

/// The public keys of a device. The request is signed by the key in it, which
/// proves its possession.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolment {
    /// Ed25519 public key, 32 bytes.
    pub signing_key: Base64,
    /// X25519 public key, 32 bytes.
    pub agreement_key: Base64,
}

/// The answer to an enrolment; the same for a device that is known already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolled {
    /// Id of the device: hex of the first 16 bytes of SHA-256 over its signing
    /// key and its agreement key. It is the `keyid` of later signatures.
    pub device: String,
}

/// Envelopes, the most urgent first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvelopeBatch {
    /// Each one stands for itself: a bad one does not refuse the others.
    pub envelopes: Vec<SealedEnvelope>,
}

/// One envelope of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SealedEnvelope {
    /// The id in the envelope, repeated.
    pub id: Uuid,
    /// The envelope's bytes, as `seal::envelope` lays them out.
    pub sealed: Base64,
}

/// One result an envelope, in the order of the batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchAnswer {
    /// The results.
    pub results: Vec<EnvelopeResult>,
}

/// What became of one envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvelopeResult {
    /// The envelope's id.
    pub id: Uuid,
    /// The outcome.
    #[serde(flatten)]
    pub outcome: EnvelopeOutcome,
}

/// The outcome of one envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EnvelopeOutcome {
    /// Stored and synced by the ministry just now.
    Accepted {
        /// A signed [`Receipt`].
        receipt: Signed,
    },
    /// The ministry had it already; the first receipt again. Where the same sender has
    /// sealed it anew since, with the hash of the bytes that came now; a phone believes
    /// the hash of each sealing that it made. Where the key that signed it is revoked,
    /// signed anew.
    Duplicate {
        /// A signed [`Receipt`].
        receipt: Signed,
    },
    /// Refused for good: repeating it would not help.
    Refused {
        /// Why.
        problem: Problem,
    },
}

/// A problem (RFC 9457). Texts are for engineers; they hold no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// URI that names the kind of problem, or `about:blank`.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// The kind of problem in a few words.
    #[serde(default)]
    pub title: String,
    /// The HTTP status code.
    #[serde(default)]
    pub status: u16,
}

/// What a ministry that has more than it can take adds to the problem of a 429 or
/// 503, beside the `Retry-After` of the answer: an extension member of RFC 9457.
/// Everybody waits that long, and then anywhere within `spread_s`; an SOS much
/// less, see `Policy::stand_by_sos_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StandBy {
    /// Seconds over which those who were asked to wait come back: how many of them
    /// there are, divided by how many the service takes in a second.
    pub spread_s: u32,
}

impl StandBy {
    /// The spread in milliseconds that a busy answer asks for, if it is a problem
    /// and has one.
    pub(super) fn of(content_type: Option<&str>, body: &[u8]) -> Option<i64> {
        let media = content_type?.split(';').next()?.trim();
        if !media.eq_ignore_ascii_case(PROBLEM_JSON) {
            return None;
        }
        let asked: Self = serde_json::from_slice(body).ok()?;
        Some(i64::from(asked.spread_s).saturating_mul(1_000))
    }
}

fn about_blank() -> String {
    "about:blank".into()
}

/// Body of a receipt: the ministry has this envelope on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The envelope's id.
    pub envelope: Uuid,
    /// SHA-256 of the envelope's bytes, in hex.
    pub sha256: String,
    /// When it was stored, milliseconds UTC by the ministry's clock.
    pub received_ms: i64,
    /// The case that the report opened or belongs to; absent for other contents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
}

/// A text message, as an SMS gateway delivers it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SmsDelivery {
    /// The gateway's id of the message, for its own log.
    pub id: String,
    /// The number that it says it comes from; it proves nothing.
    pub from: String,
    /// The text, put together where it came in pieces.
    pub text: String,
    /// When the gateway got it, milliseconds UTC by its clock.
    pub received_ms: i64,
}

/// The answer to a text message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SmsTaken {
    /// The text to be sent back to the number: a compact receipt in base64, one text
    /// message of at most 160 characters. Absent for a part of a note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
}

redacted_debug!(SmsDelivery, SmsTaken);

/// A page of the change feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangePage {
    /// In order of `seq`.
    pub changes: Vec<Change>,
    /// Whether there are more after these.
    pub more: bool,
    /// The last position that this ministry has given to anybody, told only to a phone
    /// that asks beyond it: it was told so by somebody else, or this ministry's files
    /// are an older copy. The phone reads the feed from its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<u64>,
    /// Serial of the newest [`PackList`]: whoever has it need not ask. Absent where the
    /// ministry has no packs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packs: Option<u64>,
}

/// One change. Later versions add kinds; a phone skips those it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// Position in the feed; `after` takes the last one that was stored.
    pub seq: u64,
    /// `case`: `sealed` opens at the device to a [`Signed`] [`CaseNews`];
    /// `profile`: to a [`Signed`] [`ProfileNews`]; `card`: to a [`Signed`] [`CardNews`].
    /// `parcel`: `sealed` is a parcel for another phone, to be handed on.
    pub kind: String,
    /// An envelope in base mode to the device's agreement key.
    pub sealed: Base64,
}
