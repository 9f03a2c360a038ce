//! What leaders, members and the ministry tell each other: the bodies of the
//! tokens, and the id of a group.
//!
//! The id of a group is made from its leader's public keys and a salt. So an
//! invitation, an entry, an upload cannot be moved to another leader's group: the
//! id would not come out.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::types::{GroupDetails, GroupKind, SharedDetail, short};
use crate::config::Policy;
use crate::error::Result;
use crate::registration::Traveler;
use crate::seal::hex;
use crate::seal::token::SelfSigned;
use crate::validate;

/// The id of the group that the holder of these keys made with `salt`: UUIDv8
/// (RFC 9562) of SHA-256 over `homeline/group/v1`, a zero byte, the Ed25519 key,
/// the X25519 key and the salt.
pub fn group_id(signing: &[u8; 32], agreement: &[u8; 32], salt: &[u8; 16]) -> Uuid {
    let name = [b"homeline/group/v1\0".as_slice(), signing, agreement, salt].concat();
    let hash = digest(&SHA256, &name);
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Body of an invitation: `HLI:`, signed by the leader's device, in clear.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    /// Makes the group's id together with the keys.
    pub salt: [u8; 16],
    /// The leader's Ed25519 public key.
    pub signing: [u8; 32],
    /// The leader's X25519 public key: entries are sealed to it.
    pub agreement: [u8; 32],
    /// What the group is about.
    pub details: GroupDetails,
    /// Until when one may join, milliseconds UTC by the leader's clock.
    pub expires_ms: i64,
}

impl Invitation {
    /// The group's id.
    pub fn group(&self) -> Uuid {
        group_id(&self.signing, &self.agreement, &self.salt)
    }
}

/// Body of an entry: `HLE:`, signed by the member's device, sealed to the leader.
/// It is the member's consent that the leader and the ministry are told this.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The group.
    #[serde(with = "uuid::serde::compact")]
    pub group: Uuid,
    /// The Ed25519 public key of the member's device.
    pub signing: [u8; 32],
    /// Grows with each word of this device about this group; milliseconds UTC
    /// where the clock allows.
    pub serial: i64,
    /// Who.
    pub person: Person,
    /// Version of the text that the member consented to.
    pub text_version: String,
}

/// Body of a leave: `HLL:`, signed by the member's device, in clear: it says
/// nothing of the person.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Leave {
    /// The group.
    #[serde(with = "uuid::serde::compact")]
    pub group: Uuid,
    /// The Ed25519 public key of the member's device.
    pub signing: [u8; 32],
    /// As in an [`Entry`].
    pub serial: i64,
}

/// A member, as far as the kind of the group asks for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Person {
    /// Name, in the person's own script; at most 192 bytes of it.
    pub name: String,
    /// Phone: E.164, or a short code.
    pub phone: Option<String>,
    /// The travel document.
    pub document: Option<Document>,
}

/// A travel document, as far as a group needs it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Document {
    /// The state that issued it, as in its machine-readable zone (ICAO Doc 9303);
    /// empty where not known.
    pub issuer: String,
    /// Number, as printed.
    pub number: String,
}

redacted_debug!(Invitation, Entry, Leave, Person, Document);

impl SelfSigned for Invitation {
    fn signer(&self) -> &[u8; 32] {
        &self.signing
    }
}

impl SelfSigned for Entry {
    fn signer(&self) -> &[u8; 32] {
        &self.signing
    }
}

impl SelfSigned for Leave {
    fn signer(&self) -> &[u8; 32] {
        &self.signing
    }
}

impl Person {
    /// What a group of `kind` is told of a traveler.
    pub(crate) fn of(traveler: &Traveler, kind: GroupKind, policy: &Policy) -> Result<Self> {
        let document = kind
            .shares()
            .contains(&SharedDetail::Document)
            .then(|| traveler.documents.first())
            .flatten()
            .map(|document| {
                Ok::<_, crate::HomelineError>(Document {
                    issuer: document.issuing_state.clone().unwrap_or_default(),
                    number: short("traveler.document.number", &document.number, policy)?,
                })
            })
            .transpose()?;
        Ok(Self {
            name: validate::cut(&traveler.name, policy.token_name_bytes),
            phone: traveler.phone.clone(),
            document,
        })
    }
}

impl Document {
    /// The number as it is compared: how it is spaced or written does not matter.
    pub fn key(&self) -> String {
        let bare: String = self
            .number
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_uppercase)
            .collect();
        hex(digest(&SHA256, bare.as_bytes()).as_ref().iter().take(16))
    }

    /// Whether both are the same document: the same number, and not of two states.
    pub fn is(&self, other: &Self) -> bool {
        let states = [self.issuer.as_str(), other.issuer.as_str()];
        let same_state = states.contains(&"") || self.issuer == other.issuer;
        self.key() == other.key() && same_state
    }
}
