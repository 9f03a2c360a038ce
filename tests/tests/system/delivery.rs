//! From a press to the desk: order, repetition, clocks, consent, restarts.

use std::sync::{Arc, Barrier, Mutex, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use homeline::error::HostError;
use homeline::homeline::{ChangeListener, Topic};
use homeline::registration::Purpose;
use homeline::sos::{AttemptResult, Evidence, ReportState};
use homeline::sync::SyncStop;
use homeline::transport::{HttpRequest, HttpResponse, Transport, TransportError};
use homeline::{Homeline, HomelineError};
use homeline_tests::clock::MovedClock;
use homeline_tests::proxy::FaultProxy;
use homeline_tests::stage::{self, Network, Stage, Values};
use ministry::{DeskState, Ministry, Settings};
use uuid::Uuid;

use crate::scene::{
    LONG_MS, Office, Phone, Recorder, add_contact, case, cases, count, fix, is_received, press,
    register, state, sync,
};

const START_MS: i64 = 1_750_000_000_000;

/// A phone behind a network that can break, with the ministry beyond it.
struct Line {
    data: tempfile::TempDir,
    stage: Stage,
    phone: Phone,
}

impl Line {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        Self {
            stage: Stage::start(data.path()).unwrap(),
            data,
            phone: Phone::new(),
        }
    }

    fn open(&self) -> Arc<Homeline> {
        self.phone.open(self.stage.config(&self.phone.files()))
    }

    /// As `open`, on a phone that the ministry has enrolled.
    fn open_known(&self) -> Arc<Homeline> {
        let home = self.open();
        assert_eq!(sync(&home).stopped, SyncStop::Done);
        home
    }

    fn count(&self, sql: &str) -> i64 {
        count(self.data.path(), sql)
    }
}

fn give(home: &Homeline, purpose: Purpose) {
    let version = "2026-01".to_owned();
    home.consents().give(purpose, version).unwrap();
}

/// A phone whose every request is noted.
fn recorded(office: &Office, phone: &Phone) -> (Arc<Homeline>, Arc<Recorder>) {
    let recorder = Recorder::new(office.ministry.host_values().tls_root);
    let transport = Arc::<Recorder>::clone(&recorder);
    let config = office.config(phone);
    let home = Homeline::open(config, phone.vault(), Some(transport), None).unwrap();
    (home, recorder)
}

fn backlog(home: &Homeline, positions: i64) {
    register(home, "李伟");
    give(home, Purpose::Register);
    give(home, Purpose::Whereabouts);
    let fixes = (0..positions).map(|n| fix(41.0, 28.9, START_MS + n * 1_000));
    home.whereabouts().record_all(fixes.collect()).unwrap();
}

#[test]
fn an_sos_leaves_before_five_thousand_positions_and_a_registration() {
    let (office, phone) = (Office::new(), Phone::new());
    let (home, recorder) = recorded(&office, &phone);
    backlog(&home, 5_000);
    let report = press(&home, "hurt");
    let outcome = sync(&home);
    assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));

    let batches = recorder.batches();
    // The report, and beside it the envelope that says who calls.
    assert_eq!(batches[0].len(), 2);
    assert_eq!(batches[0][0].to_string(), report);
    let data = office.data.path();
    let others = "SELECT count(*) FROM standings";
    assert_eq!(count(data, others), 1);
    assert_eq!(count(data, "SELECT count(*) FROM positions"), 5_000);
    assert_eq!(count(data, "SELECT count(*) FROM profiles"), 1);
    assert_eq!(office.case(&report).traveler.unwrap().name, "李伟");
}

#[test]
fn an_sos_pressed_during_a_drain_is_in_the_next_request() {
    let (office, phone) = (Office::new(), Phone::new());
    let (home, recorder) = recorded(&office, &phone);
    backlog(&home, 2_000);
    let pressed = Arc::new(Mutex::new(None::<Uuid>));
    let (weak, told): (Weak<Homeline>, _) = (Arc::downgrade(&home), Arc::clone(&pressed));
    // Packed, thousands are one request: the traveler goes on while it drains.
    recorder.before_each_batch(move |number| {
        let home = weak.upgrade().unwrap();
        let on = i64::try_from(number).unwrap() * 2_000;
        if number <= 2 {
            let fixes = (on..on + 1_500).map(|n| fix(41.0, 28.9, START_MS + n * 1_000));
            home.whereabouts().record_all(fixes.collect()).unwrap();
        }
        if number == 2 {
            let report = press(&home, "hurt");
            *told.lock().unwrap() = Some(report.parse().unwrap());
        }
    });
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    let report = pressed.lock().unwrap().unwrap();
    let batches = recorder.batches();
    assert!(batches.len() > 3, "{}", batches.len());
    assert_eq!(batches[2].first(), Some(&report));
    assert_eq!(batches[2].len(), 2);
    assert!(is_received(&home, &report.to_string()));
    let data = office.data.path();
    assert_eq!(count(data, "SELECT count(*) FROM positions"), 5_000);
}

