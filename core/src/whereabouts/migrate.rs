//! From version 1 of the record to version 2: its positions, with their clocks.

use rusqlite::{Connection, Row};

use super::compact::{Compact, position};
use super::fix::PLAUSIBLE_FROM_MS;
use super::store;
use super::{Fix, FixFlag, FixSource, RecordedFix};
use crate::clock::ClockReading;
use crate::config::Policy;
use crate::error::Result;
use crate::record::{meta_number, set_meta_number};

/// Moves the rows of `fix_1` and drops it. Version 1 judged nothing; what can be
/// told of a single row (its time) is flagged, jumps are not looked for.
///
/// What was sent there was a row's number and is a moment from here on. Rows
/// that wait for a moment behind it are late ones; an envelope that was being
/// made keeps its number, so that it is the same envelope when it is made again.
pub(crate) fn migrate(tx: &Connection) -> Result<()> {
    let sent_id = meta_number(tx, "fixes_sent")?;
    let sending_id = meta_number(tx, "fixes_sending")?;
    let mut sent_ms = i64::MIN;
    let mut waiting = Vec::new();
    {
        let mut statement = tx.prepare(
            "SELECT fix_1.id, datum, latitude, longitude, time_ms, accuracy_m, source,
                    recorded_ms, mono_ms, name
             FROM fix_1 JOIN boot ON boot.id = fix_1.boot ORDER BY fix_1.id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let clock = ClockReading {
                wall_ms: row.get(7)?,
                monotonic_ms: row.get(8)?,
                boot_id: row.get(9)?,
            };
            let Some(recorded) = read(row, &clock)? else {
                continue;
            };
            let session = store::session(tx, &clock)?;
            let Some(at_ms) = store::insert(tx, &recorded, session)? else {
                continue;
            };
            if id <= sent_id.max(sending_id) {
                sent_ms = sent_ms.max(at_ms);
            }
            if id > sent_id && id <= sending_id {
                note_late(tx, at_ms, sending_id)?;
            } else if id > sent_id && at_ms <= sent_ms {
                waiting.push(at_ms);
            }
        }
    }
    for at_ms in waiting {
        note_late(tx, at_ms, 0)?;
    }
    set_meta_number(tx, "fixes_sent", sent_ms)?;
    set_meta_number(tx, "fixes_sending", i64::MIN)?;
    tx.execute_batch("DROP TABLE fix_1; DROP TABLE boot;")?;
    Ok(())
}

fn note_late(tx: &Connection, at_ms: i64, run: i64) -> Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO fix_late (at_ms, run) VALUES (?1, ?2)")?
        .execute([at_ms, run])?;
    Ok(())
}

/// A row of version 1; `None` where no fix is in it, which version 1 never wrote.
fn read(row: &Row<'_>, clock: &ClockReading) -> Result<Option<RecordedFix>> {
    let (latitude, longitude): (f64, f64) = (row.get(2)?, row.get(3)?);
    let datum: u8 = row.get(1)?;
    let source: i64 = row.get(6)?;
    let Some(position) = position(datum, latitude, longitude) else {
        return Ok(None);
    };
    let made = Fix {
        accuracy_m: row.get(5)?,
        ..Fix::new(
            position,
            row.get(4)?,
            match source {
                0 => FixSource::Gnss,
                1 => FixSource::Network,
                2 => FixSource::Fused,
                _ => FixSource::Manual,
            },
        )
    };
    let Ok(fix) = made.validated() else {
        return Ok(None);
    };
    let latest = clock.wall_ms.saturating_add(Policy::STANDARD.future_ms);
    let mut flags = Vec::new();
    flags.extend((fix.time_ms > latest).then_some(FixFlag::Future));
    flags.extend((fix.time_ms < PLAUSIBLE_FROM_MS).then_some(FixFlag::TimeUnknown));
    let at_ms = if flags.is_empty() {
        fix.time_ms
    } else {
        clock.wall_ms
    };
    Ok(Compact::of(&RecordedFix { fix, at_ms, flags }).recorded())
}

