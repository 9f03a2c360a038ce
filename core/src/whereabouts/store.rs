//! Positions in the record: rows, packed blocks, and the reading of both.
//!
//! A row's key is the moment that its fix counts for, so that "last" and "on
//! that day" are ranges of the key. Two fixes of one millisecond lie a
//! millisecond apart; the same fix twice is kept once. Old rows are packed into
//! blocks by [`super::archive`]; a reader sees no difference.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::RecordedFix;
use super::compact::Compact;
use super::gap;
use super::last::Entry;
use super::pack::{pack_compact, unpack_compact};
use super::row::FixRow;
use crate::clock::ClockReading;
use crate::config::Policy;
use crate::error::{Result, StorageProblem};

/// Keys tried one after the other for fixes of one millisecond.
const NEIGHBOURS: u32 = 16;
/// A crowd of more fixes of one millisecond goes behind what is in this time.
const CROWD_MS: i64 = 3_600_000;
/// Rows that are read to know the last positions after a start: among them is
/// one that may be shown, unless a mock has run for long.
const RECENT_ROWS: i64 = 256;
/// Readings of one boot whose wall clock less monotonic clock differ by less are
/// of one session: the network's small corrections of the clock.
const SESSION_MS: i64 = 1_000;

pub(super) const ROWS_BETWEEN: &str =
    "SELECT at_ms, data FROM fix WHERE at_ms >= ?1 AND at_ms < ?2 ORDER BY at_ms LIMIT ?3";
pub(super) const BLOCKS_BETWEEN: &str = "SELECT id, first_ms FROM fix_block
     WHERE first_ms >= ?1 AND first_ms < ?2 AND last_ms >= ?3 ORDER BY first_ms";
pub(super) const NEWEST: &str = "SELECT at_ms, data FROM fix ORDER BY at_ms DESC LIMIT ?1";

/// A boot and a setting of its wall clock, as a row of `clock_session`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    id: u64,
    /// The phone's wall clock at the recording.
    wall_ms: i64,
}

/// The session of a reading; a new row for a new one.
pub(super) fn session(tx: &Connection, now: &ClockReading) -> Result<Session> {
    let setting = now.wall_ms.saturating_sub(now.monotonic_ms);
    let known: Option<i64> = tx
        .prepare_cached(
            "SELECT id FROM clock_session
             WHERE boot = ?1 AND wall_minus_mono_ms BETWEEN ?2 AND ?3 ORDER BY id DESC LIMIT 1",
        )?
        .query_row(
            params![
                now.boot_id,
                setting.saturating_sub(SESSION_MS),
                setting.saturating_add(SESSION_MS)
            ],
            |row| row.get(0),
        )
        .optional()?;
    let id = match known {
        Some(id) => id,
        None => {
            tx.prepare_cached(
                "INSERT INTO clock_session (boot, wall_minus_mono_ms) VALUES (?1, ?2)",
            )?
            .execute(params![now.boot_id, setting])?;
            tx.last_insert_rowid()
        }
    };
    Ok(Session {
        id: id.unsigned_abs(),
        wall_ms: now.wall_ms,
    })
}

/// Keeps a fix as a row; returns its key, or `None` where it is there already.
pub(super) fn insert(
    tx: &Connection,
    recorded: &RecordedFix,
    session: Session,
) -> Result<Option<i64>> {
    let mut put =
        tx.prepare_cached("INSERT INTO fix (at_ms, data) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    let mut try_at = |at_ms: i64| -> Result<bool> {
        let fix = Compact::of(&RecordedFix {
            at_ms,
            ..recorded.clone()
        });
        let row = FixRow {
            fix,
            session: session.id,
            lag_ms: session.wall_ms.wrapping_sub(at_ms),
        };
        Ok(put.execute(params![at_ms, row.encode()])? == 1)
    };
    let mut at_ms = recorded.at_ms;
    for _ in 0..NEIGHBOURS {
        if try_at(at_ms)? {
            return Ok(Some(at_ms));
        }
        if row(tx, at_ms)?.is_some_and(|there| there.fix == recorded.fix) {
            return Ok(None);
        }
        at_ms = at_ms.saturating_add(1);
    }
    // Many at once, such as a batch without times: one after the other.
    let last: i64 = tx
        .prepare_cached("SELECT max(at_ms) FROM fix WHERE at_ms >= ?1 AND at_ms < ?2")?
        .query_row(
            params![recorded.at_ms, recorded.at_ms.saturating_add(CROWD_MS)],
            |row| Ok(row.get::<_, Option<i64>>(0)?.unwrap_or(at_ms)),
        )?;
    at_ms = last.saturating_add(1);
    Ok(try_at(at_ms)?.then_some(at_ms))
}

fn row(tx: &Connection, at_ms: i64) -> Result<Option<RecordedFix>> {
    let found = tx
        .prepare_cached("SELECT at_ms, data FROM fix WHERE at_ms = ?1")?
        .query_row([at_ms], bytes)
        .optional()?;
    let Some((at_ms, data)) = found else {
        return Ok(None);
    };
    Ok(compact(at_ms, &data)?.recorded())
}

