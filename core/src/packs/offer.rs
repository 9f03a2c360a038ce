//! What to do with a pack that is offered. Pure.

use crate::config::Policy;
use crate::sync::protocol::{PackDelta, PackHeader};

use super::PackName;

/// What is known of a pack that the phone has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// Its version; 0 is what the library carries.
    pub(crate) version: u64,
    /// SHA-256 of its content, hex.
    pub(crate) sha256: String,
    /// When it was made, milliseconds UTC by the ministry's clock.
    pub(crate) issued_ms: i64,
    /// When the ministry said last that it is the newest one, milliseconds UTC.
    pub(crate) checked_ms: Option<i64>,
    /// Bytes of its content.
    pub(crate) bytes: u64,
}

/// What to do with an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The phone has it.
    Have,
    /// Fetch what has changed, and apply it.
    Delta(PackDelta),
    /// Fetch all of it.
    Whole,
    /// It is not taken, and why.
    Refused(PackRefusal),
}

/// Why a pack is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackRefusal {
    /// A name of a later version.
    UnknownName,
    /// Older than what the phone has: a replay.
    Older,
    /// The same version with another content.
    Conflict,
    /// More bytes than a pack may have.
    TooLarge,
    /// The hash is none.
    Malformed,
}

/// What to do with an offer, where the phone has `held`.
pub(crate) fn step(
    held: Option<&Held>,
    offered: &PackHeader,
    deltas: &[PackDelta],
    policy: &Policy,
) -> Step {
    if PackName::of(&offered.name).is_none() {
        return Step::Refused(PackRefusal::UnknownName);
    }
    if !is_hash(&offered.sha256) {
        return Step::Refused(PackRefusal::Malformed);
    }
    if offered.bytes > policy.pack_bytes {
        return Step::Refused(PackRefusal::TooLarge);
    }
    let Some(held) = held else {
        return Step::Whole;
    };
    match offered.version.cmp(&held.version) {
        std::cmp::Ordering::Less => Step::Refused(PackRefusal::Older),
        std::cmp::Ordering::Equal if offered.sha256 == held.sha256 => Step::Have,
        std::cmp::Ordering::Equal => Step::Refused(PackRefusal::Conflict),
        std::cmp::Ordering::Greater => deltas
            .iter()
            .find(|delta| delta.from == held.version)
            .filter(|delta| is_hash(&delta.sha256) && delta.bytes < offered.bytes)
            .map_or(Step::Whole, |delta| Step::Delta(delta.clone())),
    }
}

/// SHA-256 in lower-case hex: it becomes part of a path.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: u64, hash: char) -> PackHeader {
        PackHeader {
            name: "missions".into(),
            version,
            issued_ms: 0,
            sha256: hash.to_string().repeat(64),
            bytes: 1_000,
        }
    }

    fn held(version: u64, hash: char) -> Held {
        Held {
            version,
            sha256: hash.to_string().repeat(64),
            issued_ms: 0,
            checked_ms: None,
            bytes: 900,
        }
    }

    fn delta(from: u64, bytes: u64) -> PackDelta {
        PackDelta {
            from,
            sha256: "d".repeat(64),
            bytes,
        }
    }

    #[test]
    fn what_is_newer_is_fetched_by_the_shortest_way_and_nothing_else_is() {
        use PackRefusal::{Conflict, Malformed, Older, TooLarge, UnknownName};
        let policy = Policy::STANDARD;
        let deltas = [delta(2, 10), delta(1, 2_000), delta(3, 10)];
        let large = PackHeader {
            bytes: policy.pack_bytes + 1,
            ..header(9, 'a')
        };
        let unknown = PackHeader {
            name: "weather".into(),
            ..header(9, 'a')
        };
        let odd = |sha256: &str| PackHeader {
            sha256: sha256.into(),
            ..header(9, 'a')
        };
        for (have, offered, expected) in [
            (None, header(5, 'a'), Step::Whole),
            (Some(held(5, 'a')), header(5, 'a'), Step::Have),
            (
                Some(held(2, 'a')),
                header(5, 'b'),
                Step::Delta(delta(2, 10)),
            ),
            // Longer than the whole.
            (Some(held(1, 'a')), header(5, 'b'), Step::Whole),
            (Some(held(4, 'a')), header(5, 'b'), Step::Whole),
            (Some(held(6, 'a')), header(5, 'a'), Step::Refused(Older)),
            (Some(held(5, 'a')), header(5, 'b'), Step::Refused(Conflict)),
            (None, large, Step::Refused(TooLarge)),
            (None, unknown, Step::Refused(UnknownName)),
            (None, odd("../../etc/passwd"), Step::Refused(Malformed)),
            (None, odd(&"A".repeat(64)), Step::Refused(Malformed)),
        ] {
            let found = step(have.as_ref(), &offered, &deltas, &policy);
            assert_eq!(found, expected, "{have:?} {offered:?}");
        }
    }
}
