//! Holes in the record: a time for which it has no position, and why.
//!
//! A hole is kept as what it is; nothing draws a line through it. The host notes
//! one when it knows that it begins ([`note`]); the next fix ends it. Where
//! nobody noted it, a fix that comes much later than the mode expects tells of
//! it, and what happened to the phone in between tells why, as far as it can.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use crate::clock::ClockReading;
use crate::error::Result;

/// Why there is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum GapCause {
    /// Nobody knows.
    Unknown,
    /// The host app was ended, by the system or by the traveler.
    Killed,
    /// The phone was off, or was started anew.
    PhoneOff,
    /// Location was switched off in the settings.
    LocationOff,
    /// The app had no permission to see the location.
    NoPermission,
    /// It was on and allowed, and no source had a position.
    NoSignal,
}

impl GapCause {
    /// The cause's number in the record: a number never changes its meaning.
    fn number(self) -> i64 {
        match self {
            Self::Unknown => 0,
            Self::Killed => 1,
            Self::PhoneOff => 2,
            Self::LocationOff => 3,
            Self::NoPermission => 4,
            Self::NoSignal => 5,
        }
    }

    fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Killed,
            2 => Self::PhoneOff,
            3 => Self::LocationOff,
            4 => Self::NoPermission,
            5 => Self::NoSignal,
            _ => Self::Unknown,
        }
    }
}

/// A time without a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// The last position before it, milliseconds UTC.
    pub from_ms: i64,
    /// The first position after it, milliseconds UTC; absent while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub to_ms: Option<i64>,
    /// Why, as far as known.
    pub cause: GapCause,
}

/// Whether what happens now may go to the ministry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Covered {
    /// The traveler's consent is in force.
    ByConsent,
    /// It is not.
    ByNone,
}

impl Covered {
    fn run(self) -> Option<i64> {
        match self {
            Self::ByConsent => Some(0),
            Self::ByNone => None,
        }
    }
}

/// What happened between the fix before and this one, as far as it can be known.
/// Pure. `first` is whether it is the first one of this process.
pub(super) fn cause_of(
    before: &ClockReading,
    now: &ClockReading,
    first: FirstOfProcess,
) -> GapCause {
    if before.boot_id != now.boot_id {
        GapCause::PhoneOff
    } else if first == FirstOfProcess::Yes {
        GapCause::Killed
    } else {
        GapCause::Unknown
    }
}

/// Whether this process has recorded a fix before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstOfProcess {
    Yes,
    No,
}

/// The hole that lasts, if one does.
pub(super) fn lasting(tx: &Connection) -> Result<Option<Gap>> {
    Ok(tx
        .prepare_cached("SELECT from_ms, to_ms, cause FROM gap WHERE to_ms IS NULL")?
        .query_row([], read)
        .optional()?)
}

/// Notes that from now on there is no position. The hole begins at the last one,
/// `heard_ms`; another cause than before ends the hole of the one before.
pub(super) fn note(
    tx: &Connection,
    cause: GapCause,
    heard_ms: Option<i64>,
    now_ms: i64,
    covered: Covered,
) -> Result<()> {
    let from_ms = match lasting(tx)? {
        Some(gap) if gap.cause == cause => return Ok(()),
        Some(_) => {
            end(tx, now_ms, covered)?;
            now_ms
        }
        None => heard_ms.unwrap_or(now_ms).min(now_ms),
    };
    put(
        tx,
        &Gap {
            from_ms,
            to_ms: None,
            cause,
        },
        Covered::ByNone,
    )
}

/// Ends the hole that lasts.
pub(super) fn end(tx: &Connection, at_ms: i64, covered: Covered) -> Result<()> {
    // A clock that went back: nothing is known of the hole but that there was one.
    tx.prepare_cached("UPDATE gap SET to_ms = max(from_ms, ?1), run = ?2 WHERE to_ms IS NULL")?
        .execute(params![at_ms, covered.run()])?;
    Ok(())
}

/// Keeps a hole.
pub(super) fn put(tx: &Connection, gap: &Gap, covered: Covered) -> Result<()> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO gap (from_ms, to_ms, cause, run) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        gap.from_ms,
        gap.to_ms,
        gap.cause.number(),
        covered.run()
    ])?;
    Ok(())
}

