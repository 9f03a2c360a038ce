//! Abroad with no network: where am I, who helps me, how dangerous is it. Through the
//! public API, with packs of the real ministry.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failure ends the test it happens in"
)]

use std::sync::Arc;

use homeline::Homeline;
use homeline::alerts::{AlertLoudness, AlertNews, AlertReference, AlertState, PlaceAlerts};
use homeline::config::Config;
use homeline::missions::{CallFrom, EmergencyService, Help};
use homeline::packs::PackName;
use homeline::reference::{Place, PlaceBasis};
use homeline::registration::{Stay, Trip};
use homeline::sync::SyncStop;
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline_tests::scene::Scene;
use homeline_tests::stage::Network;
use homeline_tests::vault::LockableVault;
use serde_json::{Value, json};

const LONG_MS: u64 = 30_000;
const DAY_MS: i64 = 24 * 3_600_000;

fn open_in(scene: &Scene, languages: &[&str]) -> Arc<Homeline> {
    let config = Config {
        languages: languages.iter().map(|tag| (*tag).into()).collect(),
        ..scene.stage.config(&scene.files())
    };
    let vault = Arc::<LockableVault>::clone(&scene.vault);
    Homeline::open(config, vault, None, None).unwrap()
}

fn open(scene: &Scene) -> Arc<Homeline> {
    open_in(scene, &["zh-Hans-CN"])
}

fn at(latitude: f64, longitude: f64) -> Place {
    Place::At {
        position: Position::Wgs84 {
            latitude,
            longitude,
        },
        accuracy_m: None,
    }
}

fn country(code: &str) -> Place {
    Place::Country { code: code.into() }
}

fn publish(scene: &Scene, name: PackName, items: &[Value]) {
    scene.stage.publish(name, items).unwrap();
}

