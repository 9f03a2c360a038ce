use super::*;

fn alert(identifier: &str) -> Alert {
    let texts = [("en", "Flood"), ("zh-Hans", "洪水")];
    Alert {
        identifier: identifier.into(),
        sender: "mfa".into(),
        headline: Texts(texts.map(|(tag, text)| (tag.into(), text.into())).into()),
        ..Alert::default()
    }
}

fn with(identifier: &str, change: impl FnOnce(&mut Alert)) -> Alert {
    let mut alert = alert(identifier);
    change(&mut alert);
    alert
}

#[test]
fn the_most_important_comes_first() {
    let ahead = || AlertState::Ahead { from_ms: 9 };
    let mut alerts = vec![
        // An unknown level may be the worst.
        (
            with("0", |it| it.level = Some("new".into())),
            AlertState::Active,
        ),
        (
            with("1", |it| it.level = Some("do_not_travel".into())),
            AlertState::Active,
        ),
        (
            with("2", |it| it.level = Some("do_not_travel".into())),
            ahead(),
        ),
        (
            with("3", |it| it.severity = AlertSeverity::Extreme),
            AlertState::Active,
        ),
        (
            with("4", |it| {
                it.severity = AlertSeverity::Severe;
                it.urgency = AlertUrgency::Immediate;
            }),
            AlertState::Active,
        ),
        (
            with("5", |it| it.severity = AlertSeverity::Severe),
            AlertState::Active,
        ),
        (
            with("6", |it| it.certainty = AlertCertainty::Observed),
            AlertState::Active,
        ),
        (with("7", |it| it.sent_ms = 5), AlertState::Active),
        (with("8", |it| it.sent_ms = 4), AlertState::Active),
        (with("9", |it| it.sent_ms = 4), AlertState::Active),
        (
            with("x", |it| it.severity = AlertSeverity::Extreme),
            ahead(),
        ),
    ];
    let expected: Vec<String> = alerts.iter().map(|it| it.0.identifier.clone()).collect();
    for _ in 0..alerts.len() {
        alerts.rotate_left(1);
        let (alerts, states): (Vec<Alert>, Vec<AlertState>) = alerts.iter().cloned().unzip();
        let of = Resolved {
            alerts: &alerts,
            states: &states,
            scale: &LevelScale::default(),
        };
        let all: Vec<usize> = (0..alerts.len()).collect();
        let place = at_place(of, &all, &["zh-CN".into()], Some(7));
        let shown: Vec<String> = place
            .alerts
            .iter()
            .map(|it| it.identifier.clone())
            .collect();
        assert_eq!(shown, expected);
        assert_eq!(place.level.unwrap().id, "new");
        assert_eq!(place.as_of_ms, Some(7));
        assert_eq!(place.alerts[0].headline.as_ref().unwrap().text, "洪水");
        assert_eq!(place.alerts[0].description, None);
    }
}

#[test]
fn the_level_of_a_place_is_that_of_what_is_in_force() {
    let level = |id: &str| with(id, |it| it.level = Some(id.into()));
    let alerts = [
        "be_alert",
        "do_not_travel",
        "take_precautions",
        "travel_with_care",
    ]
    .map(level);
    let states = [
        AlertState::Active,
        AlertState::Cancelled { by: "x".into() },
        AlertState::Active,
        AlertState::Ahead { from_ms: 9 },
    ];
    let of = Resolved {
        alerts: &alerts,
        states: &states,
        scale: &LevelScale::default(),
    };
    let place = at_place(of, &[0, 1, 2, 3, 99], &["zh".into()], None);
    assert_eq!(place.level.unwrap().wording.text, "加强安全防范");
    let shown: Vec<&str> = place
        .alerts
        .iter()
        .map(|it| it.identifier.as_str())
        .collect();
    assert_eq!(shown, ["travel_with_care", "take_precautions", "be_alert"]);
    assert_eq!(at_place(of, &[], &[], None).level, None);
    // A list of all keeps what is over, marked.
    let all = views(of, &[0, 1], &[]);
    assert_eq!(all[0].state, AlertState::Cancelled { by: "x".into() });
    assert_eq!(all.len(), 2);
}
