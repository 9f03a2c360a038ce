//! Trips: where the traveler goes, until when, and whether that is still so.
//!
//! A trip is part of the registration and reaches the ministry with the next
//! profile, under the same consent; it also stands in the envelope that goes
//! beside an SOS. The current stay is never stored: it is derived from the dates
//! (see [`current`]). Whether a trip is over is decided by [`review`].

mod current;
mod review;
mod store;
#[cfg(test)]
mod tests;
mod trip;

pub(crate) use current::open_trip_at;
pub use current::{Certainty, Placement, stay_at, trip_at};
pub use review::{CloseReason, TripOutcome, TripQuestion};
pub(crate) use review::{Known, TimeTrust, review};
pub use store::{SavedTrip, TripClosed, trips_of};
pub(crate) use store::{expire, load, seen, stay_of_today, stays_ahead};
pub use trip::{Stay, Trip};

use std::sync::Arc;

use rusqlite::Connection;

use super::confirmed;
use super::countries::country;
use super::date::Today;
use super::fields::{Stamp, Stamper};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::record::Record;
use crate::sos::{StandingKeeper, new_id};
use review::Seen;
use store::Kept;

/// Where the traveler should be now.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct CurrentStay {
    /// Id of the trip.
    pub trip: String,
    /// The stay; absent between two stays.
    pub stay: Option<Stay>,
    /// How sure it is that it is this one.
    pub certainty: Certainty,
    /// The next stay of the trip.
    pub next: Option<Stay>,
}

redacted_debug!(CurrentStay);

/// What is to be done about a trip.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TripReview {
    /// Id of the trip.
    pub trip: String,
    /// What.
    pub outcome: TripOutcome,
    /// Since when it is so, milliseconds UTC by the best time known.
    pub since_ms: i64,
}

/// The traveler's trips. Reached through `Homeline::trips`.
#[derive(uniffi::Object)]
pub struct Trips {
    pub(crate) record: Arc<Record>,
    pub(crate) stamper: Stamper,
    pub(crate) standing: Arc<StandingKeeper>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) policy: Policy,
    /// Two letters: where nobody is abroad.
    pub(crate) home_country: String,
}

#[uniffi::export]
impl Trips {
    /// Adds a trip; returns its id.
    ///
    /// Errors: `Invalid` names the field; `Locked`, `KeyLost`, `Storage`.
    pub fn save(&self, trip: Trip) -> Result<String> {
        guard("Trips::save", || {
            let trip = trip.validated(&self.policy)?;
            let stamp = self.stamper.stamp();
            let id = new_id(stamp.changed_ms)?.to_string();
            let kept = Kept { trip, closed: None };
            self.record.write(|tx| {
                if load(tx)?.len() >= self.policy.trips {
                    let most = format!("at most {} trips", self.policy.trips);
                    return Err(HomelineError::invalid("trips", Problem::TooLong, &most));
                }
                store::save(tx, &id, &kept, &stamp, self.policy.registration_bytes)?;
                confirmed::by_hand(tx, &stamp)
            })?;
            self.changed();
            Ok(id)
        })
    }

    /// Replaces the trip `id`; one that was closed is open again.
    ///
    /// Errors: as `save`; `NotFound`.
    pub fn change(&self, id: String, trip: Trip) -> Result<()> {
        guard("Trips::change", || {
            let trip = trip.validated(&self.policy)?;
            let kept = Kept { trip, closed: None };
            self.by_hand(|tx, stamp| {
                store::find(tx, &id)?;
                store::save(tx, &id, &kept, stamp, self.policy.registration_bytes)
            })
        })
    }

    /// The traveler says that the trip `id` is over. One that is closed stays as
    /// it is.
    ///
    /// Errors: `NotFound`; `Locked`, `KeyLost`, `Storage`.
    pub fn close(&self, id: String) -> Result<()> {
        guard("Trips::close", || {
            self.by_hand(|tx, stamp| {
                let kept = store::find(tx, &id)?;
                if kept.closed.is_some() {
                    return Ok(());
                }
                close(tx, &id, kept, CloseReason::SaidByTraveler, stamp)
            })
        })
    }

    /// Removes the trip `id`.
    ///
    /// Errors: `NotFound`; `Locked`, `KeyLost`, `Storage`.
    pub fn remove(&self, id: String) -> Result<()> {
        guard("Trips::remove", || {
            self.by_hand(|tx, stamp| store::remove(tx, &id, stamp))
        })
    }

    /// All trips, closed ones included, the one that departs last first.
    pub fn list(&self) -> Result<Vec<SavedTrip>> {
        guard("Trips::list", || self.record.read(load))
    }

    /// Where the traveler should be now, by the dates of the open trips; `None`
    /// where there is no trip now.
    ///
    /// Dates are local and the core knows UTC: on the first and last day of a
    /// stay, and beside them, the answer is `Possible`.
    pub fn current_stay(&self) -> Result<Option<CurrentStay>> {
        guard("Trips::current_stay", || {
            let now_ms = self.stamper.stamp().changed_ms;
            let trips = self.record.read(load)?;
            Ok(current_stay(trips, now_ms))
        })
    }

