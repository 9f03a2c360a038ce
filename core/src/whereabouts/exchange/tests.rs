//! What the tests of both formats share.

use proptest::prelude::*;

use super::super::{Fix, FixSource, Position};
use super::{ImportSummary, Imported, PLAUSIBLE_FROM_MS, TrackPiece};
use crate::error::{HomelineError, Problem};
use crate::testing::shared_bytes;

/// Pieces of fixes anywhere, in any datum, at any time that files can write.
pub(super) fn pieces() -> impl Strategy<Value = Vec<TrackPiece>> {
    let source = proptest::sample::select(vec![
        FixSource::Gnss,
        FixSource::Network,
        FixSource::Fused,
        FixSource::Manual,
    ]);
    let fix = (
        0..3_u8,
        -90.0..=90.0,
        -180.0..180.0,
        -62_000_000_000_000_i64..253_000_000_000_000,
        proptest::option::of(0.1..100_000.0),
        proptest::option::of(-400.0..9_000.0),
        source,
    );
    let fix = fix.prop_map(
        |(datum, latitude, longitude, time_ms, accuracy_m, altitude_m, source)| {
            let position = match datum {
                0 => Position::Wgs84 {
                    latitude,
                    longitude,
                },
                1 => Position::Gcj02 {
                    latitude,
                    longitude,
                },
                _ => Position::Bd09 {
                    latitude,
                    longitude,
                },
            };
            Fix {
                accuracy_m,
                altitude_m,
                ..Fix::new(position, time_ms, source)
            }
        },
    );
    let piece = proptest::collection::vec(fix, 1..8).prop_map(|fixes| TrackPiece { fixes });
    proptest::collection::vec(piece, 0..5)
}

/// All points of a file of `shared/data/gpx`, tracks and routes and marks, as if
/// somebody had been there, ten seconds each.
pub(super) fn walked(name: &str) -> Option<Vec<TrackPiece>> {
    let file = shared_bytes(&format!("gpx/{name}.gpx"))?;
    let file = ::gpx::read(file.as_slice()).unwrap();
    let lines = file.tracks.iter().flat_map(|track| &track.segments);
    let lines = lines.map(|segment| &segment.points);
    let lines = lines.chain(file.routes.iter().map(|route| &route.points));
    let lines = lines.chain(std::iter::once(&file.waypoints));
    let mut time_ms = 1_600_000_000_000;
    let mut fix = |point: &::gpx::Waypoint| {
        time_ms += 10_000;
        let position = Position::Wgs84 {
            latitude: point.point().y(),
            longitude: point.point().x(),
        };
        Fix {
            accuracy_m: point.hdop,
            ..Fix::new(position, time_ms, FixSource::Gnss)
        }
    };
    let pieces = lines.filter(|points| !points.is_empty());
    Some(
        pieces
            .map(|points| TrackPiece {
                fixes: points.iter().map(&mut fix).collect(),
            })
            .collect(),
    )
}

pub(super) const REAL: [&str; 4] = [
    "ecology-trail-and-lovers-lane-loop",
    "mousehole_to_paul",
    "viking_with_route_extensions",
    "with_accuracy",
];

/// The pieces that came back are those that went out, in WGS-84.
pub(super) fn same(sent: &[TrackPiece], back: &[TrackPiece]) -> Result<(), TestCaseError> {
    prop_assert_eq!(sent.len(), back.len(), "a hole stays a hole");
    for (sent, back) in sent.iter().zip(back) {
        prop_assert_eq!(sent.fixes.len(), back.fixes.len());
        for (sent, back) in sent.fixes.iter().zip(&back.fixes) {
            let place = sent.position.to_wgs84().unwrap();
            let Position::Wgs84 {
                latitude,
                longitude,
            } = back.position
            else {
                return Err(TestCaseError::fail("not WGS-84"));
            };
            prop_assert!((place.latitude() - latitude).abs() < 1e-6);
            prop_assert!((place.longitude() - longitude).abs() < 1e-6);
            prop_assert_eq!(sent.time_ms, back.time_ms);
            prop_assert_eq!(sent.source, back.source);
            for pair in [
                (sent.accuracy_m, back.accuracy_m),
                (sent.altitude_m, back.altitude_m),
            ] {
                match pair {
                    (Some(a), Some(b)) => prop_assert!((a - b).abs() < 1e-6),
                    (a, b) => prop_assert_eq!(a, b),
                }
            }
        }
    }
    Ok(())
}

/// The field and the problem that a file is refused for.
pub(super) fn refusal<T>(answer: Result<T, HomelineError>) -> (String, Problem) {
    match answer {
        Err(HomelineError::Invalid { field, problem, .. }) => (field, problem),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("taken"),
    }
}

#[test]
fn what_no_visit_can_be_is_left_out_and_counted() {
    let fix = |time_ms| {
        let position = Position::Wgs84 {
            latitude: 1.0,
            longitude: 2.0,
        };
        Fix::new(position, time_ms, FixSource::Gnss)
    };
    let mut imported = Imported::default();
    imported.take([0, PLAUSIBLE_FROM_MS].map(fix).into_iter().map(Ok));
    imported.take([2_000_000_000_001].map(fix).into_iter().map(Ok));
    assert_eq!((imported.pieces.len(), imported.summary.taken), (2, 3));
    imported.limit_to(2_000_000_000_000);
    let expected = ImportSummary {
        taken: 1,
        without_time: 1,
        in_the_future: 1,
        ..ImportSummary::default()
    };
    assert_eq!((imported.pieces.len(), imported.summary), (1, expected));
}
