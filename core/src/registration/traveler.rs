//! Who registers: the types, and the checks of their form.

use serde::{Deserialize, Serialize};

use super::birth::Birth;
use super::date::Date;
use super::document::TravelDocument;
use super::states;
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::validate;

/// A traveler, as registered with the consulate.
///
/// Each key of its JSON form is a field of the registration, see [`super::fields`].
/// Texts are kept as typed, in any script, save white space around them; an
/// optional text that is blank counts as absent.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Traveler {
    /// Name, in the traveler's own script.
    pub name: String,
    /// Why the traveler is abroad.
    pub kind: TravelerKind,
    /// Phone: E.164, or a short code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub phone: Option<String>,
    /// Travel documents, the one that the traveler is abroad with first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[uniffi(default = [])]
    pub documents: Vec<TravelDocument>,
    /// Name in Latin letters, as in the passport.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub latin_name: Option<String>,
    /// Date of birth, `YYYY-MM-DD`; `YYYY-MM` or `YYYY` where no more is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub birth_date: Option<String>,
    /// Nationality: three letters of ISO 3166-1 or ICAO, for example `CHN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub nationality: Option<String>,
    /// Languages (BCP 47, for example `zh-Hans`), the best one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[uniffi(default = [])]
    pub languages: Vec<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub email: Option<String>,
}

/// Why a traveler is abroad.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TravelerKind {
    /// A short trip.
    #[default]
    ShortTrip,
    /// Lives abroad.
    LongStay,
    /// Studies abroad.
    Student {
        /// School or university.
        school: String,
        /// What the student studies there: a degree, an exchange, a camp.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[uniffi(default = None)]
        programme: Option<String>,
        /// Who looks after the student on the spot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[uniffi(default = None)]
        guardian: Option<Reachable>,
    },
    /// Sent abroad by an employer.
    PostedWorker {
        /// The employer.
        employer: String,
        /// The project or site.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[uniffi(default = None)]
        project: Option<String>,
        /// The employer's liaison officer for the mission.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[uniffi(default = None)]
        liaison: Option<Reachable>,
    },
    /// Crew of a ship or an aircraft.
    Crew {
        /// Name or IMO number of the ship, or the flight.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[uniffi(default = None)]
        vessel: Option<String>,
    },
}

/// Somebody on the spot who can be reached.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reachable {
    /// Name.
    pub name: String,
    /// Phone: E.164, or a short code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub phone: Option<String>,
}

redacted_debug!(Traveler, TravelerKind, Reachable);

impl Traveler {
    /// The traveler with its texts trimmed and its phone in E.164. `path` names
    /// the traveler in errors, `today` tells a birth from the future.
    pub(crate) fn validated(self, path: &str, today: Date, policy: &Policy) -> Result<Self> {
        let field = |name: &str| format!("{path}.{name}");
        let born = validate::filled(self.birth_date)
            .map(|text| birth(&field("birth_date"), &text, today))
            .transpose()?;
        Ok(Self {
            name: validate::line(&field("name"), &self.name, policy)?,
            kind: self.kind.validated(&field("kind"), policy)?,
            phone: self
                .phone
                .map(|phone| validate::phone(&field("phone"), &phone))
                .transpose()?,
            documents: documents(
                self.documents,
                &field("documents"),
                (born.as_ref().map(|(born, _)| *born), &field("birth_date")),
                today,
                policy,
            )?,
            latin_name: validate::filled(self.latin_name)
                .map(|name| latin_name(&field("latin_name"), &name, policy))
                .transpose()?,
            birth_date: born.map(|(_, text)| text),
            nationality: validate::filled(self.nationality)
                .map(|code| states::code(&field("nationality"), &code))
                .transpose()?,
            languages: validate::languages(&field("languages"), self.languages, policy)?,
            email: validate::filled(self.email)
                .map(|email| validate::email(&field("email"), &email))
                .transpose()?,
        })
    }

