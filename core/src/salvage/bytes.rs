//! Numbers in a page, and records: the encoding of a row.
//!
//! Source: "Database File Format", sqlite.org/fileformat2.html, sections 1.6
//! (variable-length integers) and 2.1 (record format). Every read is checked:
//! what is read here may be garbage.

use rusqlite::types::Value;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let (word, _) = bytes.get(at..)?.split_first_chunk()?;
    Some(u16::from_be_bytes(*word))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let (word, _) = bytes.get(at..)?.split_first_chunk()?;
    Some(u32::from_be_bytes(*word))
}

/// A variable-length integer at the front, and what follows it: seven bits a
/// byte, the most significant first; a ninth byte gives all eight.
pub(super) fn varint(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let mut number: u64 = 0;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        let rest = bytes.get(at.checked_add(1)?..)?;
        if at == 8 {
            number = number << 8 | u64::from(*byte);
            return Some((number.cast_signed(), rest));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number.cast_signed(), rest));
        }
    }
    None
}

/// The values of a record; `None` unless it is well-formed to its last byte.
pub(super) fn record(bytes: &[u8]) -> Option<Vec<Value>> {
    let (length, _) = varint(bytes)?;
    let (header, mut body) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    let (_, mut types) = varint(header)?;
    let mut values = Vec::new();
    while !types.is_empty() {
        let (kind, rest) = varint(types)?;
        types = rest;
        let (raw, rest) = body.split_at_checked(width(kind)?)?;
        body = rest;
        values.push(value(kind, raw)?);
    }
    body.is_empty().then_some(values)
}

/// Bytes that a value of this serial type takes.
fn width(kind: i64) -> Option<usize> {
    match kind {
        0 | 8 | 9 => Some(0),
        1..=4 => usize::try_from(kind).ok(),
        5 => Some(6),
        6 | 7 => Some(8),
        12.. => usize::try_from((kind - 12) / 2).ok(),
        _ => None,
    }
}

fn value(kind: i64, raw: &[u8]) -> Option<Value> {
    Some(match kind {
        0 => Value::Null,
        1..=6 => Value::Integer(signed(raw)),
        7 => Value::Real(f64::from_be_bytes(raw.try_into().ok()?)),
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        even if even % 2 == 0 => Value::Blob(raw.to_vec()),
        _ => Value::Text(String::from_utf8(raw.to_vec()).ok()?),
    })
}

/// A big-endian integer in two's complement, of one to eight bytes.
fn signed(raw: &[u8]) -> i64 {
    let negative = raw.first().is_some_and(|byte| byte & 0x80 != 0);
    let begin = if negative { -1 } else { 0 };
    raw.iter()
        .fold(begin, |number: i64, byte| number << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_sqlite_writes_them() {
        let cases: [(&[u8], i64); 5] = [
            (&[0x00], 0),
            (&[0x7f], 127),
            (&[0x81, 0x00], 128),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], -1),
            (&[0x80, 0x80, 0x01], 1),
        ];
        for (bytes, number) in cases {
            assert_eq!(varint(bytes), Some((number, &[][..])));
        }
        assert_eq!((varint(&[]), varint(&[0x80])), (None, None));
        assert_eq!(signed(&[0xff, 0xfe]), -2);
        assert_eq!(signed(&[0x01, 0x00]), 256);
    }

    #[test]
    fn a_record_is_whole_or_none() {
        // NULL, 1, 300, "hi", a blob of one byte.
        let bytes = [6, 0, 9, 2, 17, 14, 0x01, 0x2c, b'h', b'i', 0x07];
        let expected = vec![
            Value::Null,
            Value::Integer(1),
            Value::Integer(300),
            Value::Text("hi".into()),
            Value::Blob(vec![7]),
        ];
        assert_eq!(record(&bytes), Some(expected));
        for cut in 0..bytes.len() {
            assert_eq!(record(&bytes[..cut]), None, "cut at {cut}");
        }
        // A serial type that is reserved, and text that is not UTF-8.
        assert_eq!(record(&[2, 10]), None);
        assert_eq!(record(&[2, 15, 0xff]), None);
    }
}
