//! Who registers: the types, and the checks of their form.

use serde::{Deserialize, Serialize};

use super::date::Date;
use super::mrz;
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::validate;

/// A traveler, as registered with the consulate.
///
/// Each key of its JSON form is a field of the registration, see [`super::fields`].
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
    },
    /// Sent abroad by an employer.
    PostedWorker {
        /// The employer.
        employer: String,
    },
    /// Crew of a ship or an aircraft.
    Crew,
}

/// A travel document.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TravelDocument {
    /// Number, as printed.
    pub number: String,
    /// The machine-readable zone of a passport (ICAO Doc 9303-4, TD3): two
    /// lines of 44 characters. Where it is given, its check digits must match,
    /// and its number must be `number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub mrz: Option<String>,
    /// Day of expiry, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub expiry_date: Option<String>,
}

redacted_debug!(Traveler, TravelerKind, TravelDocument);

impl Traveler {
    /// The traveler with its texts trimmed and its phone in E.164.
    pub(crate) fn validated(self, policy: &Policy) -> Result<Self> {
        let kind = match self.kind {
            TravelerKind::Student { school } => TravelerKind::Student {
                school: validate::line("traveler.kind.school", &school, policy)?,
            },
            TravelerKind::PostedWorker { employer } => TravelerKind::PostedWorker {
                employer: validate::line("traveler.kind.employer", &employer, policy)?,
            },
            kind => kind,
        };
        Ok(Self {
            name: validate::line("traveler.name", &self.name, policy)?,
            kind,
            phone: self
                .phone
                .map(|phone| validate::phone("traveler.phone", &phone))
                .transpose()?,
            documents: self
                .documents
                .into_iter()
                .map(|document| document.validated(policy))
                .collect::<Result<_>>()?,
        })
    }
}

impl TravelDocument {
    fn validated(self, policy: &Policy) -> Result<Self> {
        let number = validate::line("traveler.document.number", &self.number, policy)?;
        if let Some(mrz) = &self.mrz {
            mrz::check_td3(mrz, &number)?;
        }
        if let Some(date) = &self.expiry_date
            && Date::parse(date).is_none()
        {
            return Err(HomelineError::invalid(
                "traveler.document.expiry_date",
                Problem::Malformed,
                "a date, YYYY-MM-DD",
            ));
        }
        Ok(Self { number, ..self })
    }
}
