//! A fix in whole numbers, as rows and blocks keep it: degrees in millionths
//! (11 cm), metres and metres a second in tenths, a heading in 256ths of a
//! circle. The record hands out what it keeps, so rows and blocks lose nothing
//! against each other.

use super::fix::PLAUSIBLE_FROM_MS;
use super::{Fix, FixFlag, FixOrigin, FixSource, Position, RecordedFix};

/// Values that a fix may lack, in the order of their bits in [`Compact::present`].
pub(super) const EXTRAS: usize = 8;
const ACCURACY: usize = 0;
const CONFIDENCE: usize = 1;
const ALTITUDE: usize = 2;
const SPEED: usize = 3;
const HEADING: usize = 4;
const GNSS_TIME: usize = 5;
const BATTERY: usize = 6;
const OWN_TIME: usize = 7;

/// How large an extra can be, and so how a row writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// 0 to 255.
    Byte,
    /// Not negative.
    Unsigned,
    /// Any.
    Signed,
}

/// The sizes of the extras.
pub(super) const SIZES: [Size; EXTRAS] = [
    Size::Unsigned, // accuracy, 0.1 m
    Size::Byte,     // confidence, percent
    Size::Signed,   // altitude, 0.1 m
    Size::Unsigned, // speed, 0.1 m/s
    Size::Byte,     // heading, 1/256 of a circle
    Size::Signed,   // GNSS time less the moment, ms
    Size::Byte,     // battery, percent
    Size::Signed,   // the source's time less the moment, ms, where they differ
];

/// Largest latitude and longitude.
pub(crate) const LATITUDE_MAX: i64 = 90_000_000;
pub(crate) const LONGITUDE_MAX: i64 = 180_000_000;

/// A fix in whole numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Compact {
    pub(super) at_ms: i64,
    /// Millionths of a degree.
    pub(super) latitude: i64,
    /// Millionths of a degree.
    pub(super) longitude: i64,
    /// Bits 0 and 1 the datum, 2 and 3 the source, 4 and 5 the origin, 6 a jump,
    /// 7 from the future.
    pub(super) kind: u8,
    pub(super) extras: [Option<i64>; EXTRAS],
}

impl Compact {
    /// Rounds a validated fix.
    pub(super) fn of(recorded: &RecordedFix) -> Self {
        let (fix, at_ms) = (&recorded.fix, recorded.at_ms);
        let (latitude, longitude) = fix.position.degrees();
        let flag = |flag| u8::from(recorded.flags.contains(&flag));
        let kind = datum(fix.position)
            | source(fix.source) << 2
            | origin(fix.origin) << 4
            | flag(FixFlag::Jump) << 6
            | flag(FixFlag::Future) << 7;
        let own_time = (fix.time_ms != at_ms).then(|| fix.time_ms.wrapping_sub(at_ms));
        Self {
            at_ms,
            latitude: whole(latitude * 1e6).clamp(-LATITUDE_MAX, LATITUDE_MAX),
            longitude: whole(longitude * 1e6).clamp(-LONGITUDE_MAX, LONGITUDE_MAX),
            kind,
            extras: [
                // Never 0, which would read as "unknown".
                fix.accuracy_m.map(|metres| whole(metres * 10.0).max(1)),
                fix.confidence_percent.map(i64::from),
                fix.altitude_m.map(|metres| whole(metres * 10.0)),
                fix.speed_mps.map(|mps| whole(mps * 10.0)),
                fix.heading_deg
                    .map(|degrees| whole(degrees * 256.0 / 360.0).rem_euclid(256)),
                fix.gnss_time_ms.map(|time| time.wrapping_sub(at_ms)),
                fix.battery_percent.map(i64::from),
                own_time,
            ],
        }
    }

    /// Which extras there are, as bits.
    pub(super) fn present(&self) -> u8 {
        self.extras
            .iter()
            .rev()
            .fold(0, |bits, extra| bits << 1 | u8::from(extra.is_some()))
    }

    /// The fix; `None` where the numbers are not of one.
    pub(super) fn recorded(&self) -> Option<RecordedFix> {
        if self.latitude.abs() > LATITUDE_MAX || self.longitude.abs() > LONGITUDE_MAX {
            return None;
        }
        let (latitude, longitude) = (tenth(self.latitude)? / 1e6, tenth(self.longitude)? / 1e6);
        let extra = |index: usize| self.extras.get(index).copied().flatten();
        let tenths = |index| extra(index).and_then(tenth).map(|value| value / 10.0);
        let byte = |index| extra(index).and_then(|value| u8::try_from(value).ok());
        let time_ms = self.at_ms.wrapping_add(extra(OWN_TIME).unwrap_or(0));
        let fix = Fix {
            position: position(self.kind & 3, latitude, longitude)?,
            time_ms,
            accuracy_m: tenths(ACCURACY),
            source: match self.kind >> 2 & 3 {
                0 => FixSource::Gnss,
                1 => FixSource::Network,
                2 => FixSource::Fused,
                _ => FixSource::Manual,
            },
            confidence_percent: byte(CONFIDENCE),
            altitude_m: tenths(ALTITUDE),
            speed_mps: tenths(SPEED),
            heading_deg: byte(HEADING).map(|part| f64::from(part) * 360.0 / 256.0),
            gnss_time_ms: extra(GNSS_TIME).map(|delta| self.at_ms.wrapping_add(delta)),
            battery_percent: byte(BATTERY),
            origin: match self.kind >> 4 & 3 {
                1 => Some(FixOrigin::Device),
                2 => Some(FixOrigin::Mock),
                _ => None,
            },
        };
        let flags = self.flags(&fix);
        // A block comes from the network: what a phone could not have recorded
        // is not taken from it either.
        Some(RecordedFix {
            fix: fix.validated().ok()?,
            at_ms: self.at_ms,
            flags,
        })
    }

