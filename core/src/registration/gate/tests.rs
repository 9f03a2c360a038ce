//! Every content leaves under its ground and under no other; who may consent.

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::clock::ClockReading;
use crate::error::{HomelineError, Problem};
use crate::registration::MedicalCard;
use crate::registration::consent::{ConsentGiven, Guardian};
use crate::registration::fields::{self, Stamp};
use crate::registration::groups::GroupDetails;
use crate::sos::SosKind;
use crate::sync::protocol::{
    AgedFix, Attachment, Base64, Erase, Group, GroupLeave, Medical, Positions, Profile, SosCancel,
    SosReport, SosUpdate, Standing,
};
use crate::whereabouts::{Fix, FixSource, Position};

/// 2026-11-25.
const NOW: i64 = 1_795_564_800_000;

fn record() -> Connection {
    let tx = Connection::open_in_memory().unwrap();
    for script in [
        include_str!("../../record/migrations/0001.sql"),
        include_str!("../../record/migrations/0002/registration.sql"),
        include_str!("../../record/migrations/0002/consent.sql"),
        include_str!("../../record/migrations/0002/whereabouts.sql"),
        include_str!("../../record/migrations/0002/trips.sql"),
        include_str!("../../record/migrations/0002/groups.sql"),
    ] {
        tx.execute_batch(script).unwrap();
    }
    tx
}

fn given(purpose: Purpose) -> ConsentGiven {
    ConsentGiven {
        purpose,
        text_version: "1".into(),
        language: String::new(),
        guardian: None,
        subject: None,
    }
}

fn by_guardian(purpose: Purpose) -> ConsentGiven {
    ConsentGiven {
        guardian: Some(Guardian {
            name: "王芳".into(),
            relation: "mother".into(),
        }),
        ..given(purpose)
    }
}

fn save(tx: &Connection, entity: &str, value: &serde_json::Value) {
    let stamp = Stamp {
        changed_ms: 1_000,
        device: "d".into(),
    };
    fields::save(tx, entity, value, &stamp).unwrap();
}

/// One of each content. A new one must be added here and below: the match does
/// not compile without it.
fn every() -> Vec<Content> {
    let at = ClockReading {
        wall_ms: NOW,
        monotonic_ms: 0,
        boot_id: "a".into(),
    };
    let fix = Fix::new(
        Position::Wgs84 {
            latitude: 1.0,
            longitude: 2.0,
        },
        NOW,
        FixSource::Gnss,
    );
    let report = Uuid::from_u128(1);
    vec![
        Content::Sos(SosReport {
            report,
            sequence: 1,
            pressed: at.clone(),
            kind: SosKind::Other,
            note: String::new(),
            note_cut: false,
            people: None,
            battery_percent: None,
            position: None,
            recent: Vec::new(),
            standing: None,
            medical: None,
            ground: crate::sos::Ground::default(),
        }),
        Content::SosUpdate(SosUpdate {
            report,
            at: at.clone(),
            position: AgedFix {
                fix: fix.clone(),
                age_ms: None,
                flags: Vec::new(),
            },
        }),
        Content::SosCancel(SosCancel {
            report,
            at: at.clone(),
        }),
        Content::Standing(Standing {
            as_of: at.clone(),
            traveler: None,
            contacts: Vec::new(),
            position: None,
            trip: None,
            confirmed_ms: None,
            consents: Vec::new(),
        }),
        Content::Profile(Profile {
            version: 1,
            registration: report,
            fields: Vec::new(),
            phones: Default::default(),
        }),
        Content::Positions(Positions {
            fixes: vec![fix],
            ..Positions::default()
        }),
        Content::Group(Group {
            id: report,
            version: 1,
            salt: Base64(Vec::new()),
            signing_key: Base64(Vec::new()),
            details: GroupDetails::default(),
            closed_ms: None,
            members: Vec::new(),
            leaves: Vec::new(),
        }),
        Content::GroupLeave(GroupLeave {
            leave: Base64(Vec::new()),
        }),
        Content::Medical(Medical {
            as_of: at.clone(),
            card: MedicalCard::default(),
            ground: crate::sos::Ground::default(),
        }),
        Content::Attachment(Attachment {
            report,
            at: at.clone(),
            media_type: "image/jpeg".into(),
            name: None,
            bytes: 1,
            sha256: Base64(Vec::new()),
            key: Base64(Vec::new()),
            chunk_bytes: 1,
            chunks: Base64(Vec::new()),
        }),
        Content::Erase(Erase {
            registration: None,
            at,
        }),
    ]
}

