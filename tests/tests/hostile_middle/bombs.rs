//! Whole answers whose content is the attack, in each kind of answer that a phone
//! reads. The middle box speaks to the real ministry otherwise, so that a pass comes
//! as far as the answer that is meant.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use homeline::Homeline;
use homeline::keys::FileVault;
use homeline::seal::envelope::seal_to_device;
use homeline::sos::{AttemptResult, SosKind, SosRequest};
use homeline::sync::protocol::{
    ATTACHMENTS_PATH, Base64, CHANGES_PATH, CHUNKS_PATH, Change, ChangePage, DEVICES_PATH,
    ENVELOPES_PATH, Enrolment, JSON, PARCELS_PATH, PROBLEM_JSON, RESULTS_BINARY, SERVICE_PATH,
    read_batch,
};
use homeline_tests::hostile::{Request, Response};
use homeline_tests::middle::Middle;
use homeline_tests::stage::{self, Values};
use homeline_tests::traveler::Ask;
use ministry::{Former, Rotation};
use uuid::Uuid;

use super::story::{LONG_MS, Story};

/// How deep a bomb is nested.
const DEEP: usize = 100_000;

type Attack = Box<dyn Fn(&Request) -> Option<Response> + Send + Sync>;

/// A middle box in front of the real ministry.
struct Tap {
    middle: Middle,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    attack: Mutex<Option<Attack>>,
    attacks: AtomicUsize,
    /// The key that the phone enrolled last to read with.
    agreement: Mutex<Vec<u8>>,
}

impl Shared {
    fn instead(&self, request: &Request) -> Option<Response> {
        if request.path == DEVICES_PATH
            && let Ok(keys) = serde_json::from_slice::<Enrolment>(&request.body)
        {
            *self.agreement.lock().unwrap() = keys.agreement_key.0;
        }
        let attack = self.attack.lock().unwrap();
        let answer = attack.as_ref()?(request)?;
        self.attacks.fetch_add(1, Ordering::SeqCst);
        Some(answer)
    }
}

impl Tap {
    /// Between the phone of `story`, which is opened towards it, and the ministry.
    fn before(story: &mut Story) -> Self {
        let shared = Arc::new(Shared::default());
        let asked = Arc::clone(&shared);
        let middle = Middle::start_with(&story.ca, move |request| asked.instead(request)).unwrap();
        let root = story.ministry.host_values().tls_root;
        let url = story.ministry.url();
        middle.stand_before(&url, &root, []).unwrap();
        story.is_open_to(&format!("https://{}", middle.addr()));
        Self { middle, shared }
    }

    fn attack(&self, attack: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) {
        *self.shared.attack.lock().unwrap() = Some(Box::new(attack));
    }

    /// From here on requests to a path get this.
    fn answers(&self, path: &'static str, status: u16, media: &str, body: Vec<u8>) {
        let answer = response(status, media, body);
        self.attack(move |request| request.path.starts_with(path).then(|| answer.clone()));
    }

    fn be_honest(&self) {
        *self.shared.attack.lock().unwrap() = None;
    }

    fn attacks(&self) -> usize {
        self.shared.attacks.load(Ordering::SeqCst)
    }

    /// One pass towards each bomb in the answers of a path. `field` is one that is
    /// looked for there.
    fn bombs(&self, story: &mut Story, path: &'static str, field: &str, report: &str) {
        for (name, body) in bombs(field) {
            self.answers(path, 200, JSON, body);
            self.one(story, &format!("{path}: {name}"), report);
        }
        self.be_honest();
        story.half_an_hour_later();
    }

    /// One pass; it meets the attack, and is not done.
    fn one(&self, story: &mut Story, name: &str, report: &str) {
        let before = self.attacks();
        story.half_an_hour_later();
        let met = story.meet_with(name, report.to_owned(), LONG_MS);
        assert!(self.attacks() > before, "{name} was not met");
        assert_ne!(met.stopped, "Done", "{name}");
        assert!(!met.claim.state.starts_with("parked"), "{name}");
        if path_of_reports(name) {
            assert!(!met.claim.is_proved(), "{name}: {}", met.claim.state);
        }
    }
}

fn path_of_reports(name: &str) -> bool {
    [ENVELOPES_PATH, DEVICES_PATH, SERVICE_PATH]
        .iter()
        .any(|path| name.starts_with(path))
}

fn response(status: u16, media: &str, body: Vec<u8>) -> Response {
    Response {
        status,
        headers: vec![("content-type".into(), media.into())],
        body,
    }
}

