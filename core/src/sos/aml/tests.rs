//! The texts are read back by a parser of their own here, and compared with every
//! example of `../shared/data/aml`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::whereabouts::Fix;

/// Attributes of a text, after the checks that a receiver makes.
fn attributes(text: &str) -> BTreeMap<&str, &str> {
    let pairs = text.split(';').map(|pair| pair.split_once('=').unwrap());
    let read: BTreeMap<&str, &str> = pairs.collect();
    assert_eq!(text.matches(';').count() + 1, read.len(), "twice: {text}");
    assert!(text.starts_with("A\"ML="));
    read
}

/// One SMS holds it: 160 characters, each of the table of 3GPP TS 23.038, 6.2.1.
fn is_one_sms(text: &str) -> bool {
    const PART_OF_THE_TABLE: &str =
        "!\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz _";
    text.len() <= 160 && text.chars().all(|c| PART_OF_THE_TABLE.contains(c))
}

/// Septets in octets, and back (3GPP TS 23.038, 6.1.2.1).
fn packed(text: &str) -> Vec<u8> {
    let bits: Vec<u8> = text
        .bytes()
        .flat_map(|c| (0..7).map(move |bit| (c >> bit) & 1))
        .collect();
    bits.chunks(8)
        .map(|octet| octet.iter().rev().fold(0, |sum, bit| sum << 1 | bit))
        .collect()
}

fn unpacked(octets: &[u8], septets: usize) -> String {
    let bits: Vec<u8> = octets
        .iter()
        .flat_map(|octet| (0..8).map(move |bit| (octet >> bit) & 1))
        .collect();
    bits.chunks_exact(7)
        .take(septets)
        .map(|septet| char::from(septet.iter().rev().fold(0, |sum, bit| sum << 1 | bit)))
        .collect()
}

fn aged(position: Position, time_ms: i64) -> AgedFix {
    AgedFix {
        fix: Fix {
            accuracy_m: Some(52.0),
            ..Fix::new(position, time_ms, FixSource::Gnss)
        },
        age_ms: Some(0),
        flags: Vec::new(),
    }
}

fn wgs84(latitude: f64, longitude: f64) -> Position {
    Position::Wgs84 {
        latitude,
        longitude,
    }
}

#[track_caller]
fn texts(aged: &AgedFix, called_ms: Option<i64>) -> LocationTexts {
    match location_texts(aged, called_ms) {
        LocationHandover::Texts { texts } => texts,
        other => panic!("{other:?}"),
    }
}

/// 2019-11-12 11:29:28 UTC.
const THEN_MS: i64 = 1_573_558_168_000;

#[test]
fn a_fix_in_all_four_forms() {
    let fix = aged(wgs84(48.82639, -2.36619), THEN_MS);
    let made = texts(&fix, Some(THEN_MS));
    assert_eq!(
        made.aml_v1,
        "A\"ML=1;lt=+48.82639;lg=-2.36619;rd=52;top=20191112112928;lc=68;pm=G;ml=73"
    );
    assert_eq!(
        made.aml_v2,
        "A\"ML=2;et=1573558168;lo=48.82639,-2.36619,52.0;lt=0;lc=68;ls=G"
    );
    assert_eq!(made.iso6709, "+48.82639-002.36619CRSWGS_84/");
    assert_eq!(made.geo, "geo:48.82639,-2.36619;crs=wgs84;u=85");
    assert_eq!(made.caveats, []);
    let high = AgedFix {
        fix: Fix {
            altitude_m: Some(-430.5),
            ..fix.fix
        },
        ..fix
    };
    let made = texts(&high, Some(THEN_MS));
    assert_eq!(made.iso6709, "+48.82639-002.36619-430.5CRSWGS_84/");
    assert_eq!(made.geo, "geo:48.82639,-2.36619,-430.5;crs=wgs84;u=85");
    assert!(made.aml_v2.contains(";lz=-430.5,0;"));
}

