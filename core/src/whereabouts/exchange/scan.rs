//! A look at the text of a file before a parser builds anything from it: how deep
//! it goes and how much would come of it.
//!
//! The parsers keep a record of each open element and build some hundred bytes for
//! a point that a file writes in ten. So a file that is small enough to be read can
//! still be too much for a phone; a look over its bytes tells, in constant memory.
//! It decides nothing else: whether the text is well-formed is the parser's matter.

/// What a text holds, as far as the look went.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Most elements open at a time.
    pub(super) depth: usize,
    /// Elements, arrays, values that something is built from.
    pub(super) items: usize,
    /// All elements.
    pub(super) elements: usize,
    /// Most namespaces in force at a time: the parser copies them for each element.
    pub(super) namespaces: usize,
    /// Whether there is a document type: the place where entities are made.
    pub(super) has_doctype: bool,
}

/// Elements of GPX that something is built for.
const BUILT: [&[u8]; 7] = [
    b"wpt", b"rte", b"rtept", b"trk", b"trkseg", b"trkpt", b"link",
];

/// Deeper than this nothing is looked at: no limit allows it.
const DEEPEST: usize = 1_000;

/// The extent of an XML text: its built elements are its items.
pub(super) fn xml(text: &[u8]) -> Extent {
    let mut extent = Extent::default();
    // The namespaces that each open element brings.
    let mut open: Vec<usize> = Vec::new();
    let mut in_force = 0_usize;
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        rest = rest.get(at + 1..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix(b"!--") {
            rest = after(comment, b"-->");
        } else if let Some(data) = rest.strip_prefix(b"![CDATA[") {
            rest = after(data, b"]]>");
        } else if let Some(instruction) = rest.strip_prefix(b"?") {
            rest = after(instruction, b"?>");
        } else if rest.starts_with(b"!") {
            extent.has_doctype = true;
            return extent;
        } else if rest.starts_with(b"/") {
            in_force -= open.pop().unwrap_or(0);
        } else {
            let (tag, behind) = tag(rest);
            let brought = tag.windows(5).filter(|word| word == b"xmlns").count();
            extent.depth = extent.depth.max(open.len() + 1);
            extent.namespaces = extent.namespaces.max(in_force + brought);
            extent.elements += 1;
            extent.items += usize::from(BUILT.contains(&local_name(tag)));
            if !tag.ends_with(b"/") {
                open.push(brought);
                in_force += brought;
            }
            if open.len() > DEEPEST {
                return extent;
            }
            rest = behind;
        }
    }
    extent
}

/// What is behind the first `end`.
fn after<'a>(text: &'a [u8], end: &[u8]) -> &'a [u8] {
    let at = text.windows(end.len()).position(|window| window == end);
    at.and_then(|at| text.get(at + end.len()..))
        .unwrap_or_default()
}

/// The inside of a tag and what is behind it. A `>` in quotes does not end it.
fn tag(text: &[u8]) -> (&[u8], &[u8]) {
    let mut quote = None;
    let end = text.iter().position(|byte| {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
        quote.is_none() && *byte == b'>'
    });
    let (inside, behind) = text.split_at(end.unwrap_or(text.len()));
    (inside, behind.get(1..).unwrap_or_default())
}

/// The name of a tag without its namespace.
fn local_name(tag: &[u8]) -> &[u8] {
    let end = tag
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || *byte == b'/')
        .unwrap_or(tag.len());
    let name = tag.get(..end).unwrap_or_default();
    name.rsplit(|byte| *byte == b':').next().unwrap_or_default()
}

/// The extent of a JSON text: each bracket and each comma is an item. Those in a
/// string count, too: too many is refused, never too few.
pub(super) fn json(text: &[u8]) -> Extent {
    let mut extent = Extent::default();
    let mut depth = 0_usize;
    for byte in text {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                extent.items += 1;
                extent.depth = extent.depth.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => extent.items += 1,
            _ => {}
        }
    }
    extent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extent_is_that_of_the_elements() {
        for (text, depth, items, elements) in [
            ("", 0, 0, 0),
            ("<gpx/>", 1, 0, 1),
            (
                "<gpx><trk><trkseg><trkpt lat='1'/><trkpt></trkpt></trkseg></trk></gpx>",
                4,
                4,
                5,
            ),
            (
                "<g:gpx><g:wpt a=\"/>\" b='<wpt>'/><g:wpt\n/></g:gpx>",
                2,
                2,
                3,
            ),
            (
                "<a><!-- <wpt> <b><c> --><![CDATA[<wpt>]]><?x <wpt> ?></a>",
                1,
                0,
                1,
            ),
            ("<a>/>/></a><a/>", 1, 0, 2),
            ("<a></b></c></a><a><a><a>", 3, 0, 4),
            ("<a", 1, 0, 1),
            ("<wpt lat='", 1, 1, 1),
            ("<!-- ", 0, 0, 0),
        ] {
            let extent = Extent {
                depth,
                items,
                elements,
                ..Extent::default()
            };
            assert_eq!(xml(text.as_bytes()), extent, "{text}");
        }
        let named = xml(b"<a xmlns='' xmlns:b=''><c xmlns:d=''/><c xmlns:d=''></c><e/></a>");
        assert_eq!((named.namespaces, named.elements), (3, 4));
        assert_eq!(xml("<a>".repeat(5_000).as_bytes()).depth, DEEPEST + 1);
        assert!(xml(b"<?xml?><!DOCTYPE a [<!ENTITY b 'c'>]><a>").has_doctype);
    }

    #[test]
    fn the_extent_of_json_is_that_of_its_brackets() {
        let extent = json(br#"{"a":[[1,2],[3,4]],"b":"[,"}"#);
        assert_eq!((extent.depth, extent.items), (3, 10));
    }
}