    /// The host saw the phone in a country: by its network, its SIM, or a fix.
    /// Closes the trips that are over by that. Only the last country is kept, and
    /// it stays on the phone.
    ///
    /// Errors: `Invalid` where it is no country code; `Locked`, `KeyLost`,
    /// `Storage`.
    pub fn seen_in(&self, country_code: String) -> Result<()> {
        guard("Trips::seen_in", || {
            let country = country("country_code", &country_code)?;
            let now_ms = self.stamper.stamp().changed_ms;
            let step_ms = self.policy.seen_step_ms;
            let noted = self.record.write(|tx| {
                let next = seen_next(seen(tx)?, country.clone(), now_ms, step_ms);
                next.as_ref()
                    .map_or(Ok(()), |seen| store::set_seen(tx, seen))?;
                Ok(next.is_some())
            })?;
            if noted {
                self.review_all()?;
            }
            Ok(())
        })
    }

    /// Reviews each open trip that has begun: closes those that are surely over,
    /// and says which question to ask about the others.
    pub fn review(&self) -> Result<Vec<TripReview>> {
        guard("Trips::review", || self.review_all())
    }

    /// The traveler confirms that everything registered is still right.
    pub fn confirm(&self) -> Result<()> {
        guard("Trips::confirm", || {
            let stamp = self.stamper.stamp();
            self.record.write(|tx| confirmed::confirm(tx, &stamp))?;
            self.changed();
            Ok(())
        })
    }
}

impl Trips {
    fn changed(&self) {
        self.standing.renew_if_stale();
        self.listeners.notify(Topic::Record);
    }

    /// A change by the traveler's hand, which confirms the registration.
    fn by_hand(&self, work: impl Fn(&Connection, &Stamp) -> Result<()>) -> Result<()> {
        let stamp = self.stamper.stamp();
        self.record.write(|tx| {
            work(tx, &stamp)?;
            confirmed::by_hand(tx, &stamp)
        })?;
        self.changed();
        Ok(())
    }

    fn review_all(&self) -> Result<Vec<TripReview>> {
        let stamp = self.stamper.stamp();
        let trust = trust(&self.stamper);
        let reviews = self.record.write(|tx| {
            let seen = seen(tx)?;
            let known = Known {
                now_ms: stamp.changed_ms,
                trust,
                home: &self.home_country,
                seen: seen.as_ref(),
                confirmed_ms: confirmed::load(tx)?,
            };
            let mut reviews = Vec::new();
            for saved in load(tx)?.into_iter().filter(|saved| saved.closed.is_none()) {
                let Some((outcome, since_ms)) = review(&saved.trip, &known, &self.policy) else {
                    continue;
                };
                if let TripOutcome::Closed { reason } = outcome {
                    let kept = Kept {
                        trip: saved.trip,
                        closed: None,
                    };
                    close(tx, &saved.id, kept, reason, &stamp)?;
                }
                reviews.push(TripReview {
                    trip: saved.id,
                    outcome,
                    since_ms,
                });
            }
            Ok(reviews)
        })?;
        let closed = |review: &TripReview| matches!(review.outcome, TripOutcome::Closed { .. });
        if reviews.iter().any(closed) {
            self.changed();
        }
        Ok(reviews)
    }
}

/// The ministry's clock has corrected the phone's, or it has not.
pub(super) fn trust(stamper: &Stamper) -> TimeTrust {
    match stamper.outbox.get_number("offset_ms") {
        Ok(Some(_)) => TimeTrust::Confirmed,
        _ => TimeTrust::PhoneOnly,
    }
}

fn close(tx: &Connection, id: &str, kept: Kept, reason: CloseReason, stamp: &Stamp) -> Result<()> {
    let at_ms = stamp.changed_ms;
    let closed = Some(TripClosed { at_ms, reason });
    // Whatever the size: a trip that is over must not stay open.
    store::save(tx, id, &Kept { closed, ..kept }, stamp, usize::MAX)
}

/// The run of sightings after one more; `None` where it says nothing new.
fn seen_next(before: Option<Seen>, country: String, now_ms: i64, step_ms: i64) -> Option<Seen> {
    match before {
        Some(before) if before.country == country => {
            let ago = now_ms.saturating_sub(before.last_ms);
            // A time ahead of now is that of a wrong clock: the run begins anew.
            let since_ms = if ago < 0 { now_ms } else { before.since_ms };
            (!(0..step_ms).contains(&ago)).then_some(Seen {
                country,
                since_ms,
                last_ms: now_ms,
            })
        }
        _ => Some(Seen {
            country,
            since_ms: now_ms,
            last_ms: now_ms,
        }),
    }
}

fn current_stay(trips: Vec<SavedTrip>, now_ms: i64) -> Option<CurrentStay> {
    let today = Today::at(now_ms);
    let open: Vec<SavedTrip> = trips
        .into_iter()
        .filter(|saved| saved.closed.is_none())
        .collect();
    let saved = open_trip_at(&open, |saved| &saved.trip, today)?;
    if current::phase(&saved.trip, today)? != current::Phase::Running {
        return None;
    }
    let placement = stay_at(&saved.trip.stays, now_ms);
    Some(CurrentStay {
        trip: saved.id.clone(),
        stay: placement.stay.cloned(),
        certainty: placement.certainty,
        next: placement.next.cloned(),
    })
}
