//! The world of a story: a phone, its line, the ministry, and the model beside them.
//!
//! The model knows what was pressed, what left the phone, and which refusals were
//! spoken. After each act:
//!
//! 1. everything that was pressed is on the phone, with a state;
//! 2. no report is two cases, and no case is of a report that was not pressed;
//! 3. a state has its evidence: `Received` is a case at the ministry, `Handed` was on
//!    the wire, `Parked` was refused, `Acknowledged` and `Closed` were said at the
//!    desk, `Cancelled` is known there if it says so;
//! 4. what was received stays received.
//!
//! At the end the faults end, and one pass delivers everything.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use homeline::clock::Clock as _;
use homeline::contacts::{Contact, Relation};
use homeline::error::{HomelineError, StorageProblem};
use homeline::health::WakeCause;
use homeline::registration::{Purpose, Traveler, TravelerKind};
use homeline::sos::{Evidence, OnRepeat, ReportState, SosKind, SosRequest};
use homeline::sync::SyncStop;
use homeline::sync::protocol::{ENVELOPES_PATH, read_batch};
use homeline::transport::HttpRequest;
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, Result};
use homeline_tests::clock::MovedClock;
use homeline_tests::line::{Answer, Fault, Line};
use homeline_tests::stage::{self, Values};
use homeline_tests::vault::LockableVault;
use ministry::{CaseView, Ministry, Settings};
use tempfile::TempDir;
use uuid::Uuid;

/// Milliseconds that a pass may take: nothing here waits for it.
const LONG_MS: u64 = 30_000;
/// Longer than any hold, back-off or countdown.
const EVERYTHING_IS_DUE_MS: i64 = 26 * 3_600_000;

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Press {
        countdown_s: u32,
    },
    Cancel(usize),
    Update(usize),
    TryAgain(usize),
    Edit,
    Record,
    /// A pass; the trouble begins after so many requests.
    Sync {
        trouble: Trouble,
        after: u64,
    },
    NetworkChanged,
    Tick(i64),
    /// Somebody sets the wall clock so many days off.
    SetClock {
        days: i64,
    },
    Reboot,
    /// The process dies, and the app is started again.
    Crash,
    CloseAndReopen,
    Foreground,
    Acknowledge(usize),
    CloseCase(usize),
    FillDisk,
    FreeDisk,
}

/// What a pass meets.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    Fault(Fault),
    /// The process dies in the middle of a request that arrives.
    Crash,
}

/// The ministry: one for all stories.
pub(crate) struct Office {
    ministry: Ministry,
    _data: TempDir,
}

impl Office {
    pub(crate) fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        Self {
            ministry: Ministry::start(Settings::new(data.path())).unwrap(),
            _data: data,
        }
    }
}

/// A report of the model.
struct Pressed {
    report: Uuid,
    note: String,
    was_received: bool,
}

/// What the line has seen.
#[derive(Default)]
struct Wire {
    left: BTreeSet<Uuid>,
    refused: BTreeSet<Uuid>,
}

pub(crate) struct World<'a> {
    office: &'a Office,
    /// Outside the small disk: the vault, and the snapshots of a crash.
    aside: TempDir,
    files: PathBuf,
    filler: PathBuf,
    vault: Arc<LockableVault>,
    line: Arc<Line>,
    clock: Arc<MovedClock>,
    home: Option<Arc<Homeline>>,
    days: i64,
    pressed: Vec<Pressed>,
    /// Countdowns that were taken back: nothing of them may be anywhere.
    taken_back: Vec<Uuid>,
    wire: Arc<Mutex<Wire>>,
    edits: RefCell<u32>,
}

impl<'a> World<'a> {
    pub(crate) fn new(office: &'a Office, disk: &Path) -> Self {
        let aside = tempfile::tempdir().unwrap();
        let files = disk.join("phone");
        let filler = disk.join("photos");
        let _ = fs::remove_file(&filler);
        let _ = fs::remove_dir_all(&files);
        let mut world = Self {
            vault: LockableVault::open(&aside.path().join("vault.key"), false).unwrap(),
            line: Line::new(office.ministry.host_values().tls_root).unwrap(),
            clock: Arc::new(MovedClock::new()),
            office,
            aside,
            files,
            filler,
            home: None,
            days: 0,
            pressed: Vec::new(),
            taken_back: Vec::new(),
            wire: Arc::default(),
            edits: RefCell::new(0),
        };
        world.start();
        let traveler = Traveler {
            name: "李伟".into(),
            kind: TravelerKind::LongStay,
            ..Traveler::default()
        };
        world.home().registration().save(traveler).unwrap();
        for purpose in [Purpose::Register, Purpose::Whereabouts] {
            let given = world.home().consents().give(purpose, "2026-01".into());
            given.unwrap();
        }
        world
    }

