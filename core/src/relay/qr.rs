//! A bundle as QR texts, scanned in any order and as often as the camera likes.
//!
//! A text is `HLR:` and base32 (RFC 4648, section 6, without padding) of:
//!
//! ```text
//! offset  bytes  field
//!      0      1  format version, 1
//!      1      8  bundle: SHA-256 of its bytes, first 8 bytes
//!      9      1  number of the text, from 0
//!     10      1  texts of the bundle
//!     11      n  part of the bundle
//! ```
//!
//! Both ends of it are of the alphanumeric mode of a QR code, see `seal::token`.

use std::collections::VecDeque;

use data_encoding::BASE32_NOPAD;
use ring::digest::{SHA256, digest};

use crate::config::Policy;
use crate::seal::token::plain_text;

const PREFIX: &str = "HLR:";
const VERSION: u8 = 1;

type Id = [u8; 8];

/// Bytes of a bundle that so many texts hold.
pub(crate) fn room(texts: u8, policy: &Policy) -> usize {
    usize::from(texts.min(policy.carry.qr_texts)) * policy.carry.qr_bytes
}

/// The texts of a bundle; none where it is longer than `room`.
pub(crate) fn write(bundle: &[u8], policy: &Policy) -> Vec<String> {
    let parts = bundle.chunks(policy.carry.qr_bytes);
    let total = match u8::try_from(parts.len()) {
        Ok(total) if total <= policy.carry.qr_texts => total,
        _ => return Vec::new(),
    };
    let id = id_of(bundle);
    (0..total)
        .zip(parts)
        .map(|(index, part)| {
            let mut bytes = vec![VERSION];
            bytes.extend_from_slice(&id);
            bytes.extend_from_slice(&[index, total]);
            bytes.extend_from_slice(part);
            format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes))
        })
        .collect()
}

/// One text.
struct Part {
    bundle: Id,
    index: u8,
    total: u8,
    bytes: Vec<u8>,
}

impl Part {
    fn read(text: &str, policy: &Policy) -> Option<Self> {
        if text.len() > policy.token_bytes {
            return None;
        }
        let text = plain_text(text);
        let (_, rest) = text.split_once(PREFIX)?;
        let rest = rest.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let bytes = BASE32_NOPAD.decode(rest.as_bytes()).ok()?;
        let (&version, rest) = bytes.split_first()?;
        let (bundle, rest) = rest.split_first_chunk::<8>()?;
        let (&[index, total], part) = rest.split_first_chunk::<2>()?;
        let right = version == VERSION
            && index < total
            && total <= policy.carry.qr_texts
            && (1..=policy.carry.qr_bytes).contains(&part.len());
        right.then(|| Self {
            bundle: *bundle,
            index,
            total,
            bytes: part.to_vec(),
        })
    }
}

/// A bundle of which some texts were scanned.
struct Scan {
    bundle: Id,
    parts: Vec<Option<Vec<u8>>>,
}

impl Scan {
    fn have(&self) -> usize {
        self.parts.iter().flatten().count()
    }
}

/// How far a scan is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Texts of its bundle that were scanned.
    pub(crate) have: usize,
    /// Texts that it has.
    pub(crate) total: usize,
    /// The bundle, when the last one has come.
    pub(crate) bundle: Option<Vec<u8>>,
}

/// The bundles that are being scanned, the one of the last text at the end. In
/// memory only, and bounded: so many bundles of so many texts.
#[derive(Default)]
pub(crate) struct Scans {
    open: VecDeque<Scan>,
}

impl Scans {
    /// Takes a scanned text. `None`: it is none, or its bundle is damaged.
    pub(crate) fn add(&mut self, text: &str, policy: &Policy) -> Option<Progress> {
        let part = Part::read(text, policy)?;
        let total = usize::from(part.total);
        let known = self
            .open
            .iter()
            .position(|scan| scan.bundle == part.bundle && scan.parts.len() == total);
        let mut scan = known
            .and_then(|at| self.open.remove(at))
            .unwrap_or_else(|| Scan {
                bundle: part.bundle,
                parts: vec![None; total],
            });
        if let Some(place) = scan.parts.get_mut(usize::from(part.index)) {
            place.get_or_insert(part.bytes);
        }
        let have = scan.have();
        if have < total {
            while self.open.len() >= policy.carry.qr_bundles {
                self.open.pop_front();
            }
            self.open.push_back(scan);
            return Some(Progress {
                have,
                total,
                bundle: None,
            });
        }
        let bundle: Vec<u8> = scan.parts.into_iter().flatten().flatten().collect();
        (id_of(&bundle) == scan.bundle).then_some(Progress {
            have,
            total,
            bundle: Some(bundle),
        })
    }
}

