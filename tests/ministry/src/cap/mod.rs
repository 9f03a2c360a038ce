//! Reads what other services publish into the alerts of this one: the Common Alerting
//! Protocol in XML, versions 1.0 to 1.2, and the travel advice of GOV.UK.
//!
//! XML is read here and not on the phone: a pack carries the alerts in the JSON form of
//! [`homeline::alerts::Alert`]. What is read comes from strangers, so everything is bounded
//! and nothing is guessed: a message is taken whole, or refused with the element that is
//! wrong and what is wrong with it, for an officer to read.
//!
//! | file | what it does |
//! | --- | --- |
//! | `xml` | a small tree of elements, within limits; no DTD, no entities of its own |
//! | `message` | the message of CAP, checked and mapped |
//! | `area` | its areas: polygons, circles, codes |
//! | `gov_uk` | travel advice in the content format of GOV.UK |
//! | `plain` | HTML to plain text |

mod area;
mod gov_uk;
mod message;
mod plain;
#[cfg(test)]
mod tests;
mod xml;

use homeline::alerts::Alert;

pub use gov_uk::read_travel_advice;
pub use message::read_cap;

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{element}: {reason}")]
pub struct Refusal {
    /// The element, or for JSON the field, that is wrong.
    pub element: String,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What may be wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It has more bytes, elements, attributes or depth than is read.
    #[error("more than {limit} {what}")]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
    /// It is no XML or JSON.
    #[error("not well-formed: {0}")]
    Malformed(String),
    /// A document type declaration: none is read, so that none can do harm.
    #[error("a document type declaration")]
    DocumentType,
    /// A reference to an entity that XML itself does not have.
    #[error("the entity &{0};")]
    Entity(String),
    /// The root is no `alert` of CAP 1.0, 1.1 or 1.2, or the document no travel advice.
    #[error("not a message of a kind that is read")]
    OtherKind,
    /// A required element is missing.
    #[error("missing")]
    Missing,
    /// An element that must say something is empty.
    #[error("empty")]
    Empty,
    /// An element that may come once comes again.
    #[error("more than once")]
    Repeated,
    /// An element says something else than it may.
    #[error("{found:?} where it takes {expected}")]
    Unexpected {
        /// What it says, cut.
        found: String,
        /// What it may say.
        expected: &'static str,
    },
    /// The message is meant for a closed group (`scope`), and is not ours to publish.
    #[error("not for the public")]
    NotPublic,
}

fn refuse<T>(element: &str, reason: Reason) -> Result<T, Refusal> {
    Err(Refusal {
        element: element.into(),
        reason,
    })
}

fn unexpected<T>(element: &str, found: &str, expected: &'static str) -> Result<T, Refusal> {
    let found = found.chars().take(80).collect();
    refuse(element, Reason::Unexpected { found, expected })
}

/// Milliseconds UTC of a time with its zone (the `dateTime` of CAP, RFC 3339).
fn time_ms(element: &str, text: &str) -> Result<i64, Refusal> {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(time) => Ok(time.unix_timestamp() * 1_000 + i64::from(time.millisecond())),
        Err(_) => unexpected(element, text, "a time such as 2026-05-01T12:00:00+08:00"),
    }
}

/// One alert from a file of either kind: JSON is travel advice, everything else CAP.
///
/// Errors: [`Refusal`] with the element that is wrong.
pub fn read_file(bytes: &[u8]) -> Result<Alert, Refusal> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{') => read_travel_advice(bytes),
        _ => read_cap(bytes),
    }
}
