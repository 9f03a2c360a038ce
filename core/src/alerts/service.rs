//! The alerts as a host reaches them.

use std::sync::Arc;

use rusqlite::Connection;

use super::arrivals::{self, ArrivalNotice, Arrivals, StandingNotice};
use super::{
    AlertReference, AlertState, Concerned, LocalAlert, NotificationPlan, PlaceAlerts, PlanState,
    Resolved, alerts_of_arrival, at_place, plan, resolve, store, views,
};
use crate::config::Policy;
use crate::error::{Result, guard};
use crate::geo::Spot;
use crate::record::Record;
use crate::reference::{AlertBook, Place, Reference};
use crate::registration::{Stay, country};

/// The ministry's alerts, matched on the phone: nothing of it leaves it. Reached through
/// `Homeline::alerts`.
#[derive(uniffi::Object)]
pub struct Alerts {
    pub(crate) reference: Arc<Reference>,
    pub(crate) record: Arc<Record>,
    pub(crate) policy: Policy,
}

/// The alerts that concern a stay that is still to come, or has begun.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct TripAlerts {
    /// The stay.
    pub stay: Stay,
    /// What holds there on one of its days.
    pub alerts: PlaceAlerts,
}

redacted_debug!(TripAlerts);

#[uniffi::export]
impl Alerts {
    /// The level and the alerts at a place, as of when. Of a position what covers it, and
    /// what names its country or a region of that; of a whole country all that concerns
    /// it.
    ///
    /// Errors: `Invalid` for a place that is none.
    pub fn at(&self, place: Place) -> Result<PlaceAlerts> {
        guard("Alerts::at", || {
            let spot = self.reference.find(place)?.spot;
            let now = self.now();
            Ok(now.shown(&now.found(&spot)))
        })
    }

    /// The level and the alerts of countries that the traveler has chosen (two letters
    /// each, ISO 3166-1).
    ///
    /// Errors: `Invalid` for a code that is none.
    pub fn in_countries(&self, codes: Vec<String>) -> Result<PlaceAlerts> {
        guard("Alerts::in_countries", || {
            let codes = self::codes(&codes)?;
            let now = self.now();
            Ok(now.shown(&now.book.index.concerning(&codes)))
        })
    }

    /// What concerns the stays of the open trips that are not over, in order of arrival.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn of_trips(&self) -> Result<Vec<TripAlerts>> {
        guard("Alerts::of_trips", || {
            let stays = self.reference.stays()?;
            let now = self.now();
            let found = now
                .book
                .index
                .at_stays(&stays, &now.book.alerts, now.now_ms);
            let view = |found: super::StayAlerts| {
                Some(TripAlerts {
                    stay: stays.get(found.stay)?.clone(),
                    alerts: now.shown(&found.alerts),
                })
            };
            Ok(found.into_iter().filter_map(view).collect())
        })
    }

    /// Every alert that the phone has, in whatever state, the most important first: what
    /// is over, was superseded or cancelled is kept, and marked.
    pub fn all(&self) -> Result<Vec<LocalAlert>> {
        guard("Alerts::all", || {
            let now = self.now();
            let every: Vec<usize> = (0..now.book.alerts.len()).collect();
            Ok(views(now.resolved(), &every, &now.languages))
        })
    }
}

