//! The change feed: news reach the phone that sent the report, and no other.

use crate::phone::{Phone, Post, id, problem};
use homeline::seal::envelope::{RecipientKey, open};
use homeline::sync::protocol::CaseState;
use ministry::DeskState;

#[test]
fn an_acknowledgement_reaches_its_phone_alone_and_verifies() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let other = Phone::enrolled(2, &post);
    let outcome = phone.send_one(&post, &phone.sos(&post, id(1)));
    let case = post.receipt(&outcome).case.unwrap();
    assert!(phone.changes(&post, 0).changes.is_empty());

    let view = post
        .ministry
        .acknowledge(&case, "王芳", "驻伊斯坦布尔总领馆")
        .unwrap()
        .unwrap();
    assert_eq!(view.state, DeskState::Acknowledged);
    // A second click, by somebody else, changes nothing.
    let again = post.ministry.acknowledge(&case, "x", "y").unwrap().unwrap();
    assert_eq!(again.officer.as_deref(), Some("王芳"));

    let page = phone.changes(&post, 0);
    assert_eq!((page.changes.len(), page.more), (1, false));
    assert_eq!(page.changes[0].kind, "case");
    let news = phone.news(&post, &page.changes[0]);
    assert_eq!((news.report, news.case), (id(1), case.clone()));
    assert_eq!(news.state, CaseState::Acknowledged);
    assert_eq!(news.mission, "驻伊斯坦布尔总领馆");
    assert!(other.changes(&post, 0).changes.is_empty());
    let wrong = RecipientKey::from_bytes(&[2; 32]).unwrap();
    assert!(open(&page.changes[0].sealed.0, &[wrong]).is_err());

    post.ministry.close(&case).unwrap().unwrap();
    post.ministry.close(&case).unwrap().unwrap();
    let post = post.restart();
    let rest = phone.changes(&post, page.changes[0].seq);
    assert_eq!(rest.changes.len(), 1);
    let news = phone.news(&post, &rest.changes[0]);
    assert_eq!(news.state, CaseState::Closed);
    assert_eq!(news.officer, "王芳");
}

#[test]
fn news_wait_for_a_phone_that_enrols_later() {
    let post = Post::open();
    let carrier = Phone::enrolled(2, &post);
    let sender = Phone::new(3);
    let outcome = carrier.send_one(&post, &sender.sos(&post, id(1)));
    let case = post.receipt(&outcome).case.unwrap();
    post.ministry.acknowledge(&case, "a", "b").unwrap();
    let sender = Phone::enrolled(3, &post);
    let page = sender.changes(&post, 0);
    assert_eq!(sender.news(&post, &page.changes[0]).case, case);
    assert!(carrier.changes(&post, 0).changes.is_empty());
}

#[test]
fn news_of_a_case_that_was_taken_early_go_to_the_sender_of_the_report() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let other = Phone::enrolled(2, &post);
    let early = other.cancel(&post, id(21), id(1));
    let case = post.receipt(&other.send_one(&post, &early)).case.unwrap();
    post.ministry.acknowledge(&case, "a", "b").unwrap();
    phone.send_one(&post, &phone.sos(&post, id(1)));
    let page = phone.changes(&post, 0);
    assert_eq!(phone.news(&post, &page.changes[0]).report, id(1));
}

#[test]
fn the_feed_comes_in_pages_that_can_be_resumed_anywhere() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let envelopes: Vec<_> = (1..=120).map(|n| phone.sos(&post, id(n))).collect();
    for outcome in phone.send(&post, &envelopes) {
        let case = post.receipt(&outcome).case.unwrap();
        post.ministry.acknowledge(&case, "a", "b").unwrap();
    }
    let first = phone.changes(&post, 0);
    assert_eq!((first.changes.len(), first.more), (100, true));
    let rest = phone.changes(&post, first.changes[99].seq);
    assert_eq!((rest.changes.len(), rest.more), (20, false));
    let middle = phone.changes(&post, first.changes[49].seq);
    assert_eq!(middle.changes[0], first.changes[50]);
    assert!(phone.changes(&post, u64::MAX).changes.is_empty());
}

#[test]
fn the_feed_is_for_enrolled_phones_with_a_number_to_start_at() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let get = |phone: &Phone, target: &str| {
        let mut request = post.client().get(post.url(target));
        for (name, value) in phone.headers("GET", target, b"") {
            request = request.header(name, value);
        }
        request.send().unwrap()
    };
    let stranger = Phone::new(9);
    assert_eq!(
        problem(get(&stranger, "/v1/changes?after=0")),
        (401, "urn:homeline:problem:unknown-device".into())
    );
    assert_eq!(problem(get(&phone, "/v1/changes?after=x")).0, 400);
    assert_eq!(problem(get(&phone, "/v1/changes?after=-1")).0, 400);
    assert!(get(&phone, "/v1/changes").status().is_success());
}
