//! What is inside a parcel: whole envelopes, or a piece of one that is longer.
//!
//! ```text
//! whole envelopes                      a piece of one
//! offset  bytes  field                 offset  bytes  field
//!      0      1  1                          0      1  2
//!      1      2  length of the first        1     16  set: SHA-256 of the envelope,
//!      3      n  the first envelope                   first 16 bytes
//!    ...         length and envelope,      17      1  number of the piece, from 0
//!                until a length of 0       18      1  pieces of the set
//!                or the end                19      2  length
//!                                          21      n  the piece
//! ```
//!
//! Lengths are big-endian. The set is made of the envelope, so the pieces of two
//! exports go together, whichever of them arrive; nobody sees it but the ministry.
//! Pure functions: the phone writes, the ministry reads and joins.

use ring::digest::{SHA256, digest};

use super::parcel::ROOM;

const WHOLE: u8 = 1;
const PIECE: u8 = 2;
const PIECE_HEADER: usize = 21;
/// Bytes of an envelope in one piece.
const PIECE_BYTES: usize = ROOM - PIECE_HEADER;

/// Pieces of one envelope at most: 62 KB, three times the longest report.
pub const PIECES: u8 = 32;

/// What is inside a parcel.
#[derive(Clone, PartialEq, Eq)]
pub enum Inside {
    /// Whole envelopes.
    Whole(Vec<Vec<u8>>),
    /// A piece of one.
    Piece(Piece),
}

/// A piece of an envelope.
#[derive(Clone, PartialEq, Eq)]
pub struct Piece {
    /// Names the envelope.
    pub set: [u8; 16],
    /// Number of this piece, from 0.
    pub index: u8,
    /// How many there are.
    pub total: u8,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

redacted_debug!(Inside, Piece);

/// The contents of parcels, and which envelopes are whole in them.
#[derive(Default)]
pub(crate) struct Packed {
    /// One for each parcel, at most [`ROOM`] bytes long.
    pub(crate) parcels: Vec<Vec<u8>>,
    /// Indices of the envelopes that are in them, with all their pieces.
    pub(crate) packed: Vec<usize>,
}

/// Packs envelopes, the most urgent first, into at most `most` parcels. One that
/// does not fit the room that is left is left out; later ones may fit.
pub(crate) fn pack<'a>(envelopes: impl IntoIterator<Item = &'a [u8]>, most: usize) -> Packed {
    let mut out = Packed::default();
    for (index, envelope) in envelopes.into_iter().enumerate() {
        let fits = !envelope.is_empty()
            && (put(&mut out.parcels, envelope, most) || split(&mut out.parcels, envelope, most));
        if fits {
            out.packed.push(index);
        }
    }
    out
}

/// Puts a whole envelope into the first parcel with room for it.
fn put(parcels: &mut Vec<Vec<u8>>, envelope: &[u8], most: usize) -> bool {
    let needed = 2 + envelope.len();
    let Ok(length) = u16::try_from(envelope.len()) else {
        return false;
    };
    if 1 + needed > ROOM {
        return false;
    }
    let has_room =
        |parcel: &Vec<u8>| parcel.first() == Some(&WHOLE) && parcel.len() + needed <= ROOM;
    let at = match parcels.iter().position(has_room) {
        Some(at) => at,
        None if parcels.len() < most => {
            parcels.push(vec![WHOLE]);
            parcels.len() - 1
        }
        None => return false,
    };
    let Some(parcel) = parcels.get_mut(at) else {
        return false;
    };
    parcel.extend_from_slice(&length.to_be_bytes());
    parcel.extend_from_slice(envelope);
    true
}

/// Cuts an envelope into pieces, all of them or none.
fn split(parcels: &mut Vec<Vec<u8>>, envelope: &[u8], most: usize) -> bool {
    if 3 + envelope.len() <= ROOM {
        return false;
    }
    let pieces = envelope.chunks(PIECE_BYTES);
    let total = match u8::try_from(pieces.len()) {
        Ok(total) if total <= PIECES && parcels.len() + pieces.len() <= most => total,
        _ => return false,
    };
    let set = set_of(envelope);
    for (index, piece) in (0..total).zip(pieces) {
        let length = u16::try_from(piece.len()).unwrap_or_default();
        let mut parcel = vec![PIECE];
        parcel.extend_from_slice(&set);
        parcel.extend_from_slice(&[index, total]);
        parcel.extend_from_slice(&length.to_be_bytes());
        parcel.extend_from_slice(piece);
        parcels.push(parcel);
    }
    true
}

/// One envelope as what is inside a parcel; `None` where it is too long.
pub fn one(envelope: &[u8]) -> Option<Vec<u8>> {
    let mut parcels = Vec::new();
    if put(&mut parcels, envelope, 1) {
        parcels.pop()
    } else {
        None
    }
}

fn set_of(envelope: &[u8]) -> [u8; 16] {
    let hash = digest(&SHA256, envelope);
    let mut set = [0; 16];
    for (to, from) in set.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    set
}

