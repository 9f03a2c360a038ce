//! News against the record itself: once, twice, of others, of newer phones.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::contacts::{Contact, Relation};
use crate::registration::fields::Field;
use crate::registration::{Traveler, load_traveler};
use crate::sync::protocol::{Base64, PhoneNews};

const OWN: &str = "own";

fn record() -> Connection {
    let tx = Connection::open_in_memory().unwrap();
    for script in [
        include_str!("../../../record/migrations/0001.sql"),
        include_str!("../../../record/migrations/0002/registration.sql"),
    ] {
        tx.execute_batch(script).unwrap();
    }
    tx
}

fn stamp(changed_ms: i64) -> Stamp {
    Stamp {
        changed_ms,
        device: OWN.into(),
    }
}

fn saved(tx: &Connection, at_ms: i64) {
    let traveler = Traveler {
        name: "a".into(),
        phone: Some("110".into()),
        ..Traveler::default()
    };
    fields::save(tx, "traveler", &traveler, &stamp(at_ms)).unwrap();
}

fn field(entity: &str, key: &str, value: Value, changed_ms: i64) -> Field {
    Field {
        entity: entity.into(),
        key: key.into(),
        value,
        changed_ms,
        device: "other".into(),
    }
}

fn news(tx: &Connection, fields: Vec<Field>) -> ProfileNews {
    ProfileNews {
        to: Base64(Vec::new()),
        registration: registration_id(tx).unwrap(),
        membership: Membership::Member,
        link: None,
        phones: [OWN, "other"]
            .map(|device| PhoneNews {
                device: device.into(),
                linked_ms: 1,
                seen_ms: 1,
            })
            .into(),
        overruled: Vec::new(),
        fields,
    }
}

fn take(tx: &Connection, news: &ProfileNews, seq: u64) -> After {
    apply(tx, news, seq, &stamp(5_000), &Policy::STANDARD).unwrap()
}

fn versions(tx: &Connection) -> (i64, i64) {
    let number = |key| meta_number(tx, key).unwrap();
    (number("profile_version"), number("profile_sent"))
}

fn told(tx: &Connection) -> i64 {
    tx.query_row("SELECT count(*) FROM merged", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn news_make_a_new_version_with_nothing_to_send_and_only_once() {
    let tx = record();
    saved(&tx, 10);
    set_meta_number(&tx, "profile_sent", 1).unwrap();
    let news = news(&tx, vec![field("traveler", "phone", json!("112"), 20)]);
    assert_eq!(take(&tx, &news, 7), After::Rest);
    assert_eq!(versions(&tx), (2, 2));
    // Killed before the outbox let go of them: the same again.
    assert_eq!(take(&tx, &news, 7), After::Rest);
    assert_eq!((versions(&tx), told(&tx)), ((2, 2), 1));
    assert_eq!(meta_number(&tx, "news_seen").unwrap(), 7);
    let traveler = load_traveler(&tx).unwrap().unwrap();
    assert_eq!(traveler.phone.as_deref(), Some("112"));
}

#[test]
fn what_is_not_sent_yet_stays_to_be_sent() {
    let tx = record();
    saved(&tx, 10);
    let news = news(&tx, vec![field("traveler", "name", json!("b"), 20)]);
    take(&tx, &news, 1);
    assert_eq!(versions(&tx), (2, 0));
}

#[test]
fn news_of_another_registration_touch_nothing() {
    let tx = record();
    saved(&tx, 10);
    let before = fields::all(&tx).unwrap();
    let mut news = news(&tx, vec![field("traveler", "name", json!("b"), 20)]);
    news.registration = Uuid::from_u128(1);
    take(&tx, &news, 9);
    news.membership = Membership::Stranger;
    take(&tx, &news, 10);
    assert_eq!(fields::all(&tx).unwrap(), before);
    assert_eq!((versions(&tx), told(&tx)), ((1, 0), 0));
    assert_eq!(meta_number(&tx, "news_seen").unwrap(), 0);
}

#[test]
fn a_phone_that_was_let_go_goes_on_with_an_id_of_its_own() {
    let tx = record();
    saved(&tx, 10);
    let mut news = news(&tx, Vec::new());
    news.membership = Membership::Stranger;
    assert_eq!(take(&tx, &news, 3), After::Send);
    assert_ne!(registration_id(&tx).unwrap(), news.registration);
    assert!(load_traveler(&tx).unwrap().is_some());
}

#[test]
fn what_a_newer_phone_sends_is_kept_and_never_locks_the_traveler_out() {
    let tx = record();
    saved(&tx, 10);
    let contact = Contact {
        name: "m".into(),
        phone: "110".into(),
        relation: Relation::Parent,
        ..Contact::default()
    };
    fields::save(&tx, "contact/1", &contact, &stamp(10)).unwrap();
    fields::save(&tx, "contact/2", &contact, &stamp(10)).unwrap();
    let strange = vec![
        // A key of another type, a variant and entities that nobody knows here.
        field("traveler", "phone", json!({"number": 5}), 20),
        field("traveler", "blood", json!("0-"), 20),
        field("contact/2", "relation", json!("great_uncle"), 20),
        field("contact_order", "ids", json!(7), 20),
        field("satellite/1", "name", json!(["x"]), 20),
        field("", "", json!(null), 20),
    ];
    take(&tx, &news(&tx, strange.clone()), 1);
    let traveler = load_traveler(&tx).unwrap().unwrap();
    assert_eq!((traveler.name.as_str(), traveler.phone), ("a", None));
    let contacts = crate::contacts::load_contacts(&tx).unwrap();
    let shown: Vec<(&str, Relation)> = contacts
        .iter()
        .map(|saved| (saved.id.as_str(), saved.contact.relation))
        .collect();
    // Whom to call is worth more than who that is.
    assert_eq!(shown, [("1", Relation::Parent), ("2", Relation::default())]);
    let all = fields::all(&tx).unwrap();
    assert!(
        strange.iter().all(|field| all.contains(field)),
        "sent on as it came"
    );
    // And the traveler can go on: what is saved here is newer.
    saved(&tx, 30);
    assert!(load_traveler(&tx).unwrap().unwrap().phone.is_some());
}

#[test]
fn stamps_of_the_largest_number_do_not_end_the_record() {
    let tx = record();
    let mut far = field("traveler", "name", json!("b"), i64::MAX);
    far.device = OWN.into();
    take(&tx, &news(&tx, vec![far]), 1);
    saved(&tx, 10);
    assert_eq!(load_traveler(&tx).unwrap().unwrap().name, "a");
}
