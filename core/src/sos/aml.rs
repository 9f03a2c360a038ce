//! A position as texts that a local emergency centre can read: AML of version 1
//! and 2, ISO 6709, and a `geo:` URI.
//!
//! For a duty officer who hands a case over by telephone, chat or mail, and for
//! a host that shows its own report. Nothing here sends anything.
//!
//! | form | source |
//! | --- | --- |
//! | AML 1 | ETSI TS 103 625, as phones send it: `A"ML=1;lt=…;ml=…` |
//! | AML 2 | Google's "ELS Beta" (developers.google.com/android/els/reference/sms-spec) |
//! | ISO 6709 | annex H, with the CRS identifier `WGS_84` |
//! | `geo:` | RFC 5870, with `crs` and the uncertainty `u` |
//!
//! Three rules:
//!
//! * WGS-84 and nothing else. GCJ-02 and BD-09 are undone; where they cannot be
//!   (see [`crate::geo`]), there is no text, and [`LocationHandover`] says so.
//! * What is not known is not made up. An AML text of ours has no subscriber,
//!   device or network (`si`, `ei`, `mcc`, `mnc`, `nc`, `hc`), no emergency number
//!   (`en`) and, where no clock can tell, no time: these attributes are left out,
//!   and a reader takes them as not available.
//! * A radius keeps its meaning. AML says its confidence beside it. `geo:` has no
//!   place for one, so `u` is at 95 %, what emergency services take for granted
//!   (RFC 5491, section 5.1).
//!
//! All is in characters of the GSM 7-bit alphabet, and an AML text in one message
//! of 160.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::geo::{Bd09, Gcj02, Wgs84};
use crate::sync::protocol::AgedFix;
use crate::whereabouts::{FixFlag, FixSource, Position};

/// Confidence of a radius that does not name its own, percent.
const USUAL_PERCENT: u8 = 68;
/// 2000 to 9999, in seconds: outside, a clock is wrong, or a date has not 14 digits.
const SECONDS: std::ops::Range<i64> = 946_684_800..253_402_300_800;
/// Degrees that count as the same place: about a metre.
const SAME_PLACE: f64 = 1e-5;

/// What to know before a text is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum LocationCaveat {
    /// The position was in a shifted Chinese datum and has been converted.
    Converted,
    /// No radius is known.
    RadiusUnknown,
    /// No clock can tell when it was measured.
    TimeUnknown,
    /// An app made the position up.
    Mock,
    /// It is farther from the one before than an aircraft could fly, or its time
    /// lies ahead of the phone's.
    Doubtful,
}

/// A position as texts.
#[derive(Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct LocationTexts {
    /// AML of version 1; its last attribute is its length.
    pub aml_v1: String,
    /// AML of version 2.
    pub aml_v2: String,
    /// ISO 6709, degrees: `+48.82639-002.36619CRSWGS_84/`.
    pub iso6709: String,
    /// RFC 5870: `geo:48.82639,-2.36619;crs=wgs84;u=84`.
    pub geo: String,
    /// Radius of 68 % confidence in metres.
    pub radius_68_m: Option<f64>,
    /// Radius of 95 % confidence in metres.
    pub radius_95_m: Option<f64>,
    /// When it was measured, milliseconds UTC by the best clock known.
    pub located_ms: Option<i64>,
    /// What to know before it is believed.
    pub caveats: Vec<LocationCaveat>,
}

/// Whether there are texts.
#[derive(Clone, PartialEq, Serialize, Deserialize, uniffi::Enum)]
#[serde(tag = "handover", rename_all = "snake_case")]
pub enum LocationHandover {
    /// The texts.
    Texts {
        /// The texts.
        texts: LocationTexts,
    },
    /// No position is known.
    NoPosition,
    /// The position is in a shifted datum, and stands where nothing is shown in
    /// that datum, at the border of mainland China: it is off by up to 1.4 km, and
    /// no text may claim that it is WGS-84.
    DatumNotUndone,
}

