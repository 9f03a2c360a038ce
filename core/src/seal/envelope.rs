//! The envelope: one sealed content, on disk, on every channel, at every retry.
//!
//! Version 1, all integers single bytes, all fields of fixed length but the last:
//!
//! ```text
//! offset  bytes  field
//!      0      1  format version, 1
//!      1      1  mode: 2 = auth (to the ministry), 0 = base (to a device)
//!      2      8  id of the recipient's key: SHA-256(public key), first 8 bytes
//!     10     16  envelope id: a UUID
//!     26     32  the sender's X25519 public key; all zero in base mode
//!     58     32  HPKE encapsulated key
//!     90      n  ciphertext with its tag of 16 bytes
//! ```
//!
//! The first 58 bytes are the additional data of the AEAD: nobody can move a
//! ciphertext to another id or sender. HPKE's `info` is `homeline/envelope/v1`.
//! The sender's public key is in clear so that a device that the ministry has
//! not met yet can still be authenticated as itself.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use super::Kem;
use crate::error::{HomelineError, Problem, Result};
use crate::keys::DeviceKeys;

const VERSION: u8 = 1;
const MODE_BASE: u8 = 0;
const MODE_AUTH: u8 = 2;
const INFO: &[u8] = b"homeline/envelope/v1";
const HEADER: usize = 58;
const TAG: usize = 16;

/// Bytes that an envelope is longer than its content.
pub const OVERHEAD: usize = HEADER + 32 + TAG;

/// Why an envelope could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Too short, or of another version.
    #[error("not an envelope of version 1")]
    Format,
    /// Sealed to a key that is not at hand.
    #[error("sealed to another key")]
    UnknownKey,
    /// Changed on the way, or not by the sender that it names.
    #[error("does not authenticate")]
    NotAuthentic,
}

/// An opened envelope.
pub struct Opened {
    /// The envelope's id.
    pub id: Uuid,
    /// The sender's X25519 public key, proved by HPKE's auth mode; `None` in
    /// base mode.
    pub sender: Option<[u8; 32]>,
    /// The content.
    pub content: Vec<u8>,
}

/// A recipient's private key with its public half.
pub struct RecipientKey {
    private: <Kem as hpke::Kem>::PrivateKey,
    public: [u8; 32],
}

impl RecipientKey {
    /// From the 32 bytes of an X25519 private key (RFC 7748).
    pub fn from_bytes(private: &[u8]) -> Result<Self> {
        let malformed =
            || HomelineError::invalid("private key", Problem::Malformed, "32 bytes (X25519)");
        let private =
            <Kem as hpke::Kem>::PrivateKey::from_bytes(private).map_err(|_| malformed())?;
        let public = Kem::sk_to_pk(&private)
            .to_bytes()
            .as_slice()
            .try_into()
            .map_err(|_| malformed())?;
        Ok(Self { private, public })
    }

    /// The public key.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    pub(super) fn private(&self) -> &<Kem as hpke::Kem>::PrivateKey {
        &self.private
    }
}

/// Seals `content` to the ministry's key, authenticated by this device.
pub(crate) fn seal_to_ministry(
    content: &[u8],
    id: Uuid,
    recipient: &[u8; 32],
    device: &DeviceKeys,
) -> Result<Vec<u8>> {
    let sender = device.public().agreement;
    let public = public_key(&sender)?;
    let mode = OpModeS::Auth((device.agreement().clone(), public));
    seal(content, id, recipient, &sender, MODE_AUTH, &mode)
}

/// Seals `content` to a device: its own copy of a report, or a personal item of
/// the change feed. Anybody can do this; what must be proved is signed inside.
pub fn seal_to_device(content: &[u8], id: Uuid, device: &[u8; 32]) -> Result<Vec<u8>> {
    seal(content, id, device, &[0; 32], MODE_BASE, &OpModeS::Base)
}

/// The part of an envelope that says from whom and to whom it is.
pub(crate) fn header(sealed: &[u8]) -> &[u8] {
    sealed.get(..HEADER).unwrap_or_default()
}

