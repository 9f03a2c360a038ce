//! A fix: where, when, how sure, and from what. Types and checks of their form.

use serde::{Deserialize, Serialize};

use crate::error::{HomelineError, Problem, Result};
use crate::geo::sphere_m;

/// A source time before this is that of a receiver without time: 2000-01-01.
pub(super) const PLAUSIBLE_FROM_MS: i64 = 946_684_800_000;

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

/// Whether a fix was measured or made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FixOrigin {
    /// The platform says that the device measured it.
    Device,
    /// The platform says that an app made it up (`isMock` on Android,
    /// `isSimulatedBySoftware` on iOS): kept, flagged, never shown as current.
    Mock,
}

/// One position fix. What the source does not know is left out; a value that
/// cannot be (an accuracy of 0, a course of -1, a battery of 255) is what
/// platforms say for "unknown", and is kept as absent.
#[derive(Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fix {
    /// Where.
    pub position: Position,
    /// When, milliseconds UTC as the source has it.
    pub time_ms: i64,
    /// Radius in metres around `position`, of 68 % confidence unless
    /// `confidence_percent` says otherwise; kept to 0.1 m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub accuracy_m: Option<f64>,
    /// From what.
    pub source: FixSource,
    /// Confidence of `accuracy_m` in percent, 1 to 100; absent means 68.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub confidence_percent: Option<u8>,
    /// Metres above the WGS-84 ellipsoid (not above the sea: up to 107 m apart);
    /// kept to 0.1 m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub altitude_m: Option<f64>,
    /// Speed over ground, metres a second; kept to 0.1 m/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub speed_mps: Option<f64>,
    /// Direction of travel, degrees clockwise from true north, 0 to below 360;
    /// kept to 1.4 degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub heading_deg: Option<f64>,
    /// Time of the satellites, milliseconds UTC, where the receiver has it. A
    /// fix that carries it is never "from the future": it knows better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub gnss_time_ms: Option<i64>,
    /// Charge of the battery in percent, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub battery_percent: Option<u8>,
    /// Whether it was measured; absent where the platform does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub origin: Option<FixOrigin>,
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
            confidence_percent: None,
            altitude_m: None,
            speed_mps: None,
            heading_deg: None,
            gnss_time_ms: None,
            battery_percent: None,
            origin: None,
        }
    }

    /// Checks the ranges. What is not the position and cannot be is dropped.
    /// Any time is taken: a receiver without a satellite says 1970, and where is
    /// worth more.
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
        Ok(Self {
            // Wider than the Earth says nothing.
            accuracy_m: self
                .accuracy_m
                .filter(|metres| *metres > 0.0 && *metres <= 20_000_000.0),
            confidence_percent: self
                .confidence_percent
                .filter(|percent| (1..=100).contains(percent)),
            // From below the deepest mine to above any satellite's user.
            altitude_m: self
                .altitude_m
                .filter(|metres| (-20_000.0..=1_000_000.0).contains(metres)),
            // An orbit is 7,800 m/s.
            speed_mps: self.speed_mps.filter(|mps| (0.0..=12_000.0).contains(mps)),
            heading_deg: self
                .heading_deg
                .filter(|degrees| (0.0..=360.0).contains(degrees))
                .map(|degrees| degrees % 360.0),
            gnss_time_ms: self.gnss_time_ms.filter(|time| *time >= PLAUSIBLE_FROM_MS),
            battery_percent: self.battery_percent.filter(|percent| *percent <= 100),
            ..self
        })
    }

    /// Distance to `other` in metres on a sphere; infinite between two datums.
    pub(crate) fn distance_m(&self, other: &Self) -> f64 {
        if std::mem::discriminant(&self.position) != std::mem::discriminant(&other.position) {
            return f64::INFINITY;
        }
        sphere_m(self.position.degrees(), other.position.degrees())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(latitude: f64, longitude: f64, accuracy_m: Option<f64>) -> Fix {
        let position = Position::Wgs84 {
            latitude,
            longitude,
        };
        Fix {
            accuracy_m,
            ..Fix::new(position, 0, FixSource::Gnss)
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
    fn what_cannot_be_is_kept_as_absent_and_does_not_refuse_the_fix() {
        let odd = Fix {
            confidence_percent: Some(0),
            altitude_m: Some(f64::NAN),
            speed_mps: Some(-1.0),
            heading_deg: Some(-1.0),
            gnss_time_ms: Some(0),
            battery_percent: Some(255),
            ..fix(1.0, 1.0, Some(5.0))
        };
        assert!(odd.validated().unwrap() == fix(1.0, 1.0, Some(5.0)));
        let good = Fix {
            confidence_percent: Some(95),
            altitude_m: Some(-430.5),
            speed_mps: Some(0.0),
            heading_deg: Some(0.0),
            gnss_time_ms: Some(1_700_000_000_000),
            battery_percent: Some(0),
            origin: Some(FixOrigin::Device),
            ..fix(1.0, 1.0, Some(5.0))
        };
        assert!(good.clone().validated().unwrap() == good);
        let north = Fix {
            heading_deg: Some(360.0),
            ..good
        };
        assert_eq!(north.validated().unwrap().heading_deg, Some(0.0));
    }

    #[test]
    fn distances_are_those_of_the_sphere() {
        // Beijing to Istanbul: 7,070 km by the great circle.
        let d = fix(39.9042, 116.4074, None).distance_m(&fix(41.0082, 28.9784, None));
        assert!((d / 1000.0 - 7_062.0).abs() < 15.0, "{d}");
        assert_eq!(fix(5.0, 5.0, None).distance_m(&fix(5.0, 5.0, None)), 0.0);
    }
}
