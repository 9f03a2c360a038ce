//! What is read of a mission, and what is left out of it.

use serde_json::{Value, json};

use super::*;

fn ankara() -> Value {
    json!({
        "id": "tr-ankara", "kind": "embassy", "country": "TR",
        "names": {"zh-Hans": "驻土耳其使馆", "en": "Embassy in Türkiye"},
        "position": {"lat": 39.9, "lon": 32.8},
        "phones": [{"purpose": "emergency", "number": "+90 312 000 0000", "round_the_clock": true}],
        "languages": ["zh-Hans", "tr"], "email": "consul@example.org",
        "website": "https://example.org/ankara",
        "district": {"countries": ["TR"]},
        "checked_ms": 1_760_000_000_000_i64, "source": "example"
    })
}

fn read(change: impl FnOnce(&mut Value)) -> Result<Mission> {
    let mut json = ankara();
    change(&mut json);
    Mission::from_json(json.to_string().as_bytes())
}

#[test]
fn a_mission_is_read_and_written() {
    let mission = read(|_| {}).unwrap();
    assert_eq!(mission.kind, MissionKind::Embassy);
    assert_eq!(mission.phones[0].number, "+903120000000");
    assert_eq!(mission.district.countries, ["TR"]);
    let again = serde_json::to_vec(&mission).unwrap();
    assert_eq!(Mission::from_json(&again).unwrap(), mission);
}

#[test]
fn what_cannot_be_used_is_left_out_and_the_rest_stays() {
    let phone = |number: &str| json!({"purpose": "consular", "number": number});
    let mission = read(|json| {
        json["phones"] =
            json!([phone("312 000 0000"), 7, {"number": "+903120000001"}, phone("+903120000002")]);
        json["position"] = json!({"lat": 91.0, "lon": 0.0});
        json["languages"] = json!(["zh-Hans", "no tag", 5]);
        json["email"] = json!("nobody");
        json["website"] = json!("javascript:alert(1)");
        json["later"] = json!({"than": "us"});
    })
    .unwrap();
    let numbers: Vec<&str> = mission.phones.iter().map(|p| p.number.as_str()).collect();
    assert_eq!(numbers, ["+903120000002"]);
    assert_eq!(mission.position, None);
    assert_eq!(mission.languages, ["zh-Hans"]);
    assert_eq!((mission.email, mission.website), (None, None));
}

#[test]
fn an_unknown_kind_and_purpose_are_kept() {
    let mission = read(|json| {
        json["kind"] = json!("orbital");
        json["phones"][0]["purpose"] = json!("visa");
    })
    .unwrap();
    assert_eq!(String::from(mission.kind), "orbital");
    assert_eq!(String::from(mission.phones[0].purpose.clone()), "visa");
}

#[test]
fn what_is_no_mission_is_refused() {
    let rows: [(&str, Value); 8] = [
        ("id", json!("")),
        ("id", json!("two\tcolumns")),
        ("id", json!(5)),
        ("country", json!("XX")),
        ("country", json!(null)),
        ("names", json!({})),
        ("checked_ms", json!("yesterday")),
        ("source", json!("x".repeat(Policy::STANDARD.item_bytes))),
    ];
    for (field, value) in rows {
        let refused = read(|json| json[field] = value.clone());
        assert!(
            matches!(refused, Err(HomelineError::Invalid { .. })),
            "{field} {value}"
        );
    }
    for text in ["", "{", "[]", "null", "\u{0}"] {
        assert!(Mission::from_json(text.as_bytes()).is_err(), "{text:?}");
    }
}
