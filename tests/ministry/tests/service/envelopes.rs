//! Envelopes in, receipts out: exactly one case, whatever is repeated.

use crate::phone::{
    Phone, Post, batch, client, clock, id, key_of, problem, read, signed_of, sos, update_at,
};
use homeline::registration::MedicalCard;
use homeline::registration::fields::Field;
use homeline::seal::sha256_hex;
use homeline::sos::{Ground, SosKind};
use homeline::sync::protocol::{
    BatchAnswer, Content, EnvelopeOutcome, Medical, Positions, Profile, SosReport,
};
use ministry::DeskState;

#[test]
fn a_batch_has_one_result_each_and_a_bad_one_refuses_no_other() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let first = phone.sos(&post, id(1));
    let mut changed = phone.sos(&post, id(2));
    *changed.sealed.0.last_mut().unwrap() ^= 1;
    let mut renamed = phone.sos(&post, id(3));
    renamed.id = id(33);
    let stranger = phone.seal_bytes(&Phone::new(9).agreement, id(4), b"{}");
    let unknown = phone.seal(&post, id(5), &serde_json::json!({"type": "poem"}));
    let other_report = phone.seal(&post, id(6), &Content::Sos(sos(id(66))));
    let last = phone.standing(&post, id(7), "李伟");
    let results = phone.send(
        &post,
        &[
            first.clone(),
            changed,
            renamed,
            stranger,
            unknown,
            other_report,
            first.clone(),
            last,
        ],
    );
    let told: Vec<&str> = results
        .iter()
        .map(|outcome| match outcome {
            EnvelopeOutcome::Accepted { .. } => "accepted",
            EnvelopeOutcome::Duplicate { .. } => "duplicate",
            EnvelopeOutcome::Refused { problem } => problem.kind.rsplit(':').next().unwrap(),
        })
        .collect();
    let expected = [
        "accepted",
        "not-authentic",
        "id-mismatch",
        "unknown-key",
        "unknown-content",
        "id-mismatch",
        "duplicate",
        "accepted",
    ];
    assert_eq!(told, expected);
    let receipt = post.receipt(&results[0]);
    assert_eq!(receipt.envelope, id(1));
    assert_eq!(receipt.sha256, sha256_hex(&first.sealed.0));
    assert!(receipt.case.is_some());
    assert_eq!(post.receipt(&results[7]).case, None);
    assert_eq!(signed_of(&results[0]), signed_of(&results[6]));
    assert_eq!(signed_of(&results[0]).key, key_of(&post.receipt_keys()[0]));

    let cases = post.ministry.cases().unwrap();
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].times_received, 2);
    assert_eq!(cases[0].device, Some(phone.id()));
    assert_eq!(cases[0].note, "腿断了 broken leg");
    let counters = post.ministry.counters();
    assert_eq!(
        (counters.accepted, counters.duplicates, counters.refused),
        (2, 1, 5)
    );
    assert_eq!(counters.requests["/v1/envelopes"], 1);
    assert!(counters.wire_bytes_in > counters.body_bytes);
}

#[test]
fn a_repeat_gets_the_first_receipt_and_what_was_sealed_anew_its_own() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let first = phone.sos(&post, id(1));
    let accepted = phone.send_one(&post, &first);
    let receipt = signed_of(&accepted).clone();

    let post = post.restart();
    let again = phone.send_one(&post, &first);
    assert!(matches!(again, EnvelopeOutcome::Duplicate { .. }));
    assert_eq!(signed_of(&again), &receipt);

    // Sealed anew, other bytes, the same report: a duplicate, with a receipt for the
    // bytes that came now. A phone of an older backup knows no others.
    let resealed = phone.sos(&post, id(1));
    assert_ne!(resealed, first);
    let third = phone.send_one(&post, &resealed);
    assert!(matches!(third, EnvelopeOutcome::Duplicate { .. }));
    let (now, before) = (post.receipt(&third), post.receipt(&accepted));
    assert_eq!(now.sha256, sha256_hex(&resealed.sealed.0));
    assert_eq!(
        (now.case, now.received_ms),
        (before.case, before.received_ms)
    );
    assert_eq!(post.ministry.cases().unwrap()[0].times_received, 3);
}

#[test]
fn a_hundred_identical_batches_at_once_are_one_case() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let body = batch(&[
        phone.sos(&post, id(1)),
        phone.standing(&post, id(2), "李伟"),
    ]);
    let shared = client(&post.ministry);
    let receipts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..100)
            .map(|_| {
                scope.spawn(|| {
                    let response = phone.post_with(&shared, &post, "/v1/envelopes", body.clone());
                    let answer: BatchAnswer = read(response);
                    answer.results
                })
            })
            .collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let accepted = receipts
        .iter()
        .filter(|results| matches!(results[0].outcome, EnvelopeOutcome::Accepted { .. }))
        .count();
    assert_eq!(accepted, 1);
    for results in &receipts {
        for (one, first) in results.iter().zip(&receipts[0]) {
            assert_eq!(signed_of(&one.outcome), signed_of(&first.outcome));
        }
    }
    let cases = post.ministry.cases().unwrap();
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].times_received, 100);
}

