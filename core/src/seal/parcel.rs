//! The parcel: what one phone carries for another. All parcels have the same size,
//! and but for four bytes they look like random ones.
//!
//! An envelope names its sender and its report in clear, so whoever carried
//! envelopes could link them. A parcel is a second seal around them:
//!
//! ```text
//! offset  bytes  field
//!      0      1  format version, 1
//!      1      1  way: 0 = to the ministry, 1 = to a phone
//!      2      1  hops: how many more phones may pass it on
//!      3      1  days: how much longer it may be carried
//!      4     32  HPKE encapsulated key
//!     36   2012  ciphertext with its tag of 16 bytes: see `seal::letters`
//! ```
//!
//! HPKE (RFC 9180) as in [`super::envelope`], base mode, `info` is
//! `homeline/parcel/v1`; the additional data is the first two bytes. Who has sent
//! it is proved by the envelopes inside.
//!
//! What the clear bytes tell: hops and days begin at the same number for everybody
//! and change at each phone, so they are no part of what is sealed. Days are a span
//! and no date: clocks differ by years, and a date would tell parcels apart. No
//! recipient is named: the ministry has few keys and tries them, a phone tries its
//! own. A parcel is sealed anew each time it is exported by its sender, so two
//! parcels of one report have nothing in common.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable as _, OpModeR, OpModeS, Serializable as _};
use ring::digest::{SHA256, digest};

use super::Kem;
use super::envelope::{self, RecipientKey};
use crate::error::{HomelineError, Result};
use crate::keys::DeviceKeys;

const VERSION: u8 = 1;
const INFO: &[u8] = b"homeline/parcel/v1";
const HEADER: usize = 4;
const KEY: usize = 32;
const TAG: usize = 16;

/// Bytes of every parcel: a report of 1.2 KB with a standing letter fits one, and
/// four QR codes of version 20 hold it.
pub const BYTES: usize = 2_048;

/// Bytes inside a parcel.
pub const ROOM: usize = BYTES - HEADER - KEY - TAG;

/// Which way a parcel goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From a phone to the ministry.
    ToMinistry,
    /// From the ministry to a phone: an answer.
    ToPhone,
}

impl Way {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::ToMinistry => 0,
            Self::ToPhone => 1,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::ToMinistry),
            1 => Some(Self::ToPhone),
            _ => None,
        }
    }
}

/// A parcel. Nothing of its header is proved: a reader bounds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Which way it goes.
    pub way: Way,
    /// How many more phones may pass it on.
    pub hops: u8,
    /// How many more days it may be carried.
    pub days: u8,
    /// Encapsulated key and ciphertext.
    sealed: Vec<u8>,
}

redacted_debug!(Parcel);

