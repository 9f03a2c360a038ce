//! Everything about the traveler in one call: complete, of the form that its
//! schema says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::path::Path;
use std::sync::Arc;

use homeline::contacts::{Contact, Relation};
use homeline::registration::{ConsentGiven, Guardian, Purpose, Traveler, TravelerKind};

use homeline::sos::{AttachmentInfo, SosKind, SosRequest};
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, HomelineError};
use homeline_tests::scene::Scene;
use serde_json::Value;

fn fix(number: i64) -> Fix {
    let offset: f64 = f64::from(i32::try_from(number % 1_000).unwrap()) / 1_000.0;
    Fix {
        accuracy_m: (number % 2 == 0).then_some(12.5),
        ..Fix::new(
            Position::Gcj02 {
                latitude: 39.9 + offset,
                longitude: 116.4,
            },
            1_790_000_000_000 + number * 1_000,
            FixSource::Fused,
        )
    }
}

/// A traveler with something of everything.
fn filled(scene: &Scene) -> Arc<Homeline> {
    let home = scene.open().unwrap();
    let traveler = Traveler {
        name: "李伟\u{200e}".into(),
        kind: TravelerKind::Student {
            school: "Universität \"Zürich\"".into(),
            programme: None,
            guardian: None,
        },
        phone: Some("+8613912345678".into()),
        ..Traveler::default()
    };
    home.registration().save(traveler).unwrap();
    for name in ["王芳", "away"] {
        let contact = Contact {
            name: name.into(),
            phone: "12308".into(),
            relation: Relation::Parent,
            ..Contact::default()
        };
        home.contacts().add(contact).unwrap();
    }
    let away = home.contacts().list().unwrap().pop().unwrap();
    home.contacts().remove(away.id).unwrap();
    let given = ConsentGiven {
        purpose: Purpose::Register,
        text_version: "2026-01".into(),
        language: "zh-Hans".into(),
        guardian: Some(Guardian {
            name: "王芳".into(),
            relation: "mother".into(),
        }),
        subject: None,
    };
    home.consents().give_as(given).unwrap();
    home.consents()
        .give(Purpose::Media, "2026-01".into())
        .unwrap();
    home.consents().withdraw(Purpose::Media).unwrap();
    home.whereabouts()
        .record_all((0..3).map(fix).collect())
        .unwrap();
    let mut request = SosRequest::new(SosKind::Medical);
    request.note = "line\nbreak".into();
    let report = home.sos().press(request).unwrap();
    let info = AttachmentInfo {
        media_type: "audio/mp4".into(),
        name: Some("voice".into()),
        send_over: None,
    };
    let attachments = home.attachments();
    attachments
        .attach_bytes(report, vec![7; 3_000], info)
        .unwrap();
    home.sync(20_000).unwrap();
    home
}

/// What the schema says against an export, in words.
fn against_schema(export: &Value) -> Result<(), String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/export/schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("export.json", schema).unwrap();
    let index = compiler.compile("export.json", &mut schemas).unwrap();
    schemas
        .validate(export, index)
        .map_err(|error| error.to_string())
}