/// What a traveler would say: the consents that let it leave, `None` where it
/// belongs to an SOS or is asked for.
fn expected(content: &Content) -> Option<Vec<Purpose>> {
    match content {
        Content::Sos(_)
        | Content::SosUpdate(_)
        | Content::SosCancel(_)
        | Content::Standing(_)
        | Content::Medical(_)
        | Content::Attachment(_)
        | Content::GroupLeave(_)
        | Content::Erase(_) => None,
        Content::Profile(_) | Content::Group(_) => Some(vec![Purpose::Register]),
        Content::Positions(_) => Some(vec![Purpose::Whereabouts, Purpose::WhereaboutsInCrisis]),
    }
}

#[test]
fn each_content_leaves_under_its_purpose_and_under_no_other() {
    let kinds: std::collections::HashSet<_> = every().iter().map(std::mem::discriminant).collect();
    assert_eq!(kinds.len(), every().len());
    for content in every() {
        let free = expected(&content).is_none();
        let tx = record();
        assert_eq!(may_leave(&tx, &content).unwrap(), free, "without a consent");
        for purpose in Purpose::ALL {
            let tx = record();
            ledger::give(&tx, &given(purpose), NOW).unwrap();
            let covered = expected(&content).is_none_or(|purposes| purposes.contains(&purpose));
            assert_eq!(may_leave(&tx, &content).unwrap(), covered, "{purpose:?}");
            withdraw(&tx, purpose, "", NOW).unwrap();
            assert_eq!(may_leave(&tx, &content).unwrap(), free, "{purpose:?}");
        }
    }
}

