//! The standing envelopes: who calls, and the medical card, prepared while the
//! record is open.
//!
//! They are sealed to the ministry like everything in the outbox, and sent only
//! beside an SOS, the medical card only beside one of the kind `Medical`. So a
//! press before the first unlock still says who is calling. Who calls is renewed
//! when the profile changes or the traveler has moved; the card when it, or the
//! consent that covers it, changes; both when the keys do.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use uuid::Uuid;

use super::report::{aged, new_id};
use crate::clock::{ClockReading, Time};
use crate::config::Policy;
use crate::contacts::load_contacts;
use crate::error::Result;
use crate::outbox::{Outbox, StandingKind, StandingRow};
use crate::record::{Record, meta_number};
use crate::registration::{
    SavedTrip, Today, Trip, all_in_force, last_confirmed, load_medical_card, load_traveler,
    load_trips, medical_ground, medical_version, open_trip_at,
};
use crate::seal::envelope;
use crate::sync::Sealer;
use crate::sync::protocol::{ConsentInForce, Content, Medical, Standing};
use crate::whereabouts::{Fix, KnownFix, LastKnown};

/// What the current standing envelope holds.
#[derive(Clone)]
struct Current {
    id: Uuid,
    version: i64,
    made_ms: i64,
    /// Not known after a restart: then only its age counts.
    fix: Option<Fix>,
    header: Vec<u8>,
}

/// What the medical envelope holds.
#[derive(Clone)]
struct CurrentMedical {
    version: i64,
    /// Id and header; `None` where there is no card, or it may not leave.
    envelope: Option<(Uuid, Vec<u8>)>,
}

/// Keeps the standing envelope current.
pub(crate) struct StandingKeeper {
    record: Arc<Record>,
    outbox: Arc<Outbox>,
    sealer: Arc<Sealer>,
    last: Arc<LastKnown>,
    time: Time,
    policy: Policy,
    current: Mutex<Option<Current>>,
    medical: Mutex<Option<CurrentMedical>>,
    /// Held from reading the record until the envelope is stored, so that an
    /// erasure is not overtaken. No press asks for it.
    making: Mutex<()>,
}

impl StandingKeeper {
    pub(crate) fn new(
        record: Arc<Record>,
        outbox: Arc<Outbox>,
        sealer: Arc<Sealer>,
        last: Arc<LastKnown>,
        time: Time,
        policy: Policy,
    ) -> Self {
        let stored = |kind| outbox.standing(kind).ok().flatten();
        let current = stored(StandingKind::Who).map(|row| Current {
            header: envelope::header(&row.sealed).to_vec(),
            id: row.id,
            version: row.version,
            made_ms: row.made_ms,
            fix: None,
        });
        let medical = stored(StandingKind::Medical).map(|row| CurrentMedical {
            version: row.version,
            envelope: Some((row.id, envelope::header(&row.sealed).to_vec())),
        });
        Self {
            record,
            outbox,
            sealer,
            last,
            time,
            policy,
            current: Mutex::new(current),
            medical: Mutex::new(medical),
            making: Mutex::new(()),
        }
    }

    /// Envelope id of the current one, for a report to name.
    pub(crate) fn id(&self) -> Option<Uuid> {
        self.current().map(|current| current.id)
    }

    /// Envelope id of the medical card, for a report to name.
    pub(crate) fn medical_id(&self) -> Option<Uuid> {
        let (id, _) = self.medical()?.envelope?;
        Some(id)
    }

    /// Renews what has changed. A failure is not the caller's: the next change,
    /// pass or start repeats it.
    pub(crate) fn renew_if_stale(&self) {
        let versions = self
            .record
            .read(|tx| Ok((standing_version(tx)?, medical_version(tx)?)));
        let Ok((version, medical)) = versions else {
            return;
        };
        let stale = self.current().map_or(version > 0, |current| {
            current.version != version || !self.sealer.is_current(&current.header)
        });
        if stale {
            let _ = self.renew();
        }
        let stale = self.medical().map_or(medical > 0, |current| {
            let old_keys = |(_, header): &(Uuid, Vec<u8>)| !self.sealer.is_current(header);
            current.version != medical || current.envelope.as_ref().is_some_and(old_keys)
        });
        if stale {
            let _ = self.renew_medical();
        }
    }

    /// Seals the medical card anew, or takes its envelope away where there is no
    /// card or it may not leave.
    pub(crate) fn renew_medical(&self) -> Result<()> {
        let now = self.time.now();
        let (version, letter) = self.medical_letter(&now)?;
        let envelope = match letter {
            None => {
                self.outbox.remove_medical()?;
                None
            }
            Some(letter) => {
                let id = new_id(now.wall_ms)?;
                let row = StandingRow {
                    id,
                    sealed: self.sealer.to_ministry(&Content::Medical(letter), id)?,
                    version,
                    made_ms: now.wall_ms,
                };
                self.outbox.set_standing(StandingKind::Medical, &row)?;
                Some((id, envelope::header(&row.sealed).to_vec()))
            }
        };
        *self.medical.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(CurrentMedical { version, envelope });
        Ok(())
    }