    /// The youngest that the traveler can be on a day, in whole years.
    pub(crate) fn youngest_age(&self, today: Date) -> Option<u16> {
        let born = Birth::parse(self.birth_date.as_deref()?)?;
        Some(born.latest().years_to(today))
    }
}

impl TravelerKind {
    fn validated(self, path: &str, policy: &Policy) -> Result<Self> {
        let field = |name: &str| format!("{path}.{name}");
        Ok(match self {
            Self::Student {
                school,
                programme,
                guardian,
            } => Self::Student {
                school: validate::line(&field("school"), &school, policy)?,
                programme: validate::optional_line(&field("programme"), programme, policy)?,
                guardian: reachable(guardian, &field("guardian"), policy)?,
            },
            Self::PostedWorker {
                employer,
                project,
                liaison,
            } => Self::PostedWorker {
                employer: validate::line(&field("employer"), &employer, policy)?,
                project: validate::optional_line(&field("project"), project, policy)?,
                liaison: reachable(liaison, &field("liaison"), policy)?,
            },
            Self::Crew { vessel } => Self::Crew {
                vessel: validate::optional_line(&field("vessel"), vessel, policy)?,
            },
            Self::ShortTrip | Self::LongStay => self,
        })
    }
}

fn reachable(person: Option<Reachable>, path: &str, policy: &Policy) -> Result<Option<Reachable>> {
    let Some(person) = person else {
        return Ok(None);
    };
    Ok(Some(Reachable {
        name: validate::line(&format!("{path}.name"), &person.name, policy)?,
        phone: validate::filled(person.phone)
            .map(|phone| validate::phone(&format!("{path}.phone"), &phone))
            .transpose()?,
    }))
}

/// The documents in order; each one once.
fn documents(
    given: Vec<TravelDocument>,
    path: &str,
    born: (Option<Birth>, &str),
    today: Date,
    policy: &Policy,
) -> Result<Vec<TravelDocument>> {
    if given.len() > policy.documents {
        let expected = format!("at most {} documents", policy.documents);
        return Err(HomelineError::invalid(path, Problem::TooMany, &expected));
    }
    let mut kept: Vec<TravelDocument> = Vec::with_capacity(given.len());
    let mut known = Vec::with_capacity(given.len());
    for (index, document) in given.into_iter().enumerate() {
        let document = document.validated(&format!("{path}.{index}"), born, today, policy)?;
        let identity = document.identity();
        if known.iter().any(|other| identity.is_same(other)) {
            return Err(HomelineError::invalid(
                &format!("{path}.{index}.number"),
                Problem::Duplicate,
                "each document once",
            ));
        }
        known.push(identity);
        kept.push(document);
    }
    Ok(kept)
}

/// A birth and its text with digits 0-9: not in the future, and of nobody who
/// would be older than anybody has been.
fn birth(field: &str, text: &str, today: Date) -> Result<(Birth, String)> {
    const EXPECTED: &str = "YYYY-MM-DD, or YYYY-MM or YYYY where no more is known";
    let text = validate::ascii(text.trim());
    let Some(born) = Birth::parse(&text) else {
        return Err(HomelineError::invalid(field, Problem::Malformed, EXPECTED));
    };
    if !today.may_have_seen(born.earliest()) || born.year() + 130 < today.year() {
        let expected = "a day in the past, of the last 130 years";
        return Err(HomelineError::invalid(field, Problem::OutOfRange, expected));
    }
    Ok((born, text))
}

