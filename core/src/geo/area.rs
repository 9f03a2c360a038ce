//! Areas of alerts and districts, and whether somebody is in one.
//!
//! An [`Area`] has the forms of the Common Alerting Protocol 1.2 (section 3.2.4):
//! polygons, circles and codes, here of countries and regions. It is all of them
//! together: who is in any of its parts is in it. A [`Spot`] is where somebody is, as far
//! as is known: a position, or only a country.
//!
//! What has no meaning covers nothing and harms nothing: a polygon of two points, a
//! circle around no place or with a negative radius, a code that nobody has heard of, and
//! in JSON a part of any other form.

use std::f64::consts::FRAC_PI_2;

use serde::{Deserialize, Serialize};

use super::distance::EARTH_M;
use super::polygon::Bounds;
use super::{Polygon, Wgs84, distance_m};
use crate::lenient;

/// A circle of this radius in metres, or a larger one, is the whole earth: half of it
/// round measures 20,015 km.
const WHOLE_EARTH_M: f64 = 20_000_000.0;

/// By so much a distance may be off through rounding, metres: a pole, and the meridian
/// of 180 degrees, have more names than one.
const ROUNDING_M: f64 = 0.001;

/// A part of the earth. All lists may be empty; an area of nothing covers nobody.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Area {
    /// Polygons.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "polygons")]
    pub polygons: Vec<Polygon>,
    /// Circles.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "lenient::list"
    )]
    pub circles: Vec<Circle>,
    /// Countries: two letters each (ISO 3166-1 alpha-2), in any case.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "lenient::list"
    )]
    pub countries: Vec<String>,
    /// Regions: a code of ISO 3166-2, such as `TR-34`, or a name that the ministry gives
    /// one; the case of ASCII letters does not count.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "lenient::list"
    )]
    pub regions: Vec<String>,
}

/// A circle on the earth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Circle {
    /// Latitude of the middle, degrees WGS-84, north positive.
    pub lat: f64,
    /// Longitude of the middle, degrees WGS-84, east positive.
    pub lon: f64,
    /// Radius in metres over the ground. 0 is the middle alone; from 20,000 km on it is
    /// the whole earth.
    pub radius_m: f64,
}

/// Where somebody is, or will be, as far as is known.
#[derive(Clone, Default, PartialEq)]
pub struct Spot {
    /// The position.
    pub point: Option<Wgs84>,
    /// The countries that it may be in: two letters each, more than one near a border.
    pub countries: Vec<String>,
    /// The regions that it may be in, named as in [`Area::regions`].
    pub regions: Vec<String>,
}

redacted_debug!(Spot);

impl Area {
    /// Whether the spot is in it: in a polygon or circle, in one of the countries, or in
    /// one of the regions. Near a border each country that the spot may be in counts.
    pub fn covers(&self, spot: &Spot) -> bool {
        have_common(&self.countries, &spot.countries)
            || have_common(&self.regions, &spot.regions)
            || spot.point.is_some_and(|point| self.covers_point(point))
    }

    fn covers_point(&self, point: Wgs84) -> bool {
        self.circles.iter().any(|circle| circle.covers(point))
            || self.polygons.iter().any(|polygon| polygon.covers(point))
    }
}

impl Circle {
    /// Whether the place is in it, its edge included.
    pub fn covers(&self, place: Wgs84) -> bool {
        let Ok(middle) = Wgs84::new(self.lat, self.lon) else {
            return false;
        };
        // A NaN is not greater.
        self.radius_m >= 0.0
            && (self.radius_m >= WHOLE_EARTH_M
                || distance_m(middle, place) <= self.radius_m + ROUNDING_M)
    }

    /// The box around it; `None` where it covers nothing.
    pub fn bounds(&self) -> Option<Bounds> {
        Wgs84::new(self.lat, self.lon).ok()?;
        if self.radius_m.is_nan() || self.radius_m < 0.0 {
            return None;
        }
        let reach = (self.radius_m + 2.0 * ROUNDING_M) / EARTH_M;
        let (south, north) = (self.lat - reach.to_degrees(), self.lat + reach.to_degrees());
        // Around a pole it has every longitude, and over half of the earth, too.
        if reach >= FRAC_PI_2 || south <= -90.0 || north >= 90.0 {
            return Some(Bounds {
                south: south.max(-90.0),
                north: north.min(90.0),
                ..Bounds::EARTH
            });
        }
        let half = (reach.sin() / self.lat.to_radians().cos()).asin();
        Some(Bounds {
            south,
            north,
            west: one_turn(self.lon - half.to_degrees()),
            width: 2.0 * half.to_degrees(),
        })
    }
}

fn have_common(codes: &[String], others: &[String]) -> bool {
    codes
        .iter()
        .any(|code| others.iter().any(|other| code.eq_ignore_ascii_case(other)))
}

/// The longitude, -180 to below 180.
fn one_turn(longitude: f64) -> f64 {
    (longitude + 180.0).rem_euclid(360.0) - 180.0
}

/// Each polygon takes any JSON by itself, without being held in memory twice.
fn polygons<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Polygon>, D::Error> {
    let mut polygons = Vec::new();
    lenient::each(from, |polygon| polygons.push(polygon))?;
    Ok(polygons)
}

#[cfg(test)]
mod tests;
