//! Bad days of the files: another key, a vault that fails, files that are empty,
//! torn or somebody else's, a full disk, a directory without permission. The
//! SOS works in each, or says at once that it does not.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use homeline::homeline::{HomeState, Waiting};
use homeline::keys::{FileVault, KeyPurpose, KeyVault, VaultError};
use homeline::registration::{Traveler, TravelerKind};
use homeline::sos::{OnRepeat, ReportState, SosKind, SosRequest};
use homeline::sync::SyncStop;
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, HomelineError, RecordState};
use homeline_tests::stage::Stage;
use tempfile::TempDir;

struct Phone {
    base: TempDir,
    stage: Stage,
}

impl Phone {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let stage = Stage::start(&base.path().join("ministry")).unwrap();
        Self { base, stage }
    }

    fn files(&self) -> PathBuf {
        self.base.path().join("phone")
    }

    fn vault(&self, name: &str) -> Arc<FileVault> {
        FileVault::open(self.base.path().join(name).to_string_lossy().into_owned()).unwrap()
    }

    fn open_with(&self, vault: Arc<dyn KeyVault>) -> Arc<Homeline> {
        Homeline::open(self.stage.config(&self.files()), vault, None, None).unwrap()
    }

    fn open(&self) -> Arc<Homeline> {
        self.open_with(self.vault("key"))
    }

    /// Presses and delivers: the SOS works.
    fn sos_works(&self, home: &Homeline) {
        let report = press(home);
        assert_eq!(state(home, &report), ReportState::Stored);
        home.network_changed().unwrap();
        let outcome = home.sync(20_000).unwrap();
        assert_eq!(outcome.stopped, SyncStop::Done);
        assert!(matches!(state(home, &report), ReportState::Received { .. }));
        assert_eq!(self.cases(&report), 1);
    }

    fn cases(&self, report: &str) -> usize {
        let cases = self.stage.ministry.cases().unwrap();
        cases
            .iter()
            .filter(|case| case.report.to_string() == report)
            .count()
    }
}

fn press(home: &Homeline) -> String {
    let mut request = SosRequest::new(SosKind::Medical);
    request.on_repeat = Some(OnRepeat::NewReport);
    home.sos().press(request).unwrap()
}

fn state(home: &Homeline, report: &str) -> ReportState {
    home.sos().status(report.into()).unwrap().state
}

fn traveler(name: &str) -> Traveler {
    Traveler {
        name: name.into(),
        kind: TravelerKind::ShortTrip,
        ..Traveler::default()
    }
}

fn name(home: &Homeline) -> Option<String> {
    home.registration()
        .traveler()
        .unwrap()
        .map(|traveler| traveler.name)
}

/// A vault that answers every call with one error.
struct Broken(VaultError);

impl KeyVault for Broken {
    fn wrap(&self, _: KeyPurpose, _: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        Err(self.0.clone())
    }

    fn unwrap(&self, _: KeyPurpose, _: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        Err(self.0.clone())
    }
}

/// A vault that gives back another secret than it was given.
struct Lying(Arc<FileVault>);

impl KeyVault for Lying {
    fn wrap(&self, purpose: KeyPurpose, secret: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        self.0.wrap(purpose, secret)
    }

    fn unwrap(&self, purpose: KeyPurpose, wrapped: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        let mut secret = self.0.unwrap(purpose, wrapped)?;
        secret[0] ^= 1;
        Ok(secret)
    }
}

#[test]
fn with_another_vaults_key_the_record_is_key_lost_and_untouched() {
    let phone = Phone::new();
    phone.open().registration().save(traveler("李伟")).unwrap();
    let before = fs::read(phone.files().join("record.db")).unwrap();
    let others: [Arc<dyn KeyVault>; 3] = [
        phone.vault("other"),
        Arc::new(Lying(phone.vault("key"))),
        Arc::new(Broken(VaultError::KeyLost)),
    ];
    for vault in others {
        let home = phone.open_with(vault);
        assert_eq!(home.state().unwrap().record, RecordState::KeyLost);
        assert_eq!(
            home.registration().traveler().unwrap_err(),
            HomelineError::KeyLost
        );
        phone.sos_works(&home);
        drop(home);
        assert_eq!(fs::read(phone.files().join("record.db")).unwrap(), before);
    }
    assert_eq!(name(&phone.open()), Some("李伟".into()));
}