    fn flags(&self, fix: &Fix) -> Vec<FixFlag> {
        [
            (self.kind & 0x40 != 0, FixFlag::Jump),
            (self.kind & 0x80 != 0, FixFlag::Future),
            (fix.origin == Some(FixOrigin::Mock), FixFlag::Mock),
            (fix.time_ms < PLAUSIBLE_FROM_MS, FixFlag::TimeUnknown),
        ]
        .into_iter()
        .filter_map(|(set, flag)| set.then_some(flag))
        .collect()
    }
}

pub(crate) fn datum(position: Position) -> u8 {
    match position {
        Position::Wgs84 { .. } => 0,
        Position::Gcj02 { .. } => 1,
        Position::Bd09 { .. } => 2,
    }
}

pub(crate) fn position(datum: u8, latitude: f64, longitude: f64) -> Option<Position> {
    match datum {
        0 => Some(Position::Wgs84 {
            latitude,
            longitude,
        }),
        1 => Some(Position::Gcj02 {
            latitude,
            longitude,
        }),
        2 => Some(Position::Bd09 {
            latitude,
            longitude,
        }),
        _ => None,
    }
}

pub(crate) fn source(source: FixSource) -> u8 {
    match source {
        FixSource::Gnss => 0,
        FixSource::Network => 1,
        FixSource::Fused => 2,
        FixSource::Manual => 3,
    }
}

fn origin(origin: Option<FixOrigin>) -> u8 {
    match origin {
        None => 0,
        Some(FixOrigin::Device) => 1,
        Some(FixOrigin::Mock) => 2,
    }
}

/// The nearest whole number; values outside of `i64` saturate, a NaN is 0.
#[expect(
    clippy::as_conversions,
    reason = "a float becomes an integer in no other way; `as` saturates"
)]
pub(crate) fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// A whole number as a float; `None` beyond what a fix can hold.
fn tenth(value: i64) -> Option<f64> {
    i32::try_from(value).ok().map(f64::from)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Fixes as a host may hand them over, checked, with any flags.
    pub(crate) fn any_recorded() -> impl Strategy<Value = RecordedFix> {
        let place = (0u8..3, -90.0..=90.0f64, -180.0..=180.0f64);
        let time = prop_oneof![
            Just(0),
            any::<i64>(),
            1_600_000_000_000i64..1_800_000_000_000
        ];
        let measured = (
            proptest::option::of(-1.0..50_000.0f64),
            proptest::option::of(any::<u8>()),
            proptest::option::of(-500.0..9_000.0f64),
            proptest::option::of(-1.0..300.0f64),
            proptest::option::of(-1.0..=360.0f64),
        );
        let more = (
            proptest::option::of(any::<i64>()),
            proptest::option::of(any::<u8>()),
            0u8..4,
            0u8..3,
            any::<(bool, bool)>(),
        );
        (place, time, any::<i64>(), measured, more).prop_map(
            |((datum, latitude, longitude), time_ms, at_ms, measured, more)| {
                let (gnss_time_ms, battery_percent, source, origin, (jump, future)) = more;
                let made = Fix {
                    accuracy_m: measured.0,
                    confidence_percent: measured.1,
                    altitude_m: measured.2,
                    speed_mps: measured.3,
                    heading_deg: measured.4,
                    gnss_time_ms,
                    battery_percent,
                    origin: [None, Some(FixOrigin::Device), Some(FixOrigin::Mock)]
                        [usize::from(origin)],
                    ..Fix::new(
                        position(datum, latitude, longitude).unwrap(),
                        time_ms,
                        [
                            FixSource::Gnss,
                            FixSource::Network,
                            FixSource::Fused,
                            FixSource::Manual,
                        ][usize::from(source)],
                    )
                };
                let mut flags = Vec::new();
                flags.extend(jump.then_some(FixFlag::Jump));
                flags.extend(future.then_some(FixFlag::Future));
                RecordedFix {
                    fix: made.validated().unwrap(),
                    at_ms,
                    flags,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_rounded_once_stays_as_it_is(recorded in any_recorded()) {
            let compact = Compact::of(&recorded);
            let back = compact.recorded().unwrap();
            prop_assert!(Compact::of(&back) == compact);
            prop_assert!(Compact::of(&back).recorded().unwrap() == back);
        }

        #[test]
        fn rounding_moves_a_fix_by_no_more_than_it_says(recorded in any_recorded()) {
            let back = Compact::of(&recorded).recorded().unwrap();
            prop_assert!(recorded.fix.distance_m(&back.fix) < 0.1);
            prop_assert_eq!(recorded.fix.time_ms, back.fix.time_ms);
            prop_assert_eq!(recorded.fix.gnss_time_ms, back.fix.gnss_time_ms);
            prop_assert_eq!(recorded.fix.battery_percent, back.fix.battery_percent);
            for (given, kept, within) in [
                (recorded.fix.accuracy_m, back.fix.accuracy_m, 0.101),
                (recorded.fix.altitude_m, back.fix.altitude_m, 0.051),
                (recorded.fix.speed_mps, back.fix.speed_mps, 0.051),
            ] {
                prop_assert_eq!(given.is_some(), kept.is_some());
                prop_assert!((given.unwrap_or(0.0) - kept.unwrap_or(0.0)).abs() <= within);
            }
            let turned = recorded.fix.heading_deg.zip(back.fix.heading_deg)
                .map_or(0.0, |(given, kept)| (given - kept).abs());
            prop_assert!(turned.min(360.0 - turned) < 0.71);
        }
    }
}
