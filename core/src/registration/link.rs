//! The link code: a short text, shown as a QR code by one phone of a traveler and
//! read by another, that asks the ministry to take the second one in.
//!
//! ```text
//! "HLP1." and base64url (RFC 4648, section 5, no padding) of 121 bytes
//! offset  bytes  field
//!      0      1  version, 1
//!      1     16  registration: a UUID
//!     17     16  random number: the code is used once
//!     33      8  expiry, milliseconds UTC, big-endian, by the clock of the phone
//!     41     16  id of the device that made it
//!     57     64  Ed25519 signature of that device over context, zero byte and
//!                the 57 bytes before; the context is `homeline/link/v1`
//! ```
//!
//! Whoever holds it within its time can join, so it is shown to nobody else. The
//! ministry believes it when the device belongs to that registration, the
//! signature is the device's, and no other phone has used it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};
use uuid::Uuid;

use crate::error::{HomelineError, Result};
use crate::keys::{DeviceKeys, random};
use crate::seal::hex;
use crate::seal::signed::Context;

/// A code that was read in time may come to the ministry so much later: the phone
/// that read it may have no network for a week.
pub const GRACE_MS: i64 = 7 * 24 * 3_600_000;

/// The code of a clock that is so far ahead is refused: it would not expire.
pub const FARTHEST_MS: i64 = 24 * 3_600_000;

const PREFIX: &str = "HLP1.";
const VERSION: u8 = 1;
const SIGNED: usize = 57;
/// A text that is longer is not read at all.
const LONGEST: usize = 512;

/// A link code, read but not verified.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkCode {
    /// The registration to join.
    pub registration: Uuid,
    /// The random number.
    pub nonce: [u8; 16],
    /// Expiry, milliseconds UTC by the clock of the phone that made it.
    pub expires_ms: i64,
    /// Id of the device that made it, 32 hex digits.
    pub device: String,
    signed: Vec<u8>,
    signature: [u8; 64],
}

redacted_debug!(LinkCode);

impl LinkCode {
    /// Reads the text of a code; `None` where it is none.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (signed, signature) = bytes.split_at_checked(SIGNED)?;
        let (&[version], rest) = signed.split_first_chunk::<1>()?;
        let (registration, rest) = rest.split_first_chunk::<16>()?;
        let (nonce, rest) = rest.split_first_chunk::<16>()?;
        let (expires, device) = rest.split_first_chunk::<8>()?;
        (version == VERSION).then_some(())?;
        Some(Self {
            registration: Uuid::from_bytes(*registration),
            nonce: *nonce,
            expires_ms: i64::from_be_bytes(*expires),
            device: hex(device),
            signed: signed.to_vec(),
            signature: signature.try_into().ok()?,
        })
    }

    /// Whether the holder of this Ed25519 key made the code.
    pub fn is_signed_by(&self, signing: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, signing)
            .verify(&Context::Link.message(&self.signed), &self.signature)
            .is_ok()
    }

    /// The random number in hex: names the answer to the code.
    pub fn name(&self) -> String {
        hex(&self.nonce)
    }
}

/// Makes the text of a code, signed by `device`.
pub(crate) fn make(device: &DeviceKeys, registration: Uuid, expires_ms: i64) -> Result<String> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(registration.as_bytes());
    bytes.extend_from_slice(&random::<16>()?);
    bytes.extend_from_slice(&expires_ms.to_be_bytes());
    let id = u128::from_str_radix(device.id(), 16)
        .map_err(|_| HomelineError::bug("registration::link"))?;
    bytes.extend_from_slice(&id.to_be_bytes());
    let signature = device.sign(&Context::Link.message(&bytes));
    bytes.extend_from_slice(&signature);
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::keys::Secret;

    fn device(byte: u8) -> DeviceKeys {
        DeviceKeys::from_secret(&Secret::new([byte; 32])).unwrap()
    }

    #[test]
    fn a_code_says_what_it_was_made_of_and_each_bit_is_bound() {
        let (device, other) = (device(1), device(2));
        let registration = Uuid::from_bytes([7; 16]);
        let text = make(&device, registration, 1_234).unwrap();
        assert!(text.len() < 180, "{} characters for a QR code", text.len());
        let code = LinkCode::read(&format!(" {text}\n")).unwrap();
        assert_eq!(code.registration, registration);
        assert_eq!(
            (code.expires_ms, code.device.as_str()),
            (1_234, device.id())
        );
        assert!(code.is_signed_by(&device.public().signing));
        assert!(!code.is_signed_by(&other.public().signing));
        assert!(!code.is_signed_by(b"short"));
        let bytes = URL_SAFE_NO_PAD
            .decode(text.strip_prefix(PREFIX).unwrap())
            .unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 4;
            let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(changed));
            let genuine = LinkCode::read(&text)
                .is_some_and(|code| code.is_signed_by(&device.public().signing));
            assert!(!genuine, "byte {at}");
        }
        let again = LinkCode::read(&make(&device, registration, 1_234).unwrap()).unwrap();
        assert_ne!(again.nonce, code.nonce);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_is_none(text in ".{0,600}", body in "[A-Za-z0-9_-]{0,300}") {
            let _ = LinkCode::read(&text);
            let _ = LinkCode::read(&format!("{PREFIX}{body}"));
        }
    }
}
