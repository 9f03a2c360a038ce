//! Everything else goes first; and nothing stays where nothing shall.

use std::sync::atomic::{AtomicUsize, Ordering};

use homeline::HomelineError;
use homeline::error::Problem;
use homeline::sos::{OnRepeat, SendOver};
use homeline::sync::SyncStop;
use homeline_tests::scene::Scene;
use homeline_tests::stage::Network;

use super::*;

#[test]
fn an_sos_pressed_in_the_middle_of_a_video_is_the_next_on_the_wire() {
    let scene = Scene::new().unwrap();
    let (home, spy) = watched(&scene);
    let report = press(&home);
    let id = attach(
        &scene,
        &home,
        &report,
        &noise(1, 8 * CHUNK),
        info("video/mp4"),
    )
    .unwrap();
    let (weak, count) = (Arc::downgrade(&home), AtomicUsize::new(0));
    spy.before(move |request| {
        if spy::is_chunk(&spy::path_of(request)) && count.fetch_add(1, Ordering::SeqCst) == 2 {
            let mut request = SosRequest::new(SosKind::Medical);
            request.on_repeat = Some(OnRepeat::NewReport);
            weak.upgrade().unwrap().sos().press(request).unwrap();
        }
        None
    });
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    let seen = spy.seen();
    let third = seen
        .iter()
        .enumerate()
        .filter(|(_, path)| spy::is_chunk(path))
        .nth(2)
        .unwrap()
        .0;
    assert_eq!(seen[third + 1], "/v1/envelopes", "{seen:?}");
    assert!(spy::is_chunk(&seen[third + 2]), "{seen:?}");
    assert_eq!(scene.stage.ministry.cases().unwrap().len(), 2);
    assert!(is_received(&home, &report, &id));
}

/// The report first, whatever was attached before it could go.
#[test]
fn nothing_of_it_goes_before_its_report_is_received() {
    let scene = Scene::new().unwrap();
    let (home, spy) = watched(&scene);
    let report = press(&home);
    let id = attach(&scene, &home, &report, &noise(2, 100), info("audio/mp4")).unwrap();
    // A ministry that cannot take envelopes now.
    spy.before(|request| {
        (spy::path_of(request) == "/v1/envelopes").then(|| {
            let mut busy = spy::json(&serde_json::json!({}));
            busy.status = 503;
            busy
        })
    });
    assert_eq!(sync(&home).stopped, SyncStop::Busy);
    assert_eq!(words(&status(&home, &report, &id).state), "waiting");
    spy.be_honest();
    let before = spy.seen().len();
    // A busy ministry has asked all but the reports to stand by for a moment.
    let mut outcome = sync(&home);
    while outcome.stopped == SyncStop::Busy {
        let wait_ms = u64::try_from(outcome.next_ms.unwrap()).unwrap();
        assert!(wait_ms < 10_000, "{outcome:?}");
        std::thread::sleep(std::time::Duration::from_millis(wait_ms));
        outcome = sync(&home);
    }
    assert_eq!(outcome.stopped, SyncStop::Done);
    let seen = spy.seen().split_off(before);
    let first = seen
        .iter()
        .position(|path| path == "/v1/envelopes")
        .unwrap();
    let chunk = seen.iter().position(|path| spy::is_chunk(path)).unwrap();
    assert!(first < chunk, "{seen:?}");
    assert!(is_received(&home, &report, &id));
}

#[test]
fn a_small_one_goes_before_a_large_one() {
    let scene = Scene::new().unwrap();
    let (home, spy) = watched(&scene);
    let report = press(&home);
    let large = attach(
        &scene,
        &home,
        &report,
        &noise(3, 4 * CHUNK),
        info("video/mp4"),
    )
    .unwrap();
    let small = attach(&scene, &home, &report, &noise(4, 1_000), info("audio/mp4")).unwrap();
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    let asked: Vec<String> = spy
        .seen()
        .into_iter()
        .filter_map(|path| path.strip_prefix("/v1/attachments/").map(str::to_owned))
        .collect();
    assert_eq!(asked, [small.clone(), small, large.clone(), large]);
}

