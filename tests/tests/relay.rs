//! Other phones carry the SOS out of the valley: real phones, each with a network of
//! its own, and the real ministry.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use homeline::contacts::{Contact, Relation};
use homeline::keys::FileVault;
use homeline::registration::{Traveler, TravelerKind};
use homeline::relay::RelayStatus;
use homeline::seal::parcel::{BYTES, Parcel, Way};
use homeline::sos::{AttemptResult, Channel, Evidence, OnRepeat, ReportState, SosKind, SosRequest};
use homeline::sync::{SyncOutcome, SyncStop};
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, HomelineError};
use homeline_tests::chance::Chance;
use homeline_tests::clock::MovedClock;
use homeline_tests::proxy::{FaultProxy, Link};
use homeline_tests::stage::{self, Values};
use ministry::{CaseView, Ministry, Settings};
use tempfile::TempDir;

const LONG_MS: u64 = 60_000;
const DAY_MS: i64 = 24 * 3_600_000;
/// Bytes of a bundle before its parcels.
const BEGIN: usize = 4;
/// What one phone carries at most, and takes from one bundle.
const MOST: u32 = 256;
const BUNDLE: u32 = 64;

struct World {
    ministry: Ministry,
    data: TempDir,
}

impl World {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        Self {
            ministry: Ministry::start(Settings::new(data.path())).unwrap(),
            data,
        }
    }

    /// A phone without a network.
    fn phone(&self) -> Phone {
        let directory = tempfile::tempdir().unwrap();
        let address = self.ministry.url();
        let address = address.trim_start_matches("https://").parse().unwrap();
        let proxy = FaultProxy::start(address).unwrap();
        proxy.set(Link::Down);
        let values = Values::of(&self.ministry, format!("https://{}", proxy.addr()));
        let clock = Arc::new(MovedClock::new());
        let home = open(&values, directory.path(), &clock);
        Phone {
            home,
            proxy,
            clock,
            values,
            directory,
        }
    }

    fn cases(&self) -> Vec<CaseView> {
        self.ministry.cases().unwrap()
    }

    fn count(&self, sql: &str) -> i64 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let path = self.data.path().join("ministry.db");
        let file = rusqlite::Connection::open_with_flags(path, flags).unwrap();
        file.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn open(values: &Values, directory: &Path, clock: &Arc<MovedClock>) -> Arc<Homeline> {
    let vault = directory.join("vault.key").to_string_lossy().into_owned();
    let vault = FileVault::open(vault).unwrap();
    let config = stage::config(values, &directory.join("files"));
    let clock = Arc::<MovedClock>::clone(clock);
    Homeline::open(config, vault, None, Some(clock)).unwrap()
}

struct Phone {
    home: Arc<Homeline>,
    proxy: FaultProxy,
    clock: Arc<MovedClock>,
    values: Values,
    directory: TempDir,
}

impl Phone {
    fn register(&self, name: &str) {
        let traveler = Traveler {
            name: name.into(),
            kind: TravelerKind::LongStay,
            phone: Some("+905321234567".into()),
            ..Traveler::default()
        };
        self.home.registration().save(traveler).unwrap();
        for contact in ["母亲", "父亲"] {
            let contact = Contact {
                name: contact.into(),
                phone: "+8613800138000".into(),
                relation: Relation::Parent,
                ..Contact::default()
            };
            self.home.contacts().add(contact).unwrap();
        }
    }

    fn press(&self, note: &str) -> String {
        let mut request = SosRequest::new(SosKind::Medical);
        request.note = note.into();
        request.on_repeat = Some(OnRepeat::NewReport);
        self.home.sos().press(request).unwrap()
    }

    fn state(&self, report: &str) -> ReportState {
        self.home.sos().status(report.into()).unwrap().state
    }

    fn export(&self) -> Vec<u8> {
        self.home.relay().export(u64::MAX).unwrap()
    }

    /// Hands everything to another phone; how many parcels that one takes.
    fn meet(&self, other: &Self) -> u32 {
        let bundle = self.export();
        if bundle.is_empty() {
            return 0;
        }
        other.home.relay().import(bundle).unwrap().taken
    }

    fn online(&self) -> SyncOutcome {
        self.proxy.set(Link::Up);
        self.home.network_changed().unwrap();
        self.home.sync(LONG_MS).unwrap()
    }

