//! What the tests are arranged with: a ministry, a phone, a recording transport,
//! a ministry that signs whatever a test wants.

mod fake;
mod recorder;

pub(crate) use fake::{Fake, batch, fixed, problem};
pub(crate) use recorder::Recorder;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use homeline::config::Config;
use homeline::contacts::{Contact, Relation};
use homeline::health::WakeCause;
use homeline::keys::FileVault;
use homeline::registration::{Traveler, TravelerKind};
use homeline::sos::{Evidence, OnRepeat, ReportState, SosKind, SosRequest};
use homeline::sync::SyncOutcome;
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, RecordState};
use homeline_tests::stage::{self, Values};
use ministry::{CaseView, Ministry, Settings};
use tempfile::TempDir;

/// Long enough for anything that works; nothing waits for it to pass.
pub(crate) const LONG_MS: u64 = 30_000;

/// A phone: its files outlive each `Homeline` that is opened on them.
pub(crate) struct Phone {
    directory: TempDir,
    vault: Arc<FileVault>,
}

impl Phone {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("vault.key");
        Self {
            vault: FileVault::open(key.to_string_lossy().into_owned()).unwrap(),
            directory,
        }
    }

    pub(crate) fn files(&self) -> PathBuf {
        self.directory.path().join("files")
    }

    pub(crate) fn vault(&self) -> Arc<FileVault> {
        Arc::clone(&self.vault)
    }

    pub(crate) fn open(&self, config: Config) -> Arc<Homeline> {
        let home = Homeline::open(config, self.vault(), None, None).unwrap();
        assert_eq!(home.state().unwrap().record, RecordState::Open);
        home
    }
}

/// A real ministry without anything between it and the phone.
pub(crate) struct Office {
    pub(crate) data: TempDir,
    pub(crate) ministry: Ministry,
}

impl Office {
    pub(crate) fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        Self {
            ministry: Ministry::start(Settings::new(data.path())).unwrap(),
            data,
        }
    }

    pub(crate) fn config(&self, phone: &Phone) -> Config {
        stage::config(
            &Values::of(&self.ministry, self.ministry.url()),
            &phone.files(),
        )
    }

    pub(crate) fn case(&self, report: &str) -> CaseView {
        case(&self.ministry, report)
    }
}

/// The cases of `report` on the desk.
pub(crate) fn cases(ministry: &Ministry, report: &str) -> Vec<CaseView> {
    let mut cases = ministry.cases().unwrap();
    cases.retain(|case| case.report.to_string() == report);
    cases
}

/// The one case of `report` on the desk.
#[track_caller]
pub(crate) fn case(ministry: &Ministry, report: &str) -> CaseView {
    let mut cases = cases(ministry, report);
    assert_eq!(cases.len(), 1, "cases of {report}");
    cases.remove(0)
}

/// A press that is a report of its own, whatever was pressed before.
pub(crate) fn press(home: &Homeline, note: &str) -> String {
    let mut request = SosRequest::new(SosKind::Medical);
    request.note = note.to_owned();
    request.on_repeat = Some(OnRepeat::NewReport);
    home.sos().press(request).unwrap()
}

pub(crate) fn state(home: &Homeline, report: &str) -> ReportState {
    home.sos().status(report.to_owned()).unwrap().state
}

pub(crate) fn is_received(home: &Homeline, report: &str) -> bool {
    matches!(state(home, report), ReportState::Received { .. })
}

/// What the last event of `report` rests on.
pub(crate) fn last_evidence(home: &Homeline, report: &str) -> Evidence {
    let status = home.sos().status(report.to_owned()).unwrap();
    status.events.last().unwrap().evidence.clone()
}

/// A pass after the network has changed, so that no back-off is waited for.
pub(crate) fn sync(home: &Homeline) -> SyncOutcome {
    home.network_changed().unwrap();
    home.woke(WakeCause::Foreground, None).unwrap();
    home.sync(LONG_MS).unwrap()
}

pub(crate) fn fix(latitude: f64, longitude: f64, time_ms: i64) -> Fix {
    Fix {
        accuracy_m: Some(12.0),
        ..Fix::new(
            Position::Wgs84 {
                latitude,
                longitude,
            },
            time_ms,
            FixSource::Gnss,
        )
    }
}

pub(crate) fn register(home: &Homeline, name: &str) {
    let traveler = Traveler {
        name: name.to_owned(),
        kind: TravelerKind::LongStay,
        phone: Some("+905321234567".into()),
        ..Traveler::default()
    };
    home.registration().save(traveler).unwrap();
}

pub(crate) fn add_contact(home: &Homeline, name: &str) {
    let contact = Contact {
        name: name.to_owned(),
        phone: "+8613800138000".into(),
        relation: Relation::Parent,
        ..Contact::default()
    };
    home.contacts().add(contact).unwrap();
}

/// A number from the ministry's database, which may be running.
pub(crate) fn count(data: &Path, sql: &str) -> i64 {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let file = rusqlite::Connection::open_with_flags(data.join("ministry.db"), flags).unwrap();
    file.query_row(sql, [], |row| row.get(0)).unwrap()
}
