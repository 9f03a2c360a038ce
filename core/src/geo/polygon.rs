//! A polygon on the earth as the Common Alerting Protocol has it: a ring of points in
//! degrees WGS-84, its edges straight in latitude and longitude.
//!
//! The rules, for every ring that anybody may send:
//!
//! * An edge goes the shorter way round the earth, so a ring may cross the antimeridian;
//!   180 and -180 are one meridian. An edge of half the way round goes as its numbers
//!   grow or fall. A ring with no longitude but 180 and -180 is a whole band of latitudes.
//! * Even and odd: a place is inside where the way from it to the north pole crosses the
//!   ring an odd number of times. So the direction of a ring means nothing, it may be
//!   closed or not, repeat points, and cross itself.
//! * A ring that goes round the earth holds the pole of its own hemisphere.
//! * A place on an edge is on one side of it, always the same one: of two polygons that
//!   share an edge one has it.
//! * A ring of fewer than three points covers nothing, nor does one with a point that is
//!   no place: half a polygon would warn the wrong people.
//! * A ring of more points than `Policy::area_vertices` is thinned evenly, so that any
//!   ring has a cost that is bounded.

mod stripes;

pub use stripes::Striped;

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

use super::Wgs84;
use crate::config::Policy;
use crate::lenient::{self, Lenient};

/// Latitude, then longitude, degrees WGS-84.
type Vertex = [f64; 2];

/// Degrees by which a box is wider than its ring: rounding, a tenth of a millimetre.
const ROUNDING: f64 = 1e-9;

/// A polygon on the earth; see the [module](self). In JSON a list of pairs, latitude
/// first: `[[41.2,28.5],[41.2,29.5],[40.8,29.0]]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Polygon {
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<f64>>))]
    ring: Vec<Vertex>,
    #[serde(skip)]
    form: Form,
    #[serde(skip)]
    bounds: Bounds,
}

/// What a ring encloses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    /// Nothing.
    #[default]
    Empty,
    /// A part of the earth without the north pole: every ring but the next two.
    South,
    /// A part with the north pole.
    NorthCap,
    /// All longitudes between two latitudes.
    Band,
}

/// The box around a polygon or a circle, degrees: a place outside it is outside of both.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bounds {
    /// Lowest latitude.
    pub south: f64,
    /// Highest latitude.
    pub north: f64,
    /// Where it begins: -180 to below 180.
    pub west: f64,
    /// How far it reaches to the east of `west`, 360 at most.
    pub width: f64,
}

impl Bounds {
    /// The box of everything.
    pub const EARTH: Self = Self {
        south: -90.0,
        north: 90.0,
        west: -180.0,
        width: 360.0,
    };

    /// The place in the middle of it, latitude first.
    pub(crate) fn middle(self) -> [f64; 2] {
        let longitude = self.west + self.width / 2.0;
        let turned = if longitude > 180.0 {
            longitude - 360.0
        } else {
            longitude
        };
        [(self.south + self.north) / 2.0, turned]
    }

    /// Whether the place may be inside.
    #[inline(always)]
    pub fn holds(&self, place: Wgs84) -> bool {
        (self.south..=self.north).contains(&place.latitude())
            && self.east_of_west(place.longitude()) <= self.width
    }

    /// The cell of a place: one degree by one degree.
    pub(crate) fn cell(place: Wgs84) -> u32 {
        row(place.latitude()) * 360 + column(place.longitude())
    }

    /// The cells that the box reaches into; `None` where they are more than `most`.
    pub(crate) fn cells(&self, most: usize) -> Option<Vec<u32>> {
        let (south, north) = (row(self.south), row(self.north));
        // One more than its width has: it begins anywhere in its first.
        let columns = whole(self.width) + 2;
        let rows = north - south + 1;
        if columns >= 360 || usize::try_from(rows * columns).ok()? > most {
            return None;
        }
        let first = column(self.west);
        let column = move |step: u32| (first + step) % 360;
        let cells =
            (south..=north).flat_map(|row| (0..columns).map(move |step| row * 360 + column(step)));
        Some(cells.collect())
    }