impl Parcel {
    /// Seals `plain`, of at most [`ROOM`] bytes, to an X25519 key; zeros fill it up.
    ///
    /// Errors: `Bug` where it is longer, `Invalid` where the key is none.
    pub fn seal(way: Way, hops: u8, days: u8, plain: &[u8], recipient: &[u8; 32]) -> Result<Self> {
        if plain.len() > ROOM {
            return Err(HomelineError::bug("seal::parcel"));
        }
        let mut filled = zeroize::Zeroizing::new(vec![0; ROOM]);
        for (to, from) in filled.iter_mut().zip(plain) {
            *to = *from;
        }
        let (encapsulated, ciphertext) =
            hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
                &OpModeS::Base,
                &envelope::public_key(recipient)?,
                INFO,
                &filled,
                &[VERSION, way.number()],
            )
            .map_err(|_| HomelineError::bug("seal::parcel"))?;
        Ok(Self {
            way,
            hops,
            days,
            sealed: [encapsulated.to_bytes().as_slice(), &ciphertext].concat(),
        })
    }

    /// Reads the bytes of one parcel. `None`: another length, version or way.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (&[version, way, hops, days], sealed) = bytes.split_first_chunk::<HEADER>()?;
        let way = Way::from_number(way)?;
        (version == VERSION && bytes.len() == BYTES).then(|| Self {
            way,
            hops,
            days,
            sealed: sealed.to_vec(),
        })
    }

    /// Its bytes, always [`BYTES`] of them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = [VERSION, self.way.number(), self.hops, self.days];
        [header.as_slice(), &self.sealed].concat()
    }

    /// What it is known by, whatever its hops and days: the first 16 bytes of
    /// SHA-256 of what is sealed.
    pub fn id(&self) -> [u8; 16] {
        let hash = digest(&SHA256, &self.sealed);
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(hash.as_ref()) {
            *to = *from;
        }
        id
    }

    /// What is inside, with the zeros that fill it up, if it was sealed to one of
    /// `keys`.
    pub fn open(&self, keys: &[RecipientKey]) -> Option<Vec<u8>> {
        keys.iter().find_map(|key| self.open_with(key.private()))
    }

    /// What is inside, if it was sealed to this device.
    pub(crate) fn open_at_device(&self, device: &DeviceKeys) -> Option<Vec<u8>> {
        self.open_with(device.agreement())
    }

    fn open_with(&self, private: &<Kem as hpke::Kem>::PrivateKey) -> Option<Vec<u8>> {
        let (encapsulated, ciphertext) = self.sealed.split_first_chunk::<KEY>()?;
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        envelope::decrypt(
            &OpModeR::Base,
            private,
            &encapsulated,
            INFO,
            ciphertext,
            &[VERSION, self.way.number()],
        )
        .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Secret;

    fn ministry() -> RecipientKey {
        RecipientKey::from_bytes(&[2; 32]).unwrap()
    }

    fn sealed(plain: &[u8]) -> Parcel {
        Parcel::seal(Way::ToMinistry, 5, 7, plain, ministry().public()).unwrap()
    }

    #[test]
    fn all_have_one_size_and_two_of_the_same_have_nothing_in_common() {
        let one = sealed(b"help").to_bytes();
        let other = sealed(b"help").to_bytes();
        let full = sealed(&[7; ROOM]).to_bytes();
        assert_eq!([one.len(), other.len(), full.len()], [BYTES; 3]);
        assert_eq!(one[..HEADER], other[..HEADER]);
        let same = one.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!(same < 60, "{same}: about 8 and the header are chance");
        assert!(Parcel::seal(Way::ToMinistry, 5, 7, &[0; ROOM + 1], &[9; 32]).is_err());
    }

    #[test]
    fn only_the_recipient_opens_it_and_only_hops_and_days_may_change() {
        let parcel = sealed(b"help");
        let other = RecipientKey::from_bytes(&[3; 32]).unwrap();
        let keys = [other, ministry()];
        assert_eq!(&parcel.open(&keys).unwrap()[..5], b"help\0");
        assert!(parcel.open(&keys[..1]).is_none());
        let device = DeviceKeys::from_secret(&Secret::new([1; 32])).unwrap();
        assert!(parcel.open_at_device(&device).is_none());
        let bytes = parcel.to_bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let opened = Parcel::read(&changed).and_then(|changed| changed.open(&keys));
            assert_eq!(opened.is_some(), at == 2 || at == 3, "byte {at}");
        }
        let mut passed = parcel.clone();
        passed.hops = 0;
        assert_eq!(passed.id(), parcel.id());
    }

    #[test]
    fn what_is_no_parcel_is_refused() {
        let bytes = sealed(b"").to_bytes();
        assert!(Parcel::read(&bytes) == Some(sealed_like(&bytes)));
        for bad in [&bytes[..BYTES - 1], &bytes[..3], &[]] {
            assert!(Parcel::read(bad).is_none());
        }
        assert!(Parcel::read(&[bytes.as_slice(), &[0]].concat()).is_none());
        for (at, value) in [(0, 0), (0, 2), (1, 2), (1, 255)] {
            let mut bad = bytes.clone();
            bad[at] = value;
            assert!(Parcel::read(&bad).is_none());
        }
    }

    fn sealed_like(bytes: &[u8]) -> Parcel {
        Parcel {
            way: Way::ToMinistry,
            hops: 5,
            days: 7,
            sealed: bytes[HEADER..].to_vec(),
        }
    }
}