fn latin_name(field: &str, text: &str, policy: &Policy) -> Result<String> {
    let name = validate::line(field, text, policy)?;
    let right = name.chars().any(|c| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphabetic() || matches!(c, ' ' | '-' | '\'' | ',' | '.' | '<'));
    if right {
        Ok(name)
    } else {
        let expected = "letters A-Z, spaces and hyphens, as in the passport";
        Err(HomelineError::invalid(field, Problem::Malformed, expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_version_saved_is_still_read() {
        let rows = [
            (r#"{"kind":"crew"}"#, TravelerKind::Crew { vessel: None }),
            (r#"{"kind":"long_stay"}"#, TravelerKind::LongStay),
            (
                r#"{"kind":"student","school":"s"}"#,
                TravelerKind::Student {
                    school: "s".into(),
                    programme: None,
                    guardian: None,
                },
            ),
        ];
        for (kind, expected) in rows {
            let json = format!(r#"{{"name":"a","kind":{kind},"documents":[{{"number":"1"}}]}}"#);
            let traveler: Traveler = serde_json::from_str(&json).unwrap();
            assert_eq!((traveler.kind, traveler.documents.len()), (expected, 1));
            // And nothing that was left out takes a place on the wire.
            assert_eq!(
                serde_json::to_string(&traveler.documents).unwrap(),
                r#"[{"number":"1"}]"#
            );
        }
    }

    #[test]
    fn a_traveler_is_kept_with_its_fields_in_their_forms_or_the_field_is_named() {
        let some = |text: &str| Some(text.to_owned());
        let base = || Traveler {
            name: "李伟".into(),
            ..Traveler::default()
        };
        let rows = [
            (
                Traveler {
                    name: "\u{200b}".into(),
                    ..base()
                },
                "traveler.name",
            ),
            (
                Traveler {
                    phone: some(""),
                    ..base()
                },
                "traveler.phone",
            ),
            (
                Traveler {
                    birth_date: some("1974-13"),
                    ..base()
                },
                "traveler.birth_date",
            ),
            (
                Traveler {
                    birth_date: some("1895"),
                    ..base()
                },
                "traveler.birth_date",
            ),
            (
                Traveler {
                    nationality: some("CN"),
                    ..base()
                },
                "traveler.nationality",
            ),
            (
                Traveler {
                    latin_name: some("Müller"),
                    ..base()
                },
                "traveler.latin_name",
            ),
            (
                Traveler {
                    latin_name: some("-- "),
                    ..base()
                },
                "traveler.latin_name",
            ),
            (
                Traveler {
                    languages: vec!["?".into()],
                    ..base()
                },
                "traveler.languages.0",
            ),
            (
                Traveler {
                    email: some("a@b"),
                    ..base()
                },
                "traveler.email",
            ),
            (
                Traveler {
                    documents: vec![TravelDocument::default()],
                    ..base()
                },
                "traveler.documents.0.number",
            ),
            (
                Traveler {
                    documents: vec![
                        TravelDocument {
                            number: "1".into(),
                            ..Default::default()
                        };
                        21
                    ],
                    ..base()
                },
                "traveler.documents",
            ),
            (
                Traveler {
                    kind: TravelerKind::Crew {
                        vessel: some("a\nb"),
                    },
                    ..base()
                },
                "traveler.kind.vessel",
            ),
            (
                Traveler {
                    kind: TravelerKind::PostedWorker {
                        employer: "e".into(),
                        project: some("p"),
                        liaison: Some(Reachable::default()),
                    },
                    ..base()
                },
                "traveler.kind.liaison.name",
            ),
        ];
        let today = Date::parse("2026-11-25").unwrap();
        let validated = |one: Traveler| one.validated("traveler", today, &Policy::STANDARD);
        for (traveler, expected) in rows {
            let outcome = validated(traveler);
            assert!(
                matches!(&outcome, Err(HomelineError::Invalid { field, .. }) if field == expected),
                "{expected}: {:?}",
                outcome.err()
            );
        }
        let blank = Traveler {
            birth_date: some(" "),
            nationality: some(""),
            latin_name: some("\t"),
            email: some(""),
            kind: TravelerKind::Crew { vessel: some(" ") },
            ..base()
        };
        let kept = validated(blank).unwrap();
        assert!(
            kept == Traveler {
                kind: TravelerKind::Crew { vessel: None },
                ..base()
            }
        );
    }
}