#[test]
fn one_case_after_twenty_lost_answers() {
    let line = Line::new();
    let home = line.open_known();
    // Long enough to be told from the opening of a connection.
    let report = press(&home, &"hurt ".repeat(400));
    line.stage.network(Network::Swallow);
    for _ in 0..20 {
        assert_eq!(sync(&home).stopped, SyncStop::Offline);
    }
    let status = home.sos().status(report.clone()).unwrap();
    assert!(matches!(status.state, ReportState::Handed { .. }));
    assert_eq!(status.attempts, 20);
    // Twenty of the same in a row are one event.
    let last = status.events.last().unwrap();
    assert_eq!((status.events.len(), last.times), (2, 20));
    let no_answer = |evidence: &Evidence| {
        matches!(
            evidence,
            Evidence::Attempt {
                result: AttemptResult::NoAnswer,
                ..
            }
        )
    };
    assert!(no_answer(&last.evidence), "{:?}", last.evidence);

    line.stage.network(Network::Up);
    let outcome = sync(&home);
    assert_eq!((outcome.sent, outcome.duplicates), (1, 1));
    assert!(is_received(&home, &report));
    assert_eq!(case(&line.stage.ministry, &report).times_received, 21);
}

#[test]
fn one_pass_at_a_time_and_one_case() {
    let line = Line::new();
    let home = line.open();
    let report = press(&home, "hurt");
    let start = Barrier::new(8);
    let stops: Vec<SyncStop> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    home.sync(LONG_MS).unwrap().stopped
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(stops.contains(&SyncStop::Done), "{stops:?}");
    let only = |stop: &SyncStop| matches!(stop, SyncStop::Done | SyncStop::AlreadyRunning);
    assert!(stops.iter().all(only), "{stops:?}");
    assert!(is_received(&home, &report));
    assert_eq!(case(&line.stage.ministry, &report).times_received, 1);
}

#[test]
fn a_hanging_pass_is_not_waited_for_and_ends_when_it_is_cancelled() {
    let line = Line::new();
    let home = line.open_known();
    let report = press(&home, "hurt");
    line.stage.network(Network::Blackhole);
    let seen = line.stage.proxy.counters().connections;
    thread::scope(|scope| {
        let pass = scope.spawn(|| home.sync(LONG_MS).unwrap());
        wait_until(|| line.stage.proxy.counters().connections > seen);
        for _ in 0..7 {
            let other = home.sync(LONG_MS).unwrap();
            assert_eq!(other.stopped, SyncStop::AlreadyRunning);
        }
        // Nor does a press wait for it.
        let second = press(&home, "still hurt");
        assert_eq!(state(&home, &second), ReportState::Stored);
        let begin = Instant::now();
        home.cancel_sync().unwrap();
        assert_eq!(pass.join().unwrap().stopped, SyncStop::Cancelled);
        assert!(begin.elapsed() < Duration::from_secs(1));
    });
    line.stage.network(Network::Up);
    assert_eq!(sync(&home).sent, 2);
    assert!(is_received(&home, &report));
}

#[test]
fn a_pass_keeps_to_its_deadline_in_a_silent_network() {
    let line = Line::new();
    let home = line.open_known();
    press(&home, "hurt");
    line.stage.network(Network::Blackhole);
    let begin = Instant::now();
    let outcome = home.sync(1_000).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(4));
    assert!(
        matches!(outcome.stopped, SyncStop::Offline | SyncStop::Deadline),
        "{outcome:?}"
    );
    assert_eq!(outcome.waiting, 1);
}