    /// Degrees from `west` to the east, 0 to below 360.
    #[inline(always)]
    fn east_of_west(&self, longitude: f64) -> f64 {
        let apart = one_meridian(longitude) - self.west;
        if apart < 0.0 { apart + 360.0 } else { apart }
    }
}

impl Polygon {
    /// The polygon of a ring: pairs of latitude and longitude in degrees WGS-84.
    /// Never fails, see the [module](self).
    pub fn new(ring: impl IntoIterator<Item = [f64; 2]>) -> Self {
        let mut thinned = Thinned::default();
        ring.into_iter()
            .for_each(|vertex| thinned.push(Some(vertex)));
        thinned.polygon()
    }

    /// The points, latitude first.
    pub fn ring(&self) -> &[[f64; 2]] {
        &self.ring
    }

    /// Whether the place is inside.
    pub fn covers(&self, place: Wgs84) -> bool {
        let (latitude, longitude) = (place.latitude(), one_meridian(place.longitude()));
        match self.form {
            Form::Empty => false,
            Form::Band => (self.bounds.south..=self.bounds.north).contains(&latitude),
            Form::South => self.is_below_odd(latitude, longitude),
            Form::NorthCap => !self.is_below_odd(latitude, longitude),
        }
    }

    /// The box around it; `None` where it covers nothing.
    pub fn bounds(&self) -> Option<Bounds> {
        (self.form != Form::Empty).then_some(self.bounds)
    }

    /// Whether the meridian from the place to the north pole crosses the ring an odd
    /// number of times.
    ///
    /// On which side of the meridian a point is, is asked once for each point, and which
    /// way an edge goes for each edge: so rounding may move a point, but never tears the
    /// ring.
    fn is_below_odd(&self, latitude: f64, longitude: f64) -> bool {
        let Some(mut from) = self.ring.last() else {
            return false;
        };
        let mut from_x = east_of(longitude, from[1]);
        let mut odd = false;
        for to in &self.ring {
            let to_x = east_of(longitude, to[1]);
            odd ^= is_crossed((from, from_x), (to, to_x), latitude);
            (from, from_x) = (to, to_x);
        }
        odd
    }
}

/// Whether the meridian from a place at this latitude to the north pole crosses the edge;
/// each point with its degrees to the east of the meridian.
#[inline(always)]
fn is_crossed((from, from_x): (&Vertex, f64), (to, to_x): (&Vertex, f64), latitude: f64) -> bool {
    let passes = (from_x < 0.0) != (to_x < 0.0) && (from_x < 0.0) == (step(from, to) > 0.0);
    passes && from[0] + (to[0] - from[0]) * (from_x / (from_x - to_x)) > latitude
}

/// The whole part of a number from 0 to 720, by halves: a number with a fraction is no
/// integer without a cast.
fn whole(number: f64) -> u32 {
    let (mut low, mut high) = (0_u32, 1_024);
    while low + 1 < high {
        let middle = u32::midpoint(low, high);
        if f64::from(middle) <= number {
            low = middle
        } else {
            high = middle
        }
    }
    low
}

fn row(latitude: f64) -> u32 {
    whole(latitude + 90.0)
}

fn column(longitude: f64) -> u32 {
    whole(one_meridian(longitude) + 180.0)
}

/// A NaN is in no range.
fn is_place([latitude, longitude]: &Vertex) -> bool {
    (-90.0..=90.0).contains(latitude) && (-180.0..=180.0).contains(longitude)
}

/// -180 for both of its names.
// These few are asked for each point of an outline; a library that is built for size does
// not put them in by itself, and a question takes twice as long.
#[inline(always)]
fn one_meridian(longitude: f64) -> f64 {
    if longitude >= 180.0 {
        -180.0
    } else {
        longitude
    }
}

