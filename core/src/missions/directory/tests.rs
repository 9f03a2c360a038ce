//! Which mission is responsible, and which one is nearest.

use proptest::prelude::*;

use super::*;
use crate::geo::{Area, Circle, Polygon};
use crate::language::Texts;
use crate::missions::{MissionKind, MissionPlace};

fn mission(id: &str, kind: MissionKind, at: (f64, f64), district: Area) -> Mission {
    Mission {
        id: id.into(),
        kind,
        country: id.chars().take(2).collect::<String>().to_uppercase(),
        names: Texts::default(),
        address: Texts::default(),
        position: Some(MissionPlace {
            lat: at.0,
            lon: at.1,
        }),
        phones: vec![],
        languages: vec![],
        email: None,
        website: None,
        district,
        checked_ms: 0,
        source: "test".into(),
    }
}

fn countries(codes: &[&str]) -> Area {
    Area {
        countries: codes.iter().map(|code| (*code).into()).collect(),
        ..Area::default()
    }
}

fn square(south: f64, west: f64, north: f64, east: f64) -> Area {
    let ring = [[south, west], [south, east], [north, east], [north, west]];
    Area {
        polygons: vec![Polygon::new(ring)],
        ..Area::default()
    }
}

fn spot(at: Option<(f64, f64)>, countries: &[&str], regions: &[&str]) -> Spot {
    let all = |codes: &[&str]| codes.iter().map(|code| (*code).into()).collect();
    Spot {
        point: at.map(|(latitude, longitude)| Wgs84::new(latitude, longitude).unwrap()),
        countries: all(countries),
        regions: all(regions),
    }
}

/// Türkiye and its neighbours: Istanbul by polygon, Izmir by region; Tbilisi is accredited
/// to Armenia, too; Armenia has a polygon in its north.
fn directory() -> Directory {
    let izmir = Area {
        regions: vec!["TR-35".into()],
        ..Area::default()
    };
    let lori = Area {
        circles: vec![Circle {
            lat: 41.0,
            lon: 44.5,
            radius_m: 40_000.0,
        }],
        ..Area::default()
    };
    Directory::new([
        mission(
            "tr-istanbul",
            MissionKind::ConsulateGeneral,
            (41.0, 29.0),
            square(40.0, 26.0, 42.0, 30.0),
        ),
        mission("tr-izmir", MissionKind::Consulate, (38.4, 27.1), izmir),
        mission(
            "tr-ankara",
            MissionKind::Embassy,
            (39.9, 32.8),
            countries(&["TR"]),
        ),
        mission(
            "ge-tbilisi",
            MissionKind::Embassy,
            (41.7, 44.8),
            countries(&["GE", "AM"]),
        ),
        mission("am-office", MissionKind::Office, (41.0, 44.5), lori),
        mission(
            "tr-office",
            MissionKind::Office,
            (39.9, 32.8),
            countries(&["tr"]),
        ),
    ])
}

#[test]
fn the_most_specific_district_is_responsible() {
    let directory = directory();
    for (spot, expected) in [
        // A polygon beats the country, whatever rank stands behind it.
        (
            spot(Some((41.1, 28.9)), &["TR"], &["TR-34"]),
            Some("tr-istanbul"),
        ),
        (
            spot(Some((39.0, 35.0)), &["TR"], &["TR-38"]),
            Some("tr-ankara"),
        ),
        // A region beats the country, and needs no position.
        (spot(None, &["TR"], &["tr-35"]), Some("tr-izmir")),
        (
            spot(Some((38.4, 27.1)), &["TR"], &["TR-35"]),
            Some("tr-izmir"),
        ),
        // A polygon beats a region.
        (
            spot(Some((41.0, 29.0)), &["TR"], &["TR-35"]),
            Some("tr-istanbul"),
        ),
        // Only the country is known; the embassy before the office, which serves it, too.
        (spot(None, &["tr"], &[]), Some("tr-ankara")),
        // Accredited from elsewhere.
        (spot(None, &["AM"], &[]), Some("ge-tbilisi")),
        (spot(Some((41.0, 44.6)), &["AM"], &[]), Some("am-office")),
        // Nobody serves it; at sea; nothing known.
        (spot(None, &["AZ"], &[]), None),
        (spot(Some((43.0, 34.0)), &[], &[]), None),
        (spot(None, &[], &[]), None),
    ] {
        let found = directory.responsible(&spot).map(|it| it.id.as_str());
        assert_eq!(found, expected, "{:?} {:?}", spot.countries, spot.regions);
    }
}