fn sync(home: &Homeline) {
    assert_eq!(home.sync(LONG_MS).unwrap().stopped, SyncStop::Done);
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn numbers(help: &Help) -> Vec<(&str, Vec<&str>)> {
    help.numbers
        .iter()
        .map(|local| {
            let numbers = local.numbers.iter().map(|number| number.number.as_str());
            (local.country.as_str(), numbers.collect())
        })
        .collect()
}

fn headlines(alerts: &PlaceAlerts) -> Vec<&str> {
    let headlines = alerts.alerts.iter().map(|alert| &alert.headline);
    headlines
        .map(|headline| headline.as_ref().unwrap().text.as_str())
        .collect()
}

/// The first start, in flight mode, before the first unlock: nothing was ever fetched.
#[test]
fn the_first_start_in_flight_mode_answers() {
    let scene = Scene::new().unwrap();
    scene.stage.network(Network::Down);
    scene.vault.set_locked(true);
    let home = open(&scene);
    let help = home.help_at(at(41.0082, 28.9784));
    assert_eq!(help.countries, ["TR"]);
    let (code, dialled) = &numbers(&help)[0];
    assert_eq!((*code, dialled[0]), ("TR", "112"));
    assert!(help.numbers[0].as_of.checked_ms.is_some());
    assert_eq!(
        help.numbers[0].numbers[0].service,
        EmergencyService::General
    );
    let hotline: Vec<_> = help
        .hotline
        .iter()
        .map(|line| (line.from, line.number.as_str()))
        .collect();
    assert_eq!(
        hotline,
        [(CallFrom::Abroad, "+861012308"), (CallFrom::Home, "12308")]
    );
    let guides: Vec<_> = help
        .protection
        .iter()
        .map(|guide| guide.language.as_str())
        .collect();
    assert_eq!(guides, ["zh-Hans", "zh-Hans"]);
    assert!(help.responsible.is_empty() && help.nearest.is_none());

    // At home the short number comes first; at sea and nowhere there is still the hotline.
    let home_help = home.help_at(country("cn"));
    assert_eq!(home_help.hotline[0].from, CallFrom::Home);
    assert_eq!(numbers(&home_help)[0].0, "CN");
    for place in [
        at(0.0, 0.0),
        at(-75.0, 0.0),
        at(90.0, 180.0),
        at(-90.0, -180.0),
    ] {
        let help = home.help_at(place);
        assert_eq!(help.hotline.len(), 2);
        assert_eq!(help.mobile.numbers, ["112", "911"]);
    }
    for place in [
        at(91.0, 0.0),
        at(f64::NAN, f64::INFINITY),
        country("XX"),
        country(""),
        Place::Here,
    ] {
        let help = home.help_at(place);
        assert_eq!(help.basis, PlaceBasis::Nowhere);
        assert!(help.countries.is_empty() && help.numbers.is_empty());
        assert_eq!((help.hotline.len(), help.protection.len()), (2, 2));
    }

    let found = home
        .guides()
        .search("护照".into(), country("TR"), None)
        .unwrap();
    assert_eq!(found[0].id, "lost-passport");
    let guide = home.guides().read("lost-passport".into()).unwrap();
    assert!(guide.body.contains("护照") && guide.as_of.age_ms.is_some());
    assert!(home.guides().read("nothing".into()).is_err());
    let alerts = home.alerts().at(at(41.0, 29.0)).unwrap();
    assert_eq!(alerts.as_of_ms, None);
    assert!(alerts.alerts.is_empty() && alerts.level.is_none());
    // None of it has made a file.
    assert!(!scene.files().join("packs.db").exists());
}

#[test]
fn here_is_the_last_position_and_before_it_todays_stay() {
    let scene = Scene::new().unwrap();
    let home = open(&scene);
    assert_eq!(home.locate(Place::Here).unwrap().basis, PlaceBasis::Nowhere);
    let day = |from_today: i64| {
        let day = now_ms() / DAY_MS + from_today;
        let date = time::OffsetDateTime::from_unix_timestamp(day * 86_400).unwrap();
        date.date().to_string()
    };
    let trip = Trip {
        departs: day(-3),
        stays: vec![Stay {
            country: "GE".into(),
            place: "Batumi".into(),
            from: day(-3),
            to: day(3),
            ..Stay::default()
        }],
        ..Trip::default()
    };
    home.trips().save(trip).unwrap();
    let found = home.locate(Place::Here).unwrap();
    assert_eq!(
        (found.basis, found.countries),
        (PlaceBasis::Stay, vec!["GE".to_owned()])
    );
    assert_eq!(numbers(&home.help_at(Place::Here))[0].0, "GE");

    let position = Position::Wgs84 {
        latitude: 41.0,
        longitude: 40.52,
    };
    home.whereabouts()
        .record(Fix::new(position, now_ms(), FixSource::Gnss))
        .unwrap();
    let found = home.locate(Place::Here).unwrap();
    assert!(matches!(
        found.basis,
        PlaceBasis::LastPosition { age_ms: Some(0..) }
    ));
    assert_eq!(found.countries, ["TR"]);
    // The stays say what is to come, wherever the traveler is.
    let of_trips = home.alerts().of_trips().unwrap();
    assert_eq!(of_trips.len(), 1);
    assert_eq!(of_trips[0].stay.place, "Batumi");
}

#[test]
fn a_sync_brings_missions_and_the_district_decides_who_is_responsible() {
    let scene = Scene::new().unwrap();
    let missions: Vec<Value> = ministry::sample::missions()
        .iter()
        .map(|mission| serde_json::to_value(mission).unwrap())
        .collect();
    publish(&scene, PackName::Missions, &missions);
    let home = open(&scene);
    sync(&home);
    scene.stage.network(Network::Down);
    let help = home.help_at(at(41.02, 40.52));
    let responsible = &help.responsible[0];
    assert_eq!(responsible.id, "tr-trabzon");
    assert!(responsible.phones[0].round_the_clock);
    assert!((40_000.0..80_000.0).contains(&responsible.distance_m.unwrap()));
    assert!(responsible.as_of.pack_ms.is_some() && responsible.as_of.age_ms.is_some());
    assert_eq!(responsible.name.as_ref().unwrap().language, "zh-Hans");
    assert!(help.nearest.is_none(), "it is the nearest, too");
    // Hopa: in Trabzon's district, and nearer to Batumi across the border.
    let help = home.help_at(at(41.40, 41.43));
    assert_eq!(help.responsible[0].id, "tr-trabzon");
    assert_eq!(help.nearest.as_ref().unwrap().id, "ge-batumi");
    // A whole country has no nearest one.
    let help = home.help_at(country("TR"));
    assert_eq!(help.responsible[0].id, "tr-ankara");
    assert!(help.nearest.is_none());
}

fn alert(identifier: &str, level: &str, more: Value) -> Value {
    let mut alert = json!({
        "identifier": identifier, "sender": "mfa", "sent_ms": now_ms() - 1_000,
        "status": "actual", "type": "alert", "level": level,
        "headline": {"zh-Hans": identifier, "en": format!("{identifier} in English")},
    });
    for (key, value) in more.as_object().unwrap() {
        alert[key] = value.clone();
    }
    alert
}

#[test]
fn alerts_are_matched_on_the_phone_and_updated_in_any_order() {
    let scene = Scene::new().unwrap();
    let coast = json!([{"polygons": [[[40.8, 40.0], [40.8, 41.0], [41.3, 41.0], [41.3, 40.0]]]}]);
    let turkey = json!([{"countries": ["TR"]}]);
    let items = [
        // The update comes first, what it updates after it.
        alert(
            "new flood",
            "do_not_travel",
            json!({
                "type": "update", "sent_ms": now_ms(), "areas": coast,
                "references": [{"sender": "mfa", "identifier": "flood"}],
            }),
        ),
        alert("flood", "be_alert", json!({"areas": coast})),
        alert(
            "quake",
            "be_alert",
            json!({"areas": turkey, "expires_ms": now_ms() + DAY_MS}),
        ),
        alert(
            "old",
            "do_not_travel",
            json!({"areas": turkey, "expires_ms": now_ms() - 1}),
        ),
        alert(
            "drill",
            "do_not_travel",
            json!({"areas": turkey, "status": "exercise"}),
        ),
        alert(
            "itself",
            "be_alert",
            json!({
                "areas": turkey, "type": "cancel",
                "references": [{"sender": "mfa", "identifier": "itself"}],
            }),
        ),
        alert(
            "elsewhere",
            "do_not_travel",
            json!({"areas": [{"countries": ["FR"]}]}),
        ),
        alert(
            "province",
            "be_alert",
            json!({"areas": [{"regions": ["TR-53"]}]}),
        ),
        json!({"no": "alert"}),
    ];
    publish(&scene, PackName::Alerts, &items);
    let home = open(&scene);
    sync(&home);
    scene.stage.network(Network::Down);
    let here = home.alerts().at(at(41.02, 40.52)).unwrap();
    // The phone does not know provinces: what concerns one of them is shown in all.
    assert_eq!(headlines(&here), ["new flood", "province", "quake"]);
    assert_eq!(here.level.as_ref().unwrap().wording.text, "暂勿前往");
    // The ministry says later that there is nothing newer: the answer is not as old then.
    let packs = rusqlite::Connection::open(scene.files().join("packs.db")).unwrap();
    packs
        .execute("UPDATE pack SET checked_ms = checked_ms + 5000", [])
        .unwrap();
    drop(packs);
    let again = home.alerts().at(at(41.02, 40.52)).unwrap();
    assert_eq!(again.as_of_ms, here.as_of_ms.map(|ms| ms + 5_000));
    let ankara = home.alerts().at(at(39.93, 32.86)).unwrap();
    assert_eq!(headlines(&ankara), ["province", "quake"]);
    assert_eq!(ankara.level.as_ref().unwrap().wording.text, "注意安全");
    let whole = home.alerts().at(country("TR")).unwrap();
    assert_eq!(headlines(&whole), ["new flood", "province", "quake"]);
    let chosen = home
        .alerts()
        .in_countries(vec!["fr".into(), "DE".into()])
        .unwrap();
    assert_eq!(headlines(&chosen), ["elsewhere"]);
    assert!(home.alerts().in_countries(vec!["XX".into()]).is_err());
    assert!(home.alerts().at(at(91.0, 0.0)).is_err());
    let all = home.alerts().all().unwrap();
    assert_eq!(all.len(), 8);
    let state = |name: &str| {
        let found = all.iter().find(|alert| alert.identifier == name);
        found.unwrap().state.clone()
    };
    assert_eq!(
        state("flood"),
        AlertState::Superseded {
            by: "new flood".into()
        }
    );
    assert_eq!(state("drill"), AlertState::NotActual);
    assert!(matches!(state("old"), AlertState::Expired { .. }));

    // A scale with a level that the phone had never heard of, and a language nobody has.
    scene.stage.network(Network::Up);
    let levels = [
        json!({"id": "be_alert", "rank": 10, "wording": {"zh-Hans": "注意"}}),
        json!({"id": "leave", "rank": 50, "wording": {"zh-Hans": "尽快撤离", "en": "Leave"}}),
    ];
    publish(&scene, PackName::Levels, &levels);
    publish(
        &scene,
        PackName::Alerts,
        &[
            alert("leave now", "leave", json!({"areas": turkey})),
            alert("unheard", "beyond_words", json!({"areas": turkey})),
        ],
    );
    sync(&home);
    let here = home.alerts().at(country("TR")).unwrap();
    assert_eq!(headlines(&here), ["unheard", "leave now"]);
    let level = here.level.unwrap();
    assert_eq!(
        (level.wording.text.as_str(), level.step),
        ("beyond_words", None)
    );
    assert_eq!(
        here.alerts[1].level.as_ref().unwrap().wording.text,
        "尽快撤离"
    );
    drop(home);
    let home = open_in(&scene, &["tlh"]);
    let here = home.alerts().at(country("TR")).unwrap();
    assert_eq!(
        headlines(&here),
        ["unheard in English", "leave now in English"]
    );
}

/// Guides of the ministry take the place of the library's, and are searched at once.
#[test]
fn guides_of_the_ministry_are_found_by_words_of_any_length() {
    let scene = Scene::new().unwrap();
    let guide = |id: &str, countries: Value, title: &str, body: &str| {
        json!({
            "id": id, "situation": "medical", "countries": countries, "updated": "2026-11-01",
            "texts": {"zh-Hans": {"title": title, "body": body}},
        })
    };
    publish(
        &scene,
        PackName::Guides,
        &[
            guide("snake", json!([]), "被蛇咬伤", "保持不动,呼叫急救。"),
            guide(
                "snake-au",
                json!(["AU"]),
                "在澳大利亚被蛇咬伤",
                "加压包扎。",
            ),
        ],
    );
    let home = open(&scene);
    sync(&home);
    let found = |query: &str, code: &str| -> Vec<String> {
        let hits = home
            .guides()
            .search(query.into(), country(code), None)
            .unwrap();
        hits.into_iter().map(|hit| hit.id).collect()
    };
    assert_eq!(found("蛇", "AU"), ["snake-au", "snake"]);
    assert_eq!(found("蛇咬", "TR")[0], "snake");
    assert_eq!(found("加压包扎", "TR"), ["snake-au"]);
    assert_eq!(found("护照", "TR"), Vec::<String>::new());
    for hostile in [
        "\" OR 1",
        "NEAR(",
        "*",
        "蛇*\"",
        "a\0b",
        &"蛇".repeat(1_000_000),
    ] {
        found(hostile, "TR");
    }
    // What a consulate can do is still there: the library's own, where the pack has none.
    assert_eq!(home.help_at(country("TR")).protection.len(), 2);
}

/// Borders of the ministry: its view counts. Bytes that are none change nothing.
#[test]
fn the_ministrys_borders_take_the_place_of_the_librarys() {
    let scene = Scene::new().unwrap();
    let home = open(&scene);
    let place = || home.locate(at(41.0082, 28.9784)).unwrap().countries;
    assert_eq!(place(), ["TR"]);
    let ministry = &scene.stage.ministry;
    ministry
        .publish(PackName::Boundaries, b"no borders")
        .unwrap();
    sync(&home);
    assert_eq!(place(), ["TR"]);
    // The same world, in which TR is called QX.
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../core/src/geo/data/countries.bin"
    );
    let mut world = std::fs::read(path).unwrap();
    let table = 28..28 + 4 * usize::from(world[5]);
    let row = world[table].as_chunks_mut::<4>().0.iter_mut();
    let turkey: Vec<_> = row.filter(|row| row.starts_with(b"TR")).collect();
    assert_eq!(turkey.len(), 1);
    for row in turkey {
        row[..2].copy_from_slice(b"QX");
    }
    ministry.publish(PackName::Boundaries, &world).unwrap();
    sync(&home);
    assert_eq!(place(), ["QX"]);
}

