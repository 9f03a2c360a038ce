//! Compact messages: sealed reports and texts for one text message or one packet,
//! and the receipts that answer them.
//!
//! Version 1. A message, in bytes:
//!
//! ```text
//! offset  bytes  field
//!      0      1  version and type: 0x1c report, 0x1d text
//!      1      1  hint of the recipient's key: SHA-256(public key), first byte
//!      2     32  the sender's X25519 public key
//!     34     32  HPKE encapsulated key
//!     66      n  ciphertext with its tag of 16 bytes
//! ```
//!
//! HPKE (RFC 9180) in auth mode, in the suite of the envelope; its `info` is
//! `homeline/compact/v1`, the first 34 bytes are the additional data of the AEAD.
//! The sender's key is in clear as in the envelope: a device that the ministry has
//! not met yet is read, and authenticated as itself. A report of 38 bytes makes a
//! message of 120, which is 160 characters of base64, all of them in the basic
//! table of GSM-7 (3GPP TS 23.038): one text message. Its first character is
//! always `H`.
//!
//! A receipt, in bytes:
//!
//! ```text
//! offset  bytes  field
//!      0      1  version and type: 0x1e
//!      1      1  hint of the receipt key: SHA-256(public key), first byte
//!      2     16  SHA-256 of the message that it answers, first 16 bytes
//!     18      8  report id, last 8 bytes
//!     26      6  when the ministry stored it, ms UTC by its clock, big-endian
//!     32      n  case number, ASCII, 1 to 24 bytes
//!   32+n     64  Ed25519 (RFC 8032) over the context and all bytes before
//! ```
//!
//! 16 bytes of the hash are enough: to pass a receipt off for another message one
//! needs a second preimage (2^128). A collision (2^64) would take a traveler who
//! makes two messages of one hash, and deceives nobody but themselves: both are
//! sealed by the same device. The id's last 8 bytes only find the report; what is
//! proved is the message.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable as _, OpModeR, OpModeS, Serializable as _};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};
use uuid::Uuid;

use super::Kem;
use super::envelope::{OpenError, RecipientKey, decrypt, public_key};
use super::signed::{Context, VerifyError};
use crate::error::{HomelineError, Result};
use crate::keys::DeviceKeys;

const INFO: &[u8] = b"homeline/compact/v1";
const RECEIPT: u8 = 0x1e;
const HEADER: usize = 34;

/// Bytes that a message is longer than what it holds.
pub const COMPACT_OVERHEAD: usize = HEADER + 32 + 16;

/// Characters of a text message in the 7-bit alphabet (3GPP TS 23.038).
pub const SMS_CHARS: usize = 160;

/// Bytes of a case number in a receipt, at most: the receipt stays one text message.
pub const CASE_BYTES_MAX: usize = 24;

/// What a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompactKind {
    /// A compact report.
    Report,
    /// A part of a report's note.
    Text,
}

impl CompactKind {
    fn number(self) -> u8 {
        match self {
            Self::Report => 0x1c,
            Self::Text => 0x1d,
        }
    }
}

/// An opened message.
pub struct OpenedCompact {
    /// What it holds.
    pub kind: CompactKind,
    /// The sender's X25519 public key, proved by HPKE's auth mode.
    pub sender: [u8; 32],
    /// The content.
    pub content: Vec<u8>,
}

/// Seals `content` to the ministry's key, authenticated by this device.
pub(crate) fn seal(
    kind: CompactKind,
    content: &[u8],
    recipient: &[u8; 32],
    device: &DeviceKeys,
) -> Result<Vec<u8>> {
    let sender = device.public().agreement;
    let mut out = Vec::with_capacity(content.len().saturating_add(COMPACT_OVERHEAD));
    out.extend_from_slice(&[kind.number(), hint(recipient)]);
    out.extend_from_slice(&sender);
    let mode = OpModeS::Auth((device.agreement().clone(), public_key(&sender)?));
    let (encapsulated, ciphertext) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &mode,
        &public_key(recipient)?,
        INFO,
        content,
        &out,
    )
    .map_err(|_| HomelineError::bug("seal::compact"))?;
    out.extend_from_slice(&encapsulated.to_bytes());
    out.extend_from_slice(&ciphertext);
    Ok(out)
}

/// Opens a message with the private key among `keys` that it was sealed to. The
/// hint is one byte, so each key that it fits is tried.
pub fn open(bytes: &[u8], keys: &[RecipientKey]) -> std::result::Result<OpenedCompact, OpenError> {
    let header = bytes.get(..HEADER).ok_or(OpenError::Format)?;
    let (&[kind, hinted], rest) = bytes.split_first_chunk::<2>().ok_or(OpenError::Format)?;
    let (sender, rest) = rest.split_first_chunk::<32>().ok_or(OpenError::Format)?;
    let (encapsulated, ciphertext) = rest.split_first_chunk::<32>().ok_or(OpenError::Format)?;
    let kind = [CompactKind::Report, CompactKind::Text]
        .into_iter()
        .find(|known| known.number() == kind)
        .ok_or(OpenError::Format)?;
    let mode = OpModeR::Auth(public_key(sender).map_err(|_| OpenError::Format)?);
    let encapsulated =
        <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| OpenError::Format)?;
    let mut outcome = Err(OpenError::UnknownKey);
    for key in keys.iter().filter(|key| hint(key.public()) == hinted) {
        outcome = decrypt(
            &mode,
            key.private(),
            &encapsulated,
            INFO,
            ciphertext,
            header,
        );
        if outcome.is_ok() {
            break;
        }
    }
    Ok(OpenedCompact {
        kind,
        sender: *sender,
        content: outcome?,
    })
}