#[test]
fn near_a_border_there_is_one_for_each_country_in_their_order() {
    let directory = directory();
    for (spot, expected) in [
        (
            spot(None, &["GE", "TR"], &[]),
            &["ge-tbilisi", "tr-ankara"][..],
        ),
        (spot(None, &["TR", "GE"], &[]), &["tr-ankara", "ge-tbilisi"]),
        // The same mission serves both.
        (spot(None, &["AM", "GE"], &[]), &["ge-tbilisi"]),
        // One of them is served by nobody.
        (spot(None, &["AZ", "TR"], &[]), &["tr-ankara"]),
        // The position is in a district, the country is in doubt.
        (
            spot(Some((41.1, 26.1)), &["GR", "TR"], &[]),
            &["tr-istanbul", "tr-ankara"],
        ),
        // The region of the second country is known.
        (
            spot(None, &["GE", "TR"], &["TR-35"]),
            &["tr-izmir", "ge-tbilisi"],
        ),
        (spot(None, &["TR"], &[]), &["tr-ankara"]),
        (spot(None, &[], &[]), &[]),
    ] {
        let found: Vec<&str> = directory
            .candidates(&spot)
            .iter()
            .map(|it| it.id.as_str())
            .collect();
        assert_eq!(found, expected, "{:?} {:?}", spot.countries, spot.regions);
    }
}

#[test]
fn of_the_same_id_the_later_counts_and_the_order_is_by_rank_and_id() {
    let directory = Directory::new([
        mission("b", MissionKind::Office, (0.0, 0.0), countries(&["TR"])),
        mission("c", MissionKind::Embassy, (0.0, 0.0), countries(&["GE"])),
        mission("a", MissionKind::Embassy, (0.0, 0.0), countries(&["GE"])),
        mission("b", MissionKind::Office, (0.0, 0.0), countries(&["AM"])),
    ]);
    let ids: Vec<&str> = directory
        .missions()
        .iter()
        .map(|it| it.id.as_str())
        .collect();
    assert_eq!(ids, ["a", "c", "b"]);
    assert_eq!(directory.get("b").unwrap().district, countries(&["AM"]));
    assert_eq!(directory.get("d"), None);
    let origin = Wgs84::new(0.0, 0.0).unwrap();
    assert_eq!(directory.nearest(origin).unwrap().0.id, "a");
}

#[test]
fn the_nearest_is_by_the_great_circle() {
    let directory = Directory::new([
        mission("east", MissionKind::Embassy, (0.0, 179.0), Area::default()),
        mission("west", MissionKind::Embassy, (0.0, -170.0), Area::default()),
        mission("pole", MissionKind::Embassy, (90.0, 0.0), Area::default()),
        mission(
            "nowhere",
            MissionKind::Embassy,
            (f64::NAN, 0.0),
            Area::default(),
        ),
    ]);
    for (at, expected) in [
        ((0.0, -178.0), "east"),
        ((0.0, 180.0), "east"),
        ((0.0, -180.0), "east"),
        ((89.0, -170.0), "pole"),
        ((90.0, 180.0), "pole"),
        ((-90.0, 0.0), "east"),
    ] {
        let (found, metres) = directory.nearest(Wgs84::new(at.0, at.1).unwrap()).unwrap();
        // The south pole is as far from both, within a rounding.
        let either = at.0 == -90.0 && found.id == "west";
        assert!(found.id == expected || either, "{at:?} {}", found.id);
        assert!(metres >= 0.0);
    }
    let anywhere = Wgs84::new(1.0, 1.0).unwrap();
    assert!(Directory::default().nearest(anywhere).is_none());
}

fn place() -> impl Strategy<Value = (f64, f64)> {
    prop_oneof![
        (-90.0..=90.0f64, -180.0..=180.0f64),
        // Within a few metres of each other.
        (41.0..41.0001f64, 29.0..29.0001f64),
        proptest::sample::select(vec![
            (90.0, 0.0),
            (-90.0, 7.0),
            (0.0, 180.0),
            (0.0, -180.0),
            (0.0, 0.0)
        ]),
    ]
}

proptest! {
    #[test]
    fn nearest_is_what_a_search_through_all_finds(
        places in proptest::collection::vec(place(), 1..60), at in place(),
    ) {
        let missions = places.iter().enumerate().map(|(index, at)| {
            mission(&format!("{index:03}"), MissionKind::Embassy, *at, Area::default())
        });
        let directory = Directory::new(missions);
        let here = Wgs84::new(at.0, at.1).unwrap();
        let brute = directory.missions().iter()
            .map(|it| distance_m(it.position.unwrap().wgs84().unwrap(), here))
            .fold(f64::INFINITY, f64::min);
        let (_, metres) = directory.nearest(here).unwrap();
        // The same to a millimetre; at the antipode the formula itself is good to 10 cm.
        prop_assert!((metres - brute).abs() < if brute > 2e7 { 0.5 } else { 1e-3 }, "{metres} {brute}");
    }
}
