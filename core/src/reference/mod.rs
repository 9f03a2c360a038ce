//! Reference: what the packs say, ready to be asked about a place, with no network.
//!
//! What is made of a pack (a directory, an index) is made when it is first asked for and
//! kept until the pack is replaced. Nothing here is about the traveler but the question
//! where "here" is: the last known position, or else the stay that the trip has for
//! today.

mod place;

pub use place::{Place, PlaceBasis, PlaceFound};

use std::sync::Arc;

use place::Known;

use crate::alerts::{Alert, AlertIndex, Level, LevelScale};
use crate::config::{Config, Hotline};
use crate::error::{HomelineError, Result};
use crate::geo::country::{Boundaries, Located};
use crate::geo::{Spot, Wgs84};
use crate::guides::Guide;
use crate::missions::{
    Directory, EmergencyNumbers, Help, HelpSources, Mission, NumbersBook, PROTECTION, PackTimes,
    help_at,
};
use crate::outbox::Outbox;
use crate::packs::{Made, PackName, Shelf, read};
use crate::record::Record;
use crate::registration::{Stay, stay_of_today, stays_ahead};
use crate::whereabouts::LastKnown;

/// What all answers are made from.
pub(crate) struct Reference {
    pub(crate) shelf: Arc<Shelf>,
    record: Arc<Record>,
    outbox: Arc<Outbox>,
    last: Arc<LastKnown>,
    hotline: Hotline,
    home_country: String,
    languages: Vec<String>,
    boundaries: Made<Option<Boundaries>>,
    missions: Made<Directory>,
    numbers: Made<NumbersBook>,
    /// The guides that say what a consulate can do, and what it cannot.
    protection: Made<Vec<Guide>>,
    levels: Made<LevelScale>,
    alerts: Made<AlertBook>,
}

/// The alerts of a pack, and where they are.
pub(crate) struct AlertBook {
    pub(crate) alerts: Vec<Alert>,
    pub(crate) index: AlertIndex,
}

/// Where something is asked about.
pub(crate) struct Found {
    pub(crate) spot: Spot,
    pub(crate) located: Option<Located>,
    pub(crate) basis: PlaceBasis,
}

impl Reference {
    pub(crate) fn new(
        config: &Config,
        shelf: Arc<Shelf>,
        record: Arc<Record>,
        outbox: Arc<Outbox>,
        last: Arc<LastKnown>,
    ) -> Self {
        Self {
            shelf,
            record,
            outbox,
            last,
            hotline: config.hotline.clone(),
            home_country: config.home_country.to_ascii_uppercase(),
            languages: config.languages.clone(),
            boundaries: Made::new(PackName::Boundaries),
            missions: Made::new(PackName::Missions),
            numbers: Made::new(PackName::Numbers),
            protection: Made::new(PackName::Guides),
            levels: Made::new(PackName::Levels),
            alerts: Made::new(PackName::Alerts),
        }
    }

    pub(crate) fn languages(&self) -> &[String] {
        &self.languages
    }

    pub(crate) fn home_country(&self) -> &str {
        &self.home_country
    }