#[test]
fn the_radius_keeps_its_confidence_and_is_converted_where_there_is_no_place_for_it() {
    // sqrt(ln 0.05 / ln 0.32) = 1.62153...
    let at_68 = texts(&aged(wgs84(1.0, 1.0), THEN_MS), Some(THEN_MS));
    assert!((at_68.radius_95_m.unwrap() - 52.0 * 1.621_5).abs() < 0.01);
    let mut fix = aged(wgs84(1.0, 1.0), THEN_MS);
    fix.fix.confidence_percent = Some(95);
    let at_95 = texts(&fix, Some(THEN_MS));
    assert!(at_95.aml_v1.contains(";rd=52;") && at_95.aml_v1.contains(";lc=95;"));
    assert!(at_95.geo.ends_with(";u=52"));
    assert!((at_95.radius_68_m.unwrap() - 52.0 / 1.621_5).abs() < 0.01);
    fix.fix.accuracy_m = None;
    let unknown = texts(&fix, Some(THEN_MS));
    assert!(unknown.aml_v1.contains(";rd=N;") && unknown.aml_v1.contains(";lc=0;"));
    assert!(unknown.aml_v2.contains(",0.0;lt=0;lc=0;"));
    assert!(unknown.geo.ends_with(";crs=wgs84"));
    assert_eq!(unknown.caveats, [LocationCaveat::RadiusUnknown]);
}

#[test]
fn the_time_is_that_of_the_measurement_and_is_never_made_up() {
    let mut fix = aged(wgs84(1.0, 1.0), 0);
    fix.age_ms = Some(3_600_000);
    let hour_old = texts(&fix, Some(THEN_MS));
    assert!(hour_old.aml_v1.contains(";top=20191112102928;"));
    assert!(hour_old.aml_v2.contains("et=1573558168;") && hour_old.aml_v2.contains(";lt=-3600;"));
    fix.age_ms = None;
    for called_ms in [Some(THEN_MS), None, Some(i64::MIN), Some(i64::MAX)] {
        let unknown = texts(&fix, called_ms);
        assert_eq!(unknown.caveats, [LocationCaveat::TimeUnknown]);
        assert!(!unknown.aml_v1.contains("top=") && !unknown.aml_v2.contains("lt="));
    }
    fix.fix.gnss_time_ms = Some(THEN_MS);
    assert_eq!(texts(&fix, None).located_ms, Some(THEN_MS));
}

#[test]
fn a_chinese_datum_is_undone_or_there_is_no_text() {
    let tiananmen = Wgs84::new(39.908_7, 116.397_5).unwrap();
    let plain = texts(&aged(tiananmen.into(), THEN_MS), Some(THEN_MS));
    let gcj02: Position = Gcj02::from(tiananmen).into();
    let bd09: Position = Bd09::from(tiananmen).into();
    for shifted in [gcj02, bd09] {
        let made = texts(&aged(shifted, THEN_MS), Some(THEN_MS));
        assert_eq!(
            (&made.aml_v1, &made.geo),
            (&plain.aml_v1, &plain.geo),
            "{:?}",
            shifted.datum()
        );
        assert_eq!(made.caveats, [LocationCaveat::Converted]);
    }
    // Outside the mainland GCJ-02 is WGS-84.
    let seoul = Position::Gcj02 {
        latitude: 37.566_5,
        longitude: 126.978,
    };
    assert!(
        texts(&aged(seoul, THEN_MS), None)
            .geo
            .starts_with("geo:37.56650,126.97800;")
    );
    // Along the border, just inside, GCJ-02 has the numbers of no place at all.
    let refused = (0..400).any(|step| {
        let position = Position::Gcj02 {
            latitude: 22.5 + f64::from(step) * 1e-4,
            longitude: 114.113,
        };
        location_texts(&aged(position, THEN_MS), None) == LocationHandover::DatumNotUndone
    });
    assert!(refused, "the strip at Lo Wu was not met");
}

