//! The alerts as a host reaches them.

use std::sync::Arc;

use super::{AlertState, AlertView, PlaceAlerts, Resolved, at_place, resolve, views};
use crate::error::{Result, guard};
use crate::geo::Spot;
use crate::reference::{AlertBook, Place, Reference};
use crate::registration::{Stay, country};

/// The ministry's alerts, matched on the phone: nothing of it leaves it. Reached through
/// `Homeline::alerts`.
#[derive(uniffi::Object)]
pub struct Alerts {
    pub(crate) reference: Arc<Reference>,
}

/// The alerts that concern a stay that is still to come, or has begun.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct StayAlertsView {
    /// The stay.
    pub stay: Stay,
    /// What holds there on one of its days.
    pub alerts: PlaceAlerts,
}

redacted_debug!(StayAlertsView);

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
            let codes = codes.iter().map(|code| country("codes", code));
            let codes: Vec<String> = codes.collect::<Result<_>>()?;
            let now = self.now();
            Ok(now.shown(&now.book.index.concerning(&codes)))
        })
    }

    /// What concerns the stays of the open trips that are not over, in order of arrival.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn of_trips(&self) -> Result<Vec<StayAlertsView>> {
        guard("Alerts::of_trips", || {
            let stays = self.reference.stays()?;
            let now = self.now();
            let found = now
                .book
                .index
                .at_stays(&stays, &now.book.alerts, now.now_ms);
            let view = |found: super::StayAlerts| {
                Some(StayAlertsView {
                    stay: stays.get(found.stay)?.clone(),
                    alerts: now.shown(&found.alerts),
                })
            };
            Ok(found.into_iter().filter_map(view).collect())
        })
    }

    /// Every alert that the phone has, in whatever state, the most important first: what
    /// is over, was superseded or cancelled is kept, and marked.
    pub fn all(&self) -> Result<Vec<AlertView>> {
        guard("Alerts::all", || {
            let now = self.now();
            let every: Vec<usize> = (0..now.book.alerts.len()).collect();
            Ok(views(now.resolved(), &every, &now.languages))
        })
    }
}

impl Alerts {
    fn now(&self) -> Now {
        let book = self.reference.alerts();
        let now_ms = self.reference.now_ms();
        Now {
            states: resolve(&book.alerts, now_ms),
            scale: self.reference.levels(),
            languages: self.reference.languages().to_vec(),
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
        at_place(self.resolved(), found, &self.languages, self.book.as_of_ms)
    }
}
