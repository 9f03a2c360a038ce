//! A button pressed towards something that is not the ministry, or is one with a
//! bug. Whatever it answers: the report stays, claims no more than was proved,
//! and arrives once when the real ministry is reached.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use homeline::Homeline;
use homeline::config::Config;
use homeline::seal::signed::Signed;
use homeline::sos::{AttemptResult, Evidence, ReportState};
use homeline::sync::protocol::{
    DEVICES_PATH, ENVELOPES_PATH, EnvelopeOutcome, Problem, SealedEnvelope,
};
use homeline::sync::{SyncOutcome, SyncStop};
use homeline_tests::certs::{Authority, foreign_server};
use homeline_tests::hostile::{Answer, HostileServer, Request, Response};
use uuid::Uuid;

use crate::scene::{
    Fake, LONG_MS, Office, Phone, fixed, is_received, last_evidence, press, problem, state, sync,
};

/// A real ministry that a phone knows, and an authority for those who pretend.
pub(crate) struct Scene {
    pub(crate) office: Office,
    pub(crate) ca: Authority,
}

/// A phone after a pass that met something else.
pub(crate) struct Met {
    pub(crate) phone: Phone,
    pub(crate) home: Arc<Homeline>,
    pub(crate) report: String,
    pub(crate) outcome: SyncOutcome,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self {
            office: Office::new(),
            ca: Authority::new().unwrap(),
        }
    }

    fn server(&self, answer: Answer) -> HostileServer {
        HostileServer::start(self.ca.server().unwrap(), answer).unwrap()
    }

    pub(crate) fn by(
        &self,
        answer: impl Fn(Request) -> Response + Send + Sync + 'static,
    ) -> HostileServer {
        self.server(Answer::by(answer))
    }

    pub(crate) fn fake(&self, anchor: u8, receipt: u8, serial: u64) -> Fake {
        let sealing_key = self.office.ministry.host_values().sealing_key;
        Fake::new(anchor, receipt, serial, &sealing_key)
    }

    /// The ministry's config, but for where it leads: with its anchors and
    /// `more`, and a certificate that the phone accepts.
    pub(crate) fn config(&self, phone: &Phone, server: &HostileServer, more: &[&Fake]) -> Config {
        let mut config = self.office.config(phone);
        config.ministry_url = server.url();
        config.tls_roots = vec![self.ca.der().to_vec()];
        config.anchors.extend(more.iter().map(|fake| fake.anchor()));
        config
    }

    /// A phone that the ministry has enrolled presses, and meets `server`.
    fn meet(&self, server: &HostileServer) -> Met {
        let phone = Phone::new();
        let home = phone.open(self.office.config(&phone));
        assert_eq!(sync(&home).stopped, SyncStop::Done);
        drop(home);
        self.meet_with(phone, server, &[], LONG_MS)
    }

    pub(crate) fn meet_with(
        &self,
        phone: Phone,
        server: &HostileServer,
        more: &[&Fake],
        ms: u64,
    ) -> Met {
        let home = phone.open(self.config(&phone, server, more));
        let report = press(&home, "hurt");
        let outcome = home.sync(ms).unwrap();
        Met {
            phone,
            home,
            report,
            outcome,
        }
    }
}

impl Met {
    pub(crate) fn attempt(&self) -> AttemptResult {
        match last_evidence(&self.home, &self.report) {
            Evidence::Attempt { result, .. } => result,
            other => panic!("{other:?}, {:?}", self.outcome),
        }
    }

    #[track_caller]
    pub(crate) fn is_handed(&self) {
        let state = state(&self.home, &self.report);
        assert!(matches!(state, ReportState::Handed { .. }), "{state:?}");
    }

    /// The report is still there, and is one case at the real ministry once
    /// that is reached.
    #[track_caller]
    pub(crate) fn arrives(self, scene: &Scene) {
        assert_eq!((self.outcome.sent, self.outcome.parked), (0, 0));
        assert_eq!(self.outcome.waiting, 1);
        assert!(!is_received(&self.home, &self.report));
        drop(self.home);
        arrives(scene, &self.phone, &self.report);
    }
}

