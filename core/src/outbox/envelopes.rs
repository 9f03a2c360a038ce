//! Envelopes: in at a press or from sync, out in batches, then received, tried
//! again, or parked.

use rusqlite::{OptionalExtension as _, ToSql, Transaction, params};
use uuid::Uuid;

use super::events::{self, EventRow};
use super::reseal;
use super::standing::{self, StandingKind};
use super::{Lane, Outbox, Role};
use crate::error::Result;

/// An envelope to be stored.
#[derive(Clone)]
pub(crate) struct NewEnvelope {
    pub(crate) id: Uuid,
    pub(crate) lane: Lane,
    pub(crate) role: Role,
    /// The report that it belongs to; of a group, the group.
    pub(crate) report: Option<Uuid>,
    pub(crate) sealed: Vec<u8>,
    /// The same content, sealed to this device: from it the envelope is sealed anew
    /// when the ministry's key changes. `None` where it can be read elsewhere.
    pub(crate) readable: Option<Vec<u8>>,
    /// Not sent before this time, milliseconds UTC: the end of a countdown.
    pub(crate) not_before_ms: i64,
}

/// A press: the report's envelope, the device's own copy and the first event.
pub(crate) struct Press {
    pub(crate) envelope: NewEnvelope,
    pub(crate) sequence: u64,
    pub(crate) own_copy: Vec<u8>,
    pub(crate) event: EventRow,
    pub(crate) beside: Beside,
}

/// Which standing envelopes go beside a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Who calls.
    Who,
    /// Who calls, and the medical card.
    WhoAndMedical,
}

/// An envelope that waits.
#[derive(Clone)]
pub(crate) struct Waiting {
    pub(crate) id: Uuid,
    pub(crate) role: Role,
    pub(crate) lane: Lane,
    pub(crate) report: Option<Uuid>,
    pub(crate) sealed: Vec<u8>,
    pub(crate) attempts: u32,
}

/// What may be sent next.
pub(crate) enum Batch {
    /// These, all of one lane, in order.
    Send(Vec<Waiting>),
    /// Nothing before this time, milliseconds UTC.
    Wait { until_ms: i64 },
    /// Nothing waits.
    Empty,
}

/// Which envelopes may leave now, due or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gate {
    /// This lane, and all that are more urgent.
    pub(crate) lane: Lane,
    /// Answers and messages of no earlier than this too, milliseconds UTC: somebody
    /// wrote them just now.
    pub(crate) newer_ms: i64,
}

impl Gate {
    /// Nothing is held back.
    pub(crate) const OPEN: Self = Self {
        lane: Lane::Attachments,
        newer_ms: i64::MAX,
    };
}

const COLUMNS: &str = "id, role, lane, report, sealed, attempts";

impl Outbox {
    /// Stores a press with the standing envelopes beside it: one transaction, one
    /// sync. They were sealed before.
    pub(crate) fn press(&self, press: &Press) -> Result<()> {
        let made_ms = press.event.at.wall_ms;
        self.write(|tx| {
            insert(tx, &press.envelope, made_ms)?;
            tx.execute(
                "INSERT INTO report (id, sequence, own_copy, medical)
                 SELECT ?1, ?2, ?3, (SELECT id FROM standing WHERE kind = 1 AND ?4)",
                params![
                    press.envelope.id,
                    i64::try_from(press.sequence).unwrap_or(i64::MAX),
                    press.own_copy,
                    press.beside == Beside::WhoAndMedical
                ],
            )?;
            events::append(tx, &press.event)?;
            standing::queue(tx, StandingKind::Who, press.envelope.not_before_ms)?;
            if press.beside == Beside::WhoAndMedical {
                standing::queue(tx, StandingKind::Medical, press.envelope.not_before_ms)?;
            }
            Ok(())
        })
    }

    /// Stores an envelope of a report with its event.
    pub(crate) fn add_to_report(&self, envelope: &NewEnvelope, event: &EventRow) -> Result<()> {
        self.write(|tx| {
            insert(tx, envelope, event.at.wall_ms)?;
            events::append(tx, event)
        })
    }

    /// Stores an envelope of ordinary data. The same id again changes nothing.
    /// A profile replaces those that still wait, a group those of the same group.
    pub(crate) fn enqueue(&self, envelope: &NewEnvelope) -> Result<()> {
        let made_ms = self.now_ms();
        self.write(|tx| {
            if envelope.role == Role::Profile {
                // Not the same again: sealed anew it has other bytes, and the ministry
                // may have proved that it has the first ones.
                tx.execute(
                    "DELETE FROM envelope WHERE role = ?1 AND state = 0 AND id <> ?2",
                    params![envelope.role.number(), envelope.id],
                )?;
            }
            if envelope.role == Role::Group {
                // Only those of the same subject.
                tx.execute(
                    "DELETE FROM envelope WHERE role = ?1 AND report = ?2 AND state = 0
                         AND id <> ?3",
                    params![envelope.role.number(), envelope.report, envelope.id],
                )?;
            }
            insert(tx, envelope, made_ms)
        })
    }

