//! Packed blocks: how fixes are archived and how they cross the network.
//!
//! About 2 to 4 bytes a fix. Version 1, all of it one stream of bits, the most
//! significant bit of a byte first:
//!
//! ```text
//! version  8 bits, 1
//! count    16 bits, 1 to 1024 fixes
//! columns  at_ms, latitude, longitude, kind, present, then the eight extras,
//!          each with as many numbers as fixes have that extra
//!
//! column   shape 2 bits (0 constant, 1 steps, 2 line), first number
//!          and unless constant: unit, first residue, residues in Rice code
//! number   its length in bits (7 bits), then those bits; a first number and a
//!          residue are zigzag (0, -1, 1, -2 as 0, 1, 2, 3)
//! residue  (number - expected) / unit; expected is the number before (steps),
//!          or as far from it as that was from the one before (line)
//! ```
//!
//! The Rice parameter is the logarithm of the mean of the residues so far: see
//! [`super::bits`]. What the numbers mean is in [`super::compact`]. All
//! arithmetic is modulo 2^64, and reading never makes more than `count` fixes,
//! whatever the bytes say.
//!
//! Why not a general compressor: on the same differences as bytes, zstd at its
//! best level takes 2.4 bytes a fix (mousehole) and 3.4 (ecology), this code 2.4
//! and 2.2; and zstd adds 361 KB to each host app (143 KB as pure Rust), 8 % of
//! the library.

use super::RecordedFix;
use super::bits::{Reader, Writer, malformed, read_column, write_column};
use super::compact::{Compact, EXTRAS};
use crate::error::{HomelineError, Problem, Result};

const VERSION: u64 = 1;
/// Fixes in a block at most: bounds what a reader allocates.
pub const BLOCK_FIXES_MAX: usize = 1024;

/// Packs fixes, in their order. Rounds them as the record does.
///
/// Errors: `Invalid` for none, for more than [`BLOCK_FIXES_MAX`], and for a
/// position that is out of range.
pub fn pack(fixes: &[RecordedFix]) -> Result<Vec<u8>> {
    let fixes: Vec<Compact> = fixes
        .iter()
        .map(|recorded| {
            let fix = recorded.fix.clone().validated()?;
            Ok(Compact::of(&RecordedFix {
                fix,
                ..recorded.clone()
            }))
        })
        .collect::<Result<_>>()?;
    pack_compact(&fixes)
}

/// Unpacks a block, which may come from anybody.
///
/// Errors: `Invalid` where the bytes are not of a block of version 1, whole.
pub fn unpack(block: &[u8]) -> Result<Vec<RecordedFix>> {
    unpack_compact(block)?
        .iter()
        .map(|compact| compact.recorded().ok_or_else(malformed))
        .collect()
}

pub(super) fn pack_compact(fixes: &[Compact]) -> Result<Vec<u8>> {
    let count = u64::try_from(fixes.len()).unwrap_or(u64::MAX);
    if fixes.is_empty() || fixes.len() > BLOCK_FIXES_MAX {
        return Err(HomelineError::invalid(
            "fixes",
            Problem::OutOfRange,
            "1 to 1024 fixes a block",
        ));
    }
    let mut out = Writer::default();
    out.bits(VERSION, 8);
    out.bits(count, 16);
    let mut column = |value: &dyn Fn(&Compact) -> Option<i64>| {
        let values: Vec<i64> = fixes.iter().filter_map(value).collect();
        write_column(&mut out, &values);
    };
    column(&|fix| Some(fix.at_ms));
    column(&|fix| Some(fix.latitude));
    column(&|fix| Some(fix.longitude));
    column(&|fix| Some(fix.kind.into()));
    column(&|fix| Some(fix.present().into()));
    for extra in 0..EXTRAS {
        column(&|fix| fix.extras.get(extra).copied().flatten());
    }
    Ok(out.finish())
}

