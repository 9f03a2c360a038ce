//! Parcels that this phone carries for others.
//!
//! * Bounded: so many in all, and each has the same size. Where they are too many,
//!   the import that has brought most of those here gives way first, so a flood
//!   pushes out itself and not what others have brought; of these the parcels that
//!   nobody else may pass on, then the oldest. Own envelopes are in another table
//!   and never give way.
//! * A parcel is taken once: its id is kept after it has gone.
//! * Time is counted on this phone alone, from the import, by its own clocks.

use rusqlite::{Transaction, params};
use uuid::Uuid;

use super::{Lane, Outbox, Role};
use crate::clock::{ClockReading, elapsed_ms};
use crate::error::Result;
use crate::seal::parcel::{Parcel, Way};

const DAY_MS: i64 = 24 * 3_600_000;
/// Longer than a phone lies in a drawer between two uses: its clock was set.
const JUMP_DAYS: i64 = 60;

/// What became of the parcels of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) stored: u32,
    pub(crate) known: u32,
    pub(crate) evicted: u32,
}

/// A parcel that is carried.
#[derive(Clone)]
pub(crate) struct Carried {
    pub(crate) seq: i64,
    pub(crate) parcel: Parcel,
}

/// What waits here, of others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ParcelCounts {
    /// All of them.
    pub(crate) carried: u32,
    /// Of these, how many go to the ministry.
    pub(crate) to_ministry: u32,
    /// Taken by the ministry so far.
    pub(crate) passed_on: u64,
    /// Refused by it so far.
    pub(crate) refused: u64,
}

/// How the ministry has answered for a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParcelFate {
    Taken,
    Refused,
}

/// An own envelope for another phone to carry.
pub(crate) struct Own {
    pub(crate) role: Role,
    pub(crate) report: Option<Uuid>,
    pub(crate) sealed: Vec<u8>,
}

impl Outbox {
    /// Stores the parcels of one import: those that were never here. Their hops and
    /// days are bounded already.
    pub(crate) fn take_parcels(&self, parcels: &[Parcel], at: &ClockReading) -> Result<Taken> {
        let most = self.policy().carry.parcels;
        let seen = self.policy().carry.seen;
        self.write(|tx| {
            let import: i64 = tx.query_row(
                "SELECT coalesce(max(import), 0) + 1 FROM parcel",
                [],
                |row| row.get(0),
            )?;
            let mut taken = Taken::default();
            for parcel in parcels {
                if note_seen(tx, parcel)? {
                    insert(tx, parcel, import, at)?;
                    taken.stored += 1;
                } else {
                    taken.known += 1;
                }
            }
            taken.evicted = evict(tx, most)?;
            tx.execute(
                "DELETE FROM parcel_seen WHERE seq <= (SELECT max(seq) FROM parcel_seen) - ?1",
                [seen],
            )?;
            Ok(taken)
        })
    }

    /// Notes parcels of this phone as seen: they are not carried when they come back.
    pub(crate) fn note_own_parcels(&self, parcels: &[Parcel]) -> Result<()> {
        self.write(|tx| {
            for parcel in parcels {
                note_seen(tx, parcel)?;
            }
            Ok(())
        })
    }

