//! An erasure ended at every step, and what is left then. Real files.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::Homeline;
use crate::HomelineError;
use crate::clock::Time;
use crate::config::Policy;
use crate::contacts::{Contact, Relation};
use crate::homeline::{EraseRequest, HomeState, Waiting};
use crate::keys::FileVault;
use crate::record::RecordState;
use crate::registration::{Purpose, Traveler};
use crate::sos::{ReportState, SosKind, SosRequest};
use crate::testing::config;
use crate::whereabouts::{Fix, FixSource, Position};

const NAME: &str = "Xiomara Quetzalcoatl";
const NOTE: &str = "broken ankle under the waterfall";

struct Phone {
    base: tempfile::TempDir,
    vault: Arc<FileVault>,
}

impl Phone {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let vault = base.path().join("vault.key");
        Self {
            vault: FileVault::open(vault.to_string_lossy().into_owned()).unwrap(),
            base,
        }
    }

    fn files(&self) -> PathBuf {
        self.base.path().join("files")
    }

    fn open(&self) -> Arc<Homeline> {
        let vault = Arc::<FileVault>::clone(&self.vault);
        Homeline::open(config(&self.files()), vault, None, None).unwrap()
    }

    /// A phone in use, with a report that waits and files set aside.
    fn used(&self) -> (Arc<Homeline>, String) {
        let home = self.open();
        let traveler = Traveler {
            name: NAME.into(),
            ..Traveler::default()
        };
        home.registration().save(traveler).unwrap();
        let contact = Contact {
            name: NAME.into(),
            phone: "12308".into(),
            relation: Relation::Parent,
            ..Contact::default()
        };
        home.contacts().add(contact).unwrap();
        for purpose in [Purpose::Register, Purpose::Whereabouts] {
            home.consents().give(purpose, "v1".into()).unwrap();
        }
        home.whereabouts().record(fix()).unwrap();
        let mut request = SosRequest::new(SosKind::Medical);
        request.note = NOTE.into();
        let report = home.sos().press(request).unwrap();
        for name in ["record.db.aside-1", "record.key.next", "device.key.aside-7"] {
            fs::write(self.files().join(name), NAME).unwrap();
        }
        (home, report)
    }

    /// Neither a file nor a page that the vault opens holds anything of before.
    fn assert_empty(&self, home: &Homeline, report: &str) {
        let state = home.state().unwrap();
        assert_eq!(state.record, RecordState::Open);
        assert_eq!(state.erase_request, EraseRequest::Waiting);
        assert_eq!(state.set_aside, Vec::<String>::new());
        // The report, who calls, and the request.
        assert_eq!(waiting(&state), 3);
        assert_eq!(home.registration().traveler().unwrap(), None);
        assert_eq!(home.contacts().list().unwrap(), []);
        assert_eq!(home.consents().list().unwrap(), []);
        assert_eq!(home.whereabouts().last().unwrap(), None);
        let status = home.sos().status(report.into()).unwrap();
        assert_eq!(status.state, ReportState::Stored);
        let mut names = names(&self.files()).unwrap();
        names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
        names.sort();
        assert_eq!(
            names,
            ["device.key", "outbox.db", "record.db", "record.key"]
        );
        for name in super::names(&self.files()).unwrap() {
            let bytes = fs::read(self.files().join(&name)).unwrap();
            for needle in [NAME, NOTE] {
                let found = bytes
                    .windows(needle.len())
                    .any(|part| part == needle.as_bytes());
                assert!(!found, "{needle} in {name}");
            }
        }
        #[cfg(not(feature = "openssl"))]
        self.assert_pages_empty();
    }

    #[cfg(not(feature = "openssl"))]
    fn assert_pages_empty(&self) {
        use crate::record::pages;
        let plain = pages::plain(&self.files(), &pages::secret(&self.files(), &self.vault));
        assert!(pages::count(&plain, b"CREATE TABLE consent_given") > 0);
        assert_eq!(pages::count(&plain, NAME.as_bytes()), 0);
        assert_eq!(pages::count(&plain, NOTE.as_bytes()), 0);
    }
}

fn fix() -> Fix {
    Fix::new(
        Position::Wgs84 {
            latitude: 40.874_715_3,
            longitude: 29.0,
        },
        1_790_000_000_000,
        FixSource::Gnss,
    )
}

fn waiting(state: &HomeState) -> u32 {
    match state.outbox {
        Waiting::Known { waiting, .. } => waiting,
        Waiting::Unavailable { problem } => panic!("{problem}"),
    }
}

fn outbox_of(phone: &Phone) -> Outbox {
    Outbox::new(&phone.files(), Time::new(None), Policy::STANDARD)
}

