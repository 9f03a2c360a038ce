use std::io::Write as _;

use proptest::prelude::*;

use super::super::mainland::tests::vertices;
use super::*;
use crate::testing::shared_bytes;

/// Metres between two positions that are near to each other.
fn metres(a: Degrees, b: Degrees) -> f64 {
    let north = (a.0 - b.0) * 111_195.0;
    let east = (a.1 - b.1) * 111_195.0 * a.0.to_radians().cos();
    north.hypot(east)
}

fn wgs84(latitude: f64, longitude: f64) -> Wgs84 {
    Wgs84::new(latitude, longitude).unwrap()
}

/// What every other library shifts, too: the numbers for places abroad that the
/// common rectangle moves by 130 to 620 m.
#[test]
fn abroad_nothing_is_shifted() {
    let Some(bytes) = shared_bytes("gcj02/overseas_shift_by_rectangle.tsv") else {
        return;
    };
    let (mut places, mut most) = (0, 0.0_f64);
    for line in String::from_utf8(bytes).unwrap().lines() {
        if line.starts_with('#') {
            continue;
        }
        let column: Vec<&str> = line.split('\t').collect();
        let (latitude, longitude) = (column[1].parse().unwrap(), column[2].parse().unwrap());
        let place = wgs84(latitude, longitude);
        let shown = Gcj02::from(place);
        assert_eq!(shown.degrees(), place.degrees(), "{}", column[0]);
        most = most.max(metres(place.degrees(), shown.degrees()));
        places += 1;
    }
    assert!(places >= 18);
    // Past the capture of the test harness: a figure.
    let _ = writeln!(
        std::io::stdout(),
        "{{\"gcj02_overseas_shift_m\": {most:?}}}"
    );
}

/// The way back keeps what is abroad as it is, too, save in the strip beside the
/// border that has the numbers of shifted places.
#[test]
fn the_way_back_leaves_places_abroad_alone() {
    for (name, latitude, longitude) in [
        ("Seoul", 37.5665, 126.9780),
        ("Bangkok", 13.7563, 100.5018),
        ("Hong Kong", 22.2816, 114.1585),
        ("Macau", 22.1987, 113.5439),
        ("Hong Kong, Lo Wu station", 22.527, 114.1135),
        ("Taipei", 25.0330, 121.5654),
        ("Hanoi", 21.0285, 105.8542),
        ("Ulaanbaatar", 47.8864, 106.9057),
        ("north pole", 90.0, 100.0),
        ("south pole", -90.0, -180.0),
        ("antimeridian", 30.0, 180.0),
        ("null island", 0.0, 0.0),
    ] {
        let shown = Gcj02::new(latitude, longitude).unwrap();
        assert_eq!(
            Wgs84::from(shown).degrees(),
            (latitude, longitude),
            "{name}"
        );
    }
}

