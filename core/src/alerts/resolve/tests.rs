use proptest::prelude::*;

use super::*;
use crate::alerts::AlertReference;

const NOW: i64 = 1_000_000;

fn alert(identifier: &str, sent_ms: i64) -> Alert {
    Alert {
        identifier: identifier.into(),
        sender: "mfa".into(),
        sent_ms,
        status: AlertStatus::Actual,
        kind: AlertKind::Alert,
        ..Alert::default()
    }
}

fn about(kind: AlertKind, identifier: &str, sent_ms: i64, targets: &[&str]) -> Alert {
    let reference = |target: &&str| AlertReference {
        sender: "mfa".into(),
        identifier: (*target).into(),
        sent_ms: None,
    };
    Alert {
        kind,
        references: targets.iter().map(reference).collect(),
        ..alert(identifier, sent_ms)
    }
}

fn update(identifier: &str, sent_ms: i64, targets: &[&str]) -> Alert {
    about(AlertKind::Update, identifier, sent_ms, targets)
}

fn cancel(identifier: &str, sent_ms: i64, targets: &[&str]) -> Alert {
    about(AlertKind::Cancel, identifier, sent_ms, targets)
}

/// The states in a short form, for every order of arrival the same.
fn states(alerts: &[Alert]) -> Vec<String> {
    let short = |state: &AlertState| match state {
        AlertState::Active => "active".to_owned(),
        AlertState::Ahead { from_ms } => format!("ahead {from_ms}"),
        AlertState::Expired { since_ms } => format!("expired {since_ms}"),
        AlertState::Superseded { by } => format!("by {by}"),
        AlertState::Cancelled { by } => format!("off {by}"),
        AlertState::NotActual => "-".to_owned(),
    };
    let given: Vec<String> = resolve(alerts, NOW).iter().map(short).collect();
    let mut backwards = alerts.to_vec();
    backwards.reverse();
    let mut turned: Vec<String> = resolve(&backwards, NOW).iter().map(short).collect();
    turned.reverse();
    assert_eq!(given, turned);
    given
}

#[test]
fn times_decide() {
    let with = |effective: Option<i64>, onset: Option<i64>, expires: Option<i64>| Alert {
        effective_ms: effective,
        onset_ms: onset,
        expires_ms: expires,
        ..alert("a", NOW - 100)
    };
    let alerts = [
        with(None, None, None),
        with(Some(NOW), Some(NOW), Some(NOW + 1)),
        with(None, None, Some(NOW)),
        with(None, Some(NOW - 50), Some(NOW - 10)),
        with(Some(NOW + 5), None, None),
        with(Some(NOW - 5), Some(NOW + 7), Some(NOW + 9)),
        with(Some(NOW + 9), Some(NOW + 7), None),
        // Out of all ranges.
        with(Some(i64::MIN), Some(i64::MIN), Some(i64::MAX)),
    ];
    let expected = [
        "active",
        "active",
        "expired 1000000",
        "expired 999990",
        "ahead 1000005",
        "ahead 1000007",
        "ahead 1000009",
        "active",
    ];
    for (alert, expected) in alerts.into_iter().zip(expected) {
        assert_eq!(states(&[alert]), [expected]);
    }
}

#[test]
fn an_alert_from_the_future_is_shown() {
    // The phone's clock is years behind: all that the ministry sends is from the future.
    let year = 365 * 86_400_000;
    let storm = Alert {
        effective_ms: Some(NOW + year),
        onset_ms: Some(NOW + year),
        expires_ms: Some(NOW + 2 * year),
        ..alert("storm", NOW + year)
    };
    let later = Alert {
        onset_ms: Some(NOW + year + 1),
        ..alert("later", NOW + year)
    };
    assert_eq!(states(&[storm, later]), ["active", "ahead 31537000001"]);
    let update = update("u", NOW + year, &["a"]);
    assert_eq!(states(&[alert("a", 1), update]), ["by u", "active"]);
}

