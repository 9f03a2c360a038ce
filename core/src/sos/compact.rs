//! The compact report: what a report says, in 38 bytes, for the channels that
//! carry one small message: a text message, a packet.
//!
//! Bits, the most significant first:
//!
//! ```text
//! bits  field
//!  128  report id, a UUIDv7: its first 48 bits are the press, ms UTC by the phone's clock
//!   24  sequence of the device; all ones: that or more
//!    4  kind: 0 medical, 1 crime, 2 accident, 3 disaster, 4 conflict, 5 detained,
//!       6 lost, 7 and those of later versions other
//!    8  from the press to the sealing, seconds, scale below; all ones: not known
//!    4  text parts that follow the report as text messages; 15: that or more
//!    7  battery, percent; all ones: not known
//!   10  people; all ones: not said; 1022: that or more
//!    1  the note was longer than what a report holds
//!    1  a medical card goes beside the full report
//!    1  a standing letter (who calls) goes beside the full report
//!   28  latitude, millionths of a degree above -90; all ones: no position, and what
//!       follows says nothing
//!   29  longitude, millionths of a degree above -180
//!    2  datum: 0 WGS 84, 1 GCJ-02, 2 BD-09
//!    2  source: 0 GNSS, 1 network, 2 fused, 3 manual
//!    8  radius of accuracy, metres, scale below; all ones: not known
//!    7  confidence of that radius, percent; 0: not said (68)
//!    8  from the fix to the press, seconds, scale below; all ones: not known
//!   14  metres above the ellipsoid and 1,000; all ones: not known
//!    4  what is odd about the fix: jump, future, mock, time unknown
//!   14  zero; a reader takes no notice of them
//! ```
//!
//! The scale has eight bits, three of them behind the point: 0 to 15 as they are,
//! then steps of an eighth at most, up to 476 years in seconds. It rounds up: a
//! position is never told younger or sharper than it is.
//!
//! Not in it, and told by the full report over HTTPS: the note, the positions
//! before, speed, heading and the ids of what goes beside.

mod text;

pub use text::{TEXT_PART_BYTES, TextPart};

use uuid::Uuid;

use super::{Ground, SosKind};
use crate::clock::ClockReading;
use crate::sync::protocol::{AgedFix, SosReport};
use crate::whereabouts::bits::{Reader, Writer};
use crate::whereabouts::compact::{self, LATITUDE_MAX, LONGITUDE_MAX, whole};
use crate::whereabouts::{Fix, FixFlag, FixOrigin, FixSource, Position};

/// Bytes of a compact report.
pub const COMPACT_BYTES: usize = 38;

/// Text parts that a report can announce by their number.
pub const TEXT_PARTS_MAX: u8 = 15;

const NOT_KNOWN: u64 = 0xff;
const SCALE_MAX: u64 = 0xfe;
const SEQUENCE_MAX: u64 = 0x00ff_ffff;
const BATTERY_NOT_KNOWN: u64 = 0x7f;
const PEOPLE_NOT_SAID: u64 = 0x3ff;
const NO_POSITION: u64 = 0x0fff_ffff;
const ALTITUDE_NOT_KNOWN: u64 = 0x3fff;
const ALTITUDE_ZERO: i64 = 1_000;
const KINDS: [SosKind; 7] = [
    SosKind::Medical,
    SosKind::Crime,
    SosKind::Accident,
    SosKind::Disaster,
    SosKind::Conflict,
    SosKind::Detained,
    SosKind::Lost,
];
const FLAGS: [FixFlag; 4] = [
    FixFlag::Jump,
    FixFlag::Future,
    FixFlag::Mock,
    FixFlag::TimeUnknown,
];

/// A report as the compact form tells it.
#[derive(Clone, PartialEq)]
pub struct CompactReport {
    /// Id of the report (UUIDv7), the same on every channel.
    pub report: Uuid,
    /// Counts the reports of this device from 1, up to 16,777,215.
    pub sequence: u64,
    /// The kind of emergency.
    pub kind: SosKind,
    /// Milliseconds from the press to the sealing; absent where no clock can tell.
    pub waited_ms: Option<i64>,
    /// Text parts that follow it as text messages, at most [`TEXT_PARTS_MAX`].
    pub text_parts: u8,
    /// Charge of the battery in percent.
    pub battery_percent: Option<u8>,
    /// People concerned, the traveler included.
    pub people: Option<u32>,
    /// Whether the note was cut even for the full report.
    pub note_cut: bool,
    /// Whether a medical card goes beside the full report.
    pub medical: bool,
    /// Whether a standing letter goes beside the full report.
    pub standing: bool,
    /// Where, never without its age.
    pub position: Option<AgedFix>,
}

