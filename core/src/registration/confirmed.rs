//! When the traveler last confirmed the registration.
//!
//! Stale registers are what ministries suffer from most, so the age of a
//! registration is a field of its own. Whatever the traveler saves by hand
//! confirms it; what the library changes by itself does not.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::fields::{self, Field, Stamp};
use crate::error::Result;

/// The entity that keeps it.
const CONFIRMED: &str = "confirmed";

/// A later save within this time does not confirm anew: an hour more or less
/// says nothing, and each confirmation makes a new version of the profile.
const STEP_MS: i64 = 3_600_000;

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Confirmed {
    /// Milliseconds UTC, by the best time known.
    at_ms: i64,
}

/// The traveler has saved something: that confirms the registration.
pub(crate) fn by_hand(tx: &Connection, stamp: &Stamp) -> Result<()> {
    // A time ahead of now is that of a wrong clock: it is replaced.
    let fresh = load(tx)?
        .is_some_and(|at_ms| (0..STEP_MS).contains(&stamp.changed_ms.saturating_sub(at_ms)));
    if fresh { Ok(()) } else { confirm(tx, stamp) }
}

/// The traveler confirms.
pub(crate) fn confirm(tx: &Connection, stamp: &Stamp) -> Result<()> {
    let at_ms = stamp.changed_ms;
    fields::save(tx, CONFIRMED, &Confirmed { at_ms }, stamp)?;
    Ok(())
}

/// When it was last confirmed, milliseconds UTC.
pub(crate) fn load(tx: &Connection) -> Result<Option<i64>> {
    let confirmed: Option<Confirmed> = fields::load(tx, CONFIRMED)?;
    Ok(confirmed.map(|confirmed| confirmed.at_ms))
}

/// When the registration that these fields are was last confirmed,
/// milliseconds UTC by the phone's best time.
pub fn confirmed_of(fields: &[Field]) -> Option<i64> {
    fields::entity::<Confirmed>(fields, CONFIRMED).map(|confirmed| confirmed.at_ms)
}