#[test]
fn what_comes_before_its_report_belongs_to_the_same_case() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    // Backwards: the later update, the cancellation, the report, the earlier update.
    let later = phone.update(&post, id(11), update_at(id(1), 80_000, 41.2));
    let numbers: Vec<_> = [
        later,
        phone.cancel(&post, id(12), id(1)),
        phone.sos(&post, id(1)),
        phone.update(&post, id(13), update_at(id(1), 70_000, 41.1)),
    ]
    .iter()
    .map(|envelope| {
        let outcome = phone.send_one(&post, envelope);
        post.receipt(&outcome).case.unwrap()
    })
    .collect();
    assert!(numbers.iter().all(|number| *number == numbers[0]));
    let cases = post.ministry.cases().unwrap();
    assert_eq!(cases.len(), 1);
    let case = &cases[0];
    assert_eq!(case.id, numbers[0]);
    assert_eq!(case.state, DeskState::Cancelled);
    assert_eq!(case.updates, 2);
    // The latest by the phone's clock, not the last to arrive.
    let position = case.position.as_ref().unwrap();
    assert_eq!((position.latitude, position.age_ms), (41.2, Some(1_000)));
}

#[test]
fn an_update_alone_is_a_case_that_waits_for_its_report() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    phone.send_one(
        &post,
        &phone.update(&post, id(11), update_at(id(1), 70_000, 41.1)),
    );
    let case = post.ministry.cases().unwrap().remove(0);
    assert_eq!((case.kind, case.times_received), (None, 0));
    assert!(case.position.is_some());
}

#[test]
fn nobody_else_speaks_for_a_report() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let other = Phone::enrolled(2, &post);
    // Before the report it cannot be told; from the report on, it is.
    other.send_one(&post, &other.cancel(&post, id(21), id(1)));
    phone.send_one(&post, &phone.sos(&post, id(1)));
    other.send_one(
        &post,
        &other.update(&post, id(22), update_at(id(1), 99_000, -33.0)),
    );
    let case = post.ministry.cases().unwrap().remove(0);
    assert_eq!(case.state, DeskState::New);
    assert_eq!(case.position.unwrap().latitude, 41.01);
    assert_eq!((case.updates, case.foreign_letters), (0, 2));

    // And the id of an envelope that is known stays its sender's.
    match other.send_one(&post, &other.sos(&post, id(1))) {
        EnvelopeOutcome::Refused { problem } => {
            assert_eq!(problem.kind, "urn:homeline:problem:other-sender");
        }
        _ => panic!("another sender took the id"),
    }
}

#[test]
fn a_standing_after_the_report_says_who_calls() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let report = SosReport {
        standing: Some(id(50)),
        ..sos(id(1))
    };
    phone.send_one(&post, &phone.seal(&post, id(1), &Content::Sos(report)));
    assert!(post.ministry.cases().unwrap()[0].traveler.is_none());

    // A newer one of the same phone stands in until the named one comes.
    phone.send_one(&post, &phone.standing(&post, id(51), "代"));
    assert_eq!(traveler_name(&post), "代");
    // Somebody else's standing of that id would not count.
    phone.send_one(&post, &phone.standing(&post, id(50), "李伟"));
    assert_eq!(traveler_name(&post), "李伟");
    let case = post.ministry.cases().unwrap().remove(0);
    let traveler = case.traveler.unwrap();
    assert_eq!(traveler.document_number.as_deref(), Some("E12345678"));
    assert_eq!(case.contacts[0].name, "李母");
}

#[test]
fn the_newest_version_of_a_profile_stands_in_for_a_standing() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let profile = |version: u64, name: &str| {
        let field = |key: &str, value: &str| Field {
            entity: "traveler".into(),
            key: key.into(),
            value: serde_json::from_str(value).unwrap(),
            changed_ms: i64::try_from(version).unwrap(),
            device: phone.id(),
        };
        Content::Profile(Profile {
            version,
            registration: id(60),
            fields: vec![
                field("name", &format!("\"{name}\"")),
                field("kind", r#"{"kind": "crew"}"#),
            ],
            phones: Default::default(),
        })
    };
    phone.send(
        &post,
        &[
            phone.seal(&post, id(62), &profile(2, "新")),
            phone.seal(&post, id(61), &profile(1, "旧")),
            phone.seal(
                &post,
                id(63),
                &Content::Positions(Positions {
                    fixes: vec![crate::phone::aged_fix(1.0, 0).fix; 3],
                    blocks: Vec::new(),
                    gaps: Vec::new(),
                }),
            ),
            phone.sos(&post, id(1)),
        ],
    );
    assert_eq!(traveler_name(&post), "新");
}

