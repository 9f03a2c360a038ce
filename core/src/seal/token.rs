//! Tokens: compact signed texts that fit a QR code and survive a messenger.
//!
//! A text is the prefix of its kind, a colon, and base32 (RFC 4648, section 6,
//! without padding) of:
//!
//! ```text
//! version 1, in clear                     version 2, sealed to one recipient
//! offset  bytes  field                    offset  bytes  field
//!      0      1  version, 1                    0      1  version, 2
//!      1      8  id of the signer's key        1      8  id of the recipient's key
//!      9     64  Ed25519 signature             9     32  HPKE encapsulated key
//!     73      n  body                         41      n  ciphertext and its tag of 16 bytes:
//!                                                        a token of version 1
//! ```
//!
//! * The signature is over the label of the kind, a zero byte and the body. Ids
//!   of keys are the first 8 bytes of SHA-256 of the public key.
//! * Sealed: HPKE (RFC 9180) as in [`super::envelope`], base mode, `info` is
//!   `homeline/token/v1`; the additional data is the label of the kind and the
//!   first 9 bytes. Only the recipient reads it; what it finds is signed, and can
//!   be shown to a third one that verifies the signature.
//! * The body is in the wire format of `postcard` 1: fields in their order,
//!   without names; integers as varints (signed ones zigzag), texts as length and
//!   UTF-8, `Option` as a byte 0 or 1, enums as their number, arrays of bytes as
//!   they are. A new field makes a new version.
//!
//! Base32 and not the base45 of RFC 9285, which is 6 % shorter: base45 writes
//! spaces, `*`, `%` and `:`, which messengers fold, take for bold or turn into
//! pictures. Both use the alphanumeric mode of a QR code. So a reader here may
//! ignore white space, line ends, case, and whatever stands before the prefix.

use data_encoding::BASE32_NOPAD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable as _, OpModeR, OpModeS, Serializable as _};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Serialize, de::DeserializeOwned};

use super::{Kem, envelope};
use crate::error::{HomelineError, Problem, Result};
use crate::keys::DeviceKeys;

const CLEAR: u8 = 1;
const SEALED: u8 = 2;
const INFO: &[u8] = b"homeline/token/v1";
const KEY_ID: usize = 8;
const SIGNATURE: usize = 64;

/// What a token is. A text of one kind is never taken for another: the kind is
/// in what is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The registration card, by a receipt key of the ministry.
    Card,
    /// A leader's invitation to a group, by the leader's device.
    Invitation,
    /// A member's entry in a group, by the member's device, sealed to the leader.
    Entry,
    /// A member leaves a group, by the member's device.
    Leave,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Card, Self::Invitation, Self::Entry, Self::Leave];

    /// What a text of this kind begins with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Card => "HLC:",
            Self::Invitation => "HLI:",
            Self::Entry => "HLE:",
            Self::Leave => "HLL:",
        }
    }

    fn label(self) -> &'static [u8] {
        match self {
            Self::Card => b"homeline/card/v1\0",
            Self::Invitation => b"homeline/invitation/v1\0",
            Self::Entry => b"homeline/entry/v1\0",
            Self::Leave => b"homeline/leave/v1\0",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Card => "a registration card (HLC:…)",
            Self::Invitation => "an invitation to a group (HLI:…)",
            Self::Entry => "a member's entry (HLE:…)",
            Self::Leave => "a member's leave (HLL:…)",
        }
    }

    fn message(self, body: &[u8]) -> Vec<u8> {
        [self.label(), body].concat()
    }
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than any token.
    #[error("too long")]
    TooLong,
    /// No token in the text, or a damaged one.
    #[error("not a token")]
    Malformed,
    /// A token of another kind.
    #[error("a token of another kind")]
    OtherKind,
    /// Of a version that is not known here.
    #[error("of another version")]
    Version,
    /// Sealed to another key.
    #[error("sealed to another key")]
    OtherRecipient,
    /// Signed by a key that is not among those at hand.
    #[error("signed by an unknown key")]
    UnknownKey,
    /// Changed on the way.
    #[error("does not authenticate")]
    NotAuthentic,
    /// Authentic, but its body is not of the form that is expected.
    #[error("unreadable body")]
    Body,
}

