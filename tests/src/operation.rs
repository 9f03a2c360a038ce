//! Everything that writes, one call each, for the tests of a bad disk: what is
//! done, and all that is held after it.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use homeline::health::WakeCause;
use homeline::registration::groups::{GroupDetails, GroupKind};
use homeline::registration::{
    Agreement, AgreementWay, Capacity, Dependent, MedicalCard, Purpose, Stay, Traveler,
    TravelerKind, Trip,
};
use homeline::sos::AttachmentInfo;
use homeline::whereabouts::Fix;
use homeline::{Homeline, HomelineError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::traveler::numbered;
use crate::vault::LockableVault;

/// A call that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the call of that name")]
pub enum Operation {
    SaveTraveler,
    AddContact,
    AddDependent,
    SaveTrip,
    SaveMedicalCard,
    GiveConsent,
    RecordFixes,
    CreateGroup,
    AddMember,
    Attach,
    Sync,
    ExportToFile,
    ChangeVault,
    RotateKey,
    Erase,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::SaveTraveler,
        Self::AddContact,
        Self::AddDependent,
        Self::SaveTrip,
        Self::SaveMedicalCard,
        Self::GiveConsent,
        Self::RecordFixes,
        Self::CreateGroup,
        Self::AddMember,
        Self::Attach,
        Self::Sync,
        Self::ExportToFile,
        Self::ChangeVault,
        Self::RotateKey,
        Self::Erase,
    ];
}

/// Does it. Another `number` makes it something else; `directory` is the phone's.
pub(crate) fn operate(
    home: &Homeline,
    directory: &Path,
    what: Operation,
    number: u32,
) -> homeline::Result<String> {
    // More than a page, so that no space inside a file is enough for ever.
    let words = format!("{number} {}", "字".repeat(150));
    match what {
        Operation::SaveTraveler => home.registration().save(person(&words))?,
        Operation::AddContact => {
            home.contacts().add(numbered(number).0)?;
        }
        Operation::AddDependent => {
            home.dependents().save(Dependent {
                person: person(&words),
                capacity: Capacity::Neighbour,
                agreed: Agreement {
                    way: AgreementWay::InPerson,
                    date: "2026-01-01".into(),
                },
                id: None,
            })?;
        }
        Operation::SaveTrip => {
            home.trips().save(Trip {
                title: Some(words),
                departs: "2026-05-01".into(),
                returns: None,
                stays: vec![Stay {
                    country: "TR".into(),
                    place: "Kavrun".into(),
                    from: "2026-05-02".into(),
                    to: "2026-05-09".into(),
                    ..Stay::default()
                }],
            })?;
        }
        Operation::SaveMedicalCard => home.registration().save_medical_card(MedicalCard {
            notes: Some(words),
            ..MedicalCard::default()
        })?,
        Operation::GiveConsent => home
            .consents()
            .give(Purpose::Media, format!("text {number}"))?,
        Operation::RecordFixes => {
            home.whereabouts().record_all(walk(number))?;
        }
        Operation::CreateGroup => {
            home.groups().create(group(number))?;
        }
        Operation::AddMember => {
            let led = home.groups().list()?.pop().map(|one| one.id);
            let led = led.map_or_else(|| home.groups().create(group(0)), Ok)?;
            home.groups().add_by_hand(led, person(&words))?;
        }
        Operation::Attach => {
            let report = home.sos().reports()?.into_iter().next();
            let report = report.ok_or(HomelineError::NotFound {
                what: "report".into(),
            })?;
            let info = AttachmentInfo {
                media_type: "image/jpeg".into(),
                name: None,
                send_over: None,
            };
            let bytes = words.into_bytes().repeat(20);
            home.attachments()
                .attach_bytes(report.report, bytes, info)?;
        }
        Operation::Sync => {
            home.network_changed()?;
            home.woke(WakeCause::Foreground, None)?;
            return Ok(format!("{:?}", home.sync(10_000)?.stopped));
        }
        Operation::ExportToFile => {
            home.export_to(directory.join("export.json").to_string_lossy().into_owned())?;
        }
        Operation::ChangeVault => {
            let vault = LockableVault::open(&directory.join("new.key"), false)?;
            home.change_vault(vault)?;
        }
        Operation::RotateKey => {
            home.rotate_key()?;
        }
        Operation::Erase => {
            home.erase()?;
        }
    }
    Ok(String::new())
}

/// All that the phone holds of the traveler, as JSON: an export without what
/// changes by itself, which are the time and the way of what was sent. Of the reports
/// it has what is attached to them.
pub(crate) fn held(home: &Homeline) -> homeline::Result<String> {
    let export = home.export()?;
    let mut whole: Value =
        serde_json::from_str(&export.json).map_err(|_| HomelineError::NotFound {
            what: "export".into(),
        })?;
    let attached: Vec<Value> = whole
        .pointer("/reports")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|report| report.pointer("/attachments")?.as_array())
        .flatten()
        .filter_map(|attachment| attachment.get("id").cloned())
        .collect();
    if let Some(members) = whole.as_object_mut() {
        members.retain(|name, _| !["made_ms", "reports", "sent", "other"].contains(&name.as_str()));
        members.insert("attached".into(), attached.into());
    }
    let led = whole
        .pointer_mut("/groups/led")
        .and_then(Value::as_array_mut);
    for group in led.into_iter().flatten().filter_map(Value::as_object_mut) {
        group.remove("sent");
    }
    Ok(whole.to_string())
}

/// Two hundred steps, of the last two days: nothing that is too old to be kept.
fn walk(number: u32) -> Vec<Fix> {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now_ms = i64::try_from(since_1970.as_millis()).unwrap_or(0);
    (0..200)
        .map(|step| {
            let at = number * 200 + step;
            let time_ms = now_ms - 2 * 86_400_000 + i64::from(at) * 10_000;
            Fix {
                time_ms,
                ..numbered(at).1
            }
        })
        .collect()
}

fn person(words: &str) -> Traveler {
    Traveler {
        name: words.chars().take(60).collect(),
        kind: TravelerKind::ShortTrip,
        phone: Some("+8613900139000".into()),
        ..Traveler::default()
    }
}

fn group(number: u32) -> GroupDetails {
    GroupDetails {
        name: format!("团 {number}"),
        kind: GroupKind::Tour,
        agency: None,
        first_day: None,
        last_day: None,
    }
}
