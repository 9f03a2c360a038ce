//! An emergency contact: the type, and the checks of its form.

use serde::{Deserialize, Deserializer, Serialize};

use crate::config::Policy;
use crate::error::Result;
use crate::validate;

/// Somebody to call for the traveler.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Contact {
    /// Name.
    pub name: String,
    /// Phone: E.164, or a short code.
    pub phone: String,
    /// Who this is to the traveler.
    pub relation: Relation,
    /// Languages that the contact speaks (BCP 47), the best one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[uniffi(default = [])]
    pub languages: Vec<String>,
    /// What the contact may be told. Empty, which is the least: nothing. An
    /// officer may then ask the contact, and say no more than that a consulate calls.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "those_known"
    )]
    #[uniffi(default = [])]
    pub may_be_told: Vec<Tell>,
    /// Another phone: E.164, or a short code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub second_phone: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub email: Option<String>,
    /// One line for whoever calls: the hour, the time zone, a weak heart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub note: Option<String>,
}

/// Something that a contact may be told of the traveler.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, uniffi::Enum,
)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Tell {
    /// That the traveler is in trouble.
    InTrouble,
    /// Where the traveler is.
    Whereabouts,
    /// Medical matters.
    Medical,
    /// All of it, and whatever else is known.
    Everything,
}

/// Who a contact is to the traveler.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Relation {
    /// Mother or father.
    Parent,
    /// Wife, husband or partner.
    Partner,
    /// Daughter or son.
    Child,
    /// Sister or brother.
    Sibling,
    /// Another relative.
    Relative,
    /// Friend.
    Friend,
    /// Employer or colleague.
    Employer,
    /// School, teacher or tutor.
    School,
    /// Anybody else.
    #[default]
    #[serde(other)]
    Other,
}

redacted_debug!(Contact);

impl Contact {
    pub(crate) fn validated(self, policy: &Policy) -> Result<Self> {
        Ok(Self {
            name: validate::line("contact.name", &self.name, policy)?,
            phone: validate::phone("contact.phone", &self.phone)?,
            relation: self.relation,
            languages: validate::languages("contact.languages", self.languages, policy)?,
            may_be_told: each_once(self.may_be_told),
            second_phone: validate::filled(self.second_phone)
                .map(|phone| validate::phone("contact.second_phone", &phone))
                .transpose()?,
            email: validate::filled(self.email)
                .map(|email| validate::email("contact.email", &email))
                .transpose()?,
            note: validate::optional_line("contact.note", self.note, policy)?,
        })
    }
}

/// In order, each once; beside everything the others say nothing.
fn each_once(mut told: Vec<Tell>) -> Vec<Tell> {
    if told.contains(&Tell::Everything) {
        return vec![Tell::Everything];
    }
    told.sort_unstable();
    told.dedup();
    told
}

/// What a later version may be told, and this one does not know, is not told.
fn those_known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Tell>, D::Error> {
    let all = Vec::<serde_json::Value>::deserialize(deserializer)?;
    Ok(all
        .into_iter()
        .filter_map(|one| serde_json::from_value(one).ok())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{HomelineError, Problem};

    #[test]
    fn what_is_asked_for_is_the_least_and_unknown_things_are_not_told() {
        let read = |json: &str| serde_json::from_str::<Contact>(json).unwrap();
        let old = read(r#"{"name":"a","phone":"110","relation":"parent"}"#);
        assert_eq!(old.may_be_told, []);
        let new = read(
            r#"{"name":"a","phone":"110","relation":"godmother","may_be_told":["bank","medical"]}"#,
        );
        assert_eq!(
            (new.relation, new.may_be_told),
            (Relation::Other, vec![Tell::Medical])
        );
        assert_eq!(
            each_once(vec![Tell::Medical, Tell::InTrouble, Tell::Medical]),
            [Tell::InTrouble, Tell::Medical]
        );
        assert_eq!(
            each_once(vec![Tell::Medical, Tell::Everything]),
            [Tell::Everything]
        );
    }

    #[test]
    fn each_field_that_fails_is_named() {
        let good = || Contact {
            name: "李母".into(),
            phone: "12308".into(),
            ..Contact::default()
        };
        let some = |text: &str| Some(text.to_owned());
        let rows = [
            (
                Contact {
                    name: String::new(),
                    ..good()
                },
                "contact.name",
                Problem::Empty,
            ),
            (
                Contact {
                    phone: "1".into(),
                    ..good()
                },
                "contact.phone",
                Problem::Malformed,
            ),
            (
                Contact {
                    languages: vec!["zh".into(), "?".into()],
                    ..good()
                },
                "contact.languages.1",
                Problem::Malformed,
            ),
            (
                Contact {
                    second_phone: some("x"),
                    ..good()
                },
                "contact.second_phone",
                Problem::Malformed,
            ),
            (
                Contact {
                    email: some("x"),
                    ..good()
                },
                "contact.email",
                Problem::Malformed,
            ),
            (
                Contact {
                    note: some("a\nb"),
                    ..good()
                },
                "contact.note",
                Problem::ControlCharacter,
            ),
        ];
        for (contact, expected, what) in rows {
            let outcome = contact.validated(&Policy::STANDARD);
            assert!(
                matches!(&outcome, Err(HomelineError::Invalid { field, problem, .. })
                    if field == expected && *problem == what),
                "{expected}: {:?}",
                outcome.err()
            );
        }
        let blank = Contact {
            second_phone: some(" "),
            email: some(""),
            note: some("\t"),
            ..good()
        };
        assert!(
            blank
                .validated(&Policy::STANDARD)
                .is_ok_and(|kept| kept == good())
        );
    }
}
