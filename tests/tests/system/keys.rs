//! The ministry changes its keys while reports wait: all arrive, sealed anew where
//! they must be, each as one case.

use std::sync::{Arc, Mutex};

use homeline::clock::{Clock as _, SystemClock};
use homeline::config::Config;
use homeline::registration::Purpose;
use homeline::seal::envelope::RecipientKey;
use homeline::sos::{AttemptResult, Evidence, ReportState};
use homeline::sync::protocol::{
    EnvelopeOutcome, Problem, RETIRED_KEY, SealedEnvelope, UNKNOWN_KEY, expand,
};
use homeline::sync::{CANNOT_RESEAL, SyncStop};
use homeline::{Homeline, RecordState};
use homeline_tests::certs::Authority;
use homeline_tests::hostile::{Answer, HostileServer};
use homeline_tests::scene::Scene;
use homeline_tests::stage::Network;
use ministry::{Former, Ministry, Rotation};

use crate::scene::{
    Fake, LONG_MS, Office, Phone, Recorder, add_contact, case, count, fix, is_received, press,
    register, state, sync,
};

/// Now, milliseconds UTC: what is older than half a year is not kept.
fn now_ms() -> i64 {
    SystemClock::new().read().unwrap().wall_ms
}

fn give(home: &Homeline, purpose: Purpose) {
    home.consents().give(purpose, "2026-01".into()).unwrap();
}

/// New keys for everything; those before are refused.
fn revoke(ministry: &Ministry) {
    ministry
        .rotate_keys(Rotation::Both, Former::Revoked)
        .unwrap();
}

/// Why attempts to send a report have failed.
fn attempts(home: &Homeline, report: &str) -> Vec<AttemptResult> {
    let status = home.sos().status(report.to_owned()).unwrap();
    let results = status
        .events
        .iter()
        .filter_map(|event| match event.evidence {
            Evidence::Attempt { result, .. } => Some(result),
            _ => None,
        });
    results.collect()
}

#[test]
fn keys_change_three_times_while_everything_waits_and_all_of_it_arrives() {
    for former in [Former::Kept, Former::Revoked] {
        let scene = Scene::new().unwrap();
        let home = scene.open().unwrap();
        register(&home, "李伟");
        add_contact(&home, "王芳");
        give(&home, Purpose::Register);
        give(&home, Purpose::Whereabouts);
        // The phone knows the first keys.
        assert_eq!(sync(&home).stopped, SyncStop::Done);
        scene.stage.network(Network::Down);
        let start_ms = now_ms() - 4_000_000;
        let fixes = (0..1_100).map(|n| fix(41.0, 28.9, start_ms + n * 1_000));
        home.whereabouts().record_all(fixes.collect()).unwrap();
        add_contact(&home, "张敏");
        let reports: Vec<_> = (0..5)
            .map(|number| press(&home, &format!("hurt {number}")))
            .collect();
        home.sos()
            .update_position(reports[1].clone(), fix(48.5, 2.25, start_ms))
            .unwrap();
        home.sos().cancel(reports[2].clone()).unwrap();
        // Also what only a pass puts into the outbox waits there.
        sync(&home);
        for _ in 0..3 {
            scene
                .stage
                .ministry
                .rotate_keys(Rotation::Both, former)
                .unwrap();
        }
        scene.stage.network(Network::Up);
        let outcome = sync(&home);
        assert_eq!((outcome.waiting, outcome.parked), (0, 0), "{former:?}");
        assert_eq!(outcome.stopped, SyncStop::Done, "{former:?}");
        let ministry = &scene.stage.ministry;
        assert_eq!(ministry.cases().unwrap().len(), reports.len());
        for (number, report) in reports.iter().enumerate() {
            let case = case(ministry, report);
            assert_eq!(case.note, format!("hurt {number}"));
            assert_eq!(case.traveler.as_ref().unwrap().name, "李伟", "{former:?}");
            let refused =
                attempts(&home, report).contains(&AttemptResult::KeyRetired { status: 422 });
            assert_eq!(refused, former == Former::Revoked);
        }
        for report in [&reports[0], &reports[1], &reports[3]] {
            assert!(is_received(&home, report), "{:?}", state(&home, report));
        }
        let cancelled = state(&home, &reports[2]);
        let known = matches!(
            cancelled,
            ReportState::Cancelled {
                known_at_ministry_ms: Some(_)
            }
        );
        assert!(known, "{cancelled:?}");
        assert!(case(ministry, &reports[2]).cancelled_ms.is_some());
        let data = scene.base.path().join("ministry");
        assert_eq!(count(&data, "SELECT count(*) FROM positions"), 1_100);
        // Nothing that was kept to seal anew is left behind.
        let outbox = rusqlite::Connection::open(scene.files().join("outbox.db")).unwrap();
        for table in ["readable", "sealing"] {
            let sql = format!("SELECT count(*) FROM {table}");
            let rows: i64 = outbox.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert_eq!(rows, 0, "{table}");
        }
    }
}

