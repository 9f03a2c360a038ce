//! Which alerts concern a place, a country or a coming stay: an index over their areas,
//! built once and asked often.
//!
//! A place is asked exactly: the boxes of all shapes lie in cells of a degree, those of one
//! cell are looked at, and only where a box holds the place is its polygon or circle looked at, of a polygon only the edges near
//! the place's meridian. The answer is that of
//! [`super::Alert::covers`], always.
//!
//! A country or a stay has no position, so an alert *concerns* it where it names the
//! country or one of its regions (`TR-34` is in `TR`), or where the country of one of its
//! points is known to be that one ([`AlertIndex::locate`]). That is wider than a place,
//! and right for a journey that is still to come: an outline inside a country that is not
//! named anywhere would be missed otherwise.
//!
//! Alerts are named by their place in the list that the index was made from.

use std::collections::{BTreeSet, HashMap};

use super::Alert;
use crate::geo::polygon::{Bounds, Striped};
use crate::geo::{Circle, Spot, Wgs84};
use crate::registration::Stay;

/// Points of an outline whose country is looked up, at most.
const SAMPLES: usize = 32;

/// Cells that a box is listed in, at most: a country of 1,600 km.
const CELLS: usize = 256;

/// Finds alerts by where they are.
#[derive(Default)]
pub struct AlertIndex {
    boxes: Boxes,
    /// The shape of each box, and its alert.
    shapes: Vec<(usize, Shape)>,
    /// By codes in capitals.
    countries: HashMap<String, Vec<usize>>,
    regions: HashMap<String, Vec<usize>>,
    /// Countries in which an alert has a point, in capitals.
    located: HashMap<String, Vec<usize>>,
}

/// The boxes of all shapes, by cells of a degree.
#[derive(Default)]
struct Boxes {
    boxes: Vec<Bounds>,
    /// Cell and box, in order: each box in every cell that it reaches into.
    cells: Vec<(u32, u32)>,
    /// Boxes of more cells than are listed.
    wide: Vec<u32>,
}

enum Shape {
    Polygon(Striped),
    Circle(Circle),
}

/// The alerts that concern a stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StayAlerts {
    /// The stay, by its place in the list given.
    pub stay: usize,
    /// The alerts, by their place in the list that the index was made from.
    pub alerts: Vec<usize>,
}

impl AlertIndex {
    /// An index of all of these alerts.
    pub fn new(alerts: &[Alert]) -> Self {
        let mut index = Self::default();
        let alerts = alerts.iter().enumerate();
        for (alert, area) in alerts.flat_map(|(at, alert)| alert.areas.iter().map(move |a| (at, a)))
        {
            for polygon in &area.polygons {
                let striped = Striped::new(polygon.clone());
                index.add(alert, polygon.bounds(), Shape::Polygon(striped));
            }
            for circle in &area.circles {
                index.add(alert, circle.bounds(), Shape::Circle(*circle));
            }
            add_codes(&mut index.countries, &area.countries, alert);
            add_codes(&mut index.regions, &area.regions, alert);
        }
        index.boxes.sort();
        index
    }

    fn add(&mut self, alert: usize, bounds: Option<Bounds>, shape: Shape) {
        if let Some(bounds) = bounds {
            self.boxes.boxes.push(bounds);
            self.shapes.push((alert, shape));
        }
    }

    /// The index with the countries of the outlines, for [`Self::concerning`] and
    /// [`Self::at_stays`]. `countries_of` gives the countries that a place may be in, two
    /// letters each. It is asked for the middle of each shape and up to 32 points of
    /// its outline.
    pub fn locate(mut self, countries_of: impl Fn(Wgs84) -> Vec<String>) -> Self {
        for (alert, shape) in &self.shapes {
            let countries: BTreeSet<String> = shape
                .samples()
                .into_iter()
                .flat_map(&countries_of)
                .collect();
            let countries: Vec<String> = countries.into_iter().collect();
            add_codes(&mut self.located, &countries, *alert);
        }
        self
    }

    /// The alerts whose areas cover the spot, in their order, each once.
    pub fn at(&self, spot: &Spot) -> Vec<usize> {
        let mut found = Vec::new();
        if let Some(place) = spot.point {
            self.at_point(place, &mut found);
        }
        found.extend(coded(&self.countries, &spot.countries));
        found.extend(coded(&self.regions, &spot.regions));
        each_once(found)
    }

    fn at_point(&self, place: Wgs84, found: &mut Vec<usize>) {
        self.boxes.holding(place, |at| {
            let shape = self.shapes.get(at);
            found.extend(
                shape
                    .filter(|(_, shape)| shape.covers(place))
                    .map(|(alert, _)| alert),
            );
        });
    }

