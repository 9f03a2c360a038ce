//! What is attached arrives whole, whatever happens to the link or the phone.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use homeline::RecordState;
use homeline::keys::{KeyPurpose, KeyVault, VaultError};
use homeline::sos::{AttachmentPause, AttachmentState, DataCost, SendOver};
use homeline::sync::SyncStop;
use homeline_tests::proxy::Link;
use homeline_tests::scene::Scene;
use homeline_tests::stage::Network;
use homeline_tests::traveler::{Ask, Traveler};
use homeline_tests::vault::LockableVault;
use ministry::{Former, Rotation};

use super::*;

#[test]
fn a_voice_note_recorded_offline_arrives_whole() {
    let scene = Scene::new().unwrap();
    scene.stage.network(Network::Down);
    let home = scene.open().unwrap();
    let report = press(&home);
    let note = noise(1, 30_000);
    let about = AttachmentInfo {
        name: Some(" 录音 1.m4a ".into()),
        ..info("audio/MP4")
    };
    let attachments = home.attachments();
    let id = attachments
        .attach_bytes(report.clone(), note.clone(), about)
        .unwrap();
    assert_eq!(sync(&home).stopped, SyncStop::Offline);
    assert_eq!(words(&status(&home, &report, &id).state), "waiting");
    assert_eq!(sealed_files(&scene.files()), [id.as_str()]);

    scene.stage.network(Network::Up);
    let outcome = sync(&home);
    assert_eq!((outcome.stopped, outcome.attachments), (SyncStop::Done, 0));
    let shown = status(&home, &report, &id);
    assert_eq!(words(&shown.state), "received");
    assert_eq!(
        (shown.media_type.as_deref(), shown.name.as_deref()),
        (Some("audio/mp4"), Some("录音 1.m4a"))
    );
    assert_eq!((shown.bytes, shown.next_attempt_ms), (30_000, None));
    assert!(at_the_desk(&scene, &report, &id).unwrap() == note);
    // Delivered is delivered: no bytes stay on the phone.
    assert!(sealed_files(&scene.files()).is_empty());
    assert!(!attachments.remove(id.clone()).unwrap());
    let case = &scene.stage.ministry.cases().unwrap()[0];
    assert!(!case.attachments[0].of_other_sender);
}

/// New keys at the ministry; those before are refused.
fn revoke(scene: &Scene) {
    let ministry = &scene.stage.ministry;
    ministry
        .rotate_keys(Rotation::Both, Former::Revoked)
        .unwrap();
}

#[test]
fn keys_that_change_while_a_file_waits_cost_nothing() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    scene.stage.network(Network::Down);
    // With its report, and when its report has long been there.
    let report = press(&home);
    for seed in [1, 2] {
        let bytes = noise(seed, 3 * CHUNK);
        let id = attach(&scene, &home, &report, &bytes, info("audio/mp4")).unwrap();
        scene.stage.network(Network::Down);
        revoke(&scene);
        scene.stage.network(Network::Up);
        let outcome = sync(&home);
        assert_eq!((outcome.waiting, outcome.parked), (0, 0), "{seed}");
        assert!(is_received(&home, &report, &id), "{seed}");
        assert_eq!(at_the_desk(&scene, &report, &id).unwrap(), bytes, "{seed}");
    }
}

#[test]
fn sizes_around_the_edges_of_a_chunk() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let report = press(&home);
    let lengths = [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1];
    for (seed, length) in (50..).zip(lengths) {
        let bytes = noise(seed, length);
        let id = attach(&scene, &home, &report, &bytes, info("image/jpeg")).unwrap();
        assert_eq!(sync(&home).stopped, SyncStop::Done);
        assert!(
            at_the_desk(&scene, &report, &id).unwrap() == bytes,
            "{length}"
        );
    }
}

/// The connection is reset again and again, in the middle of chunks too.
#[test]
fn over_a_link_that_breaks_all_the_time_it_arrives_whole_and_little_is_sent_twice() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let report = press(&home);
    sync(&home);
    let video = noise(7, 2_000_000);
    let id = attach(&scene, &home, &report, &video, info("video/mp4")).unwrap();
    let before = scene.stage.proxy.counters();
    scene.stage.proxy.set(Link::CutAfter { down_bytes: 3_000 });
    let mut passes = 0;
    while !is_received(&home, &report, &id) {
        sync(&home);
        passes += 1;
        assert!(passes < 60, "{}", words(&status(&home, &report, &id).state));
    }
    let after = scene.stage.proxy.counters();
    let connections = after.connections - before.connections;
    assert!(connections >= 3, "it broke {connections} times");
    let sent = after.bytes_up - before.bytes_up;
    assert!(
        sent < video.len() + connections * (CHUNK + 8_000),
        "{sent} bytes in {connections} connections"
    );
    assert!(at_the_desk(&scene, &report, &id).unwrap() == video);
}