#[test]
fn a_report_that_had_arrived_is_one_case_after_its_key_was_revoked() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    // Long enough to be told from the opening of a connection.
    let report = press(&home, &"hurt ".repeat(400));
    scene.stage.network(Network::Swallow);
    assert_eq!(sync(&home).stopped, SyncStop::Offline);
    assert_eq!(case(&scene.stage.ministry, &report).times_received, 1);
    assert!(!is_received(&home, &report));
    revoke(&scene.stage.ministry);
    scene.stage.network(Network::Up);
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    assert!(is_received(&home, &report), "{:?}", state(&home, &report));
    assert_eq!(case(&scene.stage.ministry, &report).times_received, 2);
}

#[test]
fn a_locked_phone_seals_its_reports_anew() {
    // The record cannot be read; the device's own keys can.
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    register(&home, "李伟");
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    scene.stage.network(Network::Down);
    let before = press(&home, "before");
    home.sos().cancel(before.clone()).unwrap();
    sync(&home);
    drop(home);
    // Settled into the record at this start, then locked.
    drop(scene.open().unwrap());
    scene.vault.set_locked(true);
    revoke(&scene.stage.ministry);
    let home = scene.open().unwrap();
    assert_eq!(home.state().unwrap().record, RecordState::Locked);
    let locked = press(&home, "locked");
    scene.stage.network(Network::Up);
    sync(&home);
    assert!(is_received(&home, &locked), "{:?}", state(&home, &locked));
    assert_eq!(case(&scene.stage.ministry, &locked).note, "locked");
    assert!(case(&scene.stage.ministry, &before).cancelled_ms.is_some());
    // Who calls is in the record: that waits, and held nothing up.
    let outcome = sync(&home);
    assert_eq!((outcome.waiting, outcome.parked), (1, 0));
    scene.vault.set_locked(false);
    home.reopen().unwrap();
    assert_eq!(sync(&home).waiting, 0);
    let traveler = case(&scene.stage.ministry, &locked).traveler.unwrap();
    assert_eq!(traveler.name, "李伟");
}

#[test]
fn what_nobody_can_read_any_more_is_parked_with_its_reason() {
    // Erased while it waited: the keys that could read the report are gone.
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    scene.stage.network(Network::Down);
    let report = press(&home, "hurt");
    home.erase().unwrap();
    revoke(&scene.stage.ministry);
    scene.stage.network(Network::Up);
    let outcome = sync(&home);
    assert!(outcome.parked >= 1, "{outcome:?}");
    match state(&home, &report) {
        ReportState::Parked { status, reason } => {
            assert_eq!((status, reason.as_str()), (422, CANNOT_RESEAL));
        }
        other => panic!("{other:?}"),
    }
    // A press of the new device goes.
    let next = press(&home, "again");
    sync(&home);
    assert!(is_received(&home, &next));
}

#[test]
fn keys_that_change_between_two_batches_of_a_pass_lose_nothing() {
    let office = Arc::new(Office::new());
    let phone = Phone::new();
    let recorder = Recorder::new(office.ministry.host_values().tls_root);
    let transport = Arc::<Recorder>::clone(&recorder);
    let home = Homeline::open(office.config(&phone), phone.vault(), Some(transport), None).unwrap();
    assert_eq!(home.sync(LONG_MS).unwrap().stopped, SyncStop::Done);
    let reports: Vec<_> = (0..150).map(|_| press(&home, "hurt")).collect();
    let rotating = Arc::clone(&office);
    recorder.before_each_batch(move |number| {
        if number == 2 {
            revoke(&rotating.ministry);
        }
    });
    let outcome = sync(&home);
    assert_eq!((outcome.waiting, outcome.parked), (0, 0));
    assert_eq!(outcome.sent, 150);
    for report in &reports {
        assert!(is_received(&home, report));
        assert_eq!(office.case(report).times_received, 1);
    }
}

