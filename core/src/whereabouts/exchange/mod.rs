//! Tracks in and out of files of other programs: GPX and GeoJSON.
//!
//! Pure functions between bytes and pieces of a track: no file, no record, no
//! clock. A piece is what was recorded without a hole. Each piece becomes a segment
//! (GPX) or a feature (GeoJSON) of its own, so no program draws a straight line
//! through a hole. What goes out is WGS-84, whatever datum the fix has.
//!
//! A file comes from anywhere, so its size, its depth and the number of its points
//! are bounded (`Policy`) before anything is built from it. A point that cannot be
//! a fix is left out and counted; a file that is not what it says is refused as a
//! whole, with nothing taken. A point without a time is left out: the record says
//! where somebody was *when*, and a guess would be a lie.

pub(crate) mod geojson;
pub(crate) mod gpx;
mod scan;

use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

use super::fix::PLAUSIBLE_FROM_MS;
use super::{Fix, FixSource};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};

/// What was recorded without a hole, in order of time.
#[derive(Clone, PartialEq, Default)]
pub(crate) struct TrackPiece {
    /// The fixes of it.
    pub(crate) fixes: Vec<Fix>,
}

/// What a file held.
#[derive(Clone, PartialEq, Default)]
pub(crate) struct Imported {
    /// The pieces that hold a fix, as the file has them.
    pub(crate) pieces: Vec<TrackPiece>,
    /// How many points, and what became of them.
    pub(crate) summary: ImportSummary,
}

/// What became of the points of a file that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, uniffi::Record)]
pub struct ImportSummary {
    /// Points that became fixes.
    pub taken: u32,
    /// Points left out because nothing says when they were.
    pub without_time: u32,
    /// Points left out because they are not where somebody was: waypoints, routes,
    /// the corners of areas.
    pub not_a_track: u32,
    /// Points left out because they are not a place on the earth.
    pub not_a_place: u32,
    /// Points left out because their time is still to come: a plan, or the file of a
    /// phone whose clock was wrong.
    pub in_the_future: u32,
}

redacted_debug!(TrackPiece, Imported);

/// A format of tracks that other programs read and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum TrackFormat {
    /// GPX 1.1; 1.0 is read, too.
    Gpx,
    /// GeoJSON (RFC 7946).
    GeoJson,
}

impl TrackFormat {
    /// The tracks of a file.
    pub(crate) fn read(self, file: &[u8], policy: &Policy) -> Result<Imported> {
        match self {
            Self::Gpx => gpx::read(file, policy),
            Self::GeoJson => geojson::read(file, policy),
        }
    }

    /// A file of these pieces.
    pub(crate) fn write(self, pieces: &[TrackPiece]) -> Result<Vec<u8>> {
        match self {
            Self::Gpx => gpx::write(pieces),
            Self::GeoJson => geojson::write(pieces),
        }
    }
}

/// Why a point of a file is left out.
enum LeftOut {
    WithoutTime,
    NotATrack,
    NotAPlace,
}

impl Imported {
    /// Takes a piece as the file has it; one of which nothing is left is no piece.
    fn take(&mut self, points: impl Iterator<Item = Result<Fix, LeftOut>>) {
        let mut piece = TrackPiece::default();
        for point in points {
            match point.and_then(|fix| fix.validated().map_err(|_| LeftOut::NotAPlace)) {
                Ok(fix) => piece.fixes.push(fix),
                Err(reason) => self.leave_out(&reason, 1),
            }
        }
        self.summary.taken = self.summary.taken.saturating_add(number(piece.fixes.len()));
        if !piece.fixes.is_empty() {
            self.pieces.push(piece);
        }
    }

    /// Leaves out what no visit of the traveler can be: what is still to come after
    /// `latest_ms`, and a time of before 2000, which is that of a receiver without
    /// one.
    pub(crate) fn limit_to(&mut self, latest_ms: i64) {
        for piece in &mut self.pieces {
            let read = piece.fixes.len();
            piece.fixes.retain(|fix| fix.time_ms <= latest_ms);
            let past = piece.fixes.len();
            piece.fixes.retain(|fix| fix.time_ms >= PLAUSIBLE_FROM_MS);
            let kept = piece.fixes.len();
            let summary = &mut self.summary;
            summary.taken = summary.taken.saturating_sub(number(read - kept));
            summary.in_the_future = summary.in_the_future.saturating_add(number(read - past));
            summary.without_time = summary.without_time.saturating_add(number(past - kept));
        }
        self.pieces.retain(|piece| !piece.fixes.is_empty());
    }

    fn leave_out(&mut self, reason: &LeftOut, points: usize) {
        let count = match reason {
            LeftOut::WithoutTime => &mut self.summary.without_time,
            LeftOut::NotATrack => &mut self.summary.not_a_track,
            LeftOut::NotAPlace => &mut self.summary.not_a_place,
        };
        *count = count.saturating_add(number(points));
    }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A file that is larger than is read.
fn sized(field: &str, bytes: &[u8], policy: &Policy) -> Result<()> {
    if bytes.len() > policy.import_bytes {
        return Err(too_much(field, policy.import_bytes, "bytes"));
    }
    Ok(())
}

fn too_much(field: &str, limit: usize, of_what: &str) -> HomelineError {
    HomelineError::invalid(
        field,
        Problem::TooLong,
        &format!("at most {limit} {of_what}"),
    )
}

/// Milliseconds UTC of a time in ISO 8601; one without an offset is UTC, as GPX
/// says. `None` where it is none.
fn time_ms(text: &str) -> Option<i64> {
    let time = OffsetDateTime::parse(text, &Iso8601::PARSING)
        .or_else(|_| {
            PrimitiveDateTime::parse(text, &Iso8601::PARSING).map(PrimitiveDateTime::assume_utc)
        })
        .ok()?;
    milliseconds(time)
}

/// `None` for a year that has no four digits: it could not be written again.
fn milliseconds(time: OffsetDateTime) -> Option<i64> {
    let time = time.to_offset(UtcOffset::UTC);
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000_000))
        .ok()
        .filter(|_| has_four_digits(time))
}

fn has_four_digits(time: OffsetDateTime) -> bool {
    (0..=9999).contains(&time.year())
}

/// The time as files write it. `None` where no four digits hold its year: what a
/// broken clock says is not a time to other programs.
fn date_time(time_ms: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(time_ms) * 1_000_000)
        .ok()
        .filter(|time| has_four_digits(*time))
}

fn time_text(time_ms: i64) -> Option<String> {
    date_time(time_ms)?.format(&Rfc3339).ok()
}

/// The word for a source in files.
fn source_name(source: FixSource) -> &'static str {
    match source {
        FixSource::Gnss => "gnss",
        FixSource::Network => "network",
        FixSource::Fused => "fused",
        FixSource::Manual => "manual",
    }
}

/// The source that a word of ours names; words of other programs name none.
fn source_named(name: &str) -> Option<FixSource> {
    use FixSource::{Fused, Gnss, Manual, Network};
    [Gnss, Network, Fused, Manual]
        .into_iter()
        .find(|source| source_name(*source) == name)
}

#[cfg(test)]
mod tests;
