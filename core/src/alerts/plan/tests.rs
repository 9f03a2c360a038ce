use super::*;
use crate::alerts::{AlertKind, AlertStatus, LevelScale, resolve};
use crate::language::Texts;

/// A moderate danger of the second level.
fn alert(identifier: &str, sent_ms: i64) -> Alert {
    Alert {
        identifier: identifier.into(),
        sender: "mfa".into(),
        sent_ms,
        status: AlertStatus::Actual,
        kind: AlertKind::Alert,
        level: Some("take_precautions".into()),
        severity: AlertSeverity::Moderate,
        instruction: Texts([("en".to_owned(), "Stay in".to_owned())].into()),
        ..Alert::default()
    }
}

fn update(identifier: &str, sent_ms: i64, of: &str, change: impl FnOnce(&mut Alert)) -> Alert {
    let mut alert = alert(identifier, sent_ms);
    alert.kind = AlertKind::Update;
    alert.references.push(AlertReference {
        sender: "mfa".into(),
        identifier: of.into(),
        sent_ms: None,
    });
    change(&mut alert);
    alert
}

fn imminent(alert: &mut Alert) {
    alert.severity = AlertSeverity::Extreme;
    alert.urgency = AlertUrgency::Immediate;
    alert.certainty = AlertCertainty::Observed;
}

/// A phone at one place that every alert covers, unless it is `away`.
#[derive(Default)]
struct Phone {
    alerts: Vec<Alert>,
    read: Vec<AlertRead>,
    state: PlanState,
    away: bool,
}

impl Phone {
    fn take(&mut self, alert: Alert) -> &mut Self {
        self.alerts.push(alert);
        self
    }

    fn reads(&mut self, identifier: &str) -> &mut Self {
        let alert = self
            .alerts
            .iter()
            .find(|it| it.identifier == identifier)
            .unwrap();
        self.read.push(AlertRead {
            sender: "mfa".into(),
            identifier: identifier.into(),
            sent_ms: alert.sent_ms,
            read_ms: 500,
        });
        self
    }

    fn plan(&mut self, now_ms: i64) -> NotificationPlan {
        let states = resolve(&self.alerts, now_ms);
        let of = Resolved {
            alerts: &self.alerts,
            states: &states,
            scale: &LevelScale::default(),
        };
        let all: Vec<usize> = (0..self.alerts.len()).collect();
        let (here, elsewhere) = match self.away {
            true => (&[][..], &all[..]),
            false => (&all[..], &[][..]),
        };
        let concerned = Concerned { here, elsewhere };
        // As it is stored and read again.
        let stored = serde_json::to_string(&self.state).unwrap();
        let state = serde_json::from_str(&stored).unwrap();
        let (next, plan) = plan(of, concerned, &self.read, &state, &["en".into()], now_ms);
        self.state = next;
        plan
    }

    /// The plan in a form to compare: name, loudness, news, since when new; then what is
    /// withdrawn.
    fn says(&mut self, now_ms: i64) -> Vec<String> {
        let plan = self.plan(now_ms);
        let mut said: Vec<String> = plan
            .show
            .iter()
            .map(|it| {
                let since = it
                    .new_since_ms
                    .map_or("-".into(), |since| since.to_string());
                let name = &it.alert.identifier;
                format!("{name} {:?} {:?} {since}", it.loudness, it.news)
            })
            .collect();
        said.extend(
            plan.withdraw
                .iter()
                .map(|it| format!("gone {}", it.identifier)),
        );
        said
    }
}

#[test]
fn an_alert_is_loud_once() {
    let mut phone = Phone::default();
    phone.take(alert("a", 1));
    assert_eq!(phone.says(10), ["a Prominent First 10"]);
    assert_eq!(phone.says(20), ["a Quiet Known 10"]);
    assert_eq!(phone.reads("a").says(30), ["a Quiet Known -"]);
}

#[test]
fn how_loud_is_decided_by_the_danger() {
    let with = |change: &dyn Fn(&mut Alert)| {
        let mut it = alert("a", 1);
        it.level = Some("be_alert".into());
        it.severity = AlertSeverity::Minor;
        change(&mut it);
        it
    };
    let cases: [(Alert, &str); 11] = [
        (with(&|_| {}), "Quiet"),
        (with(&|it| it.level = None), "Quiet"),
        (
            with(&|it| it.severity = AlertSeverity::Moderate),
            "Prominent",
        ),
        (
            with(&|it| it.level = Some("travel_with_care".into())),
            "Prominent",
        ),
        (
            with(&|it| it.severity = AlertSeverity::Extreme),
            "Prominent",
        ),
        (with(&imminent), "Interrupting"),
        (
            with(&|it| {
                imminent(it);
                it.urgency = AlertUrgency::Past;
            }),
            "Prominent",
        ),
        (
            with(&|it| {
                imminent(it);
                it.certainty = AlertCertainty::Possible;
            }),
            "Prominent",
        ),
        // The highest level, and one that the phone has never heard of.
        (
            with(&|it| it.level = Some("do_not_travel".into())),
            "Interrupting",
        ),
        (with(&|it| it.level = Some("new".into())), "Interrupting"),
        // Not yet.
        (
            with(&|it| {
                imminent(it);
                it.onset_ms = Some(99);
            }),
            "Prominent",
        ),
    ];
    for (alert, loudness) in cases {
        let mut phone = Phone::default();
        let said = phone.take(alert.clone()).says(10);
        assert_eq!(said, [format!("a {loudness} First 10")], "{alert:?}");
        // For a coming stay nothing interrupts.
        let mut away = Phone {
            away: true,
            ..Phone::default()
        };
        assert!(!away.take(alert).says(10)[0].contains("Interrupting"));
    }
}