#[cfg(test)]
mod tests {
    use super::super::testing::record_with;
    use super::*;

    const T: i64 = 1_750_000_000_000;

    /// A record of version 1 with these rows: id, time, recorded, monotonic, boot.
    fn migrated(rows: &[(i64, i64, i64, i64, &str)], sent: i64, sending: i64) -> Connection {
        record_with(|tx| {
            for (id, time_ms, recorded_ms, mono_ms, boot) in rows {
                tx.execute("INSERT OR IGNORE INTO boot (name) VALUES (?1)", [boot])
                    .unwrap();
                tx.execute(
                    "INSERT INTO fix SELECT ?1, 1, 39.9, 116.4 + ?1 / 1e6, ?2, 8.25, 2, ?3, ?4, id
                     FROM boot WHERE name = ?5",
                    rusqlite::params![id, time_ms, recorded_ms, mono_ms, boot],
                )
                .unwrap();
            }
            set_meta_number(tx, "fixes_sent", sent).unwrap();
            set_meta_number(tx, "fixes_sending", sending).unwrap();
        })
    }

    fn late(tx: &Connection) -> Vec<(i64, i64)> {
        tx.prepare("SELECT at_ms - ?1, run FROM fix_late ORDER BY at_ms")
            .unwrap()
            .query_map([T], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap()
    }

    #[test]
    fn every_row_is_there_with_its_clock() {
        let tx = migrated(
            &[
                (1, T, T + 700, 5_000, "a"),
                (2, 0, T + 2_000, 6_300, "a"),
                (3, T + 3_000, T + 3_100, 100, "b"),
                (4, i64::MAX, T + 4_000, 1_000, "b"),
            ],
            0,
            0,
        );
        let entries = store::load_recent(&tx).unwrap();
        let told: Vec<_> = entries
            .iter()
            .rev()
            .map(|entry| {
                let (fix, clock) = (&entry.recorded.fix, &entry.clock);
                (
                    fix.time_ms,
                    clock.wall_ms - T,
                    clock.monotonic_ms,
                    clock.boot_id.as_str(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (T, 700, 5_000, "a"),
                (0, 2_000, 6_300, "a"),
                (T + 3_000, 3_100, 100, "b"),
                (i64::MAX, 4_000, 1_000, "b"),
            ]
        );
        let first = &entries.last().unwrap().recorded;
        assert_eq!(first.fix.position.degrees(), (39.9, 116.400_001));
        assert_eq!(first.fix.accuracy_m, Some(8.3));
        assert_eq!(first.fix.source, FixSource::Fused);
        let flags: Vec<_> = entries
            .iter()
            .rev()
            .map(|entry| entry.recorded.flags.clone())
            .collect();
        assert_eq!(
            flags,
            [
                vec![],
                vec![FixFlag::TimeUnknown],
                vec![],
                vec![FixFlag::Future]
            ]
        );
        let old: i64 = tx
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name IN ('boot', 'fix_1', 'fix_time')",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(old, 0);
    }

    #[test]
    fn what_waits_still_waits_and_the_envelope_that_was_being_made_is_the_same() {
        let rows: Vec<_> = [30, 10, 20, 50, 15, 60]
            .iter()
            .zip(1..)
            .map(|(second, id)| (id, T + second * 1_000, T + 99_000, 99_000, "a"))
            .collect();
        // Two are sent, two are on their way, two wait.
        let tx = migrated(&rows, 2, 4);
        assert_eq!(late(&tx), [(15_000, 0), (20_000, 4), (50_000, 4)]);
        assert_eq!(meta_number(&tx, "fixes_sent").unwrap(), T + 50_000);
        // Nothing was ever sent: everything waits, nothing is late.
        let tx = migrated(&rows, 0, 0);
        assert_eq!(late(&tx), []);
        assert_eq!(meta_number(&tx, "fixes_sent").unwrap(), i64::MIN);
    }
}
