use proptest::prelude::*;

use super::*;
use crate::geo::{Area, Polygon};

fn alert(area: Area) -> Alert {
    Alert {
        areas: vec![area],
        ..Alert::default()
    }
}

fn place(latitude: f64, longitude: f64) -> Wgs84 {
    Wgs84::new(latitude, longitude).unwrap()
}

fn codes(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).into()).collect()
}

fn countries(list: &[&str]) -> Area {
    Area {
        countries: codes(list),
        ..Area::default()
    }
}

fn regions(list: &[&str]) -> Area {
    Area {
        regions: codes(list),
        ..Area::default()
    }
}

fn square(south: f64, west: f64, size: f64) -> Area {
    let (north, east) = (south + size, west + size);
    let ring = [[south, west], [south, east], [north, east], [north, west]];
    Area {
        polygons: vec![Polygon::new(ring)],
        ..Area::default()
    }
}

#[test]
fn a_place_finds_what_covers_it_in_order() {
    let mut both = alert(square(40.0, 28.0, 2.0));
    both.areas.push(countries(&["TR"]));
    let alerts = [alert(countries(&["tr"])), alert(countries(&["GR"])), both];
    let index = AlertIndex::new(&alerts);
    let spot = |point, list: &[&str]| Spot {
        point,
        countries: codes(list),
        regions: Vec::new(),
    };
    let istanbul = place(41.0, 29.0);
    for (spot, found) in [
        (spot(Some(istanbul), &["TR"]), &[0, 2][..]),
        (spot(Some(istanbul), &[]), &[2]),
        (spot(Some(place(0.0, 0.0)), &["Tr", "gr"]), &[0, 1, 2]),
        (spot(None, &["FR"]), &[]),
    ] {
        assert_eq!(index.at(&spot), found);
    }
}

#[test]
fn a_country_is_concerned_by_its_regions_and_by_what_lies_in_it() {
    let circle = Area {
        circles: vec![Circle {
            lat: 41.0,
            lon: 29.0,
            radius_m: 5.0,
        }],
        ..Area::default()
    };
    let alerts = [
        alert(countries(&["TR"])),
        alert(regions(&["tr-34"])),
        alert(regions(&["TRA", "大阪府"])),
        alert(square(40.0, 28.0, 2.0)),
        alert(circle),
        alert(square(0.0, 0.0, 1.0)),
    ];
    let country_of = |place: Wgs84| match place.latitude() > 30.0 {
        true => codes(&["TR"]),
        false => Vec::new(),
    };
    let index = AlertIndex::new(&alerts);
    assert_eq!(index.concerning(&codes(&["tr"])), [0, 1]);
    let index = index.locate(country_of);
    assert_eq!(index.concerning(&codes(&["tr"])), [0, 1, 3, 4]);
    assert!(index.concerning(&codes(&["GR", ""])).is_empty());
}

#[test]
fn a_stay_has_the_alerts_of_its_days() {
    let stay = |from: &str, to: &str| Stay {
        country: "TR".into(),
        place: "Kapadokya".into(),
        from: from.into(),
        to: to.into(),
        ..Stay::default()
    };
    let day = |text: &str| crate::registration::Date::parse(text).unwrap();
    let mut alerts = vec![alert(countries(&["TR"])); 4];
    // Over long before; begins long after; in the middle.
    alerts[1].expires_ms = Some(day("2026-05-08").begins_ms());
    alerts[2].onset_ms = Some(day("2026-05-22").over_ms());
    alerts[3].onset_ms = Some(day("2026-05-15").begins_ms());
    alerts[3].expires_ms = Some(day("2026-05-16").begins_ms());
    alerts.push(alert(regions(&["kapadokya"])));
    let index = AlertIndex::new(&alerts);
    let stays = [
        stay("2026-04-01", "2026-04-03"),
        stay("2026-05-10", "2026-05-20"),
        stay("soon", "later"),
        stay("2026-05-18", "2026-06-20"),
    ];
    let at = |now: &str| index.at_stays(&stays, &alerts, day(now).begins_ms());
    let found = |stay, alerts: &[usize]| StayAlerts {
        stay,
        alerts: alerts.to_vec(),
    };
    let now = at("2026-05-01");
    assert_eq!(now, [found(1, &[0, 3, 4]), found(3, &[0, 2, 4])]);
    // In the middle of a stay what is over is left out.
    assert_eq!(at("2026-05-18")[0], found(1, &[0, 4]));
    assert_eq!(at("2026-07-01"), []);
}

