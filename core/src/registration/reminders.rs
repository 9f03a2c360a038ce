//! What the traveler should look after: computed from what is stored, never
//! stored itself, so that a reminder ends with its reason.
//!
//! [`collect`] reads the record, [`decide`] is pure.

use rusqlite::Connection;

use super::date::{Date, Today};
use super::trips::{SavedTrip, Trip};
use super::{Purpose, TRAVELER, confirmed, consent, profile, trips};
use crate::config::Policy;
use crate::contacts::load_contacts;
use crate::error::Result;

/// What a reminder is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ReminderKind {
    /// A document has expired.
    DocumentExpired,
    /// A document expires before a trip ends, or too soon after it: many borders
    /// ask for six months beyond the stay.
    DocumentTooShort,
    /// A document expires soon.
    DocumentExpires,
    /// A trip is past its declared return and has not been closed.
    TripPastReturn,
    /// The registration was not confirmed for long.
    NotConfirmed,
    /// There is nobody to call for the traveler.
    NoContact,
    /// No consent was given to register: everything stays on the phone, and the
    /// ministry knows nothing.
    NotSent,
}

/// How soon something should be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, uniffi::Enum)]
pub enum Urgency {
    /// When there is time.
    Low,
    /// In the next days.
    Normal,
    /// Now.
    High,
}

/// Something that the traveler should look after.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Reminder {
    /// What it is about.
    pub kind: ReminderKind,
    /// How soon.
    pub urgency: Urgency,
    /// Since when it is so, milliseconds UTC by the best time known; absent where
    /// the phone does not know.
    pub since_ms: Option<i64>,
    /// The day that it is about, `YYYY-MM-DD`: of an expiry, or of a return.
    pub date: Option<String>,
    /// Place of the document in `Traveler::documents`, from 0.
    pub document: Option<u32>,
    /// Id of the trip.
    pub trip: Option<String>,
}

/// Shows kinds, numbers and ids; the dates are the traveler's own.
impl std::fmt::Debug for Reminder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reminder")
            .field("kind", &self.kind)
            .field("urgency", &self.urgency)
            .field("document", &self.document)
            .field("trip", &self.trip)
            .finish_non_exhaustive()
    }
}

/// All that reminders are made from.
#[derive(Default)]
pub(super) struct Found {
    /// Whether anybody is registered.
    pub(super) registered: bool,
    /// When the traveler was first changed, where it is known.
    pub(super) registered_ms: Option<i64>,
    /// Days of expiry of the documents, in their order.
    pub(super) expiries: Vec<Option<String>>,
    /// Trips that are not closed.
    pub(super) trips: Vec<SavedTrip>,
    pub(super) confirmed_ms: Option<i64>,
    pub(super) contacts: usize,
    pub(super) consents_to_register: bool,
}

/// Reads what reminders are made from.
pub(super) fn collect(tx: &Connection) -> Result<Found> {
    let traveler = profile::load_traveler(tx)?;
    let oldest: Option<i64> = tx.query_row(
        // What version 1 kept has no time of its own.
        "SELECT min(changed_ms) FROM field WHERE entity = ?1 AND changed_ms > 0",
        [TRAVELER],
        |row| row.get(0),
    )?;
    let mut trips = trips::load(tx)?;
    trips.retain(|saved| saved.closed.is_none());
    Ok(Found {
        registered: traveler.is_some() || !trips.is_empty(),
        registered_ms: oldest,
        expiries: traveler
            .map(|traveler| traveler.documents)
            .unwrap_or_default()
            .into_iter()
            .map(|document| document.expiry_date)
            .collect(),
        trips,
        confirmed_ms: confirmed::load(tx)?,
        contacts: load_contacts(tx)?.len(),
        consents_to_register: consent::in_force(tx, Purpose::Register)?,
    })
}

