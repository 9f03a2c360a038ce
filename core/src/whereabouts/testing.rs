//! What the unit tests of the positions share: a record in memory, a phone's
//! clock, a traveler on a meridian.

use rusqlite::Connection;

use super::compact::Compact;
use super::judge::Judge;
use super::{Fix, FixSource, Position, RecordedFix};
use crate::clock::ClockReading;
use crate::config::Policy;

pub(super) const START_MS: i64 = 1_750_000_000_000;

/// A new record of the newest version.
pub(super) fn record() -> Connection {
    record_with(|_| {})
}

/// A record that `fill` filled in version 1.
pub(super) fn record_with(fill: impl FnOnce(&Connection)) -> Connection {
    let tx = Connection::open_in_memory().unwrap();
    let run = |script| tx.execute_batch(script).unwrap();
    run(include_str!("../record/migrations/0001.sql"));
    fill(&tx);
    run(include_str!("../record/migrations/0002/registration.sql"));
    run(include_str!("../record/migrations/0002/consent.sql"));
    run(include_str!("../record/migrations/0002/whereabouts.sql"));
    super::migrate(&tx).unwrap();
    tx
}

/// The clock of a phone that was started at [`START_MS`].
pub(super) fn clock(wall_ms: i64, boot: &str) -> ClockReading {
    ClockReading {
        wall_ms,
        monotonic_ms: wall_ms - START_MS + 1_000,
        boot_id: boot.into(),
    }
}

/// A fix so many metres north of Istanbul.
pub(super) fn fix(metres: f64, time_ms: i64) -> Fix {
    let position = Position::Wgs84 {
        latitude: 41.0 + metres / 111_195.0,
        longitude: 29.0,
    };
    Fix {
        accuracy_m: Some(8.0),
        ..Fix::new(position, time_ms, FixSource::Gnss)
    }
}

/// The fix as it is recorded at `now`, nothing being known before it.
pub(super) fn judged(fix: Fix, now: &ClockReading) -> RecordedFix {
    let judged = Judge::new(&[], now, 0, &Policy::STANDARD).judge(fix);
    Compact::of(&judged).recorded().unwrap()
}

/// The traveler consents.
pub(super) fn give_consent(tx: &Connection) {
    tx.execute(
        "INSERT INTO consent_given (purpose, text_version, language, given_ms)
         VALUES (1, 'v1', '', 0)",
        [],
    )
    .unwrap();
}
