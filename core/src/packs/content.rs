//! The content of a pack: one item a line, `ID TAB JSON LF`, in order of the ids.
//!
//! The order and the line ends make the same items the same bytes, whoever writes
//! them: so what a delta leads to can be proved by the hash of the whole. What JSON an
//! item is, is its reader's business; here it is bytes without a line end.

use std::collections::BTreeMap;

use crate::error::Result;

/// An item: its id, and its JSON.
pub(crate) type Item<'a> = (&'a [u8], &'a [u8]);

/// The items of a pack, by id; `None` where these are not the bytes of one.
pub fn items(content: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let items = split_items(content)?.into_iter();
    let owned = items.map(|(id, json)| {
        let id = std::str::from_utf8(id).ok()?;
        Some((id.to_owned(), json.to_vec()))
    });
    owned.collect()
}

/// The items, in order; `None` where these are not the bytes of a pack.
pub(crate) fn split_items(content: &[u8]) -> Option<Vec<Item<'_>>> {
    let mut items: Vec<Item<'_>> = Vec::new();
    for line in lines(content)? {
        let item = split(line)?;
        if items.last().is_some_and(|last| last.0 >= item.0) {
            return None;
        }
        items.push(item);
    }
    Some(items)
}

/// Those of a pack's items that are a `T`. Others are left out: a newer ministry's, or
/// a mistake, which must not take the rest away.
pub(crate) fn read<T>(content: &[u8], item: impl Fn(&[u8]) -> Result<T>) -> Vec<T> {
    let items = split_items(content).unwrap_or_default();
    items
        .into_iter()
        .filter_map(|(_, json)| item(json).ok())
        .collect()
}

/// The content with these items. An id or JSON with a line end, and an id that is
/// empty or has a tab, are left out: they could not be read again.
pub fn write(items: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    for (id, json) in items {
        let fits = !id.is_empty() && !id.contains(['\t', '\n']) && !json.contains(&b'\n');
        if fits {
            put(&mut out, (id.as_bytes(), json));
        }
    }
    out
}

/// What turns `old` into `new`; `None` where one of them is not the content of a pack.
pub fn delta(old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) = (
        split_items(old)?.into_iter().collect(),
        split_items(new)?.into_iter().collect(),
    );
    let mut ids: Vec<&[u8]> = old.keys().chain(new.keys()).copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut out = Vec::new();
    for id in ids {
        match (old.get(id), new.get(id)) {
            (was, Some(is)) if was != Some(is) => {
                out.push(b'+');
                put(&mut out, (id, is));
            }
            (Some(_), None) => {
                out.push(b'-');
                out.extend_from_slice(id);
                out.push(b'\n');
            }
            _ => {}
        }
    }
    Some(out)
}

/// `old` changed by `delta`; `None` where one of them is malformed, or where the result
/// would have more than `most` bytes. Whether it is the right one, its hash tells.
pub(crate) fn apply(old: &[u8], delta: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut all: BTreeMap<&[u8], &[u8]> = split_items(old)?.into_iter().collect();
    for line in lines(delta)? {
        match line.split_first()? {
            (b'+', item) => {
                let (id, json) = split(item)?;
                all.insert(id, json);
            }
            (b'-', id) => {
                all.remove(id)?;
            }
            _ => return None,
        }
    }
    let length: usize = all.iter().map(|(id, json)| id.len() + json.len() + 2).sum();
    if length > most {
        return None;
    }
    let mut out = Vec::with_capacity(length);
    for item in all {
        put(&mut out, item);
    }
    Some(out)
}

fn put(out: &mut Vec<u8>, (id, json): Item<'_>) {
    out.extend_from_slice(id);
    out.push(b'\t');
    out.extend_from_slice(json);
    out.push(b'\n');
}

/// The lines; each ends with a line end, the last one too.
fn lines(bytes: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let whole = match bytes {
        [] => bytes,
        _ => bytes.strip_suffix(b"\n")?,
    };
    let empty = bytes.is_empty();
    Some(whole.split(|byte| *byte == b'\n').skip(usize::from(empty)))
}

fn split(line: &[u8]) -> Option<Item<'_>> {
    let at = line.iter().position(|byte| *byte == b'\t')?;
    let (id, rest) = line.split_at_checked(at)?;
    let (_, json) = rest.split_first()?;
    (!id.is_empty() && std::str::from_utf8(id).is_ok()).then_some((id, json))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pack(items: &[(&str, &str)]) -> Vec<u8> {
        let items = items
            .iter()
            .map(|(id, json)| ((*id).into(), json.as_bytes().to_vec()));
        write(&items.collect())
    }

    #[test]
    fn the_same_items_are_the_same_bytes() {
        let content = pack(&[("b", "2"), ("a", "1")]);
        assert_eq!(content, b"a\t1\nb\t2\n");
        assert_eq!(
            split_items(&content).unwrap(),
            [(&b"a"[..], &b"1"[..]), (b"b", b"2")]
        );
        assert_eq!(split_items(b"").unwrap(), []);
        let number = |json: &[u8]| match json {
            [digit @ b'0'..=b'9'] => Ok(*digit),
            _ => Err(crate::HomelineError::bug("a test")),
        };
        assert_eq!(read(b"a\t1\nb\t\"no\"\nc\t3\n", number), *b"13");
    }

    #[test]
    fn what_no_pack_is_is_not_read() {
        for bytes in [
            &b"a\t1"[..], // Cut off.
            b"\n",
            b"a\n",
            b"\t1\n",
            b"b\t1\na\t2\n", // Out of order.
            b"a\t1\na\t2\n", // Twice.
            b"\xff\t1\n",
        ] {
            assert_eq!(split_items(bytes), None, "{bytes:?}");
        }
        let odd = pack(&[
            ("", "1"),
            ("a\tb", "1"),
            ("a\nb", "1"),
            ("c", "1\n2"),
            ("d", "1"),
        ]);
        assert_eq!(odd, b"d\t1\n");
    }

    #[test]
    fn a_delta_that_does_not_fit_gives_nothing() {
        let old = pack(&[("a", "1"), ("b", "2")]);
        for bad in [
            &b"-c\n"[..],
            b"a\t1\n",
            b"+a\n",
            b"+a\t1",
            b"*a\t1\n",
            b"\n",
        ] {
            assert_eq!(apply(&old, bad, 1_000), None, "{bad:?}");
        }
        assert_eq!(apply(&old, b"+c\t33\n", 12), None);
        assert_eq!(
            apply(&old, b"+c\t33\n", 13).unwrap(),
            b"a\t1\nb\t2\nc\t33\n"
        );
    }

    proptest! {
        #[test]
        fn a_delta_leads_from_any_version_to_any_other(
            old: BTreeMap<u8, u8>,
            new: BTreeMap<u8, u8>,
        ) {
            let content = |items: BTreeMap<u8, u8>| {
                write(&items.into_iter().map(|(id, it)| (id.to_string(), vec![b'0' + it % 10])).collect())
            };
            let (old, new) = (content(old), content(new));
            let delta = delta(&old, &new).unwrap();
            prop_assert_eq!(apply(&old, &delta, usize::MAX).unwrap(), new);
        }

        #[test]
        fn any_bytes_are_taken_or_refused(old: Vec<u8>, change: Vec<u8>) {
            let _ = (split_items(&old), apply(&old, &change, 1_000), apply(b"a\t1\n", &change, 1_000));
        }
    }
}