impl TokenError {
    /// The error as the caller of a service sees it: `text` names the input, for
    /// example `card`.
    pub(crate) fn of(self, text: &str, expected: Kind) -> HomelineError {
        let (part, problem) = match self {
            Self::TooLong => ("", Problem::TooLong),
            Self::Malformed | Self::OtherKind => ("", Problem::Malformed),
            Self::Version => (".version", Problem::OutOfRange),
            Self::OtherRecipient => (".recipient", Problem::Foreign),
            Self::UnknownKey => (".key", Problem::Foreign),
            Self::NotAuthentic => (".signature", Problem::NotAuthentic),
            Self::Body => (".body", Problem::Malformed),
        };
        HomelineError::invalid(&format!("{text}{part}"), problem, expected.words())
    }
}

/// A body that names the key that signs it.
pub trait SelfSigned: DeserializeOwned {
    /// The Ed25519 public key of who signed.
    fn signer(&self) -> &[u8; 32];
}

/// A signed body of version 1. Nothing of it is believed before `verify`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    key: [u8; KEY_ID],
    signature: [u8; SIGNATURE],
    body: Vec<u8>,
}

redacted_debug!(Token);

impl Token {
    /// Signs `body`; `sign` is the signer's Ed25519 function, `public` its key.
    pub fn sign<T: Serialize>(
        kind: Kind,
        body: &T,
        public: &[u8],
        sign: impl FnOnce(&[u8]) -> [u8; SIGNATURE],
    ) -> Result<Self> {
        let body = postcard::to_allocvec(body).map_err(|_| HomelineError::bug("seal::token"))?;
        Ok(Self {
            key: key_id(public),
            signature: sign(&kind.message(&body)),
            body,
        })
    }

    /// The token as text, for everybody.
    pub fn to_text(&self, kind: Kind) -> String {
        text(kind, &self.to_bytes())
    }

    /// The token as text that only the holder of the X25519 key `recipient` reads.
    pub fn seal(&self, kind: Kind, recipient: &[u8; 32]) -> Result<String> {
        let mut out = vec![SEALED];
        out.extend_from_slice(&key_id(recipient));
        let aad = [kind.label(), &out].concat();
        let (encapsulated, ciphertext) =
            hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
                &OpModeS::Base,
                &envelope::public_key(recipient)?,
                INFO,
                &self.to_bytes(),
                &aad,
            )
            .map_err(|_| HomelineError::bug("seal::token"))?;
        out.extend_from_slice(&encapsulated.to_bytes());
        out.extend_from_slice(&ciphertext);
        Ok(text(kind, &out))
    }

    /// The token's bytes, as they are laid out in clear.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![CLEAR];
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&self.signature);
        out.extend_from_slice(&self.body);
        out
    }

    /// From bytes in clear.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokenError> {
        let (&version, rest) = bytes.split_first().ok_or(TokenError::Malformed)?;
        match version {
            CLEAR => {}
            SEALED => return Err(TokenError::OtherRecipient),
            _ => return Err(TokenError::Version),
        }
        let (key, rest) = rest.split_first_chunk().ok_or(TokenError::Malformed)?;
        let (signature, body) = rest.split_first_chunk().ok_or(TokenError::Malformed)?;
        Ok(Self {
            key: *key,
            signature: *signature,
            body: body.to_vec(),
        })
    }

    /// Verifies the signature with the key among `keys` that it names, and reads
    /// the body.
    pub fn verify<T: DeserializeOwned>(
        &self,
        kind: Kind,
        keys: &[Vec<u8>],
    ) -> Result<T, TokenError> {
        let key = keys
            .iter()
            .find(|key| key_id(key) == self.key)
            .ok_or(TokenError::UnknownKey)?;
        self.authentic(kind, key)?;
        body(&self.body)
    }

    /// Reads a body that names the key that signs it, and verifies the signature.
    pub fn verify_own<T: SelfSigned>(&self, kind: Kind) -> Result<T, TokenError> {
        let body: T = body(&self.body).map_err(|_| TokenError::NotAuthentic)?;
        if key_id(body.signer()) != self.key {
            return Err(TokenError::NotAuthentic);
        }
        self.authentic(kind, body.signer())?;
        Ok(body)
    }

    fn authentic(&self, kind: Kind, key: &[u8]) -> Result<(), TokenError> {
        UnparsedPublicKey::new(&ED25519, key)
            .verify(&kind.message(&self.body), &self.signature)
            .map_err(|_| TokenError::NotAuthentic)
    }
}

