//! A fix: where, when, how sure, and from what. Types and checks of their form.

use serde::{Deserialize, Serialize};

use crate::error::{HomelineError, Problem, Result};

/// A position with its datum. The datums are different cases, so that a
/// position of one can never be taken for another.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize, uniffi::Enum)]
#[serde(tag = "datum", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Position {
    /// World Geodetic System 1984: GNSS, Android, iOS outside maps of China.
    Wgs84 {
        /// Latitude in degrees, -90 to 90, north positive.
        latitude: f64,
        /// Longitude in degrees, -180 to 180, east positive.
        longitude: f64,
    },
    /// GCJ-02, the shifted datum of maps of mainland China.
    Gcj02 {
        /// Latitude in degrees.
        latitude: f64,
        /// Longitude in degrees.
        longitude: f64,
    },
    /// BD-09, the datum of Baidu's maps.
    Bd09 {
        /// Latitude in degrees.
        latitude: f64,
        /// Longitude in degrees.
        longitude: f64,
    },
}

/// What a fix comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FixSource {
    /// A satellite receiver.
    Gnss,
    /// Cells and wireless networks.
    Network,
    /// The platform's mixture of all it has.
    Fused,
    /// The traveler pointed at a map or typed it.
    Manual,
}

/// One position fix.
#[derive(Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fix {
    /// Where.
    pub position: Position,
    /// When, milliseconds UTC as the source has it.
    pub time_ms: i64,
    /// Radius of 68 % confidence in metres; absent where the source has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub accuracy_m: Option<f64>,
    /// From what.
    pub source: FixSource,
}

redacted_debug!(Position, Fix);

impl Position {
    /// Latitude and longitude in degrees, in the position's own datum.
    pub fn degrees(&self) -> (f64, f64) {
        match *self {
            Self::Wgs84 {
                latitude,
                longitude,
            }
            | Self::Gcj02 {
                latitude,
                longitude,
            }
            | Self::Bd09 {
                latitude,
                longitude,
            } => (latitude, longitude),
        }
    }
}

impl Fix {
    /// A fix of which nothing more is known.
    pub fn new(position: Position, time_ms: i64, source: FixSource) -> Self {
        Self {
            position,
            time_ms,
            accuracy_m: None,
            source,
        }
    }

    /// Checks the ranges. An accuracy that is not a positive number is what
    /// platforms report for "unknown", and is kept as absent. Any time is taken:
    /// a receiver without a satellite says 1970, and where is worth more.
    pub(crate) fn validated(self) -> Result<Self> {
        let (latitude, longitude) = self.position.degrees();
        // A NaN is in no range.
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(HomelineError::invalid(
                "fix.position.latitude",
                Problem::OutOfRange,
                "-90 to 90 degrees",
            ));
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(HomelineError::invalid(
                "fix.position.longitude",
                Problem::OutOfRange,
                "-180 to 180 degrees",
            ));
        }
        let accuracy_m = self
            .accuracy_m
            .filter(|metres| metres.is_finite() && *metres > 0.0);
        Ok(Self { accuracy_m, ..self })
    }

    /// Distance to `other` in metres on a sphere; infinite between two datums.
    pub(crate) fn distance_m(&self, other: &Self) -> f64 {
        const EARTH_M: f64 = 6_371_008.8; // mean radius, IUGG
        if std::mem::discriminant(&self.position) != std::mem::discriminant(&other.position) {
            return f64::INFINITY;
        }
        let (lat1, lon1) = self.position.degrees();
        let (lat2, lon2) = other.position.degrees();
        let (dlat, dlon) = ((lat2 - lat1).to_radians(), (lon2 - lon1).to_radians());
        let h = (dlat / 2.0).sin().powi(2)
            + lat1.to_radians().cos() * lat2.to_radians().cos() * (dlon / 2.0).sin().powi(2);
        2.0 * EARTH_M * h.sqrt().min(1.0).asin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(latitude: f64, longitude: f64, accuracy_m: Option<f64>) -> Fix {
        Fix {
            position: Position::Wgs84 {
                latitude,
                longitude,
            },
            time_ms: 0,
            accuracy_m,
            source: FixSource::Gnss,
        }
    }

    #[test]
    fn ranges_are_checked_and_any_time_is_taken() {
        assert!(fix(90.0, -180.0, None).validated().is_ok());
        for (latitude, longitude) in [
            (91.0, 0.0),
            (f64::NAN, 0.0),
            (0.0, f64::NAN),
            (0.0, 180.1),
            (f64::INFINITY, 0.0),
        ] {
            assert!(fix(latitude, longitude, None).validated().is_err());
        }
    }

    #[test]
    fn an_accuracy_that_is_none_is_kept_as_absent() {
        for given in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let kept = fix(1.0, 1.0, Some(given)).validated().unwrap();
            assert_eq!(kept.accuracy_m, None);
        }
    }

    #[test]
    fn distances_are_those_of_the_sphere() {
        // Beijing to Istanbul: 7,070 km by the great circle.
        let d = fix(39.9042, 116.4074, None).distance_m(&fix(41.0082, 28.9784, None));
        assert!((d / 1000.0 - 7_062.0).abs() < 15.0, "{d}");
        assert_eq!(fix(5.0, 5.0, None).distance_m(&fix(5.0, 5.0, None)), 0.0);
    }
}