/// Whether an envelope with this header is from `sender` to `recipient`.
pub(crate) fn is_between(header: &[u8], sender: &[u8; 32], recipient: &[u8; 32]) -> bool {
    header.get(2..10) == Some(recipient_id(recipient).as_slice())
        && header.get(26..58) == Some(sender.as_slice())
}

/// Whether an envelope says that it is sealed to this public key.
pub fn is_sealed_to(sealed: &[u8], recipient: &[u8]) -> bool {
    let id = <&[u8; 32]>::try_from(recipient).map(recipient_id);
    id.is_ok_and(|id| sealed.get(2..10) == Some(id.as_slice()))
}

/// The id in an envelope, not proved; `None` where it is too short to have one.
pub fn id_of(sealed: &[u8]) -> Option<Uuid> {
    let id = header(sealed).get(10..26)?;
    Uuid::from_slice(id).ok()
}

/// Opens an envelope with the private key among `keys` that it was sealed to.
pub fn open(bytes: &[u8], keys: &[RecipientKey]) -> std::result::Result<Opened, OpenError> {
    open_with(bytes, |id| {
        keys.iter()
            .find(|key| recipient_id(&key.public) == *id)
            .map(|key| &key.private)
    })
}

/// Opens what was sealed to this device.
pub(crate) fn open_at_device(
    bytes: &[u8],
    device: &DeviceKeys,
) -> std::result::Result<Opened, OpenError> {
    open_with(bytes, |id| {
        (recipient_id(&device.public().agreement) == *id).then(|| device.agreement())
    })
}

fn recipient_id(public: &[u8; 32]) -> [u8; 8] {
    let hash = digest(&SHA256, public);
    let mut id = [0; 8];
    for (to, from) in id.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    id
}

pub(super) fn public_key(bytes: &[u8; 32]) -> Result<<Kem as hpke::Kem>::PublicKey> {
    <Kem as hpke::Kem>::PublicKey::from_bytes(bytes)
        .map_err(|_| HomelineError::invalid("public key", Problem::Malformed, "32 bytes (X25519)"))
}

fn seal(
    content: &[u8],
    id: Uuid,
    recipient: &[u8; 32],
    sender: &[u8; 32],
    mode_byte: u8,
    mode: &OpModeS<'_, Kem>,
) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(content.len() + OVERHEAD);
    out.extend_from_slice(&[VERSION, mode_byte]);
    out.extend_from_slice(&recipient_id(recipient));
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(sender);
    let (encapsulated, ciphertext) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
        mode,
        &public_key(recipient)?,
        INFO,
        content,
        &out,
    )
    .map_err(|_| HomelineError::bug("seal::envelope"))?;
    out.extend_from_slice(&encapsulated.to_bytes());
    out.extend_from_slice(&ciphertext);
    Ok(out)
}

fn open_with<'k>(
    bytes: &[u8],
    key: impl FnOnce(&[u8; 8]) -> Option<&'k <Kem as hpke::Kem>::PrivateKey>,
) -> std::result::Result<Opened, OpenError> {
    let header = bytes.get(..HEADER).ok_or(OpenError::Format)?;
    let (&[version, mode], rest) = bytes.split_first_chunk::<2>().ok_or(OpenError::Format)?;
    let (recipient, rest) = rest.split_first_chunk::<8>().ok_or(OpenError::Format)?;
    let (id, rest) = rest.split_first_chunk::<16>().ok_or(OpenError::Format)?;
    let (sender, rest) = rest.split_first_chunk::<32>().ok_or(OpenError::Format)?;
    let (encapsulated, ciphertext) = rest.split_first_chunk::<32>().ok_or(OpenError::Format)?;
    if version != VERSION {
        return Err(OpenError::Format);
    }
    let mode = match mode {
        MODE_AUTH => OpModeR::Auth(public_key(sender).map_err(|_| OpenError::Format)?),
        MODE_BASE => OpModeR::Base,
        _ => return Err(OpenError::Format),
    };
    let authenticated = matches!(mode, OpModeR::Auth(_));
    let private = key(recipient).ok_or(OpenError::UnknownKey)?;
    let encapsulated =
        <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| OpenError::Format)?;
    let content = decrypt(&mode, private, &encapsulated, INFO, ciphertext, header)?;
    Ok(Opened {
        id: Uuid::from_bytes(*id),
        sender: authenticated.then_some(*sender),
        content,
    })
}

