//! Text messages from a gateway: one case, whatever comes first.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homeline::seal::compact::{CompactReceipt, message_hash};
use homeline::sos::compact::{CompactReport, TextPart};
use homeline::sync::protocol::{EnvelopeOutcome, SmsTaken};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::{Deserializable as _, Kem as _, OpModeS, Serializable as _};
use ministry::{CaseView, Ministry, Settings};
use reqwest::blocking::Response;
use uuid::Uuid;

use crate::phone::{Phone, Post, problem, read, sos};

const TOKEN: &str = "of the gateway";
const REPORT: u8 = 0x1c;
const TEXT: u8 = 0x1d;

fn open_post() -> Post {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(directory.path());
    settings.sms_token = Some(TOKEN.into());
    settings.sms_numbers = vec!["+8613800000000".into()];
    Post {
        ministry: Ministry::start(settings).unwrap(),
        directory,
    }
}

/// A version 7 id of the phone's own.
fn report_id() -> Uuid {
    Uuid::from_u128(0x0197_79d6_5c00_7aaa_8bbb_cccc_dddd_eeee)
}

/// Seals by the table of the OpenAPI document.
fn seal(phone: u8, post: &Post, kind: u8, content: &[u8]) -> Vec<u8> {
    let recipient = post.ministry.host_values().sealing_key;
    let hash = ring::digest::digest(&ring::digest::SHA256, &recipient);
    let private = <Kem as hpke::Kem>::PrivateKey::from_bytes(&[phone; 32]).unwrap();
    let public = Kem::sk_to_pk(&private);
    let mut out = vec![kind, hash.as_ref()[0]];
    out.extend_from_slice(&public.to_bytes());
    let (encapsulated, ciphertext) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Auth((private, public)),
        &<Kem as hpke::Kem>::PublicKey::from_bytes(&recipient).unwrap(),
        b"homeline/compact/v1",
        content,
        &out,
    )
    .unwrap();
    out.extend_from_slice(&encapsulated.to_bytes());
    out.extend_from_slice(&ciphertext);
    out
}

fn report(phone: u8, post: &Post) -> Vec<u8> {
    let mut compact = CompactReport::of(&sos(report_id()), Some(90_000));
    compact.text_parts = 2;
    seal(phone, post, REPORT, &compact.encode())
}

fn texts(phone: u8, post: &Post) -> Vec<Vec<u8>> {
    let note = format!("{}末", "腿断了".repeat(41));
    let parts = TextPart::split(report_id(), &note, 3);
    assert_eq!(parts.len(), 2);
    let seal = |part: &TextPart| seal(phone, post, TEXT, &part.encode().unwrap());
    parts.iter().map(seal).collect()
}

fn post_text(post: &Post, from: &str, text: &str, token: &str) -> Response {
    let body = serde_json::json!({"id": "1", "from": from, "text": text, "received_ms": 1});
    let request = post.client().post(post.url("/v1/sms"));
    request
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(body.to_string())
        .send()
        .unwrap()
}

fn deliver(post: &Post, message: &[u8]) -> Option<CompactReceipt> {
    let text = STANDARD.encode(message);
    let taken: SmsTaken = read(post_text(post, "+905551234567", &text, TOKEN));
    let reply = STANDARD.decode(taken.reply?).unwrap();
    Some(CompactReceipt::verify(&reply, &post.receipt_keys()).unwrap())
}

fn only_case(post: &Post) -> CaseView {
    let mut cases = post.ministry.cases().unwrap();
    assert_eq!(cases.len(), 1);
    cases.remove(0)
}

#[test]
fn a_report_by_text_message_is_a_case_with_a_signed_receipt() {
    let post = open_post();
    let message = report(1, &post);
    let receipt = deliver(&post, &message).unwrap();
    assert!(receipt.is_for(&message_hash(&message), &report_id()));
    let case = only_case(&post);
    assert_eq!(case.id, receipt.case_id);
    assert_eq!(case.report, report_id());
    assert_eq!((case.people, case.battery_percent), (Some(2), Some(41)));
    assert_eq!(case.position.unwrap().age_ms, Some(5_000));
    assert_eq!(case.pressed_ms, Some(0x0197_79d6_5c00));
    let compact = case.compact.unwrap();
    assert_eq!(compact.channel, "sms");
    assert_eq!(compact.waited_ms, Some(96_000));
    let missing: Vec<_> = compact
        .texts
        .iter()
        .map(|text| text.text.is_none())
        .collect();
    assert_eq!(missing, [true, true], "announced, and not there");
    // Once more, and after a restart: the same receipt, the same case.
    assert_eq!(deliver(&post, &message), Some(receipt.clone()));
    assert_eq!(only_case(&post).times_received, 2);
}

