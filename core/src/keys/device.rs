//! The device's two key pairs, both from one secret.

use hpke::{Deserializable as _, Kem as _, Serializable as _};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::{Secret, derive};
use crate::error::{HomelineError, Result};
use crate::seal::{Kem, hex};

/// The public half of a device, as the ministry knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DevicePublic {
    /// Ed25519: verifies the signatures of requests.
    pub(crate) signing: [u8; 32],
    /// X25519: authenticates envelopes, and what the ministry seals to.
    pub(crate) agreement: [u8; 32],
}

/// The device's keys, in memory.
pub(crate) struct DeviceKeys {
    signing: Ed25519KeyPair,
    agreement: <Kem as hpke::Kem>::PrivateKey,
    public: DevicePublic,
    id: String,
}

impl DeviceKeys {
    pub(crate) fn from_secret(secret: &Secret) -> Result<Self> {
        let bug = |_| HomelineError::bug("keys::device");
        let seed = derive::<32>(secret, b"homeline/device/signing/v1");
        let signing = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|_| bug(()))?;
        let scalar = derive::<32>(secret, b"homeline/device/agreement/v1");
        let agreement =
            <Kem as hpke::Kem>::PrivateKey::from_bytes(scalar.as_slice()).map_err(|_| bug(()))?;
        let mut public = DevicePublic {
            signing: [0; 32],
            agreement: [0; 32],
        };
        public.signing = signing
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| bug(()))?;
        public.agreement = Kem::sk_to_pk(&agreement)
            .to_bytes()
            .as_slice()
            .try_into()
            .map_err(|_| bug(()))?;
        Ok(Self {
            signing,
            agreement,
            id: device_id(&public),
            public,
        })
    }

    pub(crate) fn public(&self) -> &DevicePublic {
        &self.public
    }

    /// The id under which the ministry knows this device.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn agreement(&self) -> &<Kem as hpke::Kem>::PrivateKey {
        &self.agreement
    }

    /// Ed25519 signature (RFC 8032) over `bytes`.
    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        let signature = self.signing.sign(bytes);
        for (to, from) in out.iter_mut().zip(signature.as_ref()) {
            *to = *from;
        }
        out
    }
}

impl std::fmt::Debug for DeviceKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceKeys").finish_non_exhaustive()
    }
}

/// Hex of the first 16 bytes of SHA-256 over both public keys.
pub(crate) fn device_id(public: &DevicePublic) -> String {
    let mut bytes = public.signing.to_vec();
    bytes.extend_from_slice(&public.agreement);
    let hash = digest(&SHA256, &bytes);
    hex(hash.as_ref().iter().take(16))
}
