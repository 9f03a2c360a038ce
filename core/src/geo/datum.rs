//! The three datums of a phone in China, each a type of its own, and the way
//! between them.
//!
//! * [`Wgs84`]: what a satellite receiver says, and every map outside China.
//! * [`Gcj02`]: what maps of the mainland show, shifted by 100 to 700 m.
//! * [`Bd09`]: what Baidu's maps show, GCJ-02 shifted by about a kilometre more.
//!
//! The shift belongs to the *place*: it is applied to a WGS-84 position inside
//! the outline of the mainland (`mainland.rs`) and nowhere else. Outside, the
//! numbers stay the same to the last bit. The way back asks the same question of
//! the same place: it takes the shift away, looks where that leads, and keeps the
//! answer where it is inside. So what was shifted comes back, within 2 mm.
//!
//! Along the border this has a price that no rule can avoid. A strip as wide as
//! the shift, up to 700 m, just outside the mainland has the numbers of shifted
//! places inside: a position there *that says it is GCJ-02* is taken for the one
//! inside. A strip just inside has the numbers of no place at all: there they stay
//! as they are. A position that says it is WGS-84 is never touched by this.
//!
//! BD-09 is not GCJ-02's twin in Hong Kong, Macau and Taiwan: Baidu uses it there
//! too, and WGS-84 in the rest of the world ("国内(包括港澳台)使用的是BD09LL坐标;
//! 在海外地区,统一使用WGS84坐标", lbs.baidu.com, androidsdk/guide/tool/coordinate).
//! There it is its own shift on top of no other: zero GCJ-02 shift outside the
//! mainland is the rule of this module.
//!
//! The formulas are those of the published reverse engineering of GCJ-02 (the
//! ellipsoid of Krasovsky) that all libraries share; no official text is public.

use std::f64::consts::PI;

use super::mainland::{is_mainland, is_region};
use crate::error::{HomelineError, Problem, Result, guard};
use crate::whereabouts::Position;

/// Semi-major axis of the ellipsoid of Krasovsky 1940, metres.
const AXIS_M: f64 = 6_378_245.0;
/// First eccentricity of it, squared.
const ECCENTRICITY_2: f64 = 0.006_693_421_622_965_943;
/// Change in degrees at which a way back has arrived: 0.1 µm.
const ARRIVED: f64 = 1e-12;
/// Steps of a way back; each makes what is left a hundred times smaller.
const STEPS: usize = 20;
/// Degrees that rounding may move a place across the outline: 1 mm.
const ROUNDING: f64 = 1e-8;

/// The datum of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Datum {
    /// World Geodetic System 1984.
    Wgs84,
    /// GCJ-02, of maps of mainland China.
    Gcj02,
    /// BD-09, of Baidu's maps.
    Bd09,
}

macro_rules! datum {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq)]
        pub struct $name {
            latitude: f64,
            longitude: f64,
        }

        redacted_debug!($name);

        impl $name {
            /// A position, degrees: north and east positive.
            ///
            /// Errors: `Invalid` for `position.latitude` outside -90 to 90, for
            /// `position.longitude` outside -180 to 180, and for no number.
            pub fn new(latitude: f64, longitude: f64) -> Result<Self> {
                checked(latitude, longitude)?;
                Ok(Self { latitude, longitude })
            }

            /// Degrees, north positive.
            pub fn latitude(self) -> f64 {
                self.latitude
            }

            /// Degrees, east positive.
            pub fn longitude(self) -> f64 {
                self.longitude
            }

            fn at((latitude, longitude): Degrees) -> Self {
                Self { latitude, longitude }
            }

            fn degrees(self) -> Degrees {
                (self.latitude, self.longitude)
            }
        }
    };
}

datum!(
    /// A position in the World Geodetic System 1984.
    Wgs84
);
datum!(
    /// A position in GCJ-02; outside the mainland the same as WGS-84.
    Gcj02
);
datum!(
    /// A position in BD-09; outside China the same as WGS-84.
    Bd09
);

/// Latitude, then longitude.
type Degrees = (f64, f64);

fn checked(latitude: f64, longitude: f64) -> Result<()> {
    // A NaN is in no range.
    let wrong = |field, expected| Err(HomelineError::invalid(field, Problem::OutOfRange, expected));
    if !(-90.0..=90.0).contains(&latitude) {
        return wrong("position.latitude", "-90 to 90 degrees");
    }
    if !(-180.0..=180.0).contains(&longitude) {
        return wrong("position.longitude", "-180 to 180 degrees");
    }
    Ok(())
}

impl From<Wgs84> for Gcj02 {
    fn from(from: Wgs84) -> Self {
        let place = from.degrees();
        Self::at(if is_mainland(place.0, place.1) {
            gcj02_of(place)
        } else {
            place
        })
    }
}

impl From<Gcj02> for Wgs84 {
    fn from(from: Gcj02) -> Self {
        let shown = from.degrees();
        Self::at(unshifted_gcj02(shown).unwrap_or(shown))
    }
}

impl From<Wgs84> for Bd09 {
    fn from(from: Wgs84) -> Self {
        let place = from.degrees();
        Self::at(if is_mainland(place.0, place.1) {
            bd09_of(gcj02_of(place))
        } else if is_region(place.0, place.1) {
            bd09_of(place)
        } else {
            place
        })
    }
}

impl From<Bd09> for Wgs84 {
    fn from(from: Bd09) -> Self {
        let shown = from.degrees();
        let place = undone(shown, bd09_of)
            .and_then(|below| unshifted_gcj02(below).or_else(|| inside(below, is_region)));
        Self::at(place.unwrap_or(shown))
    }
}