#[test]
fn the_same_file_twice_is_one_attachment() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let report = press(&home);
    let photo = noise(5, 90_000);
    let first = attach(&scene, &home, &report, &photo, info("image/jpeg")).unwrap();
    let again = attach(&scene, &home, &report, &photo, info("image/jpeg")).unwrap();
    assert_eq!(first, again);
    assert_eq!(sealed_files(&scene.files()), [first.as_str()]);
    sync(&home);
    // Delivered already: it is not sent again.
    let again = attach(&scene, &home, &report, &photo, info("image/jpeg")).unwrap();
    assert_eq!(first, again);
    assert!(sealed_files(&scene.files()).is_empty());
    let other = attach(
        &scene,
        &home,
        &report,
        &noise(6, 90_000),
        info("image/jpeg"),
    )
    .unwrap();
    assert_ne!(first, other);
}

#[test]
fn a_countdown_that_is_cancelled_leaves_no_bytes() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let mut request = SosRequest::new(SosKind::Crime);
    request.countdown_s = 30;
    let report = home.sos().press(request).unwrap();
    attach(
        &scene,
        &home,
        &report,
        &noise(7, 100_000),
        info("image/jpeg"),
    )
    .unwrap();
    assert_eq!(sealed_files(&scene.files()).len(), 1);
    home.sos().cancel(report.clone()).unwrap();
    assert!(sealed_files(&scene.files()).is_empty());
    assert!(home.attachments().list(report).is_err());
    sync(&home);
    assert!(scene.stage.ministry.cases().unwrap().is_empty());
}

#[test]
fn a_report_that_is_taken_back_holds_its_attachments_until_a_word() {
    let scene = Scene::new().unwrap();
    scene.stage.network(Network::Down);
    let home = scene.open().unwrap();
    let report = press(&home);
    let id = attach(&scene, &home, &report, &noise(8, 1_000), info("image/jpeg")).unwrap();
    home.sos().cancel(report.clone()).unwrap();
    scene.stage.network(Network::Up);
    sync(&home);
    assert_eq!(
        words(&status(&home, &report, &id).state),
        "ByTraveler, 0 of 1"
    );
    assert!(
        scene.stage.ministry.cases().unwrap()[0]
            .attachments
            .is_empty()
    );
    let refused = attach(&scene, &home, &report, b"more", info("image/jpeg"));
    assert!(matches!(refused, Err(HomelineError::Invalid { .. })));
    home.attachments()
        .set_send_over(id.clone(), SendOver::AnyLink)
        .unwrap();
    sync(&home);
    assert!(is_received(&home, &report, &id));
}

#[test]
fn what_is_removed_is_gone_and_nothing_of_it_is_sent() {
    let scene = Scene::new().unwrap();
    let (home, spy) = watched(&scene);
    let report = press(&home);
    let id = attach(
        &scene,
        &home,
        &report,
        &noise(9, 70_000),
        info("image/jpeg"),
    )
    .unwrap();
    assert!(home.attachments().remove(id.clone()).unwrap());
    assert!(sealed_files(&scene.files()).is_empty());
    assert!(home.attachments().list(report.clone()).unwrap().is_empty());
    assert!(home.attachments().remove(id).is_err());
    sync(&home);
    assert_eq!(spy.chunks(), 0);

    // In the middle of its upload.
    let id = attach(
        &scene,
        &home,
        &report,
        &noise(10, 3 * CHUNK),
        info("image/jpeg"),
    )
    .unwrap();
    let (weak, gone) = (Arc::downgrade(&home), id.clone());
    spy.before(move |request| {
        if spy::is_chunk(&spy::path_of(request)) {
            let home = weak.upgrade().unwrap();
            let _ = home.attachments().remove(gone.clone());
        }
        None
    });
    let outcome = sync(&home);
    assert_eq!((outcome.stopped, outcome.attachments), (SyncStop::Done, 0));
    assert_eq!(spy.chunks(), 1);
    assert_eq!(at_the_desk(&scene, &report, &id), None);
}

