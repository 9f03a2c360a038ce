//! The scenarios of `tests/scenarios`, run through the Rust API. Kotlin and Swift
//! run the same files through theirs.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure ends the test it happens in"
)]

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use homeline::contacts::{Contact, Relation};
use homeline::registration::{Purpose, TravelDocument, Traveler, TravelerKind};
use homeline::sos::{ReportState, SosKind, SosRequest};
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, HomelineError, RecordState};
use homeline_tests::stage::{Network, Stage};
use homeline_tests::vault::LockableVault;
use serde::Deserialize;
use tempfile::TempDir;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TravelerJson {
    name: String,
    kind: String,
    school: Option<String>,
    employer: Option<String>,
    phone: Option<String>,
    document: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    Link {
        to: Network,
    },
    Open {
        record: String,
    },
    Register {
        traveler: TravelerJson,
        invalid: Option<String>,
        problem: Option<String>,
    },
    Traveler {
        name: Option<String>,
        phone: Option<String>,
        error: Option<String>,
    },
    AddContact {
        name: String,
        phone: String,
        relation: Relation,
    },
    Contacts {
        count: usize,
    },
    Consent {
        purpose: String,
        text_version: String,
    },
    RecordFix {
        latitude: f64,
        longitude: f64,
        accuracy_m: Option<f64>,
        invalid: Option<String>,
        problem: Option<String>,
    },
    Press {
        r#as: String,
        kind: SosKind,
        note: String,
        countdown_s: Option<u32>,
        same_as: Option<String>,
    },
    Status {
        of: String,
        state: Option<String>,
        attempts: Option<u32>,
        officer: Option<String>,
        known_at_ministry: Option<bool>,
        error: Option<String>,
    },
    Sync {
        stopped: String,
        waiting: Option<u32>,
        parked: Option<u32>,
    },
    ReopenFromDisk {
        record: String,
    },
    Reopen {
        record: String,
    },
    LockRecord,
    UnlockRecord,
    NetworkChanged,
    Cancel {
        of: String,
    },
    Desk {
        of: String,
        cases: usize,
        state: Option<String>,
        kind: Option<SosKind>,
        traveler: Option<String>,
        contacts: Option<usize>,
    },
    Acknowledge {
        of: String,
        officer: String,
        mission: String,
    },
}

struct Player<'a> {
    stage: &'a Stage,
    directory: TempDir,
    vault: Arc<LockableVault>,
    home: Option<Arc<Homeline>>,
    reports: HashMap<String, String>,
}

#[test]
fn every_scenario() {
    let data = tempfile::tempdir().unwrap();
    let stage = Stage::start(data.path()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 3);
    for file in files {
        let scenario: Scenario = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut player = Player {
            stage: &stage,
            vault: LockableVault::open(&directory.path().join("vault.key"), false).unwrap(),
            directory,
            home: None,
            reports: HashMap::new(),
        };
        for (number, step) in scenario.steps.into_iter().enumerate() {
            println!("{}: step {}", scenario.name, number + 1);
            player.play(step);
        }
    }
}