    fn relay(&self) -> RelayStatus {
        self.home.relay().status().unwrap()
    }

    fn restart(&mut self) {
        self.home.pause().unwrap();
        self.home = open(&self.values, self.directory.path(), &self.clock);
    }

    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = std::fs::read_dir(self.directory.path().join("files")).unwrap();
        let paths = folder.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.is_file())
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect()
    }
}

fn parcels(bundle: &[u8]) -> Vec<&[u8]> {
    assert_eq!((bundle.len() - BEGIN) % BYTES, 0);
    bundle[BEGIN..].chunks(BYTES).collect()
}

/// A bundle of parcels that hold nothing, sealed to a key.
fn bundle(count: usize, hops: u8, days: u8, key: &[u8]) -> Vec<u8> {
    let key = key.try_into().unwrap();
    let mut out = b"HLR\x01".to_vec();
    for number in 0..count {
        let plain = u32::try_from(number).unwrap().to_be_bytes();
        let parcel = Parcel::seal(Way::ToMinistry, hops, days, &plain, &key).unwrap();
        out.extend_from_slice(&parcel.to_bytes());
    }
    out
}

/// Parcels in form alone: quick to make, and nobody opens them.
fn garbage(count: usize, salt: u64) -> Vec<u8> {
    let mut out = b"HLR\x01".to_vec();
    let mut state = salt;
    for _ in 0..count {
        out.extend_from_slice(&[1, 0, 5, 7]);
        for _ in 0..(BYTES - 4) / 4 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            out.extend_from_slice(&state.to_be_bytes()[..4]);
        }
    }
    out
}

#[test]
fn out_of_the_valley_by_two_neighbours_and_the_receipt_comes_back() {
    let world = World::new();
    let [valley, neighbour, second] = [(); 3].map(|()| world.phone());
    valley.register("Xiomara Quetzalcoatl");
    let report = valley.press("broken ankle under the waterfall");
    assert_eq!(
        valley.home.sync(LONG_MS).unwrap().stopped,
        SyncStop::Offline
    );
    assert_eq!(valley.state(&report), ReportState::Stored);

    assert_eq!(valley.meet(&neighbour), 1);
    let handed = ReportState::Handed {
        channel: Channel::Relay,
    };
    assert_eq!(valley.state(&report), handed, "and no more");
    let status = valley.home.sos().status(report.clone()).unwrap();
    let last = &status.events.last().unwrap().evidence;
    let expected = Evidence::Attempt {
        channel: Channel::Relay,
        result: AttemptResult::NoAnswer,
        carried: true,
    };
    assert_eq!(*last, expected);

    assert_eq!(neighbour.meet(&second), 1);
    assert_eq!(neighbour.meet(&second), 0, "known");
    assert!(world.cases().is_empty());
    let outcome = second.online();
    assert_eq!(outcome.stopped, SyncStop::Done);
    let relay = second.relay();
    assert_eq!((relay.passed_on, relay.refused), (1, 0));
    let cases = world.cases();
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].report.to_string(), report);
    assert_eq!(cases[0].note, "broken ankle under the waterfall");
    let who = cases[0].traveler.as_ref().unwrap();
    assert_eq!(who.name, "Xiomara Quetzalcoatl", "the standing letter too");

    // The first neighbour comes to a network as well: the same case.
    assert_eq!(neighbour.online().stopped, SyncStop::Done);
    assert_eq!(neighbour.relay().passed_on, 1);
    assert_eq!(world.cases().len(), 1);
    assert_eq!(world.cases()[0].times_received, 2);

    // The answer goes back the way it came; the carrier cannot open it.
    assert_eq!(second.relay().carried, 1);
    let back = second.export();
    assert_eq!(parcels(&back).len(), 1);
    let import = valley.home.relay().import(back.clone()).unwrap();
    assert_eq!((import.receipts, import.taken), (2, 0), "report and letter");
    let ReportState::Received { case_id, .. } = valley.state(&report) else {
        panic!("{:?}", valley.home.sos().status(report));
    };
    assert_eq!(case_id, Some(cases[0].id.clone()));
    assert_eq!(valley.relay().own_waiting, 0, "the standing letter too");
    assert!(valley.export().is_empty(), "nothing is left to hand on");

    // It comes to a network itself: still one case.
    let outcome = valley.online();
    assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));
    assert_eq!(world.cases().len(), 1);
}

