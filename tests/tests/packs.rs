//! Packs on their way to the phone: the real ministry, the real library, and between
//! them a server that looks at each request and spoils some answers.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failure ends the test it happens in"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use homeline::Homeline;
use homeline::error::Problem;
use homeline::packs::{self, PackInfo, PackName, PackOrigin};
use homeline::sos::{SosKind, SosRequest};
use homeline::sync::protocol::{PACK_PIECE, PACK_PIECE_BYTES, PackList};
use homeline::sync::{SyncOutcome, SyncStop};
use homeline::{HomelineError, config::Config};
use homeline_tests::certs::Authority;
use homeline_tests::chance::Chance;
use homeline_tests::hostile::{Answer, HostileServer, Request, Response};
use homeline_tests::scene::Scene as Base;
use homeline_tests::stage::Stage;
use homeline_tests::traveler::{Ask, Traveler};
use homeline_tests::upstream::Upstream;
use homeline_tests::vault::LockableVault;

const LONG_MS: u64 = 30_000;
const NAME: PackName = PackName::Alerts;

/// What becomes of an answer about packs.
type Spoil = dyn FnMut(&Request, Response) -> Response + Send;

/// A phone that reaches its ministry through a server of ours.
struct Scene {
    base: Base,
    server: HostileServer,
    root: Vec<u8>,
    spoil: Arc<Mutex<Box<Spoil>>>,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Scene {
    fn new() -> Self {
        let base = Base::new().unwrap();
        let told = base.stage.ministry.host_values();
        let ministry = Upstream::new(&told.ministry_url, &told.tls_root).unwrap();
        let authority = Authority::new().unwrap();
        let spoil: Arc<Mutex<Box<Spoil>>> = Arc::new(Mutex::new(Box::new(|_, answer| answer)));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (spoils, notes) = (Arc::clone(&spoil), Arc::clone(&asked));
        let answer = Answer::by(move |request| {
            let answer = ministry.pass(&request).unwrap();
            if !request.path.starts_with("/v1/packs") {
                return answer;
            }
            notes.lock().unwrap().push(request.clone());
            spoils.lock().unwrap()(&request, answer)
        });
        Self {
            server: HostileServer::start(authority.server().unwrap(), answer).unwrap(),
            root: authority.der().to_vec(),
            base,
            spoil,
            asked,
        }
    }

    fn config(&self) -> Config {
        Config {
            ministry_url: self.server.url(),
            tls_roots: vec![self.root.clone()],
            ..self.base.stage.config(&self.base.files())
        }
    }

    fn open(&self) -> Arc<Homeline> {
        let vault = Arc::<LockableVault>::clone(&self.base.vault);
        Homeline::open(self.config(), vault, None, None).unwrap()
    }

    fn spoil(&self, spoil: impl FnMut(&Request, Response) -> Response + Send + 'static) {
        *self.spoil.lock().unwrap() = Box::new(spoil);
    }

    fn publish(&self, content: &[u8]) -> u64 {
        self.base.stage.ministry.publish(NAME, content).unwrap()
    }

    /// Paths of the requests about packs since the last call.
    fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.into_iter().map(|request| request.path).collect()
    }
}

fn sync(home: &Homeline) -> SyncOutcome {
    home.sync(LONG_MS).unwrap()
}

fn info(home: &Homeline) -> PackInfo {
    let list = home.packs().list().unwrap();
    list.into_iter().find(|pack| pack.name == NAME).unwrap()
}

/// A pack of so many items of about 1 KB, one of which says `changed`.
fn content(items: u32, changed: &str) -> Vec<u8> {
    let items: BTreeMap<String, Vec<u8>> = (0..items)
        .map(|id| {
            let text = if id == 1 { changed } else { "same" };
            let json = format!(
                "{{\"text\":\"{text}\",\"id\":{id},\"filler\":\"{}\"}}",
                "x".repeat(1_000)
            );
            (format!("{id:05}"), json.into_bytes())
        })
        .collect();
    packs::write(&items)
}