pub(super) fn bytes(row: &Row<'_>) -> rusqlite::Result<(i64, Vec<u8>)> {
    Ok((row.get(0)?, row.get(1)?))
}

/// The fix of a row.
pub(super) fn compact(at_ms: i64, data: &[u8]) -> Result<Compact> {
    FixRow::decode(at_ms, data)
        .map(|row| row.fix)
        .ok_or_else(|| StorageProblem::Damaged.into())
}

/// Whether the record has a row at all.
pub(super) fn is_any(tx: &Connection) -> Result<bool> {
    Ok(tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM fix)")?
        .query_row([], |row| row.get(0))?)
}

/// The moment of the fix before this moment. A block that reaches over it is not
/// looked into.
pub(super) fn moment_before(tx: &Connection, at_ms: i64) -> Result<Option<i64>> {
    let row = "SELECT at_ms FROM fix WHERE at_ms < ?1 ORDER BY at_ms DESC LIMIT 1";
    let block = "SELECT last_ms FROM fix_block WHERE first_ms < ?1 AND last_ms < ?1
                 ORDER BY first_ms DESC LIMIT 1";
    Ok(moment(tx, row, at_ms)?.max(moment(tx, block, at_ms)?))
}

/// The moment of the fix after this moment, as `moment_before`.
pub(super) fn moment_after(tx: &Connection, at_ms: i64) -> Result<Option<i64>> {
    let row = "SELECT at_ms FROM fix WHERE at_ms > ?1 ORDER BY at_ms LIMIT 1";
    let block = "SELECT first_ms FROM fix_block WHERE first_ms > ?1 ORDER BY first_ms LIMIT 1";
    let (row, block) = (moment(tx, row, at_ms)?, moment(tx, block, at_ms)?);
    Ok(row.into_iter().chain(block).min())
}

fn moment(tx: &Connection, sql: &str, at_ms: i64) -> Result<Option<i64>> {
    Ok(tx
        .prepare_cached(sql)?
        .query_row([at_ms], |row| row.get(0))
        .optional()?)
}

/// The newest fixes, with the clocks of their recording.
pub(crate) fn load_recent(tx: &Connection) -> Result<Vec<Entry>> {
    newest(tx, RECENT_ROWS)
}

/// The newest `count` rows, the newest first.
pub(super) fn newest(tx: &Connection, count: i64) -> Result<Vec<Entry>> {
    let mut statement = tx.prepare_cached(NEWEST)?;
    let rows = statement.query_map([count], bytes)?;
    rows.map(|row| {
        let (at_ms, data) = row?;
        entry(tx, at_ms, &data)
    })
    .collect()
}

/// A row with the clock of its recording.
fn entry(tx: &Connection, at_ms: i64, data: &[u8]) -> Result<Entry> {
    let row = FixRow::decode(at_ms, data).ok_or(StorageProblem::Damaged)?;
    let recorded = row.fix.recorded().ok_or(StorageProblem::Damaged)?;
    let session = i64::try_from(row.session).map_err(|_| StorageProblem::Damaged)?;
    let wall_ms = at_ms.wrapping_add(row.lag_ms);
    let known: Option<(String, i64)> = tx
        .prepare_cached("SELECT boot, wall_minus_mono_ms FROM clock_session WHERE id = ?1")?
        .query_row([session], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    // Lost with a damaged page: a boot that is none, to compare with nothing.
    let (boot_id, setting) = known.unwrap_or_else(|| (format!("lost-{session}"), wall_ms));
    Ok(Entry {
        recorded,
        clock: ClockReading {
            wall_ms,
            monotonic_ms: wall_ms.saturating_sub(setting),
            boot_id,
        },
    })
}

/// Fixes of the time from `from_ms` up to and not including `to_ms`, in order.
pub(crate) fn list(
    tx: &Connection,
    from_ms: i64,
    to_ms: i64,
    limit: u32,
    policy: &Policy,
) -> Result<Vec<RecordedFix>> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = archived(tx, from_ms, to_ms, most, policy)?;
    let mut statement = tx.prepare_cached(ROWS_BETWEEN)?;
    let rows = statement.query_map(params![from_ms, to_ms, limit], bytes)?;
    for row in rows {
        let (at_ms, data) = row?;
        found.push(compact(at_ms, &data)?);
    }
    order(&mut found, most);
    found
        .iter()
        .map(|fix| fix.recorded().ok_or_else(|| StorageProblem::Damaged.into()))
        .collect()
}

/// In order, each once, the first `most`. A track that is recorded again after it
/// was packed is there twice.
fn order(found: &mut Vec<Compact>, most: usize) {
    found.sort_by_key(|fix| (fix.at_ms, fix.latitude, fix.longitude, fix.kind));
    found.dedup();
    found.truncate(most);
}

