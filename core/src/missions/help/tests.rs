//! The answer as stories: at a place, near a border, at home, and with nothing known.

use serde_json::json;

use super::*;
use crate::geo::Wgs84;
use crate::missions::EmergencyNumbers;
use crate::registration::Date;

const DAY_MS: i64 = 24 * 3_600_000;

fn now_ms() -> i64 {
    Date::parse("2026-11-25").unwrap().begins_ms() + 10 * DAY_MS
}

fn missions() -> Directory {
    let one = |id: &str, kind: &str, lat: f64, lon: f64, countries: &[&str]| {
        let json = json!({
            "id": id, "kind": kind, "country": id.get(..2).unwrap().to_uppercase(),
            "names": {"zh-Hans": id, "en": id}, "position": {"lat": lat, "lon": lon},
            "phones": [
                {"purpose": "reception", "number": "+903120000001"},
                {"purpose": "emergency", "number": "+903120000000",
                 "hours": {"zh-Hans": "全天", "en": "day and night"}, "round_the_clock": true},
            ],
            "district": {"countries": countries},
            "checked_ms": now_ms() - 3 * DAY_MS, "source": "example",
        });
        Mission::from_json(json.to_string().as_bytes()).unwrap()
    };
    Directory::new([
        one("tr-ankara", "embassy", 39.9, 32.8, &["TR"]),
        one("ge-tbilisi", "embassy", 41.7, 44.8, &["GE"]),
        one("tr-trabzon", "office", 41.0, 39.7, &[]),
    ])
}

fn hotline() -> Hotline {
    Hotline {
        from_home: "12308".into(),
        from_abroad: "+861012308".into(),
    }
}

struct World {
    missions: Directory,
    numbers: NumbersBook,
    hotline: Hotline,
    protection: Vec<Guide>,
    packs: PackTimes,
}

impl World {
    fn known() -> Self {
        Self {
            missions: missions(),
            numbers: NumbersBook::new(first::numbers()),
            hotline: hotline(),
            protection: vec![],
            packs: PackTimes {
                missions_ms: Some(now_ms() - 5 * DAY_MS),
                numbers_ms: Some(now_ms() - DAY_MS),
                guides_ms: None,
            },
        }
    }

    fn help(&self, at: Option<(f64, f64)>, countries: &[&str], language: &str) -> Help {
        let sources = HelpSources {
            missions: &self.missions,
            numbers: &self.numbers,
            protection: &self.protection,
            hotline: &self.hotline,
            home_country: "CN",
            packs: self.packs,
        };
        let spot = Spot {
            point: at.map(|(latitude, longitude)| Wgs84::new(latitude, longitude).unwrap()),
            countries: countries.iter().map(|code| (*code).into()).collect(),
            regions: vec![],
        };
        help_at(&sources, &spot, &[language.to_owned()], now_ms())
    }
}

fn ids(missions: &[LocalMission]) -> Vec<&str> {
    missions.iter().map(|it| it.id.as_str()).collect()
}

fn forms(help: &Help) -> Vec<&str> {
    help.hotline.iter().map(|it| it.number.as_str()).collect()
}

#[test]
fn in_the_east_of_turkiye_the_embassy_is_responsible_and_the_office_is_near() {
    let help = World::known().help(Some((41.0, 40.0)), &["TR"], "zh-CN");
    assert_eq!(help.numbers.len(), 1);
    let numbers = &help.numbers[0];
    assert_eq!(
        (numbers.country.as_str(), numbers.numbers[0].number.as_str()),
        ("TR", "112")
    );
    assert_eq!(numbers.as_of.pack_ms, Some(now_ms() - DAY_MS));
    assert_eq!(numbers.as_of.age_ms, Some(10 * DAY_MS));

    assert_eq!(ids(&help.responsible), ["tr-ankara"]);
    let ankara = &help.responsible[0];
    assert_eq!(ankara.as_of.age_ms, Some(3 * DAY_MS));
    assert_eq!(ankara.as_of.pack_ms, Some(now_ms() - 5 * DAY_MS));
    assert_eq!(ankara.name.as_ref().unwrap().language, "zh-Hans");
    // The phone for emergencies first, whatever the order in the pack.
    assert_eq!(ankara.phones[0].number, "+903120000000");
    assert_eq!(ankara.phones[0].hours.as_ref().unwrap().text, "全天");

    let near = help.nearest.unwrap();
    assert_eq!(near.id, "tr-trabzon");
    assert!(near.distance_m.unwrap() < 30_000.0 && ankara.distance_m.unwrap() > 500_000.0);
    assert_eq!(help.hotline[0].from, CallFrom::Abroad);
}

