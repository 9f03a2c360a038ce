//! A ministry that says what is not so, and a disk that rots.

use std::sync::Mutex;

use homeline::sos::ReportState;
use homeline::sync::SyncStop;
use homeline_tests::scene::Scene;
use serde_json::{Value, json};

use super::*;

/// The attachment stays, unproved, and its bytes with it.
#[track_caller]
fn nothing_is_proved(scene: &Scene, home: &Homeline, report: &str, id: &str) {
    let state = status(home, report, id).state;
    assert!(
        matches!(state, AttachmentState::Sending { .. }),
        "{}",
        words(&state)
    );
    assert_eq!(sealed_files(&scene.files()), [id.to_owned()]);
    // What is wrong with an attachment is not wrong with its report.
    let report = home.sos().status(report.to_owned()).unwrap();
    assert!(matches!(report.state, ReportState::Received { .. }));
}

fn is_ask(path: &str) -> bool {
    path.starts_with("/v1/attachments/")
}

#[test]
fn a_ministry_that_says_it_has_what_it_has_not_is_not_believed() {
    let scene = Scene::new().unwrap();
    let (home, spy) = watched(&scene);
    let report = press(&home);
    let one = attach(&scene, &home, &report, &noise(1, 1_000), info("image/jpeg")).unwrap();
    // The receipt of another attachment, by the ministry itself.
    let receipt = Arc::new(Mutex::new(Value::Null));
    let keep = Arc::clone(&receipt);
    spy.after(move |path, answer| {
        if is_ask(path) {
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            if body["state"] == "complete" {
                *keep.lock().unwrap() = body["receipt"].clone();
            }
        }
        answer
    });
    sync(&home);
    assert!(is_received(&home, &report, &one));
    let theirs = receipt.lock().unwrap().clone();
    assert!(theirs["signature"].is_string());

    let id = attach(
        &scene,
        &home,
        &report,
        &noise(2, 3 * CHUNK),
        info("image/jpeg"),
    )
    .unwrap();
    let mut forged = theirs.clone();
    forged["body"] = json!("e30=");
    for lie in [
        json!({"state": "complete", "receipt": theirs}),
        json!({"state": "complete", "receipt": forged}),
        json!({"state": "incomplete", "missing": []}),
        json!({"state": "incomplete", "missing": [{"first": 0, "count": 4}]}),
        json!({"state": "incomplete", "missing": [{"first": 2, "count": 1}, {"first": 0, "count": 1}]}),
        json!({"state": "incomplete", "missing": [{"first": 4_294_967_295_u32, "count": 2}]}),
        json!({"state": "whatever"}),
    ] {
        let answer = lie.clone();
        spy.before(move |request| is_ask(&spy::path_of(request)).then(|| spy::json(&answer)));
        let outcome = sync(&home);
        assert_eq!(outcome.stopped, SyncStop::NotTheMinistry, "{lie}");
        nothing_is_proved(&scene, &home, &report, &id);
    }
    // It says that two of three are there, and they are not.
    spy.before(|request| {
        is_ask(&spy::path_of(request)).then(|| {
            spy::json(&json!({"state": "incomplete", "missing": [{"first": 2, "count": 1}]}))
        })
    });
    assert_eq!(sync(&home).stopped, SyncStop::NotTheMinistry);
    nothing_is_proved(&scene, &home, &report, &id);

    spy.be_honest();
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    assert!(is_received(&home, &report, &id));
    assert!(at_the_desk(&scene, &report, &id).unwrap() == noise(2, 3 * CHUNK));
}

/// It answers 200 to each chunk and keeps none: no loop, no claim.
#[test]
fn a_ministry_that_takes_chunks_and_keeps_none_is_tried_again_later() {
    let scene = Scene::new().unwrap();
    let (home, spy) = watched(&scene);
    let report = press(&home);
    let id = attach(
        &scene,
        &home,
        &report,
        &noise(3, 3 * CHUNK),
        info("image/jpeg"),
    )
    .unwrap();
    spy.before(|request| {
        let path = spy::path_of(request);
        let hash = path.strip_prefix("/v1/chunks/")?;
        Some(spy::json(&json!({"sha256": hash})))
    });
    let outcome = sync(&home);
    assert_eq!(outcome.stopped, SyncStop::NotTheMinistry);
    assert_eq!(spy.chunks(), 3);
    assert!(outcome.next_ms.is_some_and(|ms| ms > 0));
    nothing_is_proved(&scene, &home, &report, &id);
    spy.be_honest();
    sync(&home);
    assert!(is_received(&home, &report, &id));
}

/// A phone whose link broke asks again while the ministry still opens the file: what it
/// has signed for stays.
#[test]
fn asked_by_several_at_once_the_ministry_keeps_the_file() {
    let scene = Scene::new().unwrap();
    let (home, spy) = watched(&scene);
    let report = press(&home);
    let video = noise(12, 20 * CHUNK);
    let id = attach(&scene, &home, &report, &video, info("video/mp4")).unwrap();
    let weak = Arc::downgrade(&spy);
    spy.before(move |request| {
        let ask = || {
            let (spy, request) = (weak.upgrade().unwrap(), request.clone());
            std::thread::spawn(move || spy.send(request).unwrap())
        };
        if is_ask(&spy::path_of(request)) {
            let asked: Vec<_> = (0..4).map(|_| ask()).collect();
            asked
                .into_iter()
                .for_each(|asked| drop(asked.join().unwrap()));
        }
        None
    });
    sync(&home);
    assert!(is_received(&home, &report, &id));
    assert!(at_the_desk(&scene, &report, &id).unwrap() == video);
}

/// One byte of the sealed file is another: the ministry does not take it, the person
/// is told, and the other attachment goes.
#[test]
fn a_file_that_rots_on_the_phone_is_parked_alone() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let report = press(&home);
    let bad = attach(
        &scene,
        &home,
        &report,
        &noise(4, 2 * CHUNK),
        info("image/jpeg"),
    )
    .unwrap();
    let good = attach(
        &scene,
        &home,
        &report,
        &noise(5, 3 * CHUNK),
        info("image/jpeg"),
    )
    .unwrap();
    let path = scene.files().join("attachments").join(&bad);
    let mut sealed = std::fs::read(&path).unwrap();
    sealed[CHUNK + 500] ^= 1;
    std::fs::write(&path, &sealed).unwrap();
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    let state = words(&status(&home, &report, &bad).state);
    assert_eq!(state, "parked: 409 urn:homeline:problem:unexpected-chunk");
    assert!(is_received(&home, &report, &good));
    assert_eq!(at_the_desk(&scene, &report, &bad), None);
    // Repaired, and tried again by a person.
    sealed[CHUNK + 500] ^= 1;
    std::fs::write(&path, &sealed).unwrap();
    assert!(home.attachments().try_again(bad.clone()).unwrap());
    sync(&home);
    assert!(is_received(&home, &report, &bad));
    assert!(at_the_desk(&scene, &report, &bad).unwrap() == noise(4, 2 * CHUNK));
}

/// The sealed file is gone: said, and nothing else is held up.
#[test]
fn a_file_that_is_lost_on_the_phone_is_said() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let report = press(&home);
    let id = attach(&scene, &home, &report, &noise(6, 10), info("image/jpeg")).unwrap();
    std::fs::remove_file(scene.files().join("attachments").join(&id)).unwrap();
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    let state = words(&status(&home, &report, &id).state);
    assert_eq!(state, "parked: 0 urn:homeline:problem:bytes-lost");
    assert!(!home.attachments().try_again(id).unwrap());
}
