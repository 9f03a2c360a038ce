//! The gate: what may leave the phone, and on which ground. One place decides;
//! every path that fills the outbox asks it.
//!
//! | content | ground |
//! | --- | --- |
//! | an SOS and what belongs to it | the press itself |
//! | the registration, a group that the traveler leads | consent to `Register` |
//! | positions | consent to `Whereabouts`; or to `WhereaboutsInCrisis` inside a declared crisis |
//! | the request to erase, a word that one leaves a group | the traveler's own demand |
//!
//! The ground is asked when an envelope is made and again when it is in the
//! outbox, so that a withdrawal in between is not overtaken.

use rusqlite::Connection;

use super::fields::{Field, REMOVED};
use super::groups::groups_withdrawn;
use super::{Purpose, changed, ledger};
use crate::error::Result;
use crate::outbox::{Outbox, Role};
use crate::record::Record;
use crate::sync::protocol::{Content, Crisis};

/// On which ground a content may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// A press: the traveler called for help.
    Sos,
    /// One of these consents.
    Consent(&'static [Purpose]),
    /// The traveler asks for it by the call that makes it.
    Demand,
}

/// The ground of a content. A new content without a ground does not compile.
pub(crate) fn ground(content: &Content) -> Ground {
    match content {
        Content::Sos(_)
        | Content::SosUpdate(_)
        | Content::SosCancel(_)
        | Content::Standing(_)
        | Content::Medical(_)
        | Content::Attachment(_) => Ground::Sos,
        Content::Profile(_) | Content::Group(_) => Ground::Consent(&[Purpose::Register]),
        Content::Positions(_) => {
            Ground::Consent(&[Purpose::Whereabouts, Purpose::WhereaboutsInCrisis])
        }
        Content::Erase(_) | Content::GroupLeave(_) => Ground::Demand,
    }
}

/// Whether a content may leave now.
pub(crate) fn may_leave(tx: &Connection, content: &Content) -> Result<bool> {
    match ground(content) {
        Ground::Sos | Ground::Demand => Ok(true),
        Ground::Consent(purposes) => {
            for purpose in purposes {
                if ledger::in_force(tx, *purpose)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

/// How far positions may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PositionGate {
    /// All that were recorded since the consent.
    Always,
    /// Those inside a crisis, since its beginning.
    InCrisis,
    /// None.
    Never,
}

impl PositionGate {
    /// The gate that the ledger sets.
    pub(crate) fn of(tx: &Connection) -> Result<Self> {
        Ok(if ledger::in_force(tx, Purpose::Whereabouts)? {
            Self::Always
        } else if ledger::in_force(tx, Purpose::WhereaboutsInCrisis)? {
            Self::InCrisis
        } else {
            Self::Never
        })
    }

    /// Whether a fix may leave: `latitude` and `longitude` in degrees (WGS 84),
    /// `time_ms` of the fix, and the crises that are declared now.
    pub(crate) fn lets(
        self,
        (latitude, longitude): (f64, f64),
        time_ms: i64,
        crises: &[Crisis],
    ) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::InCrisis => crises
                .iter()
                .any(|crisis| time_ms >= crisis.since_ms && holds(crisis, latitude, longitude)),
        }
    }
}

/// Whether a place is in the circle of a crisis. A circle that is none (a radius
/// that is not a positive number) holds nothing.
fn holds(crisis: &Crisis, latitude: f64, longitude: f64) -> bool {
    const EARTH_M: f64 = 6_371_008.8; // mean radius, IUGG
    let dlat = (latitude - crisis.latitude).to_radians();
    let dlon = (longitude - crisis.longitude).to_radians();
    let h = (dlat / 2.0).sin().powi(2)
        + latitude.to_radians().cos()
            * crisis.latitude.to_radians().cos()
            * (dlon / 2.0).sin().powi(2);
    // A NaN is not within anything.
    crisis.radius_m > 0.0 && 2.0 * EARTH_M * h.sqrt().min(1.0).asin() <= crisis.radius_m
}

/// Takes a consent back in the ledger.
pub(super) fn withdraw(
    tx: &Connection,
    purpose: Purpose,
    subject: &str,
    now_ms: i64,
) -> Result<()> {
    let closed = ledger::withdraw(tx, purpose, subject, now_ms)?;
    if closed {
        ledger::tell(tx, purpose)?;
    }
    if closed && subject.is_empty() && purpose == Purpose::Register {
        groups_withdrawn(tx)?;
    }
    if closed && !subject.is_empty() && purpose == Purpose::Register {
        // The ministry learns that the dependent is taken out.
        changed(tx)?;
    }
    Ok(())
}

/// Deletes from the outbox what waits under a consent that was taken back just
/// now; what was never made into an envelope stays on the phone.
pub(super) fn delete_waiting(outbox: &Outbox, purpose: Purpose, subject: &str) -> Result<()> {
    match (purpose, subject) {
        (Purpose::Register, "") => {
            outbox.withdraw(Role::Profile)?;
            outbox.withdraw(Role::Group)
        }
        // Of a registration without a dependent a new envelope is made.
        (Purpose::Register, _) => outbox.withdraw(Role::Profile),
        // Also where those inside a crisis may go on: what waits is sealed, and
        // nobody can tell any more which of it that would be.
        (Purpose::Whereabouts, "") => outbox.withdraw(Role::Positions),
        _ => Ok(()),
    }
}

/// Deletes from the outbox what waits without a ground: after an envelope was
/// made, and at each start, should the process have ended in a withdrawal.
pub(crate) fn enforce(record: &Record, outbox: &Outbox) -> Result<()> {
    let (profile, positions) = record.read(|tx| {
        Ok((
            ledger::in_force(tx, Purpose::Register)?,
            PositionGate::of(tx)?,
        ))
    })?;
    if !profile {
        outbox.withdraw(Role::Profile)?;
        outbox.withdraw(Role::Group)?;
    }
    if positions == PositionGate::Never {
        outbox.withdraw(Role::Positions)?;
    }
    Ok(())
}

/// The fields that leave: a dependent whose consent was taken back is told as
/// removed, and the ledger's last words come with them.
pub(super) fn covered(tx: &Connection, fields: Vec<Field>, device: &str) -> Result<Vec<Field>> {
    let consents = ledger::told(tx, device)?;
    let mut out: Vec<Field> = Vec::with_capacity(fields.len());
    for field in fields {
        let subject = field.entity.strip_prefix("dependent/");
        let withdrawn = match subject {
            Some(subject) => ledger::is_withdrawn(tx, Purpose::Register, subject)?,
            None => false,
        };
        if !withdrawn {
            out.push(field);
            continue;
        }
        match out.last_mut().filter(|last| last.entity == field.entity) {
            // Newer than every field that the ministry may have.
            Some(removal) => {
                removal.changed_ms = removal.changed_ms.max(field.changed_ms.saturating_add(1));
            }
            None => out.push(Field {
                key: REMOVED.to_owned(),
                value: serde_json::Value::Bool(true),
                changed_ms: field.changed_ms.saturating_add(1),
                ..field
            }),
        }
    }
    // Another phone's word on the same consent, if one was merged, gives way.
    out.retain(|field| !consents.iter().any(|own| own.entity == field.entity));
    out.extend(consents);
    Ok(out)
}

#[cfg(test)]
mod tests;