/// The packed ones among them: no more than `most`, and no more blocks than
/// these take.
fn archived(
    tx: &Connection,
    from_ms: i64,
    to_ms: i64,
    most: usize,
    policy: &Policy,
) -> Result<Vec<Compact>> {
    let mut found: Vec<Compact> = Vec::new();
    let earliest = from_ms.saturating_sub(policy.block_span_ms);
    let mut statement = tx.prepare_cached(BLOCKS_BETWEEN)?;
    let blocks = statement.query_map(params![earliest, to_ms, from_ms], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    })?;
    for block in blocks {
        let (id, first_ms) = block?;
        if found.len() >= most && found.last().is_none_or(|last| last.at_ms < first_ms) {
            break;
        }
        let fixes = block_fixes(tx, id)?;
        found.extend(
            fixes
                .into_iter()
                .filter(|fix| (from_ms..to_ms).contains(&fix.at_ms)),
        );
        order(&mut found, most);
    }
    Ok(found)
}

fn block_fixes(tx: &Connection, id: i64) -> Result<Vec<Compact>> {
    let data: Vec<u8> = tx
        .prepare_cached("SELECT data FROM fix_block WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?;
    unpack_compact(&data).map_err(|_| StorageProblem::Damaged.into())
}

/// Keeps fixes, in order, as a block.
pub(super) fn insert_block(tx: &Connection, fixes: &[Compact]) -> Result<()> {
    let (Some(first), Some(last)) = (fixes.first(), fixes.last()) else {
        return Ok(());
    };
    tx.prepare_cached(
        "INSERT INTO fix_block (first_ms, last_ms, fixes, data) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        first.at_ms,
        last.at_ms,
        i64::try_from(fixes.len()).unwrap_or(i64::MAX),
        pack_compact(fixes)?
    ])?;
    Ok(())
}

/// Removes everything before `before_ms`; returns how many fixes that were.
pub(crate) fn remove_before(tx: &Connection, before_ms: i64) -> Result<u32> {
    let mut removed = tx.execute("DELETE FROM fix WHERE at_ms < ?1", [before_ms])?;
    tx.execute("DELETE FROM fix_late WHERE at_ms < ?1", [before_ms])?;
    gap::remove_before(tx, before_ms)?;
    // Blocks at the border are packed anew from what stays of them.
    let border: Vec<i64> = tx
        .prepare("SELECT id FROM fix_block WHERE first_ms < ?1 AND last_ms >= ?1")?
        .query_map([before_ms], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in border {
        let all = block_fixes(tx, id)?;
        let keep: Vec<Compact> = all
            .iter()
            .filter(|fix| fix.at_ms >= before_ms)
            .copied()
            .collect();
        removed += all.len() - keep.len();
        tx.execute("DELETE FROM fix_block WHERE id = ?1", [id])?;
        insert_block(tx, &keep)?;
    }
    let packed: i64 = tx.query_row(
        "SELECT coalesce(sum(fixes), 0) FROM fix_block WHERE first_ms < ?1",
        [before_ms],
        |row| row.get(0),
    )?;
    tx.execute("DELETE FROM fix_block WHERE first_ms < ?1", [before_ms])?;
    removed += usize::try_from(packed).unwrap_or(0);
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}

/// Deletes what counts for a moment before `before_ms`, but no more than about
/// `limit` rows; returns how many fixes. What is packed costs next to nothing.
pub(crate) fn expire_fixes(tx: &Connection, before_ms: i64, limit: u32) -> Result<usize> {
    let cut: Option<i64> = tx
        .prepare_cached("SELECT at_ms FROM fix WHERE at_ms < ?1 ORDER BY at_ms LIMIT 1 OFFSET ?2")?
        .query_row(params![before_ms, limit], |row| row.get(0))
        .optional()?;
    let before_ms = cut.unwrap_or(before_ms);
    let old: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM fix WHERE at_ms < ?1)
             OR EXISTS (SELECT 1 FROM fix_block WHERE first_ms < ?1)",
        [before_ms],
        |row| row.get(0),
    )?;
    if !old {
        return Ok(0);
    }
    Ok(usize::try_from(remove_before(tx, before_ms)?).unwrap_or(usize::MAX))
}

/// How many fixes there are.
pub(crate) fn count_fixes(tx: &Connection) -> Result<i64> {
    Ok(tx.query_row(
        "SELECT (SELECT count(*) FROM fix) + (SELECT coalesce(sum(fixes), 0) FROM fix_block)",
        [],
        |row| row.get(0),
    )?)
}

/// About `limit` fixes from `from_ms` on, in order, and the moment that the next
/// ones begin at; `None`: these are the last. No moment is parted.
pub(crate) fn fixes_from(
    tx: &Connection,
    from_ms: i64,
    limit: u32,
    policy: &Policy,
) -> Result<(Vec<RecordedFix>, Option<i64>)> {
    let mut found = list(tx, from_ms, i64::MAX, limit, policy)?;
    let full = found.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let Some(last_ms) = found.last().map(|fix| fix.at_ms).filter(|_| full) else {
        return Ok((found, None));
    };
    let whole = found.partition_point(|fix| fix.at_ms < last_ms);
    if whole == 0 {
        // More of one millisecond than a piece holds: none is left out.
        let crowd = list(tx, last_ms, last_ms.saturating_add(1), u32::MAX, policy)?;
        return Ok((crowd, Some(last_ms.saturating_add(1))));
    }
    found.truncate(whole);
    Ok((found, Some(last_ms)))
}
