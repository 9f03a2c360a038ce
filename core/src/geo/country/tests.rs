use std::collections::BTreeMap;

use super::*;
use crate::error::{HomelineError, Problem};
use crate::testing::shared_bytes;

fn at(latitude: f64, longitude: f64) -> Located {
    let point = Wgs84::new(latitude, longitude).unwrap();
    Boundaries::builtin().locate(point, None)
}

fn codes(located: &Located) -> String {
    located.countries().join(" ")
}

#[cfg(feature = "boundaries")]
mod builtin;

/// A world of one country, `XX`, in one square degree: from 0.25 to 0.75 degrees
/// north and east.
fn small_world() -> Vec<u8> {
    let mut file = b"HLCB\x01\x01\x02\x00\x01\x00\x00\x00".to_vec();
    file.extend(1_700_000_000_000_i64.to_le_bytes());
    for error_m in [50_u16, 100, 200, 500] {
        file.extend(error_m.to_le_bytes());
    }
    file.extend(b"XX\0\0");
    file.extend([0; 4]);
    file.extend([0, 0, 0, 1]);
    // Rows 0 to 89 have one run, row 90 has three, the rows beyond have one.
    for row in 0..=180_u16 {
        let first = if row > 90 { row + 2 } else { row };
        file.extend(first.to_le_bytes());
    }
    for row in 0..180 {
        let runs: &[(u16, u16)] = match row {
            90 => &[(0, 0), (180, 0x8000), (181, 0)],
            _ => &[(0, 0)],
        };
        for (column, value) in runs {
            file.extend(column.to_le_bytes());
            file.extend(value.to_le_bytes());
        }
    }
    let cell = square_cell();
    file.extend(0_u32.to_le_bytes());
    file.extend(u32::try_from(cell.len()).unwrap().to_le_bytes());
    file.extend(cell);
    file
}

fn square_cell() -> Vec<u8> {
    let mut cell = vec![0, 0, 1, 0];
    cell.extend([1, 0, 64, 64, 191, 191]);
    cell.extend(4_096_i16.to_le_bytes());
    cell.extend(4_096_i16.to_le_bytes());
    cell.extend([4, 128]);
    for (x, y) in [(8_192_i16, 0_i16), (0, 8_192), (-8_192, 0), (0, -8_192)] {
        cell.extend(x.to_le_bytes());
        cell.extend(y.to_le_bytes());
    }
    cell
}

#[test]
fn a_ministrys_boundaries_answer() {
    let world = Boundaries::parse(small_world()).unwrap();
    assert_eq!(world.as_of_ms(), Some(1_700_000_000_000));
    let at = |latitude, longitude, accuracy_m| {
        let point = Wgs84::new(latitude, longitude).unwrap();
        world.locate(point, accuracy_m)
    };
    let inside = at(0.5, 0.5, None);
    assert_eq!(codes(&inside), "XX");
    assert_eq!(inside.ground, Ground::Territory);
    assert_eq!(inside.confidence, CountryConfidence::Certain);
    assert_eq!(inside.border_m, None, "27 km");
    for (latitude, longitude) in [(0.2, 0.5), (0.8, 0.5), (0.5, 0.2), (0.5, 0.8), (10.0, 0.5)] {
        let outside = at(latitude, longitude, None);
        assert_eq!(codes(&outside), "", "{latitude} {longitude}");
        assert_eq!(outside.ground, Ground::HighSea);
    }
    // 0.01 degrees of latitude from the border: 1,106 m.
    let near = at(0.74, 0.5, None);
    assert!((near.border_m.unwrap() - 1_105.7).abs() < 1.0, "{near:?}");
    let outside = at(0.76, 0.5, Some(3_000.0));
    assert_eq!(codes(&outside), "XX");
    assert_eq!(outside.candidates[0].standing, Standing::Near);
    assert_eq!(outside.ground, Ground::HighSea);
    assert_eq!(outside.confidence, CountryConfidence::Open);
}

#[test]
fn confidence_follows_from_distance_and_error() {
    let world = Boundaries::parse(small_world()).unwrap();
    // From the border 1,106 m; the error of the line is 50 m.
    let point = Wgs84::new(0.74, 0.5).unwrap();
    for (accuracy_m, confidence) in [
        (None, CountryConfidence::Certain),
        (Some(1_000.0), CountryConfidence::Certain),
        (Some(1_100.0), CountryConfidence::Likely),
        (Some(2_100.0), CountryConfidence::Likely),
        (Some(2_300.0), CountryConfidence::Open),
        (Some(f64::INFINITY), CountryConfidence::Open),
        (Some(f64::NAN), CountryConfidence::Certain),
        (Some(-5_000.0), CountryConfidence::Certain),
        (Some(0.0), CountryConfidence::Certain),
    ] {
        let located = world.locate(point, accuracy_m);
        assert_eq!(located.confidence, confidence, "{accuracy_m:?}");
    }
}