redacted_debug!(CompactReport);

impl CompactReport {
    /// What of `report` fits, sealed `waited_ms` after the press.
    pub fn of(report: &SosReport, waited_ms: Option<i64>) -> Self {
        Self {
            report: report.report,
            sequence: report.sequence,
            kind: report.kind,
            waited_ms,
            text_parts: 0,
            battery_percent: report.battery_percent,
            people: report.people,
            note_cut: report.note_cut,
            medical: report.medical.is_some(),
            standing: report.standing.is_some(),
            position: report.position.clone(),
        }
    }

    /// When it was pressed, milliseconds UTC by the phone's clock: the id says so
    /// (RFC 9562, section 5.7).
    pub fn pressed_ms(&self) -> i64 {
        pressed_ms(&self.report)
    }

    /// The report for a reader of full ones: without note, positions before, and
    /// the ids of what goes beside.
    pub fn to_report(&self) -> SosReport {
        SosReport {
            report: self.report,
            sequence: self.sequence,
            pressed: ClockReading {
                wall_ms: self.pressed_ms(),
                monotonic_ms: 0,
                boot_id: String::new(),
            },
            kind: self.kind,
            note: String::new(),
            note_cut: self.note_cut,
            people: self.people,
            battery_percent: self.battery_percent,
            position: self.position.clone(),
            recent: Vec::new(),
            standing: None,
            medical: None,
            ground: Ground::VitalInterest,
        }
    }

    /// The 38 bytes, rounded as the table says. No value is refused.
    pub fn encode(&self) -> [u8; COMPACT_BYTES] {
        let mut out = Writer::default();
        for byte in self.report.as_bytes() {
            out.bits(u64::from(*byte), 8);
        }
        out.bits(self.sequence.min(SEQUENCE_MAX), 24);
        out.bits(kind_number(self.kind), 4);
        out.bits(scaled_seconds(self.waited_ms), 8);
        out.bits(u64::from(self.text_parts.min(TEXT_PARTS_MAX)), 4);
        let battery = self.battery_percent.filter(|percent| *percent <= 100);
        out.bits(battery.map_or(BATTERY_NOT_KNOWN, u64::from), 7);
        let people = self.people.map(u64::from);
        out.bits(
            people.map_or(PEOPLE_NOT_SAID, |people| people.min(PEOPLE_NOT_SAID - 1)),
            10,
        );
        for flag in [self.note_cut, self.medical, self.standing] {
            out.bits(u64::from(flag), 1);
        }
        write_position(&mut out, self.position.as_ref());
        // The rest is zero.
        let mut bytes = [0; COMPACT_BYTES];
        for (to, from) in bytes.iter_mut().zip(out.finish()) {
            *to = from;
        }
        bytes
    }

    /// Reads 38 bytes; `None` where there are more or fewer. Every 38 bytes are a
    /// report: they were sealed by a phone in need, and what a later version put
    /// there reads as not known.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; COMPACT_BYTES] = bytes.try_into().ok()?;
        let (id, _) = bytes.split_first_chunk::<16>()?;
        let report = Uuid::from_bytes(*id);
        let mut bits = Reader::new(bytes);
        bits.bits(64).ok()?;
        bits.bits(64).ok()?;
        let mut take = |count| bits.bits(count).ok();
        let sequence = take(24)?;
        let kind = kind_of(take(4)?);
        let waited_ms = milliseconds(take(8)?);
        let text_parts = u8::try_from(take(4)?).ok()?;
        let battery_percent = small(take(7)?).filter(|percent| *percent <= 100);
        let people = match take(10)? {
            PEOPLE_NOT_SAID => None,
            people => u32::try_from(people).ok(),
        };
        let (note_cut, medical, standing) = (take(1)? == 1, take(1)? == 1, take(1)? == 1);
        Some(Self {
            report,
            sequence,
            kind,
            waited_ms,
            text_parts,
            battery_percent,
            people,
            note_cut,
            medical,
            standing,
            position: read_position(&mut bits, pressed_ms(&report)),
        })
    }
}

fn pressed_ms(report: &Uuid) -> i64 {
    let ms = report.as_u128() >> 80;
    i64::try_from(ms).unwrap_or(0)
}

fn kind_number(kind: SosKind) -> u64 {
    let at = KINDS.iter().position(|known| *known == kind);
    at.and_then(|at| u64::try_from(at).ok()).unwrap_or(7)
}

fn kind_of(number: u64) -> SosKind {
    let at = usize::try_from(number).ok();
    at.and_then(|at| KINDS.get(at).copied())
        .unwrap_or(SosKind::Other)
}

