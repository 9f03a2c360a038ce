//! A drain: several requests in flight, and a live SOS that waits for none of them.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use homeline::homeline::ParkedKind;
use homeline::registration::Purpose;
use homeline::sync::SyncStop;
use homeline::sync::protocol::{CHANGES_PATH, ENVELOPES_PATH, EnvelopeOutcome, Problem};
use homeline::whereabouts::Fix;
use homeline_tests::certs::Authority;
use homeline_tests::chance::Chance;
use homeline_tests::hostile::{Answer, HostileServer};
use uuid::Uuid;

use crate::scene::{Fake, LONG_MS, Office, Phone, batch, fix, is_received, press, register, sync};

/// A moment in 2026.
const START_MS: i64 = 1_770_000_000_000;

/// Positions that drain; the full figure takes a debug build a minute.
fn positions() -> i64 {
    std::env::var("HOMELINE_DRAIN_POSITIONS").map_or(20_000, |n| n.parse().unwrap())
}

/// What has arrived, and whether the ministry answers.
#[derive(Default)]
struct Counter {
    batches: Mutex<(Vec<Vec<Uuid>>, bool)>,
    changed: Condvar,
}

impl Counter {
    fn note(&self, ids: Vec<Uuid>) {
        self.batches.lock().unwrap().0.push(ids);
        self.changed.notify_all();
    }

    /// Notes a batch and waits until the ministry answers.
    fn take(&self, ids: Vec<Uuid>) {
        let mut state = self.batches.lock().unwrap();
        state.0.push(ids);
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |state| !state.1).unwrap());
    }

    fn answer(&self, now: bool) {
        self.batches.lock().unwrap().1 = now;
        self.changed.notify_all();
    }

    /// The batches, once there are so many; those there are after ten seconds.
    fn wait_for(&self, number: usize) -> Vec<Vec<Uuid>> {
        let state = self.batches.lock().unwrap();
        let limit = Duration::from_secs(10);
        let (state, _) = self
            .changed
            .wait_timeout_while(state, limit, |state| state.0.len() < number)
            .unwrap();
        state.0.clone()
    }
}

#[test]
fn a_live_sos_waits_for_nothing_not_even_for_what_is_in_flight() {
    let (office, phone) = (Office::new(), Phone::new());
    let ca = Authority::new().unwrap();
    let sealing_key = office.ministry.host_values().sealing_key;
    let fake = Arc::new(Fake::new(1, 2, 1, &sealing_key));
    let counter = Arc::new(Counter::default());
    let (signs, counts) = (Arc::clone(&fake), Arc::clone(&counter));
    let answer = Answer::by(move |request| {
        if request.path == ENVELOPES_PATH {
            counts.take(batch(&request).iter().map(|one| one.id).collect());
        }
        signs.answer(&request, |envelope| signs.accept(envelope))
    });
    let server = HostileServer::start(ca.server().unwrap(), answer).unwrap();
    let mut config = office.config(&phone);
    config.ministry_url = server.url();
    config.tls_roots = vec![ca.der().to_vec()];
    config.anchors.push(fake.anchor());
    let home = phone.open(config);
    counter.answer(true);
    assert_eq!(sync(&home).stopped, SyncStop::Done);

    home.consents()
        .give(Purpose::Whereabouts, "2026-01".into())
        .unwrap();
    for part in 0..positions() / 5_000 {
        let fixes = (part * 5_000..(part + 1) * 5_000).map(|n| {
            // Places that no packing makes small: four requests must be in flight.
            let mut chance = Chance::new(u64::try_from(n).unwrap());
            let mut some = || f64::from(u32::try_from(chance.below(10_000)).unwrap());
            Fix {
                altitude_m: Some(some() / 10.0),
                accuracy_m: Some(1.0 + some() / 100.0),
                heading_deg: Some(some() / 28.0),
                speed_mps: Some(some() / 1e3),
                ..fix(
                    41.0 + some() / 1e8,
                    28.9 + some() / 1e8,
                    START_MS + n * 1_000,
                )
            }
        });
        home.whereabouts().record_all(fixes.collect()).unwrap();
    }
    counter.answer(false);
    let report = thread::scope(|scope| {
        let pass = scope.spawn(|| home.sync(LONG_MS).unwrap());
        // All that may be in flight are held up.
        let held = counter.wait_for(4).len();
        assert_eq!(held, 4);
        thread::sleep(Duration::from_millis(200));
        assert_eq!(counter.wait_for(4).len(), 4);
        let report = press(&home, "hurt");
        let batches = counter.wait_for(5);
        counter.answer(true);
        let ids: Vec<String> = batches[4].iter().map(Uuid::to_string).collect();
        assert_eq!(ids.first(), Some(&report), "the next request carries it");
        let outcome = pass.join().unwrap();
        assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));
        report
    });
    assert!(is_received(&home, &report));
    // Nothing was sent twice.
    let mut ids: Vec<Uuid> = counter.wait_for(0).concat();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn a_live_sos_does_not_wait_for_the_feed() {
    let (office, phone) = (Office::new(), Phone::new());
    let ca = Authority::new().unwrap();
    let sealing_key = office.ministry.host_values().sealing_key;
    let fake = Fake::new(1, 2, 1, &sealing_key);
    let anchor = fake.anchor();
    let counter = Arc::new(Counter::default());
    let counts = Arc::clone(&counter);
    let answer = Answer::by(move |request| {
        let ids = batch(&request).iter().map(|one| one.id).collect();
        match request.path.starts_with(CHANGES_PATH) {
            true => counts.take(ids),
            false if request.path == ENVELOPES_PATH => counts.note(ids),
            false => {}
        }
        fake.answer(&request, |envelope| fake.accept(envelope))
    });
    let server = HostileServer::start(ca.server().unwrap(), answer).unwrap();
    let mut config = office.config(&phone);
    config.ministry_url = server.url();
    config.tls_roots = vec![ca.der().to_vec()];
    config.anchors.push(anchor);
    let home = phone.open(config);
    thread::scope(|scope| {
        let pass = scope.spawn(|| home.sync(LONG_MS).unwrap());
        // The feed was asked for, and does not answer.
        assert_eq!(counter.wait_for(1).len(), 1);
        let report = press(&home, "hurt");
        let batches = counter.wait_for(2);
        counter.answer(true);
        assert_eq!(
            batches[1].first().map(Uuid::to_string),
            Some(report.clone())
        );
        let outcome = pass.join().unwrap();
        assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));
        assert!(is_received(&home, &report));
    });
}