fn id_of(bundle: &[u8]) -> Id {
    let hash = digest(&SHA256, bundle);
    let mut id = [0; 8];
    for (to, from) in id.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    id
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy = Policy::STANDARD;

    fn scan(scans: &mut Scans, text: &str) -> Option<(usize, usize, bool)> {
        let progress = scans.add(text, &POLICY)?;
        Some((progress.have, progress.total, progress.bundle.is_some()))
    }

    #[test]
    fn one_parcel_is_four_codes_of_version_20() {
        let texts = write(&[7; 4 + 2_048], &POLICY);
        assert_eq!(texts.len(), 4);
        for text in &texts {
            assert!(text.len() <= 970, "{}", text.len());
            assert!(
                text.bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b':'),
                "alphanumeric mode of a QR code (ISO/IEC 18004)"
            );
        }
        assert_eq!(write(&[], &POLICY).len(), 0);
        let most = room(u8::MAX, &POLICY);
        assert_eq!(write(&vec![0; most], &POLICY).len(), 64);
        assert_eq!(write(&vec![0; most + 1], &POLICY).len(), 0);
    }

    #[test]
    fn any_order_and_repeated_scans_and_a_damaged_one_begins_anew() {
        let bundle: Vec<u8> = (0..2_000_u16).flat_map(u16::to_be_bytes).collect();
        let texts = write(&bundle, &POLICY);
        let mut scans = Scans::default();
        assert_eq!(scan(&mut scans, &texts[2]), Some((1, 8, false)));
        assert_eq!(scan(&mut scans, &texts[2]), Some((1, 8, false)));
        for (have, at) in (2..).zip([7, 0, 1, 3, 4, 5]) {
            let text = texts[at].to_lowercase();
            assert_eq!(scan(&mut scans, &text), Some((have, 8, false)));
        }
        let done = scans
            .add(&format!("看看（{}）", texts[6]), &POLICY)
            .unwrap();
        assert!(done.bundle == Some(bundle));
        // The camera still sees the last one: a new scan of the same bundle.
        assert_eq!(scan(&mut scans, &texts[6]), Some((1, 8, false)));
        // Somebody else's text under this bundle's name: damaged, and begun anew.
        let part = Part::read(&texts[0], &POLICY).unwrap();
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&part.bundle);
        bytes.extend_from_slice(&[0, 8, 1, 2, 3]);
        let wrong = format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes));
        assert_eq!(scan(&mut scans, &wrong), Some((2, 8, false)));
        for at in [1, 2, 3, 4] {
            assert!(scan(&mut scans, &texts[at]).is_some());
        }
        assert_eq!(scan(&mut scans, &texts[5]), Some((7, 8, false)));
        assert_eq!(scan(&mut scans, &texts[7]), None);
        assert_eq!(scan(&mut scans, &texts[0]), Some((1, 8, false)));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut scans = Scans::default();
        for number in 0..1_000_u16 {
            let bundle = number.to_be_bytes().repeat(1_000);
            let texts = write(&bundle, &POLICY);
            assert_eq!(scan(&mut scans, &texts[1]), Some((1, 4, false)));
            assert!(scans.open.len() <= POLICY.carry.qr_bundles);
        }
    }

    proptest! {
        #[test]
        fn any_bundle_comes_back_in_any_order(
            bundle in proptest::collection::vec(any::<u8>(), 1..6_000),
            order in any::<u64>(),
        ) {
            let mut texts = write(&bundle, &POLICY);
            let mut state = order;
            for at in (1..texts.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                texts.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
            }
            let mut scans = Scans::default();
            let last = texts.iter().map(|text| scans.add(text, &POLICY)).last();
            prop_assert!(last.unwrap().unwrap().bundle == Some(bundle));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            let mut scans = Scans::default();
            let _ = scans.add(&text, &POLICY);
            let _ = scans.add(&format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes)), &POLICY);
        }
    }
}