/// A token as it was read from a text: of a known kind, not opened yet.
pub struct Scanned {
    /// What it says that it is.
    pub kind: Kind,
    bytes: Vec<u8>,
}

redacted_debug!(Scanned);

impl Scanned {
    /// Finds the token in `text`, of at most `longest` bytes: what stands before
    /// its prefix, white space, invisible characters and case do not matter.
    pub fn read(text: &str, longest: usize) -> Result<Self, TokenError> {
        if text.len() > longest {
            return Err(TokenError::TooLong);
        }
        let text = plain_text(text);
        let (kind, rest) = Kind::ALL
            .into_iter()
            .filter_map(|kind| {
                let (before, rest) = text.split_once(kind.prefix())?;
                Some((before.len(), kind, rest))
            })
            .min_by_key(|(at, ..)| *at)
            .map(|(_, kind, rest)| (kind, rest))
            .ok_or(TokenError::Malformed)?;
        // A full stop or a bracket of the sentence around it.
        let rest = rest.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let bytes = BASE32_NOPAD
            .decode(rest.as_bytes())
            .map_err(|_| TokenError::Malformed)?;
        Ok(Self { kind, bytes })
    }

    /// As `read`, of one kind only.
    pub fn read_kind(kind: Kind, text: &str, longest: usize) -> Result<Self, TokenError> {
        let scanned = Self::read(text, longest)?;
        if scanned.kind == kind {
            Ok(scanned)
        } else {
            Err(TokenError::OtherKind)
        }
    }

    /// The token, if it is in clear.
    pub fn token(&self) -> Result<Token, TokenError> {
        Token::from_bytes(&self.bytes)
    }

    /// The token that was sealed to `device`. One in clear is refused: whoever
    /// sealed it did not mean it for everybody.
    pub(crate) fn open(&self, device: &DeviceKeys) -> Result<Token, TokenError> {
        let (header, rest) = self
            .bytes
            .split_at_checked(1 + KEY_ID)
            .ok_or(TokenError::Malformed)?;
        let (&version, recipient) = header.split_first().ok_or(TokenError::Malformed)?;
        if version != SEALED {
            return Err(TokenError::Version);
        }
        if recipient != key_id(&device.public().agreement) {
            return Err(TokenError::OtherRecipient);
        }
        let (encapsulated, ciphertext) = rest
            .split_first_chunk::<32>()
            .ok_or(TokenError::Malformed)?;
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated)
            .map_err(|_| TokenError::Malformed)?;
        let plain = envelope::decrypt(
            &OpModeR::Base,
            device.agreement(),
            &encapsulated,
            INFO,
            ciphertext,
            &[self.kind.label(), header].concat(),
        )
        .map_err(|_| TokenError::NotAuthentic)?;
        Token::from_bytes(&plain)
    }
}

/// Reads a body, to its last byte.
fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, TokenError> {
    match postcard::take_from_bytes(bytes) {
        Ok((body, [])) => Ok(body),
        _ => Err(TokenError::Body),
    }
}

fn text(kind: Kind, bytes: &[u8]) -> String {
    format!("{}{}", kind.prefix(), BASE32_NOPAD.encode(bytes))
}

fn key_id(public: &[u8]) -> [u8; KEY_ID] {
    let hash = digest(&SHA256, public);
    let mut id = [0; KEY_ID];
    for (to, from) in id.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    id
}

/// A scanned text in upper case, without what messengers and scanners put into it.
pub(crate) fn plain_text(text: &str) -> String {
    // Scanners that take the text for a part of an URL escape the colon.
    text.chars()
        .filter(|c| !is_noise(*c))
        .map(|c| c.to_ascii_uppercase())
        .collect::<String>()
        .replace("%3A", ":")
}