/// In clear nowhere; after an erasure nowhere at all. The report goes all the same.
#[test]
fn a_thief_finds_nothing_and_an_erasure_leaves_nothing() {
    let scene = Scene::new().unwrap();
    scene.stage.network(Network::Down);
    let home = scene.open().unwrap();
    let report = press(&home);
    let words = b"they have taken my passport at the corner of Istiklal ".repeat(4_000);
    let about = AttachmentInfo {
        name: Some("Xiomara-Quetzalcoatl.m4a".into()),
        ..info("audio/mp4")
    };
    let id = attach(&scene, &home, &report, &words, about).unwrap();
    let sealed = std::fs::read(scene.files().join("attachments").join(&id)).unwrap();
    assert!(sealed.len() > words.len());
    let needles: [&[u8]; 3] = [&words[..20], b"Quetzalcoatl", b"audio/mp4"];
    assert_eq!(found(&scene.files(), &needles), Vec::<String>::new());

    home.erase().unwrap();
    assert!(!scene.files().join("attachments").exists());
    let needles: [&[u8]; 3] = [&sealed[..20], &sealed[100_000..100_020], b"Quetzalcoatl"];
    assert_eq!(found(&scene.files(), &needles), Vec::<String>::new());
    assert!(home.attachments().list(report.clone()).unwrap().is_empty());
    scene.stage.network(Network::Up);
    sync(&home);
    let cases = scene.stage.ministry.cases().unwrap();
    assert_eq!(cases.len(), 1);
    assert!(cases[0].attachments.is_empty());
}

/// The files below a directory that hold one of the needles.
fn found(directory: &Path, needles: &[&[u8]]) -> Vec<String> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(found(&path, needles));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for needle in needles {
            if bytes.windows(needle.len()).any(|part| part == *needle) {
                out.push(path.to_string_lossy().into_owned());
            }
        }
    }
    out
}

#[test]
fn what_cannot_be_attached_is_said_and_leaves_nothing() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let report = press(&home);
    let problem = |outcome: homeline::Result<String>| match outcome {
        Err(HomelineError::Invalid { problem, .. }) => problem,
        other => panic!("{other:?}"),
    };
    let empty = attach(&scene, &home, &report, b"", info("image/jpeg"));
    assert_eq!(problem(empty), Problem::Empty);
    let no_type = attach(&scene, &home, &report, b"x", info("jpeg"));
    assert_eq!(problem(no_type), Problem::Malformed);
    let attachments = home.attachments();
    let nowhere = attachments.attach_file(report.clone(), "/nowhere".into(), info("image/jpeg"));
    assert_eq!(problem(nowhere), Problem::Malformed);
    let folder = scene.base.path().to_string_lossy().into_owned();
    let folder = attachments.attach_file(report.clone(), folder, info("image/jpeg"));
    assert_eq!(problem(folder), Problem::Malformed);
    let unknown = attachments.attach_bytes("x".into(), vec![1], info("image/jpeg"));
    assert!(matches!(unknown, Err(HomelineError::NotFound { .. })));
    // A file that has no end: read up to the limit, kept not at all.
    #[cfg(target_os = "linux")]
    if std::env::var_os("HOMELINE_LARGE").is_some() {
        let endless = attachments.attach_file(report.clone(), "/dev/zero".into(), info("a/b"));
        assert_eq!(problem(endless), Problem::TooLong);
    }
    assert!(sealed_files(&scene.files()).is_empty());
    for number in 0..20 {
        attach(
            &scene,
            &home,
            &report,
            &noise(number, 100),
            info("image/jpeg"),
        )
        .unwrap();
    }
    let many = attach(&scene, &home, &report, &noise(99, 100), info("image/jpeg"));
    assert_eq!(problem(many), Problem::TooMany);
    assert_eq!(sealed_files(&scene.files()).len(), 20);
}
