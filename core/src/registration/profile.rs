//! The profile: the whole registration as one versioned whole, and its way to
//! the outbox.

use rusqlite::Connection;
use uuid::Uuid;

use super::{Traveler, fields, gate, phones};
use crate::error::Result;
use crate::outbox::{Lane, NewEnvelope, Outbox, Role};
use crate::record::{Record, meta, meta_number, set_meta, set_meta_number};
use crate::sync::protocol::{Content, Profile};
use crate::sync::{Sealer, stable_id};

/// Notes a change of the registration: a new version of the profile.
pub(crate) fn changed(tx: &Connection) -> Result<()> {
    set_meta_number(
        tx,
        "profile_version",
        meta_number(tx, "profile_version")? + 1,
    )
}

/// The entity that the traveler is.
pub const TRAVELER: &str = "traveler";

/// The traveler as saved, if any.
pub(crate) fn load_traveler(tx: &Connection) -> Result<Option<Traveler>> {
    fields::load(tx, TRAVELER)
}

/// The id of the registration, the same on all phones of one traveler; made at
/// the first use.
pub(crate) fn registration_id(tx: &Connection) -> Result<Uuid> {
    let known = meta(tx, "registration")?;
    if let Ok(id) = Uuid::parse_str(&known) {
        return Ok(id);
    }
    let id = stable_id(&meta(tx, "instance")?, "registration", 0);
    set_meta(tx, "registration", &id.to_string())?;
    Ok(id)
}

/// Moves the newest version of the profile to the outbox, if the traveler
/// consents and it is not there yet. Returns whether consent is what is missing.
///
/// A crash between the two files repeats the step: the id is made from record
/// and version, so the repetition is the same envelope.
pub(crate) fn stage_profile(record: &Record, outbox: &Outbox, sealer: &Sealer) -> Result<bool> {
    let (version, next, instance) = record.write(|tx| {
        let version = meta_number(tx, "profile_version")?;
        let unsent = version > meta_number(tx, "profile_sent")?;
        let next = match unsent {
            true => {
                let content = Content::Profile(load_profile(tx, version, sealer.device().id())?);
                Some((gate::may_leave(tx, &content)?, content))
            }
            false => None,
        };
        Ok((version, next, meta(tx, "instance")?))
    })?;
    let content = match next {
        None => return Ok(false),
        Some((false, _)) => return Ok(true),
        Some((true, content)) => content,
    };
    let id: Uuid = stable_id(&instance, "profile", version);
    let sealed = sealer.to_ministry(&content, id)?;
    outbox.enqueue(&NewEnvelope {
        id,
        lane: Lane::Registration,
        role: Role::Profile,
        report: None,
        sealed,
        readable: Some(sealer.to_self(&content, id)?),
        not_before_ms: 0,
    })?;
    record.write(|tx| set_meta_number(tx, "profile_sent", version))?;
    // A withdrawal may have come in between.
    gate::enforce(record, outbox)?;
    Ok(false)
}

fn load_profile(tx: &Connection, version: i64, device: &str) -> Result<Profile> {
    Ok(Profile {
        version: u64::try_from(version).unwrap_or(0),
        registration: registration_id(tx)?,
        fields: gate::covered(tx, fields::all(tx)?, device)?,
        phones: phones::note(tx, device)?,
    })
}
