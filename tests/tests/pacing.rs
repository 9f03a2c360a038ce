//! How a phone paces itself: what it does when the network comes back, when the
//! ministry is busy, and when it is not accepted. The real library, the real
//! ministry, a clock that the test moves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failure ends the test it happens in"
)]

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use homeline::Homeline;
use homeline::contacts::{Contact, Relation};
use homeline::health::WakeCause;
use homeline::registration::{Purpose, Traveler, TravelerKind};
use homeline::sos::{OnRepeat, ReportState, SosKind, SosRequest};
use homeline::sync::protocol::{ENVELOPES_PATH, SealedEnvelope, read_batch};
use homeline::sync::{PauseCause, SyncStop};
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline_tests::clock::MovedClock;
use homeline_tests::line::{Answer, Fault, Line};
use homeline_tests::stage::{self, Values};
use homeline_tests::vault::LockableVault;
use ministry::{Ministry, Settings};
use tempfile::TempDir;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

struct Phone {
    ministry: Ministry,
    line: Arc<Line>,
    clock: Arc<MovedClock>,
    vault: Arc<LockableVault>,
    base: TempDir,
}

impl Phone {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let ministry = Ministry::start(Settings::new(base.path().join("ministry"))).unwrap();
        Self {
            line: Line::new(ministry.host_values().tls_root).unwrap(),
            ministry,
            clock: Arc::new(MovedClock::new()),
            vault: LockableVault::open(&base.path().join("vault.key"), false).unwrap(),
            base,
        }
    }

    /// Starts the app; as a phone that has been in touch with the ministry.
    fn open(&self) -> Arc<Homeline> {
        let values = Values::of(&self.ministry, self.ministry.url());
        let config = stage::config(&values, &self.base.path().join("phone"));
        let (vault, line) = (Arc::clone(&self.vault), Arc::clone(&self.line));
        let clock = Arc::clone(&self.clock);
        Homeline::open(config, vault, Some(line), Some(clock)).unwrap()
    }

    fn open_known(&self) -> Arc<Homeline> {
        let home = self.open();
        let traveler = Traveler {
            name: "李伟".into(),
            kind: TravelerKind::LongStay,
            ..Traveler::default()
        };
        home.registration().save(traveler).unwrap();
        for purpose in [Purpose::Register, Purpose::Whereabouts] {
            home.consents().give(purpose, "2026-01".into()).unwrap();
        }
        assert_eq!(home.sync(30_000).unwrap().stopped, SyncStop::Done);
        home
    }

    /// The exchanges that `act` makes.
    fn exchanges(&self, act: impl FnOnce()) -> u64 {
        let before = self.line.exchanges();
        act();
        self.line.exchanges() - before
    }
}

fn press(home: &Homeline, note: &str) -> String {
    let mut request = SosRequest::new(SosKind::Medical);
    request.note = note.to_owned();
    request.on_repeat = Some(OnRepeat::NewReport);
    home.sos().press(request).unwrap()
}

fn is_received(home: &Homeline, report: &str) -> bool {
    let state = home.sos().status(report.to_owned()).unwrap().state;
    matches!(state, ReportState::Received { .. })
}

fn edit(home: &Homeline, name: &str) {
    let contact = Contact {
        name: name.to_owned(),
        phone: "+8613800138000".into(),
        relation: Relation::Parent,
        ..Contact::default()
    };
    home.contacts().add(contact).unwrap();
}

fn record(phone: &Phone, home: &Homeline) {
    use homeline::clock::Clock as _;
    let position = Position::Wgs84 {
        latitude: 41.0,
        longitude: 28.9,
    };
    let now_ms = phone.clock.read().unwrap().wall_ms;
    home.whereabouts()
        .record(Fix::new(position, now_ms, FixSource::Gnss))
        .unwrap();
}

fn pause_of(home: &Homeline) -> Option<(PauseCause, i64)> {
    let pause = home.health().unwrap().pause?;
    Some((pause.cause, pause.left_ms))
}

/// A phone that was cut off for `cut_ms` with an edit, a position and a report in it,
/// at the moment when the network is back.
fn back_after(phone: &Phone, home: &Homeline, cut_ms: i64) -> String {
    edit(home, "王芳");
    record(phone, home);
    phone.line.set(Fault::Offline);
    assert_eq!(home.sync(30_000).unwrap().stopped, SyncStop::Offline);
    phone.clock.pass(cut_ms);
    let report = press(home, "hurt");
    phone.line.set(Fault::None);
    home.network_changed().unwrap();
    report
}