/// Half of it, then another start of the app: only the other half is sent.
#[test]
fn after_a_restart_only_what_is_missing_is_sent() {
    let scene = Scene::new().unwrap();
    let (home, spy) = watched(&scene);
    let report = press(&home);
    let photo = noise(3, 8 * CHUNK);
    let id = attach(&scene, &home, &report, &photo, info("image/jpeg")).unwrap();
    let stop = Arc::downgrade(&home);
    let count = AtomicUsize::new(0);
    spy.before(move |request| {
        let nth = count.fetch_add(
            usize::from(spy::is_chunk(&spy::path_of(request))),
            Ordering::SeqCst,
        );
        if nth == 4 {
            stop.upgrade().unwrap().cancel_sync().unwrap();
        }
        None
    });
    assert_eq!(sync(&home).stopped, SyncStop::Cancelled);
    assert_eq!(spy.chunks(), 5);
    drop(home);
    let (home, spy) = watched(&scene);
    assert_eq!(words(&status(&home, &report, &id).state), "sending 5 of 8");
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    assert_eq!(spy.chunks(), 3);
    assert!(at_the_desk(&scene, &report, &id).unwrap() == photo);
}

#[test]
fn on_a_metered_link_it_waits_where_the_traveler_says_so() {
    let scene = Scene::new().unwrap();
    let (home, spy) = watched(&scene);
    let report = press(&home);
    let attachments = home.attachments();
    let id = attach(
        &scene,
        &home,
        &report,
        &noise(4, 6 * CHUNK),
        over(SendOver::UnmeteredLink),
    )
    .unwrap();
    let paused = |handed| AttachmentState::Paused {
        why: AttachmentPause::Metered,
        handed,
        of: 6,
    };
    // Nobody has said what the link costs, and then that it does.
    for cost in [None, Some(DataCost::Metered)] {
        cost.into_iter()
            .for_each(|cost| attachments.link_is(cost).unwrap());
        let outcome = sync(&home);
        assert_eq!((outcome.stopped, outcome.attachments), (SyncStop::Done, 1));
        assert!(status(&home, &report, &id).state == paused(0));
        assert_eq!(spy.chunks(), 0);
    }
    // The officer knows that a video waits.
    let case = &scene.stage.ministry.cases().unwrap()[0];
    assert_eq!(
        (case.attachments[0].chunks_here, case.attachments[0].chunks),
        (0, 6)
    );

    // In the middle of it the phone leaves the Wi-Fi.
    attachments.link_is(DataCost::Free).unwrap();
    let weak = Arc::downgrade(&home);
    spy.before(move |request| {
        if spy::is_chunk(&spy::path_of(request)) {
            let home = weak.upgrade().unwrap();
            home.attachments().link_is(DataCost::Metered).unwrap();
        }
        None
    });
    sync(&home);
    assert_eq!(spy.chunks(), 1);
    assert!(status(&home, &report, &id).state == paused(1));
    // The traveler thinks better of it.
    spy.be_honest();
    assert!(
        attachments
            .set_send_over(id.clone(), SendOver::AnyLink)
            .unwrap()
    );
    sync(&home);
    assert!(is_received(&home, &report, &id));
    assert_eq!(spy.chunks(), 6);
}

#[test]
fn the_general_wish_spares_the_link_but_not_a_voice_note() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let report = press(&home);
    home.attachments().prefer(SendOver::UnmeteredLink).unwrap();
    let large = attach(
        &scene,
        &home,
        &report,
        &noise(5, 300_000),
        info("video/mp4"),
    )
    .unwrap();
    let small = attach(
        &scene,
        &home,
        &report,
        &noise(6, 200_000),
        info("audio/mp4"),
    )
    .unwrap();
    home.attachments().link_is(DataCost::Metered).unwrap();
    sync(&home);
    assert!(is_received(&home, &report, &small));
    assert_eq!(
        words(&status(&home, &report, &large).state),
        "Metered, 0 of 5"
    );
}

/// A vault that opens nothing before the first unlock, not even the device's keys.
struct Shut(AtomicBool, Arc<LockableVault>);

impl KeyVault for Shut {
    fn wrap(&self, purpose: KeyPurpose, secret: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        match self.0.load(Ordering::SeqCst) {
            true => Err(VaultError::Locked),
            false => self.1.wrap(purpose, secret),
        }
    }

    fn unwrap(&self, purpose: KeyPurpose, wrapped: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        match self.0.load(Ordering::SeqCst) {
            true => Err(VaultError::Locked),
            false => self.1.unwrap(purpose, wrapped),
        }
    }
}