#[test]
fn after_a_lost_key_a_new_record_can_be_begun_and_the_old_file_is_kept() {
    let phone = Phone::new();
    phone.open().registration().save(traveler("old")).unwrap();
    let before = fs::read(phone.files().join("record.db")).unwrap();
    let home = phone.open_with(phone.vault("other"));
    let state = home.start_new_record().unwrap();
    assert_eq!(state.record, RecordState::Open);
    assert_eq!(name(&home), None);
    home.registration().save(traveler("new")).unwrap();
    phone.sos_works(&home);
    let aside = aside(&state, "record.db");
    assert_eq!(fs::read(phone.files().join(aside)).unwrap(), before);
    drop(home);
    assert_eq!(
        name(&phone.open_with(phone.vault("other"))),
        Some("new".into())
    );
}

#[test]
fn while_the_vault_fails_the_record_waits_and_the_sos_works() {
    let phone = Phone::new();
    phone.open().registration().save(traveler("李伟")).unwrap();
    for error in [VaultError::Failed, VaultError::Locked] {
        let home = phone.open_with(Arc::new(Broken(error)));
        assert_eq!(home.state().unwrap().record, RecordState::Locked);
        assert_eq!(
            home.registration().save(traveler("x")).unwrap_err(),
            HomelineError::Locked
        );
        phone.sos_works(&home);
        assert_eq!(home.state().unwrap().set_aside, Vec::<String>::new());
    }
    assert_eq!(name(&phone.open()), Some("李伟".into()));
}

#[test]
fn on_a_first_start_with_a_failing_vault_the_sos_works() {
    let phone = Phone::new();
    let home = phone.open_with(Arc::new(Broken(VaultError::Failed)));
    assert_eq!(home.state().unwrap().record, RecordState::Locked);
    phone.sos_works(&home);
}

/// A name, and what it does to a file.
type Damage = (&'static str, fn(&Path));

/// What can become of a file.
fn damages() -> Vec<Damage> {
    vec![
        ("empty", |path| fs::write(path, b"").unwrap()),
        ("one byte", |path| fs::write(path, b"S").unwrap()),
        ("torn", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2 + 100]).unwrap();
        }),
        ("first page overwritten", |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[..4096].fill(0x5a);
            fs::write(path, bytes).unwrap();
        }),
        ("text", |path| {
            fs::write(path, "not a database\n".repeat(1_000)).unwrap()
        }),
        ("somebody else's database", |path| {
            fs::remove_file(path).unwrap();
            let other = rusqlite::Connection::open(path).unwrap();
            other
                .execute_batch("CREATE TABLE photo (id INTEGER); INSERT INTO photo VALUES (1);")
                .unwrap();
        }),
    ]
}

fn aside<'a>(state: &'a HomeState, file: &str) -> &'a str {
    state
        .set_aside
        .iter()
        .find(|name| name.starts_with(&format!("{file}.aside-")))
        .unwrap_or_else(|| panic!("{file} was not set aside"))
}

#[test]
fn a_record_that_cannot_be_read_is_set_aside_and_the_sos_works() {
    for (damage, apply) in damages() {
        println!("record.db: {damage}");
        let phone = Phone::new();
        phone.open().registration().save(traveler("李伟")).unwrap();
        let file = phone.files().join("record.db");
        apply(&file);
        let damaged = fs::read(&file).unwrap();

        let home = phone.open();
        let state = home.state().unwrap();
        assert_eq!(state.record, RecordState::Open, "{damage}");
        let kept = phone.files().join(aside(&state, "record.db"));
        assert_eq!(fs::read(kept).unwrap(), damaged, "{damage}: kept as it was");
        phone.sos_works(&home);
        home.registration().save(traveler("王芳")).unwrap();
        drop(home);
        assert_eq!(name(&phone.open()), Some("王芳".into()), "{damage}");
    }
}

#[test]
fn an_outbox_that_cannot_be_read_is_set_aside_and_the_sos_works() {
    for (damage, apply) in damages() {
        println!("outbox.db: {damage}");
        let phone = Phone::new();
        let home = phone.open();
        home.registration().save(traveler("李伟")).unwrap();
        drop(home);
        let file = phone.files().join("outbox.db");
        apply(&file);

        let home = phone.open();
        phone.sos_works(&home);
        aside(&home.state().unwrap(), "outbox.db");
        assert_eq!(name(&home), Some("李伟".into()), "{damage}");
    }
}

#[test]
fn reports_of_a_damaged_outbox_are_salvaged() {
    let phone = Phone::new();
    let home = phone.open();
    let reports: Vec<String> = (0..40).map(|_| press(&home)).collect();
    drop(home);
    // A page in the middle, of the envelopes or their index.
    let file = phone.files().join("outbox.db");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 4096 / 2 * 4096;
    bytes[middle..middle + 4096].fill(0xff);
    fs::write(&file, bytes).unwrap();

    let home = phone.open();
    phone.sos_works(&home);
    let arrived = reports
        .iter()
        .filter(|report| phone.cases(report) == 1)
        .count();
    println!("{arrived} of {} reports salvaged", reports.len());
    assert!(
        arrived >= reports.len() - 8,
        "at most what was on the page is lost"
    );
}