    fn start(&mut self) {
        let values = Values::of(&self.office.ministry, self.office.ministry.url());
        let config = stage::config(&values, &self.files);
        let (vault, line) = (Arc::clone(&self.vault), Arc::clone(&self.line));
        let clock = Arc::clone(&self.clock);
        self.home = Some(Homeline::open(config, vault, Some(line), Some(clock)).unwrap());
    }

    fn home(&self) -> &Homeline {
        self.home.as_ref().unwrap()
    }

    pub(crate) fn act(&mut self, act: &Act) {
        match act {
            Act::Press { countdown_s } => self.press(*countdown_s),
            Act::Cancel(which) => self.cancel(*which),
            Act::Update(which) => self.on(*which, |home, report| {
                home.sos().update_position(report, fix(41.5))
            }),
            Act::TryAgain(which) => self.on(*which, |home, report| home.sos().try_again(report)),
            Act::Edit => {
                *self.edits.borrow_mut() += 1;
                let contact = Contact {
                    name: format!("王芳 {}", self.edits.borrow()),
                    phone: "+8613800138000".into(),
                    relation: Relation::Parent,
                    ..Contact::default()
                };
                full_or(self.home().contacts().add(contact).map(drop));
            }
            Act::Record => {
                let now_ms = self.clock.read().unwrap().wall_ms;
                let mut fix = fix(41.0);
                fix.time_ms = now_ms;
                full_or(self.home().whereabouts().record(fix).map(drop));
            }
            Act::Sync { trouble, after } => self.sync(trouble, *after),
            Act::NetworkChanged => full_or(self.home().network_changed()),
            Act::Tick(ms) => self.clock.pass(*ms),
            Act::SetClock { days } => {
                self.clock.set_ahead((days - self.days) * 24 * 3_600_000);
                self.days = *days;
            }
            Act::Reboot => {
                let snapshot = self.snapshot();
                self.clock.reboot();
                self.restart_from(&snapshot);
            }
            Act::Crash => {
                let snapshot = self.snapshot();
                self.restart_from(&snapshot);
            }
            Act::CloseAndReopen => {
                full_or(self.home().pause().map(drop));
                full_or(self.home().reopen().map(drop));
            }
            Act::Foreground => full_or(self.home().woke(WakeCause::Foreground, None)),
            Act::Acknowledge(which) => self.desk(*which, |ministry, case| {
                ministry.acknowledge(case, "陈静", "Istanbul").unwrap();
            }),
            Act::CloseCase(which) => self.desk(*which, |ministry, case| {
                ministry.close(case).unwrap();
            }),
            Act::FillDisk => {
                let mut file = fs::File::create(&self.filler).unwrap();
                // Bounded: a disk that is not small must not be filled.
                let mut left = 4_096;
                while left > 0 && file.write_all(&[7; 4_096]).is_ok() {
                    left -= 1;
                }
            }
            Act::FreeDisk => drop(fs::remove_file(&self.filler)),
        }
    }