#[uniffi::export]
impl Alerts {
    /// The notice of the country that the traveler has arrived in; absent at home and where
    /// no country is sure. Ask after `Topic::Whereabouts` and `Topic::Packs`. It is new,
    /// and to be notified, until `arrival_shown`: once for each arrival, also where
    /// positions come late. Near a border, and passing through, nothing is announced.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn arrival(&self) -> Result<Option<ArrivalNotice>> {
        guard("Alerts::arrival", || {
            let look = |tx: &Connection| arrivals::look(tx, &self.reference, &self.policy);
            let standing = self.record.write(look)?.notice;
            Ok(standing.map(|standing| self.notice(standing)))
        })
    }

    /// The host has shown the arrival notice: it is no longer new.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn arrival_shown(&self) -> Result<()> {
        guard("Alerts::arrival_shown", || {
            self.record.write(|tx| {
                let mut arrivals: Arrivals = store::state(tx, store::ARRIVAL)?;
                if let Some(notice) = &mut arrivals.notice {
                    notice.is_new = false;
                }
                store::set_state(tx, store::ARRIVAL, &arrivals)
            })
        })
    }

    /// What to show now, how loudly, and what is new since when: of the alerts where the
    /// traveler is, at the stays to come, and in `countries` that the traveler has chosen.
    /// Call `plan_shown` when it is on the screen; until then the next plan says it
    /// again, so that a kill in between loses nothing.
    ///
    /// Errors: `Invalid` for a code that is none; `Locked`, `KeyLost`, `Storage`.
    #[uniffi::method(default(countries = []))]
    pub fn plan(&self, countries: Vec<String>) -> Result<NotificationPlan> {
        guard("Alerts::plan", || {
            let codes = codes(&countries)?;
            let here = self.reference.find(Place::Here)?.spot;
            let stays = self.reference.stays()?;
            let now = self.now();
            let index = &now.book.index;
            let of_stays = index.at_stays(&stays, &now.book.alerts, now.now_ms);
            let mut elsewhere: Vec<usize> =
                of_stays.into_iter().flat_map(|stay| stay.alerts).collect();
            elsewhere.extend(index.concerning(&codes));
            let concerned = Concerned {
                here: &now.found(&here),
                elsewhere: &elsewhere,
            };
            self.record.write(|tx| {
                let shown: PlanState = store::state(tx, store::SHOWN)?;
                let read = store::read(tx)?;
                let (of, languages) = (now.resolved(), &now.languages);
                let (next, plan) = plan(of, concerned, &read, &shown, languages, now.now_ms);
                store::set_state(tx, store::PLANNED, &next)?;
                Ok(plan)
            })
        })
    }

    /// The host has shown the last plan.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn plan_shown(&self) -> Result<()> {
        guard("Alerts::plan_shown", || {
            self.record.write(store::plan_shown)
        })
    }

    /// The traveler has read these alerts. It stays on the phone. Names that it does not
    /// have are passed over; without a time of sending it is the newest of that name.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn mark_read(&self, alerts: Vec<AlertReference>) -> Result<()> {
        guard("Alerts::mark_read", || {
            let now_ms = self.reference.now_ms();
            let book = self.reference.alerts();
            let named = |name: &AlertReference| {
                let same = book.alerts.iter().filter(|it| {
                    it.sender == name.sender
                        && it.identifier == name.identifier
                        && name.sent_ms.is_none_or(|sent_ms| sent_ms == it.sent_ms)
                });
                same.max_by_key(|it| it.sent_ms)
            };
            self.record.write(|tx| {
                for alert in alerts.iter().filter_map(named) {
                    store::note_read(tx, alert, now_ms)?;
                }
                let before_ms = now_ms.saturating_sub(self.policy.alert_read_ms);
                store::forget_read(tx, &book.alerts, before_ms)
            })
        })
    }
}

fn codes(countries: &[String]) -> Result<Vec<String>> {
    let codes = countries.iter().map(|code| country("countries", code));
    codes.collect()
}

impl Alerts {
    /// What stands, with what the phone knows of the country now.
    fn notice(&self, standing: StandingNotice) -> ArrivalNotice {
        let of_country = Spot {
            countries: vec![standing.country.clone()],
            ..Spot::default()
        };
        // As long as the phone is in that country, its place: a district has it, and not
        // only the embassy.
        let here = self.reference.find(Place::Here).ok();
        let spot = here
            .map(|here| here.spot)
            .filter(|here| here.countries.first() == Some(&standing.country))
            .unwrap_or_else(|| of_country.clone());
        let now = self.now();
        let alerts = now.shown(&now.book.index.concerning(&of_country.countries));
        let help = self.reference.help_of(&spot);
        ArrivalNotice {
            level: alerts.level.clone(),
            alerts: alerts_of_arrival(&alerts).to_vec(),
            alerts_as_of_ms: alerts.as_of_ms,
            mission: help.responsible.into_iter().next(),
            numbers: help.numbers.into_iter().next(),
            hotline: help.hotline,
            country: standing.country,
            since_ms: standing.since_ms,
            is_new: standing.is_new,
            passed: standing.passed,
        }
    }

    fn now(&self) -> Now {
        let book = self.reference.alerts();
        let now_ms = self.reference.now_ms();
        Now {
            states: resolve(&book.alerts, now_ms),
            scale: self.reference.levels(),
            languages: self.reference.languages().to_vec(),
            as_of_ms: self.reference.alerts_as_of_ms(),
            now_ms,
            book,
        }
    }
}

/// All alerts, as they stand now.
struct Now {
    book: Arc<AlertBook>,
    states: Vec<AlertState>,
    scale: Arc<super::LevelScale>,
    languages: Vec<String>,
    as_of_ms: Option<i64>,
    now_ms: i64,
}

impl Now {
    fn resolved(&self) -> Resolved<'_> {
        Resolved {
            alerts: &self.book.alerts,
            states: &self.states,
            scale: &self.scale,
        }
    }

    /// The alerts that concern a spot.
    fn found(&self, spot: &Spot) -> Vec<usize> {
        let index = &self.book.index;
        if spot.point.is_none() {
            return index.concerning(&spot.countries);
        }
        // The borders have no regions: see `AlertIndex::in_regions_of`.
        let regional = index.in_regions_of(&spot.countries);
        let mut found = [index.at(spot), regional].concat();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn shown(&self, found: &[usize]) -> PlaceAlerts {
        at_place(self.resolved(), found, &self.languages, self.as_of_ms)
    }
}