/// White space, controls, and characters that nobody sees: soft hyphens, zero
/// width, direction marks, byte order marks.
fn is_noise(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::config::Policy;
    use crate::keys::Secret;

    const LONGEST: usize = Policy::STANDARD.token_bytes;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Body {
        signing: [u8; 32],
        words: String,
        number: Option<i64>,
    }

    impl SelfSigned for Body {
        fn signer(&self) -> &[u8; 32] {
            &self.signing
        }
    }

    fn device(byte: u8) -> DeviceKeys {
        DeviceKeys::from_secret(&Secret::new([byte; 32])).unwrap()
    }

    fn body_of(device: &DeviceKeys, words: &str) -> Body {
        Body {
            signing: device.public().signing,
            words: words.into(),
            number: Some(-1),
        }
    }

    fn signed(kind: Kind, device: &DeviceKeys, body: &Body) -> Token {
        Token::sign(kind, body, &device.public().signing, |bytes| {
            device.sign(bytes)
        })
        .unwrap()
    }

    fn read(kind: Kind, text: &str) -> Result<Body, TokenError> {
        Scanned::read_kind(kind, text, LONGEST)?
            .token()?
            .verify_own(kind)
    }

    /// The layout is the ministry's too, and that of other apps: it never changes.
    #[test]
    fn the_text_is_what_is_documented() {
        let token = Token::sign(
            Kind::Card,
            &("李", Some(-2_i64), [7_u8; 2], None::<u8>),
            &[9; 32],
            |message| {
                assert_eq!(
                    message,
                    b"homeline/card/v1\0\x03\xe6\x9d\x8e\x01\x03\x07\x07\x00"
                );
                [5; 64]
            },
        )
        .unwrap();
        let bytes = token.to_bytes();
        let mut expected = vec![1];
        expected.extend_from_slice(digest(&SHA256, &[9; 32]).as_ref().get(..8).unwrap());
        expected.extend_from_slice(&[5; 64]);
        expected.extend_from_slice(b"\x03\xe6\x9d\x8e\x01\x03\x07\x07\x00");
        assert_eq!(bytes, expected);
        let text = token.to_text(Kind::Card);
        assert!(text.starts_with("HLC:A"));
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b':'),
            "alphanumeric mode of a QR code (ISO/IEC 18004)"
        );
    }

    #[test]
    fn a_signature_of_one_kind_is_none_of_another() {
        let device = device(1);
        let body = body_of(&device, "a");
        for made in Kind::ALL {
            let token = signed(made, &device, &body);
            for asked in Kind::ALL {
                let outcome = token.verify_own::<Body>(asked);
                let renamed = read(asked, &token.to_text(asked));
                if asked == made {
                    assert_eq!((outcome, renamed), (Ok(body.clone()), Ok(body.clone())));
                } else {
                    assert_eq!(outcome, Err(TokenError::NotAuthentic));
                    assert_eq!(renamed, Err(TokenError::NotAuthentic));
                    let text = token.to_text(made);
                    assert_eq!(read(asked, &text), Err(TokenError::OtherKind));
                }
            }
        }
    }

    #[test]
    fn only_the_recipient_opens_a_sealed_one() {
        let (member, leader, other) = (device(1), device(2), device(3));
        let body = body_of(&member, "secret words");
        let token = signed(Kind::Entry, &member, &body);
        let text = token.seal(Kind::Entry, &leader.public().agreement).unwrap();
        let scanned = Scanned::read_kind(Kind::Entry, &text, LONGEST).unwrap();
        assert!(scanned.open(&leader).unwrap() == token);
        assert!(scanned.open(&other).err() == Some(TokenError::OtherRecipient));
        assert!(scanned.token().err() == Some(TokenError::OtherRecipient));
        assert!(!scanned.bytes.windows(6).any(|part| part == b"secret"));
        // In clear it is not taken for sealed, nor under another kind.
        let clear = Scanned::read(&token.to_text(Kind::Entry), LONGEST).unwrap();
        assert!(clear.open(&leader).err() == Some(TokenError::Version));
        let renamed = text.replace(Kind::Entry.prefix(), Kind::Leave.prefix());
        let renamed = Scanned::read(&renamed, LONGEST).unwrap();
        assert!(renamed.open(&leader).err() == Some(TokenError::NotAuthentic));
        for at in 0..scanned.bytes.len() {
            let mut bytes = scanned.bytes.clone();
            *bytes.get_mut(at).unwrap() ^= 0x04;
            let altered = Scanned {
                kind: Kind::Entry,
                bytes,
            };
            assert!(altered.open(&leader).is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_key_must_be_at_hand_and_the_body_end_where_it_ends() {
        let device = device(1);
        let key = device.public().signing.to_vec();
        let token = signed(Kind::Card, &device, &body_of(&device, "a"));
        let verify = |token: &Token, keys: &[Vec<u8>]| token.verify::<Body>(Kind::Card, keys);
        assert!(verify(&token, &[vec![], vec![1; 32], key.clone()]).is_ok());
        assert_eq!(verify(&token, &[]), Err(TokenError::UnknownKey));
        // Signed, but with a byte more than the body has.
        let longer = Token::sign(Kind::Card, &(body_of(&device, "a"), 1_u8), &key, |bytes| {
            device.sign(bytes)
        })
        .unwrap();
        assert_eq!(
            verify(&longer, std::slice::from_ref(&key)),
            Err(TokenError::Body)
        );
        // A key that is not on the curve, or of another length, is no panic.
        let odd = Token::sign(Kind::Card, &1_u8, &[0xff; 32], |_| [0xff; 64]).unwrap();
        assert_eq!(
            odd.verify::<u8>(Kind::Card, &[vec![0xff; 32]]),
            Err(TokenError::NotAuthentic)
        );
    }

    #[test]
    fn what_surrounds_a_text_does_no_harm() {
        let device = device(1);
        let body = body_of(&device, "李伟");
        let text = signed(Kind::Leave, &device, &body).to_text(Kind::Leave);
        let (head, tail) = text.split_at(50);
        let forms = [
            text.to_lowercase(),
            format!("  {text}\r\n"),
            format!("{head}\n {tail}"),
            format!("{head}\u{ad}\u{200b}\u{a0}{tail}\u{feff}"),
            format!("看看（{text}）。"),
            format!("https://example.org/q?t={text}"),
            text.replace(':', "%3a"),
        ];
        for form in forms {
            assert_eq!(read(Kind::Leave, &form), Ok(body.clone()), "{form}");
        }
        for (form, expected) in [
            (String::new(), TokenError::Malformed),
            ("HLL:".into(), TokenError::Malformed),
            ("HLL:AE".into(), TokenError::Malformed),
            ("HLL:AM".into(), TokenError::Version),
            (text.replace("HLL:", "HLX:"), TokenError::Malformed),
            (text.replace("HLL:", "HLL:0189"), TokenError::Malformed),
            ("A".repeat(1_000_000), TokenError::TooLong),
            (format!("HLL:{}", "A".repeat(8_000)), TokenError::Version),
        ] {
            assert_eq!(read(Kind::Leave, &form), Err(expected));
        }
    }

    proptest! {
        #[test]
        fn any_body_comes_back_and_any_other_byte_is_refused(
            words in any::<String>(),
            number in any::<Option<i64>>(),
            at in any::<prop::sample::Index>(),
            bit in 0_u8..8,
            cut in any::<prop::sample::Index>(),
        ) {
            let device = device(1);
            let body = Body { signing: device.public().signing, words, number };
            let token = signed(Kind::Leave, &device, &body);
            let text = token.to_text(Kind::Leave);
            prop_assert_eq!(read(Kind::Leave, &text), Ok(body));
            let bytes = token.to_bytes();
            let mut altered = bytes.clone();
            *altered.get_mut(at.index(bytes.len())).unwrap() ^= 1 << bit;
            let altered = Token::from_bytes(&altered)
                .and_then(|token| token.verify_own::<Body>(Kind::Leave));
            prop_assert!(altered.is_err());
            let cut = bytes.get(..cut.index(bytes.len())).unwrap();
            let cut = Token::from_bytes(cut)
                .and_then(|token| token.verify_own::<Body>(Kind::Leave));
            prop_assert!(cut.is_err());
        }

        #[test]
        fn any_text_is_refused_and_never_a_panic(text in any::<String>(), tail in any::<Vec<u8>>()) {
            for kind in Kind::ALL {
                prop_assert!(read(kind, &text).is_err());
                let built = format!("{}{text}{}", kind.prefix(), BASE32_NOPAD.encode(&tail));
                prop_assert!(read(kind, &built).is_err());
                if let Ok(scanned) = Scanned::read(&built, LONGEST) {
                    prop_assert!(scanned.open(&device(2)).is_err());
                }
            }
        }
    }
}
