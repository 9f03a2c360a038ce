//! All missions: which one is responsible for a place, and which one is nearest to it.
//!
//! Built once from the missions of a pack, then only asked. Missions stand in the order
//! of their rank, then of their id, so that the first of equals is always the same.

use std::collections::BTreeMap;

use super::mission::Mission;
use crate::geo::{Spot, Wgs84, distance_m};

/// The missions of a ministry.
#[derive(Debug, Default)]
pub struct Directory {
    missions: Vec<Mission>,
    /// Those that have a position, from the south to the north.
    places: Vec<Place>,
}

/// A position as a unit vector: the nearer two places are on the earth, the shorter the
/// straight line between them, and that takes no trigonometry.
#[derive(Debug, Clone, Copy)]
struct Vector {
    x: f64,
    y: f64,
    /// Along the axis of the earth, to the north.
    up: f64,
}

#[derive(Debug)]
struct Place {
    at: Vector,
    mission: usize,
}

impl Directory {
    /// Of two missions with the same id the later one counts.
    pub fn new(missions: impl IntoIterator<Item = Mission>) -> Self {
        let by_id: BTreeMap<String, Mission> = missions
            .into_iter()
            .map(|mission| (mission.id.clone(), mission))
            .collect();
        let mut missions: Vec<Mission> = by_id.into_values().collect();
        missions.sort_by(|one, other| one.kind.cmp(&other.kind));
        let mut places: Vec<Place> = missions.iter().enumerate().filter_map(place).collect();
        places.sort_by(|one, other| one.at.up.total_cmp(&other.at.up));
        Self { missions, places }
    }

    /// All of them, by rank and id.
    pub fn missions(&self) -> &[Mission] {
        &self.missions
    }

    /// The mission with that id.
    pub fn get(&self, id: &str) -> Option<&Mission> {
        self.missions.iter().find(|mission| mission.id == id)
    }

    /// The mission whose district has the spot; the most specific district counts: a
    /// polygon or circle around the position beats a region, and a region beats a whole
    /// country, of which the most likely is asked first. Of equals the first by rank, then
    /// by id. `None` where no district has it: at sea, or nobody is accredited.
    pub fn responsible(&self, spot: &Spot) -> Option<&Mission> {
        let mut countries = spot.countries.iter();
        self.at_position(spot)
            .or_else(|| self.in_region(spot, None))
            .or_else(|| countries.find_map(|country| self.in_country(country)))
    }

    /// The responsible missions of a spot that may be in several countries, without
    /// repetition: [`Self::responsible`] first, then the one for each candidate country, in
    /// their order. In the middle of a country it is one mission.
    pub fn candidates(&self, spot: &Spot) -> Vec<&Mission> {
        let mut found: Vec<&Mission> = Vec::from_iter(self.responsible(spot));
        if spot.countries.len() > 1 {
            for country in &spot.countries {
                let next = self
                    .in_region(spot, Some(country))
                    .or_else(|| self.in_country(country));
                if let Some(next) = next.filter(|next| !found.iter().any(|one| one.id == next.id)) {
                    found.push(next);
                }
            }
        }
        found
    }

    /// The nearest mission and its distance in metres, by the great circle. Of missions
    /// at the same place the first by rank and id.
    pub fn nearest(&self, point: Wgs84) -> Option<(&Mission, f64)> {
        let here = Vector::of(point);
        let north = self.places.partition_point(|place| place.at.up < here.up);
        let (south, north) = self.places.split_at_checked(north)?;
        let best = nearer(here, south.iter().rev(), None);
        let (_, place) = nearer(here, north.iter(), best)?;
        let mission = self.missions.get(place.mission)?;
        let metres = distance_m(mission.position?.wgs84()?, point);
        Some((mission, metres))
    }

    fn at_position(&self, spot: &Spot) -> Option<&Mission> {
        self.covering(&Spot {
            point: spot.point,
            ..Spot::default()
        })
    }

    /// By region: any of the spot's, or only those of a country (`TR-34` is one of `TR`).
    fn in_region(&self, spot: &Spot, country: Option<&str>) -> Option<&Mission> {
        let belongs = |region: &&String| {
            country.is_none_or(|country| {
                let (state, _) = region.split_once('-').unwrap_or_default();
                state.eq_ignore_ascii_case(country)
            })
        };
        let regions = spot.regions.iter().filter(belongs).cloned().collect();
        self.covering(&Spot {
            regions,
            ..Spot::default()
        })
    }

    fn in_country(&self, country: &str) -> Option<&Mission> {
        self.covering(&Spot {
            countries: vec![country.to_owned()],
            ..Spot::default()
        })
    }

    fn covering(&self, spot: &Spot) -> Option<&Mission> {
        self.missions
            .iter()
            .find(|mission| mission.district.covers(spot))
    }
}

fn place((mission, it): (usize, &Mission)) -> Option<Place> {
    let at = Vector::of(it.position?.wgs84()?);
    Some(Place { at, mission })
}

/// A place and its distance, see [`Vector::chord_2`].
type Found<'a> = (f64, &'a Place);

/// The best so far, or one of these, which lie farther and farther to one side: none
/// beyond a parallel that is farther than the best is nearer.
fn nearer<'a>(
    here: Vector,
    places: impl Iterator<Item = &'a Place>,
    mut best: Option<Found<'a>>,
) -> Option<Found<'a>> {
    for place in places {
        let gap = here.up - place.at.up;
        if best.is_some_and(|(shortest, _)| gap * gap > shortest) {
            break;
        }
        let chord = here.chord_2(place.at);
        let is_nearer = |(shortest, known): Found<'_>| {
            chord < shortest || (chord == shortest && place.mission < known.mission)
        };
        if best.is_none_or(is_nearer) {
            best = Some((chord, place));
        }
    }
    best
}

impl Vector {
    fn of(point: Wgs84) -> Self {
        let (up, out) = point.latitude().to_radians().sin_cos();
        let (east, north) = point.longitude().to_radians().sin_cos();
        Self {
            x: out * north,
            y: out * east,
            up,
        }
    }

    /// The straight line to another, squared, in radii of the earth. Unlike the product of
    /// the vectors it keeps its precision for places that are near each other.
    fn chord_2(self, other: Self) -> f64 {
        let (x, y, up) = (self.x - other.x, self.y - other.y, self.up - other.up);
        x * x + y * y + up * up
    }
}

#[cfg(test)]
mod tests;