redacted_debug!(LocationTexts, LocationHandover);

/// The texts of a position. `called_ms` is when help was asked for, milliseconds
/// UTC by the best clock known, and the moment that the fix's age counts to; absent
/// where no clock can be believed. Pure.
pub fn location_texts(aged: &AgedFix, called_ms: Option<i64>) -> LocationHandover {
    let Some(place) = undone(aged.fix.position) else {
        return LocationHandover::DatumNotUndone;
    };
    let fix = &aged.fix;
    let percent = fix.confidence_percent.unwrap_or(USUAL_PERCENT);
    let measured = fix.accuracy_m.filter(|metres| *metres > 0.0);
    let radius_at = |wanted| measured.map(|metres| metres * radius_ratio(percent, wanted));
    // The satellites know the time; the phone only how long ago it was.
    let counted = called_ms
        .zip(aged.age_ms)
        .map(|(called, age)| called.saturating_sub(age));
    let located_ms = fix
        .gnss_time_ms
        .or(counted)
        .filter(|ms| SECONDS.contains(&ms.div_euclid(1_000)));
    let parts = Parts {
        latitude: five(place.latitude()),
        longitude: five(on_the_globe(place)),
        radius_m: measured,
        percent,
        altitude_m: fix.altitude_m,
        located_s: located_ms.map(|ms| ms.div_euclid(1_000)),
        called_s: called_ms
            .map(|ms| ms.div_euclid(1_000))
            .filter(|seconds| SECONDS.contains(seconds)),
        source: fix.source,
    };
    LocationHandover::Texts {
        texts: LocationTexts {
            aml_v1: parts.aml_v1(),
            aml_v2: parts.aml_v2(),
            iso6709: parts.iso6709(),
            geo: parts.geo(radius_at(95)),
            radius_68_m: radius_at(68),
            radius_95_m: radius_at(95),
            caveats: caveats(aged, measured, located_ms),
            located_ms,
        },
    }
}

fn caveats(aged: &AgedFix, radius: Option<f64>, located_ms: Option<i64>) -> Vec<LocationCaveat> {
    let flagged = |flag| aged.flags.contains(&flag);
    let doubtful = flagged(FixFlag::Jump) || flagged(FixFlag::Future);
    let converted = !matches!(aged.fix.position, Position::Wgs84 { .. });
    [
        (converted, LocationCaveat::Converted),
        (radius.is_none(), LocationCaveat::RadiusUnknown),
        (located_ms.is_none(), LocationCaveat::TimeUnknown),
        (flagged(FixFlag::Mock), LocationCaveat::Mock),
        (doubtful, LocationCaveat::Doubtful),
    ]
    .into_iter()
    .filter_map(|(holds, caveat)| holds.then_some(caveat))
    .collect()
}

/// The place in WGS-84, where shifting it again leads back to what was given.
fn undone(position: Position) -> Option<Wgs84> {
    let place = position.to_wgs84().ok()?;
    let (latitude, longitude) = match position {
        Position::Wgs84 { .. } => return Some(place),
        Position::Gcj02 { .. } => {
            let again = Gcj02::from(place);
            (again.latitude(), again.longitude())
        }
        Position::Bd09 { .. } => {
            let again = Bd09::from(place);
            (again.latitude(), again.longitude())
        }
    };
    let given = position.degrees();
    let same = (given.0 - latitude).abs() < SAME_PLACE && (given.1 - longitude).abs() < SAME_PLACE;
    same.then_some(place)
}

/// How much larger a radius of `wanted` percent is than one of `given`, for errors
/// that are normal in two dimensions (the Rayleigh distribution; RFC 7459, section
/// 5.3): 1.62 from 68 to 95.
fn radius_ratio(given: u8, wanted: u8) -> f64 {
    // Nothing is certain: at 100 % the circle would have no end.
    let spread = |percent: u8| {
        let confidence = f64::from(percent.clamp(1, 99)) / 100.0;
        (-2.0 * (1.0 - confidence).ln()).sqrt()
    };
    spread(wanted) / spread(given)
}