/// Degrees from the meridian to the point, -180 to below 180.
#[inline(always)]
fn east_of(meridian: f64, longitude: f64) -> f64 {
    let apart = one_meridian(longitude) - meridian;
    if apart >= 180.0 {
        apart - 360.0
    } else if apart < -180.0 {
        apart + 360.0
    } else {
        apart
    }
}

/// Degrees that an edge goes to the east, the shorter way.
#[inline(always)]
fn step(from: &Vertex, to: &Vertex) -> f64 {
    let apart = to[1] - from[1];
    if apart > 180.0 {
        apart - 360.0
    } else if apart < -180.0 {
        apart + 360.0
    } else {
        apart
    }
}

fn measured(ring: &[Vertex]) -> (Form, Bounds) {
    let Some(first) = ring.first().filter(|_| ring.len() > 2) else {
        return Default::default();
    };
    let (mut west, mut east, mut x) = (first[1], first[1], first[1]);
    let (mut south, mut north) = (first[0], first[0]);
    let mut sum = 0.0;
    let mut from = first;
    for to in ring.iter().skip(1).chain([first]) {
        x += step(from, to);
        (west, east) = (west.min(x), east.max(x));
        (south, north) = (south.min(to[0]), north.max(to[0]));
        sum += to[0];
        from = to;
    }
    let rounds = ((x - first[1]) / 360.0).round().abs();
    let box_of = |south, north, west: f64, width: f64| Bounds {
        south: south - ROUNDING,
        north: north + ROUNDING,
        west: (west - ROUNDING + 180.0).rem_euclid(360.0) - 180.0,
        width: (width + 2.0 * ROUNDING).min(360.0),
    };
    if is_band(ring) {
        let bounds = Bounds {
            south,
            north,
            ..Bounds::EARTH
        };
        (Form::Band, bounds)
    } else if rounds % 2.0 == 0.0 {
        (Form::South, box_of(south, north, west, east - west))
    } else if sum >= 0.0 {
        (Form::NorthCap, box_of(south, 90.0, -180.0, 360.0))
    } else {
        (Form::South, box_of(-90.0, north, -180.0, 360.0))
    }
}

/// Whether the ring names both ends of the map and no longitude between.
fn is_band(ring: &[Vertex]) -> bool {
    let is_at = |end: f64| ring.iter().any(|vertex| vertex[1] == end);
    ring.iter().all(|vertex| vertex[1].abs() == 180.0) && is_at(180.0) && is_at(-180.0)
}

/// A ring that grows to its limit and is then thinned: every second point goes, and of
/// those that come only each second, fourth, eighth… is taken. One point that is no
/// place spoils it.
struct Thinned {
    ring: Vec<Vertex>,
    stride: usize,
    seen: usize,
    is_spoilt: bool,
}

impl Default for Thinned {
    fn default() -> Self {
        Self {
            ring: Vec::new(),
            stride: 1,
            seen: 0,
            is_spoilt: false,
        }
    }
}

impl Thinned {
    fn push(&mut self, vertex: Option<Vertex>) {
        let Some(vertex) = vertex.filter(is_place) else {
            self.is_spoilt = true;
            return;
        };
        if self.seen.is_multiple_of(self.stride) {
            self.ring.push(vertex);
        }
        self.seen += 1;
        if self.ring.len() > Policy::STANDARD.area_vertices {
            let mut keep = false;
            self.ring.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride *= 2;
        }
    }

    fn polygon(self) -> Polygon {
        if self.is_spoilt {
            return Polygon::default();
        }
        let (form, bounds) = measured(&self.ring);
        Polygon {
            ring: self.ring,
            form,
            bounds,
        }
    }
}

impl<'de> Deserialize<'de> for Polygon {
    /// Takes any JSON: what is no list of pairs of numbers covers nothing.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut thinned = Thinned::default();
        lenient::each(from, |vertex: Lenient<Vertex>| thinned.push(vertex.known()))?;
        Ok(thinned.polygon())
    }
}

#[cfg(test)]
mod tests;