#[test]
fn what_is_parked_is_shown_with_its_reason_and_sent_again() {
    let (office, phone) = (Office::new(), Phone::new());
    let ca = Authority::new().unwrap();
    let sealing_key = office.ministry.host_values().sealing_key;
    let fake = Fake::new(1, 2, 1, &sealing_key);
    let anchor = fake.anchor();
    let refuses = Arc::new(AtomicBool::new(true));
    let now = Arc::clone(&refuses);
    let answer = Answer::by(move |request| {
        fake.answer(&request, |envelope| match now.load(SeqCst) {
            true => EnvelopeOutcome::Refused {
                problem: Problem {
                    kind: "urn:homeline:problem:test".into(),
                    title: "No.".into(),
                    status: 422,
                },
            },
            false => fake.accept(envelope),
        })
    });
    let server = HostileServer::start(ca.server().unwrap(), answer).unwrap();
    let mut config = office.config(&phone);
    config.ministry_url = server.url();
    config.tls_roots = vec![ca.der().to_vec()];
    config.anchors.push(anchor);
    let home = phone.open(config);
    register(&home, "李伟");
    home.consents()
        .give(Purpose::Register, "2026-01".into())
        .unwrap();
    let report = press(&home, "hurt");
    let outcome = sync(&home);
    let parked = home.parked().unwrap();
    assert_eq!(usize::try_from(outcome.parked).unwrap(), parked.len());
    let kinds: Vec<_> = parked.iter().map(|item| item.kind).collect();
    let all = [
        ParkedKind::Report,
        ParkedKind::WhoCalls,
        ParkedKind::Registration,
    ];
    assert_eq!(kinds, all);
    assert_eq!(parked[0].report.as_ref(), Some(&report));
    for item in &parked {
        assert_eq!(item.status, Some(422));
        assert_eq!(item.reason.as_deref(), Some("urn:homeline:problem:test"));
        assert!(item.since_ms.is_some());
    }

    refuses.store(false, SeqCst);
    home.try_again(parked[0].id.clone()).unwrap();
    home.try_again(parked[2].id.clone()).unwrap();
    assert!(home.try_again(parked[2].id.clone()).is_err());
    assert!(home.try_again("nothing".into()).is_err());
    assert_eq!(sync(&home).sent, 2);
    assert!(is_received(&home, &report));
    let left = home.parked().unwrap();
    assert_eq!(left, parked[1..2]);
}