#[test]
fn a_child_does_not_consent_alone_and_a_guardian_does() {
    let tx = record();
    save(
        &tx,
        "traveler",
        &json!({"name": "小明", "birth_date": "2012-11-26"}),
    );
    let refused = ledger::give(&tx, &given(Purpose::Register), NOW);
    let Err(HomelineError::Invalid { field, problem, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (field.as_str(), problem),
        ("consent.guardian", Problem::Empty)
    );
    assert!(!ledger::in_force(&tx, Purpose::Register).unwrap());
    ledger::give(&tx, &by_guardian(Purpose::Register), NOW).unwrap();
    assert!(ledger::in_force(&tx, Purpose::Register).unwrap());
    // On the fourteenth birthday the traveler decides.
    ledger::give(&tx, &given(Purpose::Media), NOW + 24 * 3_600_000).unwrap();
    assert!(ledger::in_force(&tx, Purpose::Media).unwrap());
}

#[test]
fn a_consent_that_turns_out_to_be_a_childs_is_not_in_force() {
    let tx = record();
    ledger::give(&tx, &given(Purpose::Register), NOW).unwrap();
    assert!(ledger::in_force(&tx, Purpose::Register).unwrap());
    save(
        &tx,
        "traveler",
        &json!({"name": "小明", "birth_date": "2020-01-01"}),
    );
    assert!(!ledger::in_force(&tx, Purpose::Register).unwrap());
}

#[test]
fn a_dependent_is_told_as_removed_once_the_consent_is_taken_back() {
    let tx = record();
    save(&tx, "traveler", &json!({"name": "王芳"}));
    save(
        &tx,
        "dependent/a",
        &json!({"name": "小明", "birth_date": "2020-01-01"}),
    );
    save(&tx, "dependent/b", &json!({"name": "奶奶"}));
    let told = || {
        let mut fields = covered(&tx, fields::all(&tx).unwrap(), "d").unwrap();
        fields.retain(|field| !field.entity.starts_with("consent/"));
        fields
    };
    let names = |fields: &[Field]| -> Vec<String> {
        fields::entities::<serde_json::Value>(fields, "dependent")
            .into_iter()
            .map(|(id, _)| id)
            .collect()
    };
    assert_eq!(names(&told()), ["a", "b"]);
    let before = told();
    let newest = before.iter().map(|field| field.changed_ms).max().unwrap();

    let child = ConsentGiven {
        subject: Some("a".into()),
        ..given(Purpose::Register)
    };
    assert!(ledger::give(&tx, &child, NOW).is_err(), "under 14");
    let child = ConsentGiven {
        subject: Some("a".into()),
        ..by_guardian(Purpose::Register)
    };
    ledger::give(&tx, &child, NOW).unwrap();
    assert!(told() == before);
    withdraw(&tx, Purpose::Register, "a", NOW).unwrap();
    let without = told();
    assert_eq!(names(&without), ["b"]);
    let removal = without
        .iter()
        .find(|field| field.entity == "dependent/a")
        .unwrap();
    assert_eq!(removal.key, REMOVED);
    assert!(removal.changed_ms > newest);
    // Given again, every field is newer than the removal was.
    ledger::give(&tx, &child, NOW).unwrap();
    assert_eq!(names(&told()), ["a", "b"]);
    let again = told();
    assert!(
        again
            .iter()
            .filter(|field| field.entity == "dependent/a")
            .all(|field| field.changed_ms > removal.changed_ms)
    );
}

#[test]
fn the_ministry_learns_what_it_may_tell_others() {
    let tx = record();
    let version = || crate::record::meta_number(&tx, "profile_version").unwrap();
    ledger::give(&tx, &given(Purpose::Media), NOW).unwrap();
    assert_eq!(version(), 0, "nobody is registered");
    save(&tx, "traveler", &json!({"name": "王芳"}));
    let before = version();
    ledger::give(&tx, &by_guardian(Purpose::Family), NOW).unwrap();
    withdraw(&tx, Purpose::Media, "", NOW + 1).unwrap();
    assert_eq!(version(), before + 2);
    ledger::give(&tx, &given(Purpose::Whereabouts), NOW).unwrap();
    assert_eq!(version(), before + 2, "positions come by themselves");
    let fields = covered(&tx, fields::all(&tx).unwrap(), "phone").unwrap();
    let word = |purpose: &str| -> serde_json::Value {
        fields::entity(&fields, &format!("consent/{purpose}")).unwrap()
    };
    assert_eq!(word("family")["in_force"], true);
    assert_eq!(word("family")["guardian"]["name"], "王芳");
    assert_eq!(word("media")["in_force"], false);
    assert_eq!(word("media")["withdrawn_ms"], NOW + 1);
}

#[test]
fn positions_pass_by_place_and_time() {
    let crisis = Crisis {
        id: "quake".into(),
        latitude: 36.2,
        longitude: 36.16,
        radius_m: 50_000.0,
        since_ms: 1_000,
    };
    // One degree of latitude is 111.2 km on the mean sphere.
    let edge = 36.2 + 50.0 / 111.195;
    let cases = [
        (PositionGate::Always, 0.0, 0, true),
        (PositionGate::Never, 36.2, 2_000, false),
        (PositionGate::InCrisis, 36.2, 1_000, true),
        (PositionGate::InCrisis, 36.2, 999, false),
        (PositionGate::InCrisis, edge - 0.001, 2_000, true),
        (PositionGate::InCrisis, edge + 0.001, 2_000, false),
        (PositionGate::InCrisis, f64::NAN, 2_000, false),
    ];
    for (gate, latitude, time_ms, passes) in cases {
        let lets = gate.lets((latitude, 36.16), time_ms, std::slice::from_ref(&crisis));
        assert_eq!(lets, passes, "{gate:?} {latitude} {time_ms}");
    }
    // Across the 180th meridian, and circles that are none.
    let at = |longitude, radius_m| Crisis {
        longitude,
        radius_m,
        ..crisis.clone()
    };
    let passes = |crisis| PositionGate::InCrisis.lets((36.2, -179.95), 2_000, &[crisis]);
    assert!(passes(at(179.95, 50_000.0)));
    for radius_m in [0.0, -1.0, f64::NAN] {
        assert!(!passes(at(-179.95, radius_m)), "{radius_m}");
    }
    assert!(!PositionGate::InCrisis.lets((36.2, 36.16), 2_000, &[]));
}