/// Reads what is inside a parcel. `None`: of no known form.
pub fn read(plain: &[u8]) -> Option<Inside> {
    let (&kind, rest) = plain.split_first()?;
    match kind {
        WHOLE => read_whole(rest).map(Inside::Whole),
        PIECE => read_piece(rest).map(Inside::Piece),
        _ => None,
    }
}

fn read_whole(mut rest: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut envelopes = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 {
            break;
        }
        let (envelope, after) = after.split_at_checked(length)?;
        envelopes.push(envelope.to_vec());
        rest = after;
    }
    Some(envelopes)
}

fn read_piece(rest: &[u8]) -> Option<Piece> {
    let (set, rest) = rest.split_first_chunk::<16>()?;
    let (&[index, total], rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let bytes = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
    let right = index < total && (2..=PIECES).contains(&total) && !bytes.is_empty();
    right.then(|| Piece {
        set: *set,
        index,
        total,
        bytes: bytes.to_vec(),
    })
}

/// The envelope of a set, from its pieces in their order. `None` where they are not
/// all of it.
pub fn join(set: &[u8; 16], pieces: &[Vec<u8>]) -> Option<Vec<u8>> {
    let envelope = pieces.concat();
    (set_of(&envelope) == *set).then_some(envelope)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the ministry makes of parcels, in whatever order.
    fn unpack(parcels: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let mut pieces: Vec<Piece> = Vec::new();
        for parcel in parcels {
            assert!(parcel.len() <= ROOM);
            let mut filled = parcel.clone();
            filled.resize(ROOM, 0);
            match read(&filled).unwrap() {
                Inside::Whole(whole) => out.extend(whole),
                Inside::Piece(piece) => pieces.push(piece),
            }
        }
        pieces.sort_by_key(|piece| (piece.set, piece.index));
        for set in pieces.chunk_by(|a, b| a.set == b.set) {
            assert_eq!(usize::from(set[0].total), set.len());
            let bytes: Vec<Vec<u8>> = set.iter().map(|piece| piece.bytes.clone()).collect();
            out.push(join(&set[0].set, &bytes).unwrap());
        }
        out
    }

    fn packed(sizes: &[usize], most: usize) -> (Packed, Vec<Vec<u8>>) {
        let envelopes: Vec<Vec<u8>> = (1_u8..)
            .zip(sizes)
            .map(|(n, size)| vec![n; *size])
            .collect();
        (pack(envelopes.iter().map(Vec::as_slice), most), envelopes)
    }

    #[test]
    fn small_ones_share_a_parcel_and_long_ones_are_cut() {
        let cases: [(&[usize], usize, usize); 7] = [
            (&[1_200, 700], 64, 1),
            (&[1_200, 900], 64, 2),
            (&[ROOM - 3], 64, 1),
            (&[ROOM - 2], 64, 2),
            (&[4_000, 100, 100], 64, 4),
            (&[60_000], 64, 31),
            (&[], 64, 0),
        ];
        for (sizes, most, parcels) in cases {
            let (packed, mut envelopes) = packed(sizes, most);
            assert_eq!(packed.parcels.len(), parcels, "{sizes:?}");
            assert_eq!(packed.packed.len(), sizes.len());
            let mut back = unpack(&packed.parcels);
            back.sort();
            envelopes.sort();
            assert!(back == envelopes, "{sizes:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        let (some, envelopes) = packed(&[1_000, 5_000, 900, 0, 70_000], 2);
        assert_eq!(some.packed, [0, 2]);
        assert!(unpack(&some.parcels) == [envelopes[0].clone(), envelopes[2].clone()]);
        assert!(packed(&[100], 0).0.packed.is_empty());
        assert!(packed(&[70_000], 64).0.packed.is_empty());
    }

    #[test]
    fn pieces_of_another_envelope_do_not_join() {
        let (packed, _) = packed(&[4_000], 64);
        let pieces: Vec<Piece> = packed
            .parcels
            .iter()
            .map(|parcel| match read(parcel) {
                Some(Inside::Piece(piece)) => piece,
                _ => panic!("a piece"),
            })
            .collect();
        let mut bytes: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.bytes.clone()).collect();
        assert!(join(&pieces[0].set, &bytes).is_some());
        assert!(join(&pieces[0].set, &bytes[..2]).is_none());
        bytes[1][7] ^= 1;
        assert!(join(&pieces[0].set, &bytes).is_none());
    }

    proptest! {
        #[test]
        fn any_envelopes_come_back(
            sizes in proptest::collection::vec(1_usize..9_000, 0..12),
            most in 0_usize..40,
        ) {
            let (packed, envelopes) = packed(&sizes, most);
            prop_assert!(packed.parcels.len() <= most);
            let mut back = unpack(&packed.parcels);
            let mut sent: Vec<Vec<u8>> =
                packed.packed.iter().map(|index| envelopes[*index].clone()).collect();
            back.sort();
            sent.sort();
            prop_assert!(back == sent);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes);
            let _ = read(&[&[2], bytes.as_slice()].concat());
            let _ = read(&[&[1], bytes.as_slice()].concat());
        }
    }
}