fn problem<T: std::fmt::Debug>(outcome: homeline::Result<T>) -> Problem {
    match outcome {
        Err(HomelineError::Invalid { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pass_brings_what_is_published_and_then_only_what_has_changed() {
    let scene = Scene::new();
    let home = scene.open();
    assert_eq!(info(&home).origin, PackOrigin::Library);
    // Nothing is published: nothing is asked.
    sync(&home);
    assert_eq!(scene.asked(), Vec::<String>::new());

    let first = content(600, "one");
    assert_eq!(scene.publish(&first), 1);
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    let pack = info(&home);
    assert_eq!((pack.origin, pack.version), (PackOrigin::Ministry, 1));
    assert_eq!(pack.bytes, u64::try_from(first.len()).unwrap());
    assert!(pack.checked_ms.is_some());
    // The list, and three pieces of 256 KiB.
    let asked = scene.asked();
    assert_eq!(first.len().div_ceil(PACK_PIECE_BYTES), 3);
    assert_eq!(asked.len(), 4, "{asked:?}");

    // The same again is no news.
    assert_eq!(scene.publish(&first), 1);
    sync(&home);
    assert_eq!(scene.asked(), Vec::<String>::new());

    // One item of 600 has changed: one short file.
    let mut bytes = 0;
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    scene.spoil(move |request, answer| {
        if request.path.contains("?from=") {
            bytes += answer.body.len();
            *count.lock().unwrap() = bytes;
        }
        answer
    });
    assert_eq!(scene.publish(&content(600, "two")), 2);
    sync(&home);
    assert_eq!(info(&home).version, 2);
    assert_eq!(scene.asked().len(), 2);
    assert!(*seen.lock().unwrap() < 1_200, "{seen:?}");

    // It outlives the app, and goes with an erasure.
    drop(home);
    let home = scene.open();
    assert_eq!(info(&home).version, 2);
    home.erase().unwrap();
    assert_eq!(info(&home).origin, PackOrigin::Library);
    assert!(!scene.base.files().join("packs.db").exists());
    sync(&home);
    assert_eq!(info(&home).version, 2);
}

/// Nobody can tell from these requests who asks, or where he is.
#[test]
fn a_request_for_packs_says_nothing_of_the_traveler() {
    let scene = Scene::new();
    let home = scene.open();
    scene.publish(&content(3, "one"));
    sync(&home);
    let asked = scene.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    for request in asked {
        assert_eq!(request.method, "GET");
        assert!(request.body.is_empty());
        let named = |name: &str| request.headers.iter().any(|(header, _)| header == name);
        for name in [
            "signature",
            "signature-input",
            "content-digest",
            "cookie",
            "authorization",
        ] {
            assert!(!named(name), "{name}");
        }
    }
}

#[test]
fn a_pack_that_is_cut_off_is_invisible_and_goes_on_where_it_was() {
    let scene = Scene::new();
    let home = scene.open();
    scene.publish(&content(600, "one"));
    // The first piece comes, then the ministry is out of order.
    scene.spoil(|request, answer| match request.path.ends_with("?from=0") {
        true => answer,
        false if request.path.contains("from") => Response {
            status: 503,
            headers: vec![],
            body: vec![],
        },
        false => answer,
    });
    // Reports do not wait for it.
    let report = home.sos().press(SosRequest::new(SosKind::Medical)).unwrap();
    assert_eq!(sync(&home).stopped, SyncStop::Done);
    assert!(matches!(
        home.sos().status(report).unwrap().state,
        homeline::sos::ReportState::Received { .. }
    ));
    assert_eq!(info(&home).version, 0);
    assert_eq!(scene.asked().len(), 3);
    // Not asked again at once...
    sync(&home);
    assert_eq!(scene.asked().len(), 0);
    drop(home);
    // ... but later, from where it was, also by another process.
    let packs = rusqlite::Connection::open(scene.base.files().join("packs.db")).unwrap();
    packs
        .execute("DELETE FROM meta WHERE key = 'failed_ms'", [])
        .unwrap();
    drop(packs);
    scene.spoil(|_, answer| answer);
    let home = scene.open();
    assert_eq!(info(&home).version, 0);
    sync(&home);
    assert_eq!(info(&home).version, 1);
    let asked = scene.asked();
    assert!(
        asked[1].ends_with(&format!("?from={PACK_PIECE_BYTES}")),
        "{asked:?}"
    );
    assert_eq!(asked.len(), 3);
}

#[test]
fn what_is_forged_or_older_is_refused_and_the_pack_before_serves() {
    let scene = Scene::new();
    let home = scene.open();
    scene.publish(&content(3, "one"));
    let old = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&old);
    scene.spoil(move |request, answer| {
        if request.path == "/v1/packs" {
            *keep.lock().unwrap() = Some(answer.clone());
        }
        answer
    });
    sync(&home);
    assert_eq!(info(&home).version, 1);
    let old: Response = old.lock().unwrap().take().unwrap();
    let anew = || {
        let packs = rusqlite::Connection::open(scene.base.files().join("packs.db")).unwrap();
        packs.execute("DELETE FROM meta", []).unwrap();
    };

    // A piece with another byte, of the delta and of the whole.
    scene.publish(&content(3, "two"));
    scene.spoil(|request, mut answer| {
        if request.path.contains("from") {
            answer.body[9] ^= 1;
        }
        answer
    });
    sync(&home);
    assert_eq!(info(&home).version, 1);

    // Longer than it says, and empty.
    for length in [0, 5_000] {
        anew();
        scene.spoil(move |request, mut answer| {
            if request.path.contains("from") {
                answer.body.resize(length, b'x');
            }
            answer
        });
        sync(&home);
        assert_eq!(info(&home).version, 1, "{length}");
    }

    // Somebody else's signature, and a header that was changed.
    for place in ["signature", "body"] {
        anew();
        scene.spoil(move |request, mut answer| {
            if request.path == "/v1/packs" {
                let mut list: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
                let pack = &mut list["packs"][0]["pack"][place];
                let text = pack.as_str().unwrap();
                let (first, rest) = text.split_at(1);
                let other = if first == "e" { "f" } else { "e" };
                *pack = format!("{other}{rest}").into();
                answer.body = list.to_string().into_bytes();
            }
            answer
        });
        sync(&home);
        assert_eq!(info(&home).version, 1, "{place}");
        // It is not taken for the newest list either.
        let packs = rusqlite::Connection::open(scene.base.files().join("packs.db")).unwrap();
        let known: u32 = packs
            .query_row(
                "SELECT count(*) FROM meta WHERE key = 'serial'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(known, 0, "{place}");
    }

    // All of it is the ministry's now.
    anew();
    scene.spoil(|_, answer| answer);
    sync(&home);
    assert_eq!(info(&home).version, 2);

    // What it did sign once, said again.
    let list: PackList = serde_json::from_slice(&old.body).unwrap();
    assert_eq!(list.serial, 1);
    anew();
    scene.spoil(move |request, answer| match request.path.as_str() {
        "/v1/packs" => old.clone(),
        _ => answer,
    });
    sync(&home);
    assert_eq!(info(&home).version, 2);
}

/// The deltas of a list are signed by nobody: whoever changes one changes nothing.
#[test]
fn a_forged_delta_is_thrown_away_and_the_whole_is_fetched() {
    let scene = Scene::new();
    let home = scene.open();
    scene.publish(&content(600, "one"));
    sync(&home);
    scene.asked();
    let newest = content(600, "two");
    scene.publish(&newest);
    let forged = b"+00001\t{\"text\":\"forged\"}\n";
    let hash = homeline::seal::sha256_hex(forged);
    let path = format!("/v1/packs/{hash}?from=0");
    scene.spoil(move |request, mut answer| {
        if request.path == "/v1/packs" {
            let mut list: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            let delta = &mut list["packs"][0]["deltas"][0];
            assert_eq!(delta["from"], 1);
            delta["sha256"] = hash.clone().into();
            delta["bytes"] = forged.len().into();
            answer.body = list.to_string().into_bytes();
        }
        match request.path == path {
            true => Response {
                status: 200,
                headers: vec![("content-type".into(), PACK_PIECE.into())],
                body: forged.to_vec(),
            },
            false => answer,
        }
    });
    sync(&home);
    let pack = info(&home);
    assert_eq!(pack.version, 2);
    assert_eq!(pack.bytes, u64::try_from(newest.len()).unwrap());
    // The list, the forged delta, and the whole in three pieces.
    assert_eq!(scene.asked().len(), 5);
}

#[test]
fn a_file_that_a_host_ships_serves_before_the_first_pass() {
    let scene = Scene::new();
    let ministry = &scene.base.stage.ministry;
    assert_eq!(ministry.pack_file(NAME).unwrap(), None);
    scene.publish(&content(3, "one"));
    let first = ministry.pack_file(NAME).unwrap().unwrap();
    scene.publish(&content(3, "two"));
    let second = ministry.pack_file(NAME).unwrap().unwrap();

    // Locked, with no network ever seen.
    scene.base.vault.set_locked(true);
    let home = scene.open();
    let packs = home.packs();
    assert_eq!(packs.add(first.clone()).unwrap().version, 1);
    assert_eq!(packs.add(first.clone()).unwrap().version, 1);
    assert_eq!(packs.add(second.clone()).unwrap().version, 2);
    assert_eq!(problem(packs.add(first)), Problem::Stale);
    for at in [0, 40, second.len() - 3] {
        let mut forged = second.clone();
        forged[at] ^= 1;
        let problem = problem(packs.add(forged));
        assert!(
            matches!(problem, Problem::NotAuthentic | Problem::Malformed),
            "{at}"
        );
    }
    for bad in [
        &b""[..],
        b"\n",
        b"{}\n",
        &second[..second.len() - 1],
        &second[..30],
    ] {
        let problem = problem(packs.add(bad.to_vec()));
        assert!(matches!(
            problem,
            Problem::NotAuthentic | Problem::Malformed
        ));
    }
    assert_eq!(info(&home).version, 2);
    let other = Base::new().unwrap();
    other
        .stage
        .ministry
        .publish(NAME, &content(3, "three"))
        .unwrap();
    let foreign = other.stage.ministry.pack_file(NAME).unwrap().unwrap();
    assert_eq!(problem(packs.add(foreign)), Problem::NotAuthentic);
}

/// The copies can be had again: they are never in the way.
#[test]
fn a_damaged_file_of_packs_is_begun_anew() {
    let scene = Scene::new();
    scene.publish(&content(600, "one"));
    let home = scene.open();
    sync(&home);
    let path = scene.base.files().join("packs.db");
    let whole = std::fs::read(&path).unwrap();
    // Places of its content, all of it, a foreign database, nothing.
    let mut torn = whole.clone();
    for place in (50_000..torn.len()).step_by(50_000) {
        torn[place..place + 100].fill(7);
    }
    let foreign = {
        let path = scene.base.files().join("foreign.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE theirs (a)").unwrap();
        drop(connection);
        std::fs::read(&path).unwrap()
    };
    for damaged in [torn, vec![9; 8_192], foreign, vec![]] {
        home.pause().unwrap();
        std::fs::write(&path, damaged).unwrap();
        home.reopen().unwrap();
        assert_eq!(info(&home).version, 0);
        sync(&home);
        assert_eq!(info(&home).version, 1);
    }
}

/// Whenever the phone dies: a whole pack serves, and never an older one than before.
#[test]
fn a_kill_leaves_a_whole_pack() {
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let seed = Chance::seed();
    let mut chance = Chance::new(seed);
    let mut before = 0;
    let mut halfway = 0;
    for round in 0..30 {
        // Now a delta, now the whole.
        let items = if round % 2 == 0 { 300 } else { 2 };
        let published = stage
            .ministry
            .publish(NAME, &content(items, &format!("{round}")))
            .unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_traveler"));
        let mut traveler = Traveler::start(program, &[]).unwrap();
        let told = traveler.ask(&Ask::Open {
            values: stage.values().clone(),
            directory: base.path().join("phone"),
            locked: false,
        });
        assert_eq!(told.unwrap().text, "Open");
        let serves = traveler.ask(&Ask::AlertsVersion).unwrap().number;
        assert!(
            serves >= before && serves < published,
            "seed {seed}: {before} {serves}"
        );
        halfway += u32::from(serves < published - 1);
        before = serves;
        traveler.say(&Ask::Sync).unwrap();
        std::thread::sleep(Duration::from_micros(chance.bits() % 120_000));
        traveler.kill().unwrap();
    }
    assert!(
        (1..29).contains(&halfway),
        "seed {seed}: {halfway} kills came before the pack"
    );
}
