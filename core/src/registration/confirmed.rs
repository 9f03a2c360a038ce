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
pub(super) const CONFIRMED: &str = "confirmed";

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_confirms_once_an_hour_and_a_confirmation_always() {
        let tx = Connection::open_in_memory().unwrap();
        for script in [
            include_str!("../record/migrations/0001.sql"),
            include_str!("../record/migrations/0002/registration.sql"),
        ] {
            tx.execute_batch(script).unwrap();
        }
        let stamp = |changed_ms| Stamp {
            changed_ms,
            device: "d".into(),
        };
        assert_eq!(load(&tx), Ok(None));
        let far = 10 * STEP_MS;
        for (now, kept) in [
            (far, far),
            (far + STEP_MS - 1, far),
            (far + STEP_MS, far + STEP_MS),
            // The clock was ahead, and is right now.
            (5, 5),
        ] {
            by_hand(&tx, &stamp(now)).unwrap();
            assert_eq!(load(&tx), Ok(Some(kept)), "{now}");
        }
        confirm(&tx, &stamp(6)).unwrap();
        assert_eq!(load(&tx), Ok(Some(6)));
        assert_eq!(confirmed_of(&fields::all(&tx).unwrap()), Some(6));
        assert_eq!(confirmed_of(&[]), None);
    }
}