    /// Parcels for the ministry that are due, the oldest first.
    pub(crate) fn due_parcels(&self, now_ms: i64, most: u32) -> Result<Vec<Carried>> {
        let horizon = self.policy().due_horizon_ms;
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT seq, bytes FROM parcel
                 WHERE way = ?1 AND (due <= ?2 OR due > ?2 + ?3) ORDER BY due, seq LIMIT ?4",
            )?;
            let way = Way::ToMinistry.number();
            let mut rows = statement.query(params![way, now_ms, horizon, most])?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                let bytes: Vec<u8> = row.get(1)?;
                if let Some(parcel) = Parcel::read(&bytes) {
                    let seq = row.get(0)?;
                    out.push(Carried { seq, parcel });
                }
            }
            Ok(out)
        })
    }

    /// When the next parcel is due, milliseconds UTC.
    pub(crate) fn parcels_due_ms(&self) -> Result<Option<i64>> {
        self.read(|tx| {
            Ok(tx.query_row(
                "SELECT min(due) FROM parcel WHERE way = ?1",
                [Way::ToMinistry.number()],
                |row| row.get(0),
            )?)
        })
    }

    /// Whether a report of this phone waits that may leave, save `skip`.
    pub(crate) fn sos_waits(&self, now_ms: i64, skip: &[Uuid]) -> Result<bool> {
        let countdown = self.policy().countdown_ms;
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT id FROM envelope WHERE lane = ?1 AND state = 0
                   AND (not_before <= ?2 OR not_before > ?2 + ?3)",
            )?;
            let mut rows = statement.query(params![Lane::Sos.number(), now_ms, countdown])?;
            while let Some(row) = rows.next()? {
                if !skip.contains(&row.get(0)?) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Takes away what the ministry has answered for, and counts it.
    pub(crate) fn end_parcels(&self, fates: &[(i64, ParcelFate)]) -> Result<()> {
        self.write(|tx| {
            for (seq, fate) in fates {
                tx.execute("DELETE FROM parcel WHERE seq = ?1", [seq])?;
                count(tx, *fate)?;
            }
            Ok(())
        })
    }

    /// An attempt for these has failed: they are due again at `due_ms`.
    pub(crate) fn retry_parcels(&self, parcels: &[Carried], due_ms: i64) -> Result<()> {
        self.write(|tx| {
            for carried in parcels {
                let seq = carried.seq;
                tx.execute(
                    "UPDATE parcel SET due = ?2 WHERE seq = ?1",
                    params![seq, due_ms],
                )?;
            }
            Ok(())
        })
    }

    /// Takes away one that has come to whom it was for.
    pub(crate) fn drop_parcel(&self, seq: i64) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM parcel WHERE seq = ?1", [seq])?;
            Ok(())
        })
    }

    /// Answers that are carried, for whomever they are.
    pub(crate) fn carried_answers(&self) -> Result<Vec<Carried>> {
        self.read(|tx| carried(tx, "SELECT seq, bytes FROM parcel WHERE way = 1", &[]))
    }

    /// Parcels that may be passed on, those first that were passed on least, then
    /// the oldest; with the days that they have left. They count as passed on.
    pub(crate) fn pass_parcels(&self, most: usize, now: &ClockReading) -> Result<Vec<Parcel>> {
        self.write(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT seq, days, wall_ms, monotonic_ms, boot_id, bytes, hops FROM parcel
                 WHERE hops > 0 ORDER BY passed, seq",
            )?;
            let mut rows = statement.query([])?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()?
                && out.len() < most
            {
                let age = Age::of(row, now)?;
                let bytes: Vec<u8> = row.get(5)?;
                if let (Some(mut parcel), Some(days)) = (Parcel::read(&bytes), age.days_left()) {
                    parcel.hops = row.get(6)?;
                    parcel.days = days;
                    tx.execute(
                        "UPDATE parcel SET passed = passed + 1 WHERE seq = ?1",
                        [age.seq],
                    )?;
                    out.push(parcel);
                }
            }
            Ok(out)
        })
    }

    /// Deletes parcels whose days are over; returns how many.
    pub(crate) fn expire_parcels(&self, now: &ClockReading) -> Result<u32> {
        self.write(|tx| {
            let mut statement =
                tx.prepare_cached("SELECT seq, days, wall_ms, monotonic_ms, boot_id FROM parcel")?;
            let mut rows = statement.query([])?;
            let mut over = Vec::new();
            let mut unknown = Vec::new();
            while let Some(row) = rows.next()? {
                let age = Age::of(row, now)?;
                match (age.is_known(), age.days_left()) {
                    (true, None) => over.push(age.seq),
                    (true, Some(_)) => {}
                    (false, _) => unknown.push(age.seq),
                }
            }
            for seq in unknown {
                // The clock was set: it begins anew, a day shorter.
                tx.execute(
                    "UPDATE parcel SET days = days - 1, wall_ms = ?2, monotonic_ms = ?3,
                       boot_id = ?4 WHERE seq = ?1",
                    params![seq, now.wall_ms, now.monotonic_ms, now.boot_id],
                )?;
            }
            for seq in &over {
                tx.execute("DELETE FROM parcel WHERE seq = ?1", [seq])?;
            }
            Ok(u32::try_from(over.len()).unwrap_or(u32::MAX))
        })
    }

    pub(crate) fn parcel_counts(&self) -> Result<ParcelCounts> {
        self.read(|tx| {
            let (carried, to_ministry) = tx.query_row(
                "SELECT count(*), count(*) FILTER (WHERE way = 0) FROM parcel",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            Ok(ParcelCounts {
                carried,
                to_ministry,
                passed_on: total(tx, ParcelFate::Taken)?,
                refused: total(tx, ParcelFate::Refused)?,
            })
        })
    }

    /// The envelopes of this phone's reports that have no receipt and are not in a
    /// countdown: reports and cancellations first, then who calls, then the rest; of
    /// each the newest first.
    pub(crate) fn own_for_relay(&self, now_ms: i64) -> Result<Vec<Own>> {
        let countdown = self.policy().countdown_ms;
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT role, report, sealed FROM envelope
                 WHERE lane = ?1 AND state = 0 AND (not_before <= ?2 OR not_before > ?2 + ?3)
                 ORDER BY CASE role WHEN 0 THEN 0 WHEN 2 THEN 0 WHEN 3 THEN 1 WHEN 9 THEN 2
                   ELSE 3 END, seq DESC",
            )?;
            let rows =
                statement.query_map(params![Lane::Sos.number(), now_ms, countdown], |row| {
                    Ok(Own {
                        role: Role::from_number(row.get(0)?),
                        report: row.get(1)?,
                        sealed: row.get(2)?,
                    })
                })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

/// How long a parcel was carried.
struct Age {
    seq: i64,
    days: i64,
    /// Whole days since it came; `None` where no clock can tell.
    kept: Option<i64>,
}

impl Age {
    /// From a row that begins with seq, days and the reading of the import.
    fn of(row: &rusqlite::Row<'_>, now: &ClockReading) -> rusqlite::Result<Self> {
        let came = ClockReading {
            wall_ms: row.get(2)?,
            monotonic_ms: row.get(3)?,
            boot_id: row.get(4)?,
        };
        let kept = elapsed_ms(&came, now).map(|ms| ms / DAY_MS);
        Ok(Self {
            seq: row.get(0)?,
            days: row.get(1)?,
            kept: kept.filter(|kept| *kept < JUMP_DAYS),
        })
    }

    fn is_known(&self) -> bool {
        self.kept.is_some() || self.days <= 0
    }

    /// Days that are left; `None`: over.
    fn days_left(&self) -> Option<u8> {
        let left = self.days.saturating_sub(self.kept.unwrap_or(1));
        u8::try_from(left).ok().filter(|left| *left > 0)
    }
}

fn carried(
    tx: &Transaction<'_>,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Carried>> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(1)?;
        if let Some(parcel) = Parcel::read(&bytes) {
            let seq = row.get(0)?;
            out.push(Carried { seq, parcel });
        }
    }
    Ok(out)
}