/// Published pairs: the tests of googollee/eviltransform, and of hujiulong/gcoord,
/// whose BD-09 is what Baidu's own service answered.
#[test]
fn the_mainland_is_shifted_as_published() {
    for (name, place, shown) in [
        (
            "Shanghai",
            (31.1774276, 121.5272106),
            (31.17530398364597, 121.531541859215),
        ),
        (
            "Shenzhen",
            (22.543847, 113.912316),
            (22.540796131694766, 113.9171764808363),
        ),
        (
            "Beijing",
            (39.911954, 116.377817),
            (39.91334545536069, 116.38404722455657),
        ),
    ] {
        let shifted = Gcj02::from(wgs84(place.0, place.1)).degrees();
        assert!(
            metres(shifted, shown) < 0.2,
            "{name}: {} m",
            metres(shifted, shown)
        );
        let back = Wgs84::from(Gcj02::new(shown.0, shown.1).unwrap()).degrees();
        assert!(
            metres(back, place) < 0.2,
            "{name}: {} m back",
            metres(back, place)
        );
    }
    for (name, place, gcj02, bd09) in [
        (
            "Zhumadian",
            (33.0133556, 114.0164322),
            (33.0115324, 114.022306),
            (33.0176697, 114.0287781),
        ),
        (
            "Nagqu",
            (31.4784436, 92.0499619),
            (31.4762063, 92.0512438),
            (31.4824421, 92.0576832),
        ),
        (
            "Zhengzhou",
            (34.7478004, 113.6192856),
            (34.7466173, 113.6253334),
            (34.7528605, 113.6317519),
        ),
        (
            "Shenyang",
            (41.8032629, 123.4253306),
            (41.8057023, 123.4314787),
            (41.8114013, 123.438095),
        ),
        (
            "Quanzhou",
            (24.8770487, 118.6711365),
            (24.8741363, 118.6756787),
            (24.8804872, 118.6821251),
        ),
        (
            "Jiuquan",
            (39.7319946, 98.4937175),
            (39.7328234, 98.4943595),
            (39.7388949, 98.5008441),
        ),
    ] {
        let from = wgs84(place.0, place.1);
        for (datum, off) in [
            ("GCJ-02", metres(Gcj02::from(from).degrees(), gcj02)),
            ("BD-09", metres(Bd09::from(from).degrees(), bd09)),
            (
                "back",
                metres(
                    Wgs84::from(Bd09::new(bd09.0, bd09.1).unwrap()).degrees(),
                    place,
                ),
            ),
            (
                "across",
                metres(
                    Gcj02::from(Bd09::new(bd09.0, bd09.1).unwrap()).degrees(),
                    gcj02,
                ),
            ),
        ] {
            assert!(off < 1.0, "{name}, {datum}: {off} m");
        }
    }
}

/// Baidu shifts Hong Kong, Macau and Taiwan, and nothing abroad.
#[test]
fn baidus_datum_is_shifted_in_all_of_china_and_nowhere_else() {
    for (name, latitude, longitude) in [
        ("Hong Kong", 22.2816, 114.1585),
        ("Taipei", 25.0330, 121.5654),
    ] {
        let place = wgs84(latitude, longitude);
        let shown = Bd09::from(place);
        let off = metres(shown.degrees(), place.degrees());
        assert!((700.0..1_300.0).contains(&off), "{name}: {off} m");
        assert!(
            metres(Wgs84::from(shown).degrees(), place.degrees()) < 0.001,
            "{name}"
        );
        assert_eq!(Gcj02::from(place).degrees(), place.degrees(), "{name}");
    }
    for (latitude, longitude) in [
        (37.5665, 126.9780),
        (48.8566, 2.3522),
        (-90.0, 180.0),
        (90.0, -180.0),
    ] {
        let place = wgs84(latitude, longitude);
        assert_eq!(Bd09::from(place).degrees(), place.degrees());
        assert_eq!(
            Wgs84::from(Bd09::at(place.degrees())).degrees(),
            place.degrees()
        );
    }
}

#[test]
fn what_is_no_position_is_refused_with_its_field() {
    for (latitude, longitude, field) in [
        (f64::NAN, 0.0, "position.latitude"),
        (90.000_001, 0.0, "position.latitude"),
        (f64::NEG_INFINITY, 0.0, "position.latitude"),
        (0.0, f64::NAN, "position.longitude"),
        (0.0, -180.1, "position.longitude"),
        (0.0, f64::INFINITY, "position.longitude"),
    ] {
        for position in [
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
            for datum in [Datum::Wgs84, Datum::Gcj02, Datum::Bd09] {
                let Err(HomelineError::Invalid { field: named, .. }) = position_in(position, datum)
                else {
                    panic!("taken");
                };
                assert_eq!(named, field);
            }
        }
    }
}

