//! A pack as a file: its signed header as one line of JSON, then its content.

use super::PackName;
use crate::error::{HomelineError, Problem, Result};
use crate::seal::sha256_hex;
use crate::seal::signed::{Context, Signed};
use crate::sync::protocol::PackHeader;

/// The file of a pack, from its signed header and its content.
///
/// Errors: those of `serde_json`, which do not occur.
pub fn write_file(pack: &Signed, content: &[u8]) -> serde_json::Result<Vec<u8>> {
    let mut file = serde_json::to_vec(pack)?;
    file.push(b'\n');
    file.extend_from_slice(content);
    Ok(file)
}

/// Reads a file, and believes it if one of `keys` has signed it.
pub(crate) fn read_file<'a>(
    file: &'a [u8],
    keys: &[Vec<u8>],
) -> Result<(PackName, PackHeader, &'a [u8])> {
    let bad = |problem| {
        let expected = "a file of the ministry's, whole and unchanged";
        HomelineError::invalid("pack", problem, expected)
    };
    let malformed = || bad(Problem::Malformed);
    let end = file
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(malformed)?;
    let (head, rest) = file.split_at_checked(end).ok_or_else(malformed)?;
    let (_, content) = rest.split_first().ok_or_else(malformed)?;
    let signed: Signed = serde_json::from_slice(head).map_err(|_| malformed())?;
    let header: PackHeader = signed
        .verify(Context::Pack, keys)
        .map_err(|_| bad(Problem::NotAuthentic))?;
    let name = PackName::of(&header.name).ok_or_else(malformed)?;
    if sha256_hex(content) != header.sha256 {
        return Err(bad(Problem::NotAuthentic));
    }
    Ok((name, header, content))
}