#[test]
fn doubts_are_said() {
    let mut fix = aged(wgs84(1.0, 1.0), THEN_MS);
    for (flag, caveat) in [
        (FixFlag::Mock, LocationCaveat::Mock),
        (FixFlag::Jump, LocationCaveat::Doubtful),
        (FixFlag::Future, LocationCaveat::Doubtful),
    ] {
        fix.flags = vec![flag];
        assert_eq!(texts(&fix, Some(THEN_MS)).caveats, [caveat]);
    }
}

proptest::proptest! {
    #[test]
    fn whatever_the_fix_the_texts_are_one_sms_and_read_back(
        latitude in -90.0..=90.0_f64,
        longitude in -180.0..=180.0_f64,
        tiny in -1e-6..1e-6_f64,
        near_zero in proptest::bool::ANY,
        accuracy in proptest::option::of(0.01..2e7_f64),
        percent in proptest::option::of(1..=100_u8),
        altitude in proptest::option::of(-20_000.0..1e6_f64),
        age in proptest::option::of(proptest::num::i64::ANY),
        called in proptest::option::of(proptest::num::i64::ANY),
    ) {
        let latitude = if near_zero { tiny } else { latitude };
        let mut fix = aged(wgs84(latitude, longitude), 0);
        fix.fix.accuracy_m = accuracy;
        fix.fix.confidence_percent = percent;
        fix.fix.altitude_m = altitude;
        fix.age_ms = age;
        let made = texts(&fix, called);
        let v1 = attributes(&made.aml_v1);
        proptest::prop_assert_eq!(v1["ml"].parse::<usize>().unwrap(), made.aml_v1.len());
        for (key, exact) in [("lt", latitude), ("lg", longitude)] {
            let said: f64 = v1[key].parse().unwrap();
            proptest::prop_assert!((said - exact).abs() <= 0.6e-5, "{} {}", said, exact);
            proptest::prop_assert!(v1[key].starts_with(['+', '-']));
            proptest::prop_assert!(v1[key] != "-0.00000");
        }
        let v2 = attributes(&made.aml_v2);
        let location: Vec<f64> = v2["lo"].split(',').map(|n| n.parse().unwrap()).collect();
        proptest::prop_assert!((location[0] - latitude).abs() <= 0.6e-5);
        for text in [&made.aml_v1, &made.aml_v2, &made.iso6709, &made.geo] {
            proptest::prop_assert!(is_one_sms(text), "{}", text);
            proptest::prop_assert_eq!(&unpacked(&packed(text), text.len()), text);
        }
    }
}

