//! Making a report out of a press. Nothing here can refuse one.

use uuid::Uuid;

use super::{Ground, SosRequest};
use crate::clock::ClockReading;
use crate::config::Policy;
use crate::error::Result;
use crate::keys::random;
use crate::sync::protocol::{AgedFix, SosReport};
use crate::validate;
use crate::whereabouts::{FixFlag, KnownFix, given};

/// A new UUIDv7 (RFC 9562); a clock before 1970 counts as 1970.
pub(crate) fn new_id(wall_ms: i64) -> Result<Uuid> {
    let bytes = random::<10>()?;
    let ms = u64::try_from(wall_ms).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(ms, &bytes).into_uuid())
}

pub(super) fn aged(known: KnownFix) -> AgedFix {
    AgedFix {
        fix: known.fix,
        age_ms: known.age_ms,
        flags: known.flags,
    }
}

/// What the host hands over with the press is the newest there is, and comes
/// first. Only a made-up one stands behind a known one that is not.
fn given_first(given: Option<AgedFix>, recent: Vec<AgedFix>) -> Vec<AgedFix> {
    let mock = |fix: &AgedFix| fix.flags.contains(&FixFlag::Mock);
    let behind =
        given.as_ref().is_some_and(mock) && recent.first().is_some_and(|known| !mock(known));
    match behind {
        true => recent.into_iter().chain(given).collect(),
        false => given.into_iter().chain(recent).collect(),
    }
}

/// Envelopes that go beside a report.
pub(super) struct Prepared {
    pub(super) standing: Option<Uuid>,
    pub(super) medical: Option<Uuid>,
}

/// The report of a press at `now`. `recent` holds the last known positions, the
/// newest first; a fix of the request that is in range comes before them.
pub(super) fn make(
    request: &SosRequest,
    id: Uuid,
    sequence: u64,
    now: &ClockReading,
    recent: Vec<KnownFix>,
    prepared: Prepared,
    policy: &Policy,
) -> SosReport {
    let (note, note_cut) = validate::note(&request.note, policy);
    let given = request
        .fix
        .clone()
        .and_then(|fix| fix.validated().ok())
        .map(|fix| aged(given(fix, now)));
    let mut positions = given_first(given, recent.into_iter().map(aged).collect()).into_iter();
    SosReport {
        report: id,
        sequence,
        pressed: now.clone(),
        kind: request.kind,
        note,
        note_cut,
        people: request.people,
        battery_percent: request.battery_percent.filter(|percent| *percent <= 100),
        position: positions.next(),
        recent: positions.take(policy.recent_positions).collect(),
        standing: prepared.standing,
        medical: prepared.medical,
        ground: Ground::VitalInterest,
    }
}
