//! Fixes in the record, and their way to the outbox.

use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{Fix, FixSource, Position};
use crate::clock::ClockReading;
use crate::error::Result;
use crate::outbox::{Lane, NewEnvelope, Outbox, Role};
use crate::record::{Record, meta, meta_number, set_meta_number};
use crate::registration::{Purpose, in_force};
use crate::sync::protocol::{Content, Positions};
use crate::sync::{Sealer, stable_id};

const COLUMNS: &str = "datum, latitude, longitude, time_ms, accuracy_m, source";

pub(super) fn insert(tx: &Connection, fix: &Fix, now: &ClockReading) -> Result<()> {
    let datum = match fix.position {
        Position::Wgs84 { .. } => 0,
        Position::Gcj02 { .. } => 1,
        Position::Bd09 { .. } => 2,
    };
    let source = match fix.source {
        FixSource::Gnss => 0,
        FixSource::Network => 1,
        FixSource::Fused => 2,
        FixSource::Manual => 3,
    };
    let (latitude, longitude) = fix.position.degrees();
    tx.prepare_cached("INSERT OR IGNORE INTO boot (name) VALUES (?1)")?
        .execute([&now.boot_id])?;
    tx.prepare_cached(
        "INSERT INTO fix (datum, latitude, longitude, time_ms, accuracy_m, source,
                          recorded_ms, mono_ms, boot)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, id FROM boot WHERE name = ?9",
    )?
    .execute(params![
        datum,
        latitude,
        longitude,
        fix.time_ms,
        fix.accuracy_m,
        source,
        now.wall_ms,
        now.monotonic_ms,
        now.boot_id
    ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Fix> {
    let (latitude, longitude) = (row.get(1)?, row.get(2)?);
    let datum: i64 = row.get(0)?;
    let source: i64 = row.get(5)?;
    Ok(Fix {
        position: match datum {
            1 => Position::Gcj02 {
                latitude,
                longitude,
            },
            2 => Position::Bd09 {
                latitude,
                longitude,
            },
            _ => Position::Wgs84 {
                latitude,
                longitude,
            },
        },
        time_ms: row.get(3)?,
        accuracy_m: row.get(4)?,
        source: match source {
            0 => FixSource::Gnss,
            1 => FixSource::Network,
            2 => FixSource::Fused,
            _ => FixSource::Manual,
        },
    })
}

pub(super) fn list(tx: &Connection, from_ms: i64, to_ms: i64, limit: u32) -> Result<Vec<Fix>> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM fix WHERE time_ms >= ?1 AND time_ms < ?2
         ORDER BY time_ms, id LIMIT ?3"
    ))?;
    let rows = statement.query_map(params![from_ms, to_ms, limit], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn remove_before(tx: &Connection, before_ms: i64) -> Result<u32> {
    let removed = tx.execute("DELETE FROM fix WHERE time_ms < ?1", [before_ms])?;
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}

/// The fixes recorded last, the oldest of them first, with the clocks of then.
pub(crate) fn load_recent(tx: &Connection, count: usize) -> Result<Vec<(Fix, ClockReading)>> {
    let mut statement = tx.prepare(&format!(
        "SELECT {COLUMNS}, recorded_ms, mono_ms, name
         FROM fix JOIN boot ON boot.id = fix.boot ORDER BY fix.id DESC LIMIT ?1"
    ))?;
    let rows = statement.query_map([i64::try_from(count).unwrap_or(i64::MAX)], |row| {
        let recorded = ClockReading {
            wall_ms: row.get(6)?,
            monotonic_ms: row.get(7)?,
            boot_id: row.get(8)?,
        };
        Ok((read(row)?, recorded))
    })?;
    let mut out: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    out.reverse();
    Ok(out)
}

/// Moves unsent fixes to the outbox, an envelope at a time, if the traveler
/// consents. Returns whether one was made.
///
/// The end of a run is written down before it is sealed: after a crash between
/// the two files the same run is made again, under the same id.
pub(crate) fn stage_fixes(
    record: &Record,
    outbox: &Outbox,
    sealer: &Sealer,
    run: u32,
) -> Result<bool> {
    let next = record.write(|tx| {
        if !in_force(tx, Purpose::Whereabouts)? {
            return Ok(None);
        }
        let sent = meta_number(tx, "fixes_sent")?;
        let mut until = meta_number(tx, "fixes_sending")?;
        if until <= sent {
            until = tx.query_row(
                "SELECT coalesce(max(id), 0) FROM
                   (SELECT id FROM fix WHERE id > ?1 ORDER BY id LIMIT ?2)",
                params![sent, run],
                |row| row.get(0),
            )?;
            if until <= sent {
                return Ok(None);
            }
            set_meta_number(tx, "fixes_sending", until)?;
        }
        let mut statement = tx.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM fix WHERE id > ?1 AND id <= ?2 ORDER BY id"
        ))?;
        let fixes = statement
            .query_map(params![sent, until], read)?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Some((until, fixes, meta(tx, "instance")?)))
    })?;
    let Some((until, fixes, instance)) = next else {
        return Ok(false);
    };
    let id: Uuid = stable_id(&instance, "positions", until);
    outbox.enqueue(&NewEnvelope {
        id,
        lane: Lane::Whereabouts,
        role: Role::Positions,
        report: None,
        sealed: sealer.to_ministry(&Content::Positions(Positions { fixes }), id)?,
        not_before_ms: 0,
    })?;
    record.write(|tx| set_meta_number(tx, "fixes_sent", until))?;
    Ok(true)
}