/// The rule for lines along the side of a square and through its corners: every
/// place has one answer, and moving a hair changes nothing but at the line itself.
#[test]
fn lines_on_the_grid_are_on_one_side() {
    let mut file = small_world();
    let cell = file.len() - square_cell().len();
    // The country is the square degree as a whole, drawn along its sides.
    file.splice(cell.., {
        let mut whole = square_cell();
        whole.splice(6..10, [0, 0, 255, 255]);
        whole.splice(10..14, [0; 4]);
        whole.splice(16..18, 16_384_i16.to_le_bytes());
        whole.splice(22..24, 16_384_i16.to_le_bytes());
        whole.splice(24..26, (-16_384_i16).to_le_bytes());
        whole.splice(30..32, (-16_384_i16).to_le_bytes());
        whole
    });
    let world = Boundaries::parse(file).unwrap();
    for (latitude, longitude, inside) in [
        (1e-9, 1e-9, true),
        (0.5, 1e-9, true),
        (1e-9, 0.5, true),
        (0.999_999_999, 0.999_999_999, true),
        (-1e-9, 0.5, false),
        (0.5, -1e-9, false),
        (1.000_000_001, 0.5, false),
        (0.5, 1.000_000_001, false),
    ] {
        let point = Wgs84::new(latitude, longitude).unwrap();
        let located = world.locate(point, None);
        let here = located.ground == Ground::Territory;
        assert_eq!(here, inside, "{latitude} {longitude}");
        assert!(located.border_m.unwrap() < 0.01);
    }
}

#[test]
fn files_that_are_none_are_refused() {
    let good = small_world();
    Boundaries::parse(good.clone()).unwrap();
    let refused = |bytes: Vec<u8>, problem: Problem| match Boundaries::parse(bytes) {
        Err(HomelineError::Invalid {
            field, problem: is, ..
        }) => assert_eq!((field.as_str(), is), ("boundaries", problem)),
        other => panic!("{other:?}"),
    };
    for length in 0..good.len() {
        refused(good[..length].to_vec(), Problem::Malformed);
    }
    refused([good.as_slice(), &[0]].concat(), Problem::Malformed);
    refused(
        vec![0; Policy::STANDARD.boundaries_bytes + 1],
        Problem::TooLong,
    );
    let start = 28 + 4 + 8;
    let cell = good.len() - square_cell().len();
    for (at, byte, what) in [
        (0, b'X', "magic"),
        (4, 2, "version"),
        (28, b'x', "letters"),
        (30, 2, "the country around"),
        (32, 1, "set 0"),
        (39, 2, "a country of a set"),
        (start + 2, 9, "a row that begins too late"),
        (start + 362 + 4 * 90, 1, "a row that does not begin at 0"),
        (start + 362 + 4 * 90 + 2, 7, "an unknown set"),
        (start + 362 + 4 * 91 + 2, 1, "a cell out of order"),
        (start + 362 + 4 * 92, 200, "two squares for one cell"),
        (cell, 9, "an unknown set at the corner"),
        (cell + 2, 2, "more chains than there are"),
        (cell + 4, 9, "an unknown set of a chain"),
        (cell + 14, 3, "fewer edges than there are"),
        (cell + 15, 4 + 128, "an unknown class"),
        (cell + 15, 0, "narrow steps"),
    ] {
        let mut bad = good.clone();
        assert_ne!(bad[at], byte, "{what}");
        bad[at] = byte;
        assert!(Boundaries::parse(bad).is_err(), "{what}");
    }
}

#[test]
fn without_boundaries_nothing_is_known() {
    let none = Boundaries::none();
    let located = none.locate(Wgs84::new(39.9, 116.4).unwrap(), Some(10.0));
    assert_eq!(located, Located::unknown());
    assert_eq!(none.as_of_ms(), None);
    #[cfg(not(feature = "boundaries"))]
    assert_eq!(at(39.9, 116.4), Located::unknown());
}

/// What is no place never gets this far.
#[test]
fn numbers_that_are_no_place_are_refused() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 180.1, -1e300] {
        assert!(Wgs84::new(0.0, number).is_err());
        assert!(Wgs84::new(number, 0.0).is_err());
    }
}
