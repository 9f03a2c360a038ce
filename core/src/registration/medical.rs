//! The medical card: what a doctor must know. It travels only with an SOS of the
//! kind `Medical`.
//!
//! It is no part of the profile: it has a table of its own, and its own sealed
//! envelope beside the standing one, made while the record is open, so that it
//! leaves with a press before the first unlock too.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::{Consent, Purpose, list_consents};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result, StorageProblem};
use crate::record::{meta_number, set_meta_number};
use crate::sos::Ground;
use crate::validate;

/// What a doctor must know.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MedicalCard {
    /// Blood group with its Rh factor.
    #[serde(default)]
    #[uniffi(default = None)]
    pub blood_group: Option<BloodGroup>,
    /// What the traveler must not be given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[uniffi(default = [])]
    pub allergies: Vec<String>,
    /// What the traveler takes, with the dose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[uniffi(default = [])]
    pub medication: Vec<String>,
    /// Illnesses, implants, pregnancy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[uniffi(default = [])]
    pub conditions: Vec<String>,
    /// Anything else; may have several lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub notes: Option<String>,
    /// Languages that the traveler can be spoken to in (BCP 47), the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[uniffi(default = [])]
    pub languages: Vec<String>,
}

/// A blood group (ABO and Rh D).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum BloodGroup {
    /// O, Rh positive.
    OPositive,
    /// O, Rh negative.
    ONegative,
    /// A, Rh positive.
    APositive,
    /// A, Rh negative.
    ANegative,
    /// B, Rh positive.
    BPositive,
    /// B, Rh negative.
    BNegative,
    /// AB, Rh positive.
    AbPositive,
    /// AB, Rh negative.
    AbNegative,
}

redacted_debug!(MedicalCard);

impl MedicalCard {
    /// The card with its texts trimmed.
    pub(crate) fn validated(self, policy: &Policy) -> Result<Self> {
        let lines = |field: &str, lines: &[String]| -> Result<Vec<String>> {
            lines
                .iter()
                .map(|line| validate::line(field, line, policy))
                .collect()
        };
        let card = Self {
            blood_group: self.blood_group,
            allergies: lines("medical_card.allergies", &self.allergies)?,
            medication: lines("medical_card.medication", &self.medication)?,
            conditions: lines("medical_card.conditions", &self.conditions)?,
            notes: self.notes.as_deref().map(notes).transpose()?.flatten(),
            languages: validate::languages("medical_card.languages", self.languages, policy)?,
        };
        if card.chars() > policy.medical_chars {
            return Err(HomelineError::invalid(
                "medical_card",
                Problem::TooLong,
                &format!("at most {} characters in all", policy.medical_chars),
            ));
        }
        Ok(card)
    }

    fn chars(&self) -> usize {
        [
            &self.allergies,
            &self.medication,
            &self.conditions,
            &self.languages,
        ]
        .into_iter()
        .flatten()
        .chain(&self.notes)
        .map(|text| text.chars().count())
        .sum()
    }
}

