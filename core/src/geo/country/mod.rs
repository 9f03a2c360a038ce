//! The country of a place, with no network.
//!
//! [`Boundaries::builtin`] are OpenStreetMap's borders with twelve sea miles of
//! water, thinned to 1.5 MB and used in place; [`Boundaries::parse`] takes those of
//! a ministry from a signed pack. [`Boundaries::locate`] answers with every country
//! that the place may be in, how far the nearest border is, and how sure that is.
//!
//! The answer is what the boundaries hold, as codes of ISO 3166-1 (and XK for
//! Kosovo); nothing is added to it or taken from it here. Where more than one
//! country claims a place and the boundaries say so (Crimea, Western Sahara), all of
//! them are candidates. Built in is OpenStreetMap's view, which mostly follows who
//! administers a place; a ministry that sees it otherwise sends its own boundaries.
//! Which mission serves a place never comes from here: see the districts.

mod boundaries;
mod cell;
mod sight;

pub use boundaries::Boundaries;

use super::Wgs84;
use crate::config::Policy;
use sight::{Claims, Sight};

/// What an app that ships the built-in boundaries says where it names its sources.
pub const ATTRIBUTION: &str =
    "Borders © OpenStreetMap contributors, ODbL 1.0 (openstreetmap.org/copyright)";

/// Which countries a place may be in.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Located {
    /// The countries, the most likely first: those that the place is in, those around
    /// them, those whose border is too near to exclude them. Empty on the high sea,
    /// and where nothing is known.
    pub candidates: Vec<CountryCandidate>,
    /// Metres to the nearest border, where one is within 5 km; the limit of a
    /// country's waters is one, too.
    pub border_m: Option<f64>,
    /// How sure the first candidate is, or that there is none.
    pub confidence: CountryConfidence,
    /// What kind of place it is.
    pub ground: Ground,
}

/// A country that a place may be in.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct CountryCandidate {
    /// Two letters of ISO 3166-1.
    pub country: String,
    /// Why it is a candidate.
    pub standing: Standing,
    /// Metres to it, as the boundaries have it: 0 where the place is in it.
    pub distance_m: f64,
}

/// Why a country is a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Standing {
    /// The place is in it. More than one country with this claims the place; they are
    /// in the order of their codes.
    Within,
    /// The place is in a part of it that has a code of its own and comes before it:
    /// Guam, French Guiana, Hong Kong.
    Around,
    /// Its border is nearer than the boundaries and the position are exact.
    Near,
}

/// How sure the country of a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum CountryConfidence {
    /// No border is as near as the boundaries and the position may be off.
    Certain,
    /// A border is as near as they may be off, but not as near as half of that.
    Likely,
    /// A border is nearer still: take the candidates as equals.
    Open,
    /// More than one country claims the place.
    Disputed,
    /// There are no boundaries.
    Unknown,
}

/// What kind of place it is, as far as borders tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Ground {
    /// In a country: its land, or its waters up to twelve sea miles out. Coasts are
    /// not in the boundaries, so which of the two is not known.
    Territory,
    /// In no country: the high sea, or the rare land that none claims (Bir Tawil).
    HighSea,
    /// There are no boundaries.
    Unknown,
}

impl Located {
    /// The codes of the candidates, the most likely first.
    pub fn countries(&self) -> Vec<&str> {
        let codes = self.candidates.iter().map(|one| one.country.as_str());
        codes.collect()
    }

    fn unknown() -> Self {
        Self {
            candidates: Vec::new(),
            border_m: None,
            confidence: CountryConfidence::Unknown,
            ground: Ground::Unknown,
        }
    }
}

impl Boundaries {
    /// The countries that a place may be in.
    ///
    /// `accuracy_m` is how far the position may be off, in metres: what a phone says
    /// of its fix. Without it, or where it is no length, the position is taken as
    /// exact; more than 50 km are taken as 50 km. A longitude of 180 is that of -180.
    pub fn locate(&self, point: Wgs84, accuracy_m: Option<f64>) -> Located {
        self.locate_by(point, accuracy_m, &Policy::STANDARD)
    }

    pub(super) fn locate_by(
        &self,
        point: Wgs84,
        accuracy_m: Option<f64>,
        policy: &Policy,
    ) -> Located {
        if self.is_empty() {
            return Located::unknown();
        }
        let accuracy_m = accuracy_m
            .filter(|metres| *metres > 0.0)
            .map_or(0.0, |metres| metres.min(policy.country_accuracy_m));
        let sight = Sight::of(self, point, accuracy_m, policy.border_look_m);
        let candidates = self.candidates(&sight);
        Located {
            confidence: confidence(&sight, &candidates),
            candidates,
            border_m: (sight.nearest_m <= policy.border_look_m).then_some(sight.nearest_m),
            ground: match sight.here.is_empty() {
                true => Ground::HighSea,
                false => Ground::Territory,
            },
        }
    }

    /// The claims in the order of their codes, the countries around them, and the
    /// neighbours by their distance.
    fn candidates(&self, sight: &Sight) -> Vec<CountryCandidate> {
        let mut around = Claims::default();
        for number in sight.here.iter() {
            if let Some((_, whole)) = self.country(number) {
                around.add(whole);
            }
        }
        let within = sight.here.iter().filter(|one| !around.contains(*one));
        let within = within.map(|one| (one, Standing::Within, 0.0));
        let near = sight.near.iter().filter(|one| !around.contains(one.0));
        let near = near.map(|(one, metres)| (one, Standing::Near, metres));
        let around = around.iter().map(|one| (one, Standing::Around, 0.0));
        let all = within.chain(around).chain(near);
        all.filter_map(|(number, standing, distance_m)| {
            Some(CountryCandidate {
                country: self.country(number)?.0.to_owned(),
                standing,
                distance_m,
            })
        })
        .collect()
    }
}

fn confidence(sight: &Sight, candidates: &[CountryCandidate]) -> CountryConfidence {
    let claims = candidates
        .iter()
        .filter(|one| one.standing == Standing::Within);
    match sight.doubt {
        _ if claims.count() > 1 => CountryConfidence::Disputed,
        doubt if doubt >= 1.0 => CountryConfidence::Certain,
        doubt if doubt >= 0.5 => CountryConfidence::Likely,
        _ => CountryConfidence::Open,
    }
}

#[cfg(test)]
mod tests;
