//! The rows of the consent ledger, and which of them are in force.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;

use super::birth::Birth;
use super::consent::{Consent, ConsentGiven, Guardian, Purpose};
use super::fields::Field;
use super::{Date, TRAVELER, changed, fields, medical};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::record::set_meta_number;
use crate::whereabouts::skip_recorded;

/// The kind of the entities that tell the ministry of consents.
pub(super) const CONSENT: &str = "consent";

const COLUMNS: &str = "purpose, subject, text_version, language, guardian, guardian_relation, \
                       given_ms, withdrawn_ms";

/// The traveler's own consents in force, each with the version of its text.
pub(crate) fn all_in_force(tx: &Connection) -> Result<Vec<(Purpose, String)>> {
    let mut out = Vec::new();
    for consent in list(tx)? {
        let own = consent.subject.is_none() && consent.withdrawn_ms.is_none();
        if own && in_force(tx, consent.purpose)? {
            out.push((consent.purpose, consent.text_version));
        }
    }
    Ok(out)
}

/// Whether the traveler's own consent is in force.
pub(crate) fn in_force(tx: &Connection, purpose: Purpose) -> Result<bool> {
    in_force_for(tx, purpose, "")
}

/// Whether a consent for `subject` (a dependent; '' the traveler) is in force:
/// given, not taken back, and given by somebody who could. A child's own is not.
pub(crate) fn in_force_for(tx: &Connection, purpose: Purpose, subject: &str) -> Result<bool> {
    let row: Option<(String, i64)> = tx
        .prepare_cached(
            "SELECT guardian, given_ms FROM consent_given
             WHERE purpose = ?1 AND subject = ?2 AND withdrawn_ms IS NULL",
        )?
        .query_row(params![number(purpose), subject], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(match row {
        None => false,
        Some((guardian, given_ms)) => !guardian.is_empty() || !is_child(tx, subject, given_ms)?,
    })
}

/// Whether the consent for a dependent was taken back and not given again. A
/// traveler who registers others consents for them, until it is taken back.
pub(super) fn is_withdrawn(tx: &Connection, purpose: Purpose, subject: &str) -> Result<bool> {
    let last: Option<Option<i64>> = tx
        .query_row(
            "SELECT withdrawn_ms FROM consent_given
             WHERE purpose = ?1 AND subject = ?2 ORDER BY id DESC LIMIT 1",
            params![number(purpose), subject],
            |row| row.get(0),
        )
        .optional()?;
    Ok(last.flatten().is_some())
}

/// Writes a consent down; one for the same purpose and person is closed.
pub(super) fn give(tx: &Connection, given: &ConsentGiven, now_ms: i64) -> Result<()> {
    let subject = given.subject.as_deref().unwrap_or_default();
    if !subject.is_empty() && !fields::exists(tx, &entity(subject))? {
        return Err(HomelineError::not_found("dependent"));
    }
    if given.guardian.is_none() && is_child(tx, subject, now_ms)? {
        return Err(HomelineError::invalid(
            "consent.guardian",
            Problem::Empty,
            "the guardian of a child under 14 gives the consent",
        ));
    }
    if subject.is_empty() {
        begin(tx, given.purpose)?;
    } else if is_withdrawn(tx, given.purpose, subject)? {
        again(tx, subject)?;
    }
    withdraw(tx, given.purpose, subject, now_ms)?;
    let guardian = given.guardian.as_ref();
    tx.execute(
        "INSERT INTO consent_given (purpose, subject, text_version, language, guardian,
                                    guardian_relation, given_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            number(given.purpose),
            subject,
            given.text_version,
            given.language,
            guardian.map_or("", |guardian| &guardian.name),
            guardian.map_or("", |guardian| &guardian.relation),
            now_ms
        ],
    )?;
    tell(tx, given.purpose)
}

/// What begins with a consent that was not in force: it covers nothing before.
fn begin(tx: &Connection, purpose: Purpose) -> Result<()> {
    let whereabouts = in_force(tx, Purpose::Whereabouts)?;
    let in_crisis = in_force(tx, Purpose::WhereaboutsInCrisis)?;
    match purpose {
        Purpose::Whereabouts if !whereabouts => skip_recorded(tx),
        Purpose::WhereaboutsInCrisis if !whereabouts && !in_crisis => skip_recorded(tx),
        // The withdrawal deleted what waited. What has arrived keeps its id, so
        // it is not sent twice.
        Purpose::Register if !in_force(tx, purpose)? => set_meta_number(tx, "profile_sent", 0),
        _ => Ok(()),
    }
}

/// A dependent who was told as removed is told again: its fields become newer
/// than the removal, see `gate::covered`.
fn again(tx: &Connection, subject: &str) -> Result<()> {
    tx.execute(
        "UPDATE field SET changed_ms = 2 + (SELECT max(changed_ms) FROM field AS other
                                            WHERE other.entity = field.entity)
         WHERE entity = ?1",
        [entity(subject)],
    )?;
    changed(tx)
}

/// Closes what is in force; whether anything was.
pub(super) fn withdraw(
    tx: &Connection,
    purpose: Purpose,
    subject: &str,
    now_ms: i64,
) -> Result<bool> {
    let closed = tx.execute(
        // A clock that went back does not make a consent end before it began.
        "UPDATE consent_given SET withdrawn_ms = max(given_ms, ?3)
         WHERE purpose = ?1 AND subject = ?2 AND withdrawn_ms IS NULL",
        params![number(purpose), subject, now_ms],
    )?;
    Ok(closed > 0)
}