/// Bodies in JSON. None is an answer of the ministry.
fn bombs(field: &str) -> Vec<(&'static str, Vec<u8>)> {
    let arrays = "[".repeat(DEEP) + &"]".repeat(DEEP);
    let objects = "{\"a\":".repeat(DEEP) + "1" + &"}".repeat(DEEP);
    let zeros = "0,".repeat(490_000) + "0";
    let strings = "\"aaaaaaaa\",".repeat(750_000) + "\"\"";
    let digits = "9".repeat(DEEP);
    let with = |value: &str| format!("{{\"{field}\":{value}}}");
    let twice = format!("{{\"{field}\":\"a\",\"{field}\":\"b\"}}");
    let table = [
        ("arrays", arrays.clone()),
        ("arrays without an end", "[".repeat(DEEP)),
        ("objects", objects.clone()),
        ("arrays in a field", with(&arrays)),
        (
            "arrays in an item of a field",
            with(&format!("[{{\"a\":{arrays}}}]")),
        ),
        ("objects in a field", with(&objects)),
        (
            "objects beside it",
            format!("{{\"x\":{objects},\"{field}\":7.5}}"),
        ),
        (
            "a megabyte of numbers",
            with(&format!("[{{\"outcome\":\"accepted\",\"x\":[{zeros}]}}]")),
        ),
        ("eight megabytes of strings", with(&format!("[{strings}]"))),
        ("100,000 digits", with(&digits)),
        (
            "an exponent of 100,000 digits",
            with(&format!("1e{digits}")),
        ),
        ("beyond all numbers", with("[{\"seq\":1e400}]")),
        ("the field twice", twice),
        ("a key that is cut", format!("{{\"{field}\":\"\\ud800\"}}")),
    ];
    table.map(|(name, body)| (name, body.into_bytes())).into()
}

#[test]
fn in_the_answer_to_a_report() {
    let mut story = Story::new();
    let tap = Tap::before(&mut story);
    let report = story.press();
    tap.bombs(&mut story, ENVELOPES_PATH, "results", &report);
    // Two outcomes, two receipts: neither is believed.
    let receipt = r#"{"key":"0011223344556677","body":"e30=","signature":"AAAA"}"#;
    for twice in [
        r#""outcome":"refused","outcome":"accepted","receipt":R"#,
        r#""outcome":"accepted","receipt":R,"receipt":R"#,
        r#""outcome":"refused","problem":{"status":422},"problem":{"status":422}"#,
    ] {
        let fields = twice.replace('R', receipt);
        tap.attack(move |request| {
            let id = read_batch(&request.body, 1)?.first()?.id;
            let body = format!("{{\"results\":[{{\"id\":\"{id}\",{fields}}}]}}");
            Some(response(200, JSON, body.into_bytes()))
        });
        tap.one(&mut story, &format!("{ENVELOPES_PATH}: {twice}"), &report);
    }
    tap.be_honest();
    story.is_one_case_after_a_pass("bombs", &report);
}

#[test]
fn in_a_problem() {
    let mut story = Story::new();
    let tap = Tap::before(&mut story);
    let report = story.press();
    for status in [400, 422, 401, 403, 500, 429, 503] {
        for field in ["type", "spread_s"] {
            for (name, body) in bombs(field) {
                // A refusal may say more than the phone looks for; that is no bomb.
                let is_refusal = status <= 422 && (field == "spread_s" || name == "objects");
                let is_all = status == 422 || name == "arrays in a field";
                if is_refusal || !is_all {
                    continue;
                }
                tap.answers(ENVELOPES_PATH, status, PROBLEM_JSON, body);
                let name = format!("{ENVELOPES_PATH}: {status}, {name}");
                tap.one(&mut story, &name, &report);
            }
        }
    }
    tap.be_honest();
    story.half_an_hour_later();
    story.is_one_case_after_a_pass("problems", &report);
}

#[test]
fn in_the_binary_answer_to_reports() {
    let mut story = Story::new();
    let tap = Tap::before(&mut story);
    // Many, so that many results are read of one answer.
    let reports: Vec<_> = (0..16).map(|_| story.press()).collect();
    let signed = |kind: u8, length: u16, body: &[u8]| {
        let length = length.to_be_bytes();
        [&[kind], &[7; 72][..], &length, body].concat()
    };
    let whole = |results: &[u8]| [&[1], results].concat();
    let deep = "[".repeat(60_000);
    let refused =
        |length: u16, problem: &[u8]| whole(&[&[2], &length.to_be_bytes()[..], problem].concat());
    let table = [
        ("nothing", Vec::new()),
        ("no results", whole(b"")),
        ("another version", vec![2, 0, 0]),
        ("a kind that is none", whole(&signed(9, 0, b""))),
        ("more than is there", whole(&signed(0, u16::MAX, b"{}"))),
        ("less than is there", whole(&signed(0, 1, b"{}"))),
        ("a problem longer than is there", refused(u16::MAX, b"{}")),
        ("a problem shorter than is there", refused(1, b"{}")),
        ("a deep problem", refused(60_000, deep.as_bytes())),
        ("an escape at the end", whole(&signed(0, 1, &[0]))),
        ("an escape of nothing", whole(&signed(0, 2, &[0, 9]))),
        // Each word stands for 64 bytes.
        ("words", whole(&signed(0, 65_500, &[2; 65_500]).repeat(15))),
        ("a megabyte of zeros", whole(&vec![0; 1_000_000])),
        (
            "more results than reports",
            whole(&signed(0, 2, b"{}").repeat(200)),
        ),
    ];
    for (name, body) in table {
        tap.answers(ENVELOPES_PATH, 200, RESULTS_BINARY, body);
        let name = format!("{ENVELOPES_PATH}: {name}");
        tap.one(&mut story, &name, &reports[0]);
    }
    tap.be_honest();
    story.half_an_hour_later();
    for report in &reports {
        story.is_one_case_after_a_pass("binary", report);
    }
}

