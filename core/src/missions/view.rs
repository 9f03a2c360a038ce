//! Missions and numbers as a host shows them: in the traveler's language, with the
//! distance, and with their age.

use super::mission::{Mission, MissionPhone};
use super::numbers::{EmergencyNumber, EmergencyNumbers};
use super::words::{EmergencyService, MissionKind, PhonePurpose};
use crate::geo::{Wgs84, distance_m};
use crate::language::LocalText;

/// How old an answer is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, uniffi::Record)]
pub struct AsOf {
    /// When the pack that it came from was made, milliseconds UTC. Absent: it did not come
    /// from a pack but with the host app.
    pub pack_ms: Option<i64>,
    /// When somebody last checked the facts, milliseconds UTC; absent where nobody said.
    pub checked_ms: Option<i64>,
    /// Milliseconds since the facts were checked or, where that is not known, since the
    /// pack was made; 0 where the phone's clock is behind them. Absent where neither is
    /// known.
    pub age_ms: Option<i64>,
}

/// The emergency numbers of a country.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LocalNumbers {
    /// Two letters (ISO 3166-1 alpha-2).
    pub country: String,
    /// In the order in which they are shown.
    pub numbers: Vec<LocalNumber>,
    /// Who says so.
    pub source: String,
    /// How old it is.
    pub as_of: AsOf,
}

/// One emergency number, as dialled in the country.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LocalNumber {
    /// Who answers.
    pub service: EmergencyService,
    /// The number.
    pub number: String,
    /// What else is worth knowing.
    pub note: Option<LocalText>,
}

/// A mission.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct LocalMission {
    /// Stable id.
    pub id: String,
    /// What it is.
    pub kind: MissionKind,
    /// The country that it stands in: two letters (ISO 3166-1 alpha-2).
    pub country: String,
    /// Its name.
    pub name: Option<LocalText>,
    /// Its address in one line.
    pub address: Option<LocalText>,
    /// Latitude in degrees WGS-84; `longitude` is there where this is.
    pub latitude: Option<f64>,
    /// Longitude in degrees WGS-84.
    pub longitude: Option<f64>,
    /// From the traveler to it in metres, by the great circle; absent where one of the two
    /// positions is not known.
    pub distance_m: Option<f64>,
    /// Its phones: the one for emergencies first.
    pub phones: Vec<LocalMissionPhone>,
    /// Languages spoken there (BCP 47).
    pub languages: Vec<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Web page.
    pub website: Option<String>,
    /// Who says so.
    pub source: String,
    /// How old it is.
    pub as_of: AsOf,
}

/// A phone of a mission.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LocalMissionPhone {
    /// What it is for.
    pub purpose: PhonePurpose,
    /// E.164.
    pub number: String,
    /// When somebody answers, in words.
    pub hours: Option<LocalText>,
    /// Whether somebody answers day and night.
    pub round_the_clock: bool,
}

impl AsOf {
    /// Of facts from a pack, at `now_ms`; all times milliseconds UTC.
    pub(crate) fn of(pack_ms: Option<i64>, checked_ms: Option<i64>, now_ms: i64) -> Self {
        let since = checked_ms.or(pack_ms);
        Self {
            pack_ms,
            checked_ms,
            age_ms: since.map(|since| now_ms.saturating_sub(since).max(0)),
        }
    }
}

impl LocalNumbers {
    pub(crate) fn of(item: &EmergencyNumbers, languages: &[String], as_of: AsOf) -> Self {
        let number = |number: &EmergencyNumber| LocalNumber {
            service: number.service.clone(),
            number: number.number.clone(),
            note: number.note.best(languages),
        };
        Self {
            country: item.country.clone(),
            numbers: item.numbers.iter().map(number).collect(),
            source: item.source.clone(),
            as_of,
        }
    }
}

impl LocalMission {
    /// For a reader of `languages` who is at `point`.
    pub(crate) fn of(
        mission: &Mission,
        languages: &[String],
        point: Option<Wgs84>,
        as_of: AsOf,
    ) -> Self {
        let place = mission.position.and_then(|place| place.wgs84());
        Self {
            id: mission.id.clone(),
            kind: mission.kind.clone(),
            country: mission.country.clone(),
            name: mission.names.best(languages),
            address: mission.address.best(languages),
            latitude: place.map(Wgs84::latitude),
            longitude: place.map(Wgs84::longitude),
            distance_m: place
                .zip(point)
                .map(|(place, point)| distance_m(place, point)),
            phones: phones(&mission.phones, languages),
            languages: mission.languages.clone(),
            email: mission.email.clone(),
            website: mission.website.clone(),
            source: mission.source.clone(),
            as_of,
        }
    }
}

fn phones(phones: &[MissionPhone], languages: &[String]) -> Vec<LocalMissionPhone> {
    let mut sorted: Vec<&MissionPhone> = phones.iter().collect();
    sorted.sort_by(|one, other| one.purpose.cmp(&other.purpose));
    let view = |phone: &MissionPhone| LocalMissionPhone {
        purpose: phone.purpose.clone(),
        number: phone.number.clone(),
        hours: phone.hours.best(languages),
        round_the_clock: phone.round_the_clock,
    };
    sorted.into_iter().map(view).collect()
}