impl Player<'_> {
    fn home(&self) -> &Homeline {
        self.home.as_deref().expect("opened")
    }

    fn report(&self, name: &str) -> String {
        self.reports[name].clone()
    }

    fn open(&mut self, record: &str) {
        self.home = None;
        let config = self.stage.config(&self.directory.path().join("files"));
        let vault = Arc::<LockableVault>::clone(&self.vault);
        self.home = Some(Homeline::open(config, vault, None, None).unwrap());
        assert_eq!(record_name(self.home().state().unwrap().record), record);
    }

    fn play(&mut self, step: Step) {
        match step {
            Step::Link { to } => self.stage.network(to),
            Step::Open { record } | Step::ReopenFromDisk { record } => self.open(&record),
            Step::Reopen { record } => {
                assert_eq!(record_name(self.home().reopen().unwrap().record), record);
            }
            Step::LockRecord => self.vault.set_locked(true),
            Step::UnlockRecord => self.vault.set_locked(false),
            Step::NetworkChanged => self.home().network_changed().unwrap(),
            Step::Register {
                traveler,
                invalid,
                problem,
            } => check(
                self.home().registration().save(traveler.into()),
                invalid,
                problem,
            ),
            Step::Traveler { name, phone, error } => {
                let outcome = self.home().registration().traveler();
                if let Some(error) = error {
                    assert_eq!(error_name(&outcome.unwrap_err()), error);
                    return;
                }
                let traveler = outcome.unwrap().unwrap();
                assert_eq!(Some(traveler.name), name);
                assert_eq!(traveler.phone, phone);
            }
            Step::AddContact {
                name,
                phone,
                relation,
            } => {
                let contact = Contact {
                    name,
                    phone,
                    relation,
                    ..Contact::default()
                };
                self.home().contacts().add(contact).unwrap();
            }
            Step::Contacts { count } => {
                assert_eq!(self.home().contacts().list().unwrap().len(), count);
            }
            Step::Consent {
                purpose,
                text_version,
            } => {
                let purpose = match purpose.as_str() {
                    "register" => Purpose::Register,
                    "whereabouts" => Purpose::Whereabouts,
                    other => panic!("unknown purpose {other}"),
                };
                self.home().consents().give(purpose, text_version).unwrap();
            }
            Step::RecordFix {
                latitude,
                longitude,
                accuracy_m,
                invalid,
                problem,
            } => check(
                self.home().whereabouts().record(Fix {
                    accuracy_m,
                    ..Fix::new(
                        Position::Wgs84 {
                            latitude,
                            longitude,
                        },
                        now_ms(),
                        FixSource::Gnss,
                    )
                }),
                invalid,
                problem,
            ),
            Step::Press {
                r#as,
                kind,
                note,
                countdown_s,
                same_as,
            } => {
                let mut request = SosRequest::new(kind);
                request.note = note;
                request.countdown_s = countdown_s.unwrap_or(0);
                let report = self.home().sos().press(request).unwrap();
                if let Some(same) = same_as {
                    assert_eq!(report, self.report(&same));
                }
                self.reports.insert(r#as, report);
            }
            Step::Cancel { of } => self.home().sos().cancel(self.report(&of)).unwrap(),
            Step::Status {
                of,
                state,
                attempts,
                officer,
                known_at_ministry,
                error,
            } => {
                let outcome = self.home().sos().status(self.report(&of));
                if let Some(error) = error {
                    assert_eq!(error_name(&outcome.unwrap_err()), error);
                    return;
                }
                let status = outcome.unwrap();
                assert_eq!(Some(state_name(&status.state).to_owned()), state);
                if let Some(attempts) = attempts {
                    assert_eq!(status.attempts, attempts);
                }
                if let Some(expected) = officer {
                    assert!(matches!(&status.state,
                        ReportState::Acknowledged { officer, .. } if *officer == expected));
                }
                if let Some(known) = known_at_ministry {
                    assert!(matches!(&status.state,
                        ReportState::Cancelled { known_at_ministry_ms }
                            if known_at_ministry_ms.is_some() == known));
                }
            }
            Step::Sync {
                stopped,
                waiting,
                parked,
            } => {
                let outcome = self.home().sync(20_000).unwrap();
                assert_eq!(
                    snake(&format!("{:?}", outcome.stopped)),
                    stopped,
                    "{outcome:?}"
                );
                assert_eq!(outcome.waiting, waiting.unwrap_or(outcome.waiting));
                assert_eq!(outcome.parked, parked.unwrap_or(outcome.parked));
            }
            Step::Desk {
                of,
                cases,
                state,
                kind,
                traveler,
                contacts,
            } => {
                let report = self.report(&of);
                let found: Vec<_> = self
                    .stage
                    .ministry
                    .cases()
                    .unwrap()
                    .into_iter()
                    .filter(|case| case.report.to_string() == report)
                    .collect();
                assert_eq!(found.len(), cases);
                for case in found {
                    let at_desk = serde_json::to_value(case.state).unwrap();
                    assert_eq!(at_desk.as_str(), state.as_deref());
                    assert_eq!(case.kind, kind);
                    if let Some(name) = &traveler {
                        assert_eq!(&case.traveler.as_ref().unwrap().name, name);
                    }
                    if let Some(contacts) = contacts {
                        assert_eq!(case.contacts.len(), contacts);
                    }
                }
            }
            Step::Acknowledge {
                of,
                officer,
                mission,
            } => {
                let report = self.report(&of);
                let cases = self.stage.ministry.cases().unwrap();
                let case = cases
                    .iter()
                    .find(|case| case.report.to_string() == report)
                    .unwrap();
                let taken = self
                    .stage
                    .ministry
                    .acknowledge(&case.id, &officer, &mission);
                assert!(taken.unwrap().is_some());
            }
        }
    }
}

impl From<TravelerJson> for Traveler {
    fn from(json: TravelerJson) -> Self {
        Self {
            name: json.name,
            kind: match json.kind.as_str() {
                "short_trip" => TravelerKind::ShortTrip,
                "long_stay" => TravelerKind::LongStay,
                "student" => TravelerKind::Student {
                    school: json.school.unwrap(),
                    programme: None,
                    guardian: None,
                },
                "posted_worker" => TravelerKind::PostedWorker {
                    employer: json.employer.unwrap(),
                    project: None,
                    liaison: None,
                },
                "crew" => TravelerKind::Crew { vessel: None },
                other => panic!("unknown kind {other}"),
            },
            phone: json.phone,
            documents: json
                .document
                .map(|number| TravelDocument {
                    number,
                    ..TravelDocument::default()
                })
                .into_iter()
                .collect(),
            ..Self::default()
        }
    }
}

fn check(outcome: homeline::Result<()>, invalid: Option<String>, problem: Option<String>) {
    match (outcome, invalid) {
        (Ok(()), None) => {}
        (
            Err(HomelineError::Invalid {
                field,
                problem: found,
                ..
            }),
            Some(expected),
        ) => {
            assert_eq!(field, expected);
            assert_eq!(Some(snake(&format!("{found:?}"))), problem);
        }
        (outcome, expected) => panic!("{outcome:?}, expected {expected:?}"),
    }
}

fn now_ms() -> i64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn record_name(state: RecordState) -> &'static str {
    match state {
        RecordState::Open => "open",
        RecordState::Locked => "locked",
        RecordState::KeyLost => "key_lost",
        RecordState::UpdateNeeded { .. } => "update_needed",
        RecordState::Unavailable { .. } => "unavailable",
        RecordState::Closed => "closed",
    }
}

fn state_name(state: &ReportState) -> &'static str {
    match state {
        ReportState::Countdown { .. } => "countdown",
        ReportState::Stored => "stored",
        ReportState::Handed { .. } => "handed",
        ReportState::Received { .. } => "received",
        ReportState::Acknowledged { .. } => "acknowledged",
        ReportState::Closed { .. } => "closed",
        ReportState::Cancelled { .. } => "cancelled",
        ReportState::Parked { .. } => "parked",
    }
}

fn error_name(error: &HomelineError) -> &'static str {
    match error {
        HomelineError::Locked => "locked",
        HomelineError::NotFound { .. } => "not_found",
        other => panic!("{other}"),
    }
}

/// `NotTheMinistry` → `not_the_ministry`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}
