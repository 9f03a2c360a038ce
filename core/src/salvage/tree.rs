//! The b-trees of a database: which pages hang together, and the rows in them.
//!
//! Source: "Database File Format", sqlite.org/fileformat2.html, section 1.6.
//! What is read may be garbage, so nothing is followed twice, no length is
//! believed, and a cell that does not parse is no row.

use std::collections::HashSet;

use rusqlite::types::Value;

use super::bytes::{record, u16_at, u32_at, varint};
use super::pages::Pages;

/// A row as it is stored: in an ordinary table with its rowid, in one without
/// rowid by its key alone.
pub(super) struct Row {
    pub(super) rowid: Option<i64>,
    pub(super) values: Vec<Value>,
}

/// What a page of a b-tree is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    TableLeaf,
    TableInterior,
    /// Of an index, or of a table without rowid.
    IndexLeaf,
    IndexInterior,
}

/// A page of a b-tree, taken apart.
struct Node {
    kind: Kind,
    cells: Vec<usize>,
    children: Vec<u32>,
}

/// What hangs together below a root.
#[derive(Default)]
pub(super) struct Tree {
    /// Pages that hold rows.
    pub(super) pages: Vec<u32>,
    /// Pages that should be there and cannot be read.
    pub(super) unreadable: Vec<u32>,
}

/// Follows a tree from its root; what `seen` holds is not followed again.
pub(super) fn walk(pages: &Pages<'_>, root: u32, seen: &mut HashSet<u32>) -> Tree {
    let mut tree = Tree::default();
    let mut todo = vec![root];
    while let Some(number) = todo.pop() {
        if number == 0 || number > pages.count() || !seen.insert(number) {
            continue;
        }
        let Some(node) = pages.read(number).and_then(|page| node(number, &page)) else {
            tree.unreadable.push(number);
            continue;
        };
        if node.kind != Kind::TableInterior {
            tree.pages.push(number);
        }
        // The first child last, so that it is taken first: rows in their order.
        todo.extend(node.children.iter().rev());
    }
    tree
}

/// The rows of one page, and how many more cells it has that are none.
pub(super) fn rows(pages: &Pages<'_>, number: u32) -> (Vec<Row>, usize) {
    let Some(page) = pages.read(number) else {
        return (Vec::new(), 0);
    };
    let Some(node) = node(number, &page) else {
        return (Vec::new(), 0);
    };
    let rows: Vec<Row> = node
        .cells
        .iter()
        .filter_map(|at| row(pages, &page, *at, node.kind))
        .collect();
    let lost = node.cells.len().saturating_sub(rows.len());
    (rows, lost)
}

fn node(number: u32, page: &[u8]) -> Option<Node> {
    let begin = if number == 1 { 100 } else { 0 };
    let kind = match page.get(begin)? {
        0x0d => Kind::TableLeaf,
        0x05 => Kind::TableInterior,
        0x0a => Kind::IndexLeaf,
        0x02 => Kind::IndexInterior,
        _ => return None,
    };
    let interior = matches!(kind, Kind::TableInterior | Kind::IndexInterior);
    let pointers = begin + if interior { 12 } else { 8 };
    let count = usize::from(u16_at(page, begin + 3)?);
    let cells: Vec<usize> = (0..count)
        .map(|cell| u16_at(page, pointers + 2 * cell).map(usize::from))
        .collect::<Option<_>>()?;
    // A cell lies behind the pointers: another place is garbage.
    if cells
        .iter()
        .any(|at| *at < pointers + 2 * count || *at >= page.len())
    {
        return None;
    }
    let mut children = Vec::new();
    if interior {
        for at in &cells {
            children.push(u32_at(page, *at)?);
        }
        children.push(u32_at(page, begin + 8)?);
    }
    Some(Node {
        kind,
        cells,
        children,
    })
}

fn row(pages: &Pages<'_>, page: &[u8], at: usize, kind: Kind) -> Option<Row> {
    let cell = page.get(at..)?;
    let cell = match kind {
        Kind::TableInterior => return None,
        Kind::IndexInterior => cell.get(4..)?,
        Kind::TableLeaf | Kind::IndexLeaf => cell,
    };
    let (length, rest) = varint(cell)?;
    let (rowid, rest) = match kind {
        Kind::TableLeaf => varint(rest).map(|(rowid, rest)| (Some(rowid), rest))?,
        _ => (None, rest),
    };
    let length = usize::try_from(length).ok()?;
    let payload = payload(pages, page.len(), length, rest, kind)?;
    Some(Row {
        rowid,
        values: record(&payload)?,
    })
}

/// The whole payload of a cell: what is in the page, and the chain of pages that
/// holds the rest.
fn payload(
    pages: &Pages<'_>,
    usable: usize,
    length: usize,
    rest: &[u8],
    kind: Kind,
) -> Option<Vec<u8>> {
    let here = local(usable, length, kind)?;
    let mut out = rest.get(..here)?.to_vec();
    if here == length {
        return Some(out);
    }
    let mut next = u32_at(rest, here)?;
    let each = usable.checked_sub(4)?;
    // More pages than that have no such payload: the length is garbage.
    let most = usize::try_from(pages.count()).ok()?;
    if length / each > most {
        return None;
    }
    while out.len() < length {
        if next == 0 || next > pages.count() {
            return None;
        }
        let page = pages.read(next)?;
        next = u32_at(&page, 0)?;
        let part = each.min(length - out.len());
        out.extend_from_slice(page.get(4..4 + part)?);
    }
    Some(out)
}

/// Bytes of a payload that lie in the page itself.
fn local(usable: usize, length: usize, kind: Kind) -> Option<usize> {
    let fraction = |share: usize| {
        let bytes = usable.checked_sub(12)?.checked_mul(share)? / 255;
        bytes.checked_sub(23)
    };
    let most = match kind {
        Kind::TableLeaf => usable.checked_sub(35)?,
        _ => fraction(64)?,
    };
    if length <= most {
        return Some(length);
    }
    let least = fraction(32)?;
    let fitted = least + (length - least) % usable.checked_sub(4)?;
    Some(if fitted <= most { fitted } else { least })
}