    fn press(&mut self, countdown_s: u32) {
        let note = format!("note {}", self.pressed.len());
        let mut request = SosRequest::new(SosKind::Medical);
        request.note.clone_from(&note);
        request.countdown_s = countdown_s;
        request.on_repeat = Some(OnRepeat::NewReport);
        match self.home().sos().press(request) {
            Ok(report) => self.pressed.push(Pressed {
                report: report.parse().unwrap(),
                note,
                was_received: false,
            }),
            // Said at once, with whom to call: not pressed.
            Err(HomelineError::NotStored { problem, call }) => {
                assert_eq!(problem, StorageProblem::Full);
                assert!(!call.is_empty());
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    fn on(&self, which: usize, act: impl Fn(&Homeline, String) -> Result<()>) {
        if let Some(pressed) = self.pressed.get(which) {
            full_or(act(self.home(), pressed.report.to_string()));
        }
    }

    fn cancel(&mut self, which: usize) {
        self.on(which, |home, report| home.sos().cancel(report));
        let Some(report) = self.pressed.get(which).map(|pressed| pressed.report) else {
            return;
        };
        if self.home().sos().status(report.to_string()).is_err() {
            // In its countdown: it leaves nothing, and has never left.
            assert!(!self.wire.lock().unwrap().left.contains(&report));
            self.pressed.remove(which);
            self.taken_back.push(report);
        }
    }

    fn desk(&self, which: usize, act: impl Fn(&Ministry, &str)) {
        let Some(pressed) = self.pressed.get(which) else {
            return;
        };
        for case in self.cases_of(pressed.report) {
            act(&self.office.ministry, &case.id);
        }
    }

    fn sync(&mut self, trouble: &Trouble, after: u64) {
        let snapshot = self.aside.path().join("snapshot");
        let (fault, crash_to) = match trouble {
            Trouble::Fault(fault) => (fault.clone(), None),
            Trouble::Crash => (Fault::None, Some((self.files.clone(), snapshot.clone()))),
        };
        let (count, wire) = (AtomicU64::new(0), Arc::clone(&self.wire));
        self.line.by(move |request| {
            let troubled = count.fetch_add(1, Ordering::SeqCst) >= after;
            if let Some((files, snapshot)) = crash_to.as_ref().filter(|_| troubled) {
                // This request is the last that the dying process makes.
                if snapshot.exists() {
                    return Fault::Offline;
                }
                copy(files, snapshot);
            }
            let fault = if troubled { fault.clone() } else { Fault::None };
            note(&mut wire.lock().unwrap(), request, &fault);
            fault
        });
        let outcome = self.home().sync(LONG_MS);
        full_or(outcome.map(drop));
        if snapshot.exists() {
            self.restart_from(&snapshot);
        }
    }

    /// The files as a killed process leaves them.
    fn snapshot(&self) -> PathBuf {
        let snapshot = self.aside.path().join("snapshot");
        copy(&self.files, &snapshot);
        snapshot
    }

    /// What is after the snapshot did not happen on the phone.
    fn restart_from(&mut self, snapshot: &Path) {
        self.home = None;
        // The copy needs room; a phone's own disk would not have lost it.
        let _ = fs::remove_file(&self.filler);
        fs::remove_dir_all(&self.files).unwrap();
        copy(snapshot, &self.files);
        fs::remove_dir_all(snapshot).unwrap();
        self.start();
    }

    /// For the message of a failure: what the last event of a report rests on.
    fn last_evidence(&self, report: Uuid) -> Option<String> {
        let status = self.home().sos().status(report.to_string()).ok()?;
        let Evidence::Attempt { result, .. } = &status.events.last()?.evidence else {
            return None;
        };
        Some(format!("{result:?}"))
    }

    fn cases_of(&self, report: Uuid) -> Vec<CaseView> {
        let mut cases = self.office.ministry.cases().unwrap();
        cases.retain(|case| case.report == report);
        cases
    }

    /// What must be true after each act.
    pub(crate) fn check(&mut self) {
        let cases = self.office.ministry.cases().unwrap();
        let of = |report: Uuid| cases.iter().filter(move |case| case.report == report);
        let wire = self.wire.lock().unwrap();
        let listed = self.home.as_ref().unwrap().sos().reports().unwrap();
        for pressed in &mut self.pressed {
            let report = pressed.report;
            let name = report.to_string();
            assert!(
                listed.iter().any(|summary| summary.report == name),
                "{} is lost",
                pressed.note
            );
            assert!(of(report).count() <= 1, "{} is two cases", pressed.note);
            let case = of(report).next();
            let status = self.home.as_ref().unwrap().sos().status(name).unwrap();
            let state = status.state;
            let proved = match &state {
                ReportState::Countdown { .. } => !wire.left.contains(&report),
                ReportState::Stored => true,
                ReportState::Handed { .. } => wire.left.contains(&report),
                ReportState::Received { case_id, .. } => {
                    case.is_some_and(|case| Some(&case.id) == case_id.as_ref())
                }
                ReportState::Acknowledged { .. } => {
                    case.is_some_and(|case| case.acknowledged_ms.is_some())
                }
                ReportState::Closed { .. } => case.is_some_and(|case| case.closed_ms.is_some()),
                ReportState::Cancelled {
                    known_at_ministry_ms,
                } => {
                    known_at_ministry_ms.is_none()
                        || case.is_some_and(|case| case.cancelled_ms.is_some())
                }
                ReportState::Parked { .. } => wire.refused.contains(&report),
            };
            assert!(proved, "{}: {state:?} without evidence", pressed.note);
            let received = !matches!(
                state,
                ReportState::Countdown { .. }
                    | ReportState::Stored
                    | ReportState::Handed { .. }
                    | ReportState::Parked { .. }
                    | ReportState::Cancelled { .. }
            );
            let cancelled = matches!(state, ReportState::Cancelled { .. });
            assert!(
                received || cancelled || !pressed.was_received,
                "{}: no longer received: {state:?}",
                pressed.note
            );
            pressed.was_received |= received;
        }
        for report in &self.taken_back {
            assert_eq!(of(*report).count(), 0, "a countdown that was taken back");
            assert!(!listed.iter().any(|one| one.report == report.to_string()));
        }
    }

    /// The faults end; one pass delivers everything. How many were pressed.
    pub(crate) fn finish(mut self) -> u64 {
        let _ = fs::remove_file(&self.filler);
        self.home().reopen().unwrap();
        for pressed in &self.pressed {
            let report = pressed.report.to_string();
            self.home().sos().try_again(report).unwrap();
        }
        self.clock.pass(EVERYTHING_IS_DUE_MS);
        self.home().network_changed().unwrap();
        self.home().woke(WakeCause::Foreground, None).unwrap();
        let wire = Arc::clone(&self.wire);
        self.line.by(move |request| {
            note(&mut wire.lock().unwrap(), request, &Fault::None);
            Fault::None
        });
        let outcome = self.home().sync(LONG_MS).unwrap();
        assert_eq!(
            (outcome.stopped, outcome.waiting),
            (SyncStop::Done, 0),
            "{outcome:?}, {:?}",
            self.pressed
                .iter()
                .map(|pressed| self.last_evidence(pressed.report))
                .collect::<Vec<_>>()
        );
        self.check();
        for pressed in &self.pressed {
            let case = self.cases_of(pressed.report);
            assert_eq!(case.len(), 1, "{}", pressed.note);
            assert!(case.iter().all(|case| case.note == pressed.note));
            let report = pressed.report.to_string();
            let state = self.home().sos().status(report).unwrap().state;
            let arrived = match state {
                ReportState::Cancelled {
                    known_at_ministry_ms,
                } => known_at_ministry_ms.is_some(),
                ReportState::Received { .. }
                | ReportState::Acknowledged { .. }
                | ReportState::Closed { .. } => true,
                _ => false,
            };
            assert!(arrived, "{}: {state:?}", pressed.note);
        }
        u64::try_from(self.pressed.len()).unwrap()
    }
}

/// What a full disk may do to a call, and nothing else.
fn full_or(outcome: Result<()>) {
    match outcome {
        Ok(())
        | Err(HomelineError::Storage {
            problem: StorageProblem::Full,
        }) => {}
        Err(other) => panic!("{other:?}"),
    }
}

fn fix(latitude: f64) -> Fix {
    let position = Position::Wgs84 {
        latitude,
        longitude: 28.9,
    };
    Fix::new(position, 1_750_000_000_000, FixSource::Gnss)
}

/// Writes down what a request carries away, and what is refused of it.
fn note(wire: &mut Wire, request: &HttpRequest, fault: &Fault) {
    if *fault == Fault::Offline || !request.url.ends_with(ENVELOPES_PATH) {
        return;
    }
    let batch = read_batch(&request.body, 10_000).unwrap();
    let ids = batch.iter().map(|envelope| envelope.id);
    let refused = matches!(
        fault,
        Fault::Answer(Answer {
            status: 400..500,
            ..
        })
    );
    if refused {
        wire.refused.extend(ids.clone());
    }
    wire.left.extend(ids);
}

/// Copies a folder of files; a log's index is not one: a start makes it anew.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else if !name.to_string_lossy().ends_with("-shm") {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}