    /// The alerts that concern one of the countries (two letters each), in their order,
    /// each once. For countries that the traveler chose to watch.
    pub fn concerning(&self, countries: &[String]) -> Vec<usize> {
        let mut found: Vec<usize> = coded(&self.countries, countries).collect();
        found.extend(coded(&self.located, countries));
        found.extend(self.in_regions_of(countries));
        each_once(found)
    }

    /// The alerts that name a region of one of the countries: where the region of a place
    /// is not known, each of them may concern it.
    pub fn in_regions_of(&self, countries: &[String]) -> Vec<usize> {
        let is_inside = |region: &str| {
            let country = region.split_once('-').map(|(country, _)| country);
            let mut codes = countries.iter();
            country.is_some_and(|country| codes.any(|code| code.eq_ignore_ascii_case(country)))
        };
        let inside = self.regions.iter().filter(|(region, _)| is_inside(region));
        each_once(inside.flat_map(|(_, alerts)| alerts).copied().collect())
    }

    /// For each stay that is not over: the alerts that concern its country or name its
    /// place as a region, and that are in force on one of its days. `alerts` is the list
    /// that the index was made from. A stay whose days are no dates has none.
    pub fn at_stays(&self, stays: &[Stay], alerts: &[Alert], now_ms: i64) -> Vec<StayAlerts> {
        let of_stay = |(index, stay): (usize, &Stay)| {
            let (first, last) = stay.days()?;
            let (from_ms, to_ms) = (first.begins_ms().max(now_ms), last.over_ms());
            let mut found = self.concerning(std::slice::from_ref(&stay.country));
            found.extend(coded(&self.regions, std::slice::from_ref(&stay.place)));
            found.retain(|at| alerts.get(*at).is_some_and(|it| lasts(it, from_ms, to_ms)));
            (to_ms > now_ms).then(|| StayAlerts {
                stay: index,
                alerts: each_once(found),
            })
        };
        stays.iter().enumerate().filter_map(of_stay).collect()
    }
}

impl Boxes {
    /// Puts the boxes into their cells, once all are there.
    fn sort(&mut self) {
        for (at, bounds) in (0_u32..).zip(&self.boxes) {
            match bounds.cells(CELLS) {
                Some(cells) => self.cells.extend(cells.into_iter().map(|cell| (cell, at))),
                None => self.wide.push(at),
            }
        }
        self.cells.sort_unstable();
    }

    /// Calls `take` with each box that holds the place.
    fn holding(&self, place: Wgs84, mut take: impl FnMut(usize)) {
        let cell = Bounds::cell(place);
        let first = self.cells.partition_point(|(other, _)| *other < cell);
        let here = self
            .cells
            .iter()
            .skip(first)
            .take_while(|(other, _)| *other == cell);
        for at in here.map(|(_, at)| at).chain(&self.wide) {
            let Ok(at) = usize::try_from(*at) else {
                continue;
            };
            if self.boxes.get(at).is_some_and(|bounds| bounds.holds(place)) {
                take(at);
            }
        }
    }
}

impl Shape {
    fn covers(&self, place: Wgs84) -> bool {
        match self {
            Self::Polygon(striped) => striped.covers(place),
            Self::Circle(circle) => circle.covers(place),
        }
    }

    /// Some of its points, for the countries that it is in.
    fn samples(&self) -> Vec<Wgs84> {
        let ring = match self {
            Self::Polygon(striped) => striped.polygon().ring(),
            Self::Circle(_) => &[],
        };
        let middle = match self {
            Self::Polygon(striped) => striped.polygon().bounds().map(Bounds::middle),
            Self::Circle(circle) => Some([circle.lat, circle.lon]),
        };
        let step = ring.len().div_ceil(SAMPLES).max(1);
        let points = ring.iter().step_by(step).copied().chain(middle);
        points
            .filter_map(|[latitude, longitude]| Wgs84::new(latitude, longitude).ok())
            .collect()
    }
}

/// Whether an alert is in force between two moments, or its danger then.
fn lasts(alert: &Alert, from_ms: i64, to_ms: i64) -> bool {
    let starts = alert.effective_ms.max(alert.onset_ms);
    alert.expires_ms.is_none_or(|expires| expires > from_ms)
        && starts.is_none_or(|starts| starts < to_ms)
}

fn add_codes(to: &mut HashMap<String, Vec<usize>>, codes: &[String], alert: usize) {
    for code in codes {
        to.entry(code.to_ascii_uppercase()).or_default().push(alert);
    }
}

fn coded<'a>(
    from: &'a HashMap<String, Vec<usize>>,
    codes: &'a [String],
) -> impl Iterator<Item = usize> + 'a {
    let lists = codes
        .iter()
        .filter_map(|code| from.get(&code.to_ascii_uppercase()));
    lists.flatten().copied()
}

fn each_once(mut found: Vec<usize>) -> Vec<usize> {
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests;