#[test]
fn a_position_in_its_own_datum_stays_as_it_is() {
    let shown = Position::Bd09 {
        latitude: 39.915,
        longitude: 116.404,
    };
    assert!(position_in(shown, Datum::Bd09).unwrap() == shown);
    let place = position_in(shown, Datum::Wgs84).unwrap();
    assert!(matches!(place, Position::Wgs84 { .. }));
    assert!((900.0..1_700.0).contains(&metres(place.degrees(), shown.degrees())));
    assert!(matches!(
        position_in(shown, Datum::Gcj02).unwrap(),
        Position::Gcj02 { .. }
    ));
}

/// A place on the mainland comes back from every datum: within two millimetres.
fn comes_back(place: Degrees) -> Result<(), TestCaseError> {
    let from = Wgs84::at(place);
    let gcj02 = Gcj02::from(from);
    let shift = metres(gcj02.degrees(), place);
    prop_assert!((20.0..900.0).contains(&shift), "shifted by {} m", shift);
    let back = metres(Wgs84::from(gcj02).degrees(), place);
    prop_assert!(back < 0.002, "GCJ-02: {} m", back);
    let bd09 = Bd09::from(from);
    let back = metres(Wgs84::from(bd09).degrees(), place);
    prop_assert!(back < 0.002, "BD-09: {} m", back);
    let across = metres(Gcj02::from(bd09).degrees(), gcj02.degrees());
    prop_assert!(across < 0.002, "across: {} m", across);
    Ok(())
}

/// Where rounding decides, and sharp corners leave few directions inside.
#[test]
fn each_corner_of_the_outline_comes_back() {
    let corners = vertices();
    assert!(corners.len() > 1_000);
    for (latitude, longitude) in corners {
        for (up, right) in [
            (0.0, 0.0),
            (0.0, 1e-12),
            (1e-12, 0.0),
            (0.0, -1e-12),
            (-1e-12, 0.0),
        ] {
            let place = (latitude + up, longitude + right);
            if is_mainland(place.0, place.1) {
                comes_back(place).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        max_global_rejects: 10_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_mainland_comes_back(latitude in 18.0..53.6, longitude in 73.5..134.8) {
        prop_assume!(is_mainland(latitude, longitude));
        comes_back((latitude, longitude))?;
    }

    /// At most a kilometre from the outline, and on it: what is inside comes back,
    /// what is outside is not shifted on the way there.
    #[test]
    fn beside_the_border_too(
        corner in proptest::sample::select(vertices()),
        up in -0.01..0.01,
        right in -0.01..0.01,
        size in proptest::sample::select(vec![0.0, 1e-9, 1e-6, 1e-3, 1.0]),
    ) {
        let place = (corner.0 + up * size, corner.1 + right * size);
        if is_mainland(place.0, place.1) {
            comes_back(place)?;
        } else {
            prop_assert_eq!(Gcj02::from(Wgs84::at(place)).degrees(), place);
        }
    }

    /// More than a kilometre outside, both ways leave the last bit as it is.
    #[test]
    fn abroad_is_the_same_in_gcj02(latitude in -90.0..=90.0, longitude in -180.0..=180.0) {
        let around = (-1..=1).flat_map(|up| (-1..=1).map(move |right| (f64::from(up), f64::from(right))));
        prop_assume!(!around.into_iter().any(|(up, right)| is_mainland(latitude + up * 0.01, longitude + right * 0.01)));
        let place = (latitude, longitude);
        prop_assert_eq!(Gcj02::from(Wgs84::at(place)).degrees(), place);
        prop_assert_eq!(Wgs84::from(Gcj02::at(place)).degrees(), place);
    }

    /// Whatever is given, the answer is a position, or there is none.
    #[test]
    fn any_number_has_a_defined_answer(latitude: f64, longitude: f64) {
        let valid = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        for datum in [Datum::Wgs84, Datum::Gcj02, Datum::Bd09] {
            let answer = position_in(Position::Bd09 { latitude, longitude }, datum);
            prop_assert_eq!(answer.is_ok(), valid);
            if let Ok(position) = answer {
                prop_assert!(checked(position.degrees().0, position.degrees().1).is_ok());
            }
        }
    }
}
