//! What the ministry signs: Ed25519 over a context, a zero byte and the body.
//!
//! The context keeps a signature of one kind from being taken for another. The
//! body travels as the very bytes that were signed, so that no two JSON
//! libraries must agree on a canonical form.

use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::key_id;
use crate::sync::protocol::Base64;

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// The service document, by an anchor of the `Config`.
    Service,
    /// A receipt for one envelope, by a receipt key of the service document.
    Receipt,
    /// News of a case, by a receipt key of the service document.
    Case,
    /// News of a registration, by a receipt key of the service document.
    Profile,
    /// A link code, by the signing key of the device that shows it.
    Link,
    /// A receipt for a compact message, by a receipt key of the service document.
    CompactReceipt,
    /// News of a registration card, by a receipt key of the service document.
    CardNews,
    /// A receipt for an attachment, by a receipt key of the service document.
    Attachment,
    /// What became of parcels, by a receipt key of the service document.
    Parcels,
    /// The header of a pack, by a receipt key of the service document or an anchor.
    Pack,
}

impl Context {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Service => b"homeline/service/v1\0",
            Self::Receipt => b"homeline/receipt/v1\0",
            Self::Case => b"homeline/case/v1\0",
            Self::Profile => b"homeline/profile/v1\0",
            Self::Link => b"homeline/link/v1\0",
            Self::CompactReceipt => b"homeline/compact-receipt/v1\0",
            Self::CardNews => b"homeline/card-news/v1\0",
            Self::Attachment => b"homeline/attachment/v1\0",
            Self::Parcels => b"homeline/parcels/v1\0",
            Self::Pack => b"homeline/pack/v1\0",
        }
    }

    /// The bytes that are signed.
    pub(crate) fn message(self, body: &[u8]) -> Vec<u8> {
        let mut message = self.label().to_vec();
        message.extend_from_slice(body);
        message
    }
}

/// A signed body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Signed {
    /// Id of the key that signed: hex of the first 8 bytes of its SHA-256.
    pub key: String,
    /// The signed bytes: JSON in UTF-8.
    pub body: Base64,
    /// Ed25519 signature (RFC 8032, 64 bytes) over context, zero byte and body.
    pub signature: Base64,
}

/// Why a signed body is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Signed by a key that is not among those at hand.
    #[error("signed by an unknown key")]
    UnknownKey,
    /// The signature does not match.
    #[error("wrong signature")]
    Signature,
    /// Signed, but not of the form that is expected.
    #[error("unreadable body")]
    Body,
}

impl Signed {
    /// Verifies the signature with the key among `keys` that it names, and
    /// reads the body.
    pub fn verify<T: DeserializeOwned>(
        &self,
        context: Context,
        keys: &[Vec<u8>],
    ) -> Result<T, VerifyError> {
        let key = keys
            .iter()
            .find(|key| key_id(key) == self.key)
            .ok_or(VerifyError::UnknownKey)?;
        UnparsedPublicKey::new(&ED25519, key)
            .verify(&context.message(&self.body.0), &self.signature.0)
            .map_err(|_| VerifyError::Signature)?;
        serde_json::from_slice(&self.body.0).map_err(|_| VerifyError::Body)
    }

    /// Signs `body`; `sign` is the signer's Ed25519 function, `public` its key.
    pub fn sign<T: Serialize>(
        context: Context,
        body: &T,
        public: &[u8],
        sign: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> serde_json::Result<Self> {
        let body = serde_json::to_vec(body)?;
        let signature = sign(&context.message(&body));
        Ok(Self {
            key: key_id(public),
            body: Base64(body),
            signature: Base64(signature),
        })
    }
}
