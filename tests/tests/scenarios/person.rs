//! A person, as the scenarios write one.

use homeline::registration::{DocumentKind, Reachable, TravelDocument, Traveler, TravelerKind};
use serde::Deserialize;

use crate::player::now_ms;

const YEAR_MS: i64 = 31_556_952_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonJson {
    name: String,
    kind: String,
    school: Option<String>,
    programme: Option<String>,
    guardian: Option<ReachableJson>,
    employer: Option<String>,
    project: Option<String>,
    liaison: Option<ReachableJson>,
    vessel: Option<String>,
    phone: Option<String>,
    #[serde(default)]
    documents: Vec<DocumentJson>,
    latin_name: Option<String>,
    birth_date: Option<String>,
    /// In place of a date of birth: about so many years.
    age: Option<i64>,
    nationality: Option<String>,
    #[serde(default)]
    languages: Vec<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReachableJson {
    name: String,
    phone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentJson {
    number: String,
    mrz: Option<String>,
    kind: Option<DocumentKind>,
    issuing_state: Option<String>,
    expiry_date: Option<String>,
}

impl From<PersonJson> for Traveler {
    fn from(json: PersonJson) -> Self {
        let year_of_birth = |age: i64| (1970 + now_ms() / YEAR_MS - age).to_string();
        Self {
            name: json.name,
            kind: match json.kind.as_str() {
                "short_trip" => TravelerKind::ShortTrip,
                "long_stay" => TravelerKind::LongStay,
                "student" => TravelerKind::Student {
                    school: json.school.unwrap(),
                    programme: json.programme,
                    guardian: json.guardian.map(Into::into),
                },
                "posted_worker" => TravelerKind::PostedWorker {
                    employer: json.employer.unwrap(),
                    project: json.project,
                    liaison: json.liaison.map(Into::into),
                },
                "crew" => TravelerKind::Crew {
                    vessel: json.vessel,
                },
                other => panic!("unknown kind {other}"),
            },
            phone: json.phone,
            documents: json.documents.into_iter().map(Into::into).collect(),
            latin_name: json.latin_name,
            birth_date: json.birth_date.or(json.age.map(year_of_birth)),
            nationality: json.nationality,
            languages: json.languages,
            email: json.email,
        }
    }
}

impl From<ReachableJson> for Reachable {
    fn from(json: ReachableJson) -> Self {
        Self {
            name: json.name,
            phone: json.phone,
        }
    }
}

impl From<DocumentJson> for TravelDocument {
    fn from(json: DocumentJson) -> Self {
        Self {
            number: json.number,
            mrz: json.mrz,
            kind: json.kind,
            issuing_state: json.issuing_state,
            expiry_date: json.expiry_date,
        }
    }
}
