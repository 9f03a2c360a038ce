//! Travel documents: the type, and the checks of its form. Where a document has
//! its machine-readable zone, the zone decides what the document says.

use serde::{Deserialize, Serialize};

use super::birth::Birth;
use super::date::Date;
use super::mrz::{self, Mrz, MrzDate, MrzFormat};
use super::states;
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::validate;

/// A travel document.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TravelDocument {
    /// Number, as printed.
    pub number: String,
    /// The machine-readable zone (ICAO Doc 9303: TD1, TD2 or TD3). Where it is
    /// given, its check digits must match, and number, expiry and the traveler's
    /// date of birth must be those of the zone; a name that differs is kept, see
    /// [`super::compare_name`]. What the document leaves out is taken from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub mrz: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub kind: Option<DocumentKind>,
    /// Three letters of ISO 3166-1 or ICAO, for example `CHN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub issuing_state: Option<String>,
    /// Last day of validity, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub expiry_date: Option<String>,
}

/// What a travel document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DocumentKind {
    /// A passport, ordinary, official or diplomatic.
    Passport,
    /// An identity card or a card in place of a passport.
    IdentityCard,
    /// A travel permit, an emergency or one-way travel document.
    TravelPermit,
    /// A seafarer's or a crew member's document.
    Crew,
    /// A document for refugees or stateless persons.
    Refugee,
    /// Anything else.
    #[serde(other)]
    Other,
}

redacted_debug!(TravelDocument);

impl TravelDocument {
    /// The document with its texts trimmed; `path` names it in errors, `born` is
    /// the birth of its bearer and the name of that field.
    pub(super) fn validated(
        self,
        path: &str,
        born: (Option<Birth>, &str),
        today: Date,
        policy: &Policy,
    ) -> Result<Self> {
        let field = |name: &str| format!("{path}.{name}");
        let number = number(&field("number"), &self.number, policy)?;
        let issuing_state = validate::filled(self.issuing_state)
            .map(|code| states::code(&field("issuing_state"), &code))
            .transpose()?;
        let expiry_date = validate::filled(self.expiry_date)
            .map(|text| expiry(&field("expiry_date"), &text))
            .transpose()?;
        let document = Self {
            number,
            mrz: validate::filled(self.mrz),
            kind: self.kind,
            issuing_state,
            expiry_date: expiry_date.map(|date| date.to_string()),
        };
        let Some(zone) = &document.mrz else {
            return Ok(document);
        };
        let zone = mrz::read(&field("mrz"), zone, today)?;
        document.agreeing(&zone, path, born)
    }

    /// Refuses what differs from the zone, and takes from it what is missing.
    fn agreeing(
        self,
        zone: &Mrz,
        path: &str,
        (born, born_field): (Option<Birth>, &str),
    ) -> Result<Self> {
        let differs = |field: &str, expected: &str| {
            Err(HomelineError::invalid(field, Problem::Mismatch, expected))
        };
        let of_zone = "what the machine-readable zone holds";
        if bare_number(&self.number) != bare_number(&zone.number) {
            return differs(&format!("{path}.number"), of_zone);
        }
        let expiry = whole(zone.expiry_date).map(|date| date.to_string());
        if self.expiry_date.is_some() && expiry.is_some() && self.expiry_date != expiry {
            return differs(&format!("{path}.expiry_date"), of_zone);
        }
        if born.is_some_and(|born| !agree(born, zone.birth_date)) {
            return differs(born_field, of_zone);
        }
        Ok(Self {
            kind: self.kind.or(Some(kind_of(zone))),
            issuing_state: self
                .issuing_state
                .or_else(|| states::code("", &zone.issuing_state).ok()),
            expiry_date: self.expiry_date.or(expiry),
            ..self
        })
    }

    /// What tells this document from others.
    pub(super) fn identity(&self) -> Identity {
        Identity {
            number: bare_number(&self.number),
            state: self.issuing_state.clone(),
        }
    }
}

/// What tells a document from others: compared often, so made once.
pub(super) struct Identity {
    number: String,
    state: Option<String>,
}

impl Identity {
    /// The same number, and no two states.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let two_states = matches!((&self.state, &other.state), (Some(a), Some(b)) if a != b);
        !two_states && self.number == other.number
    }
}

fn number(field: &str, text: &str, policy: &Policy) -> Result<String> {
    let number = validate::line(field, text, policy)?;
    if number.chars().count() > policy.document_number_chars {
        let expected = format!("at most {} characters", policy.document_number_chars);
        return Err(HomelineError::invalid(field, Problem::TooLong, &expected));
    }
    Ok(number)
}

/// A number as it is compared: capitals and digits only, since zones write `<` for
/// a hyphen or a space.
fn bare_number(number: &str) -> String {
    validate::ascii(number)
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '<' | '.' | '/'))
        .flat_map(char::to_uppercase)
        .collect()
}

fn expiry(field: &str, text: &str) -> Result<Date> {
    Date::parse(&validate::ascii(text.trim()))
        .ok_or_else(|| HomelineError::invalid(field, Problem::Malformed, "YYYY-MM-DD"))
}

fn whole(date: MrzDate) -> Option<Date> {
    Date::new(date.year?, date.month?, date.day?)
}

/// What is unknown on either side agrees with anything. The century of the zone is
/// a guess, so two digits of the year count.
fn agree(born: Birth, zone: MrzDate) -> bool {
    let same = |a: Option<u8>, b: Option<u8>| a.is_none() || b.is_none() || a == b;
    zone.year.is_none_or(|year| year % 100 == born.year() % 100)
        && same(born.month(), zone.month)
        && same(born.day(), zone.day)
}

fn kind_of(zone: &Mrz) -> DocumentKind {
    match (zone.format, zone.document_code.as_str()) {
        (MrzFormat::Td3, _) => DocumentKind::Passport,
        (_, "AC") => DocumentKind::Crew,
        (_, "IP") => DocumentKind::Passport,
        _ => DocumentKind::IdentityCard,
    }
}
