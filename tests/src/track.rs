//! Tracks: GPX as fixes, moved in time so that they end now.

use std::io;
use std::path::Path;

use gpx::{Gpx, Waypoint};
use homeline::whereabouts::{Fix, FixSource, Position};

/// A hole in a track that is longer than this is a gap.
const GAP_MS: i64 = 30 * 60_000;
/// Time between points of a track without times.
const STEP_MS: i64 = 10_000;

/// A track, ready to be replayed.
pub struct Track {
    /// In order; the last one is of `end_ms`.
    pub fixes: Vec<Fix>,
    /// Holes of more than half an hour.
    pub gaps: usize,
    /// From the first to the last, milliseconds.
    pub duration_ms: i64,
}

/// Reads the tracks of a GPX file (version 1.0 or 1.1); the last point is moved
/// to `end_ms`, milliseconds UTC, and the others with it.
pub fn read(path: &Path, end_ms: i64) -> io::Result<Track> {
    let file = io::BufReader::new(std::fs::File::open(path)?);
    let gpx = gpx::read(file).map_err(io::Error::other)?;
    let points: Vec<Fix> = fixes(&gpx);
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Err(io::Error::other("the file has no track points"));
    };
    let shift = end_ms - last.time_ms;
    let duration_ms = last.time_ms - first.time_ms;
    let gaps = points
        .iter()
        .zip(points.iter().skip(1))
        .filter(|(a, b)| b.time_ms - a.time_ms > GAP_MS)
        .count();
    let fixes = points
        .into_iter()
        .map(|fix| Fix {
            time_ms: fix.time_ms + shift,
            ..fix
        })
        .collect();
    Ok(Track {
        fixes,
        gaps,
        duration_ms,
    })
}

fn fixes(gpx: &Gpx) -> Vec<Fix> {
    let points = gpx
        .tracks
        .iter()
        .flat_map(|track| &track.segments)
        .flat_map(|segment| &segment.points);
    let mut time_ms = 0;
    points
        .map(|point| {
            time_ms = time_of(point).unwrap_or(time_ms + STEP_MS);
            Fix {
                accuracy_m: point.hdop.map(|hdop| hdop * 5.0),
                ..Fix::new(
                    Position::Wgs84 {
                        latitude: point.point().y(),
                        longitude: point.point().x(),
                    },
                    time_ms,
                    FixSource::Gnss,
                )
            }
        })
        .collect()
}

fn time_of(point: &Waypoint) -> Option<i64> {
    let time: time::OffsetDateTime = point.time?.into();
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_own_track_is_hours_long_with_a_gap_and_ends_when_asked() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/journey/kavrun.gpx");
        let track = read(&path, 1_800_000_000_000).unwrap();
        assert_eq!(track.fixes.last().unwrap().time_ms, 1_800_000_000_000);
        assert_eq!(track.gaps, 1);
        assert!(track.duration_ms > 4 * 3_600_000);
        assert!(track.fixes.iter().is_sorted_by_key(|fix| fix.time_ms));
    }
}
