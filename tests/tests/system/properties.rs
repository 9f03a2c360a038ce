//! Any input at all: a press is taken, bytes from outside are refused in words,
//! and nothing panics.

use std::sync::Arc;

use homeline::contacts::{Contact, Relation};
use homeline::registration::{Reachable, TravelDocument, Traveler, TravelerKind};
use homeline::seal::envelope::{self, RecipientKey};
use homeline::seal::signed::Signed;
use homeline::sos::{OnRepeat, SosKind, SosRequest};
use homeline::sync::protocol::{
    BatchAnswer, CaseNews, ChangePage, Content, Enrolled, EnvelopeBatch, Problem, Receipt,
    ServiceDocument, expand, read_batch,
};
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, HomelineError};
use proptest::prelude::*;
use uuid::Uuid;

use crate::scene::{Office, Phone, is_received, sync};

/// As many runs of each property as fit: a press is a write to disk.
fn runs(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn offline() -> (Phone, Office, Arc<Homeline>) {
    let (office, phone) = (Office::new(), Phone::new());
    let home = phone.open(office.config(&phone));
    (phone, office, home)
}

fn request(note: String) -> SosRequest {
    SosRequest {
        note,
        on_repeat: Some(OnRepeat::NewReport),
        ..SosRequest::new(SosKind::Other)
    }
}

/// The note as the duty officer shall read it.
fn on_one_page(note: &str) -> String {
    let kept = note.chars().take(4_000);
    kept.map(|c| {
        if c.is_control() && c != '\n' && c != '\t' {
            ' '
        } else {
            c
        }
    })
    .collect()
}

fn any_note() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC*",
        any::<String>(),
        proptest::collection::vec(any::<char>(), 3_990..4_010)
            .prop_map(|c| c.into_iter().collect()),
        "[\\x00-\\x1f\\x7f\u{200f}\u{202e}🆘👩‍👩‍👧\\\\\"']{0,40}",
    ]
}

/// Every bit pattern: NaNs with payloads, infinities, subnormals, both zeros.
fn any_f64() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        prop_oneof![
            Just(90.0),
            Just(-90.0),
            Just(180.0),
            Just(-0.0),
            Just(f64::NAN)
        ],
        -200.0..200.0,
    ]
}

fn any_fix() -> impl Strategy<Value = Fix> {
    let position =
        (0..3_u8, any_f64(), any_f64()).prop_map(|(datum, latitude, longitude)| match datum {
            0 => Position::Wgs84 {
                latitude,
                longitude,
            },
            1 => Position::Gcj02 {
                latitude,
                longitude,
            },
            _ => Position::Bd09 {
                latitude,
                longitude,
            },
        });
    (position, any::<i64>(), proptest::option::of(any_f64())).prop_map(
        |(position, time_ms, accuracy_m)| Fix {
            accuracy_m,
            ..Fix::new(position, time_ms, FixSource::Fused)
        },
    )
}

/// A text as people and fuzzers type it.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,20}",
        any::<String>(),
        "\\+?[0-9 ().-]{0,20}",
        "[A-Z0-9<]{88}",
        Just("x".repeat(501)),
    ]
}

fn any_traveler() -> impl Strategy<Value = Traveler> {
    let kind = (0..5_u8, any_text()).prop_map(|(kind, text)| match kind {
        0 => TravelerKind::ShortTrip,
        1 => TravelerKind::LongStay,
        2 => TravelerKind::Student {
            programme: Some(text.clone()),
            guardian: Some(Reachable {
                name: text.clone(),
                phone: Some(text.clone()),
            }),
            school: text,
        },
        3 => TravelerKind::PostedWorker {
            project: Some(text.clone()),
            liaison: None,
            employer: text,
        },
        _ => TravelerKind::Crew { vessel: Some(text) },
    });
    let document =
        (any_text(), proptest::option::of(any_text())).prop_map(|(number, mrz)| TravelDocument {
            number,
            mrz,
            ..TravelDocument::default()
        });
    (
        any_text(),
        kind,
        proptest::option::of(any_text()),
        proptest::collection::vec(document, 0..3),
    )
        .prop_map(|(name, kind, phone, documents)| Traveler {
            name,
            kind,
            phone,
            documents,
            ..Traveler::default()
        })
}

/// Saved, or refused with the name of a field that begins with `of`.
fn ok_or_named<T>(outcome: Result<T, HomelineError>, of: &str) -> Result<bool, TestCaseError> {
    match outcome {
        Ok(_) => Ok(true),
        Err(HomelineError::Invalid { field, .. }) if field.starts_with(of) => Ok(false),
        Err(other) => Err(TestCaseError::fail(format!("{other:?}"))),
    }
}