#[test]
fn who_comes_to_the_place_or_the_hour_is_told_again() {
    let mut storm = alert("a", 1);
    imminent(&mut storm);
    let mut phone = Phone {
        away: true,
        ..Phone::default()
    };
    phone.take(storm.clone());
    assert_eq!(phone.says(10), ["a Prominent First 10"]);
    phone.reads("a").away = false;
    assert_eq!(phone.says(20), ["a Interrupting Raised 20"]);
    assert_eq!(phone.says(30)[0], "a Quiet Known -");
    // The same for one that begins.
    storm.onset_ms = Some(100);
    let mut phone = Phone::default();
    assert_eq!(phone.take(storm).says(10), ["a Prominent First 10"]);
    assert_eq!(phone.says(99), ["a Quiet Known 10"]);
    assert_eq!(phone.says(100), ["a Interrupting Raised 100"]);
}

#[test]
fn an_update_of_what_was_read_is_news_where_it_is_worse() {
    type Change<'a> = &'a dyn Fn(&mut Alert);
    let cases: [(Change<'_>, &str); 7] = [
        (&|_| {}, "u Quiet Updated -"),
        (&|it| it.expires_ms = Some(9_999), "u Quiet Updated -"),
        (
            &|it| it.severity = AlertSeverity::Minor,
            "u Quiet Updated -",
        ),
        (
            &|it| it.level = Some("be_alert".into()),
            "u Quiet Updated -",
        ),
        (
            &|it| it.level = Some("travel_with_care".into()),
            "u Prominent Raised 20",
        ),
        (
            &|it| it.severity = AlertSeverity::Severe,
            "u Prominent Raised 20",
        ),
        (
            &|it| it.instruction = Texts([("en".to_owned(), "Go".to_owned())].into()),
            "u Prominent Raised 20",
        ),
    ];
    for (change, said) in cases {
        let mut phone = Phone::default();
        phone.take(alert("a", 1)).plan(10);
        phone.reads("a").take(update("u", 2, "a", change));
        assert_eq!(phone.says(20), [said, "gone a"]);
        // By way of another update, which the phone never showed.
        let mut phone = Phone::default();
        phone.take(alert("a", 1)).plan(10);
        phone.reads("a").take(update("v", 2, "a", |_| {}));
        phone.take(update("u", 3, "v", change));
        assert_eq!(phone.says(20), [said, "gone a"]);
        // After the state was lost: what was read is known all the same.
        let mut phone = Phone::default();
        phone
            .take(alert("a", 1))
            .reads("a")
            .take(update("u", 2, "a", change));
        assert_eq!(phone.says(20), [said]);
    }
}

#[test]
fn an_update_of_what_is_unread_stays_new_and_is_quiet() {
    let mut phone = Phone::default();
    phone.take(alert("a", 1)).plan(10);
    phone.take(update("u", 2, "a", |_| {}));
    assert_eq!(phone.says(20), ["u Quiet Updated 10", "gone a"]);
    // The same name, sent later.
    phone.take(alert("u", 5));
    assert_eq!(phone.says(30), ["u Quiet Updated 10"]);
    phone.reads("u");
    phone.read[0].sent_ms = 5;
    assert_eq!(phone.says(40), ["u Quiet Known -"]);
}

#[test]
fn what_is_over_is_taken_away_once() {
    let mut over = alert("a", 1);
    over.expires_ms = Some(50);
    let mut phone = Phone::default();
    phone.take(over).take(alert("b", 2)).plan(10);
    assert_eq!(phone.says(50), ["b Quiet Known 10", "gone a"]);
    let mut cancel = update("x", 3, "b", |_| {});
    cancel.kind = AlertKind::Cancel;
    assert_eq!(phone.take(cancel).says(60), ["gone b"]);
    assert_eq!(phone.says(70), [""; 0]);
}

#[test]
fn the_most_important_comes_first() {
    let mut phone = Phone::default();
    let mut worst = alert("z", 1);
    worst.level = Some("do_not_travel".into());
    phone.take(alert("b", 1)).take(worst).take(alert("c", 3));
    let said = phone.says(10);
    let names: Vec<&str> = said
        .iter()
        .map(|it| it.split(' ').next().unwrap())
        .collect();
    assert_eq!(names, ["z", "c", "b"]);
}