/// Before the first unlock, and the rest of it after: with other keys of the phone.
#[test]
fn a_locked_phone_attaches_and_an_unlocked_one_sends_the_rest() {
    let scene = Scene::new().unwrap();
    let vault = Arc::new(Shut(AtomicBool::new(true), Arc::clone(&scene.vault)));
    let open = || {
        let vault = Arc::<Shut>::clone(&vault);
        let config = scene.stage.config(&scene.files());
        Homeline::open(config, vault, None, None).unwrap()
    };
    let home = open();
    assert_eq!(home.state().unwrap().record, RecordState::Locked);
    let report = press(&home);
    let first = attach(
        &scene,
        &home,
        &report,
        &noise(8, 3 * CHUNK),
        info("image/jpeg"),
    )
    .unwrap();
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    assert!(is_received(&home, &report, &first));
    let second = attach(
        &scene,
        &home,
        &report,
        &noise(9, 3 * CHUNK),
        info("image/jpeg"),
    )
    .unwrap();
    drop(home);
    vault.0.store(false, Ordering::SeqCst);
    let home = open();
    assert_eq!(home.state().unwrap().record, RecordState::Open);
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    assert!(is_received(&home, &report, &second));
    assert!(at_the_desk(&scene, &report, &second).unwrap() == noise(9, 3 * CHUNK));
    // What it was called was sealed to the keys of before.
    assert_eq!(status(&home, &report, &second).media_type, None);
    let case = &scene.stage.ministry.cases().unwrap()[0];
    assert!(case.attachments.iter().all(|one| !one.of_other_sender));
}

fn traveler(scene: &Scene, phone: &Path) -> Traveler {
    let program = Path::new(env!("CARGO_BIN_EXE_traveler"));
    let mut traveler = Traveler::start(program, &[]).unwrap();
    let told = traveler.ask(&Ask::Open {
        values: scene.stage.values().clone(),
        directory: phone.to_path_buf(),
        locked: false,
    });
    assert_eq!(told.unwrap().text, "Open");
    traveler
}

/// SplitMix64, for moments: see the printed seed.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Killed while it attaches and while it uploads: an attachment is there whole or not
/// at all, and what was attached arrives. `HOMELINE_ATTACHMENT_KILLS` makes it more.
#[test]
fn kills_while_attaching_and_uploading_lose_nothing_and_leave_nothing_half() {
    let kills: u32 = std::env::var("HOMELINE_ATTACHMENT_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10);
    let scene = Scene::new().unwrap();
    let phone = scene.base.path().join("killed");
    let files = phone.join("files");
    std::fs::create_dir_all(&phone).unwrap();
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut seed = u64::from(now.subsec_nanos());
    println!("seed {seed}");

    let mut first = traveler(&scene, &phone);
    let report = first
        .ask(&Ask::Press {
            kind: SosKind::Crime,
            note: String::new(),
        })
        .unwrap()
        .text;
    first.kill().unwrap();
    let (mut returned, mut halves) = (Vec::<(String, u64)>::new(), 0);
    for round in 0..kills {
        let path: PathBuf = scene.base.path().join("photo");
        let which = u64::from(round) + 100;
        std::fs::write(&path, noise(which, 1_500_000)).unwrap();
        let mut traveler = traveler(&scene, &phone);
        assert!(
            !sealed_files(&files)
                .iter()
                .any(|name| name.ends_with("partial"))
        );
        traveler
            .say(&Ask::Attach {
                report: report.clone(),
                path,
            })
            .unwrap();
        std::thread::sleep(Duration::from_micros(random(&mut seed) % 120_000));
        let printed = traveler.kill().unwrap();
        returned.extend(
            printed
                .iter()
                .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
                .map(|told| (told["text"].as_str().unwrap().to_owned(), which)),
        );
        halves += sealed_files(&files)
            .iter()
            .filter(|name| name.ends_with("partial"))
            .count();
    }
    println!(
        "{} returned, {halves} cut off in the middle",
        returned.len()
    );
    for _ in 0..kills {
        let mut traveler = traveler(&scene, &phone);
        traveler.say(&Ask::Sync).unwrap();
        std::thread::sleep(Duration::from_micros(random(&mut seed) % 500_000));
        traveler.kill().unwrap();
    }
    let mut traveler = traveler(&scene, &phone);
    assert_eq!(traveler.ask(&Ask::Sync).unwrap().text, "Done");
    let listed = traveler
        .ask(&Ask::Attachments {
            report: report.clone(),
        })
        .unwrap()
        .lines;
    traveler.kill().unwrap();
    for (id, which) in &returned {
        assert!(
            listed.contains(&format!("{id} received")),
            "{id} {listed:?}"
        );
        assert!(at_the_desk(&scene, &report, id).unwrap() == noise(*which, 1_500_000));
    }
    // One that was cut off before its call returned may be there, whole, or not.
    assert!(
        listed.iter().all(|line| line.ends_with(" received")),
        "{listed:?}"
    );
    assert!(sealed_files(&files).is_empty());
}