#[test]
fn after_a_cut_an_sos_goes_at_once_and_the_rest_within_the_time_it_lasted() {
    for (cut_ms, most_ms) in [(MINUTE, MINUTE + SECOND), (4 * HOUR, 10 * MINUTE)] {
        let phone = Phone::new();
        let home = phone.open_known();
        let report = back_after(&phone, &home, cut_ms);
        let outcome = home.sync(30_000).unwrap();
        assert!(is_received(&home, &report));
        let Some((cause, left_ms)) = pause_of(&home) else {
            // One draw in thousands is shorter than this pass.
            continue;
        };
        assert_eq!(cause, PauseCause::Returned);
        assert!((1..=most_ms).contains(&left_ms), "{left_ms} after {cut_ms}");
        // The edit and the position.
        assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 2));
        let next_ms = outcome.next_ms.unwrap();
        assert!((left_ms..=most_ms).contains(&next_ms), "{next_ms}");

        // Called too early, the phone asks nobody.
        let early = phone.exchanges(|| assert_eq!(home.sync(30_000).unwrap().sent, 0));
        assert_eq!(early, 0);
        // The wait ends, after a restart of the app too.
        drop(home);
        let home = phone.open();
        assert!(pause_of(&home).is_some_and(|(_, left)| left <= left_ms));
        phone.clock.pass(next_ms);
        let outcome = home.sync(30_000).unwrap();
        assert!(outcome.sent >= 2, "{outcome:?}");
        assert_eq!((outcome.waiting, pause_of(&home)), (0, None));
    }
}

#[test]
fn nothing_waits_after_a_cut_of_seconds_or_for_what_the_traveler_does_now() {
    let phone = Phone::new();
    let home = phone.open_known();
    back_after(&phone, &home, 5 * SECOND);
    let outcome = home.sync(30_000).unwrap();
    assert_eq!((outcome.waiting, pause_of(&home)), (0, None));

    let acts: [fn(&Homeline); 2] = [
        |home| edit(home, "张丽"),
        |home| home.woke(WakeCause::Foreground, None).unwrap(),
    ];
    for act in acts {
        back_after(&phone, &home, 4 * HOUR);
        act(&home);
        let outcome = home.sync(30_000).unwrap();
        assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));
    }
}

#[test]
fn a_phone_that_did_not_try_in_the_outage_spreads_as_well() {
    // The platform runs no job without a network: nothing has failed.
    let mut put_off = 0;
    for _ in 0..3 {
        let phone = Phone::new();
        let home = phone.open_known();
        phone.clock.pass(4 * HOUR);
        home.network_changed().unwrap();
        put_off +=
            u32::from(phone.exchanges(|| assert_eq!(home.sync(30_000).unwrap().sent, 0)) == 0);
    }
    assert!(put_off >= 2, "{put_off} of 3 asked nobody at once");
}

#[test]
fn a_network_that_comes_and_goes_does_not_put_things_off_again() {
    let phone = Phone::new();
    let home = phone.open_known();
    back_after(&phone, &home, 4 * HOUR);
    let (_, first_ms) = pause_of(&home).unwrap();
    for _ in 0..20 {
        phone.clock.pass(first_ms / 40);
        home.network_changed().unwrap();
    }
    let (_, left_ms) = pause_of(&home).unwrap();
    assert!(left_ms <= first_ms / 2 + SECOND, "{left_ms} of {first_ms}");
    phone.clock.pass(left_ms);
    home.network_changed().unwrap();
    assert_eq!(home.sync(30_000).unwrap().waiting, 0);
}

