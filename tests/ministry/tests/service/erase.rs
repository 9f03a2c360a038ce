//! A traveler asks to be erased; a crisis is declared.

use homeline::clock::ClockReading;
use homeline::seal::signed::{Context, Signed};
use homeline::sync::protocol::{
    Content, Crisis, EnvelopeOutcome, Erase, Positions, Profile, SealedEnvelope, ServiceDocument,
};
use homeline::whereabouts::{Fix, FixSource, Position};
use uuid::Uuid;

use crate::phone::{Phone, Post, id, read, sos};

fn erase(phone: &Phone, post: &Post, number: u128) -> SealedEnvelope {
    let content = Content::Erase(Erase {
        registration: None,
        at: ClockReading {
            wall_ms: 0,
            monotonic_ms: 0,
            boot_id: "a".into(),
        },
    });
    phone.seal(post, id(number), &content)
}

fn profile(phone: &Phone, post: &Post, number: u128) -> SealedEnvelope {
    let content = Content::Profile(Profile {
        version: 1,
        registration: Uuid::nil(),
        fields: Vec::new(),
        phones: Default::default(),
    });
    phone.seal(post, id(number), &content)
}

fn positions(phone: &Phone, post: &Post, number: u128) -> SealedEnvelope {
    let fix = Fix::new(
        Position::Wgs84 {
            latitude: 1.0,
            longitude: 2.0,
        },
        0,
        FixSource::Gnss,
    );
    let content = Content::Positions(Positions {
        fixes: vec![fix; 3],
        ..Positions::default()
    });
    phone.seal(post, id(number), &content)
}

fn held(post: &Post) -> (u64, u64, u64) {
    let holdings = post.ministry.holdings().unwrap();
    (holdings.profiles, holdings.positions, holdings.standings)
}

#[test]
fn all_but_the_cases_of_this_sender_goes_and_nobody_elses() {
    let post = Post::open();
    let (phone, other) = (Phone::enrolled(1, &post), Phone::enrolled(2, &post));
    let mut report = sos(id(1));
    report.standing = Some(id(2));
    phone.send(
        &post,
        &[
            phone.seal(&post, id(1), &Content::Sos(report)),
            phone.standing(&post, id(2), "李伟"),
            phone.standing(&post, id(3), "李伟"),
            profile(&phone, &post, 4),
            positions(&phone, &post, 5),
        ],
    );
    other.send(
        &post,
        &[
            profile(&other, &post, 14),
            positions(&other, &post, 15),
            other.standing(&post, id(16), "王芳"),
        ],
    );
    assert_eq!(held(&post), (2, 6, 3));

    // Whoever carries it: the envelope says whose it is.
    let request = erase(&phone, &post, 6);
    let outcome = other.send_one(&post, &request);
    assert_eq!(post.receipt(&outcome).envelope, id(6));
    assert_eq!(held(&post), (1, 3, 2));
    let cases = post.ministry.cases().unwrap();
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].traveler.as_ref().unwrap().name, "李伟");

    // Once more, and after a restart: the same receipt, nothing else.
    let post = post.restart();
    let again = other.send_one(&post, &request);
    assert!(matches!(again, EnvelopeOutcome::Duplicate { .. }));
    assert_eq!(held(&post), (1, 3, 2));
}

#[test]
fn what_comes_late_is_answered_and_not_kept_but_an_sos_is() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    phone.send_one(&post, &erase(&phone, &post, 1));
    for late in [profile(&phone, &post, 2), positions(&phone, &post, 3)] {
        let outcome = phone.send_one(&post, &late);
        assert!(matches!(outcome, EnvelopeOutcome::Accepted { .. }));
    }
    assert_eq!(held(&post), (0, 0, 0));
    phone.send(
        &post,
        &[
            phone.sos(&post, id(4)),
            phone.standing(&post, id(5), "李伟"),
        ],
    );
    assert_eq!(post.ministry.cases().unwrap().len(), 1);
    assert_eq!(held(&post), (0, 0, 1));
}

#[test]
fn a_crisis_is_in_the_service_document_under_a_new_serial() {
    let post = Post::open();
    let before = service(&post);
    assert_eq!(before.crises, []);
    let mut crisis = Crisis {
        id: "quake".into(),
        latitude: 36.2,
        longitude: 36.16,
        radius_m: 50_000.0,
        since_ms: 1_000,
    };
    post.ministry.declare_crisis(&crisis).unwrap();
    crisis.radius_m = 80_000.0;
    post.ministry.declare_crisis(&crisis).unwrap();
    let declared = service(&post);
    assert_eq!(declared.crises, [crisis.clone()]);
    assert_eq!(declared.serial, before.serial + 2);
    let post = post.restart();
    assert_eq!(service(&post), declared);
    assert!(post.ministry.end_crisis("quake").unwrap());
    let ended = service(&post);
    assert_eq!(ended.crises, []);
    assert!(ended.serial > declared.serial);
}

fn service(post: &Post) -> ServiceDocument {
    let signed: Signed = read(post.client().get(post.url("/v1/service")).send().unwrap());
    signed
        .verify(Context::Service, &[post.ministry.host_values().anchor])
        .unwrap()
}
