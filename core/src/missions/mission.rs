//! A mission as an item of a pack.

use serde::{Deserialize, Serialize};

use super::words::{MissionKind, PhonePurpose};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::geo::{Area, Wgs84};
use crate::language::Texts;
use crate::lenient;
use crate::registration::country;
use crate::validate;

/// An embassy, a consulate or an office, and the district that it serves.
///
/// Fields that a later version adds are passed over, and so is an element of a list that
/// has not the form: a mission whose second phone is garbled still has its first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mission {
    /// Stable id, one line, for example `tr-ankara`.
    pub id: String,
    /// What it is.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: MissionKind,
    /// The country that it stands in: two letters (ISO 3166-1 alpha-2).
    pub country: String,
    /// Its name, by language.
    pub names: Texts,
    /// Its address in one line, by language; the local language is what a driver reads.
    #[serde(default)]
    pub address: Texts,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<MissionPlace>,
    /// Its phones.
    #[serde(default, deserialize_with = "lenient::list")]
    pub phones: Vec<MissionPhone>,
    /// Languages spoken there (BCP 47).
    #[serde(default, deserialize_with = "lenient::list")]
    pub languages: Vec<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Web page, `https://` or `http://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// The district that it serves. It may be of another country than the one it stands
    /// in: an embassy is often accredited to several.
    #[serde(default)]
    pub district: Area,
    /// When somebody last checked all this, milliseconds UTC.
    pub checked_ms: i64,
    /// Who says so, for example `Ministry of Foreign Affairs`.
    pub source: String,
}

/// Where a mission stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissionPlace {
    /// Latitude, degrees WGS-84, north positive.
    pub lat: f64,
    /// Longitude, degrees WGS-84, east positive.
    pub lon: f64,
}

/// A phone of a mission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissionPhone {
    /// What it is for.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub purpose: PhonePurpose,
    /// E.164, for example `+903120000000`.
    pub number: String,
    /// When somebody answers, in words, by language: local holidays, lunch and summer
    /// time do not fit a table, and a wrong "closed" costs more than a call.
    #[serde(default)]
    pub hours: Texts,
    /// Whether somebody answers day and night.
    #[serde(default)]
    pub round_the_clock: bool,
}

const MISSION: &str = "a mission as JSON, with id, kind, country, names, checked_ms and source";

impl Mission {
    /// Reads an item of a pack.
    ///
    /// Errors: `Invalid` for what is no mission: longer than the limit, without an id, a
    /// country or a name. A phone that cannot be dialled, a position that is nowhere, an
    /// address of mail or web that is none, and a tag that is no language are left out.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let policy = &Policy::STANDARD;
        if json.len() > policy.item_bytes {
            return Err(invalid("mission", Problem::TooLong));
        }
        let mission: Self =
            serde_json::from_slice(json).map_err(|_| invalid("mission", Problem::Malformed))?;
        mission.checked(policy)
    }

    fn checked(mut self, policy: &Policy) -> Result<Self> {
        self.id = validate::line("mission.id", &self.id, policy)?;
        self.country = country("mission.country", &self.country)?;
        if self.names.0.is_empty() {
            return Err(invalid("mission.names", Problem::Empty));
        }
        self.position = self.position.filter(|place| place.wgs84().is_some());
        self.phones.retain_mut(MissionPhone::is_dialled);
        self.languages
            .retain(|tag| validate::language("mission.languages", tag).is_ok());
        self.email = self
            .email
            .and_then(|text| validate::email("mission.email", &text).ok());
        self.website = self.website.filter(|address| is_web(address));
        Ok(self)
    }
}

impl MissionPlace {
    /// The position; `None` where the numbers are none.
    pub fn wgs84(self) -> Option<Wgs84> {
        Wgs84::new(self.lat, self.lon).ok()
    }
}

impl MissionPhone {
    /// Brings the number into its form; false where it has none.
    fn is_dialled(&mut self) -> bool {
        validate::phone("mission.phones", &self.number)
            .map(|number| self.number = number)
            .is_ok()
    }
}

/// Whether a host may open it: nothing but a page of the web.
fn is_web(address: &str) -> bool {
    ["https://", "http://"]
        .iter()
        .any(|scheme| address.starts_with(scheme))
        && !address.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn invalid(field: &str, problem: Problem) -> HomelineError {
    HomelineError::invalid(field, problem, MISSION)
}

#[cfg(test)]
mod tests;