#[test]
fn all_is_gone_and_the_object_goes_on_as_new() {
    let phone = Phone::new();
    let (home, report) = phone.used();
    let device = fs::read(phone.files().join("device.key")).unwrap();
    home.erase().unwrap();
    phone.assert_empty(&home, &report);
    assert_ne!(fs::read(phone.files().join("device.key")).unwrap(), device);
    // Like on a first start: register, record, press.
    let again = home.sos().press(SosRequest::new(SosKind::Medical)).unwrap();
    assert_ne!(again, report);
    home.registration()
        .save(Traveler {
            name: "李".into(),
            ..Traveler::default()
        })
        .unwrap();
    home.whereabouts().record(fix()).unwrap();
    drop(home);
    let home = phone.open();
    assert_eq!(home.registration().traveler().unwrap().unwrap().name, "李");
    assert_eq!(home.sos().reports().unwrap().len(), 2);
}

#[test]
fn ended_after_any_step_the_next_start_finishes_it() {
    for done in 0..=STEPS.len() {
        let phone = Phone::new();
        let (home, report) = phone.used();
        drop(home);
        let outbox = outbox_of(&phone);
        begin(&phone.files(), Uuid::from_u128(9), b"sealed").unwrap();
        let files = phone.files();
        let erasure = Erasure::begun(&files, &outbox).unwrap().unwrap();
        for step in STEPS.iter().take(done) {
            step(&erasure).unwrap();
        }
        drop(outbox);
        phone.assert_empty(&phone.open(), &report);
    }
}

#[test]
fn ended_between_two_files_the_next_start_finishes_it() {
    for gone in ["record.key", "device.key", "record.db", "record.db.aside-1"] {
        let phone = Phone::new();
        let (home, report) = phone.used();
        drop(home);
        begin(&phone.files(), Uuid::from_u128(9), b"sealed").unwrap();
        fs::remove_file(phone.files().join(gone)).unwrap();
        // And once more within the end of the next start.
        fs::write(phone.files().join(PARTIAL), "half").unwrap();
        phone.assert_empty(&phone.open(), &report);
    }
}

#[test]
fn half_a_mark_is_no_erasure() {
    let phone = Phone::new();
    let (home, _) = phone.used();
    drop(home);
    fs::write(phone.files().join(PARTIAL), "half").unwrap();
    let home = phone.open();
    assert_eq!(home.registration().traveler().unwrap().unwrap().name, NAME);
    assert_eq!(home.state().unwrap().erase_request, EraseRequest::Absent);
}

#[test]
fn what_cannot_be_deleted_keeps_the_record_shut_until_it_can() {
    let phone = Phone::new();
    let (home, report) = phone.used();
    // `remove_file` does not remove a folder.
    let obstacle = phone.files().join("record.folder");
    fs::create_dir(&obstacle).unwrap();
    let refused = home.erase();
    assert!(
        matches!(refused, Err(HomelineError::Storage { .. })),
        "{refused:?}"
    );
    for home in [home, phone.open()] {
        let state = home.state().unwrap().record;
        assert!(
            matches!(state, RecordState::Unavailable { .. }),
            "{state:?}"
        );
        assert!(home.registration().traveler().is_err());
        assert!(home.reopen().unwrap().record != RecordState::Open);
    }
    // The button works all the same.
    let home = phone.open();
    home.sos().press(SosRequest::new(SosKind::Crime)).unwrap();
    fs::remove_dir(&obstacle).unwrap();
    assert_eq!(home.reopen().unwrap().record, RecordState::Open);
    assert_eq!(home.registration().traveler().unwrap(), None);
    assert_eq!(home.sos().reports().unwrap().len(), 2);
    assert!(home.sos().status(report).is_ok());
}

#[test]
fn erasing_twice_or_at_a_first_start_is_no_error() {
    let phone = Phone::new();
    let home = phone.open();
    home.erase().unwrap();
    let state = home.erase().unwrap();
    assert_eq!(state.record, RecordState::Open);
    assert_eq!(waiting(&state), 2);
}

#[test]
fn a_record_whose_key_is_lost_can_be_erased() {
    let mut phone = Phone::new();
    let (home, report) = phone.used();
    drop(home);
    let other = phone.base.path().join("other.key");
    phone.vault = FileVault::open(other.to_string_lossy().into_owned()).unwrap();
    let home = phone.open();
    assert_eq!(home.state().unwrap().record, RecordState::KeyLost);
    home.erase().unwrap();
    phone.assert_empty(&home, &report);
}

#[test]
fn a_mark_that_cannot_be_written_changes_nothing() {
    let phone = Phone::new();
    let (home, _) = phone.used();
    // The name is taken by a folder.
    fs::create_dir(phone.files().join(PARTIAL)).unwrap();
    assert!(home.erase().is_err());
    assert_eq!(home.registration().traveler().unwrap().unwrap().name, NAME);
    assert_eq!(home.state().unwrap().record, RecordState::Open);
    fs::remove_dir(phone.files().join(PARTIAL)).unwrap();
    home.erase().unwrap();
    assert_eq!(home.registration().traveler().unwrap(), None);
}
