//! The scenarios of `tests/scenarios`, run through the Rust API. Kotlin and Swift
//! run the same files through theirs.
//!
//! | file | verbs |
//! | --- | --- |
//! | `flow` | the network, the phones, open, lock, sync, export, erase |
//! | `person`, `record` | who: traveler, dependents, contacts, consents, medical card |
//! | `trips` | where they should be, and what to look after |
//! | `groups`, `phones` | texts from phone to phone |
//! | `papers` | zones of documents |
//! | `whereabouts` | where they are |
//! | `sos`, `desk` | a press, and what the ministry has |
//! | `channels`, `relay` | single packets, text messages, other phones, what to try next |
//! | `attachments` | files that follow a report |
//! | `abroad`, `alerts` | what the ministry publishes: who helps, how dangerous it is |

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure ends the test it happens in"
)]

mod abroad;
mod alerts;
mod attachments;
mod channels;
mod desk;
mod flow;
mod groups;
mod papers;
mod person;
mod phones;
mod player;
mod record;
mod relay;
mod sos;
mod trips;
mod whereabouts;

use std::fmt::Debug;
use std::path::Path;

use homeline::HomelineError;
use homeline_tests::stage::Stage;
use player::{Player, snake};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    steps: Vec<Map<String, Value>>,
}

/// A step by its verb: what it reads from the scenario, and what it does.
macro_rules! verbs {
    ($($module:ident: $($verb:ident),+;)+) => {
        #[derive(Deserialize)]
        #[serde(tag = "do", rename_all = "snake_case")]
        enum Step {
            $($($verb($module::$verb),)+)+
        }

        impl Step {
            fn play(self, player: &mut Player<'_>) -> homeline::Result<()> {
                match self {
                    $($(Self::$verb(step) => step.play(player),)+)+
                }
            }
        }
    };
}

verbs! {
    flow: Link, Phone, Wait, Open, ReopenFromDisk, Reopen, LockRecord, UnlockRecord,
        NetworkChanged, Sync, Export, Erase, EraseRequest;
    record: Register, Traveler, AddDependent, Dependents, AddContact, MoveContact, Contacts,
        Consent, Withdraw, ConsentState, SaveMedicalCard, MedicalCard;
    trips: AddTrip, CurrentStay, Reminders;
    groups: CreateGroup, Invite, Invitation, Join, Leave, Alter, AddText, AddByHand, Members,
        Groups, CloseGroup;
    phones: LinkCode, LinkPhone, LinkState, Phones, Merged, DismissMerged;
    papers: ReadMrz, ScanMrz;
    whereabouts: Mode, SetMode, RecordFix, NoteGap, LastFix, Track, PositionIn;
    sos: Press, Cancel, Status, Reports, Parked, TryAgain;
    channels: SendDatagram, SmsPlan, SmsResult, DeliverSms, SmsReceived, NextSteps;
    relay: RelayExport, RelayImport, RelayExportQr, RelayImportQr, RelayStatus;
    attachments: Attach, Attachments, LinkCost, SendOver, RemoveAttachment;
    abroad: Publish, Packs, AddPack, Locate, HelpAt, SearchGuides, ListGuides, ReadGuide;
    alerts: AlertsAt, AlertsIn, AlertsOfTrips, AllAlerts, Arrival, ArrivalShown, Plan, PlanShown,
        MarkRead;
    desk: Desk, DeskGroup, DeskAttachment, Acknowledge;
}

/// How a step ends.
enum Ending {
    Well,
    Invalid { field: String, problem: String },
    Error(String),
}

impl Ending {
    /// Takes out of the step what says how it ends.
    fn of(step: &mut Map<String, Value>) -> Self {
        let mut text = |key: &str| step.remove(key)?.as_str().map(str::to_owned);
        match (text("invalid"), text("problem"), text("error")) {
            (None, None, None) => Self::Well,
            (Some(field), Some(problem), None) => Self::Invalid { field, problem },
            (None, None, Some(error)) => Self::Error(error),
            other => panic!("an ending of its own: {other:?}"),
        }
    }

    fn check(self, outcome: homeline::Result<()>) {
        match (self, outcome) {
            (Self::Well, Ok(())) => {}
            (
                Self::Invalid { field, problem },
                Err(HomelineError::Invalid {
                    field: named,
                    problem: what,
                    ..
                }),
            ) => assert_eq!((named, snake(&what)), (field, problem)),
            (Self::Error(name), Err(error)) => assert_eq!(snake(&error), name),
            (Self::Well, Err(error)) => panic!("{error}"),
            (_, outcome) => panic!("{outcome:?}"),
        }
    }
}

#[test]
fn every_scenario() {
    let data = tempfile::tempdir().unwrap();
    let stage = Stage::with_channels(data.path()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 17);
    for file in files {
        let scenario: Scenario = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let mut player = Player::new(&stage);
        for (number, mut step) in scenario.steps.into_iter().enumerate() {
            println!("{}: step {}", scenario.name, number + 1);
            let ending = Ending::of(&mut step);
            let step: Step = serde_json::from_value(step.into()).unwrap();
            ending.check(step.play(&mut player));
        }
    }
}

/// Fails where the scenario says something else; what it does not say is free.
#[track_caller]
fn expect<T: PartialEq + Debug>(actual: T, said: Option<T>) {
    if let Some(said) = said {
        assert_eq!(actual, said);
    }
}
