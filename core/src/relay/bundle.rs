//! The bundle: parcels one after the other, for a radio, a file or QR texts.
//!
//! ```text
//! offset  bytes  field
//!      0      3  "HLR"
//!      3      1  format version, 1
//!      4  2048n  parcels
//! ```
//!
//! No count is in it, so none can lie.

use crate::seal::parcel::{BYTES, Parcel};

const BEGIN: &[u8] = b"HLR\x01";

/// What was read of a bundle.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Bundle {
    /// Its parcels, the first ones.
    pub(crate) parcels: Vec<Parcel>,
    /// Parcels beyond the limit, and what is none.
    pub(crate) left_out: u32,
}

/// The bytes of a bundle.
pub(crate) fn write(parcels: &[Parcel]) -> Vec<u8> {
    let mut out = BEGIN.to_vec();
    for parcel in parcels {
        out.extend_from_slice(&parcel.to_bytes());
    }
    out
}

/// Reads at most `most` parcels; what is beyond them is not looked at. `None`: no
/// bundle of version 1.
pub(crate) fn read(bytes: &[u8], most: usize) -> Option<Bundle> {
    let rest = bytes.strip_prefix(BEGIN)?;
    let all = rest.len().div_ceil(BYTES);
    let parcels: Vec<Parcel> = rest
        .chunks(BYTES)
        .take(most)
        .filter_map(Parcel::read)
        .collect();
    let left_out = all.saturating_sub(parcels.len());
    Some(Bundle {
        parcels,
        left_out: u32::try_from(left_out).unwrap_or(u32::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::parcel::Way;

    fn parcel(byte: u8) -> Parcel {
        Parcel::seal(Way::ToMinistry, 5, 7, &[byte], &[9; 32]).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_what_is_none_is_left_out() {
        let parcels = [parcel(1), parcel(2), parcel(3)];
        let bytes = write(&parcels);
        assert_eq!(bytes.len(), 4 + 3 * BYTES);
        let read_of = |bytes: &[u8], most| {
            let read = read(bytes, most)?;
            Some((read.parcels.len(), read.left_out))
        };
        assert!(read(&bytes, 64).unwrap().parcels == parcels);
        assert_eq!(read_of(&bytes, 2), Some((2, 1)));
        assert_eq!(read_of(&bytes, 0), Some((0, 3)));
        // Cut by a radio that went away: what is whole is taken.
        assert_eq!(read_of(&bytes[..bytes.len() - 1], 64), Some((2, 1)));
        assert_eq!(read_of(BEGIN, 64), Some((0, 0)));
        let mut bad = bytes.clone();
        bad[4 + BYTES] = 9;
        assert_eq!(read_of(&bad, 64), Some((2, 1)));
        for none in [&b""[..], b"HLR", b"HLR\x02", b"HTTP/1.1 200 OK"] {
            assert!(read(none, 64).is_none());
        }
    }
}