    /// The best time known, milliseconds UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        self.outbox.best_ms()
    }

    pub(crate) fn levels(&self) -> Arc<LevelScale> {
        let level = |json: &[u8]| {
            serde_json::from_slice::<Level>(json).map_err(|_| HomelineError::bug("levels"))
        };
        self.levels.get(&self.shelf, |served| {
            LevelScale::new(read(&served.content, level))
        })
    }

    pub(crate) fn alerts(&self) -> Arc<AlertBook> {
        self.alerts.get(&self.shelf, |served| {
            let alerts = read(&served.content, Alert::read);
            let index = AlertIndex::new(&alerts);
            AlertBook {
                index: index.locate(|point| codes(&self.locate(point, None))),
                alerts,
            }
        })
    }

    /// When the phone had all alerts last, milliseconds UTC; `None`: it never had. Asked
    /// anew each time: the ministry may say that there is nothing newer, and the alerts stay.
    pub(crate) fn alerts_as_of_ms(&self) -> Option<i64> {
        let held = self.shelf.held(PackName::Alerts).ok().flatten()?;
        Some(held.issued_ms.max(held.checked_ms.unwrap_or(i64::MIN)))
    }

    /// The country of a place, by the borders that serve: a ministry's, or the library's.
    pub(crate) fn locate(&self, point: Wgs84, accuracy_m: Option<f64>) -> Located {
        let ministrys = self
            .boundaries
            .get(&self.shelf, |served| match served.held.version {
                0 => None,
                _ => Boundaries::parse(served.content.clone()).ok(),
            });
        let serving = ministrys.as_ref().as_ref();
        serving
            .unwrap_or(Boundaries::builtin())
            .locate(point, accuracy_m)
    }

    fn missions(&self) -> Arc<Directory> {
        self.missions.get(&self.shelf, |served| {
            Directory::new(read(&served.content, Mission::from_json))
        })
    }

    fn numbers(&self) -> Arc<NumbersBook> {
        self.numbers.get(&self.shelf, |served| {
            NumbersBook::new(read(&served.content, EmergencyNumbers::from_json))
        })
    }

    fn protection(&self) -> Arc<Vec<Guide>> {
        self.protection.get(&self.shelf, |served| {
            let mut guides = read(&served.content, Guide::from_json);
            guides.retain(|guide| PROTECTION.contains(&guide.id.as_str()));
            guides
        })
    }

    /// Where a place is.
    ///
    /// Errors: `Invalid` for a position or a code that is none.
    pub(crate) fn find(&self, place: Place) -> Result<Found> {
        let (known, basis) = match place {
            Place::At {
                position,
                accuracy_m,
            } => (Known::of_position(position, accuracy_m)?, PlaceBasis::Given),
            Place::Country { code } => (Known::of_country(&code)?, PlaceBasis::Given),
            Place::Here => self.here(),
        };
        let located = known
            .point
            .map(|point| self.locate(point, known.accuracy_m));
        let mut countries: Vec<String> = located.iter().flat_map(codes).collect();
        countries.extend(known.country);
        Ok(Found {
            spot: Spot {
                point: known.point,
                countries,
                regions: Vec::new(),
            },
            located,
            basis,
        })
    }

    /// The last known position; where there is none, the country of today's stay.
    fn here(&self) -> (Known, PlaceBasis) {
        let last = self.last.current(&self.outbox.time().now());
        let known = last.and_then(|last| {
            let known = Known::of_position(last.fix.position, last.fix.accuracy_m).ok()?;
            let age_ms = last.age_ms;
            Some((known, PlaceBasis::LastPosition { age_ms }))
        });
        known
            .or_else(|| {
                let now_ms = self.now_ms();
                let stay = self.record.read(|tx| stay_of_today(tx, now_ms)).ok()??;
                let known = Known::of_country(&stay.country).ok()?;
                Some((known, PlaceBasis::Stay))
            })
            .unwrap_or((Known::default(), PlaceBasis::Nowhere))
    }

    /// The stays of the traveler's open trips that are not over.
    pub(crate) fn stays(&self) -> Result<Vec<Stay>> {
        let now_ms = self.now_ms();
        self.record.read(|tx| stays_ahead(tx, now_ms))
    }

    /// What helps anywhere, from nothing but the `Config`.
    pub(crate) fn help_anywhere(&self) -> Help {
        let sources = HelpSources {
            missions: &Directory::default(),
            numbers: &NumbersBook::default(),
            protection: &[],
            hotline: &self.hotline,
            home_country: &self.home_country,
            packs: PackTimes::default(),
        };
        Help {
            basis: PlaceBasis::Nowhere,
            ..help_at(&sources, &Spot::default(), &self.languages, 0)
        }
    }

    /// Who helps at a place. A place that cannot be is none.
    pub(crate) fn help(&self, place: Place) -> Help {
        let (spot, basis) = match self.find(place) {
            Ok(found) => (found.spot, found.basis),
            Err(_) => (Spot::default(), PlaceBasis::Nowhere),
        };
        Help {
            basis,
            ..self.help_of(&spot)
        }
    }

    /// Who helps at a spot.
    pub(crate) fn help_of(&self, spot: &Spot) -> Help {
        let sources = HelpSources {
            missions: &self.missions(),
            numbers: &self.numbers(),
            protection: &self.protection(),
            hotline: &self.hotline,
            home_country: &self.home_country,
            packs: PackTimes {
                missions_ms: self.shelf.issued_ms(PackName::Missions),
                numbers_ms: self.shelf.issued_ms(PackName::Numbers),
                guides_ms: self.shelf.issued_ms(PackName::Guides),
            },
        };
        help_at(&sources, spot, &self.languages, self.now_ms())
    }
}

fn codes(located: &Located) -> Vec<String> {
    located.countries().into_iter().map(Into::into).collect()
}