#[test]
fn an_export_holds_everything_in_the_form_of_its_schema() {
    let scene = Scene::new().unwrap();
    let home = filled(&scene);
    let export = home.export().unwrap();
    let json: Value = serde_json::from_str(&export.json).unwrap();
    assert_eq!(against_schema(&json), Ok(()));

    let entities = &json["registration"]["entities"];
    assert_eq!(entities["traveler"][0]["values"]["name"], "李伟\u{200e}");
    assert_eq!(entities["contact"].as_array().unwrap().len(), 1);
    assert_eq!(entities["contact"][0]["values"]["name"], "王芳");
    assert_eq!(
        json["consents"]["in_force"],
        serde_json::json!(["register"])
    );
    let given = &json["consents"]["given"];
    assert_eq!(given[0]["guardian"]["relation"], "mother");
    assert_eq!(given[0]["language"], "zh-Hans");
    assert!(given[1]["withdrawn_ms"].is_i64());
    let attached = &json["reports"][0]["attachments"];
    assert_eq!(attached.as_array().unwrap().len(), 1);
    assert_eq!(attached[0]["media_type"], "audio/mp4");
    assert_eq!(
        (&attached[0]["name"], &attached[0]["bytes"]),
        (&"voice".into(), &3_000.into())
    );
    assert_eq!(attached[0]["state"], "received");
    assert_eq!(json["positions"]["count"], 3);
    assert_eq!(
        json["positions"]["rows"][2],
        serde_json::json!([
            116.4,
            39.902,
            1_790_000_002_000_i64,
            12.5,
            "gcj02",
            "fused",
            1_790_000_002_000_i64,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            []
        ])
    );
    let report = &json["reports"][0];
    assert_eq!(report["state"], "received");
    assert_eq!(report["content"]["note"], "line\nbreak");
    assert!(report["events"].to_string().contains("signed"));
    for role in ["report", "standing", "registration"] {
        assert_eq!(json["sent"][role]["delivered"], 1, "{role}");
    }

    for line in [
        "contact: 王芳",
        "Register: text 2026-01",
        "by 王芳 (mother), in force",
        "3 recorded",
        "received, line break",
        "registration: 1 delivered, 0 waiting, 0 refused",
    ] {
        assert!(
            export.summary.contains(line),
            "{line} in {}",
            export.summary
        );
    }
    assert!(!format!("{export:?}").contains("王芳"));
}

#[test]
fn the_schema_refuses_what_is_not_an_export() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let empty: Value = serde_json::from_str(&home.export().unwrap().json).unwrap();
    assert_eq!(against_schema(&empty), Ok(()));
    for (at, value) in [
        ("/$schema", Value::from("urn:homeline:export:2")),
        ("/made_ms", Value::from("today")),
        ("/registration", Value::Null),
        ("/consents/in_force", serde_json::json!(["marketing"])),
        (
            "/positions/rows",
            serde_json::json!([[200.0, 0, 0, null, "wgs84", "gnss"]]),
        ),
        ("/reports", serde_json::json!([{"id": "x"}])),
    ] {
        let mut changed = empty.clone();
        *changed.pointer_mut(at).unwrap() = value;
        assert!(against_schema(&changed).is_err(), "{at}");
    }
}

#[test]
fn who_was_removed_and_registered_again_is_in_it() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let travelers = || -> Value {
        let export: Value = serde_json::from_str(&home.export().unwrap().json).unwrap();
        export["registration"]["entities"]["traveler"].clone()
    };
    for name in ["before", "after"] {
        let traveler = Traveler {
            name: name.into(),
            ..Traveler::default()
        };
        home.registration().save(traveler).unwrap();
        assert_eq!(travelers()[0]["values"]["name"], name);
        if name == "before" {
            home.registration().remove().unwrap();
            assert_eq!(travelers(), Value::Null);
        }
    }
}

#[test]
fn a_locked_record_is_not_exported() {
    let scene = Scene::new().unwrap();
    drop(filled(&scene));
    scene.vault.set_locked(true);
    let home = scene.open().unwrap();
    assert_eq!(home.export(), Err(HomelineError::Locked));
    let path = scene.base.path().join("out.json");
    let to = home.export_to(path.to_string_lossy().into_owned());
    assert_eq!(to, Err(HomelineError::Locked));
    assert!(!path.exists() && !scene.base.path().join("out.json.partial").exists());
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_and_leaves_none() {
    let scene = Scene::new().unwrap();
    let home = filled(&scene);
    let nowhere = scene.base.path().join("no/such/folder.json");
    let to = home.export_to(nowhere.to_string_lossy().into_owned());
    assert!(matches!(to, Err(HomelineError::Storage { .. })), "{to:?}");
}