#[test]
fn an_outbox_that_is_damaged_while_it_is_open_takes_the_next_press() {
    let phone = Phone::new();
    let home = phone.open();
    home.pause().unwrap();
    fs::write(phone.files().join("outbox.db"), "x".repeat(50_000)).unwrap();
    phone.sos_works(&home);
    aside(&home.state().unwrap(), "outbox.db");
}

#[test]
fn a_file_where_the_directory_should_be_is_said_at_once_with_numbers_to_call() {
    let phone = Phone::new();
    fs::write(phone.files(), "in the way").unwrap();
    let home = phone.open();
    let problem = homeline::error::StorageProblem::NoPermission;
    assert_eq!(
        home.state().unwrap().outbox,
        Waiting::Unavailable { problem }
    );
    assert_eq!(
        home.sos()
            .press(SosRequest::new(SosKind::Crime))
            .unwrap_err(),
        HomelineError::NotStored {
            problem,
            call: vec!["+861012308".into(), "12308".into()],
        }
    );
    // It works as soon as the way is free.
    fs::remove_file(phone.files()).unwrap();
    assert_eq!(home.reopen().unwrap().record, RecordState::Open);
    phone.sos_works(&home);
}

#[test]
fn paused_and_reopened_everything_is_as_before_and_a_press_needs_no_reopen() {
    let phone = Phone::new();
    let home = phone.open();
    home.registration().save(traveler("李伟")).unwrap();
    assert_eq!(home.pause().unwrap(), RecordState::Closed);
    assert_eq!(
        home.registration().traveler().unwrap_err(),
        HomelineError::Closed
    );
    let report = press(&home);
    assert_eq!(home.reopen().unwrap().record, RecordState::Open);
    assert_eq!(name(&home), Some("李伟".into()));
    let summary = &home.sos().reports().unwrap()[0];
    assert_eq!(
        (&summary.report, summary.kind),
        (&report, Some(SosKind::Medical))
    );
}

#[test]
fn hostile_texts_and_positions_never_refuse_a_press() {
    let phone = Phone::new();
    let home = phone.open();
    home.whereabouts().record(fix(41.0, 29.0)).unwrap();
    let mut reports = Vec::new();
    for note in [
        "🆘\0".repeat(500_000),
        "\u{202e}مرحبا\u{0301}".into(),
        "\u{1b}[2J".into(),
    ] {
        for latitude in [91.0, f64::NAN, f64::NEG_INFINITY, 40.0] {
            let mut request = SosRequest::new(SosKind::Other);
            request.note = note.clone();
            request.fix = Some(Fix {
                time_ms: 0,
                accuracy_m: Some(0.0),
                ..fix(latitude, 30.0)
            });
            request.battery_percent = Some(255);
            request.countdown_s = 0;
            request.on_repeat = Some(OnRepeat::NewReport);
            reports.push((home.sos().press(request).unwrap(), latitude));
        }
    }
    home.sync(20_000).unwrap();
    let cases = phone.stage.ministry.cases().unwrap();
    for (report, latitude) in reports {
        let case = cases
            .iter()
            .find(|case| case.report.to_string() == report)
            .unwrap();
        assert!(!case.note.contains('\0') && case.note.chars().count() <= 4_000);
        assert_eq!(case.battery_percent, None);
        let position = case.position.as_ref().unwrap();
        // A position out of range gives way to the last known one, with its age.
        assert_eq!(
            position.latitude,
            if latitude == 40.0 { 40.0 } else { 41.0 }
        );
        assert!(position.age_ms.is_some());
    }
    assert!(matches!(
        home.registration().save(traveler(&"x".repeat(1_000_000))),
        Err(HomelineError::Invalid { .. })
    ));
    assert!(home.whereabouts().record(fix(91.0, 0.0)).is_err());
    assert!(
        home.whereabouts()
            .record(Fix {
                time_ms: -1,
                ..fix(1.0, 1.0)
            })
            .is_ok()
    );
}

fn fix(latitude: f64, longitude: f64) -> Fix {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    Fix {
        accuracy_m: Some(5.0),
        ..Fix::new(
            Position::Wgs84 {
                latitude,
                longitude,
            },
            i64::try_from(since.as_millis()).unwrap(),
            FixSource::Gnss,
        )
    }
}
