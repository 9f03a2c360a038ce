//! Erase is final: not a byte can be read afterwards, killed at any moment, on a
//! full disk, locked or not; the ministry does the same; and the button works.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use homeline::contacts::{Contact, Relation};
use homeline::health::WakeCause;
use homeline::homeline::EraseRequest;
use homeline::keys::FileVault;
use homeline::registration::{Purpose, Traveler as Registered, TravelerKind};
use homeline::sos::{ReportState, SosKind, SosRequest};
use homeline::sync::SyncStop;
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, HomelineError, RecordState};
use homeline_tests::scene::Scene;
use homeline_tests::stage::{Network, Stage};
use homeline_tests::traveler::{Ask, Traveler};

const TEXTS: [&str; 5] = [
    "Xiomara Quetzalcoatl",
    "+8613912345678",
    "司马相如先生",
    "+905329876543",
    "broken ankle under the waterfall",
];
const LATITUDE: f64 = 40.874_715_3;

fn registered() -> Registered {
    Registered {
        name: TEXTS[0].into(),
        kind: TravelerKind::LongStay,
        phone: Some(TEXTS[1].into()),
        ..Registered::default()
    }
}

fn contact() -> Contact {
    Contact {
        name: TEXTS[2].into(),
        phone: TEXTS[3].into(),
        relation: Relation::Parent,
        ..Contact::default()
    }
}

fn fix() -> Fix {
    Fix::new(
        Position::Wgs84 {
            latitude: LATITUDE,
            longitude: 29.0,
        },
        1_790_000_000_000,
        FixSource::Gnss,
    )
}

fn request() -> SosRequest {
    let mut request = SosRequest::new(SosKind::Medical);
    request.note = TEXTS[4].into();
    request
}

/// How often anything of the traveler is in a text or a file.
fn found_in(bytes: &[u8]) -> usize {
    let mut needles: Vec<Vec<u8>> = TEXTS.iter().map(|text| text.as_bytes().to_vec()).collect();
    for text in TEXTS {
        needles.push(serde_json::to_vec(text).unwrap());
        needles.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }
    needles.push(LATITUDE.to_be_bytes().to_vec());
    needles.push(LATITUDE.to_le_bytes().to_vec());
    needles.push(LATITUDE.to_string().into_bytes());
    needles
        .iter()
        .map(|needle| {
            bytes
                .windows(needle.len())
                .filter(|part| part == needle)
                .count()
        })
        .sum()
}

/// What a thief finds who has the files and the vault: in the bytes of each
/// file, and in all that the library itself reads with the vault's keys.
fn bytes_found(files: &Path, home: &Homeline) -> usize {
    let mut found = 0;
    for entry in fs::read_dir(files).unwrap() {
        found += found_in(&fs::read(entry.unwrap().path()).unwrap());
    }
    if let Ok(export) = home.export() {
        found += found_in(export.json.as_bytes()) + found_in(export.summary.as_bytes());
    }
    for report in home.sos().reports().unwrap() {
        found += usize::from(report.note.is_some());
    }
    found
}

/// A phone whose ministry knows the traveler and the positions.
fn used(scene: &Scene) -> Arc<Homeline> {
    let home = scene.open().unwrap();
    home.registration().save(registered()).unwrap();
    home.contacts().add(contact()).unwrap();
    for purpose in [Purpose::Register, Purpose::Whereabouts] {
        home.consents().give(purpose, "2026-01".into()).unwrap();
    }
    home.whereabouts().record(fix()).unwrap();
    assert_eq!(home.sync(20_000).unwrap().stopped, SyncStop::Done);
    home
}

