//! How long the texts are, and what strange members and leaders can do.

use proptest::prelude::*;

use super::wire::{Document, group_id};
use super::*;
use crate::keys::{DeviceKeys, Secret};
use crate::registration::card::Card;

/// Alphanumeric characters that a QR code of version 1 to 20 holds at level M
/// (ISO/IEC 18004, table 7).
const QR_M: [usize; 20] = [
    20, 38, 61, 90, 122, 154, 178, 221, 262, 311, 366, 419, 483, 528, 600, 656, 734, 816, 909, 970,
];

fn version(text: &str) -> usize {
    let fits = QR_M.iter().position(|most| text.len() <= *most);
    fits.unwrap() + 1
}

fn device(byte: u8) -> DeviceKeys {
    DeviceKeys::from_secret(&Secret::new([byte; 32])).unwrap()
}

fn sign<T: serde::Serialize>(kind: Kind, body: &T, device: &DeviceKeys) -> Token {
    let public = device.public().signing;
    Token::sign(kind, body, &public, |bytes| device.sign(bytes)).unwrap()
}

fn texts(name: &str, short: &str, number: &str) -> [(&'static str, String); 4] {
    let (leader, member) = (device(1), device(2));
    let invitation = Invitation {
        salt: [3; 16],
        signing: leader.public().signing,
        agreement: leader.public().agreement,
        details: GroupDetails {
            name: short.into(),
            kind: GroupKind::Tour,
            agency: Some(short.into()),
            first_day: Some("2026-05-01".into()),
            last_day: Some("2026-05-10".into()),
        },
        expires_ms: 1_790_000_000_000,
    };
    let entry = Entry {
        group: invitation.group(),
        signing: member.public().signing,
        serial: 1_790_000_000_000,
        person: Person {
            name: name.into(),
            phone: Some("+8613800138000".into()),
            document: Some(Document {
                issuer: "CHN".into(),
                number: number.into(),
            }),
        },
        text_version: short.into(),
    };
    let leave = Leave {
        group: entry.group,
        signing: entry.signing,
        serial: entry.serial,
    };
    let card = Card {
        number: "R-7K2M-9QXF".into(),
        name: name.into(),
        document_end: Some("4567".into()),
        nationality: Some("CHN".into()),
        issued_ms: 1_790_000_000_000,
        valid_until_ms: 1_821_536_000_000,
    };
    [
        (
            "invitation",
            sign(Kind::Invitation, &invitation, &leader).to_text(Kind::Invitation),
        ),
        (
            "entry",
            sign(Kind::Entry, &entry, &member)
                .seal(Kind::Entry, &leader.public().agreement)
                .unwrap(),
        ),
        (
            "leave",
            sign(Kind::Leave, &leave, &member).to_text(Kind::Leave),
        ),
        (
            "card",
            card.issue(&leader.public().signing, |bytes| leader.sign(bytes))
                .unwrap(),
        ),
    ]
}

/// Who makes a text longer sees it here: what each text usually is and at most may
/// be, in characters and as a version of QR code.
#[test]
fn every_text_fits_a_qr_code_of_version_20() {
    let measured = |texts: [(&'static str, String); 4]| {
        texts.map(|(what, text)| (what, text.len(), version(&text)))
    };
    assert_eq!(
        measured(texts("李伟", "丝路之旅", "E12345678")),
        [
            ("invitation", 342, 11),
            ("entry", 380, 12),
            ("leave", 208, 8),
            ("card", 188, 8)
        ]
    );
    let policy = Policy::STANDARD;
    let (name, short) = ("李".repeat(64), "旅".repeat(30));
    assert_eq!(
        (name.len(), short.len()),
        (policy.token_name_bytes, policy.token_text_bytes)
    );
    assert_eq!(
        measured(texts(&name, &short, &short)),
        [
            ("invitation", 592, 15),
            ("entry", 934, 20),
            ("leave", 208, 8),
            ("card", 488, 14)
        ]
    );
}

#[test]
fn an_id_belongs_to_its_leaders_keys() {
    let id = |signing, agreement, salt| group_id(&[signing; 32], &[agreement; 32], &[salt; 16]);
    let own = id(1, 2, 3);
    assert_eq!(own, id(1, 2, 3));
    for other in [id(9, 2, 3), id(1, 9, 3), id(1, 2, 9)] {
        assert_ne!(own, other);
    }
    assert_eq!(own.get_version_num(), 8);
}

#[test]
fn a_group_is_told_no_more_than_its_kind_needs() {
    let traveler = Traveler {
        name: "李伟".into(),
        documents: vec![crate::registration::TravelDocument {
            number: "L898902C3".into(),
            mrz: Some(
                "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n\
                 L898902C36UTO7408122F1204159ZE184226B<<<<<10"
                    .into(),
            ),
            issuing_state: Some("UTO".into()),
            ..Default::default()
        }],
        ..Traveler::default()
    };
    for (kind, document) in [
        (GroupKind::Tour, true),
        (GroupKind::Company, true),
        (GroupKind::School, true),
        (GroupKind::Family, false),
        (GroupKind::Other, false),
    ] {
        let person = Person::of(&traveler, kind, &Policy::STANDARD).unwrap();
        assert_eq!(person.document.is_some(), document, "{kind:?}");
        if let Some(document) = person.document {
            assert_eq!(document.issuer, "UTO");
        }
    }
}

#[test]
fn serials_grow_though_the_clock_goes_back() {
    for (last, now_ms, next) in [
        (None, 1_000, 1_000),
        (Some(1_000), 2_000, 2_000),
        (Some(1_000), 1_000, 1_001),
        (Some(1_000), -5, 1_001),
        (Some(i64::MAX), 0, i64::MAX),
    ] {
        assert_eq!(joined::next_serial(last, now_ms), next);
    }
}

/// What a member's phone may do in a story.
#[derive(Debug, Clone, Copy)]
enum Act {
    Join,
    Leave,
    /// Makes an entry that nobody brings now.
    Hold,
    /// Brings the text again that it made so many acts ago.
    Replay(usize),
}

fn acts() -> impl Strategy<Value = Vec<(u8, Act)>> {
    let act = prop_oneof![
        3 => Just(Act::Join),
        2 => Just(Act::Leave),
        1 => Just(Act::Hold),
        3 => (0_usize..6).prop_map(Act::Replay),
    ];
    prop::collection::vec((0_u8..4, act), 1..40)
}

fn record() -> Connection {
    let tx = Connection::open_in_memory().unwrap();
    tx.execute_batch(include_str!("../../record/migrations/0002/groups.sql"))
        .unwrap();
    tx
}

proptest! {
    /// Four phones of two people (0 and 1, 2 and 3) come, go and replay in any
    /// order: a person is in exactly when the newest word of the person's phones
    /// that was brought is an entry, and is never there twice.
    #[test]
    fn whatever_is_replayed_the_newest_word_of_a_person_holds(acts in acts()) {
        let tx = record();
        let leader = device(1);
        let (signing, agreement) = (leader.public().signing, leader.public().agreement);
        let id = group_id(&signing, &agreement, &[3; 16]);
        let policy = Policy::STANDARD;
        led::insert(&tx, &Led {
            id,
            salt: [3; 16],
            signing,
            agreement,
            details: GroupDetails {
                name: "g".into(),
                kind: GroupKind::Tour,
                agency: None,
                first_day: None,
                last_day: None,
            },
            invited_until_ms: 0,
            closed_ms: None,
            version: 1,
            sent: 0,
        }).unwrap();
        led::invited(&tx, id, i64::MAX).unwrap();
        // Every text ever made: by whom, its serial, whether it is an entry.
        let mut made: Vec<(u8, i64, bool)> = Vec::new();
        // What was brought: by whom, its serial, whether it is an entry.
        let mut brought: Vec<(u8, i64, bool)> = Vec::new();
        for (serial, (phone, act)) in (1_i64..).zip(acts) {
            let (phone, serial, is_entry) = match act {
                Act::Join => (phone, serial, true),
                Act::Leave => (phone, serial, false),
                Act::Hold => {
                    made.push((phone, serial, true));
                    continue;
                }
                Act::Replay(ago) => match made.iter().rev().nth(ago) {
                    Some(word) => *word,
                    None => continue,
                },
            };
            let fresh = !matches!(act, Act::Replay(_));
            if fresh {
                made.push((phone, serial, is_entry));
            }
            let outcome = if is_entry {
                let entry = Entry {
                    group: id,
                    signing: [phone; 32],
                    serial,
                    person: Person {
                        name: format!("p{phone}"),
                        phone: None,
                        document: Some(Document {
                            issuer: String::new(),
                            number: (phone / 2).to_string(),
                        }),
                    },
                    text_version: "1".into(),
                };
                led::add_entry(&tx, &entry, b"entry", 0, &policy)
            } else {
                let leave = Leave { group: id, signing: [phone; 32], serial };
                led::add_leave(&tx, &leave, b"leave")
            };
            prop_assert!(outcome.is_ok() || !fresh);
            // A leave of a phone that never came says nothing of a person.
            let came = brought.iter().any(|(by, _, entry)| *by == phone && *entry);
            if outcome.is_ok() && (is_entry || came) {
                brought.push((phone, serial, is_entry));
            }
            let is_in = |person: u8| {
                let own = brought.iter().filter(|(by, ..)| by / 2 == person);
                own.max_by_key(|(_, serial, _)| *serial)
                    .is_some_and(|(.., entry)| *entry)
            };
            let expected = usize::from(is_in(0)) + usize::from(is_in(1));
            let members = led::members(&tx, id).unwrap();
            prop_assert_eq!(members.len(), expected);
            prop_assert_eq!(led::count(&tx, id).unwrap(), i64::try_from(expected).unwrap());
        }
    }
}