#[test]
fn one_connect_attempt_a_pass_whatever_waits() {
    let phone = Phone::new();
    let home = phone.open_known();
    edit(&home, "王芳");
    record(&phone, &home);
    press(&home, "hurt");
    phone.line.set(Fault::Offline);
    for _ in 0..3 {
        let made = phone.exchanges(|| {
            let outcome = home.sync(30_000).unwrap();
            assert_eq!(outcome.stopped, SyncStop::Offline);
        });
        assert_eq!(made, 1);
        home.network_changed().unwrap();
    }
    // Nor a second one below: the built-in transport, and a server that hangs up.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let values = Values::of(
        &phone.ministry,
        format!("https://{}", listener.local_addr().unwrap()),
    );
    let connects = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connects);
    std::thread::spawn(move || {
        for _connection in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let config = stage::config(&values, &phone.base.path().join("other"));
    let vault = Arc::clone(&phone.vault);
    let home = Homeline::open(config, vault, None, None).unwrap();
    press(&home, "hurt");
    assert_eq!(home.sync(30_000).unwrap().stopped, SyncStop::Offline);
    assert_eq!(connects.load(Ordering::SeqCst), 1);
}

#[test]
fn a_phone_with_nothing_to_send_does_not_knock_every_second() {
    let phone = Phone::new();
    let home = phone.open_known();
    phone.line.set(Fault::Offline);
    let mut waited = 0;
    let made = phone.exchanges(|| {
        while waited < 24 * HOUR {
            let next_ms = home.sync(30_000).unwrap().next_ms.unwrap();
            phone.clock.pass(next_ms);
            waited += next_ms;
        }
    });
    // Ceilings of 2 s to 30 min, half of that on average.
    assert!((40..220).contains(&made), "{made} in a day");
    phone.line.set(Fault::None);
    home.network_changed().unwrap();
    home.woke(WakeCause::Foreground, None).unwrap();
    assert_eq!(home.sync(30_000).unwrap().next_ms, None);
}

#[test]
fn a_stand_by_holds_every_ordinary_lane_and_an_sos_by_seconds() {
    let phone = Phone::new();
    let home = phone.open_known();
    phone.line.set(Fault::Answer(Answer::stand_by(20, 1_800)));
    edit(&home, "王芳");
    let outcome = home.sync(30_000).unwrap();
    assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Busy, 1));
    let (cause, left_ms) = pause_of(&home).unwrap();
    assert_eq!(cause, PauseCause::StandBy);
    assert!(
        (15 * SECOND..=1_822 * SECOND).contains(&left_ms),
        "{left_ms}"
    );

    // Another lane, the feed, another start, another network, an open app: nothing asks.
    record(&phone, &home);
    drop(home);
    let home = phone.open();
    let made = phone.exchanges(|| {
        home.network_changed().unwrap();
        home.woke(WakeCause::Foreground, None).unwrap();
        let outcome = home.sync(30_000).unwrap();
        assert_eq!(outcome.stopped, SyncStop::Busy);
    });
    assert_eq!(made, 0);

    // A press does not wait; turned away, its report comes again soon.
    let report = press(&home, "hurt");
    let outcome = home.sync(30_000).unwrap();
    assert_eq!(outcome.stopped, SyncStop::Busy);
    let next_ms = home.sos().status(report.clone()).unwrap().next_attempt_ms;
    let now_ms = now_ms(&phone);
    let wait_ms = next_ms.unwrap() - now_ms;
    assert!((15 * SECOND..=37 * SECOND).contains(&wait_ms), "{wait_ms}");
    phone.line.set(Fault::None);
    phone.clock.pass(wait_ms);
    let outcome = home.sync(30_000).unwrap();
    assert!(is_received(&home, &report), "{outcome:?}");
    assert_eq!(outcome.stopped, SyncStop::Busy);
    // That the ministry took it is no sign that it takes the crowd.
    assert!(pause_of(&home).is_some());
    phone.clock.pass(outcome.next_ms.unwrap());
    let outcome = home.sync(30_000).unwrap();
    assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));
}

fn now_ms(phone: &Phone) -> i64 {
    use homeline::clock::Clock as _;
    phone.clock.read().unwrap().wall_ms
}