/// Five decimals, a metre; and no zero with a minus.
fn five(degrees: f64) -> f64 {
    (degrees * 1e5).round() / 1e5 + 0.0
}

/// At a pole all longitudes are one (RFC 5870, section 3.4.2).
fn on_the_globe(place: Wgs84) -> f64 {
    match place.latitude().abs() < 90.0 {
        true => place.longitude(),
        false => 0.0,
    }
}

/// What the texts are made of. Degrees have five decimals.
struct Parts {
    latitude: f64,
    longitude: f64,
    radius_m: Option<f64>,
    percent: u8,
    altitude_m: Option<f64>,
    located_s: Option<i64>,
    called_s: Option<i64>,
    source: FixSource,
}

impl Parts {
    fn aml_v1(&self) -> String {
        // A radius is rounded up: a search may be too wide, never too narrow.
        let (radius, percent) = self.radius_m.map_or(("N".into(), 0), |metres| {
            (format!("{:.0}", metres.ceil()), self.percent)
        });
        let time = self
            .located_s
            .and_then(digits)
            .map(|digits| format!("top={digits};"))
            .unwrap_or_default();
        // Cells and wireless networks are one source to a platform: unknown.
        let method = match self.source {
            FixSource::Gnss => 'G',
            FixSource::Network | FixSource::Fused | FixSource::Manual => 'U',
        };
        let text = format!(
            "A\"ML=1;lt={:+.5};lg={:+.5};rd={radius};{time}lc={percent};pm={method};ml=",
            self.latitude, self.longitude
        );
        // The length counts its own digits.
        let length = match text.len() {
            short @ 0..98 => short + 2,
            long => long + 3,
        };
        format!("{text}{length}")
    }

    fn aml_v2(&self) -> String {
        let called = self
            .called_s
            .map(|seconds| format!("et={seconds};"))
            .unwrap_or_default();
        // Relative to `et`, and nothing without it.
        let located = self
            .called_s
            .zip(self.located_s)
            .map(|(called, located)| format!("lt={};", located.saturating_sub(called)))
            .unwrap_or_default();
        // An accuracy of 0 is unknown, here and for the altitude.
        let (radius, percent) = self
            .radius_m
            .map_or((0.0, 0), |metres| (metres, self.percent));
        let altitude = self
            .altitude_m
            .map(|metres| format!("lz={metres:.1},0;"))
            .unwrap_or_default();
        let source = match self.source {
            FixSource::Gnss => 'G',
            FixSource::Fused => 'F',
            FixSource::Network | FixSource::Manual => 'U',
        };
        format!(
            "A\"ML=2;{called}lo={:.5},{:.5},{:.1};{located}lc={percent};{altitude}ls={source}",
            self.latitude, self.longitude, radius
        )
    }

    fn iso6709(&self) -> String {
        let altitude = self
            .altitude_m
            .map(|metres| format!("{metres:+.1}"))
            .unwrap_or_default();
        format!(
            "{:+09.5}{:+010.5}{altitude}CRSWGS_84/",
            self.latitude, self.longitude
        )
    }

    fn geo(&self, radius_95_m: Option<f64>) -> String {
        let altitude = self
            .altitude_m
            .map(|metres| format!(",{metres:.1}"))
            .unwrap_or_default();
        let radius = radius_95_m
            .map(|metres| format!(";u={:.0}", metres.ceil()))
            .unwrap_or_default();
        format!(
            "geo:{:.5},{:.5}{altitude};crs=wgs84{radius}",
            self.latitude, self.longitude
        )
    }
}

/// `YYYYMMDDhhmmss`, UTC.
fn digits(seconds: i64) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    Some(format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    ))
}

#[cfg(test)]
mod tests;
