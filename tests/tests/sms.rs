//! A report by text message: the real library, the real ministry, and an SMS gateway
//! between them that loses, repeats and reorders.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, and what it measures"
)]

use std::sync::Arc;

use homeline::keys::{KeyPurpose, KeyVault, VaultError};
use homeline::sos::{
    Channel, Evidence, ReportState, SmsAnswer, SmsNext, SmsObstacle, SmsPart, SmsResult, SosKind,
    SosRequest,
};
use homeline::sync::protocol::SmsTaken;
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, HomelineError};
use homeline_tests::scene::Scene;
use homeline_tests::stage::{Network, Stage};
use ministry::{CaseView, Settings};

const TOKEN: &str = "gateway";
const NOTE: &str = "我在山上摔断了腿，无法走动，请派人来。";

/// A vault that gives no key at all: the device's is made for this process.
struct AllLocked;

impl KeyVault for AllLocked {
    fn wrap(&self, _: KeyPurpose, _: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        Err(VaultError::Locked)
    }

    fn unwrap(&self, _: KeyPurpose, _: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        Err(VaultError::Locked)
    }
}

/// A ministry with a gateway, and a phone that has met it once.
fn scene() -> Scene {
    let mut scene = Scene::new().unwrap();
    let mut settings = Settings::new(scene.base.path().join("post"));
    settings.sms_numbers = vec!["+8613800000001".into(), "+8613800000002".into()];
    settings.sms_token = Some(TOKEN.into());
    scene.stage = Stage::start_with(settings).unwrap();
    let home = scene.open().unwrap();
    home.sync(20_000).unwrap();
    scene.stage.network(Network::Down);
    scene
}

fn press(home: &Homeline, note: &str) -> String {
    let mut request = SosRequest::new(SosKind::Medical);
    request.note = note.into();
    request.people = Some(2);
    request.fix = Some(Fix::new(
        Position::Wgs84 {
            latitude: 41.01,
            longitude: 28.97,
        },
        1_790_000_000_000,
        FixSource::Gnss,
    ));
    home.sos().press(request).unwrap()
}

fn parts(home: &Homeline, report: &str) -> Vec<SmsPart> {
    let plan = home.sos().sms_plan(report.into(), 0).unwrap();
    assert_eq!(plan.obstacle, None);
    plan.parts
}

/// What the gateway says to the ministry, and the text that comes back.
fn gateway(scene: &Scene, text: &str) -> (u16, Option<String>) {
    let body =
        serde_json::json!({"id": "1", "from": "+905551234567", "text": text, "received_ms": 1});
    let mut roots = rustls::RootCertStore::empty();
    let root = scene.stage.ministry.host_values().tls_root;
    roots.add(root.into()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .build()
        .unwrap();
    let request = client
        .post(format!("{}/v1/sms", scene.stage.ministry.url()))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(body.to_string());
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            let bytes = response.bytes().await.unwrap();
            let taken: Option<SmsTaken> = serde_json::from_slice(&bytes).ok();
            (status, taken.and_then(|taken| taken.reply))
        })
}

fn deliver(scene: &Scene, part: &SmsPart) -> Option<String> {
    let (status, reply) = gateway(scene, &part.text);
    assert_eq!(status, 200);
    reply
}

fn only_case(scene: &Scene) -> CaseView {
    let mut cases = scene.stage.ministry.cases().unwrap();
    assert_eq!(cases.len(), 1);
    cases.remove(0)
}

fn state(home: &Homeline, report: &str) -> ReportState {
    home.sos().status(report.into()).unwrap().state
}