    /// Deletes what waits of a role: its consent was withdrawn.
    pub(crate) fn withdraw(&self, role: Role) -> Result<()> {
        self.write(|tx| delete_waiting(tx, role))
    }

    /// Removes every trace of a report in its countdown; `false` where the
    /// countdown is over.
    pub(crate) fn remove_countdown(&self, report: Uuid, now_ms: i64) -> Result<bool> {
        let longest_ms = self.policy().countdown_ms;
        let removed = self.write(|tx| {
            let counting: Option<i64> = tx
                .query_row(
                    "SELECT 1 FROM envelope WHERE id = ?1 AND attempts = 0 AND state = 0
                       AND not_before > ?2 AND not_before <= ?2 + ?3",
                    params![report, now_ms, longest_ms],
                    |row| row.get(0),
                )
                .optional()?;
            if counting.is_none() {
                return Ok(false);
            }
            tx.execute("DELETE FROM envelope WHERE id = ?1", [report])?;
            tx.execute("DELETE FROM report WHERE id = ?1", [report])?;
            tx.execute("DELETE FROM event WHERE report = ?1", [report])?;
            tx.execute("DELETE FROM attachment WHERE report = ?1", [report])?;
            standing::take_back(tx)?;
            Ok(true)
        })?;
        if removed {
            self.sweep_attachments()?;
        }
        Ok(removed)
    }

    /// What may be sent at `now_ms`, save `skip`: once anything is due at all,
    /// reports before everything else, due or not. So a report never waits
    /// behind lower lanes while the link is in use, however long its own
    /// back-off is.
    pub(crate) fn next_batch(
        &self,
        now_ms: i64,
        envelopes: u32,
        bytes: usize,
        skip: &[Uuid],
        gate: Gate,
    ) -> Result<Batch> {
        // The longest wait that the engine sets, and no less: a wait beyond it
        // is taken for a clock that went back.
        let sos = Lane::Sos.longest_wait_ms(self.policy());
        let other = Lane::Attachments.longest_wait_ms(self.policy());
        let (lane, newer) = (gate.lane.number(), gate.newer_ms);
        self.read(|tx| {
            let next: Option<i64> = tx.query_row(
                "SELECT min(CASE
                     WHEN at > ?1 + CASE lane WHEN 0 THEN ?2 ELSE ?3 END THEN ?1
                     ELSE at END)
                 FROM (SELECT lane, max(not_before, due) AS at FROM envelope
                       WHERE state = 0 AND (lane <= ?4 OR (lane <= 20 AND made_ms >= ?5)))",
                params![now_ms, sos, other, lane, newer],
                |row| row.get(0),
            )?;
            match next {
                None => Ok(Batch::Empty),
                Some(until_ms) if until_ms > now_ms => Ok(Batch::Wait { until_ms }),
                Some(until_ms) => {
                    let batch = take(
                        tx,
                        params![now_ms, sos, other, lane, newer],
                        envelopes,
                        bytes,
                        skip,
                    )?;
                    // Nothing is left but what the caller skips.
                    Ok(if batch.is_empty() {
                        Batch::Wait { until_ms }
                    } else {
                        Batch::Send(batch)
                    })
                }
            }
        })
    }

    /// An envelope that waits.
    pub(crate) fn waiting(&self, id: Uuid) -> Result<Option<Waiting>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM envelope WHERE id = ?1 AND state = 0"
            ))?;
            Ok(statement.query_row([id], read_waiting).optional()?)
        })
    }

    /// Reports whose own envelope waits, the newest first: a new press is likelier to
    /// be the one that matters.
    pub(crate) fn reports_waiting(&self, most: u32) -> Result<Vec<Uuid>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                // The lane keeps the search within the index of what waits.
                "SELECT report FROM envelope
                 WHERE lane = ?1 AND role = ?2 AND state = 0 AND report IS NOT NULL
                 ORDER BY seq DESC LIMIT ?3",
            )?;
            let rows = statement.query_map(
                params![Lane::Sos.number(), Role::Report.number(), most],
                |row| row.get(0),
            )?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The envelope is at the ministry, proved by its receipt.
    pub(crate) fn received(&self, id: Uuid, event: Option<&EventRow>) -> Result<()> {
        let now_ms = self.time().now().wall_ms;
        self.write(|tx| {
            tx.execute(
                // From now on `due` is when it was received: see expire.
                "UPDATE envelope SET state = 1, sealed = x'', due = ?2 WHERE id = ?1",
                params![id, now_ms],
            )?;
            event.map_or(Ok(()), |event| events::append(tx, event))
        })
    }

    /// The envelope is refused for good: a person must look.
    pub(crate) fn park(&self, id: Uuid, event: Option<&EventRow>) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE envelope SET state = 2 WHERE id = ?1", [id])?;
            event.map_or(Ok(()), |event| events::append(tx, event))
        })
    }

    /// An attempt failed: counted, and due again at `due_ms`.
    pub(crate) fn retry(&self, ids: &[Uuid], due_ms: i64, events: &[EventRow]) -> Result<()> {
        self.write(|tx| {
            for id in ids {
                tx.execute(
                    "UPDATE envelope SET attempts = attempts + 1, due = ?2
                     WHERE id = ?1 AND state = 0",
                    params![id, due_ms],
                )?;
            }
            events
                .iter()
                .try_for_each(|event| events::append(tx, event))
        })
    }

    /// The ministry does not accept this device now: every report waits until
    /// `due_ms`, and no attempt is used up. What is pressed later goes at once.
    pub(crate) fn pause_reports(&self, due_ms: i64, events: &[EventRow]) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE envelope SET due = ?1 WHERE state = 0 AND lane = ?2",
                params![due_ms, Lane::Sos.number()],
            )?;
            events
                .iter()
                .try_for_each(|event| events::append(tx, event))
        })
    }

    /// A parked envelope waits again.
    pub(crate) fn unpark(&self, report: Uuid, event: &EventRow) -> Result<bool> {
        self.write(|tx| {
            let changed = tx.execute(
                "UPDATE envelope SET state = 0, due = 0, attempts = 0
                 WHERE state = 2 AND report = ?1",
                [report],
            )?;
            if changed > 0 {
                events::append(tx, event)?;
            }
            Ok(changed > 0)
        })
    }

    /// Everything that waits is due: the network has changed.
    pub(crate) fn all_due(&self) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE envelope SET due = 0 WHERE state = 0 AND due <> 0",
                [],
            )?;
            tx.execute(
                "UPDATE attachment SET due = 0 WHERE state = 0 AND due <> 0",
                [],
            )?;
            tx.execute("UPDATE parcel SET due = 0 WHERE due <> 0", [])?;
            Ok(())
        })
    }

    /// Earliest next attempt for a report, and whether one of its envelopes waits.
    pub(crate) fn next_attempt(&self, report: Uuid) -> Result<Option<i64>> {
        self.read(|tx| {
            Ok(tx.query_row(
                // The lane keeps the search within the index of what waits.
                "SELECT min(max(not_before, due)) FROM envelope
                 WHERE report = ?1 AND lane = ?2 AND state = 0",
                params![report, Lane::Sos.number()],
                |row| row.get(0),
            )?)
        })
    }
}