fn write_position(out: &mut Writer, position: Option<&AgedFix>) {
    let Some(AgedFix { fix, age_ms, flags }) = position else {
        return out.bits(NO_POSITION, 28);
    };
    let (latitude, longitude) = fix.position.degrees();
    out.bits(millionths(latitude, LATITUDE_MAX), 28);
    out.bits(millionths(longitude, LONGITUDE_MAX), 29);
    out.bits(u64::from(compact::datum(fix.position)), 2);
    out.bits(u64::from(compact::source(fix.source)), 2);
    let accuracy = fix.accuracy_m.map(|metres| positive(whole(metres.ceil())));
    out.bits(accuracy.map_or(NOT_KNOWN, scale), 8);
    let confidence = fix.confidence_percent.filter(|percent| *percent <= 100);
    out.bits(confidence.map_or(0, u64::from), 7);
    out.bits(scaled_seconds(*age_ms), 8);
    let altitude = fix
        .altitude_m
        .and_then(|metres| u64::try_from(whole(metres).saturating_add(ALTITUDE_ZERO)).ok())
        .filter(|metres| *metres < ALTITUDE_NOT_KNOWN);
    out.bits(altitude.unwrap_or(ALTITUDE_NOT_KNOWN), 14);
    for flag in FLAGS {
        out.bits(u64::from(flags.contains(&flag)), 1);
    }
}

fn read_position(bits: &mut Reader<'_>, pressed_ms: i64) -> Option<AgedFix> {
    let mut take = |count| bits.bits(count).ok();
    let latitude = degrees(take(28)?, LATITUDE_MAX)?;
    let longitude = degrees(take(29)?, LONGITUDE_MAX)?;
    let position: Position = compact::position(small(take(2)?)?, latitude, longitude)?;
    let source = match take(2)? {
        0 => FixSource::Gnss,
        1 => FixSource::Network,
        2 => FixSource::Fused,
        _ => FixSource::Manual,
    };
    let accuracy = known(take(8)?).and_then(|metres| u32::try_from(metres).ok());
    let confidence = small(take(7)?);
    let age_ms = milliseconds(take(8)?);
    let altitude = match take(14)? {
        ALTITUDE_NOT_KNOWN => None,
        metres => i32::try_from(i64::try_from(metres).ok()?.saturating_sub(ALTITUDE_ZERO)).ok(),
    };
    let mut flags = Vec::new();
    for flag in FLAGS {
        flags.extend((take(1)? == 1).then_some(flag));
    }
    let mut fix = Fix::new(position, 0, source);
    // What its source had no time for has none here either.
    if !flags.contains(&FixFlag::TimeUnknown) {
        fix.time_ms = age_ms.map_or(0, |age| pressed_ms.saturating_sub(age));
    }
    fix.accuracy_m = accuracy.map(f64::from);
    fix.confidence_percent = confidence;
    fix.altitude_m = altitude.map(f64::from);
    fix.origin = flags.contains(&FixFlag::Mock).then_some(FixOrigin::Mock);
    Some(AgedFix {
        fix: fix.validated().ok()?,
        age_ms,
        flags,
    })
}

fn millionths(degrees: f64, most: i64) -> u64 {
    positive(whole(degrees * 1e6).clamp(-most, most).saturating_add(most))
}

fn degrees(value: u64, most: i64) -> Option<f64> {
    let value = i64::try_from(value).ok()?.checked_sub(most)?;
    let value = i32::try_from(value).ok().filter(|_| value <= most)?;
    Some(f64::from(value) / 1e6)
}

fn scaled_seconds(ms: Option<i64>) -> u64 {
    ms.map_or(NOT_KNOWN, |ms| scale(positive(ms).div_ceil(1_000)))
}

fn milliseconds(code: u64) -> Option<i64> {
    known(code).and_then(|seconds| i64::try_from(seconds.saturating_mul(1_000)).ok())
}

/// A number on the scale, rounded up. Pure.
fn scale(value: u64) -> u64 {
    if value < 8 {
        return value;
    }
    let shift = u64::from(60 - value.leading_zeros());
    let eighths = (value >> shift) + u64::from(value & ((1 << shift) - 1) != 0);
    // Sixteen eighths are the first of the next power, and so is the sum.
    (shift * 8 + eighths).min(SCALE_MAX)
}

/// The number of a place on the scale; `None` where it is not known.
fn known(code: u64) -> Option<u64> {
    match code {
        NOT_KNOWN => None,
        0..8 => Some(code),
        _ => Some((8 + code % 8) << (code / 8 - 1)),
    }
}

fn positive(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn small(value: u64) -> Option<u8> {
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests;
