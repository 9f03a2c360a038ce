//! What only the database itself can show.

use homeline::sync::protocol::{Base64, Content, EnvelopeOutcome, Positions, Profile};
use homeline::whereabouts::{Fix, FixFlag, FixSource, Gap, GapCause, Position, RecordedFix, pack};
use uuid::Uuid;

use super::*;
use crate::intake::Letter;
use crate::keys::InUse;

pub(super) fn store(directory: &Path) -> Store {
    let in_use = if directory.join(FILE).exists() {
        InUse::Yes
    } else {
        InUse::No
    };
    let keys = Keys::load_or_make(directory, in_use).unwrap();
    Store::open(directory, Arc::new(keys)).unwrap()
}

fn letter(
    id: u128,
    content: Content,
) -> (Uuid, std::result::Result<Letter, crate::intake::Refusal>) {
    let id = Uuid::from_u128(id);
    let letter = Letter {
        id,
        sender: [7; 32],
        sha256: String::new(),
        plain: serde_json::to_vec(&content).unwrap(),
        content,
    };
    (id, Ok(letter))
}

fn number(store: &Store, sql: &str) -> i64 {
    store.lock().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_commit_is_synced() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    assert_eq!(number(&store, "PRAGMA synchronous"), 2, "FULL");
    let mode: String = store
        .lock()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn positions_are_kept_once_an_envelope_and_profiles_in_their_newest_version() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let place = Position::Wgs84 {
        latitude: 1.0,
        longitude: 2.0,
    };
    let fix = Fix::new(place, 1_750_000_000_000, FixSource::Gnss);
    let recorded = |flags| RecordedFix {
        fix: fix.clone(),
        at_ms: fix.time_ms,
        flags,
    };
    let block = pack(&[recorded(vec![]), recorded(vec![FixFlag::Jump])]).unwrap();
    let gap = Gap {
        from_ms: 1,
        to_ms: Some(2),
        cause: GapCause::PhoneOff,
    };
    // One as an older phone sends it, and two packed ones.
    let positions = || {
        Content::Positions(Positions {
            fixes: vec![fix.clone()],
            blocks: vec![Base64(block.clone())],
            gaps: vec![gap.clone()],
        })
    };
    let profile = |version| {
        Content::Profile(Profile {
            version,
            registration: Uuid::nil(),
            fields: Vec::new(),
            phones: Default::default(),
        })
    };
    for _ in 0..2 {
        store
            .take(&[
                letter(1, positions()),
                letter(2, profile(u64::MAX)),
                letter(3, profile(1)),
                letter(1, positions()),
            ])
            .unwrap();
    }
    assert_eq!(number(&store, "SELECT count(*) FROM positions"), 3);
    let flagged = "SELECT count(*) FROM positions WHERE flags = '[\"jump\"]'";
    assert_eq!(number(&store, flagged), 1);
    let same = "SELECT count(DISTINCT fix) FROM positions";
    assert_eq!(number(&store, same), 1);
    let gaps = "SELECT count(*) FROM position_gaps WHERE gap LIKE '%phone_off%'";
    assert_eq!(number(&store, gaps), 1);
    assert_eq!(number(&store, "SELECT count(*) FROM profiles"), 1);
    assert_eq!(number(&store, "SELECT version FROM profiles"), i64::MAX);
    let seen = "SELECT times_received FROM envelopes ORDER BY id LIMIT 1";
    assert_eq!(number(&store, seen), 4);
}

#[test]
fn a_batch_is_stored_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let profile = || {
        Content::Profile(Profile {
            version: 1,
            registration: Uuid::nil(),
            fields: Vec::new(),
            phones: Default::default(),
        })
    };
    store
        .lock()
        .execute_batch(
            "CREATE TEMP TRIGGER fail BEFORE INSERT ON main.profiles
             BEGIN SELECT RAISE(ABORT, 'disk'); END;",
        )
        .unwrap();
    let empty = Content::Positions(Positions {
        fixes: Vec::new(),
        blocks: Vec::new(),
        gaps: Vec::new(),
    });
    let batch = [letter(1, empty), letter(2, profile())];
    assert!(store.take(&batch).is_err());
    assert_eq!(number(&store, "SELECT count(*) FROM envelopes"), 0);
    store.lock().execute_batch("DROP TRIGGER fail").unwrap();
    let results = store.take(&batch).unwrap();
    assert!(
        results
            .iter()
            .all(|result| matches!(result.outcome, EnvelopeOutcome::Accepted { .. }))
    );
}

#[test]
fn the_change_feed_keeps_its_rows_and_numbers_across_the_migration() {
    let mut old = Connection::open_in_memory().unwrap();
    old.execute_batch("PRAGMA foreign_keys = ON;").unwrap();
    old.execute_batch(include_str!("001.sql")).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute_batch(
        "INSERT INTO cases (report, number, sender, opened_ms) VALUES (x'01', 'C', x'02', 1);
         INSERT INTO changes (seq, recipient, report, state, kind, sealed)
         VALUES (41, x'02', x'01', 'acknowledged', 'case', x'aa'),
                (42, x'02', x'01', 'closed', 'case', x'bb');",
    )
    .unwrap();
    migrate(&mut old).unwrap();
    old.execute_batch(
        "INSERT INTO changes (recipient, topic, kind, sealed)
         VALUES (x'02', 'card', 'card', x'cc');",
    )
    .unwrap();
    let rows: Vec<(i64, String, Vec<u8>)> = old
        .prepare("SELECT seq, kind, sealed FROM changes ORDER BY seq")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    let expected = [(41, "case", 0xaa), (42, "case", 0xbb), (43, "card", 0xcc)]
        .map(|(seq, kind, byte)| (seq, kind.to_owned(), vec![byte]));
    assert_eq!(rows, expected);
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let first = store(directory.path());
    first
        .lock()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let keys = Arc::clone(&first.keys);
    drop(first);
    let refused = Store::open(directory.path(), keys).err();
    assert!(matches!(refused, Some(StoreError::TooNew)));
}

#[test]
fn the_serial_grows_only_when_the_service_changes() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let document = |sms: &[&str]| ServiceDocument {
        serial: 0,
        issued_ms: 0,
        versions: vec![1],
        sealing_keys: Vec::new(),
        receipt_keys: Vec::new(),
        sms_numbers: sms.iter().map(|number| (*number).to_owned()).collect(),
        datagram: None,
        limits: homeline::sync::protocol::Limits {
            batch_envelopes: 1,
            request_bytes: 1,
        },
        crises: Vec::new(),
    };
    let serial = |sms: &[&str]| store.number_service(document(sms)).unwrap().serial;
    assert_eq!(serial(&[]), 1);
    assert_eq!(serial(&[]), 1);
    assert_eq!(serial(&["+8612308"]), 2);
    assert_eq!(serial(&["+8612308"]), 2);
}
