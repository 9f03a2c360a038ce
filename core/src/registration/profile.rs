//! The profile: traveler and contacts as one versioned whole, and its way to the
//! outbox.

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use super::{Purpose, Traveler, consent};
use crate::contacts::load_contacts;
use crate::error::{HomelineError, Result, StorageProblem};
use crate::outbox::{Lane, NewEnvelope, Outbox, Role};
use crate::record::{Record, meta, meta_number, set_meta_number};
use crate::sync::protocol::{Content, Profile};
use crate::sync::{Sealer, stable_id};

/// Notes a change of traveler or contacts: a new version of the profile.
pub(crate) fn changed(tx: &Connection) -> Result<()> {
    set_meta_number(
        tx,
        "profile_version",
        meta_number(tx, "profile_version")? + 1,
    )
}

pub(super) fn save_traveler(tx: &Connection, traveler: &Traveler) -> Result<()> {
    let json =
        serde_json::to_string(traveler).map_err(|_| HomelineError::bug("registration::profile"))?;
    tx.execute(
        "INSERT INTO traveler (one, json) VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET json = excluded.json",
        [json],
    )?;
    changed(tx)
}

pub(super) fn remove_traveler(tx: &Connection) -> Result<()> {
    if tx.execute("DELETE FROM traveler", [])? > 0 {
        changed(tx)?;
    }
    Ok(())
}

/// The traveler as saved, if any.
pub(crate) fn load_traveler(tx: &Connection) -> Result<Option<Traveler>> {
    let json: Option<String> = tx
        .query_row("SELECT json FROM traveler", [], |row| row.get(0))
        .optional()?;
    json.map(|json| serde_json::from_str(&json))
        .transpose()
        .map_err(|_| StorageProblem::Damaged.into())
}

/// Moves the newest version of the profile to the outbox, if the traveler
/// consents and it is not there yet. Returns whether consent is what is missing.
///
/// A crash between the two files repeats the step: the id is made from record
/// and version, so the repetition is the same envelope.
pub(crate) fn stage_profile(record: &Record, outbox: &Outbox, sealer: &Sealer) -> Result<bool> {
    let (version, profile, instance, consent) = record.read(|tx| {
        let version = meta_number(tx, "profile_version")?;
        let unsent = version > meta_number(tx, "profile_sent")?;
        let profile = unsent.then(|| load_profile(tx, version)).transpose()?;
        let consent = consent::in_force(tx, Purpose::Register)?;
        Ok((version, profile, meta(tx, "instance")?, consent))
    })?;
    let Some(profile) = profile else {
        return Ok(false);
    };
    if !consent {
        return Ok(true);
    }
    let id: Uuid = stable_id(&instance, "profile", version);
    let sealed = sealer.to_ministry(&Content::Profile(profile), id)?;
    outbox.enqueue(&NewEnvelope {
        id,
        lane: Lane::Registration,
        role: Role::Profile,
        report: None,
        sealed,
        not_before_ms: 0,
    })?;
    record.write(|tx| set_meta_number(tx, "profile_sent", version))?;
    Ok(false)
}

fn load_profile(tx: &Connection, version: i64) -> Result<Profile> {
    Ok(Profile {
        version: u64::try_from(version).unwrap_or(0),
        traveler: load_traveler(tx)?,
        contacts: load_contacts(tx)?
            .into_iter()
            .map(|saved| saved.contact)
            .collect(),
    })
}
