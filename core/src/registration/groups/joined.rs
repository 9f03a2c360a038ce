//! The member's side in the record: the groups that the traveler has joined.

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::led::{from_json, to_json};
use super::types::GroupDetails;
use crate::error::Result;

/// A group that the traveler has joined.
pub(super) struct JoinedGroup {
    pub(super) id: Uuid,
    pub(super) details: GroupDetails,
    pub(super) serial: i64,
    /// The signed leave, once the traveler has left.
    pub(super) leave: Option<Vec<u8>>,
}

const COLUMNS: &str = "id, json, serial, leave";

pub(super) fn load(tx: &Connection, id: Uuid) -> Result<Option<JoinedGroup>> {
    let found = tx
        .query_row(
            &format!("SELECT {COLUMNS} FROM joined_group WHERE id = ?1"),
            [id],
            |row| Ok(joined(row)),
        )
        .optional()?;
    found.transpose()
}

pub(super) fn all(tx: &Connection) -> Result<Vec<JoinedGroup>> {
    select(tx, &format!("SELECT {COLUMNS} FROM joined_group"))
}

/// Leaves that the ministry is not told of yet.
pub(super) fn unsent_leaves(tx: &Connection) -> Result<Vec<JoinedGroup>> {
    select(
        tx,
        &format!("SELECT {COLUMNS} FROM joined_group WHERE leave IS NOT NULL AND leave_sent = 0"),
    )
}

fn select(tx: &Connection, sql: &str) -> Result<Vec<JoinedGroup>> {
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok(joined(row)))?;
    rows.map(|row| row?).collect()
}

fn joined(row: &rusqlite::Row<'_>) -> Result<JoinedGroup> {
    Ok(JoinedGroup {
        id: row.get(0)?,
        details: from_json(&row.get::<_, String>(1)?)?,
        serial: row.get(2)?,
        leave: row.get(3)?,
    })
}

/// Joins, or joins again.
pub(super) fn join(tx: &Connection, id: Uuid, details: &GroupDetails, serial: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO joined_group (id, json, serial) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET json = excluded.json, serial = excluded.serial,
             leave = NULL, leave_sent = 0",
        params![id, to_json(details)?, serial],
    )?;
    Ok(())
}

/// Leaves with a signed `leave`.
pub(super) fn leave(tx: &Connection, id: Uuid, serial: i64, leave: &[u8]) -> Result<()> {
    tx.execute(
        "UPDATE joined_group SET serial = ?2, leave = ?3, leave_sent = 0 WHERE id = ?1",
        params![id, serial, leave],
    )?;
    Ok(())
}

/// The outbox has the leave with this serial.
pub(super) fn leave_sent(tx: &Connection, id: Uuid, serial: i64) -> Result<()> {
    tx.execute(
        "UPDATE joined_group SET leave_sent = 1 WHERE id = ?1 AND serial = ?2",
        params![id, serial],
    )?;
    Ok(())
}

/// The serial of the next word: the time, and never less than the last one, so
/// that it grows though the clock goes back or the record began anew.
pub(super) fn next_serial(last: Option<i64>, now_ms: i64) -> i64 {
    last.map_or(now_ms, |last| last.saturating_add(1).max(now_ms))
}