/// Several lines; nothing where they are empty.
fn notes(text: &str) -> Result<Option<String>> {
    let text = text.trim();
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    if text.chars().any(control) {
        return Err(HomelineError::invalid(
            "medical_card.notes",
            Problem::ControlCharacter,
            "lines of text",
        ));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Notes a change of the card, or of the consent that covers it: its envelope is
/// made anew.
pub(crate) fn changed(tx: &Connection) -> Result<()> {
    set_meta_number(tx, "medical_version", version(tx)? + 1)
}

/// Grows with each change; 0 where there never was a card.
pub(crate) fn version(tx: &Connection) -> Result<i64> {
    meta_number(tx, "medical_version")
}

/// Saves the card.
pub(super) fn save(tx: &Connection, card: &MedicalCard) -> Result<()> {
    if load(tx)?.as_ref() == Some(card) {
        return Ok(());
    }
    let json = serde_json::to_string(card).map_err(|_| HomelineError::bug("medical"))?;
    tx.execute(
        "INSERT OR REPLACE INTO medical_card (one, json) VALUES (1, ?1)",
        params![json],
    )?;
    changed(tx)
}

/// The card, if there is one.
pub(crate) fn load(tx: &Connection) -> Result<Option<MedicalCard>> {
    let json: Option<String> = tx
        .query_row("SELECT json FROM medical_card", [], |row| row.get(0))
        .optional()?;
    json.map(|json| serde_json::from_str(&json).map_err(|_| StorageProblem::Damaged.into()))
        .transpose()
}

/// Removes the card.
pub(super) fn remove(tx: &Connection) -> Result<()> {
    if tx.execute("DELETE FROM medical_card", [])? > 0 {
        changed(tx)?;
    }
    Ok(())
}

/// The ground on which the card may leave beside a medical SOS; `None` where it
/// may not. Given: the consent. Withdrawn: none, whatever the emergency. Never
/// asked: the traveler wrote the card for this very case, and pressed.
pub(crate) fn medical_ground(tx: &Connection) -> Result<Option<Ground>> {
    let own = list_consents(tx)?
        .into_iter()
        .rfind(|consent| consent.purpose == Purpose::Medical && consent.subject.is_none());
    Ok(match own {
        Some(Consent {
            text_version,
            withdrawn_ms: None,
            ..
        }) => Some(Ground::Consent { text_version }),
        Some(_) => None,
        None => Some(Ground::VitalInterest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Connection {
        let tx = Connection::open_in_memory().unwrap();
        for script in [
            include_str!("../record/migrations/0001.sql"),
            include_str!("../record/migrations/0002/registration.sql"),
            include_str!("../record/migrations/0002/consent.sql"),
            include_str!("../record/migrations/0002/trips.sql"),
        ] {
            tx.execute_batch(script).unwrap();
        }
        tx
    }

    fn card() -> MedicalCard {
        MedicalCard {
            blood_group: Some(BloodGroup::AbNegative),
            allergies: vec![" penicillin ".into()],
            notes: Some("  ".into()),
            languages: vec!["zh-Hans".into(), "tr".into()],
            ..MedicalCard::default()
        }
    }

    #[test]
    fn what_is_wrong_with_a_card_is_named() {
        let kept = card().validated(&Policy::STANDARD).unwrap();
        assert_eq!(
            (kept.allergies[0].as_str(), &kept.notes),
            ("penicillin", &None)
        );
        assert_eq!(kept.clone().validated(&Policy::STANDARD), Ok(kept));
        type Spoil = fn(&mut MedicalCard);
        let rows: [(Spoil, &str, Problem); 7] = [
            (
                |c| c.allergies.push(" ".into()),
                "medical_card.allergies",
                Problem::Empty,
            ),
            (
                |c| c.medication.push("a\nb".into()),
                "medical_card.medication",
                Problem::ControlCharacter,
            ),
            (
                |c| c.conditions.push("x".repeat(501)),
                "medical_card.conditions",
                Problem::TooLong,
            ),
            (
                |c| c.notes = Some("a\0".into()),
                "medical_card.notes",
                Problem::ControlCharacter,
            ),
            (
                |c| c.languages = vec!["中文".into()],
                "medical_card.languages.0",
                Problem::Malformed,
            ),
            (
                |c| c.languages = vec!["zh--".into()],
                "medical_card.languages.0",
                Problem::Malformed,
            ),
            (
                |c| c.conditions = vec!["x".repeat(500); 9],
                "medical_card",
                Problem::TooLong,
            ),
        ];
        for (spoil, field, problem) in rows {
            let mut card = card();
            spoil(&mut card);
            match card.validated(&Policy::STANDARD) {
                Err(HomelineError::Invalid {
                    field: f,
                    problem: p,
                    ..
                }) => {
                    assert_eq!((f.as_str(), p), (field, problem));
                }
                other => panic!("{field}: {other:?}"),
            }
        }
    }

    #[test]
    fn only_a_change_of_the_card_is_a_new_version() {
        let tx = record();
        let fields = || -> i64 {
            tx.query_row("SELECT count(*) FROM field", [], |row| row.get(0))
                .unwrap()
        };
        assert_eq!(version(&tx), Ok(0));
        for expected in [1, 1] {
            save(&tx, &card()).unwrap();
            assert_eq!(version(&tx), Ok(expected));
        }
        assert_eq!(load(&tx), Ok(Some(card())));
        for _ in 0..2 {
            remove(&tx).unwrap();
            assert_eq!((version(&tx), load(&tx)), (Ok(2), Ok(None)));
        }
        // Nothing of it is a field of the registration, nor a change of the profile.
        assert_eq!((fields(), meta_number(&tx, "profile_version")), (0, Ok(0)));
    }

    #[test]
    fn the_ground_is_the_consent_where_the_traveler_was_asked() {
        let tx = record();
        let give = |text: &str| {
            tx.execute(
                "INSERT INTO consent_given (purpose, text_version, language, given_ms)
                 VALUES (6, ?1, '', 1)",
                [text],
            )
            .unwrap();
        };
        let consent = |text: &str| {
            Some(Ground::Consent {
                text_version: text.into(),
            })
        };
        assert_eq!(medical_ground(&tx), Ok(Some(Ground::VitalInterest)));
        give("1");
        assert_eq!(medical_ground(&tx), Ok(consent("1")));
        tx.execute("UPDATE consent_given SET withdrawn_ms = 2", [])
            .unwrap();
        assert_eq!(medical_ground(&tx), Ok(None));
        give("2");
        assert_eq!(medical_ground(&tx), Ok(consent("2")));
    }
}