/// The first 16 bytes of a message's SHA-256: what its receipt names it by.
pub fn message_hash(message: &[u8]) -> [u8; 16] {
    first(digest(&SHA256, message).as_ref())
}

/// A receipt: the ministry has the message on disk, and the report's case is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactReceipt {
    /// The message, by [`message_hash`].
    pub message_hash: [u8; 16],
    /// The last 8 bytes of the report's id.
    pub report_tail: [u8; 8],
    /// When it was stored, milliseconds UTC by the ministry's clock.
    pub received_ms: i64,
    /// The ministry's case number.
    pub case_id: String,
}

impl CompactReceipt {
    /// The receipt for the message `message` of `report`.
    pub fn for_message(message: &[u8], report: &Uuid, received_ms: i64, case_id: &str) -> Self {
        Self {
            message_hash: message_hash(message),
            report_tail: report_tail(report),
            received_ms,
            case_id: case_id.to_owned(),
        }
    }

    /// Whether it is for this message of this report.
    pub fn is_for(&self, message_hash: &[u8; 16], report: &Uuid) -> bool {
        self.message_hash == *message_hash && self.report_tail == report_tail(report)
    }

    /// The receipt's bytes. `sign` is the signer's Ed25519 function, `public` its
    /// key. `None` where the case number is not of 1 to 24 bytes of printable
    /// ASCII, or the time not of this kind of calendar.
    pub fn sign(&self, public: &[u8], sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Option<Vec<u8>> {
        let case = Some(self.case_id.as_bytes()).filter(|case| is_case(case))?;
        let ms = u64::try_from(self.received_ms)
            .ok()
            .filter(|ms| *ms < 1 << 48)?;
        let mut out = vec![RECEIPT, hint(public)];
        out.extend_from_slice(&self.message_hash);
        out.extend_from_slice(&self.report_tail);
        out.extend(ms.to_be_bytes().into_iter().skip(2));
        out.extend_from_slice(case);
        let signature = sign(&Context::CompactReceipt.message(&out));
        out.extend_from_slice(&signature);
        Some(out)
    }

    /// Verifies the signature with a key among `keys`, and reads the receipt.
    pub fn verify(bytes: &[u8], keys: &[Vec<u8>]) -> std::result::Result<Self, VerifyError> {
        let (body, signature) = bytes.split_last_chunk::<64>().ok_or(VerifyError::Body)?;
        let (&[kind, hinted], rest) = body.split_first_chunk::<2>().ok_or(VerifyError::Body)?;
        let (message_hash, rest) = rest.split_first_chunk::<16>().ok_or(VerifyError::Body)?;
        let (report_tail, rest) = rest.split_first_chunk::<8>().ok_or(VerifyError::Body)?;
        let (received, case) = rest.split_first_chunk::<6>().ok_or(VerifyError::Body)?;
        if kind != RECEIPT || !is_case(case) {
            return Err(VerifyError::Body);
        }
        let mut candidates = keys.iter().filter(|key| hint(key) == hinted).peekable();
        if candidates.peek().is_none() {
            return Err(VerifyError::UnknownKey);
        }
        let message = Context::CompactReceipt.message(body);
        let signed = candidates.any(|key| {
            let key = UnparsedPublicKey::new(&ED25519, key);
            key.verify(&message, signature).is_ok()
        });
        if !signed {
            return Err(VerifyError::Signature);
        }
        let received_ms = received
            .iter()
            .fold(0i64, |ms, byte| ms << 8 | i64::from(*byte));
        Ok(Self {
            message_hash: *message_hash,
            report_tail: *report_tail,
            received_ms,
            case_id: String::from_utf8_lossy(case).into_owned(),
        })
    }
}

/// A message or a receipt as the text of a text message.
pub fn to_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of a text; `None` where it is none of ours. White space around it and
/// line ends in it are what gateways and people add.
pub fn from_text(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(text).ok()?;
    matches!(bytes.first(), Some(0x1c..=0x1f)).then_some(bytes)
}

fn report_tail(report: &Uuid) -> [u8; 8] {
    report.as_u64_pair().1.to_be_bytes()
}

fn is_case(case: &[u8]) -> bool {
    (1..=CASE_BYTES_MAX).contains(&case.len()) && case.iter().all(u8::is_ascii_graphic)
}

fn hint(public: &[u8]) -> u8 {
    let [hint] = first(digest(&SHA256, public).as_ref());
    hint
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests;