#[test]
fn a_clock_that_jumps_by_years_holds_nothing_up() {
    const YEAR_MS: i64 = 365 * 24 * 3_600_000;
    for years in [-3, 10, -60] {
        let line = Line::new();
        let clock = Arc::new(MovedClock::new());
        let config = line.stage.config(&line.phone.files());
        let host_clock = Arc::<MovedClock>::clone(&clock);
        let home = Homeline::open(config, line.phone.vault(), None, Some(host_clock)).unwrap();
        line.stage.network(Network::Down);
        let report = press(&home, "hurt");
        assert_eq!(home.sync(LONG_MS).unwrap().stopped, SyncStop::Offline);
        clock.set_ahead(years * YEAR_MS);
        line.stage.network(Network::Up);
        // No hint of a new network: the back-off itself must not be stuck.
        let outcome = home.sync(LONG_MS).unwrap();
        assert_eq!(
            (outcome.stopped, outcome.sent),
            (SyncStop::Done, 1),
            "{years}"
        );
        assert!(is_received(&home, &report), "{years}");
        case(&line.stage.ministry, &report);
    }
}

#[test]
fn ten_edits_are_one_envelope() {
    let line = Line::new();
    let home = line.open();
    give(&home, Purpose::Register);
    for number in 0..10 {
        register(&home, &format!("李伟 {number}"));
    }
    assert_eq!(sync(&home).sent, 1);
    // Ten more without a network, each with its own pass: still one.
    line.stage.network(Network::Down);
    for number in 10..20 {
        register(&home, &format!("李伟 {number}"));
        assert_eq!(sync(&home).waiting, 1);
    }
    line.stage.network(Network::Up);
    assert_eq!(sync(&home).sent, 1);
    assert_eq!(line.stage.ministry.counters().accepted, 2);
    let newest = "SELECT count(*) FROM profiles WHERE CAST(content AS TEXT) LIKE '%李伟 19%'";
    assert_eq!(line.count(newest), 1);
}

#[test]
fn positions_under_a_withdrawn_consent_never_leave() {
    let line = Line::new();
    let home = line.open_known();
    give(&home, Purpose::Whereabouts);
    line.stage.network(Network::Down);
    let fixes = (0..300).map(|n| fix(41.0, 28.9, START_MS + n));
    home.whereabouts().record_all(fixes.collect()).unwrap();
    // Sealed, waiting in the outbox.
    assert!(sync(&home).waiting > 0);
    home.consents().withdraw(Purpose::Whereabouts).unwrap();
    // Recorded after it, not covered by the next consent either.
    home.whereabouts()
        .record(fix(41.1, 28.9, START_MS))
        .unwrap();
    line.stage.network(Network::Up);
    assert_eq!(sync(&home).waiting, 0);
    assert_eq!(line.count("SELECT count(*) FROM positions"), 0);
    give(&home, Purpose::Whereabouts);
    home.whereabouts()
        .record(fix(42.5, 28.9, START_MS))
        .unwrap();
    sync(&home);
    assert_eq!(line.count("SELECT count(*) FROM positions"), 1);
    let new = "SELECT count(*) FROM positions WHERE fix LIKE '%42.5%'";
    assert_eq!(line.count(new), 1);
}

#[test]
fn a_registration_leaves_when_consent_is_given_again() {
    let line = Line::new();
    let home = line.open_known();
    register(&home, "李伟");
    give(&home, Purpose::Register);
    line.stage.network(Network::Down);
    assert_eq!(sync(&home).waiting, 1);
    home.consents().withdraw(Purpose::Register).unwrap();
    line.stage.network(Network::Up);
    sync(&home);
    assert_eq!(line.count("SELECT count(*) FROM profiles"), 0);
    give(&home, Purpose::Register);
    sync(&home);
    assert_eq!(line.count("SELECT count(*) FROM profiles"), 1);
}

#[test]
fn without_consent_nothing_leaves_but_an_sos_names_the_caller() {
    let line = Line::new();
    let home = line.open_known();
    register(&home, "李伟");
    add_contact(&home, "王芳");
    home.whereabouts()
        .record(fix(41.0, 28.9, START_MS))
        .unwrap();
    let outcome = sync(&home);
    assert!(outcome.without_consent);
    assert_eq!((outcome.sent, outcome.waiting), (0, 0));
    assert_eq!(line.count("SELECT count(*) FROM envelopes"), 0);

    let report = press(&home, "hurt");
    sync(&home);
    let case = case(&line.stage.ministry, &report);
    assert_eq!(case.traveler.unwrap().name, "李伟");
    assert_eq!(case.contacts[0].name, "王芳");
    assert_eq!(case.position.unwrap().latitude, 41.0);
    assert_eq!(line.count("SELECT count(*) FROM profiles"), 0);
    assert_eq!(line.count("SELECT count(*) FROM positions"), 0);
}

