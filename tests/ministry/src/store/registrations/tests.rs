//! Registrations in the store: strangers, long ones, old feeds.

use homeline::registration::fields::Field;
use homeline::seal::envelope::{RecipientKey, open};
use homeline::seal::signed::{Context, Signed};
use homeline::sync::protocol::{
    Base64, Content, Enrolment, Membership, PhonesNote, Profile, ProfileNews,
};
use rusqlite::Connection;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::tests::store;
use crate::intake::Letter;
use crate::store::{MIGRATIONS, Store};

struct Phone {
    key: RecipientKey,
    device: String,
    version: std::cell::Cell<u64>,
}

impl Phone {
    fn new(store: &Store, byte: u8) -> Self {
        let key = RecipientKey::from_bytes(&[byte; 32]).unwrap();
        let device = format!("{byte:032x}");
        let keys = Enrolment {
            signing_key: Base64(vec![byte; 32]),
            agreement_key: Base64(key.public().to_vec()),
        };
        store.enrol(&device, &keys).unwrap();
        Self {
            key,
            device,
            version: 0.into(),
        }
    }

    fn field(&self, key: &str, value: Value, changed_ms: i64) -> Field {
        Field {
            entity: "traveler".into(),
            key: key.into(),
            value,
            changed_ms,
            device: self.device.clone(),
        }
    }

    fn send(&self, store: &Store, registration: Uuid, fields: Vec<Field>) {
        self.version.set(self.version.get() + 1);
        let content = Content::Profile(Profile {
            version: self.version.get(),
            registration,
            fields,
            phones: PhonesNote {
                device: self.device.clone(),
                ..PhonesNote::default()
            },
        });
        let id = Uuid::from_u128(
            u128::from(self.version.get()) << 64 | u128::from(self.key.public()[0]),
        );
        let letter = Letter {
            id,
            sender: *self.key.public(),
            sha256: String::new(),
            plain: serde_json::to_vec(&content).unwrap(),
            content,
        };
        store.take(&[(id, Ok(letter))]).unwrap();
    }

    /// All news in the feed, read page by page.
    fn news(&self, store: &Store) -> Vec<ProfileNews> {
        let keys = std::slice::from_ref(&self.key);
        let mut out = Vec::new();
        let mut after = 0;
        loop {
            let page = store.changes(self.key.public(), after).unwrap();
            let bytes = serde_json::to_vec(&page).unwrap().len();
            assert!(bytes < 1024 * 1024, "a page of {bytes} bytes");
            for change in page.changes {
                after = change.seq;
                let opened = open(&change.sealed.0, keys).unwrap();
                let signed: Signed = serde_json::from_slice(&opened.content).unwrap();
                let receipt = store.keys.receipt().public().to_vec();
                out.push(signed.verify(Context::Profile, &[receipt]).unwrap());
            }
            if !page.more {
                return out;
            }
        }
    }
}

fn merged(store: &Store, registration: Uuid) -> Vec<Field> {
    store
        .read(|tx| super::fields_of(tx, &registration))
        .unwrap()
}

#[test]
fn a_stranger_neither_reads_nor_writes() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let (owner, stranger) = (Phone::new(&store, 1), Phone::new(&store, 2));
    let id = Uuid::from_u128(7);
    owner.send(&store, id, vec![owner.field("name", json!("李伟"), 5)]);
    let before = merged(&store, id);
    let evil = stranger.field("name", json!("x"), 1_000);
    stranger.send(&store, id, vec![evil]);
    assert_eq!(merged(&store, id), before);
    let news = stranger.news(&store);
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].membership, Membership::Stranger);
    assert!(news[0].fields.is_empty() && news[0].phones.is_empty());
    // Later changes do not reach it, and its word never counts.
    owner.send(&store, id, vec![owner.field("name", json!("李薇"), 9)]);
    assert_eq!(stranger.news(&store).len(), 1);
    assert!(owner.news(&store).is_empty());
    // Its own data are its own: it founds a registration under another id.
    let own = Uuid::from_u128(8);
    stranger.send(&store, own, vec![stranger.field("name", json!("y"), 2_000)]);
    assert_eq!(merged(&store, own)[0].value, json!("y"));
    assert_eq!(merged(&store, id)[0].value, json!("李薇"));
}

#[test]
fn the_future_is_not_believed_and_not_refreshed_by_repeating_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let phone = Phone::new(&store, 1);
    let id = Uuid::from_u128(7);
    let future = phone.field("name", json!("a"), i64::MAX);
    phone.send(&store, id, vec![future.clone()]);
    let first = merged(&store, id)[0].changed_ms;
    assert!(first <= crate::store::now_ms());
    std::thread::sleep(std::time::Duration::from_millis(5));
    // The receipt was lost: the phone says it again, with something else.
    phone.send(
        &store,
        id,
        vec![future, phone.field("phone", json!("b"), 3)],
    );
    let stamps: Vec<i64> = merged(&store, id)
        .iter()
        .map(|field| field.changed_ms)
        .collect();
    assert_eq!(stamps, [first, 3]);
}

#[test]
fn a_long_registration_comes_in_parts_that_a_phone_can_read() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let (first, second) = (Phone::new(&store, 1), Phone::new(&store, 2));
    let id = Uuid::from_u128(7);
    let text = "字".repeat(150);
    let fields: Vec<Field> = (0..4_000)
        .map(|n| Field {
            entity: format!("contact/{n:05}"),
            ..first.field("name", json!(text), 1)
        })
        .collect();
    first.send(&store, id, fields.clone());
    store
        .write(|tx| super::seat(tx, second.key.public(), &second.device, &id, 1))
        .unwrap();
    second.send(&store, id, vec![second.field("name", json!("x"), 2)]);
    let news = second.news(&store);
    assert!(news.len() > 10, "{} parts", news.len());
    assert_eq!(news[0].phones.len(), 2);
    let all: Vec<Field> = news.into_iter().flat_map(|part| part.fields).collect();
    assert_eq!(all, fields);
    assert_eq!(first.news(&store).len(), 1);
}

#[test]
fn a_feed_of_version_1_keeps_its_places() {
    let mut file = Connection::open_in_memory().unwrap();
    file.execute_batch(MIGRATIONS[0]).unwrap();
    file.execute_batch(
        "INSERT INTO cases (report, number, sender, opened_ms)
             VALUES (x'0A0b', 'C-1', x'01', 1);
         INSERT INTO changes (seq, recipient, report, state, kind, sealed)
             VALUES (41, x'01', x'0A0b', 'closed', 'case', x'02');
         PRAGMA user_version = 1;",
    )
    .unwrap();
    crate::store::migrate(&mut file).unwrap();
    let row: (i64, String, String) = file
        .query_row("SELECT seq, topic, kind FROM changes", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(row, (41, "case/0a0b/closed".into(), "case".into()));
    file.execute(
        "INSERT INTO changes (recipient, topic, kind, sealed) VALUES (x'01', 't', 'k', x'')",
        [],
    )
    .unwrap();
    assert_eq!(file.last_insert_rowid(), 42);
}