#[test]
fn a_device_that_is_not_accepted_pauses_everything_and_uses_up_nothing() {
    for status in [401, 403] {
        let phone = Phone::new();
        let home = phone.open_known();
        edit(&home, "王芳");
        record(&phone, &home);
        let report = press(&home, "hurt");
        phone.line.set(Fault::Answer(Answer::problem(status)));
        let mut longest_ms = 0;
        for _ in 0..12 {
            let outcome = home.sync(30_000).unwrap();
            assert_eq!(outcome.stopped, SyncStop::NotAuthorized);
            let (cause, left_ms) = pause_of(&home).unwrap();
            assert_eq!(cause, PauseCause::NotAuthorized);
            longest_ms = left_ms.max(longest_ms);
            let next_ms = outcome.next_ms.unwrap();
            assert!((1..=MINUTE).contains(&next_ms), "{next_ms}");
            phone.clock.pass(next_ms);
        }
        // It grows, and an SOS is tried each minute all the same.
        assert!((MINUTE..=30 * MINUTE).contains(&longest_ms), "{longest_ms}");
        let _ = home.sync(30_000).unwrap();
        // It holds for all lanes, over a restart of the app and of the phone.
        drop(home);
        phone.clock.reboot();
        let home = phone.open();
        let asked = |made: u64| {
            let now = phone.exchanges(|| {
                let outcome = home.sync(30_000).unwrap();
                assert_eq!(outcome.stopped, SyncStop::NotAuthorized);
                assert!(outcome.next_ms.is_some());
            });
            assert_eq!(now, made, "{status}");
        };
        asked(0);
        // Another network is another chance for the report, and for it alone.
        home.network_changed().unwrap();
        asked(1);

        // Its end is when the ministry takes the report: then all of it goes.
        phone.line.set(Fault::None);
        phone.clock.pass(MINUTE);
        let outcome = home.sync(30_000).unwrap();
        assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));
        assert!(is_received(&home, &report));
        assert_eq!(pause_of(&home), None);
        // No attempt was used up: the next failure waits as the first one does.
        let second = press(&home, "still hurt");
        phone.line.set(Fault::Offline);
        let outcome = home.sync(30_000).unwrap();
        assert!(outcome.next_ms.unwrap() <= 2 * SECOND);
        assert!(!is_received(&home, &second));
    }
}

#[test]
fn a_new_report_does_not_wait_for_the_pause_of_an_old_one() {
    let phone = Phone::new();
    let home = phone.open_known();
    press(&home, "hurt");
    phone.line.set(Fault::Answer(Answer::problem(403)));
    for _ in 0..8 {
        let next_ms = home.sync(30_000).unwrap().next_ms.unwrap();
        phone.clock.pass(next_ms);
    }
    let _ = home.sync(30_000).unwrap();
    phone.line.set(Fault::None);
    let second = press(&home, "and now the child");
    let outcome = home.sync(30_000).unwrap();
    assert!(is_received(&home, &second), "{outcome:?}");
    assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));
}

#[test]
fn a_500_of_one_envelope_holds_nothing_else_up() {
    let phone = Phone::new();
    let home = phone.open_known();
    let report = press(&home, "hurt");
    let bad = report.clone();
    phone.line.by(move |request| {
        let carries = |batch: Vec<SealedEnvelope>| batch.iter().any(|it| it.id.to_string() == bad);
        let batch = read_batch(&request.body, 1_000);
        match request.url.ends_with(ENVELOPES_PATH) && batch.is_some_and(carries) {
            true => Fault::Answer(Answer::problem(500)),
            false => Fault::None,
        }
    });
    edit(&home, "王芳");
    let outcome = home.sync(30_000).unwrap();
    assert!(outcome.sent >= 1, "{outcome:?}");
    assert_eq!((outcome.waiting, pause_of(&home)), (1, None));
}

#[test]
fn the_ministry_asks_to_stand_by_and_a_press_gets_through_when_there_is_room() {
    let phone = Phone::new();
    let home = phone.open_known();
    // It takes nothing at all now.
    phone.ministry.limit(Some(0));
    edit(&home, "王芳");
    let outcome = home.sync(30_000).unwrap();
    assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Busy, 1));
    assert_eq!(pause_of(&home).unwrap().0, PauseCause::StandBy);
    let report = press(&home, "hurt");
    assert_eq!(home.sync(30_000).unwrap().stopped, SyncStop::Busy);
    assert!(!is_received(&home, &report));
    let away = phone.ministry.counters().turned_away;
    assert!((2..=4).contains(&away), "{away}");

    // Room for a few: the report is in with its next attempt, and the rest waits on.
    phone.ministry.limit(Some(1_000));
    let next_ms = home.sos().status(report.clone()).unwrap().next_attempt_ms;
    phone.clock.pass(next_ms.unwrap() - now_ms(&phone));
    let outcome = home.sync(30_000).unwrap();
    assert!(is_received(&home, &report), "{outcome:?}");
    assert_eq!(phone.ministry.cases().unwrap().len(), 1);
    assert_eq!(pause_of(&home).unwrap().0, PauseCause::StandBy);
    phone.clock.pass(outcome.next_ms.unwrap());
    let outcome = home.sync(30_000).unwrap();
    assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));
}
