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

fn public_key(bytes: &[u8; 32]) -> Result<<Kem as hpke::Kem>::PublicKey> {
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
    let content = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &mode,
        private,
        &encapsulated,
        INFO,
        ciphertext,
        header,
    )
    .map_err(|_| OpenError::NotAuthentic)?;
    Ok(Opened {
        id: Uuid::from_bytes(*id),
        sender: authenticated.then_some(*sender),
        content,
    })
}
