//! Sealing: envelopes to the ministry, boxes to this device, and what the
//! ministry signs.
//!
//! * [`envelope`]: HPKE (RFC 9180) with DHKEM(X25519, HKDF-SHA256),
//!   HKDF-SHA256 and ChaCha20-Poly1305. Auth mode to the ministry, base mode to
//!   the device itself.
//! * [`compact`]: the same in 120 bytes, for a text message or a packet.
//! * [`signed`]: Ed25519 over a body with its context: service documents,
//!   receipts, case news.
//! * [`token`]: signed texts for QR codes and messengers.
//! * [`parcel`], [`letters`]: what one phone carries for another, and what is in it.
//!
//! Pure functions of their arguments; nothing here knows of files or networks.

pub mod compact;
pub mod envelope;
pub mod letters;
pub mod parcel;
pub mod signed;
pub mod token;

pub(crate) type Kem = hpke::kem::X25519HkdfSha256;

/// Lower-case hex of bytes.
pub fn hex<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> String {
    use std::fmt::Write as _;
    bytes.into_iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// SHA-256 (FIPS 180-4) as lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// The id of a public key: the first 8 bytes of its SHA-256, in hex.
pub fn key_id(public: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, public)
        .as_ref()
        .iter()
        .take(8))
}