#[test]
fn a_report_goes_by_text_message_and_its_receipt_proves_it() {
    let scene = scene();
    let home = scene.open().unwrap();
    let report = press(&home, NOTE);
    let sent = parts(&home, &report);
    // Figure `sms_parts`: the report is one message of the 7-bit alphabet.
    assert_eq!(
        (sent[0].messages, sent[0].text.len(), sent[0].part),
        (1, 160, 1)
    );
    assert_eq!((sent.len(), sent[0].of), (2, 2));
    for part in &sent {
        let plain = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        assert!(part.text.chars().all(plain));
        assert_eq!(part.next, SmsNext::SendNow);
        assert_eq!(part.number, "+8613800000001");
    }
    home.sos()
        .sms_result(report.clone(), 1, SmsResult::NoService, 0)
        .unwrap();
    assert_eq!(
        state(&home, &report),
        ReportState::Stored,
        "nothing left the phone"
    );
    home.sos()
        .sms_result(report.clone(), 1, SmsResult::Sent, 0)
        .unwrap();
    let handed = ReportState::Handed {
        channel: Channel::Sms,
    };
    assert_eq!(state(&home, &report), handed);
    home.sos()
        .sms_result(report.clone(), 1, SmsResult::Delivered, 0)
        .unwrap();
    assert_eq!(
        state(&home, &report),
        handed,
        "a status report proves the network only"
    );

    let receipt = deliver(&scene, &sent[0]).unwrap();
    assert!(receipt.len() <= 160);
    println!(
        r#"{{"sms_parts":{},"sms_chars":{},"sms_receipt_chars":{}}}"#,
        sent[0].messages,
        sent[0].text.len(),
        receipt.len()
    );
    let case = only_case(&scene);
    assert_eq!(case.kind, Some(SosKind::Medical));
    assert_eq!((case.people, case.note.as_str()), (Some(2), ""));
    assert_eq!(
        state(&home, &report),
        handed,
        "the ministry knows, the phone does not"
    );
    let answer = home.sos().sms_received(receipt.clone()).unwrap();
    assert_eq!(
        answer,
        SmsAnswer::Receipt {
            report: report.clone(),
            case_id: case.id.clone()
        }
    );
    let ReportState::Received { case_id, .. } = state(&home, &report) else {
        panic!("{:?}", home.sos().status(report).unwrap().events);
    };
    assert_eq!(case_id, Some(case.id.clone()));
    // The note is still worth sending, the report is not.
    let left: Vec<SmsNext> = parts(&home, &report).iter().map(|part| part.next).collect();
    assert_eq!(left, [SmsNext::Enough, SmsNext::SendNow]);
    assert_eq!(deliver(&scene, &sent[1]), None, "a note has no receipt");
    assert_eq!(
        only_case(&scene).compact.unwrap().texts[0].text.as_deref(),
        Some(NOTE)
    );

    // The network comes: the full report, the same case, its own receipt.
    scene.stage.network(Network::Up);
    home.network_changed().unwrap();
    assert_eq!(home.sync(20_000).unwrap().waiting, 0);
    let full = only_case(&scene);
    assert_eq!((full.id, full.note.as_str()), (case.id, NOTE));
    assert!(full.compact.unwrap().full_report);
    let events = home.sos().status(report.clone()).unwrap().events;
    let has = |what: fn(&Evidence) -> bool| events.iter().any(|event| what(&event.evidence));
    assert!(has(|it| matches!(
        it,
        Evidence::CompactReceipt {
            channel: Channel::Sms,
            ..
        }
    )));
    assert!(has(|it| matches!(it, Evidence::Receipt { .. })));
    let plan = home.sos().sms_plan(report, 0).unwrap();
    assert_eq!(
        (plan.obstacle, plan.parts.len()),
        (Some(SmsObstacle::Settled), 0)
    );
}

#[test]
fn texts_that_prove_nothing_change_nothing() {
    let scene = scene();
    let home = scene.open().unwrap();
    let report = press(&home, "");
    let part = parts(&home, &report).remove(0);
    let receipt = deliver(&scene, &part).unwrap();
    let received = |text: &str| home.sos().sms_received(text.into()).unwrap();
    for text in ["", "验证码 123456", &"H".repeat(5_000)] {
        assert_eq!(received(text), SmsAnswer::NotOurs, "{text}");
    }
    let mut forged = receipt.clone().into_bytes();
    forged[60] = if forged[60] == b'A' { b'B' } else { b'A' };
    assert_eq!(
        received(std::str::from_utf8(&forged).unwrap()),
        SmsAnswer::NotProved
    );
    assert_eq!(received(&part.text), SmsAnswer::NotProved, "its own report");
    assert_eq!(received("HHHH"), SmsAnswer::NotProved);
    assert_eq!(state(&home, &report), ReportState::Stored);
    // Somebody else's receipt, of the same ministry.
    let other = press(&home, "another");
    let others = deliver(&scene, &parts(&home, &other)[0]).unwrap();
    let stranger = Scene {
        stage: scene.stage,
        ..Scene::new().unwrap()
    };
    let phone = stranger.open().unwrap();
    stranger.stage.network(Network::Up);
    phone.sync(20_000).unwrap();
    let answer = phone.sos().sms_received(others).unwrap();
    assert_eq!(answer, SmsAnswer::NotKnown);
    // A replay.
    assert!(matches!(received(&receipt), SmsAnswer::Receipt { .. }));
    let events = home.sos().status(report.clone()).unwrap().events;
    assert_eq!(
        received(&format!("\r\n{receipt} ")),
        SmsAnswer::Repeated {
            report: report.clone()
        }
    );
    assert_eq!(home.sos().status(report).unwrap().events, events);
    assert_eq!(state(&home, &other), ReportState::Stored);
}

#[test]
fn messages_and_their_count_survive_a_restart_and_a_locked_phone() {
    let scene = scene();
    let home = scene.open().unwrap();
    let report = press(&home, NOTE);
    let made = parts(&home, &report);
    home.sos()
        .sms_result(report.clone(), 1, SmsResult::Sent, 0)
        .unwrap();
    drop(home);
    scene.vault.set_locked(true);
    let home = scene.open().unwrap();
    let again = parts(&home, &report);
    let texts =
        |parts: &[SmsPart]| -> Vec<String> { parts.iter().map(|part| part.text.clone()).collect() };
    assert_eq!(texts(&again), texts(&made), "the same bytes");
    assert!(matches!(again[0].next, SmsNext::Wait { .. }), "counted");
    assert_eq!(again[0].number, "+8613800000002", "the other number next");
    assert_eq!(again[1].next, SmsNext::SendNow);
}