/// Every row, the oldest first.
pub(crate) fn list(tx: &Connection) -> Result<Vec<Consent>> {
    let mut statement = tx.prepare(&format!("SELECT {COLUMNS} FROM consent_given ORDER BY id"))?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The last word on each purpose and person, as fields of the registration: the
/// ministry must know what it may tell the family, the school or the media.
/// The entity is `consent/<purpose>`, with `.<id>` behind it for a dependent.
pub(super) fn told(tx: &Connection, device: &str) -> Result<Vec<Field>> {
    let mut last = BTreeMap::new();
    for consent in list(tx)? {
        let purpose = serde_json::to_value(consent.purpose).unwrap_or_default();
        let purpose = purpose.as_str().unwrap_or_default();
        let entity = match &consent.subject {
            None => format!("{CONSENT}/{purpose}"),
            Some(subject) => format!("{CONSENT}/{purpose}.{subject}"),
        };
        last.insert(entity, consent);
    }
    let mut out = Vec::new();
    for (entity, consent) in last {
        let subject = consent.subject.as_deref().unwrap_or_default();
        let in_force = in_force_for(tx, consent.purpose, subject)?;
        let changed_ms = consent.withdrawn_ms.unwrap_or(consent.given_ms);
        let Ok(Value::Object(mut values)) = serde_json::to_value(&consent) else {
            continue;
        };
        values.insert("in_force".to_owned(), Value::Bool(in_force));
        out.extend(values.into_iter().map(|(key, value)| Field {
            entity: entity.clone(),
            key,
            value,
            changed_ms,
            device: device.to_owned(),
        }));
    }
    Ok(out)
}

/// A new version of the profile where the ministry must learn of a change: not
/// for those purposes whose envelopes come, or cease to come, by themselves.
pub(super) fn tell(tx: &Connection, purpose: Purpose) -> Result<()> {
    let told = match purpose {
        Purpose::Register | Purpose::Whereabouts | Purpose::WhereaboutsInCrisis => false,
        Purpose::Family | Purpose::EmployerOrSchool | Purpose::Media | Purpose::Medical => true,
    };
    let registered: bool =
        tx.query_row("SELECT EXISTS (SELECT 1 FROM field)", [], |row| row.get(0))?;
    if told && registered {
        changed(tx)?;
    }
    if purpose == Purpose::Medical {
        medical::changed(tx)?;
    }
    Ok(())
}

/// Deletes rows that were closed before a time, at most `limit`; how many.
pub(crate) fn expire(tx: &Connection, before_ms: i64, limit: u32) -> Result<usize> {
    Ok(tx.execute(
        "DELETE FROM consent_given WHERE id IN
           (SELECT id FROM consent_given WHERE withdrawn_ms < ?1 ORDER BY id LIMIT ?2)",
        params![before_ms, limit],
    )?)
}

/// Whether the traveler ('') or a dependent is under the age of consent.
fn is_child(tx: &Connection, subject: &str, at_ms: i64) -> Result<bool> {
    let entity = match subject {
        "" => TRAVELER.to_owned(),
        id => entity(id),
    };
    // The key itself: an entity of a newer phone may not be readable whole.
    let json: Option<String> = tx
        .query_row(
            "SELECT json FROM field WHERE entity = ?1 AND key = 'birth_date'",
            [entity],
            |row| row.get(0),
        )
        .optional()?;
    let birth: Option<String> = json.and_then(|json| serde_json::from_str(&json).ok());
    let age = birth
        .and_then(|text| Birth::parse(&text))
        .map(|birth| birth.latest().years_to(Date::today(at_ms)));
    Ok(age.is_some_and(|age| age < Policy::STANDARD.age_of_consent))
}

/// The entity of a dependent in the fields of the registration.
fn entity(subject: &str) -> String {
    format!("dependent/{subject}")
}

fn read(row: &Row<'_>) -> rusqlite::Result<Consent> {
    let subject: String = row.get(1)?;
    let name: String = row.get(4)?;
    let relation: String = row.get(5)?;
    Ok(Consent {
        purpose: from_number(row.get(0)?),
        subject: (!subject.is_empty()).then_some(subject),
        text_version: row.get(2)?,
        language: row.get(3)?,
        guardian: (!name.is_empty()).then_some(Guardian { name, relation }),
        given_ms: row.get(6)?,
        withdrawn_ms: row.get(7)?,
    })
}

// The numbers are in files: they never change their meaning.
fn number(purpose: Purpose) -> i64 {
    match purpose {
        Purpose::Register => 0,
        Purpose::Whereabouts => 1,
        Purpose::WhereaboutsInCrisis => 2,
        Purpose::Family => 3,
        Purpose::EmployerOrSchool => 4,
        Purpose::Media => 5,
        Purpose::Medical => 6,
    }
}

fn from_number(number: i64) -> Purpose {
    match number {
        0 => Purpose::Register,
        2 => Purpose::WhereaboutsInCrisis,
        3 => Purpose::Family,
        4 => Purpose::EmployerOrSchool,
        5 => Purpose::Media,
        6 => Purpose::Medical,
        _ => Purpose::Whereabouts,
    }
}