#[track_caller]
fn arrives(scene: &Scene, phone: &Phone, report: &str) {
    let home = phone.open(scene.office.config(phone));
    // After "busy" the report goes, and everything else stands by.
    let stopped = sync(&home).stopped;
    assert!(
        matches!(stopped, SyncStop::Done | SyncStop::Busy),
        "{stopped:?}"
    );
    assert!(is_received(&home, report), "{:?}", state(&home, report));
    let case = scene.office.case(report);
    assert_eq!((case.times_received, case.note.as_str()), (1, "hurt"));
}

fn html(status: u16) -> Answer {
    Answer::by(move |_| fixed(status, &[("content-type", "text/html")], "<h1>Log in</h1>"))
}

fn json(body: &'static str) -> Answer {
    Answer::by(move |_| fixed(200, &[("content-type", "application/json")], body))
}

#[test]
fn an_answer_that_is_not_the_protocol_proves_nothing() {
    let scene = Scene::new();
    let not_the_ministry = |status| AttemptResult::NotTheMinistry { status };
    let table = [
        (html(200), not_the_ministry(200)),
        (html(404), not_the_ministry(404)),
        (html(403), not_the_ministry(403)),
        (html(511), not_the_ministry(511)),
        (
            json(r#"{"ok":true,"status":"received"}"#),
            not_the_ministry(200),
        ),
        (json("[1,2,3]"), not_the_ministry(200)),
        (json("\"received\""), not_the_ministry(200)),
        (json(""), not_the_ministry(200)),
        (json(r#"{"results":[]}"#), AttemptResult::BadReceipt),
    ];
    for (answer, expected) in table {
        let met = scene.meet(&scene.server(answer));
        assert_eq!(met.attempt(), expected);
        assert_eq!(met.outcome.stopped, SyncStop::NotTheMinistry);
        met.is_handed();
        met.arrives(&scene);
    }
}

#[test]
fn bytes_that_are_not_http_are_no_answer() {
    let scene = Scene::new();
    for answer in [Answer::Garbage, Answer::ManyHeaders(10_000)] {
        let server = scene.server(answer);
        let met = scene.meet(&server);
        assert!(server.connections() > 0);
        assert!(
            matches!(
                met.attempt(),
                AttemptResult::NoAnswer | AttemptResult::NotTheMinistry { .. }
            ),
            "{:?}",
            met.attempt()
        );
        met.is_handed();
        met.arrives(&scene);
    }
}

#[test]
fn an_endless_answer_is_cut_off() {
    let scene = Scene::new();
    for content_type in ["application/json", "text/html"] {
        let server = scene.server(Answer::Endless {
            content_type: content_type.into(),
        });
        let met = scene.meet(&server);
        let sent = server.bytes_sent();
        assert!(sent < 16 * 1024 * 1024, "{sent} bytes were taken");
        assert_eq!(met.outcome.stopped, SyncStop::NotTheMinistry);
        met.is_handed();
        met.arrives(&scene);
    }
}

#[test]
fn a_dripping_answer_ends_with_the_deadline() {
    let scene = Scene::new();
    let phone = Phone::new();
    let server = scene.server(Answer::Drip {
        byte_every: Duration::from_secs(1),
    });
    let begin = Instant::now();
    let met = scene.meet_with(phone, &server, &[], 3_000);
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
    assert!(
        matches!(met.outcome.stopped, SyncStop::Deadline | SyncStop::Offline),
        "{:?}",
        met.outcome
    );
    met.arrives(&scene);
}

#[test]
fn no_redirect_is_followed() {
    let scene = Scene::new();
    let elsewhere = scene.server(json("{}"));
    for status in [301, 302, 303, 307, 308] {
        let server = scene.server(Answer::Redirect {
            to: format!("{}{ENVELOPES_PATH}", elsewhere.url()),
            status,
        });
        let met = scene.meet(&server);
        assert_eq!(met.attempt(), AttemptResult::NotTheMinistry { status });
        met.is_handed();
        met.arrives(&scene);
    }
    assert_eq!((elsewhere.connections(), elsewhere.requests()), (0, 0));
}

#[test]
fn a_certificate_that_is_not_the_ministrys_gets_nothing() {
    let scene = Scene::new();
    let certificates = [
        foreign_server().unwrap(),
        scene.ca.expired_server().unwrap(),
        scene.ca.server_for(&["elsewhere.example"]).unwrap(),
    ];
    for tls in certificates {
        let server = HostileServer::start(tls, json("{}")).unwrap();
        let met = scene.meet(&server);
        assert_eq!(met.attempt(), AttemptResult::NotTrusted);
        assert_eq!(met.outcome.stopped, SyncStop::NotTheMinistry);
        assert_eq!(state(&met.home, &met.report), ReportState::Stored);
        assert!(server.connections() > 0);
        assert_eq!(server.requests(), 0);
        met.arrives(&scene);
    }
}

/// What a forger makes of an envelope, given an honest ministry and another.
type Forge = fn(&Fake, &Fake, &SealedEnvelope) -> Signed;

#[test]
fn a_forged_receipt_proves_nothing() {
    let forgeries: [(&str, Forge); 7] = [
        ("for another report", |honest, _, envelope| {
            let mut receipt = Fake::receipt(envelope);
            receipt.envelope = Uuid::from_u128(7);
            honest.sign_receipt(&receipt)
        }),
        ("for other bytes", |honest, _, envelope| {
            let mut receipt = Fake::receipt(envelope);
            receipt.sha256 = homeline::seal::sha256_hex(b"other");
            honest.sign_receipt(&receipt)
        }),
        ("by another key", |_, other, envelope| {
            other.sign_receipt(&Fake::receipt(envelope))
        }),
        (
            "by another key under the name of the right one",
            |honest, other, envelope| {
                let receipt = Fake::receipt(envelope);
                Signed {
                    key: honest.sign_receipt(&receipt).key,
                    ..other.sign_receipt(&receipt)
                }
            },
        ),
        ("with a body that was changed", |honest, _, envelope| {
            let mut signed = honest.sign_receipt(&Fake::receipt(envelope));
            signed.body.0.push(b' ');
            signed
        }),
        ("without a signature", |honest, _, envelope| {
            let mut signed = honest.sign_receipt(&Fake::receipt(envelope));
            signed.signature.0.clear();
            signed
        }),
        ("signed as news of a case", |honest, _, envelope| {
            honest.sign_as_news(&Fake::receipt(envelope))
        }),
    ];
    let scene = Scene::new();
    let anchor = scene.fake(1, 2, 1);
    for (name, forge) in forgeries {
        let (honest, other) = (scene.fake(1, 2, 1), scene.fake(3, 4, 1));
        let server = scene.by(move |request| {
            honest.answer(&request, |envelope| EnvelopeOutcome::Accepted {
                receipt: forge(&honest, &other, envelope),
            })
        });
        let met = scene.meet_with(Phone::new(), &server, &[&anchor], LONG_MS);
        assert_eq!(met.attempt(), AttemptResult::BadReceipt, "{name}");
        assert_eq!(met.outcome.stopped, SyncStop::NotTheMinistry, "{name}");
        met.is_handed();
        met.arrives(&scene);
    }
}

#[test]
fn an_honest_receipt_of_the_same_making_is_believed() {
    // The control of the test above: the forgeries fail for what is forged.
    let scene = Scene::new();
    let (honest, anchor) = (scene.fake(1, 2, 1), scene.fake(1, 2, 1));
    let server = scene.by(move |request| honest.answer(&request, |one| honest.accept(one)));
    let met = scene.meet_with(Phone::new(), &server, &[&anchor], LONG_MS);
    assert_eq!(met.outcome.stopped, SyncStop::Done);
    assert!(is_received(&met.home, &met.report));
}

#[test]
fn a_receipt_replayed_from_another_report_proves_nothing() {
    let scene = Scene::new();
    let (honest, anchor) = (scene.fake(1, 2, 1), scene.fake(1, 2, 1));
    let first = Mutex::new(None::<EnvelopeOutcome>);
    let server = scene.by(move |request| {
        honest.answer(&request, |one| {
            let mut first = first.lock().unwrap();
            first.get_or_insert_with(|| honest.accept(one)).clone()
        })
    });
    let phone = Phone::new();
    let home = phone.open(scene.config(&phone, &server, &[&anchor]));
    let known = press(&home, "before");
    assert_eq!(sync(&home).sent, 1);
    assert!(is_received(&home, &known));
    drop(home);
    let met = scene.meet_with(phone, &server, &[&anchor], LONG_MS);
    assert_eq!(met.attempt(), AttemptResult::BadReceipt);
    met.is_handed();
    met.arrives(&scene);
}

#[test]
fn a_service_document_of_another_anchor_is_refused_with_its_receipts() {
    let scene = Scene::new();
    let trusted = scene.fake(1, 2, 1);
    let forger = scene.fake(3, 4, 9);
    let server = scene.by(move |request| forger.answer(&request, |one| forger.accept(one)));
    let met = scene.meet_with(Phone::new(), &server, &[&trusted], LONG_MS);
    assert_eq!(met.attempt(), AttemptResult::BadReceipt);
    met.arrives(&scene);
}

#[test]
fn an_older_service_document_is_refused_after_a_newer() {
    // Old keys may be stolen ones: the document that named them is replayed.
    let scene = Scene::new();
    let anchor = scene.fake(1, 2, 5);
    for (serial, believed) in [(4, false), (6, true)] {
        let phone = Phone::new();
        let newest = scene.fake(1, 2, 5);
        let server = scene.by(move |request| newest.answer(&request, |one| newest.accept(one)));
        let home = phone.open(scene.config(&phone, &server, &[&anchor]));
        let before = press(&home, "before");
        assert_eq!(sync(&home).stopped, SyncStop::Done);
        assert!(is_received(&home, &before));
        drop(home);
        let next = scene.fake(1, 6, serial);
        let server = scene.by(move |request| next.answer(&request, |one| next.accept(one)));
        let met = scene.meet_with(phone, &server, &[&anchor], LONG_MS);
        assert_eq!(is_received(&met.home, &met.report), believed, "{serial}");
        if !believed {
            assert_eq!(met.attempt(), AttemptResult::BadReceipt);
            met.arrives(&scene);
        }
    }
}

#[test]
fn a_device_that_is_not_let_in_keeps_everything_and_tries_on_the_next_network() {
    let scene = Scene::new();
    for status in [401, 403] {
        let server = scene.by(move |_| problem(status));
        let met = scene.meet(&server);
        assert_eq!(met.attempt(), AttemptResult::NotAuthorized { status });
        assert_eq!(met.outcome.stopped, SyncStop::NotAuthorized);
        // Nothing is used up, and another network is another chance.
        let seen = server.requests();
        met.home.network_changed().unwrap();
        assert_eq!(
            met.home.sync(LONG_MS).unwrap().stopped,
            SyncStop::NotAuthorized
        );
        assert!(server.requests() > seen);
        met.is_handed();
        met.arrives(&scene);
    }
}

#[test]
fn a_refused_enrolment_parks_no_report() {
    // Nobody has seen the report: it cannot have been refused.
    let scene = Scene::new();
    for status in [400, 404, 409, 422] {
        let server = scene.by(move |request| match request.path.as_str() {
            DEVICES_PATH => problem(status),
            _ => fixed(500, &[], ""),
        });
        let met = scene.meet_with(Phone::new(), &server, &[], LONG_MS);
        let state = state(&met.home, &met.report);
        assert!(!matches!(state, ReportState::Parked { .. }), "{state:?}");
        assert!(!server.paths().contains(&ENVELOPES_PATH.to_owned()));
        met.arrives(&scene);
    }
}

/// Presses three reports, of which `judge` refuses the second.
fn poisoned(judge: impl Fn(&Fake, &Request, Uuid) -> Response + Send + Sync + 'static) {
    with_a_poison(judge, |scene, phone, home, reports| {
        let outcome = home.sync(LONG_MS).unwrap();
        assert_eq!((outcome.sent, outcome.waiting, outcome.parked), (2, 0, 1));
        assert_eq!(outcome.stopped, SyncStop::Done);
        assert!(is_received(home, &reports[0]) && is_received(home, &reports[2]));
        let bad = state(home, &reports[1]);
        assert!(
            matches!(bad, ReportState::Parked { status: 422, .. }),
            "{bad:?}"
        );

        // A person looks at it, and lets it go to a ministry that takes it.
        home.sos().try_again(reports[1].clone()).unwrap();
        home.pause().unwrap();
        arrives(scene, phone, &reports[1]);
    });
}

/// Three reports wait, and the ministry judges the second as `judge` says.
fn with_a_poison(
    judge: impl Fn(&Fake, &Request, Uuid) -> Response + Send + Sync + 'static,
    then: impl FnOnce(&Scene, &Phone, &Homeline, &[String; 3]),
) {
    let scene = Scene::new();
    let (honest, anchor) = (scene.fake(1, 2, 1), scene.fake(1, 2, 1));
    let poison = Arc::new(Mutex::new(Uuid::nil()));
    let known = Arc::clone(&poison);
    let server = scene.by(move |request| judge(&honest, &request, *known.lock().unwrap()));
    let phone = Phone::new();
    let home = phone.open(scene.config(&phone, &server, &[&anchor]));
    let reports = ["one", "hurt", "three"].map(|note| press(&home, note));
    *poison.lock().unwrap() = reports[1].parse().unwrap();

    then(&scene, &phone, &home, &reports);
}

#[test]
fn a_report_that_breaks_the_ministry_holds_up_nobody_and_waits_on() {
    with_a_poison(
        |honest, request, poison| {
            let bad = crate::scene::batch(request)
                .iter()
                .any(|one| one.id == poison);
            if bad {
                problem(500)
            } else {
                honest.answer(request, |one| honest.accept(one))
            }
        },
        |scene, phone, home, reports| {
            let outcome = home.sync(LONG_MS).unwrap();
            assert_eq!((outcome.sent, outcome.waiting, outcome.parked), (2, 1, 0));
            assert_eq!(outcome.stopped, SyncStop::Busy);
            assert!(outcome.next_ms.is_some());
            assert!(is_received(home, &reports[0]) && is_received(home, &reports[2]));
            assert!(matches!(
                state(home, &reports[1]),
                ReportState::Handed { .. }
            ));
            home.pause().unwrap();
            arrives(scene, phone, &reports[1]);
        },
    );
}

#[test]
fn a_batch_refused_for_one_report_loses_only_that_one() {
    poisoned(|honest, request, poison| {
        let bad = crate::scene::batch(request)
            .iter()
            .any(|one| one.id == poison);
        if bad {
            problem(422)
        } else {
            honest.answer(request, |one| honest.accept(one))
        }
    });
}

#[test]
fn a_report_refused_in_its_batch_does_not_hold_the_others() {
    poisoned(|honest, request, poison| {
        honest.answer(request, |one| {
            if one.id == poison {
                EnvelopeOutcome::Refused {
                    problem: Problem {
                        kind: "urn:homeline:problem:test".into(),
                        title: "No.".into(),
                        status: 422,
                    },
                }
            } else {
                honest.accept(one)
            }
        })
    });
}

#[test]
fn a_busy_ministry_is_waited_for_as_it_asks() {
    type Row = (u16, Vec<(&'static str, &'static str)>, RangeInclusive<i64>);
    const NOON: (&str, &str) = ("date", "Sun, 06 Nov 1994 12:00:00 GMT");
    let scene = Scene::new();
    let table: [Row; 6] = [
        (429, vec![("retry-after", "7")], 7_100..=9_000),
        (
            429,
            // By the ministry's own clock, whatever the phone's says.
            vec![("retry-after", "Sun, 06 Nov 1994 12:00:30 GMT"), NOON],
            30_100..=32_000,
        ),
        (503, vec![("retry-after", "7")], 7_100..=9_000),
        (503, vec![], 100..=2_000),
        (408, vec![("retry-after", "soon")], 100..=2_000),
        // Nobody puts an SOS off for long.
        (429, vec![("retry-after", "86400")], 300_100..=302_000),
    ];
    for (status, headers, expected) in table {
        let name = format!("{status} {headers:?}");
        let owned: Vec<(String, String)> = headers
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        let server = scene.by(move |_| Response {
            status,
            headers: owned.clone(),
            body: vec![],
        });
        let met = scene.meet(&server);
        assert_eq!(met.attempt(), AttemptResult::Busy { status }, "{name}");
        assert_eq!(met.outcome.stopped, SyncStop::Busy, "{name}");
        let next = met.outcome.next_ms.unwrap();
        assert!(expected.contains(&next), "{name}: {next} ms");
        if next > 5_000 {
            // A pass before that time leaves the ministry alone.
            let seen = server.paths();
            let again = met.home.sync(LONG_MS).unwrap();
            let new = server.paths().split_off(seen.len());
            assert!(
                !new.contains(&ENVELOPES_PATH.to_owned()),
                "{name}: {again:?}"
            );
        }
        met.is_handed();
        met.arrives(&scene);
    }
}