/// A ministry that is stopped, changed by `act` and started again where it was,
/// between two presses.
fn restarted(act: impl Fn(&std::path::Path)) {
    let (data, phone) = (tempfile::tempdir().unwrap(), Phone::new());
    let ministry = Ministry::start(Settings::new(data.path())).unwrap();
    let address = ministry
        .url()
        .trim_start_matches("https://")
        .parse()
        .unwrap();
    let proxy = FaultProxy::start(address).unwrap();
    let told = Values::of(&ministry, format!("https://{}", proxy.addr()));
    let home = phone.open(stage::config(&told, &phone.files()));
    let first = press(&home, "before");
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    ministry.stop();

    let second = press(&home, "while it was down");
    assert_eq!(sync(&home).stopped, SyncStop::Offline);
    act(data.path());
    let ministry = Ministry::start(Settings {
        listen: address,
        ..Settings::new(data.path())
    })
    .unwrap();
    let outcome = sync(&home);
    assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));
    for report in [&first, &second] {
        assert!(is_received(&home, report));
        case(&ministry, report);
    }
}

#[test]
fn a_ministry_that_is_restarted_gets_what_waited() {
    restarted(|_| {});
}

#[test]
fn a_device_that_the_ministry_forgot_enrols_again() {
    restarted(|data| {
        let file = rusqlite::Connection::open(data.join("ministry.db")).unwrap();
        assert_eq!(file.execute("DELETE FROM devices", []).unwrap(), 1);
    });
}

#[test]
fn acknowledgement_and_close_come_back_with_who_and_when() {
    let (office, phone) = (Office::new(), Phone::new());
    let home = phone.open(office.config(&phone));
    let report = press(&home, "hurt");
    sync(&home);
    let ministry = &office.ministry;
    let number = office.case(&report).id;
    ministry.acknowledge(&number, "陈静", "Istanbul").unwrap();
    let at = office.case(&report).acknowledged_ms.unwrap();
    assert_eq!(sync(&home).changes, 1);
    assert_eq!(
        state(&home, &report),
        ReportState::Acknowledged {
            case_id: number.clone(),
            mission: "Istanbul".into(),
            officer: "陈静".into(),
            at_ms: at,
        }
    );
    ministry.close(&number).unwrap();
    let at_ms = office.case(&report).closed_ms.unwrap();
    assert_eq!(sync(&home).changes, 1);
    let case_id = number;
    assert_eq!(
        state(&home, &report),
        ReportState::Closed { case_id, at_ms }
    );
    // The news is read once, and outlives the process.
    assert_eq!(sync(&home).changes, 0);
    drop(home);
    let home = phone.open(office.config(&phone));
    assert!(matches!(state(&home, &report), ReportState::Closed { .. }));
    assert_eq!(office.case(&report).state, DeskState::Closed);
}

#[test]
fn a_better_position_reaches_the_desk() {
    let (office, phone) = (Office::new(), Phone::new());
    let home = phone.open(office.config(&phone));
    home.whereabouts()
        .record(fix(41.0, 28.9, START_MS))
        .unwrap();
    let report = press(&home, "hurt");
    sync(&home);
    assert_eq!(office.case(&report).position.unwrap().latitude, 41.0);
    let better = fix(41.5, 29.5, START_MS + 60_000);
    home.sos().update_position(report.clone(), better).unwrap();
    sync(&home);
    let case = office.case(&report);
    let position = case.position.unwrap();
    assert_eq!((position.latitude, position.longitude), (41.5, 29.5));
    assert_eq!(case.updates, 1);
    assert!(is_received(&home, &report));
}

/// Reads the status of every report from inside the call that tells of a change.
struct Nosy {
    home: Weak<Homeline>,
    seen: Mutex<Vec<Topic>>,
}