#[test]
fn the_nearest_is_not_shown_twice() {
    let help = World::known().help(Some((39.9, 32.9)), &["TR"], "en");
    assert_eq!(ids(&help.responsible), ["tr-ankara"]);
    assert_eq!(help.nearest, None);
}

#[test]
fn near_a_border_both_countries_answer_the_most_likely_first() {
    let help = World::known().help(Some((41.5, 41.6)), &["GE", "TR"], "en");
    let countries: Vec<&str> = help.numbers.iter().map(|it| it.country.as_str()).collect();
    assert_eq!(countries, ["GE", "TR"]);
    assert_eq!(ids(&help.responsible), ["ge-tbilisi", "tr-ankara"]);
    assert_eq!(help.nearest.as_ref().unwrap().id, "tr-trabzon");
}

#[test]
fn at_home_the_short_form_of_the_hotline_comes_first() {
    let world = World::known();
    assert_eq!(
        forms(&world.help(None, &["cn"], "zh")),
        ["12308", "+861012308"]
    );
    for elsewhere in [&["TR"][..], &[], &["CN", "KG"]] {
        let help = world.help(None, elsewhere, "zh");
        assert_eq!(forms(&help), ["+861012308", "12308"], "{elsewhere:?}");
    }
}

#[test]
fn with_nothing_known_there_is_still_help() {
    let world = World {
        missions: Directory::default(),
        numbers: NumbersBook::default(),
        packs: PackTimes::default(),
        ..World::known()
    };
    for (at, countries) in [
        (None, &[][..]),
        (Some((0.0, 0.0)), &[]),
        (Some((90.0, -180.0)), &["XX", ""]),
        (None, &["AQ"]),
    ] {
        let help = world.help(at, countries, "ug");
        assert_eq!(help.mobile.numbers, ["112", "911"]);
        assert_eq!(forms(&help), ["+861012308", "12308"]);
        let texts: Vec<&str> = help.protection.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(texts, PROTECTION);
        assert!(
            help.protection
                .iter()
                .all(|it| it.language == "en" && !it.body.is_empty())
        );
        assert!(help.numbers.is_empty() && help.responsible.is_empty() && help.nearest.is_none());
    }
}

#[test]
fn the_ministrys_own_text_takes_the_place_of_the_librarys() {
    let mut own = first::guide("consulate-cannot").unwrap();
    own.texts.retain(|language, _| language == "en");
    own.texts.get_mut("en").unwrap().body = "Ours.".into();
    let mut world = World::known();
    world.protection.push(own);
    world.packs.guides_ms = Some(77);
    let help = world.help(None, &["TR"], "en");
    assert_eq!(help.protection[1].body, "Ours.");
    assert_eq!(help.protection[1].as_of.pack_ms, Some(77));
    // The other half is the library's: it came with no pack.
    assert_eq!(help.protection[0].id, "consulate-can");
    assert_eq!(help.protection[0].as_of.pack_ms, None);
}

#[test]
fn a_clock_that_is_behind_makes_nothing_younger_than_new() {
    let item = json!({"country": "TR", "source": "s", "checked": "2030-01-01",
        "numbers": [{"service": "general", "number": "112"}]});
    let world = World {
        numbers: NumbersBook::new([
            EmergencyNumbers::from_json(item.to_string().as_bytes()).unwrap()
        ]),
        ..World::known()
    };
    let help = world.help(None, &["TR"], "en");
    assert_eq!(help.numbers[0].as_of.age_ms, Some(0));
    assert_eq!(help.hotline[0].as_of, AsOf::default());
}