/// The reminders at `now_ms`, the most urgent first.
pub(super) fn decide(found: &Found, now_ms: i64, policy: &Policy) -> Vec<Reminder> {
    if !found.registered {
        return Vec::new();
    }
    let today = Today::at(now_ms);
    let mut reminders = documents(found, today, policy);
    reminders.extend(
        found
            .trips
            .iter()
            .filter_map(|saved| past_return(saved, today)),
    );
    if let Some(since_ms) = unconfirmed(found, now_ms, policy) {
        reminders.push(plain(
            ReminderKind::NotConfirmed,
            Urgency::Normal,
            Some(since_ms),
        ));
    }
    if found.contacts == 0 {
        let urgency = if abroad(found, today) {
            Urgency::High
        } else {
            Urgency::Normal
        };
        reminders.push(plain(ReminderKind::NoContact, urgency, found.registered_ms));
    }
    if !found.consents_to_register {
        let urgency = if abroad(found, today) {
            Urgency::High
        } else {
            Urgency::Normal
        };
        reminders.push(plain(ReminderKind::NotSent, urgency, found.registered_ms));
    }
    // Stable: within an urgency, the order of above.
    reminders.sort_by_key(|reminder| std::cmp::Reverse(reminder.urgency));
    reminders
}

fn plain(kind: ReminderKind, urgency: Urgency, since_ms: Option<i64>) -> Reminder {
    Reminder {
        kind,
        urgency,
        since_ms,
        date: None,
        document: None,
        trip: None,
    }
}

/// Whether a trip is running.
fn abroad(found: &Found, today: Today) -> bool {
    let running = |trip: &Trip| {
        let begun = trip.departs().is_some_and(|departs| departs <= today.last);
        begun && trip.ends().is_none_or(|ends| ends >= today.first)
    };
    found.trips.iter().any(|saved| running(&saved.trip))
}

fn past_return(saved: &SavedTrip, today: Today) -> Option<Reminder> {
    let returns = saved.trip.returns()?;
    (today.first > returns).then(|| Reminder {
        date: Some(returns.to_string()),
        trip: Some(saved.id.clone()),
        ..plain(
            ReminderKind::TripPastReturn,
            Urgency::High,
            Some(returns.over_ms()),
        )
    })
}

/// Since when a confirmation is due, if it is.
fn unconfirmed(found: &Found, now_ms: i64, policy: &Policy) -> Option<i64> {
    let last_ms = found.confirmed_ms.or(found.registered_ms)?;
    let due_ms = last_ms.saturating_add(policy.confirm_ms);
    (due_ms <= now_ms).then_some(due_ms)
}

/// One reminder a document: the gravest thing about it.
fn documents(found: &Found, today: Today, policy: &Policy) -> Vec<Reminder> {
    (0_u32..)
        .zip(&found.expiries)
        .filter_map(|(document, expiry)| {
            let expires = Date::parse(expiry.as_deref()?)?;
            let short = found
                .trips
                .iter()
                .filter_map(|saved| Some((saved, too_short(expires, &saved.trip, today, policy)?)))
                .max_by_key(|(_, urgency)| *urgency);
            let (kind, urgency, since_ms, trip) = if today.first > expires {
                let kind = ReminderKind::DocumentExpired;
                (kind, Urgency::High, Some(expires.over_ms()), None)
            } else if let Some((saved, urgency)) = short {
                let kind = ReminderKind::DocumentTooShort;
                (kind, urgency, None, Some(saved.id.clone()))
            } else {
                let notice = expires.plus_days(-policy.document_days);
                if today.last < notice {
                    return None;
                }
                let kind = ReminderKind::DocumentExpires;
                (kind, Urgency::Normal, Some(notice.begins_ms()), None)
            };
            Some(Reminder {
                date: Some(expires.to_string()),
                document: Some(document),
                trip,
                ..plain(kind, urgency, since_ms)
            })
        })
        .collect()
}

/// Whether a document is valid for too short a time for a trip, and how urgent
/// that is: a trip that has begun, begins soon, or ends after the expiry.
fn too_short(expires: Date, trip: &Trip, today: Today, policy: &Policy) -> Option<Urgency> {
    let (departs, ends) = (trip.departs()?, trip.ends()?);
    if ends < today.first || ends.plus_months(policy.document_months) <= expires {
        return None;
    }
    let soon = departs <= today.last.plus_days(policy.trip_soon_days);
    Some(if soon || expires < ends {
        Urgency::High
    } else {
        Urgency::Normal
    })
}
