//! What the traveler has seen of the alerts, in the record: it never leaves the phone.

use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Alert, AlertRead};
use crate::error::{Result, StorageProblem};

/// Where the arrivals have come to.
pub(super) const ARRIVAL: &str = "arrival";
/// What was shown of the notification plan.
pub(super) const SHOWN: &str = "plan";
/// The state of the last plan, until the host says that it has shown it.
pub(super) const PLANNED: &str = "plan-next";

/// A state by its name; a new one where there is none.
pub(super) fn state<T: DeserializeOwned + Default>(tx: &Connection, name: &str) -> Result<T> {
    let json: Option<String> = tx
        .query_row(
            "SELECT json FROM alert_state WHERE name = ?1",
            [name],
            |row| row.get(0),
        )
        .optional()?;
    // One of another version is begun anew: at worst something is shown once more.
    Ok(json
        .and_then(|json| serde_json::from_str(&json).ok())
        .unwrap_or_default())
}

pub(super) fn set_state<T: Serialize>(tx: &Connection, name: &str, state: &T) -> Result<()> {
    let json = serde_json::to_string(state).map_err(|_| StorageProblem::Damaged)?;
    tx.execute(
        "INSERT OR REPLACE INTO alert_state (name, json) VALUES (?1, ?2)",
        (name, json),
    )?;
    Ok(())
}

/// Makes the state of the last plan that of what was shown.
pub(super) fn plan_shown(tx: &Connection) -> Result<()> {
    tx.execute(
        "UPDATE OR REPLACE alert_state SET name = ?1 WHERE name = ?2",
        (SHOWN, PLANNED),
    )?;
    Ok(())
}

/// The alerts that were read.
pub(super) fn read(tx: &Connection) -> Result<Vec<AlertRead>> {
    let mut select = tx.prepare_cached(
        "SELECT sender, identifier, sent_ms, read_ms FROM alert_read ORDER BY read_ms",
    )?;
    let rows = select.query_map([], |row| {
        Ok(AlertRead {
            sender: row.get(0)?,
            identifier: row.get(1)?,
            sent_ms: row.get(2)?,
            read_ms: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Notes that an alert was read at `read_ms`; the first time counts.
pub(super) fn note_read(tx: &Connection, alert: &Alert, read_ms: i64) -> Result<()> {
    tx.execute(
        "INSERT OR IGNORE INTO alert_read (sender, identifier, sent_ms, read_ms)
         VALUES (?1, ?2, ?3, ?4)",
        (&alert.sender, &alert.identifier, alert.sent_ms, read_ms),
    )?;
    Ok(())
}

/// Forgets what was read before `before_ms`, of alerts that the phone no longer has.
pub(super) fn forget_read(tx: &Connection, held: &[Alert], before_ms: i64) -> Result<()> {
    let is_held = |read: &AlertRead| {
        held.iter()
            .any(|it| it.sender == read.sender && it.identifier == read.identifier)
    };
    let old = read(tx)?.into_iter().filter(|it| it.read_ms < before_ms);
    for gone in old.filter(|it| !is_held(it)) {
        tx.execute(
            "DELETE FROM alert_read WHERE sender = ?1 AND identifier = ?2 AND sent_ms = ?3",
            (&gone.sender, &gone.identifier, gone.sent_ms),
        )?;
    }
    Ok(())
}
