//! Fixes in the record, and their way to the outbox.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{Fix, FixSource, Position};
use crate::clock::ClockReading;
use crate::error::Result;
use crate::outbox::{Lane, NewEnvelope, Outbox, Role};
use crate::record::{Record, meta, meta_number, set_meta_number};
use crate::registration::gate::{self, PositionGate};
use crate::sync::protocol::{Content, Crisis, Positions};
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

/// Deletes fixes that were recorded before a time. Only the `limit` oldest rows
/// are looked at, so that a start costs the same whatever is stored.
pub(crate) fn expire_fixes(tx: &Connection, before_ms: i64, limit: u32) -> Result<usize> {
    Ok(tx.execute(
        "DELETE FROM fix WHERE id IN
           (SELECT id FROM (SELECT id, recorded_ms FROM fix ORDER BY id LIMIT ?2)
            WHERE recorded_ms < ?1)",
        params![before_ms, limit],
    )?)
}

/// At most `limit` fixes with an id above `after`, each with its id.
pub(crate) fn fixes_after(tx: &Connection, after: i64, limit: u32) -> Result<Vec<(i64, Fix)>> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT {COLUMNS}, id FROM fix WHERE id > ?1 ORDER BY id LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![after, limit], |row| Ok((row.get(6)?, read(row)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many fixes there are, and the id below the newest `newest` of them.
pub(crate) fn count_fixes(tx: &Connection, newest: u32) -> Result<(i64, i64)> {
    let count = tx.query_row("SELECT count(*) FROM fix", [], |row| row.get(0))?;
    let below = tx
        .query_row(
            "SELECT id FROM fix ORDER BY id DESC LIMIT 1 OFFSET ?1",
            [newest],
            |row| row.get(0),
        )
        .optional()?;
    Ok((count, below.unwrap_or(0)))
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

/// Moves unsent fixes to the outbox, an envelope at a time, as far as the
/// traveler consents. Returns whether it came on.
///
/// The end of a run is written down before it is sealed: after a crash between
/// the two files the same run is made again, under the same id.
pub(crate) fn stage_fixes(
    record: &Record,
    outbox: &Outbox,
    sealer: &Sealer,
    run: u32,
) -> Result<bool> {
    let crises: Vec<Crisis> = sealer
        .service()
        .map_or_else(Vec::new, |service| service.crises.clone());
    let next = record.write(|tx| {
        let gate = PositionGate::of(tx)?;
        // Without a crisis they wait: one may be declared later that began before.
        if gate == PositionGate::Never || (gate == PositionGate::InCrisis && crises.is_empty()) {
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
            .collect::<rusqlite::Result<Vec<Fix>>>()?
            .into_iter()
            .filter(|fix| gate.lets(fix.position.degrees(), fix.time_ms, &crises))
            .collect::<Vec<_>>();
        let none = fixes.is_empty();
        let content = Content::Positions(Positions { fixes });
        let leaves = !none && gate::may_leave(tx, &content)?;
        Ok(Some((
            until,
            leaves.then_some(content),
            meta(tx, "instance")?,
        )))
    })?;
    let Some((until, content, instance)) = next else {
        return Ok(false);
    };
    let id: Uuid = stable_id(&instance, "positions", until);
    if let Some(content) = content {
        outbox.enqueue(&NewEnvelope {
            id,
            lane: Lane::Whereabouts,
            role: Role::Positions,
            report: None,
            sealed: sealer.to_ministry(&content, id)?,
            not_before_ms: 0,
        })?;
    }
    record.write(|tx| set_meta_number(tx, "fixes_sent", until))?;
    // A withdrawal may have come in between.
    gate::enforce(record, outbox)?;
    Ok(true)
}
