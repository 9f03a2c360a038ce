//! Files live longer than the code that wrote them: what each released version
//! wrote (`fixtures/vN`, made by `examples/fixture.rs`) opens with today's code,
//! with every row of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure ends the test it happens in"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use homeline::clock::{Clock, ClockReading};
use homeline::config::{Config, Hotline};
use homeline::contacts::Relation;
use homeline::error::HostError;
use homeline::homeline::Waiting;
use homeline::keys::FileVault;
use homeline::registration::{Purpose, TravelerKind};
use homeline::sos::{ReportState, SosKind};
use homeline::whereabouts::{FixSource, Position};
use homeline::{Homeline, RecordState};
use tempfile::TempDir;

/// 2026-01-01T00:00:00Z, when the fixtures begin.
const BEGIN_MS: i64 = 1_767_225_600_000;

/// A clock that stands where the fixture's own ended, within the last countdown.
struct Then;

impl Clock for Then {
    fn read(&self) -> Result<ClockReading, HostError> {
        Ok(ClockReading {
            wall_ms: BEGIN_MS + 930_000,
            monotonic_ms: 990_000,
            boot_id: "boot-4".into(),
        })
    }
}

/// A copy of the files of a version: opening may change them.
fn copy_of(version: &str) -> TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(version);
    let directory = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), directory.path().join(entry.file_name())).unwrap();
    }
    directory
}

fn open(directory: &Path) -> Arc<Homeline> {
    let config = Config {
        directory: directory.to_string_lossy().into_owned(),
        ministry_url: "https://ministry.example".into(),
        anchors: vec![vec![7; 32]],
        sealing_key: vec![9; 32],
        tls_roots: vec![],
        hotline: Hotline {
            from_home: "12308".into(),
            from_abroad: "+861012308".into(),
        },
        home_country: "CN".into(),
        sms_numbers: vec![],
        datagram: None,
        receipt_keys: Vec::new(),
        languages: Vec::new(),
    };
    let vault = directory.join("vault.key").to_string_lossy().into_owned();
    Homeline::open(
        config,
        FileVault::open(vault).unwrap(),
        None,
        Some(Arc::new(Then)),
    )
    .unwrap()
}

#[test]
fn every_row_that_version_1_wrote_is_there() {
    let directory = copy_of("v1");
    // Twice: the second start finds files of today's version.
    for _ in 0..2 {
        let home = open(directory.path());
        let state = home.state().unwrap();
        assert_eq!(state.record, RecordState::Open);
        assert_eq!(state.set_aside, Vec::<String>::new());
        who(&home);
        consents(&home);
        positions(&home);
        reports(&home);
    }
}

fn who(home: &Homeline) {
    let traveler = home.registration().traveler().unwrap().unwrap();
    assert_eq!(traveler.name, "李伟");
    assert!(
        matches!(&traveler.kind, TravelerKind::Student { school, .. }
            if school == "Boğaziçi Üniversitesi")
    );
    assert_eq!(traveler.phone.as_deref(), Some("+902125550100"));
    let document = traveler.documents[0].clone();
    assert_eq!(document.number, "L898902C3");
    assert!(document.mrz.unwrap().ends_with("ZE184226B<<<<<10"));

    let saved = home.contacts().list().unwrap();
    let contacts: Vec<_> = saved
        .iter()
        .map(|saved| {
            let contact = &saved.contact;
            (contact.name.as_str(), contact.phone.as_str())
        })
        .collect();
    let expected = [("王芳", "+8613900139000"), ("Ayşe Yılmaz", "112")];
    assert_eq!(contacts, expected);
    assert_eq!(saved[0].contact.relation, Relation::Parent);
    assert_eq!(saved[1].contact.relation, Relation::School);
}

fn consents(home: &Homeline) {
    let consents = home.consents().list().unwrap();
    assert_eq!(consents.len(), 2);
    for consent in consents {
        assert_eq!(consent.text_version, "2026-01");
        let within = BEGIN_MS..BEGIN_MS + 60_000;
        assert!(within.contains(&consent.given_ms));
        match consent.withdrawn_ms {
            None => assert_eq!(consent.purpose, Purpose::Register),
            Some(at) => {
                assert_eq!(consent.purpose, Purpose::Whereabouts);
                assert!(at > consent.given_ms && within.contains(&at));
            }
        }
    }
}

/// As `examples/fixture.rs` makes them: number, and minute of it.
fn positions(home: &Homeline) {
    let mut expected: Vec<(i32, i32)> = (0..300).map(|number| (number, number)).collect();
    expected.extend((0..10).map(|number| (number, number * 30 - 5)));
    // Fixes of the same minute come in the order in which they were recorded.
    expected.sort_by_key(|(_, minute)| *minute);

    let mut fixes = home
        .whereabouts()
        .list(i64::MIN, i64::MAX, u32::MAX)
        .unwrap();
    // They were recorded faster than a minute each: the later ones are from the
    // future, and count for the moment of their recording.
    fixes.sort_by_key(|recorded| recorded.fix.time_ms);
    assert_eq!(fixes.len(), expected.len());
    for (recorded, (number, minute)) in fixes.iter().zip(expected) {
        let fix = &recorded.fix;
        assert_eq!(fix.time_ms, BEGIN_MS + i64::from(minute) * 60_000);
        let (latitude, longitude) = fix.position.degrees();
        // A later version may keep 1e-6 degrees; this is half a metre.
        assert!((latitude - (41.0 + f64::from(number) * 1e-4)).abs() < 5e-6);
        assert!((longitude - (28.5 + f64::from(number) * 3e-4)).abs() < 5e-6);
        let datum = match fix.position {
            Position::Wgs84 { .. } => 0,
            Position::Gcj02 { .. } => 1,
            Position::Bd09 { .. } => 2,
        };
        assert_eq!(datum, number % 3);
        let source = match fix.source {
            FixSource::Gnss => 0,
            FixSource::Network => 1,
            FixSource::Fused => 2,
            FixSource::Manual => 3,
        };
        assert_eq!(source, number % 4);
        match fix.accuracy_m {
            None => assert_eq!(number % 5, 4),
            Some(metres) => {
                assert!((metres - (3.5 + f64::from(number % 50))).abs() < 0.5);
            }
        }
    }
    // The newest that is not from the future, with its age.
    let last = home.whereabouts().last().unwrap().unwrap();
    assert_eq!(last.fix.time_ms, BEGIN_MS + 25 * 60_000);
    assert!(last.age_ms.is_some_and(|age| age > 0));
}

fn reports(home: &Homeline) {
    let reports = home.sos().reports().unwrap();
    let told: Vec<_> = reports
        .iter()
        .map(|report| (report.kind.unwrap(), report.note.as_deref().unwrap()))
        .collect();
    // The newest first. The oldest was in the record, the others' readable
    // copies in the outbox.
    assert_eq!(
        told,
        [
            (SosKind::Crime, "包被偷了"),
            (SosKind::Lost, "迷路了 مرحبا"),
            (SosKind::Medical, "摔伤了腿"),
        ]
    );
    assert!(matches!(reports[0].state, ReportState::Countdown { .. }));
    assert_eq!(reports[1].state, ReportState::Stored);
    assert_eq!(reports[2].state, ReportState::Stored);
    // They wait to be sent, and the envelope that says who calls.
    assert_eq!(
        home.state().unwrap().outbox,
        Waiting::Known {
            waiting: 4,
            parked: 0
        }
    );
    // In the countdown it can still be cancelled, and leaves nothing.
    let status = home.sos().status(reports[0].report.clone()).unwrap();
    assert_eq!(status.events.len(), 1);
}