/// A phone whose `Config` has the anchor of a fake ministry, whose sealing key is
/// that of `office`.
fn config(office: &Office, phone: &Phone, ca: &Authority, server: &HostileServer) -> Config {
    let mut config = office.config(phone);
    config.ministry_url = server.url();
    config.tls_roots = vec![ca.der().to_vec()];
    config.anchors.push(Fake::new(1, 2, 1, &[]).anchor());
    config
}

fn refused(kind: &str) -> EnvelopeOutcome {
    EnvelopeOutcome::Refused {
        problem: Problem {
            kind: kind.into(),
            title: String::new(),
            status: 422,
        },
    }
}

#[test]
fn a_receipt_for_the_first_sealing_is_believed_after_the_second() {
    // A ministry that has the report, lost the answer, and answers every repetition
    // with its first receipt: the protocol lets it.
    let (office, ca, phone) = (Office::new(), Authority::new().unwrap(), Phone::new());
    let newer = RecipientKey::from_bytes(&[9; 32]).unwrap();
    let fake = Fake::new(1, 2, 1, newer.public());
    let first: Mutex<Option<SealedEnvelope>> = Mutex::default();
    let seen: Arc<Mutex<Vec<SealedEnvelope>>> = Arc::default();
    let noted = Arc::clone(&seen);
    let answer = Answer::by(move |request| {
        fake.answer(&request, |envelope| {
            noted.lock().unwrap().push(envelope.clone());
            let mut first = first.lock().unwrap();
            match &*first {
                None => {
                    *first = Some(envelope.clone());
                    refused(RETIRED_KEY)
                }
                Some(first) => EnvelopeOutcome::Duplicate {
                    receipt: fake.sign_receipt(&Fake::receipt(first)),
                },
            }
        })
    });
    let server = HostileServer::start(ca.server().unwrap(), answer).unwrap();
    let home = phone.open(config(&office, &phone, &ca, &server));
    let report = press(&home, "hurt");
    sync(&home);
    assert!(is_received(&home, &report), "{:?}", state(&home, &report));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].id, seen[1].id);
    assert!(seen[0].sealed != seen[1].sealed);
    let opened = homeline::seal::envelope::open(&seen[1].sealed.0, &[newer]).unwrap();
    let content = expand(&opened.content, opened.id).unwrap();
    assert!(String::from_utf8_lossy(&content).contains("hurt"));
}

#[test]
fn a_refusal_for_the_key_parks_nothing_and_ends() {
    // Whoever says so: without a newer key it changes nothing, and it is not asked
    // again and again.
    let office = Office::new();
    let ca = Authority::new().unwrap();
    let known = office.ministry.host_values().sealing_key;
    // A document that brings no other key, and one that nobody has to believe.
    for anchor in [1, 3] {
        for kind in [RETIRED_KEY, UNKNOWN_KEY] {
            let phone = Phone::new();
            let fake = Fake::new(anchor, 2, 1, &known);
            let answer = Answer::by(move |request| fake.answer(&request, |_| refused(kind)));
            let server = HostileServer::start(ca.server().unwrap(), answer).unwrap();
            let home = phone.open(config(&office, &phone, &ca, &server));
            let reports: Vec<_> = (0..3).map(|_| press(&home, "hurt")).collect();
            let outcome = sync(&home);
            assert_eq!((outcome.waiting, outcome.parked), (3, 0));
            assert!(server.requests() < 10, "{:?}", server.paths());
            for report in &reports {
                let state = state(&home, report);
                assert!(matches!(state, ReportState::Handed { .. }), "{state:?}");
            }
            drop(home);
            let home = phone.open(office.config(&phone));
            sync(&home);
            for report in &reports {
                assert!(is_received(&home, report));
                assert_eq!(office.case(report).times_received, 1);
            }
        }
    }
}

#[test]
fn news_by_a_key_that_is_not_known_yet_are_not_lost() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let report = press(&home, "hurt");
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    let ministry = &scene.stage.ministry;
    let number = case(ministry, &report).id;
    ministry
        .rotate_keys(Rotation::Receipts, Former::Kept)
        .unwrap();
    ministry.acknowledge(&number, "王芳", "M").unwrap();
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    let seen = state(&home, &report);
    assert!(matches!(seen, ReportState::Acknowledged { .. }), "{seen:?}");
    // Revoked, and told anew.
    revoke(ministry);
    ministry.close(&number).unwrap();
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    let seen = state(&home, &report);
    assert!(matches!(seen, ReportState::Closed { .. }), "{seen:?}");
}