#[test]
fn a_thief_with_the_vault_finds_nothing_and_the_ministry_does_the_same() {
    let scene = Scene::new().unwrap();
    let home = used(&scene);
    let settled = home.sos().press(request()).unwrap();
    home.sync(20_000).unwrap();
    scene.stage.network(Network::Down);
    // Waits in the outbox when everything is erased.
    let mut second = request();
    second.kind = SosKind::Crime;
    let pressed = home.sos().press(second).unwrap();
    home.whereabouts().record(fix()).unwrap();
    home.sync(20_000).unwrap();
    assert!(
        bytes_found(&scene.files(), &home) > 5,
        "the search finds what is there"
    );
    let before = scene.stage.ministry.holdings().unwrap();
    assert_eq!((before.profiles, before.positions), (1, 1));

    let state = home.erase().unwrap();
    assert_eq!(state.record, RecordState::Open);
    assert_eq!(state.erase_request, EraseRequest::Waiting);
    let mut found = bytes_found(&scene.files(), &home);
    assert!(home.sos().status(settled).is_err());
    let status = home.sos().status(pressed.clone()).unwrap();
    assert!(matches!(
        status.state,
        ReportState::Stored | ReportState::Handed { .. }
    ));

    scene.stage.network(Network::Up);
    home.network_changed().unwrap();
    home.woke(WakeCause::Foreground, None).unwrap();
    let outcome = home.sync(20_000).unwrap();
    assert_eq!(
        (outcome.stopped, outcome.waiting, outcome.parked),
        (SyncStop::Done, 0, 0)
    );
    let request = home.state().unwrap().erase_request;
    assert!(
        matches!(request, EraseRequest::Received { .. }),
        "{request:?}"
    );
    // The receipt was checked by a device that the ministry met just now.
    let status = home.sos().status(pressed.clone()).unwrap();
    assert!(matches!(status.state, ReportState::Received { .. }));
    let after = scene.stage.ministry.holdings().unwrap();
    assert_eq!((after.profiles, after.positions), (0, 0));
    // The cases stay, with who called.
    let cases = scene.stage.ministry.cases().unwrap();
    assert_eq!(cases.len(), 2);
    for case in &cases {
        assert_eq!(case.traveler.as_ref().unwrap().name, TEXTS[0]);
    }

    found += bytes_found(&scene.files(), &home);
    drop(home);
    let home = scene.open().unwrap();
    found += bytes_found(&scene.files(), &home);
    println!("{{\"erase_bytes_found\":{found}}}");
    assert_eq!(found, 0);

    // Nothing in the outbox is for the old device, or says who that was.
    let outbox = rusqlite::Connection::open(scene.files().join("outbox.db")).unwrap();
    let count = |sql: &str| -> i64 { outbox.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM standing"), 0);
    assert_eq!(
        count("SELECT count(*) FROM report WHERE own_copy IS NOT NULL"),
        0
    );
}

#[test]
fn after_it_all_works_as_on_a_first_start() {
    let scene = Scene::new().unwrap();
    let home = used(&scene);
    scene.stage.network(Network::Down);
    home.erase().unwrap();
    home.erase().unwrap();
    let report = home.sos().press(request()).unwrap();
    let other = Registered {
        name: "李伟".into(),
        ..registered()
    };
    home.registration().save(other).unwrap();
    home.consents()
        .give(Purpose::Register, "2026-01".into())
        .unwrap();
    scene.stage.network(Network::Up);
    home.network_changed().unwrap();
    home.woke(WakeCause::Foreground, None).unwrap();
    assert_eq!(home.sync(20_000).unwrap().stopped, SyncStop::Done);
    let status = home.sos().status(report).unwrap();
    assert!(matches!(status.state, ReportState::Received { .. }));
    // The new registration is not the old one: the request left it alone.
    let holdings = scene.stage.ministry.holdings().unwrap();
    assert_eq!((holdings.profiles, holdings.positions), (1, 0));
    let names: Vec<String> = scene
        .stage
        .ministry
        .cases()
        .unwrap()
        .into_iter()
        .filter_map(|case| Some(case.traveler?.name))
        .collect();
    assert_eq!(names, ["李伟"], "who calls is who registered after it");
}

#[test]
fn a_locked_phone_can_be_erased() {
    let scene = Scene::new().unwrap();
    drop(used(&scene));
    scene.vault.set_locked(true);
    let home = scene.open().unwrap();
    assert_eq!(home.state().unwrap().record, RecordState::Locked);
    assert_eq!(home.erase().unwrap().record, RecordState::Locked);
    home.sos().press(request()).unwrap();
    scene.vault.set_locked(false);
    assert_eq!(home.reopen().unwrap().record, RecordState::Open);
    assert_eq!(home.registration().traveler(), Ok(None));
    home.sync(20_000).unwrap();
    assert_eq!(scene.stage.ministry.holdings().unwrap().profiles, 0);
}

/// SplitMix64: repeatable from the printed seed.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn ask_open(stage: &Stage, directory: &Path) -> Ask {
    Ask::Open {
        values: stage.values().clone(),
        directory: directory.to_path_buf(),
        locked: false,
    }
}

