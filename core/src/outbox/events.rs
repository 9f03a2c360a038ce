//! The event log of the reports: appended, never rewritten. The same outcome of
//! attempts in a row is one event with a count, so that a week without a
//! network does not fill the disk.

use rusqlite::{OptionalExtension as _, Transaction, params};
use uuid::Uuid;

use super::{News, Outbox};
use crate::clock::ClockReading;
use crate::error::Result;

/// One event of a report. The evidence is JSON of `sos::evidence`.
#[derive(Debug, Clone)]
pub(crate) struct EventRow {
    pub(crate) report: Uuid,
    pub(crate) at: ClockReading,
    pub(crate) times: u32,
    pub(crate) last_wall_ms: i64,
    pub(crate) evidence: String,
}

impl EventRow {
    pub(crate) fn new(report: Uuid, at: &ClockReading, evidence: String) -> Self {
        Self {
            report,
            at: at.clone(),
            times: 1,
            last_wall_ms: at.wall_ms,
            evidence,
        }
    }
}

impl Outbox {
    /// The events of a report, in order.
    pub(crate) fn events(&self, report: Uuid) -> Result<Vec<EventRow>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT wall_ms, monotonic_ms, boot_id, times, last_wall_ms, evidence
                 FROM event WHERE report = ?1 ORDER BY seq",
            )?;
            let rows = statement.query_map([report], |row| {
                Ok(EventRow {
                    report,
                    at: ClockReading {
                        wall_ms: row.get(0)?,
                        monotonic_ms: row.get(1)?,
                        boot_id: row.get(2)?,
                    },
                    times: row.get(3)?,
                    last_wall_ms: row.get(4)?,
                    evidence: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Appends an event of a report; of one that is no longer here, nothing.
    pub(crate) fn note_of_report(&self, event: &EventRow) -> Result<()> {
        self.write(|tx| {
            let known: Option<i64> = tx
                .query_row(
                    "SELECT 1 FROM report WHERE id = ?1",
                    [event.report],
                    |row| row.get(0),
                )
                .optional()?;
            known.map_or(Ok(()), |_| append(tx, event))
        })
    }

    /// Appends events of the change feed, keeps what is for the record, and moves
    /// the feed's cursor, as one.
    pub(crate) fn apply_changes(
        &self,
        events: &[EventRow],
        news: &[News],
        cursor: u64,
    ) -> Result<()> {
        self.write(|tx| {
            for item in news {
                super::news::keep(tx, item)?;
            }
            for event in events {
                let known: Option<i64> = tx
                    .query_row(
                        "SELECT 1 FROM report WHERE id = ?1",
                        [event.report],
                        |row| row.get(0),
                    )
                    .optional()?;
                if known.is_some() {
                    append(tx, event)?;
                }
            }
            super::state::put(tx, "cursor", cursor.to_string().as_bytes())
        })
    }
}

pub(super) fn append(tx: &Transaction<'_>, event: &EventRow) -> Result<()> {
    let last: Option<(i64, String)> = tx
        .query_row(
            "SELECT seq, evidence FROM event WHERE report = ?1 ORDER BY seq DESC LIMIT 1",
            [event.report],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match last {
        Some((seq, evidence)) if evidence == event.evidence => {
            tx.execute(
                "UPDATE event SET times = times + 1, last_wall_ms = ?3
                 WHERE report = ?1 AND seq = ?2",
                params![event.report, seq, event.at.wall_ms],
            )?;
        }
        last => {
            tx.execute(
                "INSERT INTO event
                   (report, seq, wall_ms, monotonic_ms, boot_id, last_wall_ms, evidence)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    event.report,
                    last.map_or(0, |(seq, _)| seq) + 1,
                    event.at.wall_ms,
                    event.at.monotonic_ms,
                    event.at.boot_id,
                    event.last_wall_ms,
                    event.evidence
                ],
            )?;
        }
    }
    Ok(())
}