/// What an example says, as a fix and when help was called for.
struct Example {
    aged: AgedFix,
    called_ms: i64,
    /// The source as the example writes it.
    source: String,
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

fn example(position: Position, accuracy: f64, percent: &str, source: &str) -> Example {
    let mut aged = aged(position, THEN_MS);
    aged.fix.accuracy_m = Some(accuracy);
    aged.fix.confidence_percent = Some(percent.parse().unwrap());
    aged.fix.source = match source {
        "G" | "GPS" => FixSource::Gnss,
        _ => FixSource::Network,
    };
    Example {
        aged,
        called_ms: THEN_MS,
        source: source.to_owned(),
    }
}

/// Reads an example of version 1 or 2, with when it says it was located.
fn read_sms(text: &str) -> (Example, i64) {
    let said = attributes(text);
    if said["A\"ML"] == "2" {
        let at: Vec<f64> = said["lo"].split(',').map(number).collect();
        let called_s: i64 = said["et"].parse().unwrap();
        let offset: i64 = said["lt"].parse().unwrap();
        let mut read = example(wgs84(at[0], at[1]), at[2], said["lc"], said["ls"]);
        read.called_ms = called_s * 1_000;
        read.aged.age_ms = Some(-offset * 1_000);
        read.aged.fix.altitude_m = said["lz"].split(',').next().map(number);
        return (read, called_s + offset);
    }
    let at = wgs84(number(said["lt"]), number(said["lg"]));
    let top = said["top"];
    let part = |range: std::ops::Range<usize>| top.get(range).unwrap().parse::<u8>().unwrap();
    let located = time::Date::from_calendar_date(
        top.get(..4).unwrap().parse().unwrap(),
        part(4..6).try_into().unwrap(),
        part(6..8),
    )
    .unwrap()
    .with_hms(part(8..10), part(10..12), part(12..14))
    .unwrap()
    .assume_utc()
    .unix_timestamp();
    let mut read = example(at, number(said["rd"]), said["lc"], said["pm"]);
    read.called_ms = located * 1_000;
    (read, located)
}

/// Compares our text for what an example says with the example itself.
fn compare_sms(text: &str) {
    let (read, located_s) = read_sms(text);
    let made = texts(&read.aged, Some(read.called_ms));
    let theirs = attributes(text);
    let version_2 = theirs["A\"ML"] == "2";
    let ours = attributes(if version_2 {
        &made.aml_v2
    } else {
        &made.aml_v1
    });
    assert_eq!(made.located_ms, Some(located_s * 1_000), "{text}");
    for (key, value) in &theirs {
        match *key {
            // The subscriber, the device, the network and the length are not ours;
            // nor in version 2 the number called and the language.
            "si" | "ei" | "mcc" | "mnc" | "nc" | "hc" | "en" => {
                assert!(!ours.contains_key(key), "{key}");
            }
            "lg" if version_2 => assert!(!ours.contains_key(key)),
            "ml" => {}
            "lo" | "lz" => {
                for (ours, theirs) in ours[key].split(',').zip(value.split(',')) {
                    // The accuracy of an altitude is not known here: 0.
                    let same = (number(ours) - number(theirs)).abs() <= 0.6e-5;
                    assert!(same || (*key == "lz" && ours == "0"), "{text}");
                }
            }
            "lt" | "lg" if !version_2 => {
                assert!(
                    (number(ours[key]) - number(value)).abs() <= 0.6e-5,
                    "{text}"
                );
            }
            // What is a network to a platform is either of two to AML.
            "pm" | "ls" if *value != "G" => assert_eq!(ours[key], "U"),
            _ => assert_eq!(ours[key], *value, "{key} of {text}"),
        }
    }
}

/// The same facts as a phone posts them to an emergency centre.
fn compare_form(text: &str) {
    let said: BTreeMap<&str, &str> = text
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    let mut read = example(
        wgs84(
            number(said["location_latitude"]),
            number(said["location_longitude"]),
        ),
        number(said["location_accuracy"]),
        said["location_certainty"],
        said["location_source"],
    );
    read.called_ms = said["location_time"].parse().unwrap();
    let made = texts(&read.aged, Some(read.called_ms));
    let ours = attributes(&made.aml_v2);
    let expected = [
        said["location_latitude"],
        said["location_longitude"],
        said["location_accuracy"],
    ];
    for (ours, theirs) in ours["lo"].split(',').zip(expected) {
        assert!((number(ours) - number(theirs)).abs() < 1e-9, "{text}");
    }
    assert_eq!(ours["lc"], said["location_certainty"]);
    assert_eq!((ours["ls"], read.source.as_str()), ("G", "GPS"));
    assert_eq!(made.located_ms, Some(read.called_ms));
}

#[test]
fn the_examples_say_the_same_of_the_same_fix() {
    let Some(examples) = crate::testing::shared("aml/aml_examples.json") else {
        return;
    };
    let mut compared = 0;
    for example in examples.as_array().unwrap() {
        let text = example["text"].as_str().unwrap();
        match example["kind"].as_str().unwrap() {
            "sms_v1_text" | "sms_v2_text" => compare_sms(text),
            "https" | "https_hmac" => compare_form(text),
            "sms_v1_data_7bit_packed_hex" => compare_packed(text, &example["decodes_to"]),
            other => panic!("an example of a new kind: {other}"),
        }
        compared += 1;
    }
    assert_eq!(compared, 9);
}

fn compare_packed(hex: &str, decodes_to: &Value) {
    let octets: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap())
        .collect();
    let plain = decodes_to.as_str().unwrap();
    assert_eq!(unpacked(&octets, plain.len()), plain);
    assert_eq!(packed(plain), octets);
    compare_sms(plain);
}