#[test]
fn updates_and_cancels_end_all_that_they_reference() {
    for (alerts, expected) in [
        (
            vec![
                alert("a", 1),
                alert("b", 2),
                alert("c", 3),
                update("u", 4, &["a", "b"]),
            ],
            &["by u", "by u", "active", "active"][..],
        ),
        (
            vec![
                alert("a", 1),
                alert("b", 2),
                cancel("x", 4, &["a", "b", "gone"]),
            ],
            &["off x", "off x", "-"],
        ),
        // An update of an update; the newest that speaks of it counts.
        (
            vec![
                alert("a", 1),
                update("u", 2, &["a"]),
                update("v", 3, &["u"]),
            ],
            &["by u", "by v", "active"],
        ),
        (
            vec![
                alert("a", 1),
                update("u", 2, &["a"]),
                update("v", 3, &["u", "a"]),
            ],
            &["by v", "by v", "active"],
        ),
        // What was replaced does not come back with the end of what replaced it.
        (
            vec![
                alert("a", 1),
                update("u", 2, &["a"]),
                cancel("x", 3, &["u"]),
            ],
            &["by u", "off x", "-"],
        ),
        // An update without what it updates is a danger all the same.
        (vec![update("u", 2, &["lost"])], &["active"]),
        // A cancel that was taken back.
        (
            vec![
                alert("a", 1),
                cancel("x", 2, &["a"]),
                cancel("y", 3, &["x"]),
            ],
            &["active", "-", "-"],
        ),
        // In one moment.
        (
            vec![
                alert("z", 5),
                update("y", 5, &["z"]),
                cancel("x", 5, &["y"]),
            ],
            &["by y", "off x", "-"],
        ),
        // References of a first alert mean nothing, nor do those of other types.
        (
            vec![alert("a", 1), about(AlertKind::Alert, "b", 2, &["a"])],
            &["active", "active"],
        ),
        (
            vec![alert("a", 1), about(AlertKind::Ack, "b", 2, &["a"])],
            &["active", "-"],
        ),
        (
            vec![alert("a", 1), about(AlertKind::Unknown, "b", 2, &["a"])],
            &["active", "active"],
        ),
    ] {
        assert_eq!(states(&alerts), expected, "{alerts:#?}");
    }
}

#[test]
fn only_the_sender_may_and_only_that_message() {
    let other = |kind| Alert {
        sender: "stranger".into(),
        ..about(kind, "u", 2, &["a"])
    };
    let update_of = |sent_ms: i64| {
        let mut update = update("u", 5, &["a"]);
        update.references[0].sent_ms = Some(sent_ms);
        update
    };
    for (newer, expected) in [
        (other(AlertKind::Update), ["active", "active"]),
        (other(AlertKind::Cancel), ["active", "-"]),
        (update_of(1), ["by u", "active"]),
        (update_of(2), ["active", "active"]),
    ] {
        assert_eq!(states(&[alert("a", 1), newer]), expected);
    }
    // A stranger's message that names the ministry's in its reference, as if its own.
    let mut forged = other(AlertKind::Cancel);
    forged.references[0].sender = "stranger".into();
    assert_eq!(states(&[alert("a", 1), forged]), ["active", "-"]);
}

#[test]
fn what_is_not_actual_is_never_shown_and_ends_nothing() {
    for status in [
        AlertStatus::Exercise,
        AlertStatus::Test,
        AlertStatus::Draft,
        AlertStatus::System,
        AlertStatus::Unknown,
    ] {
        for kind in [AlertKind::Alert, AlertKind::Update, AlertKind::Cancel] {
            let drill = Alert {
                status,
                ..about(kind, "u", 2, &["a"])
            };
            assert_eq!(states(&[alert("a", 1), drill]), ["active", "-"]);
        }
    }
}

#[test]
fn a_planned_update_leaves_the_old_alert_until_then() {
    let planned = |effective: i64| Alert {
        effective_ms: Some(effective),
        ..update("u", 2, &["a"])
    };
    let a = || alert("a", 1);
    assert_eq!(states(&[a(), planned(NOW)]), ["by u", "active"]);
    assert_eq!(
        states(&[a(), planned(NOW + 1)]),
        ["active", "ahead 1000001"]
    );
    // Withdrawn before its time.
    let alerts = [a(), planned(NOW + 1), cancel("x", 3, &["u"])];
    assert_eq!(states(&alerts), ["active", "off x", "-"]);
    // Updated, at once.
    let alerts = [a(), planned(NOW + 1), update("v", 3, &["u"])];
    assert_eq!(states(&alerts), ["by v", "by v", "active"]);
}

