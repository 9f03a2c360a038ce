//! Keys that change while phones know those of before.

use crate::phone::{Phone, Post, id, read, signed_of};

use homeline::seal::key_id;
use homeline::seal::signed::{Context, Signed};
use homeline::sync::protocol::{EnvelopeOutcome, RETIRED_KEY, ServiceDocument, UNKNOWN_KEY};
use ministry::{Former, Ministry, Rotation, Settings};

fn document(post: &Post) -> ServiceDocument {
    let signed: Signed = read(post.client().get(post.url("/v1/service")).send().unwrap());
    signed
        .verify(Context::Service, &[post.ministry.host_values().anchor])
        .unwrap()
}

#[track_caller]
fn refused(outcome: &EnvelopeOutcome) -> &str {
    match outcome {
        EnvelopeOutcome::Refused { problem } => &problem.kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn new_keys_are_in_a_newer_document_and_survive_a_restart() {
    let post = Post::open();
    let before = document(&post);
    post.ministry
        .rotate_keys(Rotation::Both, Former::Kept)
        .unwrap();
    let after = document(&post);
    assert_eq!(after.serial, before.serial + 1);
    assert_eq!(after.sealing_keys.len(), 1);
    assert_ne!(after.sealing_keys, before.sealing_keys);
    assert_eq!(
        after.sealing_keys[0].0,
        post.ministry.host_values().sealing_key
    );
    // Today's first; the one of before stays, so that its receipts verify.
    assert_eq!(after.receipt_keys.len(), 2);
    assert_eq!(after.receipt_keys[1], before.receipt_keys[0]);
    assert_eq!(document(&post.restart()), after);
}

#[test]
fn a_retired_key_is_opened_and_a_revoked_one_refused_with_a_problem_of_its_own() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let envelopes = [1, 2, 3].map(|number| phone.sos(&post, id(number)));
    post.ministry
        .rotate_keys(Rotation::Sealing, Former::Kept)
        .unwrap();
    let outcome = phone.send_one(&post, &envelopes[0]);
    assert_eq!(post.receipt(&outcome).envelope, id(1));
    let post = post.restart();
    let outcome = phone.send_one(&post, &envelopes[1]);
    assert_eq!(post.receipt(&outcome).envelope, id(2));

    post.ministry
        .rotate_keys(Rotation::Sealing, Former::Revoked)
        .unwrap();
    let outcome = phone.send_one(&post, &envelopes[2]);
    assert_eq!(refused(&outcome), RETIRED_KEY);
    let post = post.restart();
    let outcome = phone.send_one(&post, &envelopes[2]);
    assert_eq!(refused(&outcome), RETIRED_KEY);
    let strange = phone.seal_bytes(&[9; 32], id(4), b"{}");
    assert_eq!(refused(&phone.send_one(&post, &strange)), UNKNOWN_KEY);

    // Sealed anew, it is taken; what was taken before is a duplicate.
    let outcome = phone.send_one(&post, &phone.sos(&post, id(3)));
    assert_eq!(post.receipt(&outcome).envelope, id(3));
    let again = phone.sos(&post, id(1));
    let outcome = phone.send_one(&post, &again);
    assert!(matches!(outcome, EnvelopeOutcome::Duplicate { .. }));
    let these = homeline::seal::sha256_hex(&again.sealed.0);
    assert_eq!(post.receipt(&outcome).sha256, these);
    assert_eq!(post.ministry.cases().unwrap().len(), 3);
}

#[test]
fn a_receipt_and_news_by_a_revoked_key_are_signed_anew() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let envelope = phone.sos(&post, id(1));
    let first = phone.send_one(&post, &envelope);
    let said = post.receipt(&first);
    let case = said.case.clone().unwrap();
    post.ministry.acknowledge(&case, "a", "b").unwrap();
    let told = phone.changes(&post, 0).changes;
    post.ministry
        .rotate_keys(Rotation::Receipts, Former::Kept)
        .unwrap();
    // What the former key signed is believed, and comes as it was.
    let again = phone.send_one(&post, &envelope);
    assert_eq!(signed_of(&again), signed_of(&first));
    assert_eq!(phone.changes(&post, 0).changes, told);

    let old = post.receipt_keys();
    post.ministry
        .rotate_keys(Rotation::Receipts, Former::Revoked)
        .unwrap();
    let keys = post.receipt_keys();
    assert_eq!(keys.len(), 1);
    assert!(!old.contains(&keys[0]));
    let again = phone.send_one(&post, &envelope);
    assert_eq!(signed_of(&again).key, key_id(&keys[0]));
    assert_eq!(post.receipt(&again), said);
    let news = phone.changes(&post, told[0].seq).changes;
    assert_eq!(phone.news(&post, &news[0]).case, case);
}

#[test]
fn the_program_makes_keys_anew_while_the_service_does_not_run() {
    let rotate = |data: &std::path::Path, more: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_ministry"))
            .arg("--data")
            .arg(data)
            .args(more)
            .output()
            .unwrap()
    };
    let post = Post::open();
    let before = document(&post);
    let busy = rotate(post.directory.path(), &["--rotate-keys", "both"]);
    assert_eq!(busy.status.code(), Some(1), "it runs");
    let Post {
        ministry,
        directory,
    } = post;
    ministry.stop();
    let data = directory.path();
    for wrong in [&["--rotate-keys", "all"][..], &["--revoke"]] {
        assert_eq!(rotate(data, wrong).status.code(), Some(2));
    }
    let done = rotate(data, &["--rotate-keys", "both", "--revoke"]);
    assert!(done.status.success());
    let nowhere = tempfile::tempdir().unwrap();
    let unknown = rotate(nowhere.path(), &["--rotate-keys", "both"]);
    assert_eq!(unknown.status.code(), Some(1));
    let post = Post {
        ministry: Ministry::start(Settings::new(data)).unwrap(),
        directory,
    };
    let after = document(&post);
    assert!(after.serial > before.serial);
    assert_ne!(after.sealing_keys, before.sealing_keys);
    assert_eq!(after.receipt_keys.len(), 1);
}