#[test]
fn any_enrolled_phone_carries_and_the_sender_need_not_be_enrolled() {
    let post = Post::open();
    let carrier = Phone::enrolled(2, &post);
    let stranger = Phone::new(3);
    let outcome = carrier.send_one(&post, &stranger.sos(&post, id(1)));
    assert!(post.receipt(&outcome).case.is_some());
    assert_eq!(post.ministry.cases().unwrap()[0].device, None);
    let stranger = Phone::enrolled(3, &post);
    assert_eq!(
        post.ministry.cases().unwrap()[0].device,
        Some(stranger.id())
    );
}

#[test]
fn an_unknown_device_and_a_wrong_signature_are_told_apart() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let stranger = Phone::new(9);
    let body = batch(&[phone.sos(&post, id(1))]);
    let answer = stranger.post(&post, "/v1/envelopes", body.clone());
    assert_eq!(
        problem(answer),
        (401, "urn:homeline:problem:unknown-device".into())
    );

    let bad = (401, "urn:homeline:problem:bad-signature".to_owned());
    let unsigned = post
        .client()
        .post(post.url("/v1/envelopes"))
        .header("content-type", "application/json")
        .body(body.clone());
    assert_eq!(problem(unsigned.send().unwrap()), bad);

    // Signed for another body, another path, another query.
    for (target, signed) in [
        ("/v1/envelopes", b"{}".to_vec()),
        ("/v1/devices", body.clone()),
        ("/v1/envelopes?x=1", body.clone()),
    ] {
        let mut request = post
            .client()
            .post(post.url("/v1/envelopes"))
            .header("content-type", "application/json")
            .body(body.clone());
        for (name, value) in phone.headers("POST", target, &signed) {
            request = request.header(name, value);
        }
        assert_eq!(problem(request.send().unwrap()), bad, "{target}");
    }
    assert!(post.ministry.cases().unwrap().is_empty());
}

#[test]
fn an_enrolment_is_signed_by_the_key_in_it_and_idempotent() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    Phone::enrolled(1, &post);
    let other = Phone::new(2);
    // Somebody else's keys, signed with one's own.
    let answer = other.post(&post, "/v1/devices", phone.enrolment().into_bytes());
    assert_eq!(problem(answer).0, 401);
    let short = br#"{"signing_key":"AAAA","agreement_key":"AAAA"}"#.to_vec();
    assert_eq!(problem(other.post(&post, "/v1/devices", short)).0, 422);
}

fn traveler_name(post: &Post) -> String {
    let case = post.ministry.cases().unwrap().remove(0);
    case.traveler.unwrap().name
}

fn medical(made_ms: i64, allergy: &str) -> Content {
    Content::Medical(Medical {
        as_of: clock(made_ms),
        card: MedicalCard {
            allergies: vec![allergy.into()],
            ..MedicalCard::default()
        },
        ground: Ground::VitalInterest,
    })
}

#[test]
fn a_medical_card_is_shown_beside_the_report_of_its_own_sender_only() {
    let post = Post::open();
    let (phone, stranger) = (Phone::enrolled(1, &post), Phone::enrolled(2, &post));
    let report = |number, kind, medical| SosReport {
        kind,
        medical,
        ..sos(id(number))
    };
    // A foreign card of the very id, before and after the report: it changes nothing.
    stranger.send_one(&post, &stranger.seal(&post, id(60), &medical(1, "foreign")));
    let named = report(1, SosKind::Medical, Some(id(60)));
    phone.send_one(&post, &phone.seal(&post, id(1), &Content::Sos(named)));
    let later = medical(99_000, "foreign");
    stranger.send_one(&post, &stranger.seal(&post, id(61), &later));
    let shown = || {
        let case = post.ministry.cases().unwrap().remove(0);
        let card = case.medical.map(|medical| medical.card.allergies.join(","));
        (card, case.state, case.foreign_letters)
    };
    assert_eq!(shown(), (None, DeskState::New, 0));

    // The phone's own: not one from before the press that the report does not name.
    phone.send_one(&post, &phone.seal(&post, id(62), &medical(2_000, "old")));
    assert_eq!(shown().0, None);
    // A corrected one; and an earlier correction that a late channel brings after it.
    phone.send_one(&post, &phone.seal(&post, id(63), &medical(90_000, "new")));
    assert_eq!(shown().0.as_deref(), Some("new"));
    phone.send_one(&post, &phone.seal(&post, id(64), &medical(80_000, "late")));
    assert_eq!(shown().0.as_deref(), Some("new"));

    // Beside no other kind, and not where the report says that there is none.
    for (number, kind, card) in [
        (2, SosKind::Crime, Some(id(63))),
        (3, SosKind::Medical, None),
    ] {
        let other = report(number, kind, card);
        phone.send_one(&post, &phone.seal(&post, id(number), &Content::Sos(other)));
        assert_eq!(shown().0, None, "{number}");
    }
}