#[test]
fn the_sender_comes_online_first_or_last_and_it_is_one_case() {
    for sender_first in [true, false] {
        let world = World::new();
        let [valley, neighbour] = [(); 2].map(|()| world.phone());
        let report = valley.press("a");
        valley.meet(&neighbour);
        // Sealed anew: the neighbour cannot know that it is the same.
        assert_eq!(valley.meet(&neighbour), 1);
        assert_eq!(neighbour.relay().carried, 2);
        let mut order = [&valley, &neighbour];
        if !sender_first {
            order.reverse();
        }
        for phone in order {
            assert_eq!(phone.online().stopped, SyncStop::Done);
        }
        let cases = world.cases();
        assert_eq!(cases.len(), 1);
        assert_eq!(cases[0].report.to_string(), report);
        assert_eq!(cases[0].times_received, 3);
        assert!(matches!(
            valley.state(&report),
            ReportState::Received { .. }
        ));
        assert_eq!(neighbour.relay().passed_on, 2);
    }
}

#[test]
fn updates_cancellations_and_long_notes_are_carried_in_any_order() {
    let world = World::new();
    let [valley, neighbour, second] = [(); 3].map(|()| world.phone());
    valley.register("李伟");
    let note = Chance::new(1).text(3_900);
    let report = valley.press(&note);
    let place = Position::Wgs84 {
        latitude: 40.87,
        longitude: 41.13,
    };
    let fix = Fix::new(place, 1_790_000_000_000, FixSource::Gnss);
    valley
        .home
        .sos()
        .update_position(report.clone(), fix)
        .unwrap();
    let long = valley.export();
    assert!(parcels(&long).len() > 3, "{}", parcels(&long).len());
    // Half of one export and half of another, by two carriers: pieces join.
    let again = valley.export();
    let half = |bundle: &[u8], odd: usize| {
        let mut out = bundle[..BEGIN].to_vec();
        let some = parcels(bundle).into_iter().skip(odd).step_by(2);
        some.for_each(|parcel| out.extend_from_slice(parcel));
        out
    };
    for bundle in [half(&long, 0), half(&long, 1)] {
        neighbour.home.relay().import(bundle).unwrap();
    }
    second.home.relay().import(half(&again, 0)).unwrap();
    valley.home.sos().cancel(report.clone()).unwrap();
    valley.meet(&second);
    // The cancellation and all the rest, then again.
    assert_eq!(second.online().stopped, SyncStop::Done);
    assert_eq!(neighbour.online().stopped, SyncStop::Done);
    let cases = world.cases();
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].note, note);
    assert_eq!(cases[0].updates, 1);
    assert!(cases[0].cancelled_ms.is_some());
    // A piece that came once more after its set was whole waits for the others, for
    // so many days.
    let left = world.count("SELECT count(*) FROM parcel_pieces");
    assert!(
        left < i64::try_from(parcels(&again).len()).unwrap(),
        "{left}"
    );
    // The answers to all of it, by both.
    for carrier in [&neighbour, &second] {
        valley.home.relay().import(carrier.export()).unwrap();
    }
    assert_eq!(valley.relay().own_waiting, 0);
    assert!(matches!(
        valley.state(&report),
        ReportState::Cancelled {
            known_at_ministry_ms: Some(_)
        }
    ));
}

#[test]
fn a_countdown_is_not_handed_over_and_a_locked_phone_exports() {
    let world = World::new();
    let mut phone = world.phone();
    let mut request = SosRequest::new(SosKind::Other);
    request.countdown_s = 60;
    let report = phone.home.sos().press(request).unwrap();
    assert!(phone.export().is_empty());
    phone.home.sos().cancel(report).unwrap();
    phone.press("a");
    phone.restart();
    phone.home.pause().unwrap();
    assert_eq!(parcels(&phone.export()).len(), 1, "the record is closed");
}

