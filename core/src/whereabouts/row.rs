//! One fix in a row: about 14 bytes, 26 with all that SQLite adds.
//!
//! ```text
//! 8 bytes  (latitude + 90°) * 360,000,001 + (longitude + 180°), times 256,
//!          plus the kind; little-endian; degrees in millionths
//! 1 byte   which extras there are
//! varint   clock session: which boot and setting of the phone's clock
//! varint   wall clock at the recording, less the row's moment: zigzag, then
//!          twice that for milliseconds (below 4.1 s), else twice the seconds + 1
//! ...      the extras in their order: a byte, or a varint (zigzag if signed)
//! ```
//!
//! The moment itself is the row's key. Varints are LEB128.

use super::bits::{unzigzag, zigzag};
use super::compact::{Compact, LATITUDE_MAX, LONGITUDE_MAX, SIZES, Size};

const LONGITUDES: u64 = 360_000_001;
/// A lag up to this is kept to the millisecond: two bytes.
const EXACT_LAG_MS: u64 = 4_096;

/// A fix with the phone's clock at its recording.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct FixRow {
    pub(super) fix: Compact,
    /// Row of `clock_session`.
    pub(super) session: u64,
    /// The phone's wall clock at the recording, less `fix.at_ms`.
    pub(super) lag_ms: i64,
}

impl FixRow {
    /// The row's bytes, without its moment.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        let latitude = (self.fix.latitude + LATITUDE_MAX).unsigned_abs();
        let longitude = (self.fix.longitude + LONGITUDE_MAX).unsigned_abs();
        let place = latitude
            .wrapping_mul(LONGITUDES)
            .wrapping_add(longitude)
            .wrapping_shl(8);
        out.extend((place | u64::from(self.fix.kind)).to_le_bytes());
        out.push(self.fix.present());
        varint(&mut out, self.session);
        varint(&mut out, lag_code(self.lag_ms));
        for (extra, size) in self.fix.extras.iter().zip(SIZES) {
            let Some(value) = *extra else { continue };
            match size {
                Size::Byte => out.push(u8::try_from(value).unwrap_or(u8::MAX)),
                Size::Unsigned => varint(&mut out, value.unsigned_abs()),
                Size::Signed => varint(&mut out, zigzag(value)),
            }
        }
        out
    }

    /// Reads a row; `None` where the bytes are not of one.
    pub(super) fn decode(at_ms: i64, data: &[u8]) -> Option<Self> {
        let (head, mut rest) = data.split_at_checked(9)?;
        let (place, present) = head.split_at_checked(8)?;
        let code = u64::from_le_bytes(place.try_into().ok()?);
        let present = *present.first()?;
        let place = code >> 8;
        let mut fix = Compact {
            at_ms,
            latitude: i64::try_from(place / LONGITUDES).ok()? - LATITUDE_MAX,
            longitude: i64::try_from(place % LONGITUDES).ok()? - LONGITUDE_MAX,
            kind: u8::try_from(code & 0xff).ok()?,
            extras: [None; SIZES.len()],
        };
        let session = read_varint(&mut rest)?;
        let lag_ms = lag_of(read_varint(&mut rest)?);
        for (bit, (extra, size)) in fix.extras.iter_mut().zip(SIZES).enumerate() {
            if present >> bit & 1 == 0 {
                continue;
            }
            *extra = Some(match size {
                Size::Byte => i64::from(take(&mut rest)?),
                Size::Unsigned => i64::try_from(read_varint(&mut rest)?).ok()?,
                Size::Signed => unzigzag(read_varint(&mut rest)?),
            });
        }
        rest.is_empty().then_some(Self {
            fix,
            session,
            lag_ms,
        })
    }
}

fn lag_code(lag_ms: i64) -> u64 {
    if lag_ms.unsigned_abs() < EXACT_LAG_MS {
        zigzag(lag_ms) << 1
    } else {
        zigzag(lag_ms / 1_000) << 1 | 1
    }
}

fn lag_of(code: u64) -> i64 {
    let lag = unzigzag(code >> 1);
    if code & 1 == 0 {
        lag
    } else {
        lag.saturating_mul(1_000)
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f | 0x80).unwrap_or(u8::MAX));
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(u8::MAX));
}

fn read_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take(rest)?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::compact::tests::any_recorded;
    use super::*;

    proptest! {
        #[test]
        fn every_row_comes_back_but_for_half_a_second_of_a_long_lag(
            recorded in any_recorded(), session in any::<u64>(), lag_ms in any::<i64>()
        ) {
            let row = FixRow { fix: Compact::of(&recorded), session, lag_ms };
            let back = FixRow::decode(recorded.at_ms, &row.encode()).unwrap();
            prop_assert!(back.fix == row.fix && back.session == session);
            prop_assert!(back.lag_ms.abs_diff(lag_ms) < 1_000);
        }

        #[test]
        fn a_short_lag_is_exact(lag_ms in -4_095..=4_095i64) {
            prop_assert_eq!(lag_of(lag_code(lag_ms)), lag_ms);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(row) = FixRow::decode(0, &bytes) {
                let _ = row.fix.recorded();
            }
        }
    }

    #[test]
    fn a_cut_row_and_a_longer_one_are_no_rows() {
        let row = FixRow {
            fix: Compact {
                at_ms: 0,
                latitude: -90_000_000,
                longitude: 180_000_000,
                kind: 0,
                extras: [
                    Some(120),
                    None,
                    Some(-4_300),
                    None,
                    Some(255),
                    None,
                    None,
                    None,
                ],
            },
            session: 1,
            lag_ms: 900,
        };
        let bytes = row.encode();
        assert_eq!(bytes.len(), 8 + 1 + 1 + 2 + 1 + 2 + 1);
        for length in 0..bytes.len() {
            assert!(FixRow::decode(0, &bytes[..length]).is_none());
        }
        assert!(FixRow::decode(0, &[&bytes[..], &[0]].concat()).is_none());
        assert!(FixRow::decode(0, &bytes).unwrap() == row);
    }
}