/// A fix that comes late falls into a hole: what is left of the hole on either
/// side stays one where it is still longer than `gap_ms`, or lasts. What was to be sent of
/// it still is, and what no consent covered still is not.
pub(super) fn split(tx: &Connection, at_ms: i64, gap_ms: i64) -> Result<()> {
    let hole: Option<(i64, Option<i64>)> = tx
        .prepare_cached(
            "SELECT from_ms, to_ms FROM gap WHERE from_ms < ?1 ORDER BY from_ms DESC LIMIT 1",
        )?
        .query_row([at_ms], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((from_ms, to_ms)) = hole else {
        return Ok(());
    };
    if to_ms.is_some_and(|to_ms| to_ms <= at_ms) {
        return Ok(());
    }
    if to_ms.is_none_or(|to_ms| to_ms.saturating_sub(at_ms) > gap_ms) {
        tx.prepare_cached(
            "INSERT OR REPLACE INTO gap (from_ms, to_ms, cause, run)
             SELECT ?1, to_ms, cause, run FROM gap WHERE from_ms = ?2",
        )?
        .execute([at_ms, from_ms])?;
    }
    if at_ms.saturating_sub(from_ms) > gap_ms {
        tx.prepare_cached("UPDATE gap SET to_ms = ?1 WHERE from_ms = ?2")?
            .execute([at_ms, from_ms])?;
    } else {
        tx.prepare_cached("DELETE FROM gap WHERE from_ms = ?1")?
            .execute([from_ms])?;
    }
    Ok(())
}

/// Keeps on the phone what waits to be sent of the holes of a time.
pub(super) fn keep_back(tx: &Connection, from_ms: i64, to_ms: i64) -> Result<()> {
    tx.prepare_cached("UPDATE gap SET run = NULL WHERE run = 0 AND from_ms < ?2 AND to_ms > ?1")?
        .execute([from_ms, to_ms])?;
    Ok(())
}

/// The holes that touch the time from `from_ms` up to and not including `to_ms`.
pub(crate) fn between(tx: &Connection, from_ms: i64, to_ms: i64, limit: u32) -> Result<Vec<Gap>> {
    let mut statement = tx.prepare_cached(BETWEEN)?;
    let rows = statement.query_map(params![from_ms, to_ms, limit], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Holes do not overlap: of those that begin before, only the last can touch.
pub(super) const BETWEEN: &str = "SELECT from_ms, to_ms, cause FROM gap
     WHERE from_ms >= coalesce((SELECT max(from_ms) FROM gap WHERE from_ms <= ?1), ?1)
       AND from_ms < ?2 AND (to_ms IS NULL OR to_ms > ?1)
     ORDER BY from_ms LIMIT ?3";

/// Removes what lies before `before_ms`.
pub(super) fn remove_before(tx: &Connection, before_ms: i64) -> Result<()> {
    tx.execute(
        "DELETE FROM gap WHERE from_ms < ?1 AND to_ms <= ?1",
        [before_ms],
    )?;
    // What is left of one that reaches over the border begins at the border.
    tx.execute(
        "UPDATE OR REPLACE gap SET from_ms = ?1 WHERE from_ms < ?1",
        [before_ms],
    )?;
    Ok(())
}

/// Takes up to `limit` holes that wait into the envelope `run`; a second time,
/// the same.
pub(super) fn take(tx: &Connection, run: i64, limit: u32) -> Result<Vec<Gap>> {
    let taken: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM gap WHERE run = ?1)",
        [run],
        |row| row.get(0),
    )?;
    if !taken {
        tx.execute(
            "UPDATE gap SET run = ?1 WHERE from_ms IN
               (SELECT from_ms FROM gap WHERE run = 0 ORDER BY from_ms LIMIT ?2)",
            params![run, limit],
        )?;
    }
    let mut statement =
        tx.prepare_cached("SELECT from_ms, to_ms, cause FROM gap WHERE run = ?1 ORDER BY from_ms")?;
    let rows = statement.query_map([run], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The holes of the envelope `run` are in the outbox.
pub(super) fn taken(tx: &Connection, run: i64) -> Result<()> {
    tx.execute("UPDATE gap SET run = NULL WHERE run = ?1", [run])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Gap> {
    Ok(Gap {
        from_ms: row.get(0)?,
        to_ms: row.get(1)?,
        cause: GapCause::from_number(row.get(2)?),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::record;
    use super::*;

    fn gap(from_ms: i64, to_ms: Option<i64>, cause: GapCause) -> Gap {
        Gap {
            from_ms,
            to_ms,
            cause,
        }
    }

    fn all(tx: &Connection) -> Vec<Gap> {
        between(tx, i64::MIN, i64::MAX, 100).unwrap()
    }

    #[test]
    fn a_noted_hole_begins_at_the_last_position_and_lasts_until_the_next() {
        let tx = record();
        use GapCause::{LocationOff, NoPermission};
        note(&tx, NoPermission, Some(1_000), 5_000, Covered::ByNone).unwrap();
        note(&tx, NoPermission, Some(1_000), 6_000, Covered::ByNone).unwrap();
        assert_eq!(all(&tx), [gap(1_000, None, NoPermission)]);
        note(&tx, LocationOff, Some(1_000), 7_000, Covered::ByNone).unwrap();
        end(&tx, 9_000, Covered::ByNone).unwrap();
        assert_eq!(
            all(&tx),
            [
                gap(1_000, Some(7_000), NoPermission),
                gap(7_000, Some(9_000), LocationOff)
            ]
        );
        assert_eq!(lasting(&tx).unwrap(), None);
    }

    #[test]
    fn a_hole_ends_no_earlier_than_it_began() {
        let tx = record();
        note(&tx, GapCause::NoSignal, None, 5_000, Covered::ByNone).unwrap();
        end(&tx, 1_000, Covered::ByNone).unwrap();
        assert_eq!(all(&tx), [gap(5_000, Some(5_000), GapCause::NoSignal)]);
    }

    #[test]
    fn a_late_fix_splits_a_hole_and_what_is_short_is_none() {
        let tx = record();
        let hole = gap(0, Some(100), GapCause::Killed);
        put(&tx, &hole, Covered::ByNone).unwrap();
        split(&tx, 20, 30).unwrap();
        assert_eq!(all(&tx), [gap(20, Some(100), GapCause::Killed)]);
        split(&tx, 60, 30).unwrap();
        assert_eq!(
            all(&tx),
            [
                gap(20, Some(60), GapCause::Killed),
                gap(60, Some(100), GapCause::Killed)
            ]
        );
        split(&tx, 60, 30).unwrap();
        split(&tx, 200, 30).unwrap();
        assert_eq!(all(&tx).len(), 2);
    }

    #[test]
    fn those_that_touch_a_time_are_found_and_no_others() {
        let tx = record();
        for (from, to) in [(0, 10), (20, 30), (40, 50)] {
            put(&tx, &gap(from, Some(to), GapCause::Killed), Covered::ByNone).unwrap();
        }
        put(&tx, &gap(60, None, GapCause::Killed), Covered::ByNone).unwrap();
        let found = |from, to| -> Vec<i64> {
            let gaps = between(&tx, from, to, 100).unwrap();
            gaps.iter().map(|gap| gap.from_ms).collect()
        };
        assert_eq!(found(25, 45), [20, 40]);
        assert_eq!(found(30, 40), [0; 0]);
        assert_eq!(found(-10, 1), [0]);
        assert_eq!(found(100, 200), [60]);
    }

    #[test]
    fn removal_leaves_the_part_after_the_border() {
        let tx = record();
        for (from, to) in [(0, Some(10)), (20, Some(30)), (40, None)] {
            put(&tx, &gap(from, to, GapCause::Killed), Covered::ByNone).unwrap();
        }
        remove_before(&tx, 25).unwrap();
        assert_eq!(
            all(&tx),
            [
                gap(25, Some(30), GapCause::Killed),
                gap(40, None, GapCause::Killed)
            ]
        );
    }

    #[test]
    fn what_is_sent_is_the_same_when_it_is_repeated_and_only_under_consent() {
        let tx = record();
        let hole = |n| gap(n, Some(n + 5), GapCause::Killed);
        put(&tx, &hole(0), Covered::ByNone).unwrap();
        put(&tx, &hole(10), Covered::ByConsent).unwrap();
        assert_eq!(take(&tx, 7, 10).unwrap(), [hole(10)]);
        put(&tx, &hole(20), Covered::ByConsent).unwrap();
        assert_eq!(take(&tx, 7, 10).unwrap(), [hole(10)]);
        taken(&tx, 7).unwrap();
        assert_eq!(take(&tx, 8, 10).unwrap(), [hole(20)]);
    }

    #[test]
    fn the_cause_is_what_the_clocks_and_the_process_tell() {
        let clock = |boot: &str| ClockReading {
            wall_ms: 0,
            monotonic_ms: 0,
            boot_id: boot.into(),
        };
        for (before, now, first, cause) in [
            ("a", "b", FirstOfProcess::Yes, GapCause::PhoneOff),
            ("a", "b", FirstOfProcess::No, GapCause::PhoneOff),
            ("a", "a", FirstOfProcess::Yes, GapCause::Killed),
            ("a", "a", FirstOfProcess::No, GapCause::Unknown),
        ] {
            assert_eq!(cause_of(&clock(before), &clock(now), first), cause);
        }
    }
}