#[test]
fn by_qr_texts_in_any_order() {
    let world = World::new();
    let [valley, neighbour] = [(); 2].map(|()| world.phone());
    let report = valley.press("a");
    let relay = neighbour.home.relay();
    let texts = valley.home.relay().export_qr(64).unwrap();
    assert_eq!(texts.len(), 4);
    for (at, scanned) in [(3, 1), (1, 2), (3, 2), (0, 3)] {
        let scan = relay.import_qr(texts[at].clone()).unwrap();
        assert_eq!((scan.scanned, scan.total, scan.import), (scanned, 4, None));
    }
    let scan = relay.import_qr(texts[2].clone()).unwrap();
    assert_eq!(scan.import.unwrap().taken, 1);
    neighbour.online();
    assert_eq!(world.cases()[0].report.to_string(), report);
    for bad in ["", "HLR:", "HLR:AE", "HLC:AEAAAA", "https://example.org"] {
        assert!(relay.import_qr(bad.into()).is_err(), "{bad}");
    }
    let small = valley.home.relay().export_qr(3);
    assert!(matches!(small, Err(HomelineError::Invalid { .. })));
}

#[test]
fn hops_and_age_end_a_parcel_and_a_bundle_that_lies_about_them_gains_nothing() {
    let world = World::new();
    let key = world.ministry.host_values().sealing_key;
    let give = |phone: &Phone, hops, days| {
        let import = phone
            .home
            .relay()
            .import(bundle(1, hops, days, &key))
            .unwrap();
        (import.taken, import.left_out)
    };
    // One more phone, then no more; who has it at last brings it to the ministry.
    let [first, second, third] = [(); 3].map(|()| world.phone());
    assert_eq!(give(&first, 1, 7), (1, 0));
    let onward = first.export();
    assert_eq!(parcels(&onward)[0][..4], [1, 0, 0, 7]);
    assert_eq!(second.home.relay().import(onward).unwrap().taken, 1);
    assert!(second.export().is_empty());
    second.online();
    assert_eq!(second.relay().passed_on, 1);

    // Lies are bounded: five hops, seven days.
    give(&third, 255, 255);
    let onward = third.export();
    let [_, _, hops, days] = parcels(&onward)[0][..4] else {
        panic!("a header");
    };
    assert!((4..=5).contains(&hops) && days == 7, "{hops} {days}");
    assert_eq!(give(&third, 5, 0), (0, 1), "its days are over");

    // Three days later it has four left; after four more it is gone.
    third.clock.pass(3 * DAY_MS);
    assert_eq!(parcels(&third.export())[0][3], 4);
    third.clock.pass(4 * DAY_MS);
    assert!(third.export().is_empty());
    third.home.sync(LONG_MS).unwrap();
    assert_eq!(third.relay().carried, 0);

    // A clock that was set to another year shortens it by a day.
    give(&first, 5, 7);
    first.clock.reboot();
    first.clock.set_ahead(40 * 365 * DAY_MS);
    first.home.sync(LONG_MS).unwrap();
    first.home.sync(LONG_MS).unwrap();
    let onward = first.export();
    assert!(parcels(&onward).iter().any(|parcel| parcel[3] == 6));
}

#[test]
fn a_flood_pushes_out_itself_and_never_what_is_the_travelers() {
    let world = World::new();
    let phone = world.phone();
    let valley = world.phone();
    valley.press("a neighbour's");
    let own = phone.press("my own");
    assert_eq!(valley.meet(&phone), 1);

    let timed = |bundle: Vec<u8>| {
        let begin = std::time::Instant::now();
        let import = phone.home.relay().import(bundle).unwrap();
        (begin.elapsed(), import)
    };
    let (usual, _) = timed(garbage(64, 100));
    let (took, import) = timed(garbage(10_000, 1));
    assert_eq!((import.taken, import.left_out), (BUNDLE, 10_000 - BUNDLE));
    // What is beyond the limit costs nothing; the slack is for a busy disk.
    let most = usual * 10 + std::time::Duration::from_secs(2);
    assert!(took < most, "{took:?}, one of 64 parcels {usual:?}");
    for salt in 2..12 {
        let import = phone.home.relay().import(garbage(64, salt)).unwrap();
        assert_eq!(import.taken, BUNDLE);
    }
    assert_eq!(phone.relay().carried, MOST);
    let database = phone.directory.path().join("files/outbox.db");
    let size = |suffix: &str| {
        let path = format!("{}{suffix}", database.display());
        std::fs::metadata(path).map_or(0, |file| file.len())
    };
    let bytes = size("") + size("-wal");
    assert!(bytes < 2 * 1024 * 1024, "{bytes}");

    let outcome = phone.online();
    assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));
    assert!(matches!(phone.state(&own), ReportState::Received { .. }));
    let relay = phone.relay();
    assert_eq!(u64::from(MOST), relay.refused + relay.passed_on);
    assert_eq!(relay.passed_on, 1, "the neighbour's was not pushed out");
    assert_eq!(world.cases().len(), 2);
}

