//! Contents, deltas and files of packs that somebody made up.

use crate::packs::{apply, delta, items, read_file};

/// Longest content that a delta may lead to here.
const MOST: usize = 4_096;

/// A delta that somebody made up, applied to a content: what comes out is a content of no
/// more than the limit, and the delta between the two leads there as well. `bytes` are
/// the content and the delta with a NUL between them. As a file it is refused: nobody
/// has signed it.
pub fn packs(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == 0);
    let (old, change) = bytes.split_at(at.unwrap_or(bytes.len()));
    let change = change.strip_prefix(b"\0").unwrap_or_default();
    if let Some(new) = apply(old, change, MOST) {
        assert!(new.len() <= MOST);
        assert!(items(&new).is_some());
        let shortest = delta(old, &new).unwrap();
        assert_eq!(apply(old, &shortest, MOST).unwrap(), new);
    }
    assert!(read_file(bytes, &[vec![7; 32]]).is_err());
}
