//! A thief finds nothing: after a whole session no file of the phone holds what
//! the traveler said or where, in no usual encoding; nor do output and errors.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use homeline::contacts::{Contact, Relation};
use homeline::registration::{Purpose, TravelDocument, Traveler, TravelerKind};
use homeline::sos::{SosKind, SosRequest};
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, HomelineError};
use homeline_tests::stage::{Network, Stage};
use homeline_tests::vault::LockableVault;

const NAME: &str = "Xiomara Quetzalcoatl";
const PHONE: &str = "+8613912345678";
const SCHOOL: &str = "Collegium Hermeticum";
const DOCUMENT: &str = "ZQ7391846";
const CONTACT: &str = "司马相如先生";
const CONTACT_PHONE: &str = "+905329876543";
const NOTE: &str = "broken ankle under the waterfall";
const OFFICER: &str = "Officer Wachtmeister";
const LATITUDE: f64 = 40.874_715_3;
const LONGITUDE: f64 = 41.139_284_7;

/// What must not be found, in the forms in which files could hold it.
fn needles() -> Vec<(String, Vec<u8>)> {
    let mut needles = Vec::new();
    for text in [
        NAME,
        PHONE,
        SCHOOL,
        DOCUMENT,
        CONTACT,
        CONTACT_PHONE,
        NOTE,
        OFFICER,
        "40.8747",
        "41.1392",
    ] {
        let utf16: Vec<u16> = text.encode_utf16().collect();
        needles.push((text.to_owned(), text.as_bytes().to_vec()));
        needles.push((
            format!("{text} (UTF-16)"),
            utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        ));
        needles.push((
            format!("{text} (hex)"),
            homeline::seal::hex(text.as_bytes()).into_bytes(),
        ));
        // As JSON would escape it.
        let json = serde_json::to_string(text).unwrap();
        needles.push((format!("{text} (JSON)"), json.trim_matches('"').into()));
    }
    for degrees in [LATITUDE, LONGITUDE] {
        needles.push((
            format!("{degrees} (f64)"),
            degrees.to_be_bytes()[..6].to_vec(),
        ));
        needles.push((
            format!("{degrees} (f64)"),
            degrees.to_le_bytes()[2..].to_vec(),
        ));
    }
    needles
}

/// Every file below `directory` that holds a needle.
fn found(directory: &Path) -> Vec<String> {
    let needles = needles();
    let mut out = Vec::new();
    let mut folders = vec![directory.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            for (name, needle) in &needles {
                if bytes.windows(needle.len()).any(|window| window == needle) {
                    out.push(format!("{name} in {}", path.display()));
                }
            }
        }
    }
    out
}

fn fix() -> Fix {
    Fix {
        accuracy_m: Some(12.0),
        ..Fix::new(
            Position::Wgs84 {
                latitude: LATITUDE,
                longitude: LONGITUDE,
            },
            1_790_000_000_000,
            FixSource::Gnss,
        )
    }
}

fn traveler() -> Traveler {
    Traveler {
        name: NAME.into(),
        kind: TravelerKind::Student {
            school: SCHOOL.into(),
            programme: None,
            guardian: None,
        },
        phone: Some(PHONE.into()),
        documents: vec![TravelDocument {
            number: DOCUMENT.into(),
            ..TravelDocument::default()
        }],
        ..Traveler::default()
    }
}

fn contact() -> Contact {
    Contact {
        name: CONTACT.into(),
        phone: CONTACT_PHONE.into(),
        relation: Relation::Parent,
        ..Contact::default()
    }
}

fn request() -> SosRequest {
    let mut request = SosRequest::new(SosKind::Medical);
    request.note = NOTE.into();
    request.fix = Some(fix());
    request
}

#[test]
fn the_search_finds_what_lies_in_clear() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a"), format!("..{NOTE}..")).unwrap();
    fs::write(directory.path().join("b"), LATITUDE.to_be_bytes()).unwrap();
    assert_eq!(found(directory.path()).len(), 3);
}