fn record(home: &Homeline, days_ago: f64, latitude: f64, longitude: f64) {
    let position = Position::Wgs84 {
        latitude,
        longitude,
    };
    let ago = std::time::Duration::from_secs_f64(days_ago * 86_400.0);
    let time_ms = now_ms() - i64::try_from(ago.as_millis()).unwrap();
    let fix = Fix::new(position, time_ms, FixSource::Gnss);
    home.whereabouts().record(fix).unwrap();
}

const BEIJING: (f64, f64) = (39.90, 116.40);
const TBILISI: (f64, f64) = (41.69, 44.80);
const SARP: (f64, f64) = (41.521, 41.547);
const TRABZON: (f64, f64) = (40.98, 39.72);

#[test]
fn an_arrival_is_announced_once_also_after_a_week_offline() {
    let scene = Scene::new().unwrap();
    let missions: Vec<Value> = ministry::sample::missions()
        .iter()
        .map(|mission| serde_json::to_value(mission).unwrap())
        .collect();
    publish(&scene, PackName::Missions, &missions);
    let turkey = json!([{"countries": ["TR"]}]);
    let alerts: Vec<Value> = ["one", "two", "three", "four"]
        .map(|name| alert(name, "be_alert", json!({"areas": turkey})))
        .into();
    publish(&scene, PackName::Alerts, &alerts);
    let home = open(&scene);
    sync(&home);
    scene.stage.network(Network::Down);

    record(&home, 8.0, BEIJING.0, BEIJING.1);
    assert_eq!(home.alerts().arrival().unwrap(), None);
    // A week without the app: what the platform has kept comes in a lump.
    for (days_ago, place) in [(7.0, TBILISI), (6.0, SARP), (5.0, TRABZON), (4.5, TRABZON)] {
        record(&home, days_ago, place.0, place.1);
    }
    let notice = home.alerts().arrival().unwrap().unwrap();
    assert_eq!((notice.country.as_str(), notice.is_new), ("TR", true));
    assert_eq!(notice.passed, ["GE"]);
    assert_eq!(notice.alerts.len(), 3);
    assert_eq!(notice.level.unwrap().wording.text, "注意安全");
    let mission = notice.mission.unwrap();
    assert_eq!(mission.id, "tr-trabzon");
    assert!(mission.phones[0].number.starts_with("+90"));
    assert_eq!(notice.numbers.unwrap().country, "TR");
    assert_eq!(notice.hotline[0].from, CallFrom::Abroad);

    // Until the host says that it was shown: a kill in between loses nothing.
    drop(home);
    let home = open(&scene);
    let is_new = || home.alerts().arrival().unwrap().map(|notice| notice.is_new);
    assert_eq!(is_new(), Some(true));
    home.alerts().arrival_shown().unwrap();
    assert_eq!(is_new(), Some(false));
    // At the border again, and inland again: nothing new.
    record(&home, 4.0, SARP.0, SARP.1);
    record(&home, 3.0, TRABZON.0, TRABZON.1);
    assert_eq!(is_new(), Some(false));
    // An older position that comes late changes nothing.
    record(&home, 6.5, TBILISI.0, TBILISI.1);
    assert_eq!(is_new(), Some(false));
    // Before the first unlock nobody knows where the phone was.
    scene.vault.set_locked(true);
    drop(home);
    let home = open(&scene);
    assert!(home.alerts().arrival().is_err());
    assert!(home.alerts().at(country("TR")).is_ok());
    scene.vault.set_locked(false);
    home.reopen().unwrap();
    // Home ends it.
    record(&home, 2.0, BEIJING.0, BEIJING.1);
    assert_eq!(home.alerts().arrival().unwrap(), None);
    // The same country weeks later would be new; a day later it is not.
    record(&home, 1.0, TBILISI.0, TBILISI.1);
    let notice = home.alerts().arrival().unwrap().unwrap();
    assert_eq!((notice.country.as_str(), notice.is_new), ("GE", true));
    home.erase().unwrap();
    assert_eq!(home.alerts().arrival().unwrap(), None);
}