#[test]
fn every_order_of_report_note_and_full_report_is_one_case() {
    let orders: [[usize; 4]; 6] = [
        [0, 1, 2, 3],
        [3, 2, 1, 0],
        [1, 0, 3, 2],
        [2, 3, 0, 1],
        [1, 2, 3, 0],
        [3, 0, 2, 1],
    ];
    for order in orders {
        let post = open_post();
        let phone = Phone::enrolled(1, &post);
        let (report, texts) = (report(1, &post), texts(1, &post));
        let mut numbers = Vec::new();
        for step in order {
            match step {
                0 => numbers.extend(deliver(&post, &report).map(|receipt| receipt.case_id)),
                1 | 2 => assert_eq!(deliver(&post, &texts[step - 1]), None),
                _ => {
                    let outcome = phone.send_one(&post, &phone.sos(&post, report_id()));
                    assert!(
                        matches!(outcome, EnvelopeOutcome::Accepted { .. }),
                        "{order:?}"
                    );
                    numbers.extend(post.receipt(&outcome).case);
                }
            }
        }
        let case = only_case(&post);
        assert_eq!(numbers, [case.id.clone(), case.id], "{order:?}");
        assert_eq!(case.note, "腿断了 broken leg", "the full report counts");
        assert_eq!(case.foreign_letters, 0);
        let compact = case.compact.unwrap();
        assert!(compact.full_report && compact.report);
        let note: String = compact
            .texts
            .into_iter()
            .filter_map(|text| text.text)
            .collect();
        assert!(note.starts_with("腿断了") && note.ends_with('末'));
    }
}

#[test]
fn a_part_of_a_note_alone_is_shown_and_proves_no_report() {
    let post = open_post();
    assert_eq!(deliver(&post, &texts(1, &post)[1]), None);
    let case = only_case(&post);
    assert_eq!(case.kind, None);
    let compact = case.compact.unwrap();
    assert!(!compact.report && !compact.full_report);
    assert_eq!(compact.texts[0].text, None, "part 1 is missing");
    assert!(compact.texts[1].text.as_deref().unwrap().ends_with('末'));
}

#[test]
fn another_device_cannot_take_a_case_or_speak_in_it() {
    let post = open_post();
    let receipt = deliver(&post, &report(1, &post)).unwrap();
    let refused = post_text(&post, "+1", &STANDARD.encode(report(2, &post)), TOKEN);
    let expected = (409, "urn:homeline:problem:other-sender".to_owned());
    assert_eq!(problem(refused), expected);
    let refused = post_text(&post, "+1", &STANDARD.encode(&texts(2, &post)[0]), TOKEN);
    assert_eq!(problem(refused), expected);
    let case = only_case(&post);
    assert_eq!(case.id, receipt.case_id);
    assert_eq!(case.foreign_letters, 1);
    assert!(
        case.compact
            .unwrap()
            .texts
            .iter()
            .all(|text| text.text.is_none())
    );
    // Who was first with somebody else's id does not keep the case from its owner.
    let post = open_post();
    deliver(&post, &report(2, &post)).unwrap();
    let phone = Phone::enrolled(1, &post);
    phone.send_one(&post, &phone.sos(&post, report_id()));
    let case = only_case(&post);
    assert_eq!(case.device, Some(phone.id()));
    assert_eq!(case.note, "腿断了 broken leg");
}

#[test]
fn what_cannot_be_opened_is_refused_and_nothing_is_stored() {
    let post = open_post();
    let good = report(1, &post);
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    let short = seal(1, &post, REPORT, b"too short");
    let no_part = seal(1, &post, TEXT, &[0; 38]);
    let texts = [
        "【求助】受伤或患病，位置41.01000,28.97000".to_owned(),
        String::new(),
        "x".repeat(5_000),
        STANDARD.encode(&changed),
        STANDARD.encode(&good[..100]),
        STANDARD.encode(short),
        STANDARD.encode(no_part),
    ];
    for text in texts {
        let refused = problem(post_text(&post, "+1", &text, TOKEN));
        assert_eq!(
            refused,
            (422, "urn:homeline:problem:unreadable-text".into())
        );
    }
    assert!(post.ministry.cases().unwrap().is_empty());
}

#[test]
fn only_the_gateway_is_let_in_and_one_number_is_bounded() {
    let post = open_post();
    let text = STANDARD.encode(report(1, &post));
    for token in ["", "of the gatewa", TOKEN.to_uppercase().as_str()] {
        assert_eq!(post_text(&post, "+1", &text, token).status(), 401);
    }
    let statuses: Vec<u16> = (0..40)
        .map(|_| post_text(&post, "+1", &text, TOKEN).status().as_u16())
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 30);
    assert_eq!(statuses.last(), Some(&429));
    assert_eq!(post_text(&post, "+2", &text, TOKEN).status(), 200);
    assert_eq!(only_case(&post).times_received, 31);
    // A ministry without a gateway lets nobody in.
    let closed = Post::open();
    assert_eq!(post_text(&closed, "+1", &text, "").status(), 401);
}