impl From<Gcj02> for Bd09 {
    fn from(from: Gcj02) -> Self {
        Wgs84::from(from).into()
    }
}

impl From<Bd09> for Gcj02 {
    fn from(from: Bd09) -> Self {
        Wgs84::from(from).into()
    }
}

/// The place on the mainland that GCJ-02 shows here, if there is one.
fn unshifted_gcj02(shown: Degrees) -> Option<Degrees> {
    undone(shown, gcj02_of).and_then(|place| inside(place, is_mainland))
}

/// The place, or where it is not inside, one that is and a millimetre away: the
/// way back ends that near to where the way there began, on either side of a
/// border. So what comes back is always shifted again by the next way there.
///
/// In sixteen directions: the outline has sharp corners, and a place in the tip
/// of one is inside in few of them.
fn inside((latitude, longitude): Degrees, outline: fn(f64, f64) -> bool) -> Option<Degrees> {
    if outline(latitude, longitude) {
        return Some((latitude, longitude));
    }
    (0..16)
        .map(|direction| {
            let (up, right) = (f64::from(direction) * PI / 8.0).sin_cos();
            (latitude + up * ROUNDING, longitude + right * ROUNDING)
        })
        .find(|near| outline(near.0, near.1))
}

/// What `shift` makes into `shown`, by fixed-point iteration. The shifts change
/// so little from place to place that it arrives in a few steps; where it does not,
/// at a pole, there is no answer.
fn undone(shown: Degrees, shift: fn(Degrees) -> Degrees) -> Option<Degrees> {
    let mut place = shown;
    for _ in 0..STEPS {
        let (latitude, longitude) = shift(place);
        let (up, right) = (shown.0 - latitude, shown.1 - longitude);
        place = (place.0 + up, place.1 + right);
        if up.abs() < ARRIVED && right.abs() < ARRIVED {
            return Some(place);
        }
    }
    None
}

/// The shift of GCJ-02, wherever the place is.
fn gcj02_of((latitude, longitude): Degrees) -> Degrees {
    let (x, y) = (longitude - 105.0, latitude - 35.0);
    let common = 20.0 * (6.0 * x * PI).sin() + 20.0 * (2.0 * x * PI).sin();
    let north_m = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + 2.0 / 3.0
            * (common
                + 20.0 * (y * PI).sin()
                + 40.0 * (y / 3.0 * PI).sin()
                + 160.0 * (y / 12.0 * PI).sin()
                + 320.0 * (y / 30.0 * PI).sin());
    let east_m = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + 2.0 / 3.0
            * (common
                + 20.0 * (x * PI).sin()
                + 40.0 * (x / 3.0 * PI).sin()
                + 150.0 * (x / 12.0 * PI).sin()
                + 300.0 * (x / 30.0 * PI).sin());
    let radians = latitude.to_radians();
    let curve = 1.0 - ECCENTRICITY_2 * radians.sin().powi(2);
    let meridian_m = AXIS_M * (1.0 - ECCENTRICITY_2) / (curve * curve.sqrt());
    let parallel_m = AXIS_M / curve.sqrt() * radians.cos();
    (
        latitude + (north_m / meridian_m).to_degrees(),
        longitude + (east_m / parallel_m).to_degrees(),
    )
}

/// The shift of BD-09 on top of GCJ-02, wherever the place is.
fn bd09_of((latitude, longitude): Degrees) -> Degrees {
    const WAVE: f64 = PI * 3000.0 / 180.0;
    let radius = longitude.hypot(latitude) + 0.000_02 * (latitude * WAVE).sin();
    let angle = latitude.atan2(longitude) + 0.000_003 * (longitude * WAVE).cos();
    (radius * angle.sin() + 0.006, radius * angle.cos() + 0.0065)
}

impl Position {
    /// The same place in WGS-84.
    ///
    /// Errors: `Invalid` for `position.latitude` or `position.longitude`.
    pub fn to_wgs84(&self) -> Result<Wgs84> {
        Ok(match *self {
            Self::Wgs84 {
                latitude,
                longitude,
            } => Wgs84::new(latitude, longitude)?,
            Self::Gcj02 {
                latitude,
                longitude,
            } => Gcj02::new(latitude, longitude)?.into(),
            Self::Bd09 {
                latitude,
                longitude,
            } => Bd09::new(latitude, longitude)?.into(),
        })
    }

    /// The datum of the position.
    pub fn datum(&self) -> Datum {
        match self {
            Self::Wgs84 { .. } => Datum::Wgs84,
            Self::Gcj02 { .. } => Datum::Gcj02,
            Self::Bd09 { .. } => Datum::Bd09,
        }
    }
}

macro_rules! position_of {
    ($($name:ident),+) => {$(
        impl From<$name> for Position {
            fn from(from: $name) -> Self {
                Self::$name { latitude: from.latitude, longitude: from.longitude }
            }
        }
    )+};
}

position_of!(Wgs84, Gcj02, Bd09);

/// The same place in another datum: for a map that wants GCJ-02 or BD-09, or to
/// compare what a map says with what a receiver says. Outside mainland China
/// GCJ-02 is WGS-84, and outside China BD-09 is too: the numbers stay the same.
///
/// Errors: `Invalid` for `position.latitude` or `position.longitude`.
#[uniffi::export]
pub fn position_in(position: Position, datum: Datum) -> Result<Position> {
    guard("position_in", || {
        let place = position.to_wgs84()?;
        Ok(match datum {
            // Not by way of WGS-84, which the last bit would not survive.
            same if same == position.datum() => position,
            Datum::Wgs84 => place.into(),
            Datum::Gcj02 => Gcj02::from(place).into(),
            Datum::Bd09 => Bd09::from(place).into(),
        })
    })
}

#[cfg(test)]
mod tests;