#[test]
fn circles_end_and_lose_no_danger() {
    for (alerts, expected) in [
        (vec![update("a", 1, &["a"])], &["active"][..]),
        (vec![cancel("a", 1, &["a"])], &["-"]),
        (
            vec![update("a", 1, &["b"]), update("b", 2, &["a"])],
            &["by b", "active"],
        ),
        (
            vec![
                update("a", 7, &["b"]),
                update("b", 7, &["c"]),
                update("c", 7, &["a"]),
            ],
            &["by c", "active", "active"],
        ),
        // A cancel from before cannot end what came after it.
        (
            vec![cancel("x", 1, &["u"]), update("u", 2, &["x"])],
            &["-", "active"],
        ),
    ] {
        assert_eq!(states(&alerts), expected, "{alerts:#?}");
    }
}

#[test]
fn of_one_name_the_latest_counts() {
    let again = Alert {
        level: Some("b".into()),
        ..alert("a", 1)
    };
    // The same moment, other content: one of them, always the same one.
    assert_eq!(states(&[alert("a", 1), again]), ["active", "by a"]);
    assert_eq!(states(&[alert("a", 2), alert("a", 1)]), ["active", "by a"]);
    let twice = resolve(&[alert("a", 1), alert("a", 1)], NOW);
    assert_eq!(twice.iter().filter(|state| state.is_shown()).count(), 1);
    // Of two senders they are two.
    let other = Alert {
        sender: "x".into(),
        ..alert("a", 1)
    };
    assert_eq!(states(&[alert("a", 1), other]), ["active", "active"]);
}

fn any_alert() -> impl Strategy<Value = Alert> {
    let names = || prop::sample::select(vec!["a", "b", "c", "d"]);
    let kind = prop::sample::select(vec![
        AlertKind::Alert,
        AlertKind::Update,
        AlertKind::Update,
        AlertKind::Cancel,
    ]);
    let status = prop::sample::select(vec![
        AlertStatus::Actual,
        AlertStatus::Actual,
        AlertStatus::Actual,
        AlertStatus::Test,
    ]);
    let targets = prop::collection::vec(names(), 0..3);
    let time = || prop::option::of(NOW - 2..NOW + 3);
    let fields = (
        names(),
        kind,
        status,
        targets,
        NOW - 2..NOW + 2,
        time(),
        time(),
    );
    (fields, prop::bool::weighted(0.2)).prop_map(
        |((name, kind, status, targets, sent, effective, expires), is_other)| {
            let mut alert = about(kind, name, sent, &targets);
            alert.status = status;
            alert.effective_ms = effective;
            alert.expires_ms = expires;
            if is_other {
                alert.sender = "other".into();
            }
            alert
        },
    )
}

proptest! {
    /// Every order of arrival gives each alert the same state.
    #[test]
    fn arrival_does_not_matter(
        alerts in prop::collection::vec(any_alert(), 0..7),
        seed in prop::collection::vec(any::<u32>(), 7),
    ) {
        let of = |alerts: &[Alert]| {
            let mut pairs: Vec<String> = alerts
                .iter()
                .zip(resolve(alerts, NOW))
                .map(|(alert, state)| format!("{} {state:?}", serde_json::to_string(alert).unwrap()))
                .collect();
            pairs.sort();
            pairs
        };
        let mut mixed: Vec<(u32, Alert)> = seed.into_iter().zip(alerts.clone()).collect();
        mixed.sort_by_key(|(at, _)| *at);
        let mixed: Vec<Alert> = mixed.into_iter().map(|(_, alert)| alert).collect();
        prop_assert_eq!(of(&alerts), of(&mixed));
    }

    /// Whatever updates say of each other, one of them is left: only a cancel ends a
    /// danger for good.
    #[test]
    fn without_a_cancel_the_newest_is_never_ended(
        mut alerts in prop::collection::vec(any_alert(), 1..7),
    ) {
        for alert in &mut alerts {
            alert.kind = AlertKind::Update;
            alert.status = AlertStatus::Actual;
            alert.expires_ms = None;
        }
        let states = resolve(&alerts, NOW);
        prop_assert!(states.iter().any(AlertState::is_shown), "{states:?}");
    }
}