#[test]
fn hostile_bundles_are_refused_and_change_nothing() {
    let world = World::new();
    let phone = world.phone();
    let relay = phone.home.relay();
    for none in [&b""[..], b"HLR", b"HLR\x02aaaa", b"<html>", &[0; 5_000]] {
        let refused = relay.import(none.to_vec());
        assert!(matches!(refused, Err(HomelineError::Invalid { .. })));
    }
    let whole = garbage(2, 1);
    let import = relay.import(whole[..whole.len() - 1].to_vec()).unwrap();
    assert_eq!((import.taken, import.left_out), (1, 1));
    let mut odd = garbage(3, 9);
    odd[BEGIN] = 9;
    odd[BEGIN + BYTES + 1] = 7;
    let import = relay.import(odd).unwrap();
    assert_eq!((import.taken, import.left_out), (1, 2));
    assert_eq!(relay.import(b"HLR\x01".to_vec()).unwrap().taken, 0);
    assert!(matches!(
        relay.export(2_051),
        Err(HomelineError::Invalid { .. })
    ));
    assert_eq!(parcels(&relay.export(2_052).unwrap()).len(), 1);
}

#[test]
fn own_reports_go_before_what_is_carried_and_that_before_the_registration() {
    let world = World::new();
    let phone = world.phone();
    let key = world.ministry.host_values().sealing_key;
    phone.register("李伟");
    let consents = phone.home.consents();
    let purpose = homeline::registration::Purpose::Register;
    consents.give(purpose, "2026-01".into()).unwrap();
    let valley = world.phone();
    let carried = valley.press("a neighbour's");
    valley.meet(&phone);
    phone.home.relay().import(bundle(40, 5, 7, &key)).unwrap();
    let own = phone.press("a");
    let outcome = phone.online();
    assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));
    let place = |report: &str| {
        let hex = report.replace('-', "");
        world.count(&format!("SELECT rowid FROM envelopes WHERE id = x'{hex}'"))
    };
    let profile = world.count(
        "SELECT max(rowid) FROM envelopes WHERE id NOT IN (SELECT envelope FROM case_letters)",
    );
    assert!(place(&own) < place(&carried) && place(&carried) < profile);
    let requests = world.ministry.counters().requests;
    assert_eq!(requests["/v1/parcels"], 3, "41 parcels, 16 a request");
    assert_eq!(phone.relay().passed_on, 41);
}

#[test]
fn a_carrier_finds_neither_report_nor_sender_and_two_exports_have_nothing_in_common() {
    let world = World::new();
    let [valley, carrier] = [(); 2].map(|()| world.phone());
    valley.register("Xiomara Quetzalcoatl");
    let report = valley.press("broken ankle under the waterfall");
    let (one, other) = (valley.export(), valley.export());
    assert_eq!(one.len(), other.len());
    let windows = |bytes: &[u8]| -> std::collections::HashSet<[u8; 8]> {
        let body = &bytes[BEGIN + 4..];
        body.windows(8)
            .map(|part| part.try_into().unwrap())
            .collect()
    };
    assert!(windows(&one).is_disjoint(&windows(&other)));
    assert_eq!(
        one[..BEGIN + 4],
        other[..BEGIN + 4],
        "the same for everybody"
    );

    // Everything that the carrier has before and after it has passed them on.
    let carried = [&one, &other].map(|bundle| {
        let import = carrier.home.relay().import(bundle.clone()).unwrap();
        assert_eq!(import.taken, 1);
        bundle.clone()
    });
    let mut seen = carrier.files();
    carrier.online();
    seen.extend(carrier.files());
    seen.push((PathBuf::from("answer"), carrier.export()));
    seen.extend(carried.map(|bundle| (PathBuf::from("bundle"), bundle)));
    // Who sent it is known at the ministry.
    let path = world.data.path().join("ministry.db");
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let file = rusqlite::Connection::open_with_flags(path, flags).unwrap();
    let sender: Vec<u8> = file
        .query_row("SELECT sender FROM cases", [], |row| row.get(0))
        .unwrap();
    let id = uuid::Uuid::parse_str(&report).unwrap();
    let case = world.cases()[0].id.clone();
    let mut needles = vec![case.into_bytes()];
    for secret in [id.as_bytes().to_vec(), sender] {
        use std::fmt::Write as _;
        let hex = secret.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        needles.push(hex.to_uppercase().into_bytes());
        needles.push(hex.into_bytes());
        needles.push(secret);
    }
    needles.push(report.clone().into_bytes());
    for needle in &needles {
        assert!(needle.len() >= 8);
        for (path, bytes) in &seen {
            let found = bytes.windows(needle.len()).any(|part| part == *needle);
            assert!(
                !found,
                "{} in {}",
                String::from_utf8_lossy(needle),
                path.display()
            );
        }
    }
    // The needles can be found: the sender's own outbox has both.
    let own = valley.files();
    let outbox = |needle: &[u8]| {
        own.iter()
            .any(|(_, bytes)| bytes.windows(needle.len()).any(|part| part == needle))
    };
    assert!(outbox(id.as_bytes()));
}

