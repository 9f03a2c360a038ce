use proptest::prelude::*;

use super::*;

fn at(latitude: f64, longitude: f64) -> Spot {
    Spot {
        point: Some(Wgs84::new(latitude, longitude).unwrap()),
        ..Spot::default()
    }
}

fn circle(lat: f64, lon: f64, radius_m: f64) -> Area {
    Area {
        circles: vec![Circle { lat, lon, radius_m }],
        ..Area::default()
    }
}

#[test]
fn circles_of_every_size_have_an_answer() {
    for (lat, lon, radius_m, covered, not) in [
        (
            41.0,
            29.0,
            1_000.0,
            &[(41.0, 29.0), (41.008, 29.0)][..],
            &[(41.01, 29.0)][..],
        ),
        // A circle of zero is a place.
        (
            5.0,
            180.0,
            0.0,
            &[(5.0, 180.0), (5.0, -180.0)],
            &[(5.0, 179.999_999)],
        ),
        (0.0, 0.0, 0.0, &[(0.0, 0.0)], &[(0.0, 0.000_001)]),
        (
            90.0,
            0.0,
            0.0,
            &[(90.0, 0.0), (90.0, 77.0)],
            &[(89.999_999, 0.0)],
        ),
        // Across the antimeridian and around a pole.
        (
            0.0,
            179.9,
            30_000.0,
            &[(0.0, -179.9), (0.0, 180.0)],
            &[(0.0, -179.8)],
        ),
        (
            90.0,
            0.0,
            200_000.0,
            &[(89.0, 0.0), (89.0, 180.0)],
            &[(88.0, 0.0)],
        ),
        // The whole earth, to the other side of it.
        (
            10.0,
            20.0,
            20_000_000.0,
            &[(-10.0, -160.0), (90.0, 0.0), (0.0, 0.0)],
            &[],
        ),
        (10.0, 20.0, 1e300, &[(-10.0, -160.0)], &[]),
        // No circle.
        (10.0, 20.0, -1.0, &[], &[(10.0, 20.0)]),
        (10.0, 20.0, f64::NAN, &[], &[(10.0, 20.0)]),
        (91.0, 20.0, 2e7, &[], &[(90.0, 20.0)]),
        (f64::NAN, 20.0, 2e7, &[], &[(0.0, 20.0)]),
        (10.0, 181.0, 2e7, &[], &[(10.0, 180.0)]),
    ] {
        let area = circle(lat, lon, radius_m);
        for (latitude, longitude) in covered {
            assert!(
                area.covers(&at(*latitude, *longitude)),
                "{area:?} {latitude} {longitude}"
            );
        }
        for (latitude, longitude) in not {
            assert!(
                !area.covers(&at(*latitude, *longitude)),
                "{area:?} {latitude} {longitude}"
            );
        }
    }
}

#[test]
fn codes_are_compared_and_all_parts_count() {
    let area: Area = serde_json::from_value(serde_json::json!({
        "polygons": [[[1, 1], [1, 2], [2, 2], [2, 1]], [[5, 5], [6, 6]]],
        "circles": [{"lat": 10.0, "lon": 10.0, "radius_m": 1000.0}],
        "countries": ["TR", "ge"],
        "regions": ["GR-A", "大阪府"],
    }))
    .unwrap();
    let spot = |countries: &[&str], regions: &[&str]| Spot {
        point: None,
        countries: countries.iter().map(|code| (*code).into()).collect(),
        regions: regions.iter().map(|code| (*code).into()).collect(),
    };
    for (spot, covered) in [
        (spot(&["TR"], &[]), true),
        (spot(&["GR", "tr"], &[]), true),
        (spot(&["GE"], &[]), true),
        (spot(&["GR"], &[]), false),
        (spot(&["GR"], &["gr-a"]), true),
        (spot(&["JP"], &["大阪府"]), true),
        (spot(&[""], &[""]), false),
        (Spot::default(), false),
        (at(1.5, 1.5), true),
        (at(10.0, 10.0), true),
        (at(5.5, 5.5), false),
    ] {
        assert_eq!(area.covers(&spot), covered);
    }
    assert!(!Area::default().covers(&at(0.0, 0.0)));
}

#[test]
fn json_keeps_what_has_a_form() {
    let odd = r#"{"polygons":[7,[[1,1],[1,2],[2,2]],{}],
        "circles":[{"lat":1,"lon":2,"radius_m":3},{"lat":1,"lon":2},null],
        "countries":["TR",5],"regions":"TR-34","altitude":12}"#;
    let area: Area = serde_json::from_str(odd).unwrap();
    assert_eq!(area.polygons.len(), 3);
    assert!(area.covers(&at(1.1, 1.5)));
    assert_eq!(area.circles.len(), 1);
    assert_eq!(area.countries, ["TR"]);
    assert!(area.regions.is_empty());
    let json = serde_json::to_string(&area).unwrap();
    assert_eq!(serde_json::from_str::<Area>(&json).unwrap(), area);
    assert_eq!(serde_json::to_string(&Area::default()).unwrap(), "{}");
    assert_eq!(serde_json::from_str::<Area>("{}").unwrap(), Area::default());
}

proptest! {
    /// The box of a circle holds all of it.
    #[test]
    fn the_box_of_a_circle_is_honest(
        (lat, lon) in (-90.0..=90.0, -180.0..=180.0),
        radius_m in prop_oneof![0.0..100.0, 0.0..1e6, 0.0..2.1e7],
        (part, direction) in (0.0..=1.0_f64, 0.0..std::f64::consts::TAU),
    ) {
        let circle = Circle { lat, lon, radius_m };
        let bounds = circle.bounds().unwrap();
        // A place within the radius, by the direct formula on the sphere.
        let reach = (part * radius_m / EARTH_M).min(std::f64::consts::PI);
        let from = f64::to_radians(lat);
        let to = (from.sin() * reach.cos() + from.cos() * reach.sin() * direction.cos())
            .clamp(-1.0, 1.0)
            .asin();
        let turn = (direction.sin() * reach.sin() * from.cos())
            .atan2(reach.cos() - from.sin() * to.sin());
        let place = Wgs84::new(to.to_degrees(), one_turn(lon + turn.to_degrees())).unwrap();
        prop_assert!(bounds.holds(place), "{:?} {:?}", bounds, place.latitude());
    }
}