/// HPKE's single-shot open (RFC 9180, section 6.1) in the suite of the envelope.
pub(super) fn decrypt(
    mode: &OpModeR<'_, Kem>,
    private: &<Kem as hpke::Kem>::PrivateKey,
    encapsulated: &<Kem as hpke::Kem>::EncappedKey,
    info: &[u8],
    ciphertext: &[u8],
    aad: &[u8],
) -> std::result::Result<Vec<u8>, OpenError> {
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
        mode,
        private,
        encapsulated,
        info,
        ciphertext,
        aad,
    )
    .map_err(|_| OpenError::NotAuthentic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Secret;
    use crate::testing::{bytes, shared};

    #[test]
    fn rfc_9180_a_2_1() {
        let Some(file) = shared("crypto/rfc9180_A_2_1.json") else {
            return;
        };
        let v = &file["vector"];
        let private = <Kem as hpke::Kem>::PrivateKey::from_bytes(&bytes(&v["skRm"])).unwrap();
        assert_eq!(
            Kem::sk_to_pk(&private).to_bytes().as_slice(),
            bytes(&v["pkRm"])
        );
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(&bytes(&v["enc"])).unwrap();
        let open = |aad: &[u8]| {
            decrypt(
                &OpModeR::Base,
                &private,
                &encapsulated,
                &bytes(&v["info"]),
                &bytes(&v["ct_seq0"]),
                aad,
            )
        };
        assert_eq!(open(&bytes(&v["aad"])), Ok(bytes(&v["pt"])));
        assert_eq!(open(b"other"), Err(OpenError::NotAuthentic));
    }

    #[test]
    fn the_sender_is_proved_and_each_bit_is_bound() {
        let device = DeviceKeys::from_secret(&Secret::new([1; 32])).unwrap();
        let ministry = RecipientKey::from_bytes(&[2; 32]).unwrap();
        let id = Uuid::from_bytes([3; 16]);
        let sealed = seal_to_ministry(b"help", id, ministry.public(), &device).unwrap();
        assert_eq!(sealed.len(), b"help".len() + OVERHEAD);
        let keys = [ministry];
        let opened = open(&sealed, &keys).unwrap();
        assert_eq!(opened.content, b"help");
        assert_eq!(opened.id, id);
        assert_eq!(opened.sender, Some(device.public().agreement));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            *changed.get_mut(at).unwrap() ^= 0x10;
            assert!(open(&changed, &keys).is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_header_tells_whose_keys_an_envelope_was_made_with() {
        let device = DeviceKeys::from_secret(&Secret::new([1; 32])).unwrap();
        let sealed = seal_to_ministry(b"", Uuid::nil(), &[9; 32], &device).unwrap();
        let sender = device.public().agreement;
        let header = header(&sealed);
        assert!(is_between(header, &sender, &[9; 32]));
        assert!(!is_between(header, &sender, &[8; 32]));
        assert!(!is_between(header, &[7; 32], &[9; 32]));
        assert!(!is_between(b"", &sender, &[9; 32]));
    }

    #[test]
    fn an_own_copy_opens_at_this_device_only() {
        let device = DeviceKeys::from_secret(&Secret::new([1; 32])).unwrap();
        let other = DeviceKeys::from_secret(&Secret::new([9; 32])).unwrap();
        let id = Uuid::from_bytes([3; 16]);
        let sealed = seal_to_device(b"note", id, &device.public().agreement).unwrap();
        assert_eq!(open_at_device(&sealed, &device).unwrap().content, b"note");
        let refused = open_at_device(&sealed, &other).map(|opened| opened.content);
        assert_eq!(refused, Err(OpenError::UnknownKey));
    }
}