    /// Renews it when the traveler has moved far, or long ago.
    pub(crate) fn renew_if_moved(&self) {
        let now = self.time.now();
        let newest = self.last.recent(&now).into_iter().next();
        let due = match (&self.current(), &newest) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(current), Some(newest)) => {
                let old = now.wall_ms.saturating_sub(current.made_ms).abs()
                    >= self.policy.standing_age_ms;
                let far = current.fix.as_ref().is_none_or(|fix| {
                    fix.distance_m(&newest.fix) > self.policy.standing_distance_m
                });
                old || far
            }
        };
        if due {
            let _ = self.renew();
        }
    }

    /// Forgets the current one. The record is closed: what was being made is
    /// stored by now, and nothing is made any more.
    pub(crate) fn forget(&self) {
        let _made = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.medical.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What an envelope of this kind would say now; `None` where the record cannot be
    /// read, or there is nothing to say.
    pub(crate) fn letter(&self, kind: StandingKind) -> Option<Content> {
        let now = self.time.now();
        match kind {
            StandingKind::Who => {
                let newest = self.last.recent(&now).into_iter().next();
                let (_, letter) = self.standing_letter(&now, newest).ok()?;
                Some(Content::Standing(letter))
            }
            StandingKind::Medical => {
                let (_, letter) = self.medical_letter(&now).ok()?;
                letter.map(Content::Medical)
            }
        }
    }

    /// The medical card and its version; none where it may not leave.
    fn medical_letter(&self, now: &ClockReading) -> Result<(i64, Option<Medical>)> {
        self.record.read(|tx| {
            let card = load_medical_card(tx)?.zip(medical_ground(tx)?);
            let letter = card.map(|(card, ground)| Medical {
                as_of: now.clone(),
                card,
                ground,
            });
            Ok((medical_version(tx)?, letter))
        })
    }

    /// Who calls, and the version of that.
    fn standing_letter(
        &self,
        now: &ClockReading,
        newest: Option<KnownFix>,
    ) -> Result<(i64, Standing)> {
        let best_ms = now.wall_ms.saturating_add(self.offset_ms());
        self.record.read(|tx| {
            let contacts = load_contacts(tx)?;
            let standing = Standing {
                as_of: now.clone(),
                traveler: load_traveler(tx)?,
                contacts: contacts
                    .into_iter()
                    .take(self.policy.standing_contacts)
                    .map(|saved| saved.contact)
                    .collect(),
                position: newest.clone().map(aged),
                trip: trip_of_now(load_trips(tx)?, best_ms, self.policy.standing_stays),
                confirmed_ms: last_confirmed(tx)?,
                consents: all_in_force(tx)?
                    .into_iter()
                    .map(|(purpose, text_version)| ConsentInForce {
                        purpose,
                        text_version,
                    })
                    .collect(),
            };
            Ok((standing_version(tx)?, standing))
        })
    }

    fn renew(&self) -> Result<()> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.time.now();
        let newest = self.last.recent(&now).into_iter().next();
        let (version, standing) = self.standing_letter(&now, newest.clone())?;
        let id = new_id(now.wall_ms)?;
        let row = StandingRow {
            id,
            sealed: self.sealer.to_ministry(&Content::Standing(standing), id)?,
            version,
            made_ms: now.wall_ms,
        };
        self.outbox.set_standing(StandingKind::Who, &row)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Current {
            id,
            version,
            made_ms: row.made_ms,
            fix: newest.map(|known| known.fix),
            header: envelope::header(&row.sealed).to_vec(),
        });
        Ok(())
    }

    fn offset_ms(&self) -> i64 {
        let offset = self.outbox.get_number("offset_ms").ok().flatten();
        offset.unwrap_or_default()
    }

    fn medical(&self) -> Option<CurrentMedical> {
        self.medical
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn current(&self) -> Option<Current> {
        self.current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Changes whenever something does that stands in the envelope; 0 where nothing
/// was ever registered.
fn standing_version(tx: &Connection) -> Result<i64> {
    let profile = meta_number(tx, "profile_version")?;
    if profile == 0 {
        return Ok(0);
    }
    let consents: i64 = tx.query_row(
        // Both only grow: a consent is given anew in a row of its own.
        "SELECT count(*) + count(withdrawn_ms) FROM consent_given",
        [],
        |row| row.get(0),
    )?;
    Ok(profile.saturating_add(consents))
}

/// The trip of now or the next one, with at most `most` of the stays that are not
/// over.
fn trip_of_now(trips: Vec<SavedTrip>, now_ms: i64, most: usize) -> Option<Trip> {
    let today = Today::at(now_ms);
    let open: Vec<SavedTrip> = trips
        .into_iter()
        .filter(|saved| saved.closed.is_none())
        .collect();
    let mut trip = open_trip_at(&open, |saved| &saved.trip, today)?
        .trip
        .clone();
    // Dates of the form YYYY-MM-DD sort as their days do.
    let first = today.first.to_string();
    trip.stays.retain(|stay| stay.to >= first);
    trip.stays.truncate(most);
    Some(trip)
}
