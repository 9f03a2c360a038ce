//! The traveler's record: saved, changed, listed, removed, and there again after
//! a restart.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use homeline::config::{Config, Hotline};
use homeline::contacts::{Contact, Relation};
use homeline::keys::FileVault;
use homeline::registration::{Purpose, Traveler, TravelerKind};
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, HomelineError};
use tempfile::TempDir;

fn open(base: &TempDir) -> Arc<Homeline> {
    let path = |name: &str| base.path().join(name).to_string_lossy().into_owned();
    let config = Config {
        directory: path("files"),
        // Nobody listens there: all of this needs no network.
        ministry_url: "https://127.0.0.1:1".into(),
        anchors: vec![vec![1; 32]],
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
    Homeline::open(
        config,
        FileVault::open(path("vault.key")).unwrap(),
        None,
        None,
    )
    .unwrap()
}

fn contact(name: &str) -> Contact {
    Contact {
        name: name.into(),
        phone: "+86 139 0013 9000".into(),
        relation: Relation::Parent,
        ..Contact::default()
    }
}

fn fix(time_ms: i64) -> Fix {
    Fix::new(
        Position::Gcj02 {
            latitude: 39.9,
            longitude: 116.4,
        },
        time_ms,
        FixSource::Manual,
    )
}

#[test]
fn contacts_are_added_changed_removed_and_kept_in_order() {
    let base = tempfile::tempdir().unwrap();
    let home = open(&base);
    let contacts = home.contacts();
    let ids: Vec<String> = ["一", "二", "三"]
        .map(|name| contacts.add(contact(name)).unwrap())
        .into();
    contacts
        .change(ids.last().unwrap().clone(), contact("四"))
        .unwrap();
    contacts.remove(ids.first().unwrap().clone()).unwrap();
    for gone in [
        contacts.remove(ids.first().unwrap().clone()),
        contacts.change("99".into(), contact("x")),
    ] {
        assert!(matches!(gone, Err(HomelineError::NotFound { .. })));
    }
    drop((contacts, home));
    let listed = open(&base).contacts().list().unwrap();
    let names: Vec<&str> = listed
        .iter()
        .map(|saved| saved.contact.name.as_str())
        .collect();
    assert_eq!(names, ["二", "四"]);
    assert!(
        listed
            .iter()
            .all(|saved| saved.contact.phone == "+8613900139000")
    );
}

#[test]
fn a_registration_is_saved_replaced_and_removed() {
    let base = tempfile::tempdir().unwrap();
    let home = open(&base);
    let registration = home.registration();
    assert_eq!(registration.traveler().unwrap(), None);
    for name in ["李伟", "李薇"] {
        let traveler = Traveler {
            name: name.into(),
            kind: TravelerKind::Crew { vessel: None },
            phone: Some("12308".into()),
            ..Traveler::default()
        };
        registration.save(traveler.clone()).unwrap();
        assert_eq!(registration.traveler().unwrap(), Some(traveler));
    }
    home.consents()
        .give(Purpose::Register, "v1".into())
        .unwrap();
    home.consents().withdraw(Purpose::Register).unwrap();
    let consents = home.consents().list().unwrap();
    assert!(
        consents
            .iter()
            .all(|consent| consent.withdrawn_ms.is_some())
    );
    registration.remove().unwrap();
    drop((registration, home));
    assert_eq!(open(&base).registration().traveler().unwrap(), None);
}

#[test]
fn positions_are_listed_by_time_with_their_datum_and_removed() {
    let base = tempfile::tempdir().unwrap();
    let home = open(&base);
    let whereabouts = home.whereabouts();
    assert_eq!(whereabouts.last().unwrap(), None);
    // Real times: one of 1970 counts for the moment of its recording.
    const T: i64 = 1_750_000_000_000;
    whereabouts
        .record_all(vec![fix(T + 3_000), fix(T + 1_000)])
        .unwrap();
    whereabouts.record(fix(T + 2_000)).unwrap();
    let times = |from, to| -> Vec<i64> {
        let fixes = whereabouts.list(T + from, T + to, 10).unwrap();
        assert!(
            fixes
                .iter()
                .all(|one| matches!(one.fix.position, Position::Gcj02 { .. }))
        );
        fixes.iter().map(|one| one.fix.time_ms - T).collect()
    };
    assert_eq!(times(0, 10_000), [1_000, 2_000, 3_000]);
    assert_eq!(times(1_000, 3_000), [1_000, 2_000]);
    // One bad position, and none of them is kept.
    let bad = Fix {
        accuracy_m: Some(1.0),
        position: Position::Wgs84 {
            latitude: f64::NAN,
            longitude: 0.0,
        },
        ..fix(T + 4_000)
    };
    assert!(whereabouts.record_all(vec![fix(T + 4_000), bad]).is_err());
    assert_eq!(times(4_000, 5_000), [0; 0]);
    assert_eq!(whereabouts.remove_before(T + 2_500).unwrap(), 2);
    assert_eq!(times(0, 10_000), [3_000]);
    let last = whereabouts.last().unwrap().unwrap();
    assert!(last.age_ms.is_some_and(|age| age >= 0));
}

#[cfg(unix)]
#[test]
fn the_vaults_key_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let base = tempfile::tempdir().unwrap();
    drop(open(&base));
    let mode = std::fs::metadata(base.path().join("vault.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