/// Whether it was never here before.
fn note_seen(tx: &Transaction<'_>, parcel: &Parcel) -> Result<bool> {
    let new = tx.execute(
        "INSERT OR IGNORE INTO parcel_seen (id) VALUES (?1)",
        [parcel.id()],
    )?;
    Ok(new > 0)
}

fn insert(tx: &Transaction<'_>, parcel: &Parcel, import: i64, at: &ClockReading) -> Result<()> {
    tx.execute(
        "INSERT INTO parcel (way, hops, days, import, wall_ms, monotonic_ms, boot_id, bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            parcel.way.number(),
            parcel.hops,
            parcel.days,
            import,
            at.wall_ms,
            at.monotonic_ms,
            at.boot_id,
            parcel.to_bytes()
        ],
    )?;
    Ok(())
}

/// Deletes what is more than `most`, of the largest import first.
fn evict(tx: &Transaction<'_>, most: u32) -> Result<u32> {
    let mut evicted = 0;
    loop {
        let held: u32 = tx.query_row("SELECT count(*) FROM parcel", [], |row| row.get(0))?;
        if held <= most {
            return Ok(evicted);
        }
        tx.execute(
            "DELETE FROM parcel WHERE seq = (
               SELECT seq FROM parcel WHERE import = (
                 SELECT import FROM parcel GROUP BY import ORDER BY count(*) DESC, import LIMIT 1)
               ORDER BY hops > 0, seq LIMIT 1)",
            [],
        )?;
        evicted += 1;
    }
}

fn key(fate: ParcelFate) -> &'static str {
    match fate {
        ParcelFate::Taken => "parcels_taken",
        ParcelFate::Refused => "parcels_refused",
    }
}

fn total(tx: &Transaction<'_>, fate: ParcelFate) -> Result<u64> {
    use rusqlite::OptionalExtension as _;
    let value: Option<Vec<u8>> = tx
        .query_row(
            "SELECT value FROM meta WHERE key = ?1",
            [key(fate)],
            |row| row.get(0),
        )
        .optional()?;
    let number = value.and_then(|value| String::from_utf8(value).ok()?.parse().ok());
    Ok(number.unwrap_or(0))
}

fn count(tx: &Transaction<'_>, fate: ParcelFate) -> Result<()> {
    let next = total(tx, fate)?.saturating_add(1);
    super::state::put(tx, key(fate), next.to_string().as_bytes())
}

#[cfg(test)]
mod tests;