#[test]
fn in_the_answer_to_an_enrolment() {
    let mut story = Story::of_a_new_phone();
    let tap = Tap::before(&mut story);
    let report = story.press();
    tap.bombs(&mut story, DEVICES_PATH, "device", &report);
    story.is_one_case_after_a_pass("enrolment", &report);
}

#[test]
fn in_the_service_document() {
    let mut story = Story::new();
    let tap = Tap::before(&mut story);
    // A receipt by a key that the phone has yet to learn.
    let rotation = (Rotation::Receipts, Former::Kept);
    story.ministry.rotate_keys(rotation.0, rotation.1).unwrap();
    let report = story.press();
    tap.bombs(&mut story, SERVICE_PATH, "body", &report);
    story.is_one_case_after_a_pass("service", &report);
}

#[test]
fn in_the_change_feed() {
    let mut story = Story::new();
    let tap = Tap::before(&mut story);
    let report = story.press();
    tap.bombs(&mut story, CHANGES_PATH, "changes", &report);
    story.is_one_case_after_a_pass("feed", &report);
    story.is_acknowledged_in_the_end("feed", &report);
}

/// Numbers that lead beyond the end of the feed: the ministry's own news come all the
/// same once it is the ministry that answers.
#[test]
fn a_feed_that_leads_astray_loses_no_news() {
    let mut story = Story::new();
    let tap = Tap::before(&mut story);
    for seq in [u64::MAX, u64::MAX >> 1, 1 << 40] {
        let report = story.press();
        let page = ChangePage {
            changes: vec![Change {
                seq,
                kind: "case".into(),
                sealed: Base64(vec![7; 200]),
            }],
            more: true,
            newest: None,
            packs: None,
        };
        tap.answers(CHANGES_PATH, 200, JSON, serde_json::to_vec(&page).unwrap());
        let before = tap.attacks();
        story.meet_with("astray", report.clone(), LONG_MS);
        assert!(tap.attacks() > before);
        tap.be_honest();
        story.is_one_case_after_a_pass("astray", &report);
        story.is_acknowledged_in_the_end("astray", &report);
    }
}

/// Items that open at this very device, by somebody who has no key of the ministry's:
/// nothing in them is expanded or followed.
#[test]
fn sealed_to_the_phone_in_its_feed() {
    let mut story = Story::of_a_new_phone();
    let tap = Tap::before(&mut story);
    let report = story.press();
    story.is_one_case_after_a_pass("sealed", &report);
    let device: [u8; 32] = tap
        .shared
        .agreement
        .lock()
        .unwrap()
        .clone()
        .try_into()
        .unwrap();
    let deep = "[".repeat(DEEP);
    let signed = format!(
        r#"{{"key":"0011223344556677","body":"{}","signature":"AAAA","x":{deep}"#,
        "W1tb".repeat(DEEP)
    );
    let contents = [expanding(), deep.into_bytes(), signed.into_bytes()];
    let seals = |content: &Vec<u8>| seal_to_device(content, Uuid::from_u128(7), &device).unwrap();
    let sealed: Vec<_> = contents.iter().map(seals).collect();
    for (at, sealed) in (1..).zip(&sealed) {
        let kinds = ["case", "profile", "card", "parcel", "later"];
        let change = |(kind, seq): (&str, u64)| Change {
            seq: 1_000 * at + seq,
            kind: kind.into(),
            sealed: Base64(sealed.clone()),
        };
        // One item of a large one: a page is a megabyte at most.
        for kind in kinds {
            let page = ChangePage {
                changes: vec![change((kind, at))],
                more: false,
                newest: None,
                packs: None,
            };
            tap.answers(CHANGES_PATH, 200, JSON, serde_json::to_vec(&page).unwrap());
            story.half_an_hour_later();
            story.meet_with(kind, report.clone(), LONG_MS);
        }
    }
    assert!(tap.attacks() >= 15, "{}", tap.attacks());
    tap.be_honest();
    story.half_an_hour_later();
    story.is_acknowledged_in_the_end("sealed", &report);
}

