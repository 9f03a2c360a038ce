//! XML as a small tree, within limits.
//!
//! Only what CAP needs: elements of one namespace with their text. Attributes, comments and
//! processing instructions are passed over, elements of other namespaces too (a signature, an
//! extension), but all of them count. A document type declaration is refused, and of entities
//! only the five of XML and character references are known: nothing expands.

use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;

use super::{Reason, Refusal, refuse};

/// Bytes of a message: five times the largest of the real ones with a thousand points.
pub(super) const BYTES: usize = 1024 * 1024;
/// Elements in each other: CAP has five, a signature of XML a few more.
const DEPTH: usize = 16;
/// Elements in all: thousands of geocodes.
const ELEMENTS: usize = 50_000;
/// Bytes of the attributes of one element: CAP has none but namespaces.
const ATTRIBUTE_BYTES: usize = 4_096;

/// The namespaces of CAP 1.0, 1.1 and 1.2.
pub(super) const NAMESPACES: [&str; 3] = [
    "http://www.incident.com/cap/1.0",
    "urn:oasis:names:tc:emergency:cap:1.1",
    "urn:oasis:names:tc:emergency:cap:1.2",
];

/// An element of CAP.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    /// Its own text, in one piece.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

/// An element that is still open; `None` for one of another namespace.
type Open = Option<Element>;

/// The root, and the namespace that it is in.
pub(super) fn read(xml: &[u8]) -> Result<(Element, &'static str), Refusal> {
    if xml.len() > BYTES {
        return too_large("bytes", BYTES);
    }
    let Ok(text) = std::str::from_utf8(xml) else {
        return refuse("document", Reason::Malformed("not UTF-8".into()));
    };
    let mut tree = Tree::default();
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(malformed)?;
        let known = known(&namespace);
        match event {
            Event::Start(start) => tree.open(&start, known)?,
            Event::Empty(start) => {
                tree.open(&start, known)?;
                tree.close();
            }
            Event::End(_) => tree.close(),
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.text(&resolved(&reference)?)?,
            Event::DocType(_) => return refuse("document", Reason::DocumentType),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => return tree.root(),
        }
    }
}

fn known(namespace: &ResolveResult<'_>) -> Option<&'static str> {
    match namespace {
        ResolveResult::Bound(name) => NAMESPACES.into_iter().find(|known| *known == name.0),
        _ => None,
    }
}

fn malformed(error: impl std::fmt::Display) -> Refusal {
    Refusal {
        element: "document".into(),
        reason: Reason::Malformed(error.to_string()),
    }
}

fn too_large<T>(what: &'static str, limit: usize) -> Result<T, Refusal> {
    refuse("document", Reason::TooLarge { what, limit })
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, Refusal> {
    if let Some(c) = reference.resolve_char_ref().map_err(malformed)? {
        return Ok(c.into());
    }
    match quick_xml::escape::resolve_predefined_entity(reference) {
        Some(text) => Ok(text.into()),
        None => {
            let name = reference.chars().take(80).collect();
            refuse("document", Reason::Entity(name))
        }
    }
}

#[derive(Default)]
struct Tree {
    open: Vec<Open>,
    root: Option<(Element, &'static str)>,
    namespace: Option<&'static str>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, start: &BytesStart<'_>, known: Option<&'static str>) -> Result<(), Refusal> {
        self.elements += 1;
        if self.elements > ELEMENTS {
            return too_large("elements", ELEMENTS);
        }
        if self.open.len() >= DEPTH {
            return too_large("elements in each other", DEPTH);
        }
        if start.attributes_raw().len() > ATTRIBUTE_BYTES {
            return too_large("bytes of attributes", ATTRIBUTE_BYTES);
        }
        if self.open.is_empty() {
            if self.root.is_some() || known.is_none() {
                return refuse("document", Reason::OtherKind);
            }
            self.namespace = known;
        }
        // What is inside another namespace stays there, whatever it calls itself.
        let is_inside = self.open.last().is_none_or(Option::is_some);
        let is_ours = is_inside && known == self.namespace;
        self.open.push(is_ours.then(|| Element {
            name: start.local_name().as_ref().into(),
            ..Element::default()
        }));
        Ok(())
    }

    fn close(&mut self) {
        let Some(Some(closed)) = self.open.pop() else {
            return;
        };
        match (self.open.last_mut(), self.namespace) {
            (Some(Some(parent)), _) => parent.children.push(closed),
            (None, Some(namespace)) => self.root = Some((closed, namespace)),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        match self.open.last_mut() {
            Some(Some(element)) => element.text.push_str(text),
            Some(None) => {}
            None if text.trim().is_empty() => {}
            None => return Err(malformed("text outside of the root")),
        }
        Ok(())
    }

    fn root(self) -> Result<(Element, &'static str), Refusal> {
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err(malformed("it ends before its end")),
        }
    }
}

impl Element {
    pub(super) fn all(&self, name: &'static str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of a child, `None` where it is missing or empty.
    pub(super) fn optional(&self, name: &'static str) -> Result<Option<&str>, Refusal> {
        Ok(self.once(name)?.filter(|text| !text.is_empty()))
    }

    /// The text of a child that must say something.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, Refusal> {
        match self.once(name)? {
            None => refuse(name, Reason::Missing),
            Some("") => refuse(name, Reason::Empty),
            Some(text) => Ok(text),
        }
    }

    /// The text of a child, which may be empty.
    pub(super) fn once(&self, name: &'static str) -> Result<Option<&str>, Refusal> {
        let mut found = self.all(name).map(|child| child.text.trim());
        match (found.next(), found.next()) {
            (_, Some(_)) => refuse(name, Reason::Repeated),
            (first, None) => Ok(first),
        }
    }
}
