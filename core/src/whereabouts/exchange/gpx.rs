//! GPX 1.1 (1.0 is read, too), by the crate `gpx`.
//!
//! GPX has no accuracy in metres. Its `hdop` is taken times five: the usual error
//! of a receiver's range, so an estimate; what we write comes back as it was. The
//! source of a fix is written to `src`, the way GPX says where data is from.
//!
//! Our altitudes are above the ellipsoid. An `ele` that is read gets the `geoidheight`
//! beside it added; few files have one, and most programs mean the height above the
//! sea, up to 107 m away. GPX 1.1 has no speed: one of GPX 1.0 is read, none is
//! written.

use ::gpx::errors::GpxError;
use ::gpx::{Fix as FixType, Gpx, GpxVersion, Track, TrackSegment, Waypoint};
use time::OffsetDateTime;

use super::super::{Fix, FixSource, Position};
use super::{
    Imported, LeftOut, TrackPiece, date_time, milliseconds, scan, sized, source_name, source_named,
    too_much,
};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::geo::Wgs84;

/// Metres of error for one of dilution.
const METRES_PER_HDOP: f64 = 5.0;
const FIELD: &str = "gpx";

/// Reads a file. The points of its tracks are taken; waypoints and routes are
/// marks and plans, and left out.
///
/// Errors: `Invalid` for `gpx`: `TooLong` for more bytes, points or depth than
/// `Policy` has; `OutOfRange` for a point that is not on the earth; `Malformed` for
/// everything else that is not GPX, and for a document type.
pub(crate) fn read(file: &[u8], policy: &Policy) -> Result<Imported> {
    sized(FIELD, file, policy)?;
    bounded(file, policy)?;
    let gpx = ::gpx::read(file).map_err(|error| refused(&error))?;
    let mut imported = Imported::default();
    imported.leave_out(&LeftOut::NotATrack, gpx.waypoints.len());
    for route in &gpx.routes {
        imported.leave_out(&LeftOut::NotATrack, route.points.len());
    }
    for segment in gpx.tracks.iter().flat_map(|track| &track.segments) {
        imported.take(segment.points.iter().map(fix_of));
    }
    Ok(imported)
}

/// Looks at what would come of the file, before the parser builds it.
fn bounded(file: &[u8], policy: &Policy) -> Result<()> {
    let extent = scan::xml(file);
    // A NUL is in no XML that the look could judge: UTF-16 has them.
    if extent.has_doctype || file.contains(&0) {
        return Err(malformed());
    }
    let elements = policy
        .import_points
        .saturating_mul(policy.import_values_per_point);
    for (found, limit, of_what) in [
        (extent.items, policy.import_points, "points"),
        (extent.elements, elements, "elements"),
        (extent.depth, policy.import_depth, "elements in each other"),
        (extent.namespaces, policy.import_namespaces, "namespaces"),
    ] {
        if found > limit {
            return Err(too_much(FIELD, limit, of_what));
        }
    }
    Ok(())
}

/// Writes a file with one track; each piece is a segment of it. A time whose year
/// has no four digits is left out, with its point in place.
///
/// Errors: `Invalid` where a fix is not on the earth.
pub(crate) fn write(pieces: &[TrackPiece]) -> Result<Vec<u8>> {
    let mut track = Track::new();
    for piece in pieces.iter().filter(|piece| !piece.fixes.is_empty()) {
        let mut segment = TrackSegment::new();
        segment.points = piece.fixes.iter().map(point_of).collect::<Result<_>>()?;
        track.segments.push(segment);
    }
    let gpx = Gpx {
        version: GpxVersion::Gpx11,
        creator: Some("Homeline".into()),
        tracks: vec![track],
        ..Gpx::default()
    };
    let mut file = Vec::new();
    ::gpx::write(&gpx, &mut file).map_err(|_| HomelineError::bug("gpx::write"))?;
    Ok(file)
}

fn fix_of(point: &Waypoint) -> Result<Fix, LeftOut> {
    let time = point.time.ok_or(LeftOut::WithoutTime)?;
    let (longitude, latitude) = point.point().x_y();
    let time_ms = milliseconds(OffsetDateTime::from(time)).ok_or(LeftOut::WithoutTime)?;
    let position = Position::Wgs84 {
        latitude,
        longitude,
    };
    Ok(Fix {
        accuracy_m: point.hdop.map(|hdop| hdop * METRES_PER_HDOP),
        altitude_m: point
            .elevation
            .map(|metres| metres + point.geoidheight.unwrap_or(0.0)),
        speed_mps: point.speed,
        ..Fix::new(position, time_ms, source_of(point))
    })
}

fn point_of(fix: &Fix) -> Result<Waypoint> {
    let place = fix.position.to_wgs84()?;
    let mut point = Waypoint::new(xy(place).into());
    point.time = date_time(fix.time_ms).map(Into::into);
    point.hdop = fix.accuracy_m.map(|metres| metres / METRES_PER_HDOP);
    point.elevation = fix.altitude_m;
    point.source = Some(source_name(fix.source).into());
    Ok(point)
}

/// Longitude and latitude. In GPX the antimeridian is in the west.
fn xy(place: Wgs84) -> (f64, f64) {
    let longitude = place.longitude();
    let west = if longitude == 180.0 {
        -180.0
    } else {
        longitude
    };
    (west, place.latitude())
}

/// Files of ours name the source; in others a kind of satellite fix tells, and
/// else it is whatever the other program mixed.
fn source_of(point: &Waypoint) -> FixSource {
    let named = point.source.as_deref().and_then(source_named);
    named.unwrap_or(match point.fix {
        Some(
            FixType::TwoDimensional | FixType::ThreeDimensional | FixType::DGPS | FixType::PPS,
        ) => FixSource::Gnss,
        _ => FixSource::Fused,
    })
}

fn refused(error: &GpxError) -> HomelineError {
    match error {
        GpxError::LonLatOutOfBoundsError(..) => HomelineError::invalid(
            FIELD,
            Problem::OutOfRange,
            "latitudes of -90 to 90 and longitudes of -180 to below 180 degrees",
        ),
        _ => malformed(),
    }
}

fn malformed() -> HomelineError {
    HomelineError::invalid(
        FIELD,
        Problem::Malformed,
        "GPX 1.0 or 1.1 without a document type",
    )
}

#[cfg(test)]
mod tests;
