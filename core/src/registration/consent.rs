//! Consent: what may leave the phone, and since when.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::Result;
use crate::record::set_meta_number;

/// What a consent is for. An SOS needs none: its ground is the press itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Purpose {
    /// The registration and the emergency contacts go to the ministry.
    Register,
    /// Positions go to the ministry outside an SOS.
    Whereabouts,
}

/// One consent.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Consent {
    /// What for.
    pub purpose: Purpose,
    /// Version of the text that the traveler saw.
    pub text_version: String,
    /// When it was given, milliseconds UTC.
    pub given_ms: i64,
    /// When it was taken back; absent while it is in force.
    pub withdrawn_ms: Option<i64>,
}

fn number(purpose: Purpose) -> i64 {
    match purpose {
        Purpose::Register => 0,
        Purpose::Whereabouts => 1,
    }
}

/// Whether a consent is in force.
pub(crate) fn in_force(tx: &Connection, purpose: Purpose) -> Result<bool> {
    let given: Option<i64> = tx
        .query_row(
            "SELECT 1 FROM consent WHERE purpose = ?1 AND withdrawn_ms IS NULL",
            [number(purpose)],
            |row| row.get(0),
        )
        .optional()?;
    Ok(given.is_some())
}

pub(super) fn give(tx: &Connection, purpose: Purpose, version: &str, now_ms: i64) -> Result<()> {
    if purpose == Purpose::Whereabouts && !in_force(tx, purpose)? {
        let last: i64 =
            tx.query_row("SELECT coalesce(max(id), 0) FROM fix", [], |row| row.get(0))?;
        set_meta_number(tx, "fixes_sent", last)?;
        set_meta_number(tx, "fixes_sending", 0)?;
    }
    if purpose == Purpose::Register && !in_force(tx, purpose)? {
        // The withdrawal deleted what waited. What has arrived keeps its id, so
        // it is not sent twice.
        set_meta_number(tx, "profile_sent", 0)?;
    }
    tx.execute(
        "INSERT INTO consent (purpose, text_version, given_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (purpose) DO UPDATE SET text_version = excluded.text_version,
           given_ms = excluded.given_ms, withdrawn_ms = NULL",
        params![number(purpose), version, now_ms],
    )?;
    Ok(())
}

pub(super) fn withdraw(tx: &Connection, purpose: Purpose, now_ms: i64) -> Result<()> {
    tx.execute(
        "UPDATE consent SET withdrawn_ms = ?2 WHERE purpose = ?1 AND withdrawn_ms IS NULL",
        params![number(purpose), now_ms],
    )?;
    Ok(())
}

pub(super) fn list(tx: &Connection) -> Result<Vec<Consent>> {
    let mut statement = tx.prepare(
        "SELECT purpose, text_version, given_ms, withdrawn_ms FROM consent ORDER BY purpose",
    )?;
    let rows = statement.query_map([], |row| {
        let purpose: i64 = row.get(0)?;
        Ok(Consent {
            purpose: if purpose == number(Purpose::Register) {
                Purpose::Register
            } else {
                Purpose::Whereabouts
            },
            text_version: row.get(1)?,
            given_ms: row.get(2)?,
            withdrawn_ms: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