#[test]
fn no_file_holds_anything_after_a_session() {
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let phone = base.path().join("phone");
    let vault = LockableVault::open(&base.path().join("vault/key"), false).unwrap();
    let open = || {
        let vault = Arc::<LockableVault>::clone(&vault);
        Homeline::open(stage.config(&phone), vault, None, None).unwrap()
    };
    let home = open();
    home.registration().save(traveler()).unwrap();
    home.contacts().add(contact()).unwrap();
    for purpose in [Purpose::Register, Purpose::Whereabouts] {
        home.consents().give(purpose, "2026-01".into()).unwrap();
    }
    home.whereabouts().record(fix()).unwrap();
    home.sync(20_000).unwrap();
    stage.network(Network::Down);
    let report = home.sos().press(request()).unwrap();
    home.sync(20_000).unwrap();
    // While everything is open and waits: logs of SQLite included.
    assert_eq!(found(&phone), Vec::<String>::new());
    drop(home);
    assert_eq!(found(&phone), Vec::<String>::new());

    vault.set_locked(true);
    let home = open();
    home.sos().press(request()).unwrap();
    assert_eq!(found(&phone), Vec::<String>::new());
    vault.set_locked(false);
    home.reopen().unwrap();
    stage.network(Network::Up);
    home.network_changed().unwrap();
    home.sync(20_000).unwrap();
    for case in stage.ministry.cases().unwrap() {
        let taken = stage.ministry.acknowledge(&case.id, OFFICER, NAME);
        assert!(taken.unwrap().is_some());
    }
    home.sync(20_000).unwrap();
    let status = home.sos().status(report).unwrap();
    assert!(homeline_tests::words::state(&status.state).contains(OFFICER));
    assert_eq!(found(&phone), Vec::<String>::new());
    // `Debug` shows nothing of it either.
    let shown = format!(
        "{status:?} {:?} {:?}",
        home.sos().reports(),
        home.contacts().list()
    );
    for (name, needle) in needles() {
        let hidden = !shown
            .as_bytes()
            .windows(needle.len())
            .any(|window| window == needle);
        assert!(hidden, "{name} in Debug");
    }
}

#[test]
fn errors_name_the_field_and_not_its_content() {
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let vault = LockableVault::open(&base.path().join("vault/key"), false).unwrap();
    let home = Homeline::open(stage.config(&base.path().join("phone")), vault, None, None).unwrap();
    let bad = [
        home.registration().save(Traveler {
            phone: Some(format!("{PHONE}x")),
            ..traveler()
        }),
        home.registration().save(Traveler {
            name: format!("{NAME}\0"),
            ..traveler()
        }),
        home.contacts()
            .add(Contact {
                phone: format!("{CONTACT_PHONE}0000000"),
                ..contact()
            })
            .map(|_| ()),
        home.whereabouts().record(Fix {
            position: Position::Wgs84 {
                latitude: 91.0 + LATITUDE,
                longitude: LONGITUDE,
            },
            ..fix()
        }),
        home.sos().cancel(NOTE.into()),
    ];
    for outcome in bad {
        let error: HomelineError = outcome.unwrap_err();
        let shown = format!("{error} {error:?}");
        for (name, needle) in needles() {
            let hidden = !shown
                .as_bytes()
                .windows(needle.len())
                .any(|window| window == needle);
            assert!(hidden, "{name} in {shown}");
        }
    }
}

#[test]
fn a_session_prints_nothing_by_itself() {
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let ask = |ask: &homeline_tests::traveler::Ask| serde_json::to_string(ask).unwrap();
    use homeline_tests::traveler::Ask;
    let script = [
        ask(&Ask::Open {
            values: stage.values().clone(),
            directory: base.path().join("phone"),
            locked: false,
        }),
        ask(&Ask::Register {
            traveler: traveler(),
            contacts: vec![contact()],
        }),
        ask(&Ask::Record { fixes: vec![fix()] }),
        ask(&Ask::Press {
            kind: SosKind::Medical,
            note: NOTE.into(),
        }),
        ask(&Ask::Sync),
    ]
    .join("\n");
    fs::create_dir_all(base.path().join("phone")).unwrap();
    let input = base.path().join("script");
    fs::write(&input, script).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_traveler"))
        .env("RUST_LOG", "trace")
        .stdin(Stdio::from(fs::File::open(&input).unwrap()))
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), 5, "the answers and nothing else");
    for (name, needle) in needles() {
        let hidden = !lines
            .as_bytes()
            .windows(needle.len())
            .any(|window| window == needle);
        assert!(hidden, "{name} in the output");
    }
}