#[test]
fn a_carrier_cannot_answer_for_the_ministry() {
    let world = World::new();
    let [valley, carrier] = [(); 2].map(|()| world.phone());
    let report = valley.press("a");
    valley.meet(&carrier);
    carrier.online();
    let answer = carrier.export();
    // Another phone's answer, an altered one, one in the other direction.
    let stranger = world.phone();
    let other = stranger.press("b");
    let import = stranger.home.relay().import(answer.clone()).unwrap();
    assert_eq!(
        (import.receipts, import.taken),
        (0, 1),
        "carried, not believed"
    );
    assert_eq!(stranger.state(&other), ReportState::Stored);
    for at in [BEGIN + 1, BEGIN + 10, BEGIN + 700, answer.len() - 1] {
        let mut bad = answer.clone();
        bad[at] ^= 1;
        assert_eq!(valley.home.relay().import(bad).unwrap().receipts, 0);
    }
    let handed = ReportState::Handed {
        channel: Channel::Relay,
    };
    assert_eq!(valley.state(&report), handed);
    // Somebody who knows the sender's public key seals receipts of its own making.
    let path = world.data.path().join("ministry.db");
    let file = rusqlite::Connection::open(path).unwrap();
    let sender: [u8; 32] = file
        .query_row(
            "SELECT sender FROM cases WHERE report = ?1",
            [uuid::Uuid::parse_str(&report).unwrap()],
            |row| row.get(0),
        )
        .unwrap();
    let receipt = homeline::sync::protocol::Receipt {
        envelope: uuid::Uuid::parse_str(&report).unwrap(),
        sha256: String::new(),
        received_ms: 0,
        case: None,
    };
    let mine = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = ring::signature::KeyPair::public_key(&mine)
        .as_ref()
        .to_vec();
    let signed = homeline::seal::signed::Signed::sign(
        homeline::seal::signed::Context::Receipt,
        &receipt,
        &public,
        |bytes| mine.sign(bytes).as_ref().to_vec(),
    )
    .unwrap();
    let forged = homeline::sync::protocol::CarriedAnswer {
        receipts: vec![signed],
        service: None,
    };
    let plain = homeline::seal::letters::one(&serde_json::to_vec(&forged).unwrap()).unwrap();
    let parcel = Parcel::seal(Way::ToPhone, 5, 7, &plain, &sender).unwrap();
    let forged = [b"HLR\x01".as_slice(), &parcel.to_bytes()].concat();
    let import = valley.home.relay().import(forged).unwrap();
    assert_eq!(import.receipts, 0, "it proves nothing");
    assert_eq!(valley.state(&report), handed);
    // The real one still does.
    valley.home.relay().import(answer).unwrap();
    assert!(matches!(
        valley.state(&report),
        ReportState::Received { .. }
    ));
}

#[test]
fn erase_keeps_what_is_carried_and_own_reports_that_wait() {
    let world = World::new();
    let [valley, carrier] = [(); 2].map(|()| world.phone());
    valley.press("a");
    valley.meet(&carrier);
    carrier.register("李伟");
    carrier.home.erase().unwrap();
    assert_eq!(carrier.relay().carried, 1);
    carrier.online();
    assert_eq!(world.cases().len(), 1);
}