#[test]
fn pressed_where_no_key_is_at_hand_it_is_readable_while_the_app_lives() {
    let mut scene = Scene::new().unwrap();
    let mut settings = Settings::new(scene.base.path().join("post"));
    settings.sms_token = Some(TOKEN.into());
    scene.stage = Stage::start_with(settings).unwrap();
    scene.stage.network(Network::Down);
    let open = || {
        let mut config = scene.stage.config(&scene.files());
        config.sms_numbers = vec!["+8613800000009".into()];
        Homeline::open(config, Arc::new(AllLocked), None, None).unwrap()
    };
    let home = open();
    let (made, unread) = (press(&home, NOTE), press(&home, "another"));
    let before = parts(&home, &made);
    deliver(&scene, &before[0]).unwrap();
    assert_eq!(only_case(&scene).kind, Some(SosKind::Medical));
    drop(home);
    // Ended and started again, still locked: what was made is there, what was not
    // cannot be read.
    let home = open();
    assert_eq!(parts(&home, &made)[0].text, before[0].text);
    let plan = home.sos().sms_plan(unread, 0).unwrap();
    assert_eq!(plan.obstacle, Some(SmsObstacle::NotReadable));
    let plain = plan.plain;
    assert!(
        plain.starts_with("【求助】紧急情况，位置不明，北京时间"),
        "{plain}"
    );
}

#[test]
fn a_phone_that_never_met_the_ministry_is_read_and_proved_as_itself() {
    let mut scene = Scene::new().unwrap();
    let mut settings = Settings::new(scene.base.path().join("post"));
    settings.sms_token = Some(TOKEN.into());
    scene.stage = Stage::start_with(settings).unwrap();
    scene.stage.network(Network::Down);
    let home = scene.open().unwrap();
    let report = press(&home, "");
    let plan = home.sos().sms_plan(report.clone(), 0).unwrap();
    assert_eq!(plan.obstacle, Some(SmsObstacle::NoNumber));
    drop(home);
    let mut config = scene.stage.config(&scene.files());
    config.sms_numbers = vec!["+8613800000009".into()];
    let vault = Arc::clone(&scene.vault);
    let home = Homeline::open(config, vault, None, None).unwrap();
    let part = parts(&home, &report).remove(0);
    assert_eq!(part.number, "+8613800000009");
    let receipt = deliver(&scene, &part).unwrap();
    // No key of the ministry is known yet: asked again after the first pass.
    assert_eq!(
        home.sos().sms_received(receipt.clone()).unwrap(),
        SmsAnswer::NotProved
    );
    scene.stage.network(Network::Up);
    home.network_changed().unwrap();
    home.sync(20_000).unwrap();
    assert!(matches!(
        home.sos().sms_received(receipt).unwrap(),
        SmsAnswer::Receipt { .. }
    ));
    let case = only_case(&scene);
    assert_eq!((case.times_received, case.foreign_letters), (2, 0));
}

#[test]
fn a_better_position_goes_with_the_next_message_and_a_countdown_has_none() {
    let scene = scene();
    let home = scene.open().unwrap();
    let mut request = SosRequest::new(SosKind::Lost);
    request.countdown_s = 30;
    let counting = home.sos().press(request.clone()).unwrap();
    let plan = home.sos().sms_plan(counting.clone(), 0).unwrap();
    assert_eq!(plan.obstacle, Some(SmsObstacle::CountingDown));
    home.sos().cancel(counting).unwrap();
    request.countdown_s = 0;
    let report = home.sos().press(request).unwrap();
    let before = parts(&home, &report);
    let position = Position::Wgs84 {
        latitude: 30.5,
        longitude: 90.25,
    };
    let fix = Fix::new(position, 1_790_000_000_000, FixSource::Gnss);
    std::thread::sleep(std::time::Duration::from_millis(5));
    home.sos().update_position(report.clone(), fix).unwrap();
    let after = parts(&home, &report);
    assert_ne!(before[0].text, after[0].text);
    assert_eq!(after[0].text, parts(&home, &report)[0].text);
    // The older one is late, and its receipt is a receipt all the same.
    deliver(&scene, &after[0]).unwrap();
    let receipt = deliver(&scene, &before[0]).unwrap();
    let position = only_case(&scene).position;
    assert!(matches!(
        home.sos().sms_received(receipt).unwrap(),
        SmsAnswer::Receipt { .. }
    ));
    assert!(position.is_some_and(|at| (at.latitude - 30.5).abs() < 1e-6));
    let wrong = home.sos().sms_result(report, 9, SmsResult::Sent, 0);
    assert!(matches!(wrong, Err(HomelineError::NotFound { .. })));
}