#[test]
fn a_plan_is_loud_once_and_an_update_that_is_worse_is_news() {
    let scene = Scene::new().unwrap();
    let home = open(&scene);
    record(&home, 0.01, TRABZON.0, TRABZON.1);
    let turkey = json!([{"countries": ["TR"]}]);
    let flood = alert("flood", "take_precautions", json!({"areas": turkey}));
    publish(&scene, PackName::Alerts, std::slice::from_ref(&flood));
    sync(&home);
    let plan = || home.alerts().plan(vec![]).unwrap();
    let first = plan();
    assert_eq!(first.show.len(), 1);
    assert_eq!(first.show[0].news, AlertNews::First);
    assert_eq!(first.show[0].loudness, AlertLoudness::Prominent);
    assert!(first.show[0].is_here && first.show[0].new_since_ms.is_some());
    // Killed before it was shown: said again.
    assert_eq!(plan().show[0].news, AlertNews::First);
    home.alerts().plan_shown().unwrap();
    home.alerts().plan_shown().unwrap();
    let again = plan();
    assert_eq!(again.show[0].news, AlertNews::Known);
    assert_eq!(again.show[0].loudness, AlertLoudness::Quiet);
    assert!(again.show[0].new_since_ms.is_some(), "not read yet");

    let name = |identifier: &str| AlertReference {
        sender: "mfa".into(),
        identifier: identifier.into(),
        sent_ms: None,
    };
    home.alerts()
        .mark_read(vec![name("flood"), name("nothing")])
        .unwrap();
    assert_eq!(plan().show[0].new_since_ms, None);
    let worse = alert(
        "worse",
        "do_not_travel",
        json!({
            "areas": turkey, "type": "update", "sent_ms": now_ms(),
            "references": [{"sender": "mfa", "identifier": "flood"}],
        }),
    );
    publish(&scene, PackName::Alerts, &[flood, worse]);
    sync(&home);
    let raised = plan();
    assert_eq!(raised.show.len(), 1);
    assert_eq!(raised.show[0].news, AlertNews::Raised);
    assert_eq!(raised.show[0].loudness, AlertLoudness::Interrupting);
    assert_eq!(raised.withdraw[0].identifier, "flood");
    // What was read and shown is the traveler's own, and in the export.
    let export: Value = serde_json::from_str(&home.export().unwrap().json).unwrap();
    assert_eq!(export["other"]["alerts_read"][0]["identifier"], "flood");
    assert!(home.alerts().plan(vec!["XX".into()]).is_err());
}
