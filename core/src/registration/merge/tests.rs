//! The laws of the merge, over random fields, and its stories as tables.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn field(entity: &str, key: &str, value: Value, changed_ms: i64, device: &str) -> Field {
    Field {
        entity: entity.into(),
        key: key.into(),
        value,
        changed_ms,
        device: device.into(),
    }
}

fn gone(entity: &str, changed_ms: i64, device: &str) -> Field {
    field(entity, REMOVED, json!(true), changed_ms, device)
}

/// Few names, stamps and values, so that everything meets everything.
fn some_field() -> impl Strategy<Value = Field> {
    let value = prop_oneof![
        Just(Value::Null),
        Just(json!("a")),
        Just(json!("b")),
        Just(json!({"deep": [1, "x"]})),
    ];
    (0..3u8, 0..4u8, value, 0..6i64, 0..3u8).prop_map(|(entity, key, value, at, device)| {
        let key = ["", "name", "phone", "x"][usize::from(key)];
        let value = if key == REMOVED { json!(true) } else { value };
        field(
            ["traveler", "contact/1", "of-a-newer-phone/1"][usize::from(entity)],
            key,
            value,
            at,
            ["", "d1", "d2"][usize::from(device)],
        )
    })
}

fn replica() -> impl Strategy<Value = Vec<Field>> {
    proptest::collection::vec(some_field(), 0..14)
}

fn both(mine: &[Field], theirs: &[Field]) -> Vec<Field> {
    merge(mine.to_vec(), theirs).fields
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_order_comes_to_the_same(a in replica(), b in replica(), c in replica()) {
        let expected = both(&both(&a, &b), &c);
        for [x, y, z] in [[&a, &c, &b], [&b, &a, &c], [&b, &c, &a], [&c, &a, &b], [&c, &b, &a]] {
            prop_assert_eq!(&both(&both(x, y), z), &expected);
            prop_assert_eq!(&both(x, &both(y, z)), &expected);
        }
    }

    #[test]
    fn the_same_once_more_changes_nothing(a in replica(), b in replica()) {
        let once = both(&a, &b);
        for again in [&a, &b, &once] {
            let merged = merge(once.clone(), again);
            prop_assert_eq!(&merged.fields, &once);
            prop_assert!(merged.taken.is_empty() && merged.cut.is_empty());
        }
    }

    #[test]
    fn what_is_told_is_what_changed(a in replica(), b in replica()) {
        let mine = both(&a, &[]);
        let merged = merge(mine.clone(), &b);
        let value = |fields: &[Field], at: &(String, String)| {
            fields
                .iter()
                .find(|field| name(field) == *at)
                .map(|field| field.value.clone())
                .filter(|value| !value.is_null())
        };
        let live = |fields: &[Field], entity: &str| {
            fields.iter().any(|field| field.entity == entity && field.key != REMOVED)
        };
        for met in &merged.taken {
            if met.key == REMOVED {
                prop_assert!(live(&mine, &met.entity) && !live(&merged.fields, &met.entity));
            } else {
                let at = (met.entity.clone(), met.key.clone());
                prop_assert_ne!(value(&mine, &at), value(&merged.fields, &at));
            }
        }
        // And nothing changes in silence, but what a removal took.
        for field in merged.fields.iter().filter(|field| field.key != REMOVED) {
            let at = name(field);
            if value(&mine, &at) != value(&merged.fields, &at) {
                prop_assert!(merged.taken.iter().any(|met| (&met.entity, &met.key) == (&at.0, &at.1)));
            }
        }
        for field in mine.iter().filter(|field| !live(&merged.fields, &field.entity)) {
            if live(&mine, &field.entity) {
                let told = |met: &Met| met.entity == field.entity && met.key == REMOVED;
                prop_assert!(merged.taken.iter().any(told));
            }
        }
    }
}

#[test]
fn the_newer_change_wins_and_both_sides_are_told() {
    let mine = vec![field("traveler", "phone", json!("1"), 9, "a")];
    let theirs = [field("traveler", "phone", json!("2"), 5, "b")];
    let at_a = merge(mine.clone(), &theirs);
    assert_eq!(at_a.fields, mine);
    assert!(at_a.taken.is_empty());
    let kept = at_a.kept.first().unwrap();
    assert_eq!(
        (kept.newer.device.as_str(), kept.newer.changed_ms),
        ("a", 9)
    );
    assert_eq!(kept.older.as_ref().unwrap().device, "b");
    let at_b = merge(theirs.to_vec(), &mine);
    assert_eq!(at_b.fields, mine);
    assert_eq!(at_b.taken, at_a.kept);
    assert!(at_b.kept.is_empty());
}

#[test]
fn a_removal_against_an_edit() {
    let before = [
        field("contact/1", "name", json!("m"), 1, "a"),
        field("contact/1", "phone", json!("1"), 1, "a"),
    ];
    let removed = [gone("contact/1", 7, "a")];
    // Nothing newer: the whole entity goes, told once.
    let merged = merge(before.to_vec(), &removed);
    assert_eq!(merged.fields, removed);
    let told: Vec<&str> = merged.taken.iter().map(|met| met.key.as_str()).collect();
    assert_eq!(told, [REMOVED]);
    // A newer edit: it stands, and the phone that made it says the rest again.
    let edited = [
        field("contact/1", "name", json!("m"), 1, "a"),
        field("contact/1", "phone", json!("2"), 9, "b"),
    ];
    let merged = merge(edited.to_vec(), &removed);
    let keys: Vec<&str> = merged
        .fields
        .iter()
        .map(|field| field.key.as_str())
        .collect();
    assert_eq!(keys, [REMOVED, "phone"]);
    assert_eq!(merged.cut, edited[..1]);
    // At the phone that removed, an older edit of the other is told as older.
    let late = [field("contact/1", "phone", json!("3"), 6, "b")];
    let merged = merge(removed.to_vec(), &late);
    assert_eq!(merged.fields, removed);
    assert_eq!(
        merged.kept.first().unwrap().older.as_ref().unwrap().device,
        "b"
    );
}

#[test]
fn a_stamp_from_the_future_is_brought_down_to_the_receipt() {
    let now = 1_800_000_000_000;
    for (key, changed_ms, expected) in [
        ("name", now, now),
        ("name", now + AHEAD_MS, now + AHEAD_MS),
        ("name", now + AHEAD_MS + 1, now),
        ("name", i64::MAX, now),
        ("name", i64::MIN, i64::MIN),
        (REMOVED, i64::MAX, now - 1),
        (REMOVED, now - 5, now - 5),
    ] {
        let field = field("traveler", key, json!("x"), changed_ms, "d");
        assert_eq!(believed_ms(&field, now), expected, "{key} {changed_ms}");
    }
}

#[test]
fn a_huge_list_is_merged_in_a_moment() {
    let list = |at: i64, device: &str| -> Vec<Field> {
        (0..30_000)
            .map(|n| field(&format!("contact/{n:05}"), "name", json!(at), at, device))
            .collect()
    };
    let begin = std::time::Instant::now();
    let merged = merge(list(1, "a"), &list(2, "b"));
    assert_eq!((merged.fields.len(), merged.taken.len()), (30_000, 30_000));
    // Quadratic would be minutes; this is a debug build on a busy machine.
    assert!(begin.elapsed().as_secs() < 10);
}