/// A content in the compressed form (see `expand`): 1,000 blocks of 128 KB each in
/// four bytes (RFC 8878, section 3.1.1.2).
fn expanding() -> Vec<u8> {
    let block = [0x02, 0x00, 0x10, b'['];
    [&[1, 0x00, 0x58][..], &block.repeat(1_000)].concat()
}

#[test]
fn in_the_answer_to_parcels() {
    let mut story = Story::new();
    let tap = Tap::before(&mut story);
    let report = story.press();
    let (theirs, bundle) = another_phones_report(&story);
    let bundle = story.file(&bundle);
    assert_eq!(story.ask(&Ask::Carry { bundle }).number, 1);
    tap.bombs(&mut story, PARCELS_PATH, "body", &report);
    story.is_one_case_after_a_pass("parcels", &report);
    assert_eq!(story.ask(&Ask::Carried).text, "1 0");
    story.case(&theirs);
}

/// A report of a phone without a network, and the bundle that carries it.
fn another_phones_report(story: &Story) -> (String, Vec<u8>) {
    let files = tempfile::tempdir().unwrap();
    let vault = files.path().join("vault").to_string_lossy().into_owned();
    let values = Values::of(&story.ministry, story.ministry.url());
    let config = stage::config(&values, &files.path().join("phone"));
    let home = Homeline::open(config, FileVault::open(vault).unwrap(), None, None).unwrap();
    let report = home.sos().press(SosRequest::new(SosKind::Lost)).unwrap();
    (report, home.relay().export(100_000).unwrap())
}

#[test]
fn in_the_answers_to_an_attachment() {
    let mut story = Story::new();
    let tap = Tap::before(&mut story);
    let report = story.press();
    story.is_one_case_after_a_pass("attachment", &report);
    let path = story.file(&[7; 1_000]);
    let of = report.clone();
    let attachment = story.ask(&Ask::Attach { report: of, path }).text;
    for (path, field) in [(ATTACHMENTS_PATH, "state"), (CHUNKS_PATH, "sha256")] {
        tap.bombs(&mut story, path, field, &report);
    }
    story.ask(&Ask::Sync);
    let lines = story
        .ask(&Ask::Attachments {
            report: report.clone(),
        })
        .lines;
    assert_eq!(lines, [format!("{attachment} received")]);
    assert_eq!(story.case(&report).attachments.len(), 1);
    let whole = story.ministry.attachment(&attachment).unwrap().unwrap();
    assert!(whole == [7; 1_000]);
}

/// What is not an answer of the ministry says so, and nothing else.
#[test]
fn a_bomb_is_not_the_ministry() {
    let mut story = Story::new();
    let tap = Tap::before(&mut story);
    tap.answers(ENVELOPES_PATH, 200, JSON, bombs("results")[0].1.clone());
    let met = story.meet_a_liar("a bomb", LONG_MS);
    assert_eq!(met.attempt(), AttemptResult::NotTheMinistry { status: 200 });
    assert_eq!(met.stopped, "NotTheMinistry");
    tap.be_honest();
    story.is_one_case_after_a_pass("a bomb", &met.report);
    assert!(tap.middle.addr().ip().is_loopback());
}

/// Thousands of items for the record of a locked phone, which cannot look into its
/// record: what the ministry has not signed does not wait there.
#[test]
fn a_feed_fills_no_disk() {
    let mut story = Story::of_a_new_phone();
    let tap = Tap::before(&mut story);
    let report = story.press();
    story.is_one_case_after_a_pass("fills", &report);
    story.is_locked_and_open_to(&format!("https://{}", tap.middle.addr()));
    let device: [u8; 32] = tap
        .shared
        .agreement
        .lock()
        .unwrap()
        .clone()
        .try_into()
        .unwrap();
    let sealed = |n| seal_to_device(b"[]", Uuid::from_u128(n), &device).unwrap();
    let kinds = ["profile", "card"].into_iter().cycle();
    let changes = (1..1_000_u32).zip(kinds).map(|(n, kind)| Change {
        seq: n.into(),
        kind: kind.into(),
        sealed: Base64(sealed(n.into())),
    });
    let page = ChangePage {
        changes: changes.collect(),
        more: false,
        newest: None,
        packs: None,
    };
    tap.answers(CHANGES_PATH, 200, JSON, serde_json::to_vec(&page).unwrap());
    story.half_an_hour_later();
    story.meet_with("fills", report.clone(), LONG_MS);
    assert!(tap.attacks() > 0);
    assert_eq!(
        story.outbox("SELECT count(*) FROM meta WHERE key LIKE 'news/%'"),
        0
    );
    tap.be_honest();
    story.is_acknowledged_in_the_end("fills", &report);
}
