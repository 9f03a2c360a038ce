//! The first packs: what the library carries, so that the first start in flight mode
//! already answers. They are version 0, and serve until the ministry's come.

use super::PackName;
use super::offer::Held;
use super::shelf::Served;
use crate::seal::sha256_hex;

/// When they were put together, milliseconds UTC: 2026-11-25.
const ISSUED_MS: i64 = 1_795_564_800_000;

/// The library's own pack of this name; empty where it has none.
pub(super) fn served(name: PackName) -> Served {
    let content = content(name);
    Served {
        held: Held {
            version: 0,
            sha256: sha256_hex(&content),
            issued_ms: ISSUED_MS,
            checked_ms: None,
            bytes: u64::try_from(content.len()).unwrap_or(u64::MAX),
        },
        content,
    }
}

fn content(name: PackName) -> Vec<u8> {
    match name {
        PackName::Missions
        | PackName::Numbers
        | PackName::Levels
        | PackName::Alerts
        | PackName::Guides
        | PackName::Boundaries => Vec::new(),
    }
}