impl ChangeListener for Nosy {
    fn changed(&self, topic: Topic) -> Result<(), HostError> {
        if let Some(home) = self.home.upgrade() {
            for report in home.sos().reports().unwrap() {
                home.sos().status(report.report).unwrap();
            }
            home.registration().traveler().unwrap();
            home.state().unwrap();
        }
        self.seen.lock().unwrap().push(topic);
        Ok(())
    }
}

#[test]
fn a_listener_may_call_back() {
    let (office, phone) = (Office::new(), Phone::new());
    let home = phone.open(office.config(&phone));
    let nosy = Arc::new(Nosy {
        home: Arc::downgrade(&home),
        seen: Mutex::default(),
    });
    home.set_listener(Some(Arc::<Nosy>::clone(&nosy))).unwrap();
    let (done, told) = mpsc::channel();
    let worker = Arc::clone(&home);
    thread::spawn(move || {
        backlog(&worker, 10);
        let report = press(&worker, "hurt");
        sync(&worker);
        done.send(report).unwrap();
    });
    let report = told.recv_timeout(Duration::from_secs(20));
    assert!(is_received(&home, &report.expect("a deadlock")));
    let seen = nosy.seen.lock().unwrap();
    for topic in [Topic::Sos, Topic::Record, Topic::Whereabouts, Topic::Sync] {
        assert!(seen.contains(&topic), "{topic:?}");
    }
}

#[test]
fn a_pause_ends_the_pass_and_a_press_after_it_works() {
    let line = Line::new();
    let home = line.open_known();
    let report = press(&home, "hurt");
    line.stage.network(Network::Blackhole);
    let seen = line.stage.proxy.counters().connections;
    thread::scope(|scope| {
        let pass = scope.spawn(|| home.sync(LONG_MS));
        wait_until(|| line.stage.proxy.counters().connections > seen);
        let begin = Instant::now();
        home.pause().unwrap();
        assert_eq!(pass.join().unwrap().unwrap().stopped, SyncStop::Cancelled);
        assert!(begin.elapsed() < Duration::from_secs(1));
    });
    let second = press(&home, "in the background");
    assert_eq!(home.registration().traveler(), Err(HomelineError::Closed));
    line.stage.network(Network::Up);
    home.reopen().unwrap();
    assert_eq!(sync(&home).sent, 2);
    for report in [report, second] {
        assert!(is_received(&home, &report));
        assert_eq!(cases(&line.stage.ministry, &report).len(), 1);
    }
}

/// A host's transport that is slow to give up.
struct Slow {
    entered: Mutex<mpsc::Sender<()>>,
    leave: Mutex<mpsc::Receiver<()>>,
}

impl Transport for Slow {
    fn exchange(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> {
        self.entered.lock().unwrap().send(()).unwrap();
        self.leave.lock().unwrap().recv().unwrap();
        Err(TransportError::Cancelled)
    }

    fn cancel(&self) -> Result<bool, TransportError> {
        Ok(true)
    }
}

#[test]
fn a_paused_library_holds_no_file_even_when_its_pass_ends_late() {
    let (office, phone) = (Office::new(), Phone::new());
    let ((entered, inside), (go, leave)) = (mpsc::channel(), mpsc::channel());
    let slow = Arc::new(Slow {
        entered: Mutex::new(entered),
        leave: Mutex::new(leave),
    });
    let config = office.config(&phone);
    let home = Homeline::open(config, phone.vault(), Some(slow), None).unwrap();
    let report = press(&home, "hurt");
    assert!(!open_files(&phone).is_empty());
    thread::scope(|scope| {
        let pass = scope.spawn(|| home.sync(LONG_MS).unwrap());
        inside.recv().unwrap();
        home.pause().unwrap();
        go.send(()).unwrap();
        assert_eq!(pass.join().unwrap().stopped, SyncStop::Cancelled);
    });
    assert_eq!(open_files(&phone), Vec::<String>::new());
    assert_eq!(state(&home, &report), ReportState::Stored);
}

/// Files of the phone that this process holds open: iOS kills a suspended app
/// for a lock on one of them.
fn open_files(phone: &Phone) -> Vec<String> {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter(|path| path.starts_with(phone.files()))
        .map(|path| path.to_string_lossy().into_owned())
        .collect()
}

fn wait_until(there: impl Fn() -> bool) {
    let begin = Instant::now();
    while !there() {
        assert!(begin.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(2));
    }
}
