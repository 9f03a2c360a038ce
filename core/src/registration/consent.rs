//! Consent: a ledger of what the traveler allowed to leave the phone, and when.
//!
//! A row is written each time that a consent is given; taking it back closes the
//! row and deletes nothing. Nothing leaves under a purpose without its consent,
//! save an SOS, whose ground is the press itself.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::config::Policy;
use crate::error::{Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::outbox::{Outbox, Role};
use crate::record::{Record, set_meta_number};
use crate::validate;
use crate::whereabouts::skip_recorded;

/// What a consent is for. An SOS needs none: its ground is the press itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// The traveler's consents. Reached through `Homeline::consents`.
#[derive(uniffi::Object)]
pub struct Consents {
    pub(crate) record: Arc<Record>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) time: Time,
    pub(crate) policy: Policy,
}

#[uniffi::export]
impl Consents {
    /// The traveler gives consent. `text_version` names the text that was shown.
    /// Positions recorded before are not covered.
    pub fn give(&self, purpose: Purpose, text_version: String) -> Result<()> {
        guard("Consents::give", || {
            let version = validate::line("text_version", &text_version, &self.policy)?;
            let now_ms = self.time.now().wall_ms;
            self.record
                .write(|tx| give(tx, purpose, &version, now_ms))?;
            self.listeners.notify(Topic::Record);
            Ok(())
        })
    }

    /// The traveler takes a consent back: what waits under it is deleted.
    pub fn withdraw(&self, purpose: Purpose) -> Result<()> {
        guard("Consents::withdraw", || {
            let now_ms = self.time.now().wall_ms;
            self.record.write(|tx| withdraw(tx, purpose, now_ms))?;
            self.outbox.withdraw(match purpose {
                Purpose::Register => Role::Profile,
                Purpose::Whereabouts => Role::Positions,
            })?;
            self.listeners.notify(Topic::Record);
            Ok(())
        })
    }

    /// Every consent that was given, withdrawn ones included, the oldest first.
    pub fn list(&self) -> Result<Vec<Consent>> {
        guard("Consents::list", || self.record.read(list))
    }
}

fn number(purpose: Purpose) -> i64 {
    match purpose {
        Purpose::Register => 0,
        Purpose::Whereabouts => 1,
    }
}

fn from_number(number: i64) -> Purpose {
    match number {
        0 => Purpose::Register,
        _ => Purpose::Whereabouts,
    }
}

/// Whether a consent is in force.
pub(crate) fn in_force(tx: &Connection, purpose: Purpose) -> Result<bool> {
    let given: Option<i64> = tx
        .query_row(
            "SELECT 1 FROM consent_given WHERE purpose = ?1 AND withdrawn_ms IS NULL",
            [number(purpose)],
            |row| row.get(0),
        )
        .optional()?;
    Ok(given.is_some())
}

fn give(tx: &Connection, purpose: Purpose, version: &str, now_ms: i64) -> Result<()> {
    if purpose == Purpose::Whereabouts && !in_force(tx, purpose)? {
        skip_recorded(tx)?;
    }
    if purpose == Purpose::Register && !in_force(tx, purpose)? {
        // The withdrawal deleted what waited. What has arrived keeps its id, so
        // it is not sent twice.
        set_meta_number(tx, "profile_sent", 0)?;
    }
    withdraw(tx, purpose, now_ms)?;
    tx.execute(
        "INSERT INTO consent_given (purpose, text_version, language, given_ms)
         VALUES (?1, ?2, '', ?3)",
        params![number(purpose), version, now_ms],
    )?;
    Ok(())
}

fn withdraw(tx: &Connection, purpose: Purpose, now_ms: i64) -> Result<()> {
    tx.execute(
        "UPDATE consent_given SET withdrawn_ms = ?2 WHERE purpose = ?1 AND withdrawn_ms IS NULL",
        params![number(purpose), now_ms],
    )?;
    Ok(())
}

fn list(tx: &Connection) -> Result<Vec<Consent>> {
    let mut statement = tx.prepare(
        "SELECT purpose, text_version, given_ms, withdrawn_ms FROM consent_given ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Consent {
            purpose: from_number(row.get(0)?),
            text_version: row.get(1)?,
            given_ms: row.get(2)?,
            withdrawn_ms: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