pub(super) fn unpack_compact(block: &[u8]) -> Result<Vec<Compact>> {
    let mut input = Reader::new(block);
    if input.bits(8)? != VERSION {
        return Err(malformed());
    }
    let count = usize::try_from(input.bits(16)?).unwrap_or(usize::MAX);
    if count == 0 || count > BLOCK_FIXES_MAX {
        return Err(malformed());
    }
    let at_ms = read_column(&mut input, count)?;
    let latitude = read_column(&mut input, count)?;
    let longitude = read_column(&mut input, count)?;
    let kind = bytes(read_column(&mut input, count)?)?;
    let present = bytes(read_column(&mut input, count)?)?;
    let mut fixes: Vec<Compact> = at_ms
        .into_iter()
        .zip(latitude)
        .zip(longitude)
        .zip(kind)
        .map(|(((at_ms, latitude), longitude), kind)| Compact {
            at_ms,
            latitude,
            longitude,
            kind,
            extras: [None; EXTRAS],
        })
        .collect();
    for extra in 0..EXTRAS {
        let has = |present: &u8| *present >> extra & 1 == 1;
        let values = read_column(&mut input, present.iter().filter(|bits| has(bits)).count())?;
        let having = fixes.iter_mut().zip(&present).filter(|(_, bits)| has(bits));
        for ((fix, _), value) in having.zip(values) {
            if let Some(place) = fix.extras.get_mut(extra) {
                *place = Some(value);
            }
        }
    }
    if !input.is_at_end() {
        return Err(malformed());
    }
    Ok(fixes)
}

fn bytes(values: Vec<i64>) -> Result<Vec<u8>> {
    values
        .into_iter()
        .map(|value| u8::try_from(value).map_err(|_| malformed()))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::compact::tests::any_recorded;
    use super::super::{Fix, FixSource, Position};
    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_back_as_the_record_keeps_it(
            fixes in proptest::collection::vec(any_recorded(), 1..60)
        ) {
            let kept: Vec<RecordedFix> = fixes
                .iter()
                .map(|fix| Compact::of(fix).recorded().unwrap())
                .collect();
            let block = pack(&fixes).unwrap();
            prop_assert!(unpack(&block).unwrap() == kept);
            // The same fixes are the same bytes, also after a round trip.
            prop_assert!(pack(&kept).unwrap() == block);
        }

        #[test]
        fn no_bytes_make_it_panic_or_grow(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for start in [&[][..], &[1, 4, 0], &[1, 0, 200]] {
                let block: Vec<u8> = start.iter().chain(&bytes).copied().collect();
                if let Ok(fixes) = unpack(&block) {
                    prop_assert!(fixes.len() <= BLOCK_FIXES_MAX);
                }
            }
        }

        #[test]
        fn a_block_with_a_flipped_bit_is_refused_or_is_of_valid_fixes(
            fixes in proptest::collection::vec(any_recorded(), 1..40), at in any::<prop::sample::Index>()
        ) {
            let mut block = pack(&fixes).unwrap();
            let bit = at.index(block.len() * 8);
            block[bit / 8] ^= 1 << (bit % 8);
            if let Ok(fixes) = unpack(&block) {
                prop_assert!(fixes.into_iter().all(|fix| fix.fix.validated().is_ok()));
            }
        }
    }

    fn walk(count: i64) -> Vec<RecordedFix> {
        (0..count)
            .map(|n| RecordedFix {
                fix: Fix::new(
                    Position::Wgs84 {
                        latitude: 41.0,
                        longitude: 28.9,
                    },
                    1_750_000_000_000 + n,
                    FixSource::Gnss,
                ),
                at_ms: 1_750_000_000_000 + n,
                flags: vec![],
            })
            .collect()
    }

    #[test]
    fn none_and_too_many_are_refused() {
        assert!(pack(&walk(0)).is_err());
        assert!(pack(&walk(1_024)).is_ok());
        assert!(pack(&walk(1_025)).is_err());
    }

    #[test]
    fn a_cut_a_longer_and_another_versions_block_are_refused() {
        let block = pack(&walk(100)).unwrap();
        for length in 0..block.len() {
            assert!(unpack(&block[..length]).is_err(), "{length}");
        }
        assert!(unpack(&[&block[..], &[0]].concat()).is_err());
        assert!(unpack(&[&[2], &block[1..]].concat()).is_err());
        // A count beyond the limit, though constant columns would be few bytes.
        assert!(unpack(&[&[1, 0xff, 0xff], &block[3..]].concat()).is_err());
    }

    #[test]
    fn a_block_of_version_1_is_read_for_ever() {
        // Written by the first release of this format.
        const BLOCK: &str = "0100035565dd0837000060a81b9c671001adc7d5000000";
        let hex = serde_json::Value::from(BLOCK);
        let block = crate::testing::bytes(&hex);
        assert!(unpack(&block).unwrap() == walk(3));
        assert_eq!(pack(&walk(3)).unwrap(), block);
    }
}
