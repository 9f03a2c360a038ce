//! What the traveler should look after: computed from what is stored, never
//! stored itself, so that a reminder ends with its reason.
//!
//! [`collect`] reads the record, [`decide`] is pure.

use rusqlite::Connection;

use super::date::{Date, Today};
use super::trips::{SavedTrip, Trip};
use super::{Purpose, TRAVELER, confirmed, in_force, profile, trips};
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
        consents_to_register: in_force(tx, Purpose::Register)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy::STANDARD;
    const DAY: i64 = 86_400_000;

    fn noon(date: &str) -> i64 {
        Date::parse(date).unwrap().over_ms() - DAY
    }

    fn saved(id: &str, departs: &str, returns: Option<&str>) -> SavedTrip {
        SavedTrip {
            id: id.into(),
            trip: Trip {
                departs: departs.into(),
                returns: returns.map(str::to_owned),
                ..Trip::default()
            },
            closed: None,
        }
    }

    /// A traveler with nothing to look after on 2026-06-01.
    fn well() -> Found {
        Found {
            registered: true,
            registered_ms: Some(noon("2026-01-01")),
            expiries: vec![Some("2035-01-01".into())],
            trips: vec![saved("t", "2026-05-20", Some("2026-06-20"))],
            confirmed_ms: Some(noon("2026-05-20")),
            contacts: 1,
            consents_to_register: true,
        }
    }

    fn on(found: &Found, date: &str) -> Vec<(ReminderKind, Urgency)> {
        decide(found, noon(date), &POLICY)
            .into_iter()
            .map(|reminder| (reminder.kind, reminder.urgency))
            .collect()
    }

    #[test]
    fn each_reminder_begins_and_ends_with_its_reason() {
        use ReminderKind::*;
        use Urgency::{High, Normal};
        let expiring = |date: &str| Found {
            expiries: vec![Some(date.into())],
            ..well()
        };
        let no_trip = |date: &str| Found {
            trips: vec![],
            ..expiring(date)
        };
        let planned = |date: &str| Found {
            trips: vec![saved("p", "2026-09-01", Some("2026-09-10"))],
            ..expiring(date)
        };
        let nobody = || Found {
            registered: false,
            contacts: 0,
            consents_to_register: false,
            ..Found::default()
        };
        let none = || Vec::<(ReminderKind, Urgency)>::new();
        for (name, found, date, expected) in [
            ("well", well(), "2026-06-01", none()),
            ("nobody is registered", nobody(), "2026-06-01", none()),
            (
                "expired",
                expiring("2026-05-30"),
                "2026-06-01",
                vec![(DocumentExpired, High)],
            ),
            (
                "expires today",
                no_trip("2026-06-01"),
                "2026-06-01",
                vec![(DocumentExpires, Normal)],
            ),
            (
                "expires in the trip",
                expiring("2026-06-10"),
                "2026-06-01",
                vec![(DocumentTooShort, High)],
            ),
            // Six months after the return are 2026-12-20.
            (
                "a day short of six months",
                expiring("2026-12-19"),
                "2026-06-01",
                vec![(DocumentTooShort, High)],
            ),
            (
                "six months to the day",
                expiring("2026-12-20"),
                "2026-06-01",
                vec![(DocumentExpires, Normal)],
            ),
            (
                "short, but the trip is far",
                planned("2027-02-01"),
                "2026-06-01",
                vec![(DocumentTooShort, Normal)],
            ),
            (
                "short, and the trip is near",
                planned("2027-02-01"),
                "2026-07-15",
                vec![(DocumentTooShort, High)],
            ),
            (
                "expires in 271 days",
                no_trip("2027-02-27"),
                "2026-05-31",
                none(),
            ),
            (
                "expires in 269 days",
                no_trip("2027-02-25"),
                "2026-06-01",
                vec![(DocumentExpires, Normal)],
            ),
            ("not a date", no_trip("soon"), "2026-06-01", none()),
            (
                "returned?",
                well(),
                "2026-06-22",
                vec![(TripPastReturn, High)],
            ),
            ("on the day of return", well(), "2026-06-20", none()),
            (
                "unconfirmed",
                Found {
                    trips: vec![],
                    ..well()
                },
                "2026-08-18",
                vec![(NotConfirmed, Normal)],
            ),
            (
                "confirmed",
                Found {
                    trips: vec![],
                    ..well()
                },
                "2026-08-17",
                none(),
            ),
            (
                "never confirmed",
                Found {
                    trips: vec![],
                    confirmed_ms: None,
                    ..well()
                },
                "2026-06-01",
                vec![(NotConfirmed, Normal)],
            ),
            (
                "nobody to call, abroad",
                Found {
                    contacts: 0,
                    ..well()
                },
                "2026-06-01",
                vec![(NoContact, High)],
            ),
            (
                "nobody to call, at home",
                Found {
                    contacts: 0,
                    trips: vec![],
                    ..well()
                },
                "2026-06-01",
                vec![(NoContact, Normal)],
            ),
            (
                "nothing is sent, and nobody to call",
                Found {
                    contacts: 0,
                    consents_to_register: false,
                    ..well()
                },
                "2026-06-01",
                vec![(NoContact, High), (NotSent, High)],
            ),
        ] {
            assert_eq!(on(&found, date), expected, "{name}");
        }
    }

    #[test]
    fn a_reminder_says_which_and_since_when_and_shows_no_date() {
        let found = Found {
            expiries: vec![None, Some("2026-06-10".into())],
            ..well()
        };
        let reminder = decide(&found, noon("2026-06-01"), &POLICY).remove(0);
        assert_eq!(
            (reminder.document, reminder.trip.as_deref()),
            (Some(1), Some("t"))
        );
        assert_eq!(reminder.date.as_deref(), Some("2026-06-10"));
        assert!(!format!("{reminder:?}").contains("2026"));

        let overdue = decide(&well(), noon("2026-07-01"), &POLICY).remove(0);
        assert_eq!(overdue.since_ms, Some(noon("2026-06-20") + DAY));
        assert_eq!(overdue.trip.as_deref(), Some("t"));
        let stale = Found {
            trips: vec![],
            ..well()
        };
        let stale = decide(&stale, noon("2026-09-01"), &POLICY).remove(0);
        assert_eq!(stale.since_ms, Some(noon("2026-05-20") + POLICY.confirm_ms));
    }

    #[test]
    fn the_most_urgent_comes_first_and_no_clock_is_too_much() {
        let found = Found {
            expiries: vec![Some("2027-02-01".into()); 3],
            confirmed_ms: None,
            ..well()
        };
        let kinds = on(&found, "2026-07-01");
        assert!(kinds.is_sorted_by_key(|(_, urgency)| std::cmp::Reverse(*urgency)));
        assert_eq!(kinds[0], (ReminderKind::TripPastReturn, Urgency::High));
        for now_ms in [i64::MIN, -1, 0, i64::MAX] {
            let _ = decide(&found, now_ms, &POLICY);
        }
    }
}