#[test]
fn killed_at_any_moment_it_is_whole_or_not_at_all() {
    const KILLS: u32 = 40;
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut seed = u64::from(now.subsec_nanos());
    println!("seed {seed}");
    let (mut erased, mut untouched, mut under_way) = (0, 0, 0);
    // Microseconds to the kill. It feels its way to where `erase` begins, however
    // fast the machine is: later after a kill that came before, earlier after one
    // that came behind.
    let mut wait = 20_000.0_f64;
    for round in 0..KILLS {
        let phone = base.path().join(format!("phone{round}"));
        fs::create_dir_all(&phone).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_traveler"));
        let mut traveler = Traveler::start(program, &[]).unwrap();
        traveler.ask(&ask_open(&stage, &phone)).unwrap();
        let register = Ask::Register {
            traveler: registered(),
            contacts: vec![contact()],
        };
        traveler.ask(&register).unwrap();
        let press = Ask::Press {
            kind: SosKind::Medical,
            note: TEXTS[4].into(),
        };
        let report = traveler.ask(&press).unwrap().text;
        traveler.say(&Ask::Erase).unwrap();
        std::thread::sleep(Duration::from_secs_f64(wait / 1e6));
        traveler.kill().unwrap();
        let draw = u32::try_from(random(&mut seed) % 1_000).unwrap();
        let step = 1.2 + f64::from(draw) / 700.0;

        under_way += u32::from(phone.join("files/erase.request").exists());
        let vault = FileVault::open(phone.join("vault.key").to_string_lossy().into_owned());
        let files = phone.join("files");
        let home = Homeline::open(stage.config(&files), vault.unwrap(), None, None).unwrap();
        let state = home.state().unwrap();
        assert_eq!(state.record, RecordState::Open);
        assert!(
            home.sos().status(report).is_ok(),
            "what was pressed is there"
        );
        match home.registration().traveler().unwrap() {
            Some(traveler) => {
                assert!(traveler == registered());
                assert_eq!(state.erase_request, EraseRequest::Absent);
                assert_eq!(home.contacts().list().unwrap().len(), 1);
                untouched += 1;
                wait = wait.max(1.0) * step;
            }
            None => {
                assert_eq!(state.erase_request, EraseRequest::Waiting);
                assert_eq!(bytes_found(&files, &home), 0);
                erased += 1;
                wait /= step;
            }
        }
    }
    println!(
        "{{\"erase_kills\":{KILLS},\"erased\":{erased},\"untouched\":{untouched},\"under_way\":{under_way}}}"
    );
    assert!(
        erased > 0 && untouched > 0,
        "the kills came at one end only"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn on_a_full_disk_it_is_whole_or_not_at_all() {
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let disk = base.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = "mount -t tmpfs -o size=2m tmpfs \"$0\" && exec \"$1\"";
    let folder = disk.to_string_lossy();
    let allowed = Command::new("unshare")
        .args(["-rm", "sh", "-c", "mount -t tmpfs tmpfs \"$0\"", &folder])
        .status()
        .is_ok_and(|status| status.success());
    if !allowed {
        assert!(std::env::var_os("CI").is_none(), "cannot mount here");
        let _ = writeln!(
            std::io::stderr(),
            "SKIP erase on a full disk: cannot mount here"
        );
        return;
    }
    // What is free when it begins: nothing, and then page by page.
    let mut refused = 0;
    for free in [0, 4, 8, 16, 32, 64, 128] {
        let program = env!("CARGO_BIN_EXE_traveler");
        let arguments = ["-rm", "sh", "-c", mount, &folder, program];
        let mut traveler = Traveler::start(Path::new("unshare"), &arguments).unwrap();
        assert_eq!(traveler.ask(&ask_open(&stage, &disk)).unwrap().text, "Open");
        let register = Ask::Register {
            traveler: registered(),
            contacts: vec![contact()],
        };
        traveler.ask(&register).unwrap();
        let press = Ask::Press {
            kind: SosKind::Lost,
            note: TEXTS[4].into(),
        };
        let report = traveler.ask(&press).unwrap().text;
        let inside = PathBuf::from(format!("/proc/{}/root", traveler.id()))
            .join(disk.strip_prefix("/").unwrap());
        let filler = inside.join("photos");
        let mut file = fs::File::create(&filler).unwrap();
        while file.write_all(&[7; 1024]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(free * 1_024)).unwrap();
        drop(file);

        let told = traveler.ask(&Ask::Erase).unwrap().text;
        let begun = inside.join("files/erase.request").exists();
        if told.starts_with("error") {
            refused += 1;
            assert!(told.contains("Full"), "{free}: {told}");
        }
        fs::remove_file(&filler).unwrap();
        // Space again: `reopen` finishes what has begun, and nothing else.
        assert_eq!(traveler.ask(&Ask::Unlock).unwrap().text, "Open");
        assert!(!inside.join("files/erase.request").exists());
        if told.starts_with("error") && !begun {
            assert_eq!(traveler.ask(&Ask::Erase).unwrap().text, "Open");
        }
        let status = traveler
            .ask(&Ask::Status {
                report: report.clone(),
            })
            .unwrap()
            .text;
        assert!(!status.starts_with("error"), "{free}: {status}");
        for entry in fs::read_dir(inside.join("files")).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            assert_eq!(found_in(&bytes), 0);
        }
        assert_eq!(traveler.ask(&Ask::Sync).unwrap().text, "Done");
        let status = traveler.ask(&Ask::Status { report }).unwrap().text;
        assert!(status.starts_with("received"), "{free}: {status}");
        traveler.kill().unwrap();
    }
    assert!(refused > 0, "the disk was never full");
    assert_eq!(stage.ministry.holdings().unwrap().profiles, 0);
}

#[test]
fn a_pass_that_runs_is_ended_and_carries_nothing_over() {
    let scene = Scene::new().unwrap();
    let home = used(&scene);
    scene.stage.network(Network::Blackhole);
    home.registration()
        .save(Registered {
            phone: None,
            ..registered()
        })
        .unwrap();
    home.network_changed().unwrap();
    home.woke(WakeCause::Foreground, None).unwrap();
    let running = Arc::clone(&home);
    let pass = std::thread::spawn(move || running.sync(60_000).unwrap());
    // Until it waits for an answer that never comes.
    std::thread::sleep(Duration::from_millis(500));
    home.erase().unwrap();
    let stopped = pass.join().unwrap().stopped;
    assert!(
        matches!(stopped, SyncStop::Cancelled | SyncStop::Offline),
        "{stopped:?}"
    );
    scene.stage.network(Network::Up);
    home.network_changed().unwrap();
    home.woke(WakeCause::Foreground, None).unwrap();
    assert_eq!(home.sync(20_000).unwrap().stopped, SyncStop::Done);
    let holdings = scene.stage.ministry.holdings().unwrap();
    assert_eq!((holdings.profiles, holdings.positions), (0, 0));
    assert_eq!(home.registration().traveler(), Ok::<_, HomelineError>(None));
}
