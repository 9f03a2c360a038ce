//! What the outbox keeps beside envelopes and events: reports and
//! small values of the protocol.

use rusqlite::{OptionalExtension as _, Transaction, params};
use uuid::Uuid;

use serde::{Deserialize, Serialize};

use super::{Outbox, ROWS_AT_ONCE};
use crate::clock::{ClockReading, elapsed_ms};
use crate::error::{HomelineError, Result};

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) waiting: u32,
    pub(crate) parked: u32,
}

/// The ministry's time at a reading of the phone's clocks.
#[derive(Serialize, Deserialize)]
struct Anchor {
    ministry_ms: i64,
    at: ClockReading,
}

impl Outbox {
    pub(crate) fn counts(&self) -> Result<Counts> {
        self.read(|tx| {
            Ok(tx.query_row(
                "SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 2)
                 FROM envelope",
                [],
                |row| {
                    Ok(Counts {
                        waiting: row.get(0)?,
                        parked: row.get(1)?,
                    })
                },
            )?)
        })
    }

    /// When the oldest envelope that waits was made, milliseconds UTC.
    pub(crate) fn oldest_waiting(&self) -> Result<Option<i64>> {
        self.read(|tx| {
            Ok(tx.query_row(
                "SELECT min(made_ms) FROM envelope WHERE state = 0",
                [],
                |row| row.get(0),
            )?)
        })
    }

    /// Ids of all reports, the newest first.
    pub(crate) fn reports(&self) -> Result<Vec<Uuid>> {
        self.read(|tx| {
            let mut statement =
                tx.prepare_cached("SELECT id FROM report ORDER BY sequence DESC, id DESC")?;
            let ids = statement.query_map([], |row| row.get(0))?;
            Ok(ids.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The highest sequence number of a report, 0 when there is none.
    pub(crate) fn last_sequence(&self) -> Result<u64> {
        let last: i64 = self.read(|tx| {
            Ok(tx
                .prepare_cached("SELECT coalesce(max(sequence), 0) FROM report")?
                .query_row([], |row| row.get(0))?)
        })?;
        Ok(u64::try_from(last).unwrap_or(0))
    }

    /// The device's own sealed copy of a report, until the record has it.
    pub(crate) fn own_copy(&self, report: Uuid) -> Result<Option<Vec<u8>>> {
        self.read(|tx| {
            Ok(tx
                .query_row(
                    "SELECT own_copy FROM report WHERE id = ?1",
                    [report],
                    |row| row.get(0),
                )
                .optional()?
                .flatten())
        })
    }

    /// Own copies that the record does not have yet.
    pub(crate) fn own_copies(&self) -> Result<Vec<(Uuid, Vec<u8>)>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT id, own_copy FROM report WHERE own_copy IS NOT NULL LIMIT 100",
            )?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The record has the copies of these reports. Of one that waits, the copy stays
    /// beside its envelope: the record may be locked when it must be sealed anew.
    pub(crate) fn drop_own_copies(&self, reports: &[Uuid]) -> Result<()> {
        reports.chunks(ROWS_AT_ONCE).try_for_each(|some| {
            self.write(|tx| {
                some.iter()
                    .try_for_each(|report| drop_own_copy(tx, *report))
            })
        })
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.read(|tx| {
            Ok(tx
                .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
                .query_row([key], |row| row.get(0))
                .optional()?)
        })
    }

    pub(crate) fn get_number(&self, key: &str) -> Result<Option<i64>> {
        Ok(self
            .get(key)?
            .and_then(|value| String::from_utf8(value).ok()?.parse().ok()))
    }

    /// The best time known without a network, milliseconds UTC: the phone's
    /// clock, corrected by what the ministry's was at the last receipt.
    pub(crate) fn best_ms(&self) -> i64 {
        let offset = self.get_number("offset_ms").ok().flatten();
        let wall_ms = self.time().now().wall_ms;
        wall_ms.saturating_add(offset.unwrap_or_default())
    }

    /// Notes the ministry's time at a reading of the phone's clocks.
    #[cfg(test)]
    pub(crate) fn set_ministry_time(&self, ministry_ms: i64, at: &ClockReading) -> Result<()> {
        self.write(|tx| put_ministry_time(tx, ministry_ms, at))
    }

    /// The ministry's time now, milliseconds UTC: what it was at the last receipt,
    /// and the counter since. `None` before the first one of this boot.
    pub(crate) fn ministry_ms(&self) -> Option<i64> {
        let anchor: Anchor = serde_json::from_slice(&self.get("anchor").ok()??).ok()?;
        let now = self.time().now();
        if anchor.at.boot_id != now.boot_id {
            return None;
        }
        let since = elapsed_ms(&anchor.at, &now)?;
        Some(anchor.ministry_ms.saturating_add(since))
    }

    pub(crate) fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.write(|tx| put(tx, key, value))
    }
}

fn drop_own_copy(tx: &Transaction<'_>, report: Uuid) -> Result<()> {
    tx.prepare_cached(
        "INSERT OR IGNORE INTO readable (id, copy)
         SELECT id, own_copy FROM report WHERE id = ?1 AND own_copy IS NOT NULL
           AND EXISTS (SELECT 1 FROM envelope WHERE id = ?1 AND state <> 1)",
    )?
    .execute([report])?;
    tx.prepare_cached("UPDATE report SET own_copy = NULL WHERE id = ?1")?
        .execute([report])?;
    Ok(())
}

/// A number among the small values.
pub(super) fn number(tx: &Transaction<'_>, key: &str) -> Result<Option<i64>> {
    let value: Option<Vec<u8>> = tx
        .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(value.and_then(|value| String::from_utf8(value).ok()?.parse().ok()))
}

pub(super) fn put(tx: &Transaction<'_>, key: &str, value: &[u8]) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )?
    .execute(params![key, value])?;
    Ok(())
}

/// Notes the ministry's time at a reading of the phone's clocks.
pub(super) fn put_ministry_time(
    tx: &Transaction<'_>,
    ministry_ms: i64,
    at: &ClockReading,
) -> Result<()> {
    let offset = ministry_ms.saturating_sub(at.wall_ms);
    let anchor = serde_json::to_vec(&Anchor {
        ministry_ms,
        at: at.clone(),
    })
    .map_err(|_| HomelineError::bug("outbox::state"))?;
    put(tx, "offset_ms", offset.to_string().as_bytes())?;
    put(tx, "anchor", &anchor)
}
