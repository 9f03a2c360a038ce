//! The parsers as plain functions, for `core/fuzz`. Only with the feature
//! `fuzzing`, never in a release.
//!
//! Each takes any bytes, and panics where an answer is not what was promised. A new
//! one is a function here and a file of five lines there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a panic is what a fuzzer looks for"
)]

use crate::config::Policy;
use crate::geo::{Datum, position_in};
use crate::whereabouts::Position;
use crate::whereabouts::exchange::{self, Imported, TrackPiece};

/// GPX: what is taken is written, and comes back the same.
pub fn gpx(bytes: &[u8]) {
    if let Ok(imported) = exchange::gpx::read(bytes, &Policy::STANDARD) {
        let file = exchange::gpx::write(&imported.pieces).unwrap();
        let back = exchange::gpx::read(&file, &Policy::STANDARD).unwrap();
        same(&imported, &back);
    }
}

/// GeoJSON: what is taken is written, and comes back the same; as GPX, too.
pub fn geojson(bytes: &[u8]) {
    if let Ok(imported) = exchange::geojson::read(bytes, &Policy::STANDARD) {
        let file = exchange::geojson::write(&imported.pieces).unwrap();
        let back = exchange::geojson::read(&file, &Policy::STANDARD).unwrap();
        same(&imported, &back);
        let file = exchange::gpx::write(&imported.pieces).unwrap();
        let back = exchange::gpx::read(&file, &Policy::STANDARD).unwrap();
        same(&imported, &back);
    }
}

fn same(sent: &Imported, back: &Imported) {
    let count = |pieces: &[TrackPiece]| -> Vec<usize> {
        pieces.iter().map(|piece| piece.fixes.len()).collect()
    };
    assert_eq!(count(&sent.pieces), count(&back.pieces));
    let fixes = |from: &Imported| -> Vec<_> {
        let fixes = from.pieces.iter().flat_map(|piece| &piece.fixes);
        fixes.map(|fix| (fix.time_ms, fix.source)).collect()
    };
    assert_eq!(fixes(sent), fixes(back));
}

/// Positions, sixteen bytes each: any numbers have an answer or are refused, and
/// what has one is a position in every datum.
pub fn datum(bytes: &[u8]) {
    for pair in bytes.as_chunks::<16>().0 {
        let [latitude, longitude] = pair.as_chunks::<8>().0 else {
            continue;
        };
        let (latitude, longitude) = (
            f64::from_le_bytes(*latitude),
            f64::from_le_bytes(*longitude),
        );
        let datums = [Datum::Wgs84, Datum::Gcj02, Datum::Bd09];
        for from in [
            Position::Wgs84 {
                latitude,
                longitude,
            },
            Position::Gcj02 {
                latitude,
                longitude,
            },
            Position::Bd09 {
                latitude,
                longitude,
            },
        ] {
            for to in datums {
                if let Ok(there) = position_in(from, to) {
                    for back in datums {
                        position_in(there, back).unwrap();
                    }
                }
            }
        }
    }
}