#[test]
fn any_note_and_any_fix_reach_the_desk() {
    let (_phone, office, home) = offline();
    let press = |note: &str, fix: Option<Fix>, people, battery_percent, countdown_s| {
        let request = SosRequest {
            fix,
            people,
            battery_percent,
            countdown_s,
            ..request(note.to_owned())
        };
        home.sos().press(request)
    };
    let pressed = std::cell::RefCell::new(Vec::new());
    proptest!(runs(150), |(
        note in any_note(),
        fix in proptest::option::of(any_fix()),
        people in any::<Option<u32>>(),
        battery in any::<Option<u8>>(),
        countdown in prop_oneof![3 => Just(0_u32), 1 => any::<u32>()],
    )| {
        let report = press(&note, fix, people, battery, countdown);
        prop_assert!(report.is_ok(), "{report:?}");
        if countdown == 0 {
            pressed.borrow_mut().push((report.unwrap(), note));
        }
    });
    sync(&home);
    let cases = office.ministry.cases().unwrap();
    let pressed = pressed.into_inner();
    assert!(pressed.len() > 50, "{}", pressed.len());
    for (report, note) in &pressed {
        assert!(is_received(&home, report), "{note:?}");
        let case = cases.iter().find(|case| case.report.to_string() == *report);
        let case = case.expect("on the desk");
        assert_eq!(case.note, on_one_page(note));
        if let Some(position) = &case.position {
            assert!((-90.0..=90.0).contains(&position.latitude));
            assert!((-180.0..=180.0).contains(&position.longitude));
        }
    }
}

#[test]
fn any_fix_is_recorded_or_refused_by_name() {
    let (_phone, _office, home) = offline();
    proptest!(runs(100), |(fix in any_fix())| {
        ok_or_named(home.whereabouts().record(fix), "fix.")?;
        prop_assert!(home.whereabouts().last().is_ok());
    });
}

#[test]
fn any_contact_is_kept_as_one_line_or_refused_by_name() {
    let (_phone, _office, home) = offline();
    proptest!(runs(100), |(
        name in any_text(),
        phone in any_text(),
        second_phone in proptest::option::weighted(0.2, any_text()),
        email in proptest::option::weighted(0.2, any_text()),
        note in proptest::option::weighted(0.2, any_text()),
        languages in proptest::collection::vec(any_text(), 0..2),
    )| {
        let contact = Contact {
            name: name.clone(),
            phone,
            relation: Relation::Other,
            languages,
            may_be_told: Vec::new(),
            second_phone,
            email,
            note,
        };
        let before = home.contacts().list().unwrap().len();
        let kept = ok_or_named(home.contacts().add(contact), "contact.")?;
        let list = home.contacts().list().unwrap();
        prop_assert_eq!(list.len(), before + usize::from(kept));
        if kept {
            prop_assert_eq!(&list.last().unwrap().contact.name, name.trim());
        }
    });
}

#[test]
fn any_traveler_is_kept_or_refused_by_name() {
    let (_phone, _office, home) = offline();
    proptest!(runs(100), |(traveler in any_traveler())| {
        let name = traveler.name.trim().to_owned();
        if ok_or_named(home.registration().save(traveler), "traveler.")? {
            let kept = home.registration().traveler().unwrap().unwrap();
            prop_assert_eq!(kept.name, name);
        }
    });
}

fn read_as_everything(bytes: &[u8]) {
    fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) {
        let _ = serde_json::from_slice::<T>(bytes);
    }
    read::<Signed>(bytes);
    read::<ServiceDocument>(bytes);
    read::<Enrolled>(bytes);
    read::<EnvelopeBatch>(bytes);
    let _ = read_batch(bytes, 100);
    let _ = expand(bytes, Uuid::nil());
    read::<BatchAnswer>(bytes);
    read::<Problem>(bytes);
    read::<Receipt>(bytes);
    read::<ChangePage>(bytes);
    read::<CaseNews>(bytes);
    read::<Content>(bytes);
}

/// JSON with the names of the protocol and anything as their values.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<f64>().prop_map(|n| format!("{n:e}")),
        any::<i128>().prop_map(|n| n.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("\"AAA=\"".to_owned()),
    ];
    let name = prop_oneof![
        Just("results"),
        Just("id"),
        Just("outcome"),
        Just("receipt"),
        Just("body"),
        Just("signature"),
        Just("key"),
        Just("changes"),
        Just("seq"),
        Just("more"),
        Just("type"),
        Just("report"),
        Just("serial"),
        Just("limits"),
        Just("envelopes"),
        Just("sealed"),
        Just("position"),
        Just("fixes"),
        Just("problem"),
        Just("status"),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        let member = (name.clone(), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(|all| format!("[{}]", all.join(","))),
            proptest::collection::vec(member, 0..6).prop_map(|all| {
                let all: Vec<_> = all.iter().map(|(n, v)| format!("\"{n}\":{v}")).collect();
                format!("{{{}}}", all.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(runs(2_000))]

    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        json in any_json(),
    ) {
        read_as_everything(&bytes);
        read_as_everything(json.as_bytes());
    }

    #[test]
    fn any_bytes_are_no_envelope(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let key = RecipientKey::from_bytes(&[1; 32]).unwrap();
        prop_assert!(envelope::open(&bytes, &[key]).is_err());
    }
}

proptest! {
    #![proptest_config(runs(300))]

    #[test]
    fn an_envelope_opens_whole_or_not_at_all(
        content in proptest::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
        cut in any::<prop::sample::Index>(),
    ) {
        let key = || [RecipientKey::from_bytes(&[1; 32]).unwrap()];
        let id = Uuid::from_u128(7);
        let sealed = envelope::seal_to_device(&content, id, key()[0].public()).unwrap();
        let opened = envelope::open(&sealed, &key()).unwrap();
        prop_assert_eq!((opened.id, &opened.content), (id, &content));
        let mut changed = sealed.clone();
        changed[at.index(sealed.len())] ^= flip;
        prop_assert!(envelope::open(&changed, &key()).is_err());
        prop_assert!(envelope::open(&sealed[..cut.index(sealed.len())], &key()).is_err());
    }
}
