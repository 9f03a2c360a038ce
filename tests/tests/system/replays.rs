//! What the ministry did sign once, said again by somebody else: receipts, and the
//! service documents that named the keys of then.

use std::sync::{Arc, Mutex};

use homeline::sos::AttemptResult;
use homeline::sync::SyncStop;
use homeline::sync::protocol::EnvelopeOutcome;

use crate::hostile_ministry::Scene;
use crate::scene::{Fake, LONG_MS, Phone, is_received, press, sync};

#[test]
fn the_receipt_of_another_phones_report_proves_nothing() {
    let scene = Scene::new();
    let (honest, anchor) = (scene.fake(1, 2, 1), scene.fake(1, 2, 1));
    let first = Mutex::new(None::<EnvelopeOutcome>);
    let server = scene.by(move |request| {
        honest.answer(&request, |one| {
            let mut first = first.lock().unwrap();
            first.get_or_insert_with(|| honest.accept(one)).clone()
        })
    });
    let theirs = Phone::new();
    let home = theirs.open(scene.config(&theirs, &server, &[&anchor]));
    let report = press(&home, "theirs");
    assert_eq!(sync(&home).sent, 1);
    assert!(is_received(&home, &report));
    let met = scene.meet_with(Phone::new(), &server, &[&anchor], LONG_MS);
    assert_eq!(met.attempt(), AttemptResult::BadReceipt);
    met.is_handed();
    met.arrives(&scene);
}

/// A document that names key 2, then a newer one that names key 6 in its place. Key 2
/// may have been stolen since: whatever it signs from then on, with the document of
/// then or without it, proves nothing, and what key 6 signs is still believed.
#[test]
fn a_key_of_an_older_document_stays_retired() {
    let scene = Scene::new();
    let sealing_key = scene.office.ministry.host_values().sealing_key;
    let of = |receipt, serial| Fake::new(1, receipt, serial, &sealing_key);
    // Who answers: document and key of then, document and key of now, or a document of
    // now with receipts of then.
    let (then, now) = (of(2, 5), of(6, 6));
    let turn = Arc::new(Mutex::new("then"));
    let said = Arc::clone(&turn);
    let server = scene.by(move |request| match *said.lock().unwrap() {
        "then" => then.answer(&request, |one| then.accept(one)),
        "now" => now.answer(&request, |one| now.accept(one)),
        _ => now.answer(&request, |one| then.accept(one)),
    });
    let says = |who| *turn.lock().unwrap() = who;
    let phone = Phone::new();
    let config = || scene.config(&phone, &server, &[&of(2, 5)]);
    let home = phone.open(config());
    for who in ["then", "now"] {
        says(who);
        let report = press(&home, who);
        sync(&home);
        assert!(is_received(&home, &report), "{who}");
    }
    drop(home);
    // The app starts anew each time: what is in force is on disk.
    for who in ["then", "receipts of then"] {
        says(who);
        let home = phone.open(config());
        let report = press(&home, "hurt");
        let outcome = sync(&home);
        assert_eq!(outcome.stopped, SyncStop::NotTheMinistry, "{who}");
        assert!(!is_received(&home, &report), "{who}");
        says("now");
        assert_eq!(sync(&home).stopped, SyncStop::Done, "{who}");
        assert!(is_received(&home, &report), "{who}");
    }
}