fn insert(tx: &Transaction<'_>, envelope: &NewEnvelope, made_ms: i64) -> Result<()> {
    tx.execute(
        "INSERT OR IGNORE INTO envelope (id, lane, role, report, sealed, not_before, made_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            envelope.id,
            envelope.lane.number(),
            envelope.role.number(),
            envelope.report,
            envelope.sealed,
            envelope.not_before_ms,
            made_ms
        ],
    )?;
    reseal::keep_readable(tx, envelope)
}

fn delete_waiting(tx: &Transaction<'_>, role: Role) -> Result<()> {
    tx.execute(
        "DELETE FROM envelope WHERE role = ?1 AND state = 0",
        [role.number()],
    )?;
    Ok(())
}

/// A row of [`COLUMNS`].
fn read_waiting(row: &rusqlite::Row<'_>) -> rusqlite::Result<Waiting> {
    Ok(Waiting {
        id: row.get(0)?,
        role: Role::from_number(row.get(1)?),
        lane: Lane::from_number(row.get(2)?),
        report: row.get(3)?,
        sealed: row.get(4)?,
        attempts: row.get(5)?,
    })
}

/// The first envelopes, of one lane, that may be sent. `times` are now and the
/// horizons by lane, milliseconds, and the gate.
fn take(
    tx: &Transaction<'_>,
    times: &[&dyn ToSql],
    envelopes: u32,
    bytes: usize,
    skip: &[Uuid],
) -> Result<Vec<Waiting>> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM envelope
         WHERE state = 0 AND (not_before <= ?1 OR not_before > ?1 + ?2)
           AND (lane = 0 OR due <= ?1 OR due > ?1 + ?3)
           AND (lane <= ?4 OR (lane <= 20 AND made_ms >= ?5))
         ORDER BY lane, seq"
    ))?;
    let mut rows = statement.query(times)?;
    let most = usize::try_from(envelopes).unwrap_or(usize::MAX);
    let mut out: Vec<Waiting> = Vec::new();
    let mut size = 0usize;
    while let Some(row) = rows.next()?
        && out.len() < most
    {
        let id: Uuid = row.get(0)?;
        if skip.contains(&id) {
            continue;
        }
        let waiting = read_waiting(row)?;
        size = size.saturating_add(waiting.sealed.len());
        let other_lane = out.first().is_some_and(|first| first.lane != waiting.lane);
        if !out.is_empty() && (other_lane || size > bytes) {
            break;
        }
        out.push(waiting);
    }
    Ok(out)
}
