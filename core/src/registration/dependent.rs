//! Somebody for whom the traveler registers: the types, and the checks of their
//! form. Nobody is registered without having agreed: each says how and when.

use serde::{Deserialize, Serialize};

use super::Traveler;
use super::date::Date;
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::validate;

/// Somebody for whom the traveler registers: a child, a member of a small group,
/// a colleague, a pupil, a neighbour without a phone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Dependent {
    /// Who. Its fields stand beside the others in the JSON form.
    #[serde(flatten)]
    pub person: Traveler,
    /// As what the traveler acts for the person.
    pub capacity: Capacity,
    /// How the person agreed.
    pub agreed: Agreement,
    /// Absent in a new one; names it when it is saved again.
    #[serde(skip)]
    #[uniffi(default = None)]
    pub id: Option<String>,
}

/// As what somebody acts for another person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Capacity {
    /// Parent or guardian.
    Guardian,
    /// Leader of a tour.
    TourLeader,
    /// Employer.
    Employer,
    /// School.
    School,
    /// Neighbour or friend of somebody without a phone.
    Neighbour,
    /// Anything else.
    #[serde(other)]
    Other,
}

/// How a person agreed to be registered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Agreement {
    /// In which way.
    pub way: AgreementWay,
    /// The day, `YYYY-MM-DD`.
    pub date: String,
}

/// In which way a person agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AgreementWay {
    /// The person said so, face to face or on the phone.
    InPerson,
    /// A parent or guardian agreed for the person.
    Guardian,
    /// In a contract: of a tour, of work, of a school.
    Contract,
    /// Anything else.
    #[serde(other)]
    Other,
}

redacted_debug!(Dependent, Agreement);

/// How a dependent is named in errors.
pub(super) const PATH: &str = "dependent";

impl Dependent {
    pub(super) fn validated(self, today: Date, policy: &Policy) -> Result<Self> {
        let person = self
            .person
            .validated(&format!("{PATH}.person"), today, policy)?;
        let agreed = self.agreed.validated(today)?;
        guarded(&person, self.capacity, agreed.way, today, policy)?;
        Ok(Self {
            person,
            agreed,
            ..self
        })
    }
}

impl Agreement {
    fn validated(self, today: Date) -> Result<Self> {
        let field = format!("{PATH}.agreed.date");
        let text = validate::ascii(self.date.trim());
        let Some(date) = Date::parse(&text) else {
            let problem = if text.is_empty() {
                Problem::Empty
            } else {
                Problem::Malformed
            };
            return Err(HomelineError::invalid(&field, problem, "YYYY-MM-DD"));
        };
        if !today.may_have_seen(date) {
            return Err(HomelineError::invalid(
                &field,
                Problem::OutOfRange,
                "a day that is not in the future",
            ));
        }
        Ok(Self { date: text, ..self })
    }
}

/// Who agrees for whom. A child below the age of consent is registered on a
/// guardian's word only, whoever does it: the guardian, or a school or a tour
/// leader whom the guardian has told so. An employer or a neighbour of a child that
/// young is a mistake. A birth that is known in part counts as the latest it can
/// be; without one the person counts as grown up.
fn guarded(
    person: &Traveler,
    capacity: Capacity,
    way: AgreementWay,
    today: Date,
    policy: &Policy,
) -> Result<()> {
    let child = person
        .youngest_age(today)
        .is_some_and(|age| age < policy.age_of_consent);
    if !child {
        return Ok(());
    }
    let refused = |field: &str, expected: &str| {
        let expected = format!("{expected} for a child under {}", policy.age_of_consent);
        let field = format!("{PATH}.{field}");
        Err(HomelineError::invalid(&field, Problem::Mismatch, &expected))
    };
    match capacity {
        Capacity::Employer | Capacity::Neighbour | Capacity::Other => {
            refused("capacity", "guardian, or a school or tour leader,")
        }
        Capacity::Guardian | Capacity::TourLeader | Capacity::School => match way {
            AgreementWay::Guardian => Ok(()),
            AgreementWay::InPerson | AgreementWay::Contract | AgreementWay::Other => {
                refused("agreed.way", "guardian: the word of a parent or guardian")
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: &str = "2026-11-25";

    fn dependent(birth: Option<&str>, capacity: Capacity, way: AgreementWay) -> Dependent {
        Dependent {
            person: Traveler {
                name: "李小雨".into(),
                birth_date: birth.map(str::to_owned),
                ..Traveler::default()
            },
            capacity,
            agreed: Agreement {
                way,
                date: TODAY.into(),
            },
            id: None,
        }
    }

    fn field(outcome: Result<Dependent>) -> String {
        match outcome {
            Ok(_) => String::new(),
            Err(HomelineError::Invalid { field, .. }) => field,
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn a_guardian_agrees_for_a_child_under_14() {
        use AgreementWay as W;
        use Capacity as C;
        let (capacity, way) = ("dependent.capacity", "dependent.agreed.way");
        let rows = [
            (Some("2012-11-26"), C::Guardian, W::Guardian, ""),
            (Some("2012-11-26"), C::Guardian, W::InPerson, way),
            (Some("2012-11-25"), C::Guardian, W::InPerson, ""),
            (Some("2015-01-01"), C::School, W::Guardian, ""),
            (Some("2015-01-01"), C::School, W::Contract, way),
            (Some("2015-01-01"), C::TourLeader, W::Guardian, ""),
            (Some("2015-01-01"), C::Employer, W::Guardian, capacity),
            (Some("2015-01-01"), C::Neighbour, W::Guardian, capacity),
            // Only the year is known: the youngest that the person can be.
            (Some("2012"), C::Neighbour, W::InPerson, capacity),
            (Some("2011"), C::Neighbour, W::InPerson, ""),
            (None, C::Neighbour, W::InPerson, ""),
        ];
        let today = Date::parse(TODAY).unwrap();
        for (birth, capacity, way, expected) in rows {
            let outcome = dependent(birth, capacity, way).validated(today, &Policy::STANDARD);
            assert_eq!(field(outcome), expected, "{birth:?} {capacity:?} {way:?}");
        }
    }

    #[test]
    fn an_agreement_has_a_day_that_was() {
        let today = Date::parse(TODAY).unwrap();
        for (date, expected) in [
            ("2026-11-25", ""),
            ("２０２６-11-25", ""),
            ("2026-11-26", ""),
            ("2026-11-27", "dependent.agreed.date"),
            ("", "dependent.agreed.date"),
            ("25.11.2026", "dependent.agreed.date"),
        ] {
            let given = Dependent {
                agreed: Agreement {
                    way: AgreementWay::InPerson,
                    date: date.into(),
                },
                ..dependent(None, Capacity::Neighbour, AgreementWay::InPerson)
            };
            assert_eq!(
                field(given.validated(today, &Policy::STANDARD)),
                expected,
                "{date}"
            );
        }
    }
}