fn any_area() -> impl Strategy<Value = Area> {
    // Anywhere, and often near the antimeridian, a pole and each other.
    let latitude = || prop_oneof![-90.0..=90.0, 85.0..=90.0, -3.0..3.0, Just(f64::NAN)];
    let longitude = || prop_oneof![-180.0..=180.0, 175.0..=180.0, -180.0..=-175.0, -3.0..3.0];
    let vertex = || (latitude(), longitude()).prop_map(|(y, x)| [y, x]);
    let ring = prop_oneof![
        prop::collection::vec(vertex(), 0..7),
        prop::collection::vec(vertex(), 15..40),
    ];
    let radius = prop_oneof![Just(0.0), 0.0..1e5, 0.0..2.1e7, Just(-1.0)];
    let circle = (latitude(), longitude(), radius);
    let code = || prop::collection::vec(prop::sample::select(vec!["TR", "tr", "GR"]), 0..2);
    (
        prop::collection::vec(ring, 0..3),
        prop::collection::vec(circle, 0..2),
        code(),
        code(),
    )
        .prop_map(|(rings, circles, countries, regions)| Area {
            polygons: rings.into_iter().map(Polygon::new).collect(),
            circles: circles
                .into_iter()
                .map(|(lat, lon, radius_m)| Circle { lat, lon, radius_m })
                .collect(),
            countries: codes(&countries),
            regions: codes(&regions),
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// The index answers as a look at every alert does.
    #[test]
    fn the_index_is_the_plain_loop(
        areas in prop::collection::vec(any_area(), 0..6),
        at in prop::option::of((
            prop_oneof![-90.0..=90.0, 85.0..=90.0, -3.0..3.0],
            prop_oneof![-180.0..=180.0, 175.0..=180.0, -180.0..=-175.0, -3.0..3.0, Just(180.0)],
        )),
        country in prop::option::of(prop::sample::select(vec!["TR", "gr", "JP"])),
    ) {
        let alerts: Vec<Alert> = areas.into_iter().map(alert).collect();
        let spot = Spot {
            point: at.map(|(latitude, longitude)| place(latitude, longitude)),
            countries: codes(&Vec::from_iter(country)),
            regions: codes(&Vec::from_iter(country)),
        };
        let plain: Vec<usize> = (0..alerts.len()).filter(|at| alerts[*at].covers(&spot)).collect();
        prop_assert_eq!(AlertIndex::new(&alerts).at(&spot), plain);
    }

    /// A small outline anywhere in its square of the grid, asked at its middle and near its
    /// corners.
    #[test]
    fn the_index_finds_small_outlines_in_all_their_cells(
        south in -80.0..80.0,
        west in -181.0..181.0,
        height in 0.01..2.5,
        width in 0.01..2.5,
        up in 0.02..0.98,
        across in 0.02..0.98,
    ) {
        let around = |longitude: f64| (longitude + 540.0).rem_euclid(360.0) - 180.0;
        let (north, east) = (south + height, around(west + width));
        let west_side = around(west);
        let area = Area {
            polygons: vec![Polygon::new([
                [south, west_side],
                [south, east],
                [north, east],
                [north, west_side],
            ])],
            ..Area::default()
        };
        let spot = Spot {
            point: Some(place(south + up * height, around(west + across * width))),
            ..Spot::default()
        };
        let alerts = [alert(area)];
        prop_assert!(alerts[0].covers(&spot));
        prop_assert_eq!(AlertIndex::new(&alerts).at(&spot), vec![0]);
    }
}
