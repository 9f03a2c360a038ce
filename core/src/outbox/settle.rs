//! What the ministry has said of envelopes: received, or refused for good and
//! parked, until a person lets them wait again.

use rusqlite::{Transaction, params};
use uuid::Uuid;

use super::events::{self, EventRow};
use super::state::{put, put_ministry_time};
use super::{Outbox, ROWS_AT_ONCE, Role};
use crate::clock::ClockReading;
use crate::error::Result;

/// What the ministry has said of one envelope.
pub(crate) struct Settled {
    pub(crate) id: Uuid,
    pub(crate) verdict: Verdict,
    /// What its report has to tell of it.
    pub(crate) event: Option<EventRow>,
}

/// The ministry's word, proved before.
pub(crate) enum Verdict {
    /// It is at the ministry, proved by its receipt: when, milliseconds UTC by the
    /// ministry's clock.
    Received { role: Role, received_ms: i64 },
    /// Refused for good: a person must look.
    Parked { status: u16, reason: String },
}

/// A parked envelope.
pub(crate) struct ParkedRow {
    pub(crate) id: Uuid,
    pub(crate) role: Role,
    pub(crate) report: Option<Uuid>,
    /// Status and reason; those parked by an older version have none.
    pub(crate) why: Option<(u16, String)>,
    pub(crate) since_ms: Option<i64>,
}

impl Outbox {
    /// Writes down one answer, a few envelopes at a time, so that a press gets in
    /// between: killed before the end, the ministry says the rest again.
    pub(crate) fn settle(&self, all: &[Settled], at: &ClockReading) -> Result<()> {
        all.chunks(ROWS_AT_ONCE).try_for_each(|some| {
            self.write(|tx| some.iter().try_for_each(|one| settle_one(tx, one, at)))
        })
    }

    /// The envelope is at the ministry, proved by a receipt that another phone
    /// carried: its time is days old, and no clock is set by it.
    pub(crate) fn received(&self, id: Uuid, event: Option<&EventRow>) -> Result<()> {
        let now_ms = self.now_ms();
        self.write(|tx| {
            receive(tx, id, now_ms)?;
            event.map_or(Ok(()), |event| events::append(tx, event))
        })
    }

    /// The parked envelopes, in the order in which they were made.
    pub(crate) fn parked(&self) -> Result<Vec<ParkedRow>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT envelope.id, role, report, status, reason, since_ms
                 FROM envelope LEFT JOIN parked ON parked.id = envelope.id
                 WHERE state = 2 ORDER BY seq",
            )?;
            let rows = statement.query_map([], |row| {
                let status: Option<u16> = row.get(3)?;
                let reason: Option<String> = row.get(4)?;
                Ok(ParkedRow {
                    id: row.get(0)?,
                    role: Role::from_number(row.get(1)?),
                    report: row.get(2)?,
                    why: status.zip(reason),
                    since_ms: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The parked envelopes of a report wait again; `false` where it has none.
    pub(crate) fn unpark_report(&self, report: Uuid, event: &EventRow) -> Result<bool> {
        let any = self.write(|tx| {
            let changed = wait_again(tx, "report", report)?;
            if changed {
                events::append(tx, event)?;
            }
            Ok(changed)
        })?;
        self.urgent().notify_one();
        Ok(any)
    }

    /// A parked envelope waits again; `false` where it is not parked.
    pub(crate) fn unpark(&self, id: Uuid, event: Option<&EventRow>) -> Result<bool> {
        self.write(|tx| {
            let changed = wait_again(tx, "id", id)?;
            if let Some(event) = event.filter(|_| changed) {
                events::append(tx, event)?;
            }
            Ok(changed)
        })
    }
}

/// `column` is one of ours, never of a caller's data.
fn wait_again(tx: &Transaction<'_>, column: &str, of: Uuid) -> Result<bool> {
    tx.execute(
        &format!(
            "DELETE FROM parked WHERE id IN
               (SELECT id FROM envelope WHERE state = 2 AND {column} = ?1)"
        ),
        [of],
    )?;
    let changed = tx.execute(
        &format!(
            "UPDATE envelope SET state = 0, due = 0, attempts = 0
             WHERE state = 2 AND {column} = ?1"
        ),
        [of],
    )?;
    Ok(changed > 0)
}

fn receive(tx: &Transaction<'_>, id: Uuid, now_ms: i64) -> Result<()> {
    tx.prepare_cached(
        // From now on `due` is when it was received: see expire.
        "UPDATE envelope SET state = 1, sealed = x'', due = ?2 WHERE id = ?1",
    )?
    .execute(params![id, now_ms])?;
    Ok(())
}

fn settle_one(tx: &Transaction<'_>, one: &Settled, at: &ClockReading) -> Result<()> {
    match &one.verdict {
        Verdict::Received { role, received_ms } => {
            receive(tx, one.id, at.wall_ms)?;
            if *role == Role::Profile {
                put(
                    tx,
                    "profile_received_ms",
                    received_ms.to_string().as_bytes(),
                )?;
            }
            put_ministry_time(tx, *received_ms, at)?;
            put(tx, "receipt_ms", at.wall_ms.to_string().as_bytes())?;
        }
        Verdict::Parked { status, reason } => {
            let changed = tx.execute(
                "UPDATE envelope SET state = 2 WHERE id = ?1 AND state = 0",
                [one.id],
            )?;
            // Withdrawn or received meanwhile: nothing is left to park.
            if changed == 0 {
                return Ok(());
            }
            tx.execute(
                "INSERT OR REPLACE INTO parked (id, status, reason, since_ms)
                 VALUES (?1, ?2, ?3, ?4)",
                params![one.id, status, reason, at.wall_ms],
            )?;
        }
    }
    one.event
        .as_ref()
        .map_or(Ok(()), |event| events::append(tx, event))
}

#[cfg(test)]
impl Outbox {
    /// As a refusal does.
    pub(crate) fn park(&self, id: Uuid, event: Option<EventRow>) -> Result<()> {
        let verdict = Verdict::Parked {
            status: 422,
            reason: "urn:homeline:problem:test".into(),
        };
        self.settle(&[Settled { id, verdict, event }], &self.time().now())
    }
}
